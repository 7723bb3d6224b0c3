"""Proof that whoever brings a public key has its private half: a signature by that very key.

    sscard/enrolment/v1 LF SERIAL LF CODE LF PUBLIC KEY LF
    sscard/terminal-key/v1 LF SERIAL LF PUBLIC KEY LF

SERIAL is 16 hex digits, CODE the 20 characters of the enrolment code, PUBLIC KEY 66 hex digits. SM2
with SM3 under the default signer id, strict DER, base64: as in a signed request.
"""

import base64

from crypto import sm2
from scan_api.signed_requests import SignedRequestError, Signer, parse_signature

_ENROLMENT = b"sscard/enrolment/v1"
_NEXT_KEY = b"sscard/terminal-key/v1"


class NotPossessedError(Exception):
    """The proof is malformed, or not made by this key over these words."""


def enrolment_bytes(serial_number: bytes, code: str, public_key: bytes) -> bytes:
    """What is signed at enrolment. public_key: 33 bytes."""
    return _lines(_ENROLMENT, serial_number.hex(), code, public_key.hex())


def next_key_bytes(serial_number: bytes, public_key: bytes) -> bytes:
    """What is signed by a terminal's next key. public_key: that key, 33 bytes."""
    return _lines(_NEXT_KEY, serial_number.hex(), public_key.hex())


def prove(signer: Signer, signed: bytes) -> str:
    """The proof, by the terminal."""
    return base64.b64encode(sm2.signature_to_der(signer.sign(signed))).decode()


def check(public_key: bytes, proof: str, signed: bytes) -> None:
    """Raises: NotPossessedError, also for bytes that are no public key."""
    try:
        sm2.PublicKey.from_bytes(public_key).verify(parse_signature(proof), signed)
    except (SignedRequestError, sm2.InvalidSignatureError, sm2.InvalidKeyError):
        raise NotPossessedError from None


def _lines(context: bytes, *words: str) -> bytes:
    return b"\n".join((context, *(word.encode() for word in words), b""))
