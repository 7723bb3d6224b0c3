"""Acts behind the maker's return: failures are made anew, cards go to their branches and hands."""

from dataclasses import dataclass
from typing import Any, ClassVar

from card_core import states
from card_core.errors import NotAllowedError, NotFoundError, WrongStateError
from card_core.kernel import card_moves, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.banking import (
    lock_batch,
    parts,
    refuse_while_answered,
    refuse_while_preparing,
)
from card_core.service_channels import HANDING_OVER
from card_core.states import CardState, MakingState, Step
from card_core.store import Lock, Transaction, batches, makings
from card_core.store.card_dates import CardDate
from card_core.store.cards import Card
from card_core.store.makings import Making

BRANCH_MAX = 20
FAILED = frozenset(states.MAKING[Step.REWORK])
# Where a card lies that a branch has for its holder.
_AT_ITS_BRANCH = frozenset({MakingState.AT_BRANCH, MakingState.MADE_AT_ONCE})


@dataclass(frozen=True, slots=True)
class ReworkCards(Act):
    """返工: cards that failed at the bank wait for it again, those that failed at the maker for an
    order; what was wrong with a person's data has been corrected before.

    Answer: to_bank and to_maker, how many of each.
    """

    act: ClassVar[str] = "rework_cards"

    batch_id: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)

    def apply(self, scene: Scene) -> Done:
        batch = lock_batch(scene.tx, self.batch_id)
        refuse_while_preparing(scene.tx, batch)
        refuse_while_answered(scene.tx, batch)
        counts = {"to_bank": 0, "to_maker": 0}
        for part in parts(makings.positions_in(scene.tx, batch.id, FAILED)):
            changes = []
            for one in makings.at_positions(scene.tx, batch.id, part).values():
                state = _after(one, Step.REWORK)
                counts["to_bank" if state is MakingState.AWAITING_BANK else "to_maker"] += 1
                changes.append((one, {"state": state, "reason": None}))
            makings.change_all(scene.tx, changes)
        answer = {"batch_id": batch.id, **counts}
        return Done(answer, f"batch/{batch.id}", answer)


@dataclass(frozen=True, slots=True)
class DispatchCards(Act):
    """配送: the cards of a batch that are made go to the branch that hands them out.

    branch: the one that the applications name. Answer: dispatched, how many.
    """

    act: ClassVar[str] = "dispatch_cards"

    batch_id: str
    branch: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_text("branch", self.branch, characters_max=BRANCH_MAX)

    def apply(self, scene: Scene) -> Done:
        batch = lock_batch(scene.tx, self.batch_id)
        refuse_while_answered(scene.tx, batch)
        sent = 0
        for part in parts(makings.positions_in(scene.tx, batch.id, {MakingState.MADE})):
            changes = [
                (one, {"state": _after(one, Step.DISPATCH)})
                for one in makings.at_positions(scene.tx, batch.id, part).values()
                if one.branch == self.branch
            ]
            makings.change_all(scene.tx, changes)
            sent += len(changes)
        answer = {"batch_id": batch.id, "branch": self.branch, "dispatched": sent}
        return Done(answer, f"batch/{batch.id}", answer)


@dataclass(frozen=True, slots=True)
class HandOverCard(Act):
    """领卡: the card leaves the bureau, to its holder or to the employer who collects it.

    It is activated apart from that (`acts.cards.ActivateCard`), or in the same step there.
    At a service channel: to its holder alone, out of what was dispatched to that very branch, and
    only where the channel's kind hands over. Raises NotAllowedError, NotFoundError.
    """

    act: ClassVar[str] = "hand_over_card"

    card_id: str
    to_employer: bool = False

    def __post_init__(self) -> None:
        limits.check_id("card_id", self.card_id)

    def apply(self, scene: Scene) -> Done:
        card = card_moves.lock_card(scene, self.card_id)
        if card.state is not CardState.NOT_ACTIVATED:
            raise WrongStateError("card", card.state)
        making = makings.get(scene.tx, card.id, Lock.OWN)
        if making is None:
            raise NotFoundError("making")
        state = _hand_over(scene, making, to_employer=self.to_employer)
        answer: dict[str, Any] = {"card_id": card.id, "making_state": state.value}
        return Done(answer, f"card/{card.id}", {**answer, "from": making.state.value})


def hand_over_if_it_was_not(scene: Scene, card: Card, *, to_employer: bool) -> None:
    """What activating a card does to its making: whoever activates it has it in hand.

    Raises WrongStateError while it is at the bank, at the maker, or was not made.
    """
    making = makings.get(scene.tx, card.id, Lock.OWN)
    if making is not None and making.state not in states.HANDED_OVER:
        _hand_over(scene, making, to_employer=to_employer)


def _hand_over(scene: Scene, making: Making, *, to_employer: bool) -> MakingState:
    _check_may_here(scene, making, to_employer=to_employer)
    step = Step.HAND_TO_EMPLOYER if to_employer else Step.HAND_OVER
    if making.state is MakingState.AWAITING_BANK:
        making = _still_here(scene.tx, making)
    state = _after(making, step)
    makings.change(scene.tx, making, state=state)
    card_moves.note_date(scene, making.card_id, CardDate.HANDED_OVER)
    return state


def _check_may_here(scene: Scene, making: Making, *, to_employer: bool) -> None:
    """Raises NotAllowedError, NotFoundError. At the bureau's own counters everything is."""
    channel, place = scene.standing.channel, scene.standing.institution
    if channel is None:
        return
    if channel not in HANDING_OVER or to_employer:
        raise NotAllowedError
    is_here = making.state in _AT_ITS_BRANCH and place is not None and making.branch == place.code
    if not is_here:
        raise NotFoundError("card")


def _still_here(tx: Transaction, making: Making) -> Making:
    """A card that is made at the counter, read anew once nobody can order it any more.

    Raises WrongStateError while an order that skips the bank may name it.
    """
    batch = batches.get(tx, making.batch_id, Lock.SHARED)
    if batch is not None:
        refuse_while_preparing(tx, batch)
    return makings.get(tx, making.card_id) or making


def _after(making: Making, step: Step) -> MakingState:
    return states.after(states.MAKING, "making", making.state, step)
