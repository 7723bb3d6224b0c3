"""Slow hashes of passwords, a few at a time and on threads of their own.

A password costs about 70 ms of a core on purpose. Without a bound, a rush of sign-ins would take
all threads and cores, and the counters would wait.
"""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from scan_api import problems
from scan_api.problems import ProblemError

THREADS = 2
WAITING_MAX = 64

_T = TypeVar("_T")


class PasswordWork:
    """The one queue of an application."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(THREADS)
        # Touched by the event loop's thread alone.
        self._inside = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Returns what `work` returns. Raises: ProblemError (not_ready) when too many wait."""
        if self._inside >= THREADS + WAITING_MAX:
            raise ProblemError(problems.NOT_READY)
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
