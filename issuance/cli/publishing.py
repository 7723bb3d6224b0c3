"""What a serving process does for terminals in the background: it makes status lists and the
bundle, and fetches the lists of other issuers."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from card_core.errors import CardCoreError
from card_core.signing import SigningKeys
from card_core.status_publishing import EVERY_SECONDS, StatusPublisher
from crypto import CryptoError
from crypto.keys import KeyFileError
from issuance.cli.serving import make_peer_channel
from issuance.installation import Installation, random_bytes, utc_now
from scan_api.issuers import fetching

_log = logging.getLogger("sscard.publishing")


@contextmanager
def publishing(site: Installation) -> Iterator[None]:
    """Publish at once and then every EVERY_SECONDS; what fails is logged and tried again then."""
    publisher = StatusPublisher(
        site.store,
        site.kernel,
        SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now),
        clock=utc_now,
        random_bytes=random_bytes,
    )
    with _every(EVERY_SECONDS, "publishing", publisher.round, threading.Event()):
        yield


@contextmanager
def fetching_peer_lists(site: Installation) -> Iterator[None]:
    """Likewise, in a thread of its own: another issuer that is away must not delay our lists.

    Raises SettingsError.
    """
    stop = threading.Event()
    with closing(make_peer_channel(site)) as channel:
        fetcher = fetching.PeerListFetcher(
            site.store,
            site.kernel,
            channel,
            clock=utc_now,
            random_bytes=random_bytes,
            is_stopping=stop.is_set,
        )
        with _every(fetching.EVERY_SECONDS, "fetching", fetcher.round, stop):
            yield


@contextmanager
def _every(
    seconds: float, name: str, work: Callable[[], object], stop: threading.Event
) -> Iterator[None]:
    def run() -> None:
        while True:
            try:
                work()
            except (CardCoreError, CryptoError, KeyFileError) as error:
                _log.warning('{"event": "%s_failed", "error": "%s"}', name, error.code)
            except Exception as error:  # noqa: BLE001 - a thread that ended would be silence
                _log.error('{"event": "%s_failed", "error": "%s"}', name, type(error).__name__)
            if stop.wait(seconds):
                return

    thread = threading.Thread(target=run, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
