"""What terminals send and get. All times RFC 3339 in UTC, amounts in fen."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.business_types import HolderView
from card_core.codes import AMOUNT_FEN_MAX, CODE_TEXT_MAX
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
    """As much of the holder as the business type needs; `yes_no` shows nothing."""

    view: HolderView
    name: str | None
    social_security_number: str | None


class Verdict(BaseModel):
    """The answer to a scan. `holder` is there only when the code was accepted."""

    scan_id: str
    outcome: Literal["accepted", "refused"]
    reason: Reason
    text_zh: str
    text_en: str
    next_action: NextAction
    holder: ScannedHolder | None
    card_state: CardState | None
    scanned_at: datetime


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
