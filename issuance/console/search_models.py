"""What a search finds, and a holder's whole file; names and numbers masked."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from card_core.application import ApplicationKind
from card_core.states import ApplicationState, CardState, DeviceState, ECardState, FilingState
from card_core.store.devices import Grade
from card_core.store.holder_changes import ChangeKind
from card_core.verdicts import Reason
from issuance.console.models import Sent


class Search(Sent):
    """`text`: a whole social security number, a card number, the id of a batch or an application,
    an institution's code; or a part of a batch's or an institution's name."""

    text: Annotated[str, Field(min_length=1, max_length=64)]


class Hit(BaseModel):
    """`id`: of the record to open: a holder's, a batch's, an application's, an institution's code.
    `detail`: a state, as a stable word."""

    kind: Literal["holder", "batch", "application", "institution"]
    id: str
    title: str
    detail: str


class Hits(BaseModel):
    hits: list[Hit]


class CardOfHolder(BaseModel):
    card_number: str
    state: CardState
    ecard_state: ECardState
    batch_id: str
    issued_on: date
    expires_on: date


class ScanOfHolder(BaseModel):
    """`reason`: `accepted`, or why not."""

    at: datetime
    institution: str
    business_type_zh: str
    business_type_en: str
    reason: Reason


class PhoneOfHolder(BaseModel):
    grade: Grade
    state: DeviceState
    registered_at: datetime


class ChangeOfHolder(BaseModel):
    kind: ChangeKind
    evidence: str
    at: datetime


class ApplicationOfHolder(BaseModel):
    """In a batch: `kind` and `filed_at` are null there."""

    application_id: str
    state: ApplicationState | FilingState
    kind: ApplicationKind | None
    filed_at: datetime | None
    batch_id: str | None


class ActOnHolder(BaseModel):
    """`act`: a stable word. `by`: an operator's name, null for anybody else. `about`: `holder`,
    `card`, `filing` or `device`; `card_number`: where it was about a card."""

    number: int
    at: datetime
    act: str
    actor_kind: str
    by: str | None
    about: str
    card_number: str | None


class ActsOnHolder(BaseModel):
    """The newest first. `next_before`: for the older ones; null at the end."""

    acts: list[ActOnHolder]
    next_before: int | None


class HolderFile(BaseModel):
    """One card, one person, one file: also what stands under records that were merged into it.

    Of scans and acts the newest page.
    """

    holder_id: str
    name: str
    number: str
    phone: str
    region: str
    birth_year: int
    merged: int
    cards: list[CardOfHolder]
    applications: list[ApplicationOfHolder]
    phones: list[PhoneOfHolder]
    changes: list[ChangeOfHolder]
    scans: list[ScanOfHolder]
    acts: ActsOnHolder
