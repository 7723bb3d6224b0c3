"""The interface behind which private keys live."""

from typing import Protocol

from crypto import sm2


class Signer(Protocol):
    """Signs with one SM2 key, which it never shows."""

    @property
    def public_key(self) -> sm2.PublicKey:
        """The key that verifies."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes, r then s, under the default signer id (GB/T 35276, section 10).

        May take milliseconds; may be called by many threads. Raises CryptoError.
        """
        ...


class KeyProvider(Protocol):
    """Gives out signers and secrets by name. Raises KeyFileError or its own kin."""

    def signer(self, name: str) -> Signer:
        """Return what signs with the key of this name."""
        ...

    def secret(self, name: str) -> bytes:
        """Return the secret of this name, for SM4 or HMAC-SM3."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys and secrets, sorted."""
        ...


class KeyMaker(KeyProvider, Protocol):
    """A provider in which new signing keys can be made."""

    def create_signer(self, name: str) -> None:
        """Make an SM2 key that never leaves. Raises KeyExistsError and the rest."""
        ...

    def create_secret(self, name: str, size_bytes: int) -> None:
        """Make a random secret of 16 to 64 bytes. Raises KeyExistsError and the rest."""
        ...

    def import_secret(self, name: str, secret: bytes) -> None:
        """Keep a secret made elsewhere. Raises KeyExistsError and the rest."""
        ...

    def destroy(self, name: str) -> None:
        """Make a key unusable for good; nothing happens where there is none."""
        ...
