"""Acts that give a holder the next card: replacement (补卡) of a lost one, exchange (换卡) of a
worn one.

They are made at the counter (即时制卡): one transaction ends the old card and makes the new one, so
that a person has one live card at every instant. The new card is a batch of its own, made of what
the holder base knows of its holder, and is activated when it is handed out, as any other is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from card_core.application import ApplicationKind
from card_core.card_policy import CardNumberKept
from card_core.errors import AlreadyExistsError, NotByPolicyError, TamperedRowError
from card_core.kernel import applicants, card_moves, limits
from card_core.kernel.act import DangerousAct, Done, Scene
from card_core.kernel.acts import batches
from card_core.states import Step
from card_core.store import (
    Lock,
    Reader,
    applications,
    card_policies,
    cards,
    filings,
    holder_base,
)
from card_core.store.cards import Card


class ExchangeReason(StrEnum):
    """换卡原因."""

    DAMAGED = "damaged"
    EXPIRED = "expired"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ReplaceCard(DangerousAct):
    """补卡: the next card of a holder whose card is formally lost.

    number: the same one only where the issuer's policy says so, otherwise NotByPolicyError.
    Answer: card_id and card_state of the old card, new_card_id, new_card_number.
    """

    act: ClassVar[str] = "replace_card"

    card_id: str
    number: CardNumberKept

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        card_number = card_moves.named_card(tx, self.card_id).card_number
        zh, en = _WORDS[self.number]
        return f"补卡：{card_number}，{zh} / Replace lost card {card_number}: {en}"

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        filings.lock(scene.tx, Lock.SHARED)
        card = card_moves.lock_card(scene, self.card_id)
        done = card_moves.end(scene, card, Step.REPLACE)
        kept = card_policies.of(scene.tx, card.issuer).on_replacement
        _check_number(self.number, kept)
        return _make_next(scene, card, done, ApplicationKind.REPLACEMENT, self.number)


@dataclass(frozen=True, slots=True)
class ExchangeCard(DangerousAct):
    """换卡: the next card for one that was handed back, worn, run out or locked.

    number, answer: as of ReplaceCard.
    """

    act: ClassVar[str] = "exchange_card"

    card_id: str
    reason: ExchangeReason
    number: CardNumberKept

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def summary(self, tx: Reader) -> str:
        card_number = card_moves.named_card(tx, self.card_id).card_number
        zh, en = _WORDS[self.number]
        return (
            f"换卡：{card_number}，{zh} / Exchange card {card_number}: {en} ({self.reason.value})"
        )

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        filings.lock(scene.tx, Lock.SHARED)
        card = card_moves.lock_card(scene, self.card_id)
        done = card_moves.end(scene, card, Step.EXCHANGE, {"reason": self.reason.value})
        kept = card_policies.of(scene.tx, card.issuer).on_exchange
        _check_number(self.number, kept)
        return _make_next(scene, card, done, ApplicationKind.EXCHANGE, self.number)


_WORDS = {
    CardNumberKept.NEW: ("新卡号", "a new number"),
    CardNumberKept.SAME: ("同卡号", "the same number"),
}
_NAMES = {ApplicationKind.REPLACEMENT: "补卡", ApplicationKind.EXCHANGE: "换卡"}


def _check_number(wanted: CardNumberKept, kept: CardNumberKept) -> None:
    if wanted is CardNumberKept.SAME and kept is not CardNumberKept.SAME:
        raise NotByPolicyError


def _make_next(
    scene: Scene, old: Card, ended: Done, kind: ApplicationKind, number: CardNumberKept
) -> Done:
    application = applicants.as_known(scene.tx, old, kind)
    if applications.numbers_with_open_one(scene.tx, [application.number.text]):
        raise AlreadyExistsError("application")
    taken = (old.issuer, [old.card_number]) if number is CardNumberKept.SAME else None
    name = f"{_NAMES[kind]} {old.card_number}"
    batches.issue_at_once(scene, name, application, taken)
    new = cards.live_card_of(scene.tx, old.holder_id)
    if new is None:
        raise TamperedRowError("cards", old.id)
    made = {"new_card_id": new.id, "new_card_number": new.card_number}
    detail = {**ended.detail, **made, "batch_id": new.batch_id}
    return replace(ended, answer=ended.answer | made, detail=detail)
