"""Without a session: a check of the person, then the e-card or another password.

What is done is `card_core.sign_in.online_access`; here each request is done once under its
Idempotency-Key, which is kept for whoever knows the number or the ticket as well.
"""

from collections.abc import Callable

from card_core.holder_errors import (
    PersonCheckMissingError,
    PersonCheckOverError,
    PersonCheckRefusedError,
)
from card_core.kernel import Act, Actor, Answer
from card_core.sign_in import online_access
from card_core.sign_in.online_access import CHECKING
from card_core.sign_in.person_check import PersonCheck
from card_core.store.person_checks import CheckPurpose, Claim
from scan_api.holders.idempotency import HeldKey, perform_once
from scan_api.holders.person_check_models import (
    ActivatedECard,
    CheckForActivation,
    CheckForPassword,
    CheckResultRequest,
    NewPassword,
    PassedCheck,
    PasswordChange,
    PasswordSet,
    StartedCheck,
)
from scan_api.services import Services


def start(
    services: Services, held: HeldKey, request: CheckForActivation | CheckForPassword
) -> StartedCheck:
    """Raises: PersonCheckError, FamilyError, KernelError."""
    provider = _provider(services)
    number = request.social_security_number
    card_number = request.card_number if isinstance(request, CheckForActivation) else ""
    claim = Claim(number, request.name, card_number)
    purpose = CheckPurpose(request.purpose)

    def prepare() -> Act:
        return online_access.start_check(services.kernel, provider, purpose, claim)

    return StartedCheck(**_once(services, held, number, prepare))


def take_result(services: Services, held: HeldKey, request: CheckResultRequest) -> PassedCheck:
    """Raises: PersonCheckError, KernelError."""
    provider = _provider(services)

    def prepare() -> Act:
        return online_access.take_result(services.kernel, provider, request.ticket, request.typed)

    answer = _once(services, held, request.ticket, prepare)
    match answer["outcome"]:
        case "refused":
            raise PersonCheckRefusedError
        case "over":
            raise PersonCheckOverError
    return PassedCheck(**answer)


def activate(services: Services, held: HeldKey, request: NewPassword) -> ActivatedECard:
    """Raises: PersonCheckError, WeakPasswordError, KernelError."""

    def prepare() -> Act:
        return online_access.activate(
            services.kernel,
            request.ticket,
            request.new_password,
            pepper=services.pepper,
            profile=services.profile,
        )

    answer = _once(services, held, request.ticket, prepare)
    return ActivatedECard(e_card_state=answer["ecard_state"])


def reset_password(services: Services, held: HeldKey, request: NewPassword) -> PasswordSet:
    """Raises: PersonCheckError, WeakPasswordError, KernelError."""

    def prepare() -> Act:
        return online_access.reset_password(
            services.kernel,
            request.ticket,
            request.new_password,
            pepper=services.pepper,
            profile=services.profile,
        )

    return PasswordSet(**_once(services, held, request.ticket, prepare))


def change_password(
    services: Services, holder: Actor, held: HeldKey, request: PasswordChange
) -> None:
    """Raises: SignInError, KernelError."""

    def prepare() -> Act:
        return online_access.change_holder_password(
            services.kernel,
            holder,
            request.password,
            request.new_password,
            pepper=services.pepper,
            profile=services.profile,
        )

    perform_once(services.kernel, held, prepare, holder=holder)


def _provider(services: Services) -> PersonCheck:
    if services.person_check is None:
        raise PersonCheckMissingError
    return services.person_check


def _once(services: Services, held: HeldKey, known: str, prepare: Callable[[], Act]) -> Answer:
    """known: the number or ticket that goes with the key. Nobody's key is another person's."""
    parts = [b"person check", known.encode("utf-8", "surrogatepass"), held.key.encode()]
    own = HeldKey(services.store.cipher.keyed_digest(parts).hex(), held.fingerprint)
    return perform_once(services.kernel, own, prepare, holder=CHECKING)
