"""A channel of Asterisk's chan_websocket: its queue, its timer, its commands, its events.

Written from Asterisk f0c1c1a, channels/chan_websocket.c: dequeue_frame, queue_frame_from_buffer,
handle_command, process_text_message, process_binary_message, _create_event_*.  Imports nothing of bot.
The channel's timer is `tick`: one call is one frame's time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.phone.asterisk.media_waiting import Collected

QUEUE_MAX, XOFF_LEVEL, XON_LEVEL = 1000, 900, 800
LONGEST_TEXT = 128


class MediaChannel:
    """One channel: what is sent to it goes into its queue; `tick` plays one frame."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        as_json: bool = False,
        codec: str = "slin",
        optimal: int = 320,
        passthrough: bool = False,
        connection_id: str = "c0ffee",
        channel_id: str = "1763852400.7",
        variables: dict[str, str] | None = None,
    ) -> None:
        self.tell = tell
        self.as_json = as_json
        self.passthrough = passthrough
        self.optimal = 0 if passthrough else optimal
        self.about = {
            "connection_id": connection_id,
            "channel": f"WebSocket/{connection_id}/0x7f0c",
            "channel_id": channel_id,
            "format": codec,
            "optimal_frame_size": self.optimal,
            "ptime": 20,
        }
        self.variables = variables or {}
        self.played: list[bytes] = []
        self.dropped: list[bytes] = []
        self.ignored: list[str] = []
        self.commands = Collected()
        self.queue: deque[bytes | str] = deque()
        self.length = 0
        self.full = self.paused = self.buffering = self.report_drained = self.answered = False
        self.hung_up = False
        self.leftover = b""

    # -- events

    def event(self, name: str, **fields: Any) -> str:
        if self.as_json:
            return json.dumps({"event": name, "channel_id": self.about["channel_id"], **fields})
        if "correlation_id" in fields:
            return f"{name} {fields['correlation_id']}".rstrip()
        if name in ("MEDIA_XOFF", "MEDIA_XON", "QUEUE_DRAINED"):
            return name
        if name == "DTMF_END":
            return f"DTMF_END digit:{fields['digit']} channel_id:{self.about['channel_id']}"
        words = {"channel_id": self.about["channel_id"], **fields}
        return " ".join(
            [name, *(f"{k}:{str(v).lower() if v in (True, False) else v}" for k, v in words.items())]
        )

    def start(self) -> None:
        if self.as_json:
            self.tell(json.dumps({"event": "MEDIA_START", **self.about, "channel_variables": self.variables}))
        else:
            self.tell(" ".join(["MEDIA_START", *(f"{k}:{v}" for k, v in self.about.items())]))

    def key(self, digit: str) -> None:
        self.tell(self.event("DTMF_END", digit=digit))

    # -- what comes in

    def text(self, message: str) -> None:
        """process_text_message, handle_command."""
        size = len(message.encode())
        if size == 0 or size > LONGEST_TEXT:
            self.ignored.append(message)
            return
        message = message.strip()
        if self.as_json:
            try:
                fields = json.loads(message)
            except ValueError:
                self.tell(self.event("ERROR", error_text="Unable to parse JSON command"))
                return
            name, number = fields.get("command"), fields.get("correlation_id", "")
        else:
            name, _, number = message.partition(" ")
        self.commands(name)
        handle = {
            "ANSWER": self._answer,
            "HANGUP": self._hang_up,
            "GET_STATUS": self._status,
        }.get(name)
        if handle is not None:
            handle()
            return
        handle_id = {
            "START_MEDIA_BUFFERING": self._start_buffering,
            "STOP_MEDIA_BUFFERING": self._stop_buffering,
            "MARK_MEDIA": self._mark,
            "FLUSH_MEDIA": self._flush,
            "PAUSE_MEDIA": self._pause,
            "CONTINUE_MEDIA": self._continue,
            "REPORT_QUEUE_DRAINED": self._report,
        }.get(name)
        if handle_id is None:
            self.ignored.append(message)
        elif self.passthrough:
            self.tell(self.event("ERROR", error_text=f"{name} not supported in passthrough mode"))
        else:
            handle_id(number)

    def binary(self, payload: bytes) -> None:
        """process_binary_message."""
        if self.length >= QUEUE_MAX:
            self.dropped.append(payload)
            return
        if self.passthrough:
            self._queue(payload)
            return
        if self.buffering:
            payload = self.leftover + payload
        self.leftover = b""
        whole = len(payload) // self.optimal * self.optimal
        for at in range(0, whole, self.optimal):
            self._queue(payload[at : at + self.optimal])
        if self.buffering:
            self.leftover = payload[whole:]
        elif payload[whole:]:
            self.dropped.append(payload[whole:])

    # -- the timer

    def tick(self, times: int = 1) -> None:
        """dequeue_frame, `times` times."""
        for _ in range(times):
            self._tick()

    def _tick(self) -> None:
        if self.paused:
            return
        if self.full and self.length < XON_LEVEL:
            self.full = False
            self.tell(self.event("MEDIA_XON"))
        if not self.queue:
            if self.report_drained:
                self.report_drained = False
                self.tell(self.event("QUEUE_DRAINED"))
            if self.leftover:
                self.played.append(self.leftover)
                self.leftover = b""
            return
        while self.queue:
            head = self.queue.popleft()
            if isinstance(head, bytes):
                self.length -= 1
                self.played.append(head)
                return
            self.tell(head)

    def _queue(self, frame: bytes) -> None:
        self.queue.append(frame)
        self.length += 1
        if not self.full and self.length >= XOFF_LEVEL:
            self.full = True
            self.tell(self.event("MEDIA_XOFF"))

    def _answer(self) -> None:
        self.answered = True

    def _hang_up(self) -> None:
        self.hung_up = True

    def _status(self) -> None:
        self.tell(
            self.event(
                "STATUS",
                queue_length=self.length,
                xon_level=XON_LEVEL,
                xoff_level=XOFF_LEVEL,
                queue_full=self.full,
                bulk_media=self.buffering,
                media_paused=self.paused,
            )
        )

    def _start_buffering(self, _: str) -> None:
        self.buffering = True

    def _stop_buffering(self, number: str) -> None:
        self.buffering = False
        if self.leftover:
            self._queue(self.leftover)
        self.leftover = b""
        self.queue.append(self.event("MEDIA_BUFFERING_COMPLETED", correlation_id=number))

    def _mark(self, number: str) -> None:
        self.queue.append(self.event("MEDIA_MARK_PROCESSED", correlation_id=number))

    def _flush(self, _: str) -> None:
        self.queue.clear()
        self.length = 0
        self.buffering = False
        self.leftover = b""

    def _pause(self, _: str) -> None:
        self.paused = True

    def _continue(self, _: str) -> None:
        self.paused = False

    def _report(self, _: str) -> None:
        self.report_drained = True
