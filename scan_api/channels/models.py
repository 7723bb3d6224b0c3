"""What service channels send and get. All times RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from card_core.service_channels import ChannelKind
from card_core.states import CardState, ECardState
from scan_api.holders.models import Password
from scan_api.scans.models import RequestId

SessionToken = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="As the session was opened with.")
]


class ChannelRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ChannelSignIn(ChannelRequest):
    """Who stands before the channel."""

    social_security_number: Annotated[str, Field(min_length=1, max_length=32)]
    password: Password


class ChannelSessionEnd(ChannelRequest):
    session: SessionToken


class PrintRequest(ChannelRequest):
    session: SessionToken


class ProgressRequest(ChannelRequest):
    session: SessionToken


class ChannelLossReport(ChannelRequest):
    """The card of the session's holder is lost."""

    session: SessionToken
    request_id: Annotated[
        RequestId, Field(description="Unique for each request of the holder; a retry has the same.")
    ]


class ChannelView(BaseModel):
    """rights: the acts that may be done here, by the words of the audit log, and
    `see_applications`. is_attended: whether a clerk signs in, and not the holder."""

    serial_number: str
    kind: ChannelKind
    is_attended: bool
    institution_code: str
    institution_name: str
    rights: list[str]
    server_time: datetime


class ChannelSession(BaseModel):
    """Good at this channel alone, until `expires_at`, and two minutes without use.

    The name is masked; card_state is `cancelled` for who has no card.
    """

    session: str
    expires_at: datetime
    name: str
    card_state: CardState
    e_card_state: ECardState
    server_time: datetime


class ChannelSessionEnded(BaseModel):
    """Nothing of the session is good any more."""

    ended_at: datetime


class CardLost(BaseModel):
    """loss_lapses_at: until then a formal report at a window has to follow."""

    card_state: CardState
    loss_lapses_at: datetime


class PrintedCode(BaseModel):
    """For the paper: the 28 digits, their QR code and bars (SVG), until when they may be shown."""

    text: str
    picture_svg: str
    bars_svg: str
    valid_until: datetime
    server_time: datetime
