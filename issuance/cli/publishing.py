"""Making status lists and the bundle for terminals, in a thread of a serving process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.signing import SigningKeys
from card_core.status_publishing import EVERY_SECONDS, StatusPublisher
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.clock_watch import ClockWatch
from scan_api.repeating import repeated

_log = logging.getLogger("sscard.publishing")


@contextmanager
def publishing(site: Installation, clock: ClockWatch) -> Iterator[None]:
    """Publish at once and then every EVERY_SECONDS; what fails is logged and tried again then."""
    publisher = StatusPublisher(
        site.store,
        site.kernel,
        SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
        clock=clock.now,
        random_bytes=random_bytes,
    )
    with repeated(
        publisher.round,
        every_seconds=EVERY_SECONDS,
        name="publishing",
        failure="publishing_failed",
        log=_log,
        at_once=True,
    ):
        yield
