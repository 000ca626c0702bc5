"""What the browser's lines are set to, and what their page offers.

Reads nothing: whoever starts the pages makes these.  Times in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

TEXT_EARS = "text"
"""No recogniser: what the caller types is what the bot hears."""


class FieldChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a field may have, and its words."""

    value: str
    zh: str
    en: str


class ContactField(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of the contact that the caller may fill in; `key` as in the contact's file.

    `choices`: the values allowed; none for free text.  `value`: what stands there at first.
    """

    key: str
    zh: str
    en: str
    choices: tuple[FieldChoice, ...] = ()
    value: str = ""


class ScriptChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A script that can be called from the page."""

    name: str
    zh: str
    en: str
    fields: tuple[ContactField, ...] = ()


_SEXES = (FieldChoice(value="男", zh="男", en="male"), FieldChoice(value="女", zh="女", en="female"))

KNOWN_FIELDS = {
    field.key: field
    for field in (
        ContactField(key="name", zh="姓名", en="Name", value="张伟"),
        ContactField(key="sex", zh="性别", en="Sex", choices=_SEXES, value="男"),
        ContactField(key="id_last4", zh="证件后四位", en="ID, last four", value="0527"),
        ContactField(key="monthly_fee_ringback", zh="彩铃月费", en="Ringback, a month", value="5"),
        ContactField(key="plan", zh="套餐", en="Plan", value="畅聊38元套餐"),
        ContactField(key="monthly_bill", zh="月账单", en="Monthly bill", value="46"),
    )
}
"""Facts that pages know by name; the values are those of a made-up customer."""

USUAL_FIELDS = tuple(KNOWN_FIELDS[key] for key in ("name", "sex", "id_last4"))
"""What a greeting and an identity check ask for."""


def fields_for(keys: Iterable[str]) -> tuple[ContactField, ...]:
    """The usual fields, and those that a script needs besides; one unknown here is named by its key."""
    usual = {field.key for field in USUAL_FIELDS}
    needed = [key for key in keys if key not in usual]
    return USUAL_FIELDS + tuple(
        KNOWN_FIELDS.get(key) or ContactField(key=key, zh=key, en=key) for key in needed
    )


class BrowserSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`browser:` of phones.yml.

    `origins`: what browsers call the pages where that is not the address they connect to (behind a
    proxy), e.g. "https://talk.example.com".  `ears`: the recogniser's name, "text" where there is none.
    `open_to`: who gets a line from /talk without a ticket of somebody's: "all" who reach the page, or
    "nobody" (tickets are then handed out by other means).  `ticket_s`: how long a ticket is good for.
    `most_lines`: lines at once.  `webrtc`: whether WebRTC is offered (needs the extra `webrtc`).
    `scripts`: what the page offers.
    `ice_servers`: STUN addresses, where this server is behind NAT itself.
    """

    origins: tuple[str, ...] = ()
    ears: str = TEXT_EARS
    scripts: tuple[ScriptChoice, ...] = ()
    open_to: Literal["all", "nobody"] = "all"
    ticket_s: float = 60.0
    most_lines: int = 100
    webrtc: bool = True
    ice_servers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.ticket_s <= 600:
            raise ValueError(f"ticket_s {self.ticket_s:g} → 1 to 600 seconds")
        if self.most_lines < 1:
            raise ValueError(f"most_lines {self.most_lines} → at least 1")
