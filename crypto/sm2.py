"""SM2 (GB/T 32918): keys, signatures and encryption.

    private = PrivateKey.generate()
    signature = private.sign(message)                # r and s, 64 bytes
    private.public_key().verify(signature, message)  # None, or raises InvalidSignatureError
    Verifier(public)                                 # a key met often: the same verify, faster
    KeptKeys(bytes_max)                              # many keys, those met often the faster
    verify_batch([(public, signature, message)])     # [None], or the error of each that fails

A caller who has computed e = SM3(Z, message) calls `sign_digest` and `verify_digest`.

A signer id of at most 8191 bytes goes into each signature; both sides use the same one, and
`DEFAULT_SIGNER_ID` (GB/T 35276, section 10) where none was agreed. A ciphertext is 04, x, y, C3,
C2 of a plaintext of 1 byte to 16 MiB. The DER forms are those of GB/T 35276: SM2Signature and
SM2Cipher.
"""

from typing import Final

from crypto._native import (
    KeptKeys,
    PrivateKey,
    PublicKey,
    Verifier,
    available_backends,
    backend,
    ciphertext_from_der,
    ciphertext_to_der,
    signature_from_der,
    signature_to_der,
    verify_batch,
)
from crypto.errors import DecryptionError, InvalidKeyError, InvalidSignatureError

DEFAULT_SIGNER_ID: Final = b"1234567812345678"

__all__ = [
    "DEFAULT_SIGNER_ID",
    "DecryptionError",
    "InvalidKeyError",
    "InvalidSignatureError",
    "KeptKeys",
    "PrivateKey",
    "PublicKey",
    "Verifier",
    "available_backends",
    "backend",
    "ciphertext_from_der",
    "ciphertext_to_der",
    "signature_from_der",
    "signature_to_der",
    "verify_batch",
]
