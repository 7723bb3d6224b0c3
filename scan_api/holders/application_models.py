"""What a holder sends who applies for a card, and gets."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from card_core.application import ApplicationKind
from card_core.applying import MakingMode
from card_core.states import FilingState
from scan_api.holders.models import HolderRequest

Text = Annotated[str, Field(min_length=1, max_length=200)]


class Applicant(HolderRequest):
    """Who gets the card, as a roster has them."""

    name: Text
    certificate: Annotated[Text, Field(description="居民身份证, 居民户口簿 ...")]
    number: Annotated[Text, Field(description="The social security number.")]
    sex: Text
    ethnic_group: Annotated[str, Field(max_length=200)] = ""
    birth_on: Annotated[Text, Field(description="YYYY-MM-DD")]
    phone: Text
    address: Text
    region: Text
    bank: Text
    branch: Annotated[Text, Field(description="Where the card is collected.")]


class Child(Applicant):
    """The child who gets the card; the guardian is the session's holder."""


class CardApplication(HolderRequest):
    """`new` with `child` is for a child; everything else is for the holder, as the bureau knows
    them."""

    kind: Literal["new", "replacement", "exchange"]
    mode: Annotated[
        Literal["batch", "at_once"],
        Field(description="Made in a batch, or at once at a visit; an exchange only at once."),
    ] = "batch"
    child: Child | None = None


class ApplicationView(BaseModel):
    """How far an application is. `reason`: where it was refused. `name`: masked, of who gets the
    card."""

    application_id: str
    kind: ApplicationKind
    mode: MakingMode
    state: FilingState
    name: str
    filed_at: datetime
    reason: str | None


class Applications(BaseModel):
    applications: list[ApplicationView]


class FiledApplication(BaseModel):
    application_id: str
    state: FilingState
