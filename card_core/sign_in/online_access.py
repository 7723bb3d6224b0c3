"""A holder without a window: a check of the person, then the e-card or another password.

    act = start_check(kernel, provider, CheckPurpose.ACTIVATE, Claim(number, name, card_number))
    ticket = kernel.perform(act, actor=CHECKING, ...)["ticket"]
    kernel.perform(take_result(kernel, provider, ticket, typed), actor=CHECKING, ...)
    kernel.perform(activate(kernel, ticket, password, ...), actor=CHECKING, ...)

Each function does what comes before its act: asking the provider, hashing a password. The act is
the caller's to perform, under a request id of its own, whether a page asks or a machine in a hall.
The ticket is a secret of the person's: whoever has it after the check was passed may go on.
"""

from datetime import datetime
from typing import Final

from card_core.application_errors import FamilyError
from card_core.errors import InvalidActError, WeakPasswordError
from card_core.holder_errors import (
    PersonCheckLockedError,
    PersonCheckOverError,
    PersonCheckUndecidedError,
)
from card_core.identity import IdentityNumber, IdentityNumberError, is_at_least
from card_core.identity.age import GUARDED_UNDER_YEARS
from card_core.kernel import Actor, ActorKind, Kernel, limits
from card_core.kernel.acts.online_access import (
    ActivateOnline,
    ChangeHolderPassword,
    ResetPassword,
)
from card_core.kernel.acts.person_checks import (
    DecidePersonCheck,
    StartPersonCheck,
    attempts_index,
    is_open,
    refuse_too_many,
)
from card_core.kernel.dates import SHANGHAI
from card_core.sign_in import entering
from card_core.sign_in.passwords import check_new_password, hash_password
from card_core.sign_in.person_check import Outcome, PersonCheck
from card_core.sign_in.profile import Profile
from card_core.store import Reader, credentials, holders, person_checks
from card_core.store.holders import Holder
from card_core.store.person_checks import CheckPurpose, CheckState, Claim
from card_core.store.person_checks import PersonCheck as CheckRow

CHECKING: Final = Actor(ActorKind.SYSTEM, "person_check")


def start_check(
    kernel: Kernel, provider: PersonCheck, purpose: CheckPurpose, typed: Claim
) -> StartPersonCheck:
    """Begin a check at the provider; the act's answer has the ticket and what the person is told.

    Everybody is checked, known here or not. Raises InvalidActError for what can't be a number or a
    name, FamilyError under 16; PersonCheckLockedError, PersonCheckUnavailableError.
    """
    number = _number(kernel, typed.social_security_number)
    claim = Claim(number, typed.name.strip(), typed.card_number.strip().upper())
    limits.check_text("name", claim.name)
    now = kernel.clock()
    with kernel.store.read() as tx:
        _refuse_locked(tx, number, now)
        refuse_too_many(tx, number, now)
    started = provider.start(claim.name, number)
    ticket = entering.new_token(kernel)
    told = {
        "ticket": ticket,
        "message_zh": started.message_zh,
        "message_en": started.message_en,
        "digits": started.digits,
        "address": started.address,
        "simulated": provider.is_simulated,
    }
    check_id = _check_id(kernel, ticket)
    return StartPersonCheck(check_id, purpose, claim, started.reference, provider.name, told)


def take_result(
    kernel: Kernel, provider: PersonCheck, ticket: str, typed: str = ""
) -> DecidePersonCheck:
    """Ask the provider what came of the check.

    Raises PersonCheckOverError, PersonCheckLockedError; PersonCheckUndecidedError,
    PersonCheckUnavailableError, where nothing is counted.
    """
    check = _open_check(kernel, ticket, CheckState.STARTED)
    with kernel.store.read() as tx:
        _refuse_locked(tx, check.claim.social_security_number, kernel.clock())
    # A check that was begun at another provider is nothing that this one can decide.
    if check.provider != provider.name:
        raise PersonCheckOverError
    outcome = provider.result(check.reference, typed)
    if outcome is Outcome.UNDECIDED:
        raise PersonCheckUndecidedError
    return DecidePersonCheck(check.id, outcome is Outcome.PASSED)


def activate(
    kernel: Kernel, ticket: str, password: str, *, pepper: bytes, profile: Profile = Profile.SM
) -> ActivateOnline:
    """password: six digits, by the rules of `check_new_password`, which only whoever passed the
    check is told of. Raises PersonCheckOverError, WeakPasswordError."""
    check_id, hashed = _new_password(
        kernel, ticket, CheckPurpose.ACTIVATE, password, pepper=pepper, profile=profile
    )
    return ActivateOnline(check_id, hashed)


def reset_password(
    kernel: Kernel, ticket: str, password: str, *, pepper: bytes, profile: Profile = Profile.SM
) -> ResetPassword:
    """As `activate`, for an e-card that is active."""
    check_id, hashed = _new_password(
        kernel, ticket, CheckPurpose.NEW_PASSWORD, password, pepper=pepper, profile=profile
    )
    return ResetPassword(check_id, hashed)


def change_holder_password(
    kernel: Kernel,
    holder: Actor,
    password: str,
    new_password: str,
    *,
    pepper: bytes,
    profile: Profile = Profile.SM,
) -> ChangeHolderPassword:
    """Prove the old password anew. Raises SignInRefusedError, SignInLockedError,
    WeakPasswordError."""
    with kernel.store.read() as tx:
        person = _holder(tx, holder.id)
    opened = entering.sign_in_holder(
        kernel, person.social_security_number, password, pepper=pepper, profile=profile
    )
    try:
        check_new_password(new_password, person)
        if new_password == password:
            raise WeakPasswordError(
                "新密码不能与原密码相同", "The new password must differ from the old one"
            )
    except WeakPasswordError:
        entering.sign_out(kernel, opened.token)
        raise
    hashed = hash_password(
        new_password, pepper=pepper, random_bytes=kernel.random_bytes, profile=profile
    )
    return ChangeHolderPassword(entering.token_digest(kernel, opened.token), hashed)


def _number(kernel: Kernel, typed: str) -> str:
    """A number as it is kept. What it says by itself may be told: it was typed."""
    try:
        number = IdentityNumber(typed.strip().upper())
    except IdentityNumberError:
        raise InvalidActError(
            "social_security_number",
            "社会保障号码有误，请核对",
            "is no social security number; check it",
        ) from None
    today = kernel.clock().astimezone(SHANGHAI).date()
    if not is_at_least(GUARDED_UNDER_YEARS, birth_on=number.birth_on, today=today):
        raise FamilyError(
            "under_age",
            "未满 16 周岁，请由监护人带户口簿到窗口办理",
            "Under 16 a guardian comes to a window, with the household register",
        )
    return number.text


def _refuse_locked(tx: Reader, number: str, now: datetime) -> None:
    attempts = credentials.attempts_of(tx, attempts_index(tx, number))
    until = None if attempts is None else attempts.locked_until
    if until is not None and now < until:
        raise PersonCheckLockedError(until)


def _open_check(kernel: Kernel, ticket: str, state: CheckState) -> CheckRow:
    """Raises PersonCheckOverError."""
    with kernel.store.read() as tx:
        check = person_checks.get(tx, _check_id(kernel, ticket))
    if check is None or not is_open(check, state, kernel.clock()):
        raise PersonCheckOverError
    return check


def _new_password(
    kernel: Kernel,
    ticket: str,
    purpose: CheckPurpose,
    password: str,
    *,
    pepper: bytes,
    profile: Profile,
) -> tuple[str, str]:
    """The check's id, and the hash of a password that its holder may have."""
    check = _open_check(kernel, ticket, CheckState.PASSED)
    if check.purpose is not purpose or check.holder_id is None:
        raise PersonCheckOverError
    with kernel.store.read() as tx:
        check_new_password(password, _holder(tx, check.holder_id))
    hashed = hash_password(
        password, pepper=pepper, random_bytes=kernel.random_bytes, profile=profile
    )
    return check.id, hashed


def _holder(tx: Reader, holder_id: str) -> Holder:
    """Raises PersonCheckOverError for a record that went meanwhile."""
    holder = holders.get(tx, holder_id)
    if holder is None:
        raise PersonCheckOverError
    return holder


def _check_id(kernel: Kernel, ticket: str) -> str:
    """What the database knows a ticket by."""
    return kernel.store.cipher.blind_index("person_check_ticket", entering.typed(ticket)).hex()
