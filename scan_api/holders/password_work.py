"""Slow hashes of passwords, and other slow work, a few at a time and on threads of their own.

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
    """One queue of an application. threads: how much is done at a time."""

    def __init__(self, threads: int = THREADS) -> None:
        self._limiter = CapacityLimiter(threads)
        self._inside_max = threads + WAITING_MAX
        # Touched by the event loop's thread alone.
        self._inside = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Returns what `work` returns. Raises: ProblemError (not_ready) when too many wait."""
        if self._inside >= self._inside_max:
            raise ProblemError(problems.NOT_READY)
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
