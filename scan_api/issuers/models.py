"""What one issuer asks another, and the answer. Both are signed (`signatures`)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.codes import AMOUNT_FEN_MAX, CODE_TEXT_MAX
from card_core.receipts import RECEIPT_TEXT_MAX
from card_core.states import CardState
from card_core.verdicts import Reason
from scan_api.scans.models import RequestId, ScannedHolder


class PeerScanRequest(BaseModel):
    """One code of the asked issuer's holder, read at a place that the asking issuer vouches for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    code: Annotated[str, Field(min_length=1, max_length=CODE_TEXT_MAX)]
    business_type: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    request_id: Annotated[
        RequestId,
        Field(description="Unique for each request of the issuer; the same again is a retry."),
    ]
    amount_fen: Annotated[int | None, Field(ge=1, le=AMOUNT_FEN_MAX)] = None
    institution_code: Annotated[str, Field(min_length=1, max_length=20)]
    institution_name: Annotated[str, Field(min_length=1, max_length=64)]
    institution_kind: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    terminal: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="Its serial number.")]


class PeerVerdict(BaseModel):
    """The verdict of the holder's own issuer; `holder` by its own table of views."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    scan_id: str
    outcome: Literal["accepted", "refused"]
    reason: Reason
    medium: str | None
    presence: str | None
    for_whom: str | None
    card_state: CardState | None
    holder: ScannedHolder | None
    pseudonym: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$")]
    receipt: Annotated[str | None, Field(max_length=RECEIPT_TEXT_MAX)]
    scanned_at: datetime
