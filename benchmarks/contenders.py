"""Other implementations of SM2, and P-256 for comparison, each with a key, a message, a signature.

They sign and verify the same message of 64 bytes under the default id, digest included. What they
can't do from Python is left out: nobody else keeps tables for a public key.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import gmssl_pyx
from cryptography.hazmat.primitives import hashes as other_hashes
from cryptography.hazmat.primitives.asymmetric import ec as other_curves
from gmssl.sm2 import CryptSM2
from tongsuopy.crypto import hashes
from tongsuopy.crypto.asymciphers import ec

from benchmarks import libcrypto
from crypto import sm2

MESSAGE = bytes(range(64))


@dataclass(frozen=True)
class Contender:
    """How one implementation signs and verifies; both raise or answer False on failure."""

    sign: Callable[[], object]
    verify: Callable[[], object]


def contenders(private: sm2.PrivateKey) -> dict[str, Contender]:
    """Return all that run here, by name; their signatures were checked by this project's."""
    made = fastest_contenders(private) | {
        "gmssl": _gmssl(private),
        "cryptography, P-256": _p256(),
    }
    try:
        made["libcrypto"] = _libcrypto(private)
    except OSError:
        print("libcrypto.so.3 is not there and was not measured", file=sys.stderr)
    return made


def fastest_contenders(private: sm2.PrivateKey) -> dict[str, Contender]:
    """Return the two packages that come nearest."""
    return {"tongsuopy": _tongsuopy(private), "gmssl-pyx": _gmssl_pyx(private)}


def _tongsuopy(private: sm2.PrivateKey) -> Contender:
    key = ec.derive_private_key(int.from_bytes(private.to_bytes(), "big"), ec.SM2())
    public = key.public_key()
    algorithm = ec.ECDSA(hashes.SM3())
    signature = key.sign(MESSAGE, algorithm)
    _check(private, sm2.signature_from_der(signature))
    return Contender(
        sign=lambda: key.sign(MESSAGE, algorithm),
        verify=lambda: public.verify(signature, MESSAGE, algorithm),
    )


def _gmssl_pyx(private: sm2.PrivateKey) -> Contender:
    d, point = private.to_bytes(), private.public_key().to_bytes()[1:]
    signature = gmssl_pyx.sm2_sign(d, point, MESSAGE)
    _check(private, sm2.signature_from_der(signature))
    return Contender(
        sign=lambda: gmssl_pyx.sm2_sign(d, point, MESSAGE),
        verify=lambda: gmssl_pyx.sm2_verify(point, MESSAGE, signature),
    )


def _gmssl(private: sm2.PrivateKey) -> Contender:
    key = CryptSM2(private.to_bytes().hex(), private.public_key().to_bytes()[1:].hex())
    signature = key.sign_with_sm3(MESSAGE)
    _check(private, bytes.fromhex(signature))
    return Contender(
        sign=lambda: key.sign_with_sm3(MESSAGE),
        verify=lambda: key.verify_with_sm3(signature, MESSAGE),
    )


def _libcrypto(private: sm2.PrivateKey) -> Contender:
    library = libcrypto.load()
    public = private.public_key().to_bytes()
    key = libcrypto.Key(library, public=public, private=private.to_bytes())
    signature = key.sign(MESSAGE, sm2.DEFAULT_SIGNER_ID)
    _check(private, sm2.signature_from_der(signature))
    return Contender(
        sign=lambda: key.sign(MESSAGE, sm2.DEFAULT_SIGNER_ID),
        verify=lambda: key.verify(signature, MESSAGE, sm2.DEFAULT_SIGNER_ID),
    )


def _p256() -> Contender:
    key = other_curves.generate_private_key(other_curves.SECP256R1())
    public = key.public_key()
    algorithm = other_curves.ECDSA(other_hashes.SHA256())
    signature = key.sign(MESSAGE, algorithm)
    return Contender(
        sign=lambda: key.sign(MESSAGE, algorithm),
        verify=lambda: public.verify(signature, MESSAGE, algorithm),
    )


def _check(private: sm2.PrivateKey, signature: bytes) -> None:
    """A contender that signs something else would not be a yardstick."""
    private.public_key().verify(signature, MESSAGE)
