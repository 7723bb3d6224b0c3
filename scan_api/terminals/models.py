"""What terminals send and get about their keys. Times are RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PublicKeyHex = Annotated[
    str, Field(pattern=r"^0[23][0-9a-f]{64}$", description="SM2, compressed, in hex.")
]
Proof = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9+/]{8,96}={0,2}$",
        description="The new key's own signature, DER in base64; see docs/integration.md.",
    ),
]
SerialNumber = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EnrolmentRequest(_Sent):
    """A terminal brings the key that it made, with the code that the bureau let out for it."""

    enrolment_code: Annotated[
        str,
        Field(
            pattern=r"^[0-9A-HJKMNP-TV-Z]{20}$",
            description="Without hyphens, in capitals.",
        ),
    ]
    serial_number: SerialNumber
    public_key: PublicKeyHex
    proof: Proof


class Enrolled(BaseModel):
    """The terminal's key is known from now on, to every process within a second.

    key_name: `kid` in the terminal's assertions. token_audience: `aud` in them.
    """

    serial_number: str
    key_name: str
    token_audience: str
    server_time: datetime


class NextKey(_Sent):
    """The key that the terminal will use from now on; the request is signed by its present one."""

    public_key: PublicKeyHex
    proof: Proof


class KeyAccepted(BaseModel):
    """Both keys are good until `previous_key_ends_at`; from then on the new one alone."""

    serial_number: str
    key_name: str
    previous_key_ends_at: datetime
    server_time: datetime


class Token(BaseModel):
    """RFC 6749, section 5.1. expires_in: seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a word, not a secret
    expires_in: int
