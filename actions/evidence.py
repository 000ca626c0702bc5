"""What an effect must prove, and the refusal where it cannot.  Pure.

During a call proofs pile up: lines heard to their end and what they disclosed, questions asked,
the name and the identity confirmed.  An order needs all of `REQUIRED` heard to the end, the
identity check passed, and an explicit yes, alone, to the order question itself (COMPLIANCE: sale).
The proofs are kept apart from the slots that steer, so a wrong rule cannot forge an order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

REQUIRED = ("identity", "price", "term", "cancel", "order_question")
"""What the customer must have heard to its end before a yes is consent to an order."""

YES = frozenset({"affirm", "accept_offer"})
ORDER_PARTNERS = YES | {"thank", "greet", "backchannel", "hurry_up"}
"""Acts that may stand beside a yes without making it doubtful."""

_NOISE = re.compile(r"[嗯恩呣唔哦噢喔啊呃额哎诶欸唉哈呵嘿]+|u+h+|h+u+h+|[uh]*m+|[ao]+h+", re.IGNORECASE)
_APART = re.compile(r"[\s,。,.!?、…~-]+")

ProofKind = Literal["heard", "asked", "confirmed", "refused"]


@dataclass(frozen=True)
class Proof:
    """One thing that a call has shown.

    kind heard: `what` was disclosed by a line heard to its end; asked: the question `what` was put
    (begun at least); confirmed: `what` is name or identity; refused: the customer wants no more
    selling.  `source` is the node or the utterance's id; `at` the time of the turn that showed it.
    """

    kind: ProofKind
    what: str
    source: str
    at: datetime


@dataclass(frozen=True)
class Wish:
    """The customer's own words that ask for an effect (or agree to it)."""

    act: str
    utterance_id: str
    text: str
    at: datetime


@dataclass(frozen=True)
class OrderConsent:
    """Proof that an order may be placed: the yes, and what had been heard before it."""

    yes: Wish
    heard: tuple[Proof, ...]
    identity: Proof


class NoConsent(RuntimeError):
    """An order was tried without consent.  `missing` names what was not proven."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(f"no order without proof of: {', '.join(missing)} → read it back and ask again")


def is_noise(text: str) -> bool:
    """Whether words are nothing but a listener's noise (嗯, 哦, mm): never an explicit yes."""
    words = [word for word in _APART.split(text) if word]
    return bool(words) and all(_NOISE.fullmatch(word) for word in words)


def order_consent(proofs: Sequence[Proof], acts: Sequence[str], yes: Wish) -> OrderConsent:
    """The consent that `proofs` and the utterance `yes` with its `acts` give.

    Raises NoConsent, naming everything that is missing.
    """
    heard = {proof.what: proof for proof in proofs if proof.kind == "heard"}
    missing = [f"{what} heard to its end" for what in REQUIRED if what not in heard]
    asked = [proof.what for proof in proofs if proof.kind == "asked"]
    if not asked or asked[-1] != "order":
        missing.append("the order question as the last one asked")
    identity = next((p for p in proofs if p.kind == "confirmed" and p.what == "identity"), None)
    if identity is None:
        missing.append("the identity check")
    if not any(proof.kind == "confirmed" and proof.what == "name" for proof in proofs):
        missing.append("the name")
    if any(proof.kind == "refused" for proof in proofs):
        missing.append("a customer who has not refused")
    if yes.act not in YES or not set(acts) & YES or is_noise(yes.text):
        missing.append("an explicit yes")
    elif doubtful := sorted(set(acts) - ORDER_PARTNERS):
        missing.append(f"a yes by itself (it came with {', '.join(doubtful)})")
    if missing or identity is None:
        raise NoConsent(missing)
    return OrderConsent(yes, tuple(heard[what] for what in REQUIRED), identity)
