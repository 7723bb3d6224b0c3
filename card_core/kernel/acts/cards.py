"""Acts on a card and its e-card: activate, report a loss, withdraw the report, cancel."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from card_core import states
from card_core.errors import NotFoundError, WrongStateError
from card_core.kernel import limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.actors import ActorKind
from card_core.kernel.acts.operators import PASSWORD_HASH_MAX
from card_core.kernel.sign_numbers import make_sign_number
from card_core.states import CardState, Step
from card_core.store import Lock, Reader, cards, credentials, sessions
from card_core.store.cards import Card
from card_core.store.credentials import SubjectKind


class Evidence(StrEnum):
    """What the operator saw before handing a card out; the document itself is not kept."""

    IDENTITY_DOCUMENT = "identity_document"
    GUARDIAN_DOCUMENT = "guardian_document"
    EMPLOYER_COLLECTS = "employer_collects"


class CancelReason(StrEnum):
    """注销原因."""

    DEATH = "death"
    EMIGRATION = "emigration"
    MOVED_AWAY = "moved_away"
    REPLACED = "replaced"
    MADE_IN_ERROR = "made_in_error"


@dataclass(frozen=True, slots=True)
class ActivateCard(Act):
    """领卡启用: the holder has the card in hand and proved who they are."""

    act: ClassVar[str] = "activate_card"

    card_id: str
    evidence: Evidence

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.card_id, Step.ACTIVATE, {"evidence": self.evidence.value})


@dataclass(frozen=True, slots=True, repr=False)
class ActivateECard(Act):
    """Issue the e-card of a card in normal use; its sign number is in the answer.

    password_hash: of `card_core.sign_in.hash_password`, after `check_new_password`.
    """

    act: ClassVar[str] = "activate_ecard"

    card_id: str
    password_hash: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)
        limits.check_text("password_hash", self.password_hash, characters_max=PASSWORD_HASH_MAX)

    def apply(self, scene: Scene) -> Done:
        card = _lock(scene, self.card_id)
        if card.state is not CardState.NORMAL:
            raise WrongStateError("card", card.state)
        ecard = cards.ecard_of(scene.tx, card.id)
        state = states.after(states.ECARD, "e-card", ecard.state, Step.ACTIVATE)
        sign_number = make_sign_number(card.issuer, scene.random_bytes)
        cards.set_ecard_state(scene.tx, ecard, state, sign_number=sign_number)
        credentials.put(scene.tx, SubjectKind.HOLDER, card.holder_id, self.password_hash, scene.now)
        sessions.end_all(scene.tx, SubjectKind.HOLDER, card.holder_id)
        answer = {"card_id": card.id, "ecard_state": state.value, "sign_number": sign_number}
        detail = {"card_id": card.id, "ecard_state": state.value}
        return Done(answer, f"card/{card.id}", detail)


@dataclass(frozen=True, slots=True)
class ReportTemporaryLoss(Act):
    """临时挂失, by the holder or at a window; from its commit on no code of the card is taken."""

    act: ClassVar[str] = "report_temporary_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.card_id, Step.REPORT_TEMPORARY_LOSS)


@dataclass(frozen=True, slots=True)
class WithdrawTemporaryLoss(Act):
    """解挂 of a temporary loss; a formal loss is not withdrawn."""

    act: ClassVar[str] = "withdraw_temporary_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.card_id, Step.WITHDRAW_TEMPORARY_LOSS)


@dataclass(frozen=True, slots=True)
class ReportFormalLoss(Act):
    """正式挂失, at a window with the holder's identity document; it ends the holder's sessions."""

    act: ClassVar[str] = "report_formal_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        sessions.end_all(scene.tx, SubjectKind.HOLDER, _lock(scene, self.card_id).holder_id)
        return _move(scene, self.card_id, Step.REPORT_FORMAL_LOSS)


@dataclass(frozen=True, slots=True)
class CancelCard(DangerousAct):
    """注销: end the card and its e-card for good."""

    act: ClassVar[str] = "cancel_card"

    card_id: str
    reason: CancelReason

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        card = cards.get(tx, self.card_id)
        if card is None:
            raise NotFoundError("card")
        return f"注销卡 {card.card_number} / Cancel card {card.card_number} ({self.reason.value})"

    def apply(self, scene: Scene) -> Done:
        done = _move(scene, self.card_id, Step.CANCEL, {"reason": self.reason.value})
        ecard = cards.ecard_of(scene.tx, self.card_id)
        state = states.after(states.ECARD, "e-card", ecard.state, Step.CANCEL)
        cards.set_ecard_state(scene.tx, ecard, state)
        sessions.end_all(scene.tx, SubjectKind.HOLDER, ecard.holder_id)
        return done


def _lock(scene: Scene, card_id: str) -> Card:
    """The card, locked; a holder sees only its own, another's is as good as none."""
    card = cards.get(scene.tx, card_id, Lock.OWN)
    if card is None:
        raise NotFoundError("card")
    if scene.actor.kind is ActorKind.HOLDER and card.holder_id != scene.actor.id:
        raise NotFoundError("card")
    return card


def _move(scene: Scene, card_id: str, step: Step, detail: dict[str, Any] | None = None) -> Done:
    card = _lock(scene, card_id)
    state = states.after(states.CARD, "card", card.state, step)
    cards.set_state(scene.tx, card, state)
    answer: dict[str, Any] = {"card_id": card.id, "card_state": state.value}
    return Done(answer, f"card/{card.id}", {**answer, "from": card.state.value, **(detail or {})})
