"""A key provider as slow as a hardware module: one signature at a time, so many a second."""

import threading
import time
from collections.abc import Callable

from crypto import sm2
from crypto.keys import KeyProvider, Signer

SIGNATURES_PER_SECOND = 1000


def wait_until(moment: float) -> None:
    """Wait for a moment of time.monotonic()."""
    threading.Event().wait(max(0.0, moment - time.monotonic()))


class PacedKeys(KeyProvider):
    """The keys of another provider, behind one queue for all of them, as in a module.

    now, wait: a clock in seconds that never goes back, and what returns once it shows a moment.
    """

    def __init__(
        self,
        inner: KeyProvider,
        *,
        per_second: int = SIGNATURES_PER_SECOND,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = wait_until,
    ) -> None:
        self._inner = inner
        self._seconds_each = 1 / per_second
        self._now = now
        self._wait = wait
        self._lock = threading.Lock()
        self._free_at = now()
        self.signatures = 0

    def signer(self, name: str) -> Signer:
        return PacedSigner(self, self._inner.signer(name))

    def secret(self, name: str) -> bytes:
        return self._inner.secret(name)

    def names(self) -> tuple[str, ...]:
        return self._inner.names()

    def take_turn(self) -> None:
        """Return when the module has worked off all that came before, and this one."""
        with self._lock:
            self._free_at = max(self._now(), self._free_at) + self._seconds_each
            done_at = self._free_at
            self.signatures += 1
        self._wait(done_at)


class PacedSigner(Signer):
    def __init__(self, module: PacedKeys, inner: Signer) -> None:
        self._module = module
        self._inner = inner

    @property
    def public_key(self) -> sm2.PublicKey:
        return self._inner.public_key

    def sign(self, message: bytes) -> bytes:
        self._module.take_turn()
        return self._inner.sign(message)
