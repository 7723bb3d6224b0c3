"""What a holder sends and gets about e-cards that family members show."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from card_core.states import BindingState
from card_core.store.family_members import Relation
from scan_api.holders.models import HolderRequest


class Offer(HolderRequest):
    """I let a relative show my e-card. An empty object."""


class NewMember(HolderRequest):
    """`consent_code` from the relative, and what they are to me; or one of my wards."""

    consent_code: Annotated[str | None, Field(min_length=20, max_length=40)] = None
    relation: Literal["parent", "child", "spouse", "other"] = "other"
    guardianship_id: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewMember":
        if (self.consent_code is None) == (self.guardianship_id is None):
            raise ValueError("consent_code or guardianship_id")
        return self


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
    """A child whose guardian I am, until the day before `ends_on`."""

    guardianship_id: str
    name: str
    ends_on: date


class Family(BaseModel):
    """`members`: whose e-cards I may show. `shown_by`: who may show mine. `offers`: of mine, that
    nobody took yet. `wards`: whose guardian I am."""

    members: list[MemberView]
    shown_by: list[MemberView]
    offers: list[OfferView]
    wards: list[WardView]


class MadeOffer(BaseModel):
    """`consent_code`: to be told to the relative; good once, for a day."""

    family_member_id: str
    consent_code: str
    expires_at: datetime


class MemberChange(BaseModel):
    family_member_id: str
    state: BindingState
