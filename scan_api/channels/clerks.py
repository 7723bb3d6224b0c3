"""What a clerk asks at a service channel (a bank's counter, a tablet at a home).

1 which channel it is, by its signature · 2 the clerk's session at it · 3 the person's number and
name, as in their document, fit one record; whatever does not is one answer · 4 the act, in whose
transaction clerk, channel and card are read anew.
"""

import hmac
from datetime import date, datetime

from card_core import sign_in
from card_core.applying import MakingMode
from card_core.errors import (
    FactorMissingError,
    NotFoundError,
    SessionEndedError,
    SignInRefusedError,
)
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.cards import ActivateCard, ReportTemporaryLoss
from card_core.kernel.acts.filings import FileApplication
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.second_factor import Proof
from card_core.service_channels import ATTENDED
from card_core.sign_in import Prover
from card_core.store import cards, holders, operators
from card_core.store.cards import Card
from card_core.store.operator_factors import FactorKind
from scan_api import problems
from scan_api.channels.clerk_models import (
    ActivatedCard,
    CardActivation,
    ClerkChallenge,
    ClerkChallengeRequest,
    ClerkLossReport,
    ClerkSession,
    ClerkSignIn,
    FiledAtVisit,
    Person,
    VisitApplication,
)
from scan_api.channels.models import CardLost
from scan_api.problems import ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.services import Services
from scan_api.terminals.authentication import Caller

_NEW = "新申领"


class ClerkDesk:
    """Counts, for each clerk, who was looked for and not found. Safe in many threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._not_found = RefusalLimit()

    def challenge(self, caller: Caller, asked: ClerkChallengeRequest) -> ClerkChallenge:
        """Raises: ProblemError."""
        _require_attended(caller)
        found = sign_in.challenge_of(self._services.kernel, asked.name, asked.attempt)
        return ClerkChallenge(challenge=found.hex())

    def sign_in(self, caller: Caller, asked: ClerkSignIn) -> ClerkSession:
        """Raises: ProblemError, SignInRefusedError, SignInLockedError."""
        _require_attended(caller)
        services = self._services
        token, prover = self._second_factor(caller, asked)
        try:
            opened = sign_in.sign_in_operator(
                services.kernel,
                asked.name,
                asked.password,
                prover,
                pepper=services.pepper,
                profile=services.profile,
                token=token,
                channel_id=caller.terminal.id,
            )
        except FactorMissingError:
            # That the password was right is nothing for this machine to say.
            raise SignInRefusedError from None
        with services.store.read() as tx:
            operator = operators.get(tx, opened.actor.id)
        return ClerkSession(
            session=opened.token,
            expires_at=opened.expires_at,
            clerk="" if operator is None else operator.display_name,
            server_time=services.clock(),
        )

    def activate(self, caller: Caller, asked: CardActivation) -> ActivatedCard:
        """With the hand-over, where that was not done before and the channel may.

        Raises: ProblemError, SessionEndedError, KernelError.
        """
        clerk = self._clerk(caller, asked.session)
        card = self._card_of(clerk, asked.person, asked.card_number)
        act = ActivateCard(card.id, asked.evidence)
        try:
            answer = self._services.kernel.perform(act, actor=clerk, request_id=asked.request_id)
        except NotFoundError:
            # Another branch's card is as good as none.
            raise self._nobody(clerk) from None
        return ActivatedCard(card_state=answer["card_state"])

    def report_loss(self, caller: Caller, asked: ClerkLossReport) -> CardLost:
        """Raises: ProblemError, SessionEndedError, KernelError."""
        clerk = self._clerk(caller, asked.session)
        act = ReportTemporaryLoss(self._card_of(clerk, asked.person).id)
        answer = self._services.kernel.perform(act, actor=clerk, request_id=asked.request_id)
        return CardLost(card_state=answer["card_state"], loss_lapses_at=answer["loss_lapses_at"])

    def apply(self, caller: Caller, asked: VisitApplication) -> FiledAtVisit:
        """Raises: ProblemError, SessionEndedError, ApplicationFaultsError,
        ApplicationRefusedError, KernelError."""
        clerk = self._clerk(caller, asked.session)
        services = self._services
        fields = {**asked.applicant.model_dump(), "kind": _NEW}
        application = services.check_application(fields, _today(services.clock()))
        act = FileApplication(application, MakingMode.BATCH, asked.evidence)
        answer = services.kernel.perform(act, actor=clerk, request_id=asked.request_id)
        return FiledAtVisit(application_id=answer["filing_id"], state=answer["state"])

    def _second_factor(self, caller: Caller, asked: ClerkSignIn) -> tuple[str | None, Prover]:
        """The token that was drawn for a challenge, if any, and the proof."""
        if asked.dynamic_password is not None:
            return None, sign_in.by_digits(asked.dynamic_password)
        if asked.attempt is None or asked.signature is None:
            raise SignInRefusedError
        kernel, channel_id = self._services.kernel, caller.terminal.id
        try:
            sign_in.live_session(kernel, asked.attempt, channel_id=channel_id)
        except SessionEndedError:
            proof = Proof(FactorKind.SM2, bytes.fromhex(asked.signature))
            return asked.attempt, lambda _: proof
        # An attempt is good once; whoever has lost the answer draws another.
        raise SignInRefusedError

    def _clerk(self, caller: Caller, token: str) -> Actor:
        """Raises: ProblemError, SessionEndedError."""
        _require_attended(caller)
        kernel, channel_id = self._services.kernel, caller.terminal.id
        actor = sign_in.authenticate(kernel, token, channel_id=channel_id)
        if actor.kind is not ActorKind.OPERATOR:
            raise ProblemError(problems.SIGN_IN_NEEDED)
        return actor

    def _card_of(self, clerk: Actor, person: Person, card_number: str | None = None) -> Card:
        """The card of whoever has this number and this name. card_number: the card at hand.

        Raises ProblemError, the same whichever of them does not fit, and another one for a clerk
        who only tries.
        """
        with self._services.store.read() as tx:
            number = person.social_security_number.strip().upper()
            holder = holders.find_by_number(tx, number)
            card = None if holder is None else cards.live_card_of(tx, holder.id)
        is_person = holder is not None and _same(person.name, holder.name)
        if card is None or not is_person:
            raise self._nobody(clerk)
        if card_number is not None and not _same(card_number.upper(), card.card_number):
            raise self._nobody(clerk)
        return card

    def _nobody(self, clerk: Actor) -> ProblemError:
        if wait_seconds := self._not_found.take(clerk.id, self._services.clock()):
            headers = {"Retry-After": str(wait_seconds)}
            return ProblemError(problems.TOO_MANY_TRIES, headers=headers)
        return ProblemError(problems.CARD_NOT_HERE)


def _require_attended(caller: Caller) -> None:
    """Raises: ProblemError (not_allowed) where no clerk is."""
    if caller.terminal.channel not in ATTENDED:
        raise ProblemError(problems.NOT_ALLOWED)


def _same(typed: str, known: str) -> bool:
    return hmac.compare_digest(typed.strip().encode(), known.encode())


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
