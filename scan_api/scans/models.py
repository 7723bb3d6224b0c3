"""What terminals send and get. All times RFC 3339 in UTC, amounts in fen."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.business_types import HolderView
from card_core.codes import AMOUNT_FEN_MAX, CODE_TEXT_MAX
from card_core.presented import Medium
from card_core.states import CardState
from card_core.verdicts import Reason

# Printable, no space at the ends: what the kernel takes for a remark.
Remark = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\p{C}](.*[^\s\p{C}])?$")]
RequestId = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]


class ScanRequest(BaseModel):
    """One code, read by one terminal for one purpose."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=CODE_TEXT_MAX,
            description="What the scanner read, nothing added and nothing taken away.",
        ),
    ]
    business_type: Annotated[
        str, Field(pattern=r"^[0-9]{5}$", description="用码业务类型, five digits.")
    ]
    request_id: Annotated[
        RequestId,
        Field(description="Unique for each request of the terminal; the same again is a retry."),
    ]
    amount_fen: Annotated[
        int | None,
        Field(ge=1, le=AMOUNT_FEN_MAX, description="What is to be paid, where money moves."),
    ] = None
    operator: Annotated[Remark | None, Field(description="The clerk, by the terminal's words.")] = (
        None
    )
    department: Annotated[Remark | None, Field(description="The desk or department.")] = None


class NextAction(BaseModel):
    """What to do now, for the clerk and for the holder."""

    clerk_zh: str
    clerk_en: str
    holder_zh: str
    holder_en: str


class ScannedHolder(BaseModel):
    """As much of the holder as the business type needs; what it doesn't need is null.

    `yes_no` answers whether, by `entitled`, and never who.
    """

    view: HolderView
    name: str | None = None
    social_security_number: str | None = None
    card_number: str | None = None
    sign_number: str | None = None
    phone: str | None = None
    sex: Annotated[str | None, Field(description="GB/T 2261.1: 1 male, 2 female.")] = None
    age_band: Literal["under_18", "18_to_59", "60_and_over"] | None = None
    entitled: bool | None = None


class OpenedVisit(BaseModel):
    """A visit: further desks of the same hospital go on with the token, without a new code."""

    token: str
    ends_at: datetime
    business_types: list[str]


class Verdict(BaseModel):
    """The answer to a scan. What follows `holder` is there only when it was accepted."""

    scan_id: str
    outcome: Literal["accepted", "refused"]
    reason: Reason
    text_zh: str
    text_en: str
    phone_clock_seconds: Annotated[
        int | None,
        Field(
            description="Where a phone made the code and it is refused for its time: how far the "
            "phone's clock is ahead of the service's, which the texts name, too. Otherwise null."
        ),
    ]
    next_action: NextAction
    card_state: CardState | None
    scanned_at: datetime
    medium: Annotated[
        Medium | None, Field(description="What was shown; null where nothing genuine was.")
    ]
    presence: Annotated[
        Literal["plain", "bound_phone", "face", "chip_and_pin"] | None,
        Field(description="How the holder was known to be there."),
    ]
    for_whom: Literal["self", "family"] | None
    holder: ScannedHolder | None
    pseudonym: Annotated[
        str | None,
        Field(description="The holder at this institution: always the same here, and only here."),
    ]
    receipt: Annotated[
        str | None,
        Field(
            description="The signed evidence; keep it. See docs/receipts.md. Null where the code "
            "was signed for identifying only: fetch it at `/v1/scans/{scan_id}/receipt`."
        ),
    ]
    clerk_salt: Annotated[
        str | None,
        Field(description="Opens the receipt's commitment to operator and department."),
    ]
    visit: OpenedVisit | None


class ScanReceipt(BaseModel):
    """The signed evidence of an accepted scan, and what opens its commitment to the clerk."""

    scan_id: str
    receipt: str
    clerk_salt: str | None


class OfferedBusinessType(BaseModel):
    """A business type that this terminal may scan for."""

    code: str
    name_zh: str
    name_en: str
    consumes: Annotated[bool, Field(description="Whether money or goods move.")]


class TerminalView(BaseModel):
    """What the service knows of the calling terminal."""

    serial_number: str
    institution_code: str
    institution_name: str
    institution_kind: str
    server_time: datetime
    business_types: list[OfferedBusinessType]
