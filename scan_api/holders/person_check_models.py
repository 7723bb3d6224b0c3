"""What somebody sends who has no session yet: a check of the person, and what comes after it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from card_core.sign_in.person_check import TYPED_MAX
from card_core.states import ECardState
from scan_api.holders.models import HolderRequest, Password

Ticket = Annotated[
    str, Field(min_length=1, max_length=64, description="Of the check, known to this person alone.")
]
Number = Annotated[str, Field(min_length=1, max_length=32)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class CheckForActivation(HolderRequest):
    """To activate the e-card of a card that is in hand; `card_number` stands on it."""

    purpose: Literal["activate"]
    social_security_number: Number
    name: Name
    card_number: Annotated[str, Field(min_length=1, max_length=16)]


class CheckForPassword(HolderRequest):
    """The password was forgotten."""

    purpose: Literal["new_password"]
    social_security_number: Number
    name: Name


NewCheck = Annotated[CheckForActivation | CheckForPassword, Field(discriminator="purpose")]


class StartedCheck(BaseModel):
    """`message`: what the person is to do. `digits`: how many digits to type, or none. `address`:
    where the person goes on, or nowhere. `simulated`: nobody looks; a demonstration."""

    ticket: str
    message_zh: str
    message_en: str
    digits: int | None
    address: str | None
    simulated: bool
    expires_at: datetime


class CheckResultRequest(HolderRequest):
    """The person has done what they were told. `typed`: the digits, where some were asked for."""

    ticket: Ticket
    typed: Annotated[str, Field(max_length=TYPED_MAX)] = ""


class PassedCheck(BaseModel):
    """Until `expires_at` the ticket serves for what the check was for."""

    outcome: Literal["passed"]
    expires_at: datetime


class NewPassword(HolderRequest):
    """The ticket of a check that was passed, and six digits that are no run, no repetition, and
    stand in no number of the person's."""

    ticket: Ticket
    new_password: Password


class ActivatedECard(BaseModel):
    e_card_state: ECardState


class PasswordSet(BaseModel):
    """Every session has ended. `devices_removed`: how many phones were unbound."""

    changed: bool
    devices_removed: int


class PasswordChange(HolderRequest):
    """The old password and the new one."""

    password: Password
    new_password: Password
