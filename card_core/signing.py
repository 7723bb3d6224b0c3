"""Which of the issuer's own keys signs now, and the private half of it.

Nobody fixes a key number: each signature asks, so that an activation takes effect at its instant
and a revocation with its commit.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from card_core.codes import KeyPurpose, key_life
from card_core.errors import CardCoreError
from card_core.store import Reader, Store, issuers
from crypto.keys import KeyProvider, Signer

CURRENT_AGE_MAX: Final = timedelta(seconds=1)


class NoSigningKeyError(CardCoreError):
    """No key of the purpose signs now: none was ever activated, or it was revoked."""

    code = "no_signing_key"
    message_zh = "没有启用中的签名密钥。请用 sscard keys 准备并启用一把。"
    message_en = "No key signs for this purpose. Prepare and activate one with sscard keys."


@dataclass(frozen=True, slots=True)
class SigningKey:
    """number: of the key, as it goes into what is signed. signer: its private half."""

    number: int
    signer: Signer


class SigningKeys:
    """The own issuer's signing keys, by purpose; safe in many threads.

    issuer: the bureau's number. keys: where the private halves are, each under its key's name.
    clock: the time now, aware, UTC.
    """

    def __init__(
        self, store: Store, keys: KeyProvider, *, issuer: int, clock: Callable[[], datetime]
    ) -> None:
        self.issuer = issuer
        self._store = store
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._signers: dict[str, Signer] = {}
        self._current: dict[KeyPurpose, tuple[datetime, SigningKey]] = {}

    def find(self, tx: Reader, purpose: KeyPurpose, now: datetime) -> SigningKey:
        """The key that signs now, as this transaction sees it.

        A key whose row was tampered with signs nothing. Raises NoSigningKeyError;
        crypto.keys.KeyFileError where the key provider of this machine does not have it.
        """
        keys = issuers.sound_keys(tx, issuer=self.issuer, purpose=purpose).keys
        key = key_life.signing_key(keys, self.issuer, purpose, now)
        if key is None:
            raise NoSigningKeyError
        with self._lock:
            signer = self._signers.get(key.name)
            if signer is None:
                signer = self._signers[key.name] = self._keys.signer(key.name)
        return SigningKey(key.number, signer)

    def current(self, purpose: KeyPurpose) -> SigningKey:
        """As `find`, for whoever has no transaction open; CURRENT_AGE_MAX old at most."""
        now = self._clock()
        with self._lock:
            known = self._current.get(purpose)
        if known is not None and timedelta(0) <= now - known[0] < CURRENT_AGE_MAX:
            return known[1]
        with self._store.read() as tx:
            found = self.find(tx, purpose, now)
        with self._lock:
            self._current[purpose] = (now, found)
        return found
