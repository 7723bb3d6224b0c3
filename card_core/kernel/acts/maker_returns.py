"""Acts that take what a maker answers: the chips of cards that were made, and failures.

    OpenMakerReturn    from now on a file is taken: nothing moves the batch's cards on meanwhile
    TakeMakerReturn    some of its rows, again and again
    CloseMakerReturn   it is taken; with the last answer of all the order is over, and the records
                       with names and keys are let go

Each is short, however many rows a file has. All of a file is looked at (`check_return`) before any
of it is taken, so that what can't be taken whole is not begun. Whatever died is begun anew with the
same file, and rows that were taken change nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from card_core import states
from card_core.errors import (
    ContentChangedError,
    NotFoundError,
    ReturnRefusedError,
    WrongStateError,
)
from card_core.kernel import blank_stock, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.banking import check_order
from card_core.states import MakingState, OrderState, Step
from card_core.store import (
    Lock,
    Reader,
    Transaction,
    batches,
    cards,
    making_orders,
    makings,
    stock_cards,
)
from card_core.store.cards import Card
from card_core.store.making_orders import Order, OrderChunk
from card_core.store.makings import Chip, Making

RETURN_ROWS_MAX = 1000
_AT_WORK = frozenset({MakingState.AT_MAKER, MakingState.AT_DEVICE})


@dataclass(frozen=True, slots=True, repr=False)
class CardReturned:
    """What the maker says of the record with this number: chip or reason, the other None."""

    number: int
    card_number: str
    chip: Chip | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class OpenMakerReturn(Act):
    """Begin to take a return, or go on with it. file_digest: of its trailer, 32 bytes.

    Another file takes the place of one that was begun and never closed: each of its rows is held
    against what was taken, too.
    """

    act: ClassVar[str] = "open_maker_return"

    order_id: str
    file_digest: bytes

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_size("file_digest", self.file_digest, 32)

    def apply(self, scene: Scene) -> Done:
        order = _answerable(scene.tx, self.order_id, Lock.OWN)
        batches.get(scene.tx, order.batch_id, Lock.OWN)
        making_orders.set_return(scene.tx, order, self.file_digest)
        answer = {"order_id": order.id, "state": order.state.value}
        detail = {**answer, "file_digest": self.file_digest.hex()}
        return Done(answer, f"making_order/{order.id}", detail)


@dataclass(frozen=True, slots=True, repr=False)
class TakeMakerReturn(Act):
    """Some rows of the return that is being taken. outcomes: RETURN_ROWS_MAX, their numbers go up.

    Raises ReturnRefusedError; ContentChangedError where another return is being taken, or none.
    Answer: made, failed, and how many were taken before (`known`).
    """

    act: ClassVar[str] = "take_maker_return"

    order_id: str
    file_digest: bytes
    outcomes: Sequence[CardReturned] = field(default=())

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_size("file_digest", self.file_digest, 32)
        limits.check_range("outcomes", len(self.outcomes), 1, RETURN_ROWS_MAX)
        check_order([one.number for one in self.outcomes])

    def request(self) -> Any:
        """The file and which of its rows: these stand for what is in them."""
        numbers = [self.outcomes[0].number, self.outcomes[-1].number]
        return [self.order_id, self.file_digest.hex(), numbers]

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        order = _being_taken(tx, self.order_id, self.file_digest)
        counts = Counter(made=0, failed=0, known=0)
        codes: set[bytes] = set()
        for chunk, part in _by_chunk(tx, order, self.outcomes):
            new = _new_of(tx, order, chunk, part, codes)
            counts["known"] += len(part) - len(new)
            for is_made in (True, False):
                changes = [
                    (making, _change(tx, making, outcome))
                    for making, outcome in new
                    if (outcome.chip is not None) is is_made
                ]
                makings.change_all(tx, changes)
                counts["made" if is_made else "failed"] += len(changes)
                for making, _ in changes:
                    if making.state is MakingState.AT_DEVICE:
                        blank_stock.use_up(tx, making.branch, is_made=is_made)
        if counts["made"] or counts["failed"]:
            made, failed = order.made + counts["made"], order.failed + counts["failed"]
            making_orders.set_answered(tx, order, made=made, failed=failed)
        answer = {"order_id": order.id, **counts}
        detail = {**answer, "file_digest": self.file_digest.hex()}
        return Done(answer, f"making_order/{order.id}", detail)


@dataclass(frozen=True, slots=True)
class CloseMakerReturn(Act):
    """All rows of the return are taken. Raises ContentChangedError as TakeMakerReturn.

    Answer: made and failed of the whole order so far, and its state.
    """

    act: ClassVar[str] = "close_maker_return"

    order_id: str
    file_digest: bytes

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_size("file_digest", self.file_digest, 32)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        order = _being_taken(tx, self.order_id, self.file_digest)
        state = order.state
        making_orders.set_return(tx, order, None)
        if order.made + order.failed == order.records and state is OrderState.SENT:
            state = states.after(states.ORDER, "making order", state, Step.FINISH)
            making_orders.forget_records(tx, order)
            making_orders.set_state(tx, order, state)
        answer = {
            "order_id": order.id,
            "made": order.made,
            "failed": order.failed,
            "state": state.value,
        }
        detail = {**answer, "file_digest": self.file_digest.hex()}
        return Done(answer, f"making_order/{order.id}", detail)


def check_return(
    tx: Reader, order_id: str, outcomes: Sequence[CardReturned], codes: set[bytes]
) -> None:
    """Pass where TakeMakerReturn would take these rows, as things are.

    codes: the identification codes of the file's rows before; those of these are added.
    Raises ReturnRefusedError, NotFoundError, WrongStateError.
    """
    order = _answerable(tx, order_id, Lock.NONE)
    for chunk, part in _by_chunk(tx, order, outcomes):
        _new_of(tx, order, chunk, part, codes)


def _answerable(tx: Reader, order_id: str, lock: Lock) -> Order:
    order = making_orders.get(tx, order_id, lock)
    if order is None:
        raise NotFoundError("making order")
    if order.state not in {OrderState.SENT, OrderState.ANSWERED}:
        raise WrongStateError("making order", order.state)
    return order


def _being_taken(tx: Transaction, order_id: str, file_digest: bytes) -> Order:
    order = _answerable(tx, order_id, Lock.OWN)
    batches.get(tx, order.batch_id, Lock.OWN)
    if order.return_digest != file_digest:
        raise ContentChangedError
    return order


def _by_chunk(
    tx: Reader, order: Order, outcomes: Sequence[CardReturned]
) -> Iterator[tuple[OrderChunk, Sequence[CardReturned]]]:
    """The outcomes of each chunk's records. Raises ReturnRefusedError for one of no chunk."""
    first, last = outcomes[0].number, outcomes[-1].number
    at = 0
    for chunk in making_orders.chunks_between(tx, order.id, first, last):
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


def _new_of(
    tx: Reader,
    order: Order,
    chunk: OrderChunk,
    part: Sequence[CardReturned],
    codes: set[bytes],
) -> list[tuple[Making, CardReturned]]:
    """The rows that were not taken before, with their cards'. Raises ReturnRefusedError."""
    position_of = {one.number: chunk.positions[one.number - chunk.first_number] for one in part}
    found = makings.at_positions(tx, order.batch_id, list(position_of.values()))
    made = cards.get_all(tx, [one.card_id for one in found.values()])
    new: list[tuple[Making, CardReturned]] = []
    for outcome in part:
        making = found.get(position_of[outcome.number])
        if making is None or (making.order_id, making.record_number) != (order.id, outcome.number):
            raise ReturnRefusedError(outcome.number, "not_waiting")
        _check_card(made[making.card_id], outcome)
        if making.state in _AT_WORK:
            new.append((making, outcome))
        else:
            _refuse_other_outcome(tx, making, outcome)
    _refuse_known_codes(tx, [outcome for _, outcome in new], codes)
    return new


def _check_card(card: Card, outcome: CardReturned) -> None:
    if card.card_number != outcome.card_number:
        raise ReturnRefusedError(outcome.number, "other_card")
    chip = outcome.chip
    if chip is not None and not chip.card_identification_code.startswith(card.region):
        raise ReturnRefusedError(outcome.number, "other_region")


def _change(tx: Reader, making: Making, outcome: CardReturned) -> dict[str, Any]:
    if outcome.chip is None:
        state = states.after(states.MAKING, "making", making.state, Step.FAIL_MAKING)
        return {"state": state, "reason": outcome.reason}
    state = states.after(states.MAKING, "making", making.state, Step.MAKE)
    return {"state": state, **makings.sealed_chip(tx, making.card_id, outcome.chip)}


def _refuse_other_outcome(tx: Reader, making: Making, outcome: CardReturned) -> None:
    """Pass where exactly this was taken before. Raises ReturnRefusedError."""
    before = (makings.chip_of(tx, making), making.reason)
    if before == (None, None):
        raise ReturnRefusedError(outcome.number, "not_waiting")
    if before != (outcome.chip, outcome.reason):
        raise ReturnRefusedError(outcome.number, "other_outcome")


def _refuse_known_codes(tx: Reader, new: Sequence[CardReturned], codes: set[bytes]) -> None:
    """No two cards have one chip, whether made here or taken over. Raises ReturnRefusedError.

    codes: those that came before; those of `new` are added.
    """
    number_by_code: dict[str, int] = {}
    for one in new:
        if one.chip is not None:
            code = one.chip.card_identification_code
            if bytes.fromhex(code) in codes:
                raise ReturnRefusedError(one.number, "code_taken")
            codes.add(bytes.fromhex(code))
            number_by_code[code] = one.number
    known = makings.codes_there(tx, list(number_by_code))
    known |= stock_cards.codes_held(tx, "", list(number_by_code))
    if known:
        number = min(number_by_code[code] for code in known)
        raise ReturnRefusedError(number, "code_taken")
