"""What hands the outbox's events on while a process serves, or `sscard outbox relay` runs."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from card_core.outbox_relay import CARD_CHAIN, EVERY_SECONDS, CardPushes, Relay
from card_core.signing import SigningKeys
from issuance.event_posting import EventPosting
from issuance.installation import Installation, utc_now
from scan_api.repeating import repeated

FAST_STORE = "fast_store"
NOTIFICATIONS = "notifications"

_log = logging.getLogger("sscard.outbox")


@contextmanager
def relaying(site: Installation, *, scans: bool = True) -> Iterator[None]:
    """Each consumer in a thread of its own: one that is away holds up no other.

    scans: whether this process does, and so tells the fast store that it scans with.
    """
    with ExitStack() as stack:
        relays = {}
        if scans:
            pushes = CardPushes(site.kernel)
            relays[FAST_STORE] = Relay(site.kernel, FAST_STORE, pushes, chains=(CARD_CHAIN,))
        if site.events_url is not None:
            keys = SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)
            posting = stack.enter_context(closing(EventPosting(site.events_url, keys)))
            relays[NOTIFICATIONS] = Relay(site.kernel, NOTIFICATIONS, posting)
        for name, relay in relays.items():
            stack.enter_context(
                repeated(
                    relay.round,
                    every_seconds=EVERY_SECONDS,
                    name=f"outbox {name}",
                    failure="events_not_relayed",
                    log=_log,
                    at_once=True,
                )
            )
        yield
