"""Entering and leaving: sessions, and who a token belongs to.

The slow hash of a password runs outside any transaction; what it said is judged inside one
(`kernel.acts.sessions`), where failures are counted and the lock decides. An unknown person costs
the same work and gets the same answer.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from card_core.errors import (
    FactorMissingError,
    SessionEndedError,
    SignInLockedError,
    SignInRefusedError,
)
from card_core.kernel import Act, Actor, ActorKind, Answer, Kernel, second_factor
from card_core.kernel.acts.sessions import NOBODY, SESSION_IDLE, SignIn, SignOut
from card_core.service_channels import CLERK_SESSION_IDLE
from card_core.service_channels import SESSION_IDLE as CHANNEL_SESSION_IDLE
from card_core.sign_in import passwords
from card_core.sign_in.factors import Prover
from card_core.sign_in.profile import Profile
from card_core.store import Reader, credentials, holders, operators, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.operator_factors import FactorKind
from card_core.store.sessions import Session

TOKEN_SIZE_BYTES = 32
NAME_MAX = 64
TOUCH_EVERY = timedelta(minutes=1)
CHANNEL_TOUCH_EVERY = timedelta(seconds=15)
_SIGNING_IN = "sign_in"
_AT_CHANNEL_IDLE = {
    SubjectKind.HOLDER: CHANNEL_SESSION_IDLE,
    SubjectKind.OPERATOR: CLERK_SESSION_IDLE,
}


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    """A new session. token: for the person's browser only; what is stored is a keyed digest.

    expires_at: aware, UTC; the session ends then, or after half an hour without use.
    """

    token: str
    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Compared:
    """What a typed name and password came to. digest: of the credential that was compared."""

    name_index: bytes
    subject_id: str | None
    digest: bytes
    matches: bool


def sign_in_holder(
    kernel: Kernel,
    number: str,
    password: str,
    *,
    pepper: bytes,
    profile: Profile = Profile.SM,
    channel_id: str | None = None,
) -> SignedIn:
    """number: the social security number, as typed. channel_id: the service channel before which
    the holder stands, and the only place where the session then is one.

    Raises SignInRefusedError, SignInLockedError.
    """
    compared = compare(
        kernel, SubjectKind.HOLDER, typed(number).upper(), password, pepper=pepper, profile=profile
    )
    return _sign_in(kernel, SubjectKind.HOLDER, compared, None, profile, channel_id=channel_id)


def sign_in_operator(
    kernel: Kernel,
    name: str,
    password: str,
    prover: Prover,
    *,
    pepper: bytes,
    profile: Profile = Profile.SM,
    token: str | None = None,
    channel_id: str | None = None,
) -> SignedIn:
    """prover: answers with the operator's second factor. token: of `new_token`, where the challenge
    was told before (`challenge_of`); good for one attempt. channel_id: the service channel at which
    a clerk signs in, and the only place where the session then is one.

    Raises SignInRefusedError, for a wrong name, password or second factor alike;
    SignInLockedError; FactorMissingError for who has no second factor yet.
    """
    compared = compare(
        kernel, SubjectKind.OPERATOR, typed(name).lower(), password, pepper=pepper, profile=profile
    )
    return _sign_in(
        kernel,
        SubjectKind.OPERATOR,
        compared,
        prover,
        profile,
        token=token,
        channel_id=channel_id,
    )


def challenge_of(kernel: Kernel, name: str, token: str) -> bytes:
    """What an operator's key signs for a session that will have this token.

    It tells nothing of the token, and the same of a name that nobody has.
    """
    index = kernel.store.cipher.blind_index("sign_in.operator", typed(name).lower())
    return second_factor.challenge_bytes(index, token_digest(kernel, token))


def authenticate(kernel: Kernel, token: str, *, channel_id: str | None = None) -> Actor:
    """Return whose session this is, and note that it is in use.

    channel_id: the service channel that shows the token. A session of a channel is none anywhere
    else, and none of a browser's is one there. Raises SessionEndedError.
    """
    session = live_session(kernel, token, channel_id=channel_id)
    touch_every = TOUCH_EVERY if channel_id is None else CHANNEL_TOUCH_EVERY
    if kernel.clock() - session.last_seen_at >= touch_every:
        kernel.touch_session(token_digest(kernel, token))
    return Actor(ActorKind(session.subject_kind.value), session.subject_id, session.channel_id)


def live_session(kernel: Kernel, token: str, *, channel_id: str | None = None) -> Session:
    """The session as it stands, which does not count as use of it. Raises SessionEndedError."""
    with kernel.store.read() as tx:
        session = sessions.find(tx, token_digest(kernel, token))
    if session is None or session.channel_id != channel_id or kernel.clock() >= ends_at(session):
        raise SessionEndedError
    return session


def ends_at(session: Session) -> datetime:
    """When the session ends if it is not used again; aware, UTC."""
    idle = SESSION_IDLE if session.channel_id is None else _AT_CHANNEL_IDLE[session.subject_kind]
    return min(session.expires_at, session.last_seen_at + idle)


def sign_out(kernel: Kernel, token: str, *, channel_id: str | None = None) -> None:
    """End the session; one that has ended already stays so."""
    try:
        actor = authenticate(kernel, token, channel_id=channel_id)
    except SessionEndedError:
        return
    kernel.perform(
        SignOut(token_digest(kernel, token)), actor=actor, request_id=new_request_id(kernel)
    )


def compare(
    kernel: Kernel,
    kind: SubjectKind,
    name: str,
    password: str,
    *,
    pepper: bytes,
    profile: Profile,
) -> Compared:
    """Do the slow work on a typed password. Raises SignInLockedError before it."""
    name_index = kernel.store.cipher.blind_index(f"sign_in.{kind.value}", name)
    with kernel.store.read() as tx:
        attempts = credentials.attempts_of(tx, name_index)
        subject_id = _find_subject(tx, kind, name)
        credential = credentials.get(tx, kind, subject_id or NOBODY)
    locked_until = None if attempts is None else attempts.locked_until
    if locked_until is not None and kernel.clock() < locked_until:
        raise SignInLockedError(locked_until)
    stored = None if credential is None else credential.password_hash
    return Compared(
        name_index,
        subject_id,
        bytes(32) if credential is None else credential.digest,
        passwords.matches(password, pepper, stored, profile),
    )


def typed(name: str) -> str:
    """What can't be anybody's name is nobody's; the rest goes on as it was typed."""
    name = name.strip()
    return name if len(name) <= NAME_MAX and name.isprintable() else ""


def token_digest(kernel: Kernel, token: str) -> bytes:
    return kernel.store.cipher.blind_index("session", typed(token))


def new_token(kernel: Kernel) -> str:
    return base64.urlsafe_b64encode(kernel.random_bytes(TOKEN_SIZE_BYTES)).decode().rstrip("=")


def new_request_id(kernel: Kernel) -> str:
    return kernel.random_bytes(16).hex()


def perform_attempt(kernel: Kernel, act: Act, *, channel_id: str | None = None) -> Answer:
    """Do an act of signing in. Raises what its answer says: SignInRefusedError,
    SignInLockedError, FactorMissingError."""
    actor = Actor(ActorKind.SYSTEM, _SIGNING_IN, channel_id)
    answer = kernel.perform(act, actor=actor, request_id=new_request_id(kernel))
    match answer["outcome"]:
        case "refused":
            raise SignInRefusedError
        case "locked":
            raise SignInLockedError(datetime.fromisoformat(answer["locked_until"]))
        case "factor_missing":
            raise FactorMissingError
    return answer


def _sign_in(
    kernel: Kernel,
    kind: SubjectKind,
    compared: Compared,
    prover: Prover | None,
    profile: Profile,
    *,
    token: str | None = None,
    channel_id: str | None = None,
) -> SignedIn:
    token = token or new_token(kernel)
    digest = token_digest(kernel, token)
    proof = None
    if prover is not None:
        proof = prover(second_factor.challenge_bytes(compared.name_index, digest))
        if proof.kind is FactorKind.DYNAMIC and not profile.admits_dynamic_passwords:
            proof = None  # wrong, like any other that doesn't fit
    act = SignIn(
        subject_kind=kind,
        name_index=compared.name_index,
        subject_id=compared.subject_id,
        password_digest=compared.digest,
        matches=compared.matches,
        token_digest=digest,
        proof=proof,
    )
    answer = perform_attempt(kernel, act, channel_id=channel_id)
    actor = Actor(ActorKind(kind.value), answer["subject_id"], channel_id)
    return SignedIn(token, actor, datetime.fromisoformat(answer["expires_at"]))


def _find_subject(tx: Reader, kind: SubjectKind, name: str) -> str | None:
    if kind is SubjectKind.HOLDER:
        return holders.find_id_by_number(tx, name)
    operator = operators.find_by_name(tx, name)
    return None if operator is None else operator.id
