"""What a serving process does for the months to come: it makes their partitions."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.store import Store
from scan_api.clock_watch import ClockWatch
from scan_api.repeating import repeated

EVERY_SECONDS = 3600.0

_log = logging.getLogger("sscard.partitions")


@contextmanager
def partitioning(store: Store, clock: ClockWatch) -> Iterator[None]:
    """Look at once and then every EVERY_SECONDS; nothing is made while the clock that would say for
    which months can't be believed."""

    def make() -> None:
        for name in store.make_partitions(clock.now()):
            _log.info('{"event": "partition_made", "partition": "%s"}', name)

    with repeated(
        make,
        every_seconds=EVERY_SECONDS,
        name="partitioning",
        failure="partitioning_failed",
        log=_log,
        at_once=True,
    ):
        yield
