"""One call's recogniser stream, fed without waiting: frames queue here, bounded, and go on in order.

The 20 ms path only puts a frame into the queue.  A recogniser that falls more than MOST_BEHIND_MS
behind has failed: listening to words that old helps nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bot.call.ports import FRAME_MS, RecogniserError, RecogniserStream, WordsIn

MOST_BEHIND_MS = 10_000

_Item = bytes | tuple[str, ...] | None


class Ears:
    """Feeds a stream and passes its words on; both end with `close` or the first failure."""

    def __init__(
        self,
        stream: RecogniserStream,
        heard: Callable[[WordsIn], None],
        failed: Callable[[RecogniserError], None],
    ) -> None:
        """`failed` is told once, and nothing comes after it."""
        self._stream, self._heard, self._failed = stream, heard, failed
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._frames = 0
        self._closed = False
        self._tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._hear())]

    @property
    def behind_ms(self) -> int:
        """Sound that the recogniser has not taken yet."""
        return self._frames * FRAME_MS

    def feed(self, pcm: bytes) -> None:
        """20 ms of audio."""
        self._queue.put_nowait(pcm)
        self._frames += 1
        if self.behind_ms > MOST_BEHIND_MS:
            self._fail(RecogniserError(f"the recogniser is {self.behind_ms} ms behind", retryable=True))

    def expect(self, phrases: Sequence[str]) -> None:
        """Likely answers in the state that follows."""
        self._queue.put_nowait(tuple(phrases))

    def end_utterance(self) -> None:
        """The turn is over: the final text is wanted now."""
        self._queue.put_nowait(None)

    async def close(self) -> None:
        """Stop listening; idempotent."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stream.close()

    async def _feed(self) -> None:
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, bytes):
                    self._frames -= 1
                    await self._stream.feed(item)
                elif item is None:
                    await self._stream.end_utterance()
                else:
                    await self._stream.expect(item)
        except Exception as error:
            self._fail(_named(error))

    async def _hear(self) -> None:
        try:
            async for words in self._stream.words():
                self._heard(words)
            self._fail(RecogniserError("the recogniser gives no more words", retryable=True))
        except Exception as error:
            self._fail(_named(error))

    def _fail(self, error: RecogniserError) -> None:
        if not self._closed:
            self._closed = True
            self._failed(error)


def _named(error: Exception) -> RecogniserError:
    """Whatever a recogniser raises, it has failed."""
    if isinstance(error, RecogniserError):
        return error
    return RecogniserError(f"{type(error).__name__}: {error}")
