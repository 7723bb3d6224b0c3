"""Fetching other issuers' status lists, again and again, in the background of a service.

What comes is believed for the issuer's own status key alone, as the trust list has it, and kept for
terminals by an act of the kernel (`card_core.kernel.acts.peer_lists`), which checks it once more.
An issuer that is away, or sends what can't be believed, leaves what is here to grow old: terminals
go by the list's own ages, and by no other word.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Final

import httpx2

from card_core.errors import CardCoreError
from card_core.kernel import Actor, ActorKind, Kernel
from card_core.kernel.acts.peer_lists import TakePeerList, held_list
from card_core.kernel.days import DAY, days_carried, end_of_day
from card_core.status_list import LIST_BYTES_MAX, HeldList, MalformedListError, open_list
from card_core.store import Store, status_lists, trust
from card_core.trust import TrustedIssuer, TrustList
from crypto import CryptoError
from crypto.keys import KeyFileError
from scan_api.issuers.channel import Limits, PeerChannel
from scan_api.issuers.signatures import PeerSignatureError

EVERY_SECONDS: Final = 10
"""A loss is in its issuer's list within 15 s, here 10 s later, and at a connected terminal of ours
30 s after that: within the minute."""
TARGET: Final = "/v1/peer-status-lists"
ASKED_AT_ONCE_MAX: Final = 8
LIMITS: Final = Limits(answer_bytes=LIST_BYTES_MAX, seconds=5.0)
_FETCHING: Final = Actor(ActorKind.SYSTEM, "peer_lists")

_log = logging.getLogger("sscard.peers")


class PeerListFetcher:
    """Keeps the lists of all trusted issuers that have an address for them.

    is_stopping: whether the process ends; then nobody is asked any more.
    """

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        channel: PeerChannel,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._channel = channel
        self._clock = clock
        self._random_bytes = random_bytes
        self._is_stopping = is_stopping
        self._failing: set[int] = set()

    def round(self) -> int:
        """Ask each issuer for what is newer than what is here; how many versions were taken in.

        To be called every EVERY_SECONDS. An issuer that fails is logged once, and asked again.
        Raises StoreError where the trust list can't be read.
        """
        with self._store.read() as tx:
            trusted = trust.holding(tx, self._clock())
        if trusted is None:
            return 0
        with ThreadPoolExecutor(ASKED_AT_ONCE_MAX, "peer lists") as pool:
            return sum(pool.map(lambda one: self._keep_up(trusted, one), trusted.issuers))

    def _keep_up(self, trusted: TrustList, issuer: TrustedIssuer) -> int:
        """The lists of one issuer, as far as they come; how many were taken in."""
        taken, url = 0, issuer.status_list_url
        if url is None or self._is_stopping():
            return 0
        try:
            for day in self._days():
                taken += self._keep_up_list(trusted, issuer, url, day)
        except (httpx2.HTTPError, PeerSignatureError, ValueError) as error:
            self._note_failure(issuer.number, type(error).__name__)
        except (CardCoreError, CryptoError, KeyFileError) as error:
            self._note_failure(issuer.number, error.code)
        else:
            if issuer.number in self._failing:
                self._failing.discard(issuer.number)
                _log.info('{"event": "peer_lists_back", "issuer": %d}', issuer.number)
        return taken

    def _days(self) -> Iterable[datetime]:
        """The lists that terminals carry, and tomorrow's, so that it is here when they do."""
        now = self._clock()
        return sorted({*days_carried(now), end_of_day(now) + DAY})

    def _keep_up_list(
        self, trusted: TrustList, issuer: TrustedIssuer, url: str, day: datetime
    ) -> int:
        """1 if a newer version was taken in, otherwise 0."""
        held = self._held(issuer.number, day)
        new = self._newer(trusted, issuer, f"{url}{TARGET}/{int(day.timestamp())}", held)
        if held is not None and new.head.version == held.head.version:
            return 0
        act = TakePeerList(issuer.number, day, new.to_bytes())
        self._kernel.perform(act, actor=_FETCHING, request_id=self._random_bytes(16).hex())
        return 1

    def _newer(
        self, trusted: TrustList, issuer: TrustedIssuer, url: str, held: HeldList | None
    ) -> HeldList:
        """By an update of what is here, or the whole list where that does not fit."""
        keys = tuple(trusted.code_keys(self._clock()))
        if held is not None:
            with suppress(MalformedListError):
                update = self._channel.ask(issuer, "GET", f"{url}?have={held.head.version}", LIMITS)
                return open_list(update, keys=keys, held=held)
        return open_list(self._channel.ask(issuer, "GET", url, LIMITS), keys=keys, held=held)

    def _held(self, issuer: int, day: datetime) -> HeldList | None:
        with self._store.read() as tx:
            latest = status_lists.latest(tx, issuer, int(day.timestamp()))
        return None if latest is None else held_list(latest)

    def _note_failure(self, issuer: int, why: str) -> None:
        if issuer not in self._failing:
            self._failing.add(issuer)
            _log.warning(
                '{"event": "peer_lists_not_fetched", "issuer": %d, "error": "%s"}', issuer, why
            )
