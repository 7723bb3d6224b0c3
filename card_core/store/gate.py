"""A gate before the database: a few go through at a time, in the order in which they came.

A lock or a pool of connections gives the next turn to whoever asks at the right moment, which is
mostly the one who has just had it; under load somebody else then waits until they give up.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.errors import StoreBusyError


class Gate:
    """places: how many may be inside at a time."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[threading.Event] = deque()
        self._mutex = threading.Lock()

    @contextmanager
    def passed(self, wait_seconds: float) -> Iterator[None]:
        """Wait for a place, keep it for as long as the block runs. Raises StoreBusyError."""
        turn = threading.Event()
        with self._mutex:
            if self._free:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
        if not turn.wait(wait_seconds):
            self._give_up(turn)
        try:
            yield
        finally:
            self._leave()

    def _give_up(self, turn: threading.Event) -> None:
        with self._mutex:
            # The turn may have come after the wait ended; then the place is ours after all.
            if not turn.is_set():
                self._waiting.remove(turn)
                raise StoreBusyError

    def _leave(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
