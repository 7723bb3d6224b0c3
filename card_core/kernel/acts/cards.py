"""Acts on a card: hand it out with its e-card, report a loss, withdraw the report, let it lapse,
cancel.

A temporary loss lapses at a midnight in Shanghai: the day of the report does not count, and the
last day ends at its 24th hour (Civil Code, 民法典, articles 201 and 203).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from card_core.errors import NotByPolicyError, TooEarlyError
from card_core.kernel import card_moves, family_bindings, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.handing_over import hand_over_if_it_was_not
from card_core.kernel.acts.operators import PASSWORD_HASH_MAX
from card_core.kernel.days import DAY, end_of_day
from card_core.kernel.sign_numbers import make_sign_number
from card_core.states import Step
from card_core.store import Reader, card_policies, cards, credentials
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
    """领卡启用: the holder has the card in hand and proved who they are.

    Raises WrongStateError for a card that is still on its way (`states.MAKING`).
    """

    act: ClassVar[str] = "activate_card"

    card_id: str
    evidence: Evidence

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        done = card_moves.move(scene, card, Step.ACTIVATE, {"evidence": self.evidence.value})
        to_employer = self.evidence is Evidence.EMPLOYER_COLLECTS
        hand_over_if_it_was_not(scene, card, to_employer=to_employer)
        return done


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
        card = card_moves.lock_card(scene, self.card_id)
        ecard = cards.ecard_of(scene.tx, card.id)
        sign_number = make_sign_number(card.issuer, scene.random_bytes)
        done = card_moves.move_ecard(scene, card, ecard, Step.ACTIVATE, sign_number=sign_number)
        credentials.put(scene.tx, SubjectKind.HOLDER, card.holder_id, self.password_hash, scene.now)
        card_moves.end_sessions(scene, card)
        return replace(done, answer={**done.answer, "sign_number": sign_number})


@dataclass(frozen=True, slots=True)
class ReportTemporaryLoss(Act):
    """临时挂失, by the holder, their guardian or at a window; from its commit on no code of the
    card is taken.

    It lapses by itself after the days of the issuer's policy; the answer's `loss_lapses_at` says
    when (ISO 8601, UTC).
    """

    act: ClassVar[str] = "report_temporary_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card, bound = card_moves.lock_card_in_care(scene, self.card_id)
        days = card_policies.of(scene.tx, card.issuer).loss_days
        lapses_at = end_of_day(scene.now) + days * DAY
        step = Step.REPORT_TEMPORARY_LOSS
        done = card_moves.move(scene, card, step, bound, loss_lapses_at=lapses_at)
        lapses = {"loss_lapses_at": lapses_at.isoformat()}
        return replace(done, answer=done.answer | lapses, detail=done.detail | lapses)


@dataclass(frozen=True, slots=True)
class WithdrawTemporaryLoss(Act):
    """解挂 of a temporary loss, by whoever may report it."""

    act: ClassVar[str] = "withdraw_temporary_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card, bound = card_moves.lock_card_in_care(scene, self.card_id)
        return card_moves.move(scene, card, Step.WITHDRAW_TEMPORARY_LOSS, bound)


@dataclass(frozen=True, slots=True)
class LapseTemporaryLoss(Act):
    """自动解挂: a temporary loss whose time is over; a background job does it.

    What the job saw does not count: the card is read anew under its lock. Raises WrongStateError
    where the loss was withdrawn or made formal meanwhile, TooEarlyError where it was reported anew.
    """

    act: ClassVar[str] = "lapse_temporary_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        done = card_moves.move(scene, card, Step.LAPSE)
        if card.loss_lapses_at is None or scene.now < card.loss_lapses_at:
            raise TooEarlyError(card.loss_lapses_at)
        return done


@dataclass(frozen=True, slots=True)
class ReportFormalLoss(Act):
    """正式挂失, at a window with the holder's identity document; it ends the holder's sessions."""

    act: ClassVar[str] = "report_formal_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        card_moves.end_sessions(scene, card)
        return card_moves.move(scene, card, Step.REPORT_FORMAL_LOSS)


@dataclass(frozen=True, slots=True)
class WithdrawFormalLoss(DangerousAct):
    """解除正式挂失, where the issuer's policy has it: the card was found and shown at a window.

    Raises NotByPolicyError where it hasn't.
    """

    act: ClassVar[str] = "withdraw_formal_loss"

    card_id: str

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        number = card_moves.named_card(tx, self.card_id).card_number
        return f"解除卡 {number} 的正式挂失 / Withdraw the formal loss of card {number}"

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        done = card_moves.move(scene, card, Step.WITHDRAW_FORMAL_LOSS)
        if not card_policies.of(scene.tx, card.issuer).withdraws_formal_loss:
            raise NotByPolicyError
        return done


@dataclass(frozen=True, slots=True)
class CancelCard(DangerousAct):
    """注销: end the card and its e-card for good."""

    act: ClassVar[str] = "cancel_card"

    card_id: str
    reason: CancelReason

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        number = card_moves.named_card(tx, self.card_id).card_number
        return f"注销卡 {number} / Cancel card {number} ({self.reason.value})"

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        if self.reason is CancelReason.DEATH:
            family_bindings.end_all(scene.tx, card.holder_id, scene.now)
        return card_moves.end(scene, card, Step.CANCEL, {"reason": self.reason.value})
