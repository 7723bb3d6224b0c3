"""What a holder sends and gets about e-cards that family members show."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from card_core.states import BindingState, CardState
from card_core.store.family_members import Relation
from scan_api.holders.models import HolderRequest


class Offer(HolderRequest):
    """I let a relative show my e-card. An empty object."""


class ConsentTaken(HolderRequest):
    """`consent_code` from the relative, and what they are to me."""

    consent_code: Annotated[str, Field(min_length=20, max_length=40)]
    relation: Literal["parent", "child", "spouse", "other"] = "other"


class WardShown(HolderRequest):
    """A child whose guardian I am."""

    guardianship_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


NewMember = ConsentTaken | WardShown


class FamilyMintRequest(HolderRequest):
    """As for my own codes."""

    purpose_class: Literal["any_use", "identify_only"] = "any_use"


class MemberView(BaseModel):
    """The other of the two; the name is masked."""

    family_member_id: str
    name: str
    relation: Relation


class OfferView(BaseModel):
    family_member_id: str
    expires_at: datetime


class WardView(BaseModel):
    """A child whose guardian I am, until the day before `ends_on`.

    `card_state`: `cancelled` for who has no card; null once the child has turned 16. `is_member`:
    the child is among `members` already.
    """

    guardianship_id: str
    name: str
    ends_on: date
    card_state: CardState | None
    is_member: bool


class GuardianView(BaseModel):
    """Who is my guardian, or was until I turned 16 on `ends_on`."""

    name: str
    ends_on: date
    is_over: bool


class Family(BaseModel):
    """`members`: whose e-cards I may show. `shown_by`: who may show mine. `offers`: of mine, that
    nobody took yet. `wards`: whose guardian I am. `grown`: whose I was until they turned 16, within
    a year. `guardians`: mine, for as long."""

    members: list[MemberView]
    shown_by: list[MemberView]
    offers: list[OfferView]
    wards: list[WardView]
    grown: list[WardView]
    guardians: list[GuardianView]


class MadeOffer(BaseModel):
    """`consent_code`: to be told to the relative; good once, for a day."""

    family_member_id: str
    consent_code: str
    expires_at: datetime


class MemberChange(BaseModel):
    family_member_id: str
    state: BindingState
