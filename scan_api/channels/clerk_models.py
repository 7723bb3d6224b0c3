"""What a clerk at a service channel sends and gets. All times RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from card_core.applying import FilingEvidence
from card_core.kernel.acts.cards import Evidence
from card_core.states import CardState, FilingState
from scan_api.channels.models import ChannelRequest, SessionToken
from scan_api.holders.application_models import Applicant
from scan_api.scans.models import RequestId

OperatorName = Annotated[str, Field(min_length=1, max_length=64)]
Attempt = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{43}$",
        description="32 random bytes that the channel drew for this attempt alone, in base64url.",
    ),
]


class ClerkChallengeRequest(ChannelRequest):
    """For who signs in with a key."""

    name: OperatorName
    attempt: Attempt


class ClerkChallenge(BaseModel):
    """What the operator's key signs, in hex; the same for a name that nobody has."""

    challenge: str


class ClerkSignIn(ChannelRequest):
    """Name, password and one second factor: a dynamic password, or the key's signature over the
    challenge of `attempt`, which then is the session's token."""

    name: OperatorName
    password: Annotated[str, Field(min_length=1, max_length=256)]
    dynamic_password: Annotated[str | None, Field(pattern=r"^[0-9]{6}$")] = None
    attempt: Attempt | None = None
    signature: Annotated[
        str | None, Field(pattern=r"^[0-9a-f]{128}$", description="64 bytes, r then s, in hex.")
    ] = None


class ClerkSession(BaseModel):
    """Good at this channel alone, until `expires_at`, and ten minutes without use."""

    session: str
    expires_at: datetime
    clerk: Annotated[str, Field(description="The clerk's own name, for the clerk's own screen.")]
    server_time: datetime


class Person(ChannelRequest):
    """Who is before the clerk, as their document says: both must fit one record."""

    social_security_number: Annotated[str, Field(min_length=1, max_length=32)]
    name: Annotated[str, Field(min_length=1, max_length=64)]


class CardActivation(ChannelRequest):
    """The card is in the clerk's hand, and the person before them."""

    session: SessionToken
    request_id: RequestId
    person: Person
    card_number: Annotated[str, Field(min_length=1, max_length=32, description="On the card.")]
    evidence: Annotated[
        Literal[Evidence.IDENTITY_DOCUMENT, Evidence.GUARDIAN_DOCUMENT],
        Field(description="What was seen: the holder's document, or the guardian's with theirs."),
    ]


class ClerkLossReport(ChannelRequest):
    """This person's card is lost."""

    session: SessionToken
    request_id: RequestId
    person: Person


class ActivatedCard(BaseModel):
    card_state: CardState


class VisitApplication(ChannelRequest):
    """A new card for somebody of 16 or older who was visited at home."""

    session: SessionToken
    request_id: RequestId
    applicant: Applicant
    evidence: Literal[FilingEvidence.IDENTITY_DOCUMENT, FilingEvidence.HOUSEHOLD_REGISTER]


class FiledAtVisit(BaseModel):
    """`filed`: somebody else at the bureau looks at it."""

    application_id: str
    state: FilingState
