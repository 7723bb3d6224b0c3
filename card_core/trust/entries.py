"""What a trust list says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from card_core.codes import CodeKey, KeyPurpose, KeyState
from crypto import sm2


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of another issuer. not_before, not_after: aware; None for no bound."""

    purpose: KeyPurpose
    number: int
    public_key: sm2.PublicKey
    state: KeyState
    not_before: datetime | None = None
    not_after: datetime | None = None

    def state_at(self, now: datetime) -> KeyState:
        """Its state, and outside of its days none in which it verifies."""
        if self.state in {KeyState.ACTIVE, KeyState.VERIFY_ONLY}:
            if self.not_before is not None and now < self.not_before:
                return KeyState.PENDING
            if self.not_after is not None and now > self.not_after:
                return KeyState.REVOKED
        return self.state

    def verifies_at(self, now: datetime) -> bool:
        return self.state_at(now) in {KeyState.ACTIVE, KeyState.VERIFY_ONLY}


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """service_url: where its codes are judged online; None: they are not. status_list_url: where
    we ask for its status lists, for terminals to carry; None: nowhere."""

    number: int
    name: str
    service_url: str | None
    status_list_url: str | None
    keys: tuple[TrustedKey, ...]

    def key(self, purpose: KeyPurpose, number: int) -> TrustedKey | None:
        found = (key for key in self.keys if (key.purpose, key.number) == (purpose, number))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class TrustList:
    """edition: from 1, only growing. issued_at, expires_at: aware, whole seconds."""

    edition: int
    issued_at: datetime
    expires_at: datetime
    issuers: tuple[TrustedIssuer, ...]

    def issuer(self, number: int) -> TrustedIssuer | None:
        return next((one for one in self.issuers if one.number == number), None)

    def code_keys(self, now: datetime) -> Iterator[CodeKey]:
        """All keys as a KeyRing takes them, each in the state that it has now."""
        for issuer in self.issuers:
            for key in issuer.keys:
                state = key.state_at(now)
                yield CodeKey(issuer.number, key.number, key.public_key, state, key.purpose)
