"""Visits and reversals, as terminals and holders send and get them; times UTC, amounts in fen."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.codes import AMOUNT_FEN_MAX
from card_core.states import VisitState
from card_core.store.reversals import ReversalKind
from card_core.visits import TOKEN_TEXT_MAX
from scan_api.scans.models import Remark, RequestId


class TerminalRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StepRequest(TerminalRequest):
    """One step of a visit: a scan without a code."""

    visit_token: Annotated[
        str,
        Field(min_length=1, max_length=TOKEN_TEXT_MAX, description="Of the scan that opened it."),
    ]
    business_type: Annotated[
        str, Field(pattern=r"^[0-9]{5}$", description="用码业务类型, one of the visit's.")
    ]
    step: Annotated[
        str,
        Field(
            pattern=r"^[!-~]{1,64}$",
            description="The institution's own number of this bill, prescription or examination. "
            "It is spent: the same one again is `already_used`.",
        ),
    ]
    request_id: Annotated[
        RequestId,
        Field(description="Unique for each request of the terminal; the same again is a retry."),
    ]
    amount_fen: Annotated[
        int | None,
        Field(ge=1, le=AMOUNT_FEN_MAX, description="Needed where money moves."),
    ] = None
    operator: Annotated[Remark | None, Field(description="The clerk, by the terminal's words.")] = (
        None
    )
    department: Annotated[Remark | None, Field(description="The desk or department.")] = None


class ReversalRequest(TerminalRequest):
    """How much of a scan is taken back."""

    kind: Annotated[
        Literal["refund", "return", "void"],
        Field(description="refund 退费, return 退药, void 冲正 (all of it, once)."),
    ]
    request_id: Annotated[
        RequestId,
        Field(description="Unique for each request of the terminal; the same again is a retry."),
    ]
    amount_fen: Annotated[
        int | None,
        Field(
            ge=1,
            le=AMOUNT_FEN_MAX,
            description="At most what is left. Absent for a void, and where no money moved.",
        ),
    ] = None
    operator: Annotated[Remark | None, Field(description="The clerk, by the terminal's words.")] = (
        None
    )
    department: Annotated[Remark | None, Field(description="The desk or department.")] = None


class ReversalView(BaseModel):
    """What was taken back, and its own receipt, which names the scan's."""

    reversal_id: str
    scan_id: str
    kind: ReversalKind
    amount_fen: int | None
    left_fen: Annotated[int | None, Field(description="What is left; null where no money moved.")]
    reversed_at: datetime
    receipt: Annotated[str, Field(description="The signed evidence. See docs/receipts.md.")]
    clerk_salt: str | None


class HolderVisit(BaseModel):
    """One visit of this holder: where, until when, and how much was done under it."""

    visit_id: str
    institution_name: str
    state: VisitState
    opened_at: datetime
    ends_at: datetime
    business_types: list[str]
    steps: int
    consuming: Annotated[int, Field(description="Steps that moved money or goods.")]
    consuming_max: int
    amount_fen: int
    amount_max_fen: int


class HolderVisits(BaseModel):
    """The latest first."""

    visits: list[HolderVisit]
