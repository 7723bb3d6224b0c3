"""Client assertions (RFC 7523): what a terminal signs to buy an access token.

    header   {"alg": "SGD_SM3_SM2", "kid": "<16 hex>", "typ": "JWT"}
    payload  {"iss": serial, "sub": serial, "aud": the installation's name, "jti": once,
              "iat": now, "exp": at most 300 s later}

The serial number is 16 hex digits; kid is the first 8 bytes of the SM3 digest of the compressed
public key. The codec below knows one algorithm, and a header may hold these three members alone:
nothing in a token names a key, an address or an algorithm that would then be used.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.utils import base64url_decode, base64url_encode

from crypto import jose, sm2
from scan_api.signed_requests import Signer

ASSERTION_CHARACTERS_MAX = 2048
LIFE_SECONDS_MAX = 300
_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
_HEX_8 = re.compile(r"[0-9a-f]{16}")
_PRINTABLE = re.compile(r"[!-~]{1,128}")
_JTI = re.compile(r"[!-~]{16,128}")

_CODEC: Any = jwt.PyJWS(algorithms=[])
_CODEC.register_algorithm(jose.ALGORITHM, jose.SM2Algorithm())


class InvalidAssertionError(Exception):
    """Not an assertion of the one form, or not signed by this key. Says nothing more."""


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """What an assertion claims; nothing of it is believed before `verify`.

    serial_number, key_name: 8 bytes each. issued_at, expires_at: Unix seconds.
    """

    text: str
    serial_number: bytes
    key_name: bytes
    audience: str
    jti: str
    issued_at: int
    expires_at: int

    @classmethod
    def parse(cls, text: str) -> "ClientAssertion":
        """Raises: InvalidAssertionError."""
        if len(text) > ASSERTION_CHARACTERS_MAX or not _PARTS.fullmatch(text):
            raise InvalidAssertionError
        head, payload = (_read_object(part) for part in text.split(".")[:2])
        if head.get("alg") != jose.ALGORITHM or not head.keys() <= {"alg", "kid", "typ"}:
            raise InvalidAssertionError
        if head.get("typ", "JWT") != "JWT" or payload.get("iss") != payload.get("sub"):
            raise InvalidAssertionError
        return cls(
            text=text,
            serial_number=bytes.fromhex(_text(payload, "sub", _HEX_8)),
            key_name=bytes.fromhex(_text(head, "kid", _HEX_8)),
            audience=_text(payload, "aud", _PRINTABLE),
            jti=_text(payload, "jti", _JTI),
            issued_at=_seconds(payload, "iat"),
            expires_at=_seconds(payload, "exp"),
        )

    def verify(self, public_key: sm2.PublicKey) -> None:
        """Raises: InvalidAssertionError."""
        try:
            _CODEC.decode(self.text, public_key, algorithms=[jose.ALGORITHM])
        except jwt.InvalidTokenError:
            raise InvalidAssertionError from None

    def lives_at_most(self, seconds: int) -> bool:
        return 0 < self.expires_at - self.issued_at <= seconds


def client_assertion(
    signer: Signer, serial_number: bytes, key_name: bytes, *, audience: str, jti: str, now: int
) -> str:
    """The terminal's side: an assertion for LIFE_SECONDS_MAX from `now`, Unix seconds.

    jti: 16 to 128 printable ASCII characters, never used before.
    """
    serial = serial_number.hex()
    head = {"alg": jose.ALGORITHM, "kid": key_name.hex(), "typ": "JWT"}
    times = {"iat": now, "exp": now + LIFE_SECONDS_MAX}
    payload = {"iss": serial, "sub": serial, "aud": audience, "jti": jti, **times}
    signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in (head, payload))
    return (signed + b"." + base64url_encode(signer.sign(signed))).decode()


def _read_object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64url_decode(part))
    except (ValueError, RecursionError):
        raise InvalidAssertionError from None
    if not isinstance(value, dict):
        raise InvalidAssertionError
    return value


def _text(members: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InvalidAssertionError
    return value


def _seconds(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise InvalidAssertionError
    return value
