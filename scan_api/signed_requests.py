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
from starlette.types import Scope

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
    peer: str = ""

    @classmethod
    def of(cls, scope: Scope, body: bytes) -> Self:
        """Take the exact bytes: the target undecoded, the body unparsed, every such header.

        peer: the other end's address, for counting failures; not believed for anything else.
        """
        target: bytes = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        client = scope.get("client")
        return cls(
            scope["method"],
            target.decode("latin-1"),
            body,
            [value for name, value in scope["headers"] if name == b"authorization"],
            client[0] if client else "",
        )

    @classmethod
    async def read(cls, request: Request) -> Self:
        """As `of`, where the body is still to be read."""
        return cls.of(request.scope, await request.body())

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
            signature=parse_signature(match["signature"]),
        )

    def signed_bytes(self, assertion: Assertion) -> bytes:
        """What must be under the assertion's signature if it is of this request."""
        return to_be_signed(
            self.method, self.target, assertion.signed_at, assertion.nonce, self.body
        )


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


def parse_signature(text: str) -> bytes:
    """base64 of strict DER, in its one spelling; returns 64 bytes. Raises: SignedRequestError."""
    try:
        der = base64.b64decode(text, validate=True)
        # base64 leaves spare bits in its last letter; only the canonical spelling is taken.
        if base64.b64encode(der).decode() != text:
            raise SignedRequestError
        return sm2.signature_from_der(der)
    except (binascii.Error, sm2.InvalidSignatureError):
        raise SignedRequestError from None
