"""Signing with a key of a key file."""

from crypto import sm2
from crypto.errors import InvalidSignatureError, SigningFaultError


class FileSigner:
    """Signs with one key of a key file; a `Signer`. Many threads may use one.

    checked: every signature is verified before it leaves. One that was disturbed while it was
    made (a flipped bit, a glitch on purpose) can give the private key away to whoever reads it.
    The first signature builds a kept-key verifier, 264 KiB in 1 to 2 ms; each check then costs
    less than the signature itself.
    """

    __slots__ = ("_checked", "_name", "_private_key", "_public_key", "_verifier")

    def __init__(self, name: str, private_key: sm2.PrivateKey, *, checked: bool = True) -> None:
        self._name = name
        self._private_key = private_key
        self._public_key = private_key.public_key()
        self._checked = checked
        self._verifier: sm2.Verifier | None = None

    @property
    def public_key(self) -> sm2.PublicKey:
        """The key that verifies."""
        return self._public_key

    @property
    def is_checked(self) -> bool:
        """Whether each signature is verified before it leaves."""
        return self._checked

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes, r then s, under the default signer id.

        Raises SigningFaultError, and gives nothing out, if a checked signature does not hold.
        """
        signature = self._private_key.sign(message)
        if self._checked:
            self._check(signature, message)
        return signature

    def _check(self, signature: bytes, message: bytes) -> None:
        verifier = self._verifier
        if verifier is None:
            # Threads that come first at the same time build one each, and the last one stays.
            verifier = self._verifier = sm2.Verifier(self._public_key)
        try:
            verifier.verify(signature, message)
        except InvalidSignatureError:
            raise SigningFaultError from None

    def __repr__(self) -> str:
        return f"<crypto.keys.FileSigner {self._name}>"
