"""What a serving process does for personal data: it seals it anew under the next field key."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.field_resealing import EVERY_SECONDS, FieldResealer
from card_core.kernel import Kernel
from scan_api.repeating import repeated

_log = logging.getLogger("sscard.field_key")


@contextmanager
def resealing(kernel: Kernel) -> Iterator[None]:
    """Go on at once and then every EVERY_SECONDS, wherever whoever was at it before had come."""
    with repeated(
        FieldResealer(kernel).round,
        every_seconds=EVERY_SECONDS,
        name="resealing",
        failure="resealing_failed",
        log=_log,
        at_once=True,
    ):
        yield
