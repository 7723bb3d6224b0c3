"""All that is kept of a person, as `card_core.store.holder_export` writes it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from card_core.application import ApplicationKind
from card_core.applying import Channel, FilingEvidence
from card_core.data_uses import DataUse
from card_core.presented import Medium
from card_core.states import (
    ApplicationState,
    BindingState,
    CardState,
    DeviceState,
    ECardState,
    FilingState,
    VisitState,
)
from card_core.store.consents import ConsentState
from card_core.store.devices import Grade
from card_core.store.family_members import Relation
from card_core.store.holder_changes import ChangeKind
from card_core.verdicts import Reason
from scan_api.holders.models import HolderRequest, Password


class ExportRequest(HolderRequest):
    """The password again: what comes is everything, in clear."""

    password: Password


class ExportedPerson(BaseModel):
    """Empty where nothing was given. `birth_on`: a date in ISO 8601."""

    social_security_number: str
    name: str
    sex: str
    birth_on: str
    ethnic_group: str
    phone: str
    address: str
    region: str
    guardian_name: str
    guardian_number: str


class ExportedChange(BaseModel):
    """A merge: number and name of the record that went. A correction: what was, what is."""

    kind: ChangeKind
    at: datetime
    content: dict[str, Any]


class ExportedApplication(BaseModel):
    """An application of this person's."""

    id: str
    state: ApplicationState


class ExportedECard(BaseModel):
    """The card's e-card; no sign number before it was activated."""

    sign_number: str | None
    state: ECardState


class ExportedCard(BaseModel):
    """A card, cancelled ones too."""

    card_number: str
    state: CardState
    region: str
    issued_on: date
    expires_on: date
    ecard: ExportedECard


class ExportedPhone(BaseModel):
    """A registered phone, removed ones too."""

    id: str
    grade: Grade
    state: DeviceState
    registered_at: datetime


class ExportedFiling(BaseModel):
    """An application by itself: for this person, or by them for a child."""

    id: str
    kind: ApplicationKind
    channel: Channel
    state: FilingState
    filed_at: datetime


class ExportedGuardianship(BaseModel):
    """Whose guardian this person is or was, or that they had one; `side` says which."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    side: Annotated[Literal["ward", "guardian"], Field(alias="as")]
    state: BindingState
    evidence: FilingEvidence
    began_at: datetime
    ends_on: date


class ExportedFamilyMember(BaseModel):
    """An e-card that another shows: this person's, or a relative's that they show."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    side: Annotated[Literal["holder", "shower"], Field(alias="as")]
    relation: Relation
    state: BindingState
    offered_at: datetime


class ExportedConsent(BaseModel):
    """What this person said to a use of their data that rests on consent."""

    data_use: DataUse
    state: ConsentState
    changed_at: datetime


class ExportedScan(BaseModel):
    """Who scanned this person, and for what. `reported_at`: when they said that it wasn't them."""

    at: datetime
    institution: str
    business_type: str
    reason: Reason
    amount_fen: int | None
    medium: Medium | None
    reported_at: datetime | None


class ExportedVisit(BaseModel):
    """A visit under one code."""

    opened_at: datetime
    ends_at: datetime
    institution: str
    state: VisitState
    steps: int
    amount_fen: int


class HolderExport(BaseModel):
    """Of the holder of this session alone; of others nothing but the institutions' names."""

    # Whatever is kept is given out: what has no place here is a fault, and is not left out.
    model_config = ConfigDict(extra="forbid")

    format: Literal["sscard/holder-export/v1"]
    holder: ExportedPerson
    changes: list[ExportedChange]
    applications: list[ExportedApplication]
    filings: list[ExportedFiling]
    guardianships: list[ExportedGuardianship]
    family_members: list[ExportedFamilyMember]
    cards: list[ExportedCard]
    phones: list[ExportedPhone]
    consents: list[ExportedConsent]
    scans: list[ExportedScan]
    visits: list[ExportedVisit]
