"""Requests and replies: delivered, answered, delivered again after a crash, set aside when poison."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.streams import MAX_DELIVERIES, Inbox, Message, Replies, Sender


async def first(messages: AsyncIterator[Message], count: int = 1) -> list[Message]:
    return [await anext(messages) for _ in range(count)]


async def test_a_request_reaches_its_brain_and_the_answer_its_voice(redis: Redis) -> None:
    sender, inbox, replies = Sender(redis), Inbox(redis, "b1"), Replies(redis, "v1")
    await asyncio.gather(
        *(sender.send(inbox.stream, f"q{n}".encode(), replies.stream, reference=n) for n in range(3))
    )
    for message in await first(inbox.messages(), 3):
        await sender.reply(message, inbox.stream, message.data.replace(b"q", b"a"))
    answers = replies.messages()
    assert [await anext(answers) for _ in range(3)] == [(0, b"a0"), (1, b"a1"), (2, b"a2")]
    assert await redis.xlen(inbox.stream) == 0


async def test_what_a_reader_did_not_answer_comes_again_to_its_next_life(redis: Redis) -> None:
    sender, inbox = Sender(redis), Inbox(redis, "b1")
    await sender.send(inbox.stream, b"q", "r")
    [message] = await first(inbox.messages())
    [again] = await first(Inbox(redis, "b1").messages())
    assert (again.data, again.deliveries) == (b"q", 2)
    await inbox.done(again)
    await sender.send(inbox.stream, b"next", "r")
    [following] = await first(Inbox(redis, "b1").messages())
    assert following.data == b"next"
    assert message.sent_ms <= following.sent_ms


async def test_a_message_that_kills_its_reader_is_set_aside_after_five_deliveries(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender(redis)
    await sender.send(keys.inbox("b1"), b"poison", "r")
    for delivery in range(1, MAX_DELIVERIES + 1):
        [message] = await first(Inbox(redis, "b1").messages())
        assert (message.data, message.deliveries) == (b"poison", delivery)
    await sender.send(keys.inbox("b1"), b"good", "r")
    with caplog.at_level(logging.ERROR):
        [message] = await first(Inbox(redis, "b1").messages())
    assert message.data == b"good"
    assert "set aside" in caplog.text
    [(_, dead)] = await redis.xrange(keys.DEAD_LETTERS)
    assert dead[b"m"] == b"poison"


async def test_a_message_whose_handling_fails_is_set_aside_and_the_rest_moves_on(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    sender, inbox = Sender(redis), Inbox(redis, "b1")
    await asyncio.gather(*(sender.send(inbox.stream, data, "r") for data in (b"poison", b"good")))
    poison, good = await first(inbox.messages(), 2)
    again: Message | None = poison
    seen = 0
    with caplog.at_level(logging.ERROR):
        while again is not None:
            seen += 1
            assert again.deliveries == seen
            again = await inbox.failed(again, "it cannot be read")
    await inbox.done(good)
    assert seen == MAX_DELIVERIES
    assert "set aside" in caplog.text
    [(_, dead)] = await redis.xrange(keys.DEAD_LETTERS)
    assert (dead[b"m"], dead[b"reason"]) == (b"poison", b"it cannot be read")
    assert (await redis.xpending(inbox.stream, Inbox.GROUP))["pending"] == 0


async def test_an_inbox_goes_on_after_redis_was_emptied(redis: Redis) -> None:
    sender, inbox = Sender(redis), Inbox(redis, "b1")
    await sender.send(inbox.stream, b"before", "r")
    messages = inbox.messages()
    await first(messages)
    await redis.flushall()
    await sender.send(inbox.stream, b"after", "r")
    [message] = await first(messages)
    assert message.data == b"after"
