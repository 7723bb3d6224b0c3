"""SM2, SM3 and SM4: keys, signatures, encryption, digests, over a native core.

    from crypto import sm2, sm3, sm4

What fails raises, with one error and no detail for each kind of failure:

    CryptoError
    ├── InvalidKeyError (also a ValueError)   a key or a point that is not allowed
    ├── InvalidSignatureError                 a signature that does not verify
    ├── InvalidMacError                       a tag that is not the message's
    ├── DecryptionError                       a ciphertext that does not decrypt
    ├── RandomSourceError                     no randomness from the operating system
    ├── SigningFaultError                     a signature came out wrong and was held back
    └── SelfTestError                         a self-test failed; for good, see crypto.self_test

A plain ValueError or TypeError is the caller's own mistake: a length or a type that no input
from outside should decide. This room knows no card words, and nothing outside it imports
`crypto._native`. Importing it raises RandomSourceError where the system gives no randomness at all.
"""

import os

from crypto.errors import (
    CryptoError,
    DecryptionError,
    InvalidKeyError,
    InvalidMacError,
    InvalidSignatureError,
    RandomSourceError,
    SelfTestError,
    SigningFaultError,
)

# Without any randomness the native core can't even be loaded: its binding seeds a table.
try:
    os.urandom(16)
except OSError:
    raise RandomSourceError from None

__all__ = [
    "CryptoError",
    "DecryptionError",
    "InvalidKeyError",
    "InvalidMacError",
    "InvalidSignatureError",
    "RandomSourceError",
    "SelfTestError",
    "SigningFaultError",
]
