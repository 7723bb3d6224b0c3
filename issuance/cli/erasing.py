"""What a serving process does about what is past its time: it erases it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.erasing import EVERY_SECONDS, Eraser
from card_core.kernel import Kernel
from scan_api.clock_watch import ClockWatch
from scan_api.repeating import repeated

_log = logging.getLogger("sscard.erasing")


@contextmanager
def erasing(kernel: Kernel, clock: ClockWatch) -> Iterator[None]:
    """Look at once and then every EVERY_SECONDS; nothing is erased while the clock that would say
    so can't be believed."""
    with repeated(
        Eraser(kernel, clock=clock.now).round,
        every_seconds=EVERY_SECONDS,
        name="erasing",
        failure="erasing_failed",
        log=_log,
        at_once=True,
    ):
        yield
