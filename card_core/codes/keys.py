"""The keys that codes are checked with: public keys of issuers, by purpose, number and state."""

import enum
from dataclasses import dataclass
from datetime import datetime

from crypto import sm2


class KeyPurpose(enum.StrEnum):
    """What an issuer's key signs. A key of the one purpose never verifies another.

    Codes are checked with keys of the first two; a KeyRing leaves the others out.
    """

    CODE_SIGNING = "code_signing"
    DEVICE_CREDENTIAL = "device_credential"
    STATUS = "status"
    RECEIPT = "receipt"
    PEER = "peer"
    TRUST_LIST = "trust_list"
    CARD_ISSUING = "card_issuing"


class KeyState(enum.StrEnum):
    """The step in a key's life. Only an active and a verify-only key verify."""

    PENDING = "pending"
    ACTIVE = "active"
    VERIFY_ONLY = "verify_only"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class CodeKey:
    """One issuer's public key. issuer: 0-65535. number: 0-255, counted for each purpose apart.

    signs_from, signs_until: aware; None where nobody has fixed them (`card_core.codes.key_life`).
    """

    issuer: int
    number: int
    public_key: sm2.PublicKey
    state: KeyState
    purpose: KeyPurpose = KeyPurpose.CODE_SIGNING
    signs_from: datetime | None = None
    signs_until: datetime | None = None

    @property
    def name(self) -> str:
        """Of its row, and of the private key at the key provider."""
        return key_name(self.purpose, self.issuer, self.number)


def key_name(purpose: KeyPurpose, issuer: int, number: int) -> str:
    """The one name of a key, such as "code_signing.1.1"."""
    return f"{purpose.value}.{issuer}.{number}"
