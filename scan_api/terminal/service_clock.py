"""The service's time at a terminal: learnt at each contact, counted on by a clock that never turns.

The machine's own clock decides only between a start and the first contact, and only with the offset
that was last learnt. The highest time that was ever seen is kept on disk: an earlier one means that
the clock was set back, which would bring expired codes and lists back to life.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from card_core.store.terminal_journal import KeptTime

SET_BACK_SECONDS: Final = 5


class ServiceClock:
    """Safe in many threads. wall: Unix seconds; monotonic: seconds that count on in suspension."""

    def __init__(
        self, kept: KeptTime, *, wall: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._lock = threading.Lock()
        self._wall, self._monotonic = wall, monotonic
        self._offset = kept.offset_seconds
        self._anchor = (wall() + kept.offset_seconds, monotonic())
        self._highest = kept.highest
        self._is_set_back = self._anchor[0] < kept.highest - SET_BACK_SECONDS

    def timestamp(self) -> float:
        """The service's time as well as it is known, in Unix seconds."""
        with self._lock:
            at, since = self._anchor
            return at + self._monotonic() - since

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    @property
    def is_set_back(self) -> bool:
        """Whether the machine's clock is behind what was seen, and no contact has put it right."""
        return self._is_set_back

    @property
    def set_back_seconds(self) -> int:
        """How far this machine's time is behind the highest that was seen."""
        return max(0, round(self._highest - self.timestamp()))

    @property
    def offset_seconds(self) -> int:
        """The service's time minus the machine's, when they last met."""
        return round(self._offset)

    def learn(self, service_seconds: float) -> None:
        """Take the service's own word, from an answer that just came."""
        with self._lock:
            self._anchor = (service_seconds, self._monotonic())
            self._offset = service_seconds - self._wall()
            self._highest = service_seconds
            self._is_set_back = False

    def to_keep(self) -> KeptTime:
        """What the next process has to know."""
        return KeptTime(self._offset, max(self._highest, self.timestamp()))
