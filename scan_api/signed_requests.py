"""The signed request: how a terminal proves its own key on every call.

    Authorization: SSCARD-SM2 terminal="<16 hex>",time="<10 digits>",nonce="<32 hex>",
                   signature="<base64>"                        (one line, no space after a comma)

The signature is SM2 with SM3 under the default signer id, strict DER, over

    sscard/request/v1 LF METHOD LF TARGET LF TIME LF NONCE LF BODY LF

One spelling for everything: a second way to write the same header would be a second thing to
check. See docs/decisions/0006-signed-requests.md.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from starlette.requests import Request

from crypto import sm2

SCHEME = "SSCARD-SM2"
CONTEXT = b"sscard/request/v1"
WINDOW_SECONDS = 300
NONCE_BYTES = 16

# A DER signature of SM2 has 8 to 72 bytes; 96 characters of base64 hold 72.
_HEADER = re.compile(
    rf'{SCHEME} terminal="(?P<terminal>[0-9a-f]{{16}})",time="(?P<time>[1-9][0-9]{{9}})",'
    r'nonce="(?P<nonce>[0-9a-f]{32})",signature="(?P<signature>[A-Za-z0-9+/]{8,96}={0,2})"'
)


class Signer(Protocol):
    """Whatever holds the terminal's private key: a key, a key file, a module."""

    def sign(self, message: bytes, /) -> bytes:
        """64 bytes, r || s, under the default signer id."""


class SignedRequestError(Exception):
    """The header is absent, doubled or not of the one form. Says nothing more."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the header claims. signed_at: Unix seconds. signature: 64 bytes, r || s."""

    terminal: bytes
    signed_at: int
    nonce: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came over the wire; nothing in it is believed yet."""

    method: str
    target: str
    body: bytes
    authorization: Sequence[bytes]

    @classmethod
    async def read(cls, request: Request) -> Self:
        """Take the exact bytes: the target undecoded, the body unparsed, every such header."""
        scope = request.scope
        target: bytes = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        return cls(
            method=request.method,
            target=target.decode("latin-1"),
            body=await request.body(),
            authorization=[value for name, value in scope["headers"] if name == b"authorization"],
        )

    def assertion(self) -> Assertion:
        """Parse the one Authorization header. Raises: SignedRequestError."""
        if len(self.authorization) != 1:
            raise SignedRequestError
        match = _HEADER.fullmatch(self.authorization[0].decode("latin-1"))
        if match is None:
            raise SignedRequestError
        return Assertion(
            terminal=bytes.fromhex(match["terminal"]),
            signed_at=int(match["time"]),
            nonce=bytes.fromhex(match["nonce"]),
            signature=_parse_signature(match["signature"]),
        )

    def verify(self, assertion: Assertion, public_key: bytes, keys: sm2.KeptKeys) -> None:
        """public_key: SEC 1. keys: where it is kept. Raises: sm2.InvalidSignatureError."""
        signed = to_be_signed(
            self.method, self.target, assertion.signed_at, assertion.nonce, self.body
        )
        keys.verify(public_key, assertion.signature, signed)


def to_be_signed(method: str, target: str, signed_at: int, nonce: bytes, body: bytes) -> bytes:
    """The bytes under a request's signature. None but the body can hold a line feed."""
    head = (CONTEXT, method.encode(), target.encode("latin-1"), b"%d" % signed_at)
    return b"\n".join((*head, nonce.hex().encode(), body, b""))


def authorization(
    signer: Signer,
    terminal: bytes,
    *,
    method: str,
    target: str,
    body: bytes,
    signed_at: int,
    nonce: bytes,
) -> str:
    """The header's value for one request.

    terminal: the serial number, 8 bytes. nonce: NONCE_BYTES random bytes, never used before.
    """
    signature = signer.sign(to_be_signed(method, target, signed_at, nonce, body))
    encoded = base64.b64encode(sm2.signature_to_der(signature)).decode()
    return (
        f'{SCHEME} terminal="{terminal.hex()}",time="{signed_at}",'
        f'nonce="{nonce.hex()}",signature="{encoded}"'
    )


def _parse_signature(text: str) -> bytes:
    try:
        der = base64.b64decode(text, validate=True)
        # base64 leaves spare bits in its last letter; only the canonical spelling is taken.
        if base64.b64encode(der).decode() != text:
            raise SignedRequestError
        return sm2.signature_from_der(der)
    except (binascii.Error, sm2.InvalidSignatureError):
        raise SignedRequestError from None
