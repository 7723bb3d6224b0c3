"""Making codes and device credentials: lay out what is to be signed, have it signed, assemble.

The signing key never comes here: `to_be_signed()` gives the bytes (with their context prefix) for
whoever holds it, and `assemble` puts the 64-byte signature behind them. What these two let out is
well-formed; that the signature is right is the signer's business.
"""

from dataclasses import dataclass
from datetime import datetime

from card_core import _native
from card_core.business_types import Purpose
from card_core.codes.fields import ANY_TERMINAL, ForWhom, Presence, PurposeClass, to_seconds


@dataclass(frozen=True, slots=True)
class OnlineCode:
    """What the holder service signs into an online code.

    minted_at: aware; its fraction of a second is dropped. box: 16 bytes of `seal_box`.
    terminal: 8 bytes, the only terminal that may use it. amount_fen: the only amount, up to
    AMOUNT_FEN_MAX, given only together with a terminal; 0 binds none.
    """

    issuer: int
    key_number: int
    minted_at: datetime
    purpose_class: PurposeClass
    purposes: Purpose
    box: bytes
    for_whom: ForWhom = ForWhom.SELF
    presence: Presence = Presence.PLAIN
    terminal: bytes = ANY_TERMINAL
    amount_fen: int = 0

    def to_be_signed(self) -> bytes:
        """Return the context prefix and the bytes to sign. Raises InvalidFieldError."""
        return _native.online_to_be_signed(
            self.issuer,
            self.key_number,
            to_seconds("minted_at", self.minted_at),
            self.purpose_class,
            self.purposes.value,
            self.for_whom,
            self.presence,
            self.terminal,
            self.amount_fen,
            self.box,
        )


@dataclass(frozen=True, slots=True)
class DeviceCredential:
    """What the issuer signs for one phone key and one day.

    expires_at: aware, the end of the day; the credential serves for the CREDENTIAL_LIFE_SECONDS
    before it. device_key: the phone's public key, 33 bytes compressed.
    status_index: its position in that day's status list.
    """

    issuer: int
    key_number: int
    expires_at: datetime
    purpose_class: PurposeClass
    purposes: Purpose
    status_index: int
    device_key: bytes
    for_whom: ForWhom = ForWhom.SELF
    presence: Presence = Presence.PLAIN

    def to_be_signed(self) -> bytes:
        """Return the context prefix and the bytes to sign. Raises InvalidFieldError."""
        return _native.credential_to_be_signed(
            self.issuer,
            self.key_number,
            to_seconds("expires_at", self.expires_at),
            self.purpose_class,
            self.purposes.value,
            self.for_whom,
            self.presence,
            self.status_index,
            self.device_key,
        )


@dataclass(frozen=True, slots=True)
class OfflineCode:
    """What a phone signs into an offline code.

    credential: the 113 bytes of `assemble_credential`. Class and purposes may not go beyond the
    credential's, or the code will be refused. nonce: 8 random bytes. The rest as in OnlineCode.
    """

    credential: bytes
    minted_at: datetime
    purpose_class: PurposeClass
    purposes: Purpose
    nonce: bytes
    terminal: bytes = ANY_TERMINAL
    amount_fen: int = 0

    def to_be_signed(self) -> bytes:
        """Return the context prefix and the bytes to sign. Raises InvalidFieldError."""
        return _native.offline_to_be_signed(
            self.credential,
            to_seconds("minted_at", self.minted_at),
            self.purpose_class,
            self.purposes.value,
            self.nonce,
            self.terminal,
            self.amount_fen,
        )


def assemble(to_be_signed: bytes, signature: bytes) -> str:
    """Return the text of an online or an offline code.

    to_be_signed: from `to_be_signed()` of either. signature: 64 bytes, r then s, over all of it.
    Raises: InvalidFieldError if `to_be_signed` is none of these, or the signature has another size.
    """
    return _native.assemble(to_be_signed, signature)


def assemble_credential(to_be_signed: bytes, signature: bytes) -> bytes:
    """Return the 113 bytes of a device credential; the arguments are as in `assemble`."""
    return _native.assemble_credential(to_be_signed, signature)
