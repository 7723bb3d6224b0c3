"""Ends what takes too long, without a timer for each request.

    deadlines = Deadlines(seconds=12.0)
    with deadlines:      # in a task; OverdueError there when it has taken too long
        ...

One look now and then goes over the tasks that are inside, in the order in which they came. A timer
of its own for each would cost a scan several microseconds; here one ends up to LOOK_SECONDS late.
"""

import asyncio
from types import TracebackType

LOOK_SECONDS = 0.5


class OverdueError(Exception):
    """What was awaited took too long, and was cancelled."""


class Deadlines:
    """For the tasks of one event loop, each inside once at a time.

    seconds: how long one may stay.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # The event loop's time at which each came in, in that order.
        self._inside: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._is_looking = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be ended")
        self._inside[task] = loop.time()
        if not self._is_looking:
            self._is_looking = True
            self._look_again(loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raises OverdueError in place of the cancellation that is ours; somebody else may have
        cancelled the task, too: then it ends as they want."""
        task = asyncio.current_task()
        if task is None:
            return
        del self._inside[task]
        if task in self._ended:
            self._ended.discard(task)
            if task.uncancel() <= 0 and isinstance(error, asyncio.CancelledError):
                raise OverdueError from None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        over_at = loop.time() - self._seconds
        for task, since in list(self._inside.items()):
            if since > over_at:
                break
            if task not in self._ended:
                self._ended.add(task)
                task.cancel()
        self._is_looking = bool(self._inside)
        if self._is_looking:
            self._look_again(loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(min(LOOK_SECONDS, self._seconds), self._look, loop)
