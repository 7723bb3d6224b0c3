"""Acts of a check of the person (本人核验): begun by somebody who claims to be a holder, decided by
what the provider says and by whether the claim fits the records.

Nobody is told which of the two it was. Failures are counted by a blind index of the number that
was typed, known or not, as those of sign-ins are; so are the checks that were begun.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from card_core import states
from card_core.holder_errors import PersonCheckLockedError
from card_core.kernel import limits
from card_core.kernel.act import Act, Answer, Done, Scene
from card_core.kernel.acts.sessions import NOBODY, count_failure, lock_attempts
from card_core.states import CardState, ECardState
from card_core.store import (
    Lock,
    Reader,
    cards,
    credentials,
    holder_base,
    holders,
    makings,
    person_checks,
)
from card_core.store.cards import Card, ECard
from card_core.store.credentials import SubjectKind
from card_core.store.holders import Holder
from card_core.store.person_checks import CheckPurpose, CheckState, Claim, PersonCheck

CHECK_LIFE: Final = timedelta(minutes=15)
STARTS_MAX: Final = 5
"""Of one number within CHECK_LIFE: the provider is asked, and may cost, each time."""
CHECK_FAILURES_MAX: Final = 3
NAME_MAX: Final = 64
CARD_NUMBER_MAX: Final = 16
REFERENCE_MAX: Final = 200
PROVIDER_MAX: Final = 32


def attempts_index(tx: Reader, social_security_number: str) -> bytes:
    """What failures of this number are counted by."""
    return tx.cipher.blind_index("person_check", social_security_number)


@dataclass(frozen=True, slots=True, repr=False)
class StartPersonCheck(Act):
    """Note that a check has begun at its provider.

    check_id: keyed digest of the ticket, 64 hex. told: what the caller is answered, the ticket
    among it. provider: the name of whoever checks. Answer: told, expires_at (ISO 8601, UTC).
    Raises PersonCheckLockedError.
    """

    act: ClassVar[str] = "start_person_check"

    check_id: str
    purpose: CheckPurpose
    claim: Claim
    reference: str
    provider: str
    told: Answer

    def __post_init__(self) -> None:
        limits.check_hash("check_id", self.check_id)
        claim = self.claim
        limits.check_text("name", claim.name, characters_max=NAME_MAX)
        limits.check_range("card_number", len(claim.card_number), 0, CARD_NUMBER_MAX)
        limits.check_text("reference", self.reference, characters_max=REFERENCE_MAX)
        limits.check_text("provider", self.provider, characters_max=PROVIDER_MAX)

    def request(self) -> Any:
        return {"check_id": self.check_id}

    def apply(self, scene: Scene) -> Done:
        number = self.claim.social_security_number
        lock_number(scene, number)
        refuse_too_many(scene.tx, number, scene.now)
        expires_at = scene.now + CHECK_LIFE
        new = PersonCheck(
            self.check_id,
            self.purpose,
            self.claim,
            self.reference,
            self.provider,
            scene.now,
            expires_at,
        )
        person_checks.add(scene.tx, new)
        answer = {**self.told, "expires_at": expires_at.isoformat()}
        return Done(answer, _subject(self.check_id), _detail(new, "started"))


@dataclass(frozen=True, slots=True, repr=False)
class DecidePersonCheck(Act):
    """Take what the provider said. passed: that the claimed person is there.

    Answer: outcome `passed` with expires_at; `refused`, whether the provider or the records say
    so; or `over` for a check that is unknown, done, or out of its time or tries.
    Raises PersonCheckLockedError.
    """

    act: ClassVar[str] = "decide_person_check"

    check_id: str
    passed: bool

    def __post_init__(self) -> None:
        limits.check_hash("check_id", self.check_id)

    def request(self) -> Any:
        return {"check_id": self.check_id}

    def apply(self, scene: Scene) -> Done:
        check = person_checks.get(scene.tx, self.check_id, Lock.OWN)
        if check is None or not is_open(check, CheckState.STARTED, scene.now):
            return Done({"outcome": "over"}, _subject(self.check_id), {"outcome": "over"})
        attempts = lock_number(scene, check.claim.social_security_number)
        holder_id = matching_holder(scene, check)
        if holder_id is None or not self.passed:
            count_failure(scene, attempts)
            person_checks.set_failures(scene.tx, check, check.failures + 1)
            return Done({"outcome": "refused"}, _subject(check.id), _detail(check, "refused"))
        credentials.set_attempts(scene.tx, attempts, 0, None, scene.now)
        expires_at = scene.now + CHECK_LIFE
        person_checks.set_passed(scene.tx, check, holder_id, expires_at)
        answer = {"outcome": "passed", "expires_at": expires_at.isoformat()}
        detail = {**_detail(check, "passed"), "holder_id": holder_id}
        return Done(answer, _subject(check.id), detail)


def is_open(check: PersonCheck, state: CheckState, now: datetime) -> bool:
    return check.state is state and now < check.expires_at and check.failures < CHECK_FAILURES_MAX


def lock_number(scene: Scene, number: str) -> credentials.Attempts:
    """The failures of this number, locked. Raises PersonCheckLockedError."""
    attempts = lock_attempts(scene, attempts_index(scene.tx, number))
    if isinstance(attempts, datetime):
        raise PersonCheckLockedError(attempts)
    return attempts


def refuse_too_many(tx: Reader, number: str, now: datetime) -> None:
    """Raises PersonCheckLockedError for a number that checks were begun for too often of late."""
    if person_checks.count_since(tx, number, now - CHECK_LIFE) >= STARTS_MAX:
        raise PersonCheckLockedError(now + CHECK_LIFE)


def matching_holder(scene: Scene, check: PersonCheck) -> str | None:
    """Whose record the claim fits, where what the check is for may be done; None otherwise.

    Each question is asked whatever the others came to, of nobody's record where there is none, so
    that the answer takes as long for whoever is unknown here.
    """
    tx, claim = scene.tx, check.claim
    holder_id = holders.find_id_by_number(tx, claim.social_security_number) or NOBODY
    # A merge that takes the record away waits, or has taken its number away.
    holder_base.lock_record(tx, holder_id, Lock.SHARED)
    holder = holders.get(tx, holder_id)
    card = cards.live_card_of(tx, holder_id)
    ecard = cards.find_ecard_of(tx, NOBODY if card is None else card.id)
    making = makings.get(tx, NOBODY if card is None else card.id)
    has_password = credentials.get(tx, SubjectKind.HOLDER, holder_id) is not None
    if holder is None or card is None or ecard is None:
        return None
    is_in_hand = making is not None and making.state in states.HANDED_OVER
    if check.purpose is CheckPurpose.ACTIVATE:
        may = _is_activatable(card, ecard, is_in_hand=is_in_hand)
    else:
        may = has_password and ecard.state is not ECardState.CANCELLED
    return holder_id if _fits(claim, holder, card, check.purpose) and may else None


def _is_activatable(card: Card, ecard: ECard, *, is_in_hand: bool) -> bool:
    """In use, or handed out and waiting for its holder; a card on its way has to be collected."""
    waits = card.state is CardState.NOT_ACTIVATED and is_in_hand
    return ecard.state is ECardState.NOT_ACTIVATED and (card.state is CardState.NORMAL or waits)


def _fits(claim: Claim, holder: Holder, card: Card, purpose: CheckPurpose) -> bool:
    is_name = hmac.compare_digest(claim.name.encode(), holder.name.encode())
    is_card = hmac.compare_digest(claim.card_number.encode(), card.card_number.encode())
    return is_name and (is_card or purpose is not CheckPurpose.ACTIVATE)


def _subject(check_id: str) -> str:
    return f"person_check/{check_id}"


def _detail(check: PersonCheck, outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "purpose": check.purpose.value, "provider": check.provider}
