"""What a picture amounts to for this moment: products weighed, questions valued, figures for texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from assist.suggest import questions
from assist.suggest.model import FactValue
from assist.suggest.offers import Offer, placeholders, recommend
from assist.suggest.picture import Picture
from assist.suggest.stage import READY_SHARE
from assist.suggest.texts import fact_variables

SUMS: Final = frozenset({"now", "then", "saving", "saving_year", "saving_term", "price", "product", "months"})
"""Variables of one product's arithmetic."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture amounts to for this moment: figures for texts, products, the value of questions."""

    values: dict[str, FactValue]
    offers: tuple[Offer, ...]
    gains: dict[str, float]
    shares: dict[str, float]
    variables: dict[str, str]
    today: date
    talked_of: str | None = None

    @property
    def best(self) -> Offer | None:
        """The product that may be offered now."""
        return next((offer for offer in self.offers if offer.recommended), None)

    @property
    def likely(self) -> Offer | None:
        """The product to talk about: the one talked of, the recommended one, the likeliest still possible."""
        named = next((offer for offer in self.offers if offer.product == self.talked_of), None)
        if named is not None and named.eligible != "no":
            return named
        if self.best is not None:
            return self.best
        return next(
            (offer for offer in self.offers if offer.eligible == "unknown" and offer.guard is None), None
        )

    @property
    def ready(self) -> bool:
        """Whether a product can be recommended surely."""
        best = self.best
        return best is not None and self.shares.get(best.product, 1.0) >= READY_SHARE


def situation(picture: Picture, today: date) -> Situation:
    """Weigh the products and the questions for what is known now."""
    script = picture.script
    values = picture.values()
    offers = recommend(script.catalogue, values, today)
    gains = questions.information_gain(script.catalogue, script.facts, values, today)
    shares = questions.best_shares(script.catalogue, script.facts, values, today)
    draft = Situation(values=values, offers=offers, gains=gains, shares=shares, variables={}, today=today,
        talked_of=picture.talked_of,
    )  # fmt: skip
    variables = {**script.variables, **picture.variables, **fact_variables(values)}
    if draft.likely is not None:
        variables |= sums_of(draft.likely, values, today)
    return msgspec.structs.replace(draft, variables=variables)


def sums_of(offer: Offer, values: Mapping[str, FactValue], today: date) -> dict[str, str]:
    """The figures of an offer; what it costs now and then only where that is a gain."""
    found = placeholders(offer, values, today)
    if "saving" not in found:
        found.pop("now", None)
        found.pop("then", None)
    return found
