"""Acts of signing in and out. The password is checked before, outside any transaction; an
operator's second factor within it (`second_factor`).

Failures are counted by a blind index of the name that was typed, whether or not anybody has it,
so that a lock-out tells nothing about who exists. The count decides inside the transaction:
of guesses that arrive together, at most FAILURES_MAX get to hear whether they were right.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from card_core.errors import NotAllowedError
from card_core.kernel import second_factor
from card_core.kernel.act import Act, Answer, Done, Scene
from card_core.kernel.second_factor import Proof
from card_core.service_channels import ATTENDED, CLERK_SESSION_LIFE
from card_core.service_channels import SESSION_LIFE as CHANNEL_SESSION_LIFE
from card_core.states import ServiceState
from card_core.store import (
    Lock,
    credentials,
    holder_base,
    holder_changes,
    operator_factors,
    operators,
    sessions,
)
from card_core.store.credentials import Attempts, SubjectKind
from card_core.store.operators import Role
from card_core.store.sessions import Session

FAILURES_MAX = 5
NOBODY = "nobody"
LOCK_MINUTES = 15
SESSION_LIFE = {
    SubjectKind.HOLDER: timedelta(hours=12),
    SubjectKind.OPERATOR: timedelta(hours=8),
}
AT_CHANNEL_LIFE = {
    SubjectKind.HOLDER: CHANNEL_SESSION_LIFE,
    SubjectKind.OPERATOR: CLERK_SESSION_LIFE,
}
SESSION_IDLE = timedelta(minutes=30)


def lock_attempts(scene: Scene, name_index: bytes) -> Attempts | datetime:
    """The failures in a row of this name, locked; or until when the name is."""
    attempts = credentials.lock_attempts(scene.tx, name_index, scene.now)
    if attempts.locked_until is None:
        return attempts
    if scene.now < attempts.locked_until:
        return attempts.locked_until
    return replace(attempts, failures=0)


def count_failure(scene: Scene, attempts: Attempts) -> None:
    failures = attempts.failures + 1
    locked = failures >= FAILURES_MAX
    until = scene.now + timedelta(minutes=LOCK_MINUTES) if locked else None
    credentials.set_attempts(scene.tx, attempts, failures, until, scene.now)


def is_at_work(scene: Scene, operator_id: str | None) -> bool:
    """Whether this is an active operator; at a service channel, a clerk."""
    operator = operators.get(scene.tx, operator_id or NOBODY)
    if operator is None or operator.state is not ServiceState.ACTIVE:
        return False
    return scene.standing.channel is None or Role.CLERK in operator.roles


def attempt_done(kind: SubjectKind, name_index: bytes, answer: Answer) -> Done:
    return Done(answer, f"sign_in/{name_index.hex()}", {**answer, "kind": kind.value})


@dataclass(frozen=True, slots=True, repr=False)
class SignIn(Act):
    """Count a failure or open a session.

    name_index: the blind index of what was typed. subject_id: whose password was compared, None
    where nobody has that name. password_digest: of the credential that was compared, so that a
    password changed meanwhile counts as wrong. token_digest: keyed digest of the session's token.
    proof: an operator's second factor; a holder has none. At a service channel the session is good
    at that channel alone, and short; clerks sign in where one serves, holders where none does.
    Answer: outcome `signed_in` with subject_id and expires_at, `refused`, `locked` with
    locked_until, or `factor_missing` where the password is right and the operator has no second
    factor yet.
    """

    act: ClassVar[str] = "sign_in"

    subject_kind: SubjectKind
    name_index: bytes
    subject_id: str | None
    password_digest: bytes
    matches: bool
    token_digest: bytes
    proof: Proof | None = None

    def apply(self, scene: Scene) -> Done:
        self._check_may_here(scene)
        attempts = lock_attempts(scene, self.name_index)
        if isinstance(attempts, datetime):
            return self._done("locked", {"locked_until": attempts.isoformat()})
        subject_id = self._who_may_enter(scene)
        if subject_id is not None and self._lacks_factor(scene, subject_id):
            return self._done("factor_missing", {})
        if subject_id is None or not self._is_proved(scene, subject_id):
            count_failure(scene, attempts)
            return self._done("refused", {})
        credentials.set_attempts(scene.tx, attempts, 0, None, scene.now)
        channel_id = scene.actor.channel_id
        life = AT_CHANNEL_LIFE if channel_id else SESSION_LIFE
        expires_at = scene.now + life[self.subject_kind]
        session = Session(
            self.subject_kind, subject_id, scene.now, scene.now, expires_at, channel_id
        )
        sessions.add(scene.tx, self.token_digest, session)
        answer = {"subject_id": subject_id, "expires_at": expires_at.isoformat()}
        return self._done("signed_in", answer)

    def _check_may_here(self, scene: Scene) -> None:
        """Raises NotAllowedError."""
        channel = scene.standing.channel
        is_clerk = self.subject_kind is SubjectKind.OPERATOR
        if channel is not None and is_clerk is not (channel in ATTENDED):
            raise NotAllowedError

    def _who_may_enter(self, scene: Scene) -> str | None:
        # Nobody's row is looked for, too, so that an unknown name costs what a known one does.
        credential = credentials.get(scene.tx, self.subject_kind, self.subject_id or NOBODY)
        if not self.matches or credential is None or credential.digest != self.password_digest:
            return None
        if self.subject_kind is SubjectKind.HOLDER and self._is_merged(scene):
            return None
        if self.subject_kind is SubjectKind.OPERATOR and not is_at_work(scene, self.subject_id):
            return None
        return self.subject_id

    def _lacks_factor(self, scene: Scene, subject_id: str) -> bool:
        return (
            self.subject_kind is SubjectKind.OPERATOR
            and operator_factors.get(scene.tx, subject_id) is None
        )

    def _is_proved(self, scene: Scene, subject_id: str) -> bool:
        if self.subject_kind is SubjectKind.HOLDER:
            return True
        challenge = second_factor.challenge_bytes(self.name_index, self.token_digest)
        return second_factor.is_proved(scene, subject_id, self.proof, challenge)

    def _is_merged(self, scene: Scene) -> bool:
        """Whether the record went into another since its number was looked for."""
        holder_id = self.subject_id or NOBODY
        holder_base.lock_record(scene.tx, holder_id, Lock.SHARED)
        return holder_changes.merged_into(scene.tx, holder_id) is not None

    def _done(self, outcome: str, more: Answer) -> Done:
        return attempt_done(self.subject_kind, self.name_index, {"outcome": outcome, **more})


@dataclass(frozen=True, slots=True, repr=False)
class SignOut(Act):
    """End the session with this token digest; one that is ended already stays so."""

    act: ClassVar[str] = "sign_out"

    token_digest: bytes

    def apply(self, scene: Scene) -> Done:
        ended = sessions.end(scene.tx, self.token_digest, scene.actor.id)
        return Done(
            {"ended": ended}, f"{scene.actor.kind.value}/{scene.actor.id}", {"ended": ended}
        )
