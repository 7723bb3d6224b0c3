"""Acts on this bureau's own issuer keys: prepare, activate, end, and revoke in an emergency.

Private keys never come here: the key provider makes and keeps them, and an act carries the public
half. Keys of other issuers are trusted by trust lists alone (`kernel.acts.trust`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from card_core import states
from card_core.codes import CodeKey, KeyPurpose, KeyState, key_life
from card_core.codes.key_life import ACTIVATION_LEAD, KEY
from card_core.errors import (
    AlreadyExistsError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    TooEarlyError,
)
from card_core.kernel import limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.public_keys import parse_public_key
from card_core.states import Step
from card_core.store import Reader, Transaction, issuers

ISSUER_MAX = 0xFFFF
KEY_NUMBER_MAX = 0xFF
PLANNED_AHEAD_MAX = timedelta(days=31)


class RevocationCause(StrEnum):
    """Why a key is revoked, as the audit log keeps it."""

    LEAKED = "leaked"
    LOST = "lost"
    PRECAUTION = "precaution"


@dataclass(frozen=True, slots=True)
class RegisterIssuerKey(DangerousAct):
    """Make one of this bureau's keys known (33 or 65 bytes, SEC 1): pending, so that nothing that
    it signs is believed yet.

    The system may do it alone while there is no key of the purpose; that one is active at once.
    """

    act: ClassVar[str] = "register_issuer_key"

    issuer: int
    number: int
    public_key: bytes
    purpose: KeyPurpose = KeyPurpose.CODE_SIGNING

    def __post_init__(self) -> None:
        limits.check_range("issuer", self.issuer, 1, ISSUER_MAX)
        _check_number("number", self.number)
        parse_public_key("public_key", self.public_key)

    def summary(self, tx: Reader) -> str:
        key = f"{self.issuer}.{self.number}"
        point = parse_public_key("public_key", self.public_key).to_bytes(compressed=True).hex()
        return (
            f"登记待用密钥 {key} / Prepare issuer key {key} ({self.purpose.value}), "
            f"公钥 public key {point}"
        )

    def is_part_of_set_up(self, tx: Reader) -> bool:
        own = issuers.own(tx)
        return (
            own is not None
            and own.number == self.issuer
            and not issuers.keys_of(tx, self.issuer, self.purpose)
        )

    def apply(self, scene: Scene) -> Done:
        if self.issuer != _own_number(scene.tx):
            raise NotAllowedError
        issuers.lock_keys(scene.tx)
        public_key = parse_public_key("public_key", self.public_key)
        for key in issuers.keys(scene.tx):
            # One key for two purposes would let a signature of the one pass for the other.
            if key.public_key == public_key or _is(key, self.issuer, self.number, self.purpose):
                raise AlreadyExistsError("issuer key")
        alone = scene.actor.kind is ActorKind.SYSTEM and self.is_part_of_set_up(scene.tx)
        state = KeyState.ACTIVE if alone else KeyState.PENDING
        key = CodeKey(self.issuer, self.number, public_key, state, self.purpose)
        issuers.add_key(scene.tx, key)
        return _done(key)


@dataclass(frozen=True, slots=True)
class ActivateIssuerKey(DangerousAct):
    """Let a pending key sign, and the one that signs now only verify from then on.

    signs_from: aware; at the earliest ACTIVATION_LEAD after the approval, which is also what None
    means. Refused while an earlier activation is still to take effect.
    """

    act: ClassVar[str] = "activate_issuer_key"

    purpose: KeyPurpose
    number: int
    signs_from: datetime | None = None

    def __post_init__(self) -> None:
        _check_number("number", self.number)
        if self.signs_from is not None and self.signs_from.tzinfo is None:
            raise InvalidActError("signs_from", "应带时区", "must have a time zone")

    def summary(self, tx: Reader) -> str:
        zh, en = "尽快", "as soon as can be"
        if self.signs_from is not None:
            zh = en = f"{self.signs_from.isoformat()}"
        return (
            f"启用密钥 {self.purpose.value} {self.number}，起用时间 {zh} / "
            f"Activate key {self.purpose.value} {self.number}, signs from {en}"
        )

    def apply(self, scene: Scene) -> Done:
        issuers.lock_keys(scene.tx)
        pending = _get(scene.tx, self.purpose, self.number)
        signs_from = _signs_from(scene.now, self.signs_from)
        for key in issuers.keys_of(scene.tx, pending.issuer, self.purpose):
            if key.state is KeyState.ACTIVE:
                _supersede(scene, key, signs_from)
        return _done(_step(scene.tx, replace(pending, signs_from=signs_from), Step.ACTIVATE))


@dataclass(frozen=True, slots=True)
class EndIssuerKey(DangerousAct):
    """Close a key whose overlap is over. Raises TooEarlyError before that."""

    act: ClassVar[str] = "end_issuer_key"

    purpose: KeyPurpose
    number: int

    def __post_init__(self) -> None:
        _check_number("number", self.number)

    def summary(self, tx: Reader) -> str:
        return (
            f"停用已过重叠期的密钥 {self.purpose.value} {self.number} / "
            f"End key {self.purpose.value} {self.number}, its overlap being over"
        )

    def apply(self, scene: Scene) -> Done:
        issuers.lock_keys(scene.tx)
        key = _get(scene.tx, self.purpose, self.number)
        states.after(KEY, "issuer key", key.state, Step.END)
        end = key_life.ends_at(key)
        if end is None or scene.now <= end:
            raise TooEarlyError(end)
        return _done(_step(scene.tx, key, Step.END))


@dataclass(frozen=True, slots=True)
class RevokeIssuerKey(DangerousAct):
    """Believe nothing that the key signed, from this commit on: for emergencies.

    successor: a pending key that signs instead, after ACTIVATION_LEAD. Without one nothing is
    signed for the purpose until a key is activated.
    """

    act: ClassVar[str] = "revoke_issuer_key"

    purpose: KeyPurpose
    number: int
    cause: RevocationCause
    successor: int | None = None

    def __post_init__(self) -> None:
        _check_number("number", self.number)
        if self.successor is not None:
            _check_number("successor", self.successor)

    def summary(self, tx: Reader) -> str:
        instead_zh = "" if self.successor is None else f"，由密钥 {self.successor} 接替"
        instead_en = "" if self.successor is None else f", key {self.successor} signs instead"
        return (
            f"紧急吊销密钥 {self.purpose.value} {self.number}（{self.cause.value}）{instead_zh} / "
            f"Revoke key {self.purpose.value} {self.number} at once ({self.cause.value})"
            f"{instead_en}"
        )

    def apply(self, scene: Scene) -> Done:
        issuers.lock_keys(scene.tx)
        key = _get(scene.tx, self.purpose, self.number)
        revoked = _step(scene.tx, key, Step.REVOKE)
        detail = {"cause": self.cause.value, "successor": self.successor}
        if self.successor is not None:
            successor = _get(scene.tx, self.purpose, self.successor)
            if any(
                other.state is KeyState.ACTIVE
                for other in issuers.keys_of(scene.tx, key.issuer, self.purpose)
            ):
                raise InvalidActError(
                    "successor", "已有启用中的密钥，无须接替", "another key is active already"
                )
            signs_from = _signs_from(scene.now, None)
            _step(scene.tx, replace(successor, signs_from=signs_from), Step.ACTIVATE)
        return _done(revoked, **detail)


def _check_number(field: str, number: int) -> None:
    limits.check_range(field, number, 0, KEY_NUMBER_MAX)


def _own_number(tx: Reader) -> int:
    own = issuers.own(tx)
    if own is None:
        raise NotFoundError("issuer")
    return own.number


def _is(key: CodeKey, issuer: int, number: int, purpose: KeyPurpose) -> bool:
    return (key.issuer, key.number, key.purpose) == (issuer, number, purpose)


def _get(tx: Transaction, purpose: KeyPurpose, number: int) -> CodeKey:
    key = issuers.get_key(tx, _own_number(tx), number, purpose)
    if key is None:
        raise NotFoundError("issuer key")
    return key


def _signs_from(now: datetime, wanted: datetime | None) -> datetime:
    earliest = now + ACTIVATION_LEAD
    if wanted is None:
        return earliest
    if wanted > now + PLANNED_AHEAD_MAX:
        raise InvalidActError(
            "signs_from",
            f"最多提前 {PLANNED_AHEAD_MAX.days} 天安排",
            f"can be planned {PLANNED_AHEAD_MAX.days} days ahead at most",
        )
    return max(wanted, earliest)


def _supersede(scene: Scene, key: CodeKey, until: datetime) -> None:
    if key.signs_from is not None and key.signs_from > scene.now:
        # The one before it still signs: it would end in the middle of nothing.
        raise TooEarlyError(key.signs_from)
    _step(scene.tx, replace(key, signs_until=until), Step.SUPERSEDE)


def _step(tx: Transaction, key: CodeKey, step: Step) -> CodeKey:
    changed = replace(key, state=states.after(KEY, "issuer key", key.state, step))
    issuers.change_key(tx, changed)
    return changed


def _done(key: CodeKey, **detail: Any) -> Done:
    times = {
        name: at.isoformat()
        for name, at in (("signs_from", key.signs_from), ("signs_until", key.signs_until))
        if at is not None
    }
    answer = {
        "issuer": key.issuer,
        "number": key.number,
        "purpose": key.purpose.value,
        "state": key.state.value,
        **times,
    }
    return Done(answer, f"issuer_key/{key.name}", {**answer, **detail})
