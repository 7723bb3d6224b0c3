"""The log on standard error: written by a thread of its own, so that nothing waits for a reader.

Whoever reads standard error may be slow or have stopped. Lines then wait, a bounded number of
them; those beyond are dropped and counted, and the count is written when there is room again.
"""

import logging
import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WAITING_MAX = 10_000
FLUSH_SECONDS_MAX = 2.0


class _QueuedLines(logging.Handler):
    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING_MAX)
        self._dropped = 0
        # A daemon: a reader that stopped for good must not keep the process from ending.
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1

    def finish(self) -> None:
        """Write what waits, for so long as somebody reads it."""
        try:
            self._lines.put(None, timeout=FLUSH_SECONDS_MAX)
        except queue.Full:
            return
        self._thread.join(FLUSH_SECONDS_MAX)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
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
