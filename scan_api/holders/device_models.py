"""What a holder's phone sends and gets. Bytes are lower-case hex; days are Unix seconds."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from card_core.kernel.acts.devices import KEYS_MAX
from card_core.store.devices import Grade
from scan_api.holders.models import HolderRequest, Password

PublicKey = Annotated[
    str, Field(pattern=r"^0[23][0-9a-f]{64}$", description="SM2, 33 bytes compressed, in hex.")
]
Signature = Annotated[
    str, Field(pattern=r"^[0-9a-f]{128}$", description="SM2 with SM3, r then s, in hex.")
]
DayEnd = Annotated[
    int, Field(ge=0, le=0xFFFF_FFFF, description="A midnight in China, in Unix seconds.")
]


class DeviceRegistration(HolderRequest):
    """A phone with a key of its own; docs/offline.md, section 5, says what it signs."""

    grade: Annotated[
        Grade,
        Field(strict=False, description="`app`: its key is bound to the phone; or `browser`."),
    ]
    public_key: PublicKey
    signature: Signature
    password: Annotated[
        Password | None, Field(description="For an `app`, whose codes may consume.")
    ] = None


class DayKeyProof(HolderRequest):
    """The phone's key for one day, and its signature over the whole request."""

    expires_at: DayEnd
    public_key: PublicKey
    signature: Signature


class CredentialRequest(HolderRequest):
    """The days ahead, in their order. `signature` is with the phone's own key."""

    keys: Annotated[list[DayKeyProof], Field(min_length=1, max_length=KEYS_MAX)]
    signature: Signature


class RegisteredDevice(BaseModel):
    device_id: str
    grade: Grade


class DeviceView(BaseModel):
    """A phone in use."""

    device_id: str
    grade: Grade
    registered_at: datetime


class Devices(BaseModel):
    """`challenge`: this session's, 32 bytes, to be signed by a phone that proves its keys.
    `server_time`: what the phone is to reckon the time of its offline codes by.
    """

    challenge: str
    server_time: datetime
    devices: list[DeviceView]


class CredentialView(BaseModel):
    """`credential`: 113 bytes, with which each offline code of that day begins."""

    expires_at: int
    credential: str


class Credentials(BaseModel):
    credentials: list[CredentialView]
