"""What protects a key file: a passphrase opens the file key, the file key opens the files.

The key-encryption key comes from the passphrase by PBKDF2-HMAC-SM3 (GM/T 0091; RFC 8018) and
opens one thing only, the random file key in keyring.json; that it opens it is the proof that the
passphrase is right. Everything is SM4-GCM; name, kind and format version are authenticated with it,
so that a file renamed or taken for another kind does not open.
"""

import enum
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from crypto import sm4
from crypto.random_source import random_bytes

PASSPHRASE_BYTES_MIN: Final = 8

ITERATIONS: Final = 600_000
"""Rounds of PBKDF2 for a new directory: about 0.4 s, spent once each time it is opened."""

ITERATIONS_RANGE: Final = range(100_000, 10_000_001)
"""What is followed in a keyring.json: below is a changed file, above would take minutes."""

SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 12
_CONTEXT: Final = "sscard/key-file/v1"


class Kind(enum.StrEnum):
    """What a file holds."""

    FILE_KEY = "file-key"
    SM2_PRIVATE_KEY = "sm2-private-key"
    SM2_PRIVATE_KEY_UNCHECKED = "sm2-private-key-unchecked"
    SYMMETRIC = "symmetric"


class Sealed(NamedTuple):
    """Twelve random bytes of nonce; ciphertext and tag."""

    nonce: bytes
    ciphertext: bytes


def derive_key(passphrase: bytes, *, salt: bytes, iterations: int) -> bytes:
    """Return the 16 bytes of the key-encryption key."""
    return PBKDF2HMAC(SM3(), sm4.KEY_SIZE, salt, iterations).derive(passphrase)


def seal(key: bytes, plaintext: bytes, *, kind: Kind, name: str) -> Sealed:
    """Encrypt under a random nonce: a key seals a few dozen files, far below 2^32."""
    nonce = random_bytes(_NONCE_SIZE)
    return Sealed(nonce, sm4.Gcm(key).encrypt(nonce, plaintext, _associated(kind, name)))


def unseal(key: bytes, sealed: Sealed, *, kind: Kind, name: str) -> bytes:
    """Decrypt. Raises crypto.DecryptionError, also for a nonce of another size."""
    if len(sealed.nonce) != _NONCE_SIZE:
        raise sm4.DecryptionError
    return sm4.Gcm(key).decrypt(sealed.nonce, sealed.ciphertext, _associated(kind, name))


def _associated(kind: Kind, name: str) -> bytes:
    return f"{_CONTEXT}\n{kind}\n{name}".encode()
