"""The log on standard error: written by a thread of its own, so that nothing waits for a reader.

Whoever reads standard error may be slow or have stopped. Lines then wait, a bounded number of
them; those beyond are dropped and counted, and the count is written when there is room again.
To wake a thread costs the one that wakes it more than the line itself, so the writing thread looks
by itself for as long as lines keep coming.
"""

import logging
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WAITING_MAX = 10_000
FLUSH_SECONDS_MAX = 2.0
# A line waits no longer than this for its thread.
LOOK_SECONDS = 0.05


class _QueuedLines(logging.Handler):
    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._stream = stream
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._finishing = threading.Event()
        # A daemon: a reader that stopped for good must not keep the process from ending.
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._lines) >= WAITING_MAX:
            self._dropped += 1
            return
        self._lines.append(self.format(record))
        if not self._wake.is_set():
            self._wake.set()

    def finish(self) -> None:
        """Write what waits, for so long as somebody reads it."""
        self._finishing.set()
        self._wake.set()
        self._thread.join(FLUSH_SECONDS_MAX)

    def _write_all(self) -> None:
        while not self._finishing.is_set():
            self._wake.wait()
            self._write_waiting()
            # Lines that come meanwhile find the event set, and wake nobody.
            self._finishing.wait(LOOK_SECONDS)
            self._wake.clear()
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        while self._lines:
            line = self._lines.popleft()
            dropped, self._dropped = self._dropped, 0
            if dropped:
                line += f'\n{{"event": "log_lines_dropped", "count": {dropped}}}'
            try:
                # One write: lines of several processes on one stream don't mix.
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody is left to read; the service goes on.
                continue


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """One JSON line for each event, on standard error, until the block ends."""
    handler = _QueuedLines(sys.stderr)
    log = logging.getLogger("sscard")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.finish()
