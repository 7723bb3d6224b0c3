"""The act that takes what a maker answers: the chips of cards that were made, and failures.

A return is taken whole, in one act, or not at all. The same return again changes nothing. With the
last answer the order is over, and the records with names and keys are let go.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from card_core import states
from card_core.errors import ReturnRefusedError, WrongStateError
from card_core.kernel import blank_stock, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.banking import check_order
from card_core.kernel.acts.making import lock_order
from card_core.states import MakingState, OrderState, Step
from card_core.store import Lock, Transaction, batches, cards, making_orders, makings, stock_cards
from card_core.store.cards import Card
from card_core.store.making_orders import Order, OrderChunk
from card_core.store.makings import Chip, Making

_AT_WORK = frozenset({MakingState.AT_MAKER, MakingState.AT_DEVICE})


@dataclass(frozen=True, slots=True, repr=False)
class CardReturned:
    """What the maker says of the record with this number: chip or reason, the other None."""

    number: int
    card_number: str
    chip: Chip | None
    reason: str | None


@dataclass(frozen=True, slots=True, repr=False)
class TakeMakerReturn(Act):
    """A maker's return for an order. outcomes: their numbers go up.

    file_digest: 32 bytes, of its trailer; it stands for the outcomes where a request is compared
    with an earlier one. Raises ReturnRefusedError.
    Answer: made, failed, how many were taken before (`known`), and the order's state.
    """

    act: ClassVar[str] = "take_maker_return"

    order_id: str
    file_digest: bytes
    outcomes: Sequence[CardReturned] = field(default=())

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_size("file_digest", self.file_digest, 32)
        limits.check_range("outcomes", len(self.outcomes), 1, limits.ROSTER_ROWS_MAX)
        check_order([one.number for one in self.outcomes])

    def request(self) -> Any:
        return [self.order_id, self.file_digest.hex()]

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        order = lock_order(tx, self.order_id, Lock.OWN)
        batches.get(tx, order.batch_id, Lock.OWN)
        if order.state not in {OrderState.SENT, OrderState.ANSWERED}:
            raise WrongStateError("making order", order.state)
        taken = _Taken()
        for chunk, part in _by_chunk(making_orders.chunks(tx, order.id), self.outcomes):
            _take(tx, order, chunk, part, taken)
        state = _count(tx, order, taken.counts)
        answer = {"order_id": order.id, **taken.counts, "state": state.value}
        detail = {**answer, "file_digest": self.file_digest.hex()}
        return Done(answer, f"making_order/{order.id}", detail)


@dataclass(slots=True)
class _Taken:
    """Of one return so far. codes: the identification codes in it."""

    counts: Counter[str] = field(default_factory=lambda: Counter(made=0, failed=0, known=0))
    codes: set[str] = field(default_factory=set)


def _by_chunk(
    ledger: Sequence[OrderChunk], outcomes: Sequence[CardReturned]
) -> Iterator[tuple[OrderChunk, Sequence[CardReturned]]]:
    """The outcomes of each chunk's records. Raises ReturnRefusedError for one of no chunk."""
    at = 0
    for chunk in ledger:
        end = at
        while end < len(outcomes) and outcomes[end].number < chunk.first_number + chunk.size:
            end += 1
        if end > at:
            if outcomes[at].number < chunk.first_number:
                raise ReturnRefusedError(outcomes[at].number, "unknown")
            yield chunk, outcomes[at:end]
        at = end
    if at < len(outcomes):
        raise ReturnRefusedError(outcomes[at].number, "unknown")


def _take(
    tx: Transaction,
    order: Order,
    chunk: OrderChunk,
    part: Sequence[CardReturned],
    taken: _Taken,
) -> None:
    position_of = {one.number: chunk.positions[one.number - chunk.first_number] for one in part}
    found = makings.at_positions(tx, order.batch_id, list(position_of.values()))
    made = cards.get_all(tx, [one.card_id for one in found.values()])
    changes: dict[bool, list[tuple[Making, dict[str, Any]]]] = {True: [], False: []}
    new: list[CardReturned] = []
    for outcome in part:
        making = found.get(position_of[outcome.number])
        if making is None or (making.order_id, making.record_number) != (order.id, outcome.number):
            raise ReturnRefusedError(outcome.number, "not_waiting")
        _check_card(made[making.card_id], outcome)
        if making.state not in _AT_WORK:
            _refuse_other_outcome(tx, making, outcome)
            taken.counts["known"] += 1
            continue
        taken.counts["made" if outcome.chip else "failed"] += 1
        new.append(outcome)
        changes[outcome.chip is not None].append((making, _change(tx, making, outcome)))
        if making.state is MakingState.AT_DEVICE:
            blank_stock.use_up(tx, making.branch, is_made=outcome.chip is not None)
    _refuse_known_codes(tx, new, taken.codes)
    for one in changes.values():
        makings.change_all(tx, one)


def _check_card(card: Card, outcome: CardReturned) -> None:
    if card.card_number != outcome.card_number:
        raise ReturnRefusedError(outcome.number, "other_card")
    chip = outcome.chip
    if chip is not None and not chip.card_identification_code.startswith(card.region):
        raise ReturnRefusedError(outcome.number, "other_region")


def _change(tx: Transaction, making: Making, outcome: CardReturned) -> dict[str, Any]:
    if outcome.chip is None:
        state = states.after(states.MAKING, "making", making.state, Step.FAIL_MAKING)
        return {"state": state, "reason": outcome.reason}
    state = states.after(states.MAKING, "making", making.state, Step.MAKE)
    return {"state": state, **makings.sealed_chip(tx, making.card_id, outcome.chip)}


def _refuse_other_outcome(tx: Transaction, making: Making, outcome: CardReturned) -> None:
    """Pass where exactly this was taken before. Raises ReturnRefusedError."""
    before = (makings.chip_of(tx, making), making.reason)
    if before == (None, None):
        raise ReturnRefusedError(outcome.number, "not_waiting")
    if before != (outcome.chip, outcome.reason):
        raise ReturnRefusedError(outcome.number, "other_outcome")


def _refuse_known_codes(tx: Transaction, new: Sequence[CardReturned], codes: set[str]) -> None:
    """No two cards have one chip, whether made here or taken over. Raises ReturnRefusedError.

    codes: those that this return had before; those of `new` are added.
    """
    number_by_code: Mapping[str, int] = {
        one.chip.card_identification_code: one.number for one in new if one.chip is not None
    }
    chips = sum(one.chip is not None for one in new)
    known = (codes & number_by_code.keys()) | makings.codes_there(tx, list(number_by_code))
    known |= stock_cards.codes_held(tx, "", list(number_by_code))
    if known or chips != len(number_by_code):
        number = min((number_by_code[code] for code in known), default=new[0].number)
        raise ReturnRefusedError(number, "code_taken")
    codes |= number_by_code.keys()


def _count(tx: Transaction, order: Order, counts: Mapping[str, int]) -> OrderState:
    made, failed = order.made + counts["made"], order.failed + counts["failed"]
    if counts["made"] or counts["failed"]:
        making_orders.set_answered(tx, order, made=made, failed=failed)
    if made + failed < order.records or order.state is OrderState.ANSWERED:
        return order.state
    state = states.after(states.ORDER, "making order", order.state, Step.FINISH)
    making_orders.forget_records(tx, order)
    making_orders.set_state(tx, order, state)
    return state
