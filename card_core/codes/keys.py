"""The keys that codes are checked with: public keys of issuers, by purpose, number and state."""

import enum
from dataclasses import dataclass

from crypto import sm2


class KeyPurpose(enum.StrEnum):
    """What an issuer's key signs. A key of the one purpose never verifies the other."""

    CODE_SIGNING = "code_signing"
    DEVICE_CREDENTIAL = "device_credential"
    RECEIPT = "receipt"


class KeyState(enum.StrEnum):
    """The step in a key's life. Only an active and a verify-only key verify."""

    PENDING = "pending"
    ACTIVE = "active"
    VERIFY_ONLY = "verify_only"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class CodeKey:
    """One issuer's public key. issuer: 0-65535. number: 0-255, counted for each purpose apart."""

    issuer: int
    number: int
    public_key: sm2.PublicKey
    state: KeyState
    purpose: KeyPurpose = KeyPurpose.CODE_SIGNING
