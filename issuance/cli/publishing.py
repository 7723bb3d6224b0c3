"""Making status lists and the bundle for terminals, in a thread of a serving process."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from card_core.errors import CardCoreError
from card_core.signing import SigningKeys
from card_core.status_publishing import EVERY_SECONDS, StatusPublisher
from crypto import CryptoError
from crypto.keys import KeyFileError
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.clock_watch import ClockWatch

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
    stop = threading.Event()

    def publish() -> None:
        while True:
            try:
                publisher.round()
            except (CardCoreError, CryptoError, KeyFileError) as error:
                _log.warning('{"event": "publishing_failed", "error": "%s"}', error.code)
            if stop.wait(EVERY_SECONDS):
                return

    thread = threading.Thread(target=publish, name="publishing")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
