"""What a holder does about the own e-card without a window: activate it, set another password.

The first two rest on a check of the person that was passed (`acts.person_checks`), whoever asks
for it: the holder's page, a machine in a hall, a counter. Nothing here knows of a browser.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from card_core.errors import NotAllowedError
from card_core.holder_errors import PersonCheckOverError
from card_core.kernel import card_moves, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.cards import ActivateECard
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.acts.operators import PASSWORD_HASH_MAX
from card_core.kernel.acts.person_checks import is_open, matching_holder
from card_core.states import CardState, Step
from card_core.store import Lock, cards, credentials, devices, holders, person_checks, sessions
from card_core.store.credentials import SubjectKind
from card_core.store.person_checks import CheckPurpose, CheckState, PersonCheck

EVIDENCE: Final = "online"
# An open session, perhaps at a phone that was left, is not enough to change a password.
PROVED_WITHIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, repr=False)
class _ByCheck(Act):
    """What rests on a check of the person.

    check_id: of one for this very act that was passed. password_hash: of `sign_in.hash_password`,
    after `check_new_password`.
    """

    check_id: str
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_hash("check_id", self.check_id)
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)

    def request(self) -> Any:
        return {"check_id": self.check_id}


@dataclass(frozen=True, slots=True, repr=False)
class ActivateOnline(_ByCheck):
    """开通电子社保卡 by the person themselves; a card that was handed out is put to use with it.

    Answer: card_id, ecard_state, sign_number. Raises PersonCheckOverError, also where the card's
    state has changed since.
    """

    act: ClassVar[str] = "activate_online"

    def apply(self, scene: Scene) -> Done:
        check, holder_id = _passed(scene, self.check_id, CheckPurpose.ACTIVATE)
        named = cards.live_card_of(scene.tx, holder_id)
        if named is None:
            raise PersonCheckOverError
        card = card_moves.lock_card(scene, named.id)
        evidence = {"evidence": EVIDENCE, "provider": check.provider}
        if card.state is CardState.NOT_ACTIVATED:
            card_moves.move(scene, card, Step.ACTIVATE, evidence)
        done = ActivateECard(card.id, self.password_hash).apply(scene)
        _finish(scene, check)
        detail = {**done.detail, **evidence, "card_from": card.state.value}
        return replace(done, detail=detail)


@dataclass(frozen=True, slots=True, repr=False)
class ResetPassword(_ByCheck):
    """忘记密码: another password for whoever passed the check of the person.

    Every session ends and every phone is removed: somebody else may have had the old one.
    Answer: changed, devices_removed. Raises PersonCheckOverError.
    """

    act: ClassVar[str] = "reset_password"

    def apply(self, scene: Scene) -> Done:
        check, holder_id = _passed(scene, self.check_id, CheckPurpose.NEW_PASSWORD)
        _put_password(scene, holder_id, self.password_hash)
        removed = devices.of_holder(scene.tx, holder_id)
        for device in removed:
            RemoveDevice(device.id).apply(scene)
        _finish(scene, check)
        answer = {"changed": True, "devices_removed": len(removed)}
        evidence = {"evidence": EVIDENCE, "provider": check.provider}
        return Done(answer, f"holder/{holder_id}", {**answer, **evidence})


@dataclass(frozen=True, slots=True, repr=False)
class ChangeHolderPassword(Act):
    """修改密码 with the old one; it ends every session, and phones stay bound.

    token_digest: of a session of the acting holder that was opened, with the old password, within
    PROVED_WITHIN. password_hash: of the new one. Answer: changed. Raises NotAllowedError.
    """

    act: ClassVar[str] = "change_holder_password"

    token_digest: bytes
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)

    def request(self) -> Any:
        return {}

    def apply(self, scene: Scene) -> Done:
        session = sessions.find(scene.tx, self.token_digest)
        if (
            session is None
            or session.subject_kind is not SubjectKind.HOLDER
            or session.subject_id != scene.actor.id
            or scene.now - session.created_at > PROVED_WITHIN
        ):
            raise NotAllowedError
        _put_password(scene, scene.actor.id, self.password_hash)
        return Done({"changed": True}, f"holder/{scene.actor.id}", {"changed": True})


def _passed(scene: Scene, check_id: str, purpose: CheckPurpose) -> tuple[PersonCheck, str]:
    """The check, locked, and whose record it was passed for, which it still fits.

    Raises PersonCheckOverError.
    """
    check = person_checks.get(scene.tx, check_id, Lock.OWN)
    if (
        check is None
        or check.purpose is not purpose
        or check.holder_id is None
        or not is_open(check, CheckState.PASSED, scene.now)
        or matching_holder(scene, check) != check.holder_id
    ):
        raise PersonCheckOverError
    return check, check.holder_id


def _put_password(scene: Scene, holder_id: str, password_hash: str) -> None:
    credentials.put(scene.tx, SubjectKind.HOLDER, holder_id, password_hash, scene.now)
    sessions.end_all(scene.tx, SubjectKind.HOLDER, holder_id)


def _finish(scene: Scene, check: PersonCheck) -> None:
    """The check is used up, and failures at the old password count no more."""
    person_checks.remove(scene.tx, check.id)
    number = holders.identity_of(scene.tx, check.holder_id or "").social_security_number
    name_index = scene.tx.cipher.blind_index("sign_in.holder", number)
    attempts = credentials.lock_attempts(scene.tx, name_index, scene.now)
    credentials.set_attempts(scene.tx, attempts, 0, None, scene.now)
