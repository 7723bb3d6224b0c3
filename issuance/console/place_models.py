"""Institutions and terminals: what is proposed, and what stands there."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from card_core.business_types import ALL
from card_core.kernel.limits import NAME_MAX
from card_core.service_channels import ChannelKind
from card_core.states import ServiceState
from issuance.console.models import Proposed, Sent

# What each of them may be, the acts say, in words that tell what to do.
BusinessTypes = Annotated[
    list[Annotated[str, Field(max_length=5)]] | None, Field(max_length=len(ALL))
]


class Designation(Sent):
    """`kind`: as `listBusinessTypes` names them. `region`: six digits. `business_types`: what its
    terminals may scan for; null for all of its kind."""

    code: Annotated[str, Field(max_length=20)]
    name: Annotated[str, Field(max_length=NAME_MAX)]
    kind: Annotated[str, Field(max_length=16)]
    region: Annotated[str, Field(max_length=6)]
    business_types: BusinessTypes = None


class BusinessTypesChange(Sent):
    """`business_types`: from the approval on; null for all of its kind."""

    business_types: BusinessTypes


class NewTerminal(Sent):
    """`serial_number`: 16 hex digits, as the terminal shows it. `channel`: for a service channel,
    what kind it is; null for a terminal, which scans."""

    serial_number: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{16}$")]
    channel: ChannelKind | None = None


class BusinessTypeView(BaseModel):
    """`kinds`: of the institutions that may scan for it."""

    code: str
    name_zh: str
    name_en: str
    kinds: list[str]


class BusinessTypeList(BaseModel):
    business_types: list[BusinessTypeView]


class InstitutionView(BaseModel):
    """`business_types`: null for all of its kind."""

    code: str
    name: str
    kind: str
    region: str
    state: ServiceState
    business_types: list[str] | None


class InstitutionList(BaseModel):
    """`next_after`: where the next page begins; null at the end."""

    institutions: list[InstitutionView]
    next_after: str | None


class TerminalView(BaseModel):
    """`channel`: what kind of service channel it is; null for a terminal. `has_key`: false once its
    keys were revoked, until it is enrolled anew."""

    serial_number: str
    channel: ChannelKind | None
    state: ServiceState
    has_key: bool


class WaitingTerminal(BaseModel):
    """An enrolment code that is out and not used yet; `code_name` is its first group."""

    serial_number: str
    channel: ChannelKind | None
    code_name: str
    ends_at: datetime


class TerminalList(BaseModel):
    """At most 200 of each."""

    terminals: list[TerminalView]
    waiting: list[WaitingTerminal]


class PreparedEnrolment(Proposed):
    """`enrolment_code`: in this one answer and nowhere else; good once, for 24 hours from the
    approval. Of it only a digest is kept."""

    enrolment_code: str


class StatusKeys(BaseModel):
    """Public keys, each as `sscard terminal trust` takes it."""

    keys: list[str]
