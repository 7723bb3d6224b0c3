"""The key ring of one process: the issuers' keys, read in the background."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from card_core.codes import CodeKey, KeyRing, key_life
from card_core.codes.key_life import RING_AGE_SECONDS_MAX
from card_core.errors import StoreBusyError, TamperedRowError
from card_core.store import Reader, Store, issuers, trust
from card_core.store.trust import Trust
from card_core.trust import TrustList
from scan_api.repeating import repeated

# An emergency revocation is in force everywhere one refresh later; without a refresh for
# RING_AGE_SECONDS_MAX, codes are refused: 5 s after the commit no code of the key passes anywhere.
REFRESH_EVERY_SECONDS = 0.5

_TRUST = "trust"

_log = logging.getLogger("sscard.keys")


class KeyRingCache:
    """The issuers' keys as they are in the database, read in the background; safe in many threads.

    A row whose HMAC fails, or one older than what was read before, is left out and reported; the
    other keys go on. A ring is built before it takes the old one's place, so that no check waits.
    clock: the time now, aware, UTC; monotonic: seconds that never run back.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._refreshing = threading.Lock()
        self._read_at: float | None = None
        self._keys: tuple[CodeKey, ...] = ()
        self._ring = KeyRing(())
        self._trusted: TrustList | None = None
        self._versions: dict[str, int] = {}
        self._distrusted: frozenset[str] = frozenset()

    def ring(self) -> KeyRing:
        """The keys to check codes with; asks nothing.

        Raises StoreBusyError when they could not be read for RING_AGE_SECONDS_MAX: a key may have
        been revoked meanwhile.
        """
        read_at = self._read_at
        if read_at is None or self._monotonic() - read_at > RING_AGE_SECONDS_MAX:
            raise StoreBusyError
        return self._ring

    def trusted(self) -> TrustList | None:
        """The trust list that holds, as fresh as the ring. Raises StoreBusyError."""
        self.ring()
        return self._trusted

    def age_seconds(self) -> float:
        """How long ago the keys were read; -1 where they never were."""
        read_at = self._read_at
        return -1.0 if read_at is None else self._monotonic() - read_at

    @property
    def distrusted(self) -> frozenset[str]:
        """The names of the keys whose rows were tampered with; "trust" for the trust list."""
        return self._distrusted

    def refresh(self) -> None:
        """Read the keys now. Raises StoreError, crypto.CryptoError; the old ring stays then."""
        with self._refreshing:
            # What changes while it is read is not in it: its age counts from before.
            began = self._monotonic()
            with self._store.read() as tx:
                stored = issuers.sound_keys(tx)
                held = _trust(tx)
            now = self._clock()
            versions = {**stored.versions, _TRUST: held.version if held else 0}
            older = self._older(versions)
            self._report(older | {*stored.tampered, *(() if held else (_TRUST,))})
            self._trusted = trust.list_of(held, now) if held and _TRUST not in older else None
            keys = (
                *(key_life.at(key, now) for key in stored.keys if key.name not in older),
                *(self._trusted.code_keys(now) if self._trusted else ()),
            )
            if keys != self._keys:
                # Each usable key costs 1 to 2 ms and 264 KiB: not again for the same keys.
                self._ring, self._keys = KeyRing(keys), keys
            self._read_at = began

    @contextmanager
    def refreshed(self) -> Iterator[None]:
        """Keep the keys fresh while the block runs. Raises as `refresh` if the first one fails."""
        self.refresh()
        with repeated(
            self.refresh,
            every_seconds=REFRESH_EVERY_SECONDS,
            name="key ring",
            failure="key_refresh_failed",
            log=_log,
        ):
            yield

    def _older(self, versions: Mapping[str, int]) -> frozenset[str]:
        """Rows put back from an earlier day fit their HMACs; their versions betray them."""
        older = frozenset(
            name for name, version in versions.items() if version < self._versions.get(name, 0)
        )
        for name, version in versions.items():
            if name not in older:
                self._versions[name] = version
        return older

    def _report(self, distrusted: frozenset[str]) -> None:
        for name in sorted(distrusted - self._distrusted):
            _log.error('{"event": "key_row_tampered", "key": "%s"}', name)
        self._distrusted = distrusted


def _trust(tx: Reader) -> Trust | None:
    """None where the row was tampered with: then no other issuer is trusted."""
    try:
        return trust.get(tx)
    except TamperedRowError:
        return None
