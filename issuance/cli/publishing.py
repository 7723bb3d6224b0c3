"""What a serving process does for terminals in the background: it makes status lists and the
bundle, and fetches the lists of other issuers."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from card_core.signing import SigningKeys
from card_core.status_publishing import EVERY_SECONDS, StatusPublisher
from issuance.cli.serving import make_peer_channel
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.clock_watch import ClockWatch
from scan_api.issuers import fetching
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


@contextmanager
def fetching_peer_lists(site: Installation, clock: ClockWatch) -> Iterator[None]:
    """Likewise, in a thread of its own: another issuer that is away must not delay our lists.

    Raises SettingsError.
    """
    stop = threading.Event()
    with closing(make_peer_channel(site)) as channel:
        fetcher = fetching.PeerListFetcher(
            site.store,
            site.kernel,
            channel,
            clock=clock.now,
            random_bytes=random_bytes,
            is_stopping=stop.is_set,
        )
        with repeated(
            fetcher.round,
            every_seconds=fetching.EVERY_SECONDS,
            name="fetching",
            failure="fetching_failed",
            log=_log,
            at_once=True,
            stop=stop,
        ):
            yield
