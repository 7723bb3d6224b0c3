"""What is counted over whole tables, for all who ask."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from card_core.kernel import Kernel
from card_core.store import Reader
from issuance.console.problems import ConsoleError

# What was counted serves everybody for so long.
COUNTED_FOR: Final = timedelta(seconds=60)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """The tallies of one moment. until: when somebody may count again; both aware, UTC."""

    as_of: datetime
    until: datetime
    tallies: T


class Counting(Generic[T]):
    """One request of a process at a time counts anew, and nobody waits for it: the others get what
    there is, and while there is nothing they are to come again."""

    def __init__(self, kernel: Kernel, count: Callable[[Reader, datetime], T]) -> None:
        """count: given the moment, aware, UTC."""
        self._kernel = kernel
        self._count = count
        self._counting = threading.Lock()
        self._last: Counted[T] | None = None

    def get(self) -> Counted[T]:
        """Raises StoreError; ConsoleError (not_ready) while the first count is under way."""
        last = self._last
        if last is not None and self._kernel.clock() < last.until:
            return last
        if not self._counting.acquire(blocking=False):
            if last is None:
                raise ConsoleError(
                    503, "not_ready", "正在统计，请稍后再看", "Being counted; look again in a while"
                )
            return last
        try:
            as_of = self._kernel.clock()
            with self._kernel.store.read() as tx:
                tallies = self._count(tx, as_of)
            # From the end on: where counting itself takes a minute, it is not begun again at once.
            self._last = Counted(as_of, self._kernel.clock() + COUNTED_FOR, tallies)
            return self._last
        finally:
            self._counting.release()
