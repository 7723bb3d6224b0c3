"""What a stranger's terminal signs, by docs/integration.md: nothing here is the project's own code.

Signatures are the textbook's, with k drawn from key and message, so that they are the same each
time. For test keys that everybody knows and for nothing else.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.crypto.sm2_textbook import (
    DEFAULT_SIGNER_ID,
    G,
    N,
    digest_e,
    encode,
    multiply,
    number,
    sign,
    sm3,
)

SERIAL = "00000000000000d7"
ENROLMENT_CODE = "7KQMX2VTNC9RZ4DWH3SP"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class FixedKey:
    """d: the private key, a whole number."""

    d: int

    @property
    def point(self) -> bytes:
        """04, x, y."""
        found = multiply(self.d, G)
        assert found is not None
        return b"\x04" + encode(found)

    @property
    def public_key(self) -> str:
        return (bytes([2 + self.point[-1] % 2]) + self.point[1:33]).hex()

    @property
    def key_name(self) -> str:
        return sm3(bytes.fromhex(self.public_key))[:8].hex()

    def raw(self, message: bytes, signer_id: bytes = DEFAULT_SIGNER_ID) -> bytes:
        return self._signed(message, digest_e(self.point, message, signer_id))

    def raw_without_z(self, message: bytes) -> bytes:
        """What comes of a library that hashes the message and nothing else."""
        return self._signed(message, sm3(message))

    def _signed(self, message: bytes, e: bytes) -> bytes:
        k = int.from_bytes(sm3(b"k of a test" + number(self.d) + message), "big") % (N - 1) + 1
        r, s = sign(self.d, int.from_bytes(e, "big"), k)
        return number(r) + number(s)

    def to_json(self) -> dict[str, str]:
        return {
            "private_key": number(self.d).hex(),
            "public_key": self.public_key,
            "key_name": self.key_name,
        }


TERMINAL = FixedKey(0x5F3759DF0123456789ABCDEF0F1E2D3C4B5A69788796A5B4C3D2E1F001122334)
NEXT = FixedKey(0x1B2C3D4E5F60718293A4B5C6D7E8F9010A1B2C3D4E5F60718293A4B5C6D7E8F9)
STRANGER = FixedKey(0x7E57BAD07E57BAD07E57BAD07E57BAD07E57BAD07E57BAD07E57BAD07E57BAD0)


def der(raw: bytes) -> bytes:
    parts = b"".join(_integer(raw[at : at + 32]) for at in (0, 32))
    return b"\x30" + bytes([len(parts)]) + parts


def _integer(value: bytes) -> bytes:
    stripped = value.lstrip(b"\x00")
    padded = b"\x00" + stripped if stripped[0] >> 7 else stripped
    return b"\x02" + bytes([len(padded)]) + padded


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def lines(*words: str) -> str:
    return "\n".join((*words, ""))


def header(signature: str, *, terminal: str = SERIAL, time: int, nonce: str) -> str:
    return f'SSCARD-SM2 terminal="{terminal}",time="{time}",nonce="{nonce}",signature="{signature}"'


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def token_form(assertion: str) -> str:
    return urlencode(
        {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
    )
