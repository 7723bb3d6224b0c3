"""What an operator's program sends and gets. All times RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.application import ApplicationKind
from card_core.applying import Channel, FilingEvidence, MakingMode, RefusalReason
from card_core.kernel.acts.at_once import BLANKS_MAX, SpoilReason
from card_core.kernel.acts.taking_in import TAKEN_IN_MAX
from card_core.states import FilingState
from card_core.store.operators import Role

Text = Annotated[str, Field(max_length=200)]
RecordId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Answer = dict[str, Any]


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChallengeRequest(Sent):
    name: Annotated[str, Field(min_length=1, max_length=64)]


class Challenge(BaseModel):
    """`challenge`: hex; the operator's own SM2 key signs it. `attempt` is good once, for a
    minute."""

    attempt: str
    challenge: str


class SignInRequest(Sent):
    """`signature`: SM2 with SM3 over the challenge, r then s, in hex; or a dynamic password.

    `in_cookie`: for a browser, which gets the token in a cookie that no script reads.
    """

    attempt: RecordId
    password: Annotated[str, Field(min_length=1, max_length=256)]
    signature: Annotated[str | None, Field(pattern=r"^[0-9a-f]{128}$")] = None
    dynamic_password: Annotated[str | None, Field(max_length=16)] = None
    in_cookie: bool = False


class TicketRequest(Sent):
    """`signature`: SM2 with SM3 over the challenge, r then s, in hex."""

    attempt: RecordId
    password: Annotated[str, Field(min_length=1, max_length=256)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Ticket(BaseModel):
    """`ticket`: 12 letters and digits in groups; good once, until `ends_at`."""

    ticket: str
    ends_at: datetime


class TicketSignIn(Sent):
    """`ticket`: as its operator types it, in any case, with hyphens and spaces or without."""

    ticket: Annotated[str, Field(min_length=1, max_length=32)]


class Session(BaseModel):
    """`token`: null where it is in a cookie."""

    token: str | None
    expires_at: datetime


class SessionView(BaseModel):
    """Who is signed in. `seconds_left`: until the session ends if nothing is done in it."""

    name: str
    display_name: str
    roles: list[Role]
    seconds_left: int
    expires_at: datetime


class Fields(Sent):
    """A roster's row, judged by the same code."""

    name: Text
    certificate: Text
    number: Text
    sex: Text
    ethnic_group: Text = ""
    birth_on: Text
    phone: Text
    address: Text
    region: Text
    bank: Text
    branch: Text
    guardian_name: Text = ""
    guardian_number: Text = ""


class NewApplication(Sent):
    """A new card, for the person at the window. `reference`: the document's number."""

    fields: Fields
    mode: MakingMode = MakingMode.BATCH
    evidence: FilingEvidence
    reference: Text | None = None


class NextApplication(Sent):
    """The card that follows one, of what the holder base knows."""

    card_number: Annotated[str, Field(min_length=9, max_length=9)]
    kind: ApplicationKind
    mode: MakingMode = MakingMode.BATCH
    evidence: FilingEvidence
    reference: Text | None = None


class Acceptance(Sent):
    """`evidence`: for an application that came online."""

    evidence: FilingEvidence | None = None
    reference: Text | None = None


class Refusal(Sent):
    reason: RefusalReason


class Nothing(Sent):
    """An empty object."""


class BatchRequest(Sent):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    count_max: Annotated[int, Field(ge=1, le=TAKEN_IN_MAX)] = TAKEN_IN_MAX


class ApplicationView(BaseModel):
    """Names and numbers masked."""

    application_id: str
    kind: ApplicationKind
    channel: Channel
    mode: MakingMode
    state: FilingState
    code: str | None
    name: str
    number: str
    evidence: FilingEvidence | None
    refusal: str | None
    batch_id: str | None
    filed_at: datetime


class Applications(BaseModel):
    applications: list[ApplicationView]


class OrderRequest(Sent):
    """`maker`: the code of the branch's device."""

    maker: Annotated[str, Field(min_length=1, max_length=16)]


class BlanksReceived(Sent):
    branch: Annotated[str, Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=1, le=BLANKS_MAX)]


class BlanksSpoiled(BlanksReceived):
    reason: SpoilReason


class BlanksView(BaseModel):
    branch: str
    received: int
    on_hand: int
    in_device: int
    used: int
    spoiled: int


class BlankList(BaseModel):
    branches: list[BlanksView]


class GuardianRequest(Sent):
    ward_id: RecordId
    guardian_id: RecordId
    evidence: FilingEvidence
    reference: Annotated[str, Field(min_length=1, max_length=64)]


class Proposed(BaseModel):
    """What another person approves, who reads `summary` and answers with `content_hash`."""

    approval_id: str
    content_hash: str
    summary: str


class ApprovalFact(BaseModel):
    """`fact`: a stable word; `value` as a person compares it."""

    fact: Literal["batch_id", "accepted", "refused", "file_digest", "content_root"]
    value: str


class ApprovalView(BaseModel):
    """`summary`: in Chinese and English, with ` / ` between them. `is_own`: the asker proposed it,
    and may only take it back. `facts`: what a batch's release lets be made."""

    approval_id: str
    act: str
    summary: str
    content_hash: str
    proposed_by: str
    is_own: bool
    created_at: datetime
    facts: list[ApprovalFact]


class ApprovalList(BaseModel):
    """`next_after`: where the next page begins; null at the end."""

    approvals: list[ApprovalView]
    next_after: str | None


class Approving(Sent):
    """`content_hash`: of what the approver has read."""

    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
