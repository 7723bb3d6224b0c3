"""What a serving process does for cards in the background: it ends losses whose time is over."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.kernel import Kernel
from card_core.loss_lapsing import EVERY_SECONDS, LossLapser
from scan_api.clock_watch import ClockWatch
from scan_api.repeating import repeated

_log = logging.getLogger("sscard.lapsing")


@contextmanager
def lapsing(kernel: Kernel, clock: ClockWatch) -> Iterator[None]:
    """Look at once and then every EVERY_SECONDS; nothing lapses while the clock that would say so
    can't be believed."""
    with repeated(
        LossLapser(kernel, clock=clock.now).round,
        every_seconds=EVERY_SECONDS,
        name="lapsing",
        failure="lapsing_failed",
        log=_log,
        at_once=True,
    ):
        yield
