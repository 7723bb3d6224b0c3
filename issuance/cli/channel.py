"""What the process that owns the address and one worker say to each other: lines of JSON.

To the worker     start {passphrase, notice_seconds, sweeps} · numbers · retire
From the worker   ready · failed {zh, en} · numbers {numbers} · ended {numbers}

It is one end of a socket pair that only these two have; the passphrase travels here, and nowhere
that a process listing shows. When one end dies the other one reads the end of the stream.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

LINE_BYTES_MAX = 4 * 1024 * 1024

Message = dict[str, Any]


class Channel:
    """One end. Several threads may send; one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lines = end.makefile("rb")
        self._sending = threading.Lock()

    def send(self, kind: str, **content: Any) -> None:
        """Tell the other end, if it is still there: whoever ended needs no more messages."""
        line = json.dumps({"kind": kind, **content}).encode() + b"\n"
        with self._sending:
            try:
                self._end.sendall(line)
            except OSError:
                return

    def receive(self) -> Message | None:
        """The next message, None at the end."""
        try:
            line = self._lines.readline(LINE_BYTES_MAX)
        except OSError:
            return None
        if not line.endswith(b"\n"):
            return None
        message: Message = json.loads(line)
        return message

    def __iter__(self) -> Iterator[Message]:
        while (message := self.receive()) is not None:
            yield message

    def close(self) -> None:
        # Another thread may be reading; without this it would keep `close` waiting.
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self._end.close()
