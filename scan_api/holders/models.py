"""What a holder's page sends and gets. All times RFC 3339 in UTC."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.presented import Medium
from card_core.states import CardState, ECardState
from card_core.store.reversals import ReversalKind
from card_core.verdicts import Reason

Password = Annotated[str, Field(pattern=r"^[0-9]{6}$", description="The e-card's six digits.")]


class HolderRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SignIn(HolderRequest):
    """Who signs in."""

    social_security_number: Annotated[str, Field(min_length=1, max_length=32)]
    password: Password


class MintRequest(HolderRequest):
    """What the code is for: `any_use`, or `identify_only`, on which no money or goods move."""

    purpose_class: Literal["any_use", "identify_only"] = "any_use"
    short: Annotated[
        bool, Field(description="Whether a short code is wanted too, for one-dimensional scanners.")
    ] = False


class LossReport(HolderRequest):
    """The card is lost; it and the e-card stop working at once. An empty object."""


class LossWithdrawal(HolderRequest):
    """The card was found. The password again: whoever holds an open phone is not yet the holder."""

    password: Password


class Session(BaseModel):
    """A session was opened; its token is in the cookie alone. It ends earlier when it is idle."""

    expires_at: datetime


class HolderCard(BaseModel):
    """The holder's card and e-card; name and social security number masked."""

    name: str
    social_security_number: str
    card_number: str | None
    card_state: CardState
    e_card_state: ECardState
    issued_on: date | None
    expires_on: date | None


class FullIdentity(BaseModel):
    """Name and social security number, unmasked: for as long as the holder looks at them."""

    name: str
    social_security_number: str


class ShownShortCode(BaseModel):
    """28 digits that stand for the long code, and their bars (Code 128)."""

    text: str
    picture_svg: str


class ShownCode(BaseModel):
    """One code. `server_time` lets a page count down whatever its own clock says."""

    text: str
    picture_svg: str
    minted_at: datetime
    expires_at: datetime
    server_time: datetime
    short_code: Annotated[
        ShownShortCode | None, Field(description="Where it was asked for; good as long.")
    ] = None


class CardStateChange(BaseModel):
    """The card's state after the act."""

    card_state: CardState


class HolderReversal(BaseModel):
    """What was taken back of a scan: refund 退费, return 退药, void 冲正."""

    reversal_id: str
    kind: ReversalKind
    amount_fen: int | None
    reversed_at: datetime


class ScanReport(HolderRequest):
    """The scan was not the holder's own. An empty object."""


class ReportedScan(BaseModel):
    """The bureau has the report."""

    scan_id: str
    reported_at: datetime


class HolderScan(BaseModel):
    """One scan of this holder's code, or one step of a visit. `consumes`: whether money or goods
    may have moved. `reported_at`: when the holder said that it was not theirs."""

    scan_id: str
    scanned_at: datetime
    institution_name: str
    business_type: str
    business_type_zh: str
    business_type_en: str
    consumes: bool
    outcome: Literal["accepted", "refused"]
    reason: Reason
    reason_zh: str
    reason_en: str
    medium: Annotated[Medium | None, Field(description="`visit_token`: a step without a code.")]
    amount_fen: int | None
    reversals: list[HolderReversal]
    reported_at: datetime | None


class HolderScans(BaseModel):
    """The latest first."""

    scans: list[HolderScan]
