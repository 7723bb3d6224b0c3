"""An operator's own way in: the first second factor, and another password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from card_core.errors import AlreadyExistsError, NotAllowedError
from card_core.kernel import limits, second_factor
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.operators import PASSWORD_HASH_MAX
from card_core.kernel.acts.sessions import (
    NOBODY,
    attempt_done,
    count_failure,
    is_at_work,
    lock_attempts,
)
from card_core.kernel.public_keys import parse_public_key
from card_core.kernel.second_factor import Proof
from card_core.store import credentials, operator_factors, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.operator_factors import Factor, FactorKind

# An open session, perhaps at a computer that was left, is not enough to change a password.
PROVED_WITHIN = timedelta(minutes=1)
_POINT_SIZE_BYTES = 33


@dataclass(frozen=True, slots=True, repr=False)
class EnrolFactor(Act):
    """Give an operator who has none a second factor, and a password of their own choice.

    Until then they have what somebody else chose for them, which opens no session. Failures count
    towards the lock of sign-ins. name_index, operator_id, password_digest, matches: as in
    `SignIn`, of the password so far. attempt: keyed digest of what was drawn for this attempt; the
    new factor proves itself over it. password_hash: of the new password.
    Answer: outcome `enrolled`, `refused`, or `locked` with locked_until.
    """

    act: ClassVar[str] = "enrol_factor"

    name_index: bytes
    operator_id: str | None
    password_digest: bytes
    matches: bool
    attempt: bytes
    password_hash: str
    kind: FactorKind
    public_key: bytes | None
    secret: bytes | None
    proof: Proof

    def __post_init__(self) -> None:
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)
        if self.kind is FactorKind.SM2:
            limits.check_size("public_key", self.public_key or b"", _POINT_SIZE_BYTES)
            parse_public_key("public_key", self.public_key or b"")
        else:
            limits.check_size("secret", self.secret or b"", second_factor.SECRET_SIZE_BYTES)

    def request(self) -> Any:
        """Nobody repeats it; and no secret is hashed where it need not be."""
        return {"attempt": self.attempt.hex()}

    def apply(self, scene: Scene) -> Done:
        attempts = lock_attempts(scene, self.name_index)
        if isinstance(attempts, datetime):
            return self._done({"outcome": "locked", "locked_until": attempts.isoformat()})
        operator_id = self._who(scene)
        # With a factor there it tells no more than a sign-in does: not that the password is right.
        if operator_id is None or operator_factors.lock(scene.tx, operator_id) is not None:
            count_failure(scene, attempts)
            return self._done({"outcome": "refused"})
        if self.public_key is not None and operator_factors.has_key(scene.tx, self.public_key):
            raise AlreadyExistsError("operator key")
        given = Factor(self.kind, self.public_key, self.secret)
        challenge = second_factor.challenge_bytes(self.name_index, self.attempt)
        factor = second_factor.check_new(given, self.proof, challenge, scene.now)
        operator_factors.put(scene.tx, operator_id, factor, scene.now)
        credentials.put(scene.tx, SubjectKind.OPERATOR, operator_id, self.password_hash, scene.now)
        credentials.set_attempts(scene.tx, attempts, 0, None, scene.now)
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, operator_id)
        return self._done({"outcome": "enrolled"})

    def _who(self, scene: Scene) -> str | None:
        operator_id = self.operator_id or NOBODY
        credential = credentials.get(scene.tx, SubjectKind.OPERATOR, operator_id)
        if not self.matches or credential is None or credential.digest != self.password_digest:
            return None
        return operator_id if is_at_work(scene, operator_id) else None

    def _done(self, answer: dict[str, Any]) -> Done:
        return attempt_done(SubjectKind.OPERATOR, self.name_index, answer)


@dataclass(frozen=True, slots=True, repr=False)
class ChangePassword(Act):
    """Set the acting operator's password and end all their sessions.

    token_digest: of a session of theirs that was opened, with password and second factor, within
    PROVED_WITHIN. password_hash: of `card_core.sign_in.hash_password`.
    """

    act: ClassVar[str] = "change_password"

    token_digest: bytes
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)

    def apply(self, scene: Scene) -> Done:
        session = sessions.find(scene.tx, self.token_digest)
        if (
            session is None
            or session.subject_kind is not SubjectKind.OPERATOR
            or session.subject_id != scene.actor.id
            or scene.now - session.created_at > PROVED_WITHIN
        ):
            raise NotAllowedError
        credentials.put(
            scene.tx, SubjectKind.OPERATOR, scene.actor.id, self.password_hash, scene.now
        )
        sessions.end_all(scene.tx, SubjectKind.OPERATOR, scene.actor.id)
        return Done({"changed": True}, f"operator/{scene.actor.id}")
