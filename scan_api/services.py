"""What the service is built from; the composition root makes it once and passes it down."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from card_core.codes import CodeKey, KeyRing
from card_core.kernel import Kernel
from card_core.minting import Minter
from card_core.presenting import Presenter
from card_core.store import Store, issuers
from scan_api.scans.writing import ScanWriter

# An emergency revocation must reach every process within 5 s.
KEY_RING_AGE_MAX = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, repr=False)
class Services:
    """presenter: opens checked codes. writer: records scans; to be stopped with the process.

    key_ring: the keys that codes are checked with, as `KeyRingCache` gives them.

    pepper: the key under holders' passwords. clock: the time now, aware, UTC.
    """

    kernel: Kernel
    store: Store
    minter: Minter
    presenter: Presenter
    writer: ScanWriter
    key_ring: Callable[[], KeyRing]
    pepper: bytes
    clock: Callable[[], datetime]


class KeyRingCache:
    """Reads the issuers' keys anew when what it has is too old; safe in many threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._keys: tuple[CodeKey, ...] = ()
        self._ring = KeyRing(())

    def __call__(self) -> KeyRing:
        now = self._clock()
        with self._lock:
            # An age below zero means that the clock was set back: nothing is known, read again.
            if self._read_at is None or not timedelta(0) <= now - self._read_at <= KEY_RING_AGE_MAX:
                with self._store.read() as tx:
                    keys = tuple(issuers.keys(tx))
                if keys != self._keys:
                    # Each usable key costs 1 to 2 ms and 264 KiB: not again for the same keys.
                    self._keys, self._ring = keys, KeyRing(keys)
                self._read_at = now
            return self._ring
