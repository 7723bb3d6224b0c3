"""This machine's clock, believed for as long as it agrees with the database's.

Codes are made, checked and spent by several processes on several machines; the database's clock is
the one that they share. A process whose own clock is more than CLOCKS_APART_SECONDS_MAX off would
take codes that are over, so it takes none: whatever asks for the time gets an error instead. See
docs/decisions/0013-one-clock.md.

A background thread reads the database's time. What it read is counted on by the monotonic clock,
which nobody sets, so that a step is seen by the very next question and not with the next reading.
Where the database's clock is this machine's own, as with SQLite, a step goes through both: it is
told, and nothing here can say which time was right.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from card_core.codes.key_life import CLOCKS_APART_SECONDS_MAX
from card_core.errors import StoreBusyError, StoreError
from card_core.store import Store, epochs
from scan_api.repeating import repeated

READ_EVERY_SECONDS = 1.0

_log = logging.getLogger("sscard.clock")


class ClockOffError(StoreBusyError):
    """This machine's clock is too far from the database's; nothing is decided by it."""

    code = "service_clock_off"
    message_zh = "本机时钟与数据库时钟相差过大，请校时后重试"
    message_en = "This machine's clock is too far from the database's; set it, and try again"


@dataclass(frozen=True, slots=True)
class _Reading:
    """The database's Unix time less the monotonic clock: somewhere from `least` to `most`."""

    least: float
    most: float

    def ahead_of(self, seconds: float) -> float:
        """By how much it is certainly ahead of a clock that is so far before the monotonic one;
        negative where it is behind, 0 where the reading can't tell."""
        if seconds < self.least:
            return self.least - seconds
        return min(0.0, self.most - seconds)


class ClockWatch:
    """One for each process that serves; asked by many threads, read anew by one.

    clock: the time now, aware, UTC. monotonic: seconds that nobody sets.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], *, monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._reading: _Reading | None = None
        self._is_off = False

    def now(self) -> datetime:
        """This machine's time. Raises ClockOffError where it can't be believed."""
        now = self._clock()
        if self._reading is None or abs(self._ahead(self._reading, now)) > CLOCKS_APART_SECONDS_MAX:
            raise ClockOffError
        return now

    def database_ahead_seconds(self) -> float:
        """How far the database's clock is ahead of this machine's, as far as is certain."""
        return 0.0 if self._reading is None else self._ahead(self._reading, self._clock())

    def read(self) -> None:
        """Read the database's time now. Raises StoreError; what was read before holds on then."""
        began = self._monotonic()
        with self._store.read() as tx:
            database_at = epochs.database_time(tx).timestamp()
        ended = self._monotonic()
        before, reading = self._reading, _Reading(database_at - ended, database_at - began)
        # A slow answer says too little.
        if before is None or ended - began <= CLOCKS_APART_SECONDS_MAX:
            self._reading = reading
        if before is not None:
            self._tell_step(before, reading)
        self._tell()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Read now and, in a thread of its own, until the block ends. Raises StoreError."""
        self.read()
        with repeated(
            self._read_if_it_answers,
            every_seconds=READ_EVERY_SECONDS,
            name="clock",
            failure="clock_not_read",
            log=_log,
        ):
            yield

    def _read_if_it_answers(self) -> None:
        try:
            self.read()
        except StoreError as error:
            _log.debug("the database's time was not read: %s", error.code)
            self._tell()

    def _ahead(self, reading: _Reading, now: datetime) -> float:
        return reading.ahead_of(now.timestamp() - self._monotonic())

    def _tell(self) -> None:
        ahead = self.database_ahead_seconds()
        is_off = abs(ahead) > CLOCKS_APART_SECONDS_MAX
        if is_off and not self._is_off:
            _log.error('{"event": "clock_off", "database_ahead_seconds": %.1f}', ahead)
        elif self._is_off and not is_off:
            _log.warning('{"event": "clock_right_again"}')
        self._is_off = is_off

    def _tell_step(self, before: _Reading, reading: _Reading) -> None:
        stepped = max(reading.least - before.most, 0.0) or min(reading.most - before.least, 0.0)
        if abs(stepped) > CLOCKS_APART_SECONDS_MAX:
            _log.error('{"event": "database_clock_stepped", "seconds": %.1f}', stepped)
