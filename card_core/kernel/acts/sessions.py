"""Acts of signing in and out. The password is checked before, outside any transaction.

Failures are counted by a blind index of the name that was typed, whether or not anybody has it,
so that a lock-out tells nothing about who exists. The count decides inside the transaction:
of guesses that arrive together, at most FAILURES_MAX get to hear whether they were right.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from card_core.kernel.act import Act, Done, Scene
from card_core.states import ServiceState
from card_core.store import (
    Lock,
    credentials,
    holder_base,
    holder_changes,
    operators,
    sessions,
)
from card_core.store.credentials import SubjectKind
from card_core.store.sessions import Session

FAILURES_MAX = 5
NOBODY = "nobody"
LOCK_MINUTES = 15
SESSION_LIFE = {
    SubjectKind.HOLDER: timedelta(hours=12),
    SubjectKind.OPERATOR: timedelta(hours=8),
}
SESSION_IDLE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, repr=False)
class SignIn(Act):
    """Count a failure or open a session.

    name_index: the blind index of what was typed. subject_id: whose password was compared, None
    where nobody has that name. password_version: of the credential that was compared, so that a
    password changed meanwhile counts as wrong. token_digest: keyed digest of the session's token.
    Answer: outcome `signed_in` with subject_id and expires_at, `refused`, or `locked` with
    locked_until.
    """

    act: ClassVar[str] = "sign_in"

    subject_kind: SubjectKind
    name_index: bytes
    subject_id: str | None
    password_version: int
    matches: bool
    token_digest: bytes

    def apply(self, scene: Scene) -> Done:
        attempts = credentials.lock_attempts(scene.tx, self.name_index, scene.now)
        if attempts.locked_until is not None and scene.now < attempts.locked_until:
            return self._done("locked", {"locked_until": attempts.locked_until.isoformat()})
        failures = 0 if attempts.locked_until is not None else attempts.failures
        subject_id = self._who_may_enter(scene)
        if subject_id is None:
            failures += 1
            locked = failures >= FAILURES_MAX
            until = scene.now + timedelta(minutes=LOCK_MINUTES) if locked else None
            credentials.set_attempts(scene.tx, attempts, failures, until, scene.now)
            return self._done("refused", {})
        credentials.set_attempts(scene.tx, attempts, 0, None, scene.now)
        expires_at = scene.now + SESSION_LIFE[self.subject_kind]
        session = Session(self.subject_kind, subject_id, scene.now, scene.now, expires_at)
        sessions.add(scene.tx, self.token_digest, session)
        answer = {"subject_id": subject_id, "expires_at": expires_at.isoformat()}
        return self._done("signed_in", answer)

    def _who_may_enter(self, scene: Scene) -> str | None:
        # Nobody's row is looked for, too, so that an unknown name costs what a known one does.
        credential = credentials.get(scene.tx, self.subject_kind, self.subject_id or NOBODY)
        if not self.matches or credential is None or credential.version != self.password_version:
            return None
        if self.subject_kind is SubjectKind.HOLDER and self._is_merged(scene):
            return None
        if self.subject_kind is SubjectKind.OPERATOR:
            operator = operators.get(scene.tx, self.subject_id or NOBODY)
            if operator is None or operator.state is not ServiceState.ACTIVE:
                return None
        return self.subject_id

    def _is_merged(self, scene: Scene) -> bool:
        """Whether the record went into another since its number was looked for."""
        holder_id = self.subject_id or NOBODY
        holder_base.lock_record(scene.tx, holder_id, Lock.SHARED)
        return holder_changes.merged_into(scene.tx, holder_id) is not None

    def _done(self, outcome: str, more: dict[str, Any]) -> Done:
        answer = {"outcome": outcome, **more}
        subject = f"sign_in/{self.name_index.hex()}"
        return Done(answer, subject, {**answer, "kind": self.subject_kind.value})


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
