"""A leg's inputs: in order, also before anybody listens, and nothing after the end."""

from __future__ import annotations

from bot.call.ports import AudioIn, DtmfIn, HungUpIn, LegInput
from bot.phone.asterisk.media_inbox import MOST_HELD, Inbox


def test_what_came_before_comes_first_and_the_end_comes_once_and_last() -> None:
    inbox, heard = Inbox(), list[LegInput]()
    inbox.put(DtmfIn("1"))
    inbox.listen(heard.append)
    inbox.put(DtmfIn("2"))
    assert inbox.end("customer") and not inbox.end("line_lost")
    inbox.put(DtmfIn("3"))
    assert heard == [DtmfIn("1"), DtmfIn("2"), HungUpIn("customer")]


def test_a_listener_that_ends_the_leg_while_it_is_given_what_came_hears_nothing_after_the_end() -> None:
    inbox, heard = Inbox(), list[LegInput]()

    def receive(item: LegInput) -> None:
        heard.append(item)
        inbox.end("bot")
        inbox.put(DtmfIn("9"))

    inbox.put(DtmfIn("1"))
    inbox.listen(receive)
    assert heard == [DtmfIn("1"), HungUpIn("bot")]


def test_the_oldest_goes_where_nobody_listens_and_the_end_is_never_lost() -> None:
    inbox, heard = Inbox(), list[LegInput]()
    for number in range(MOST_HELD + 7):
        inbox.put(AudioIn(number.to_bytes(2, "little") * 160))
    inbox.end("customer")
    inbox.listen(heard.append)
    assert len(heard) == MOST_HELD
    assert heard[0] == AudioIn((8).to_bytes(2, "little") * 160) and heard[-1] == HungUpIn("customer")
