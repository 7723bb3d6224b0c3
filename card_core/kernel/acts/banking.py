"""Acts between bureau and bank: a batch's pre-opening file goes out, the return file comes in.

A return is opened, taken some rows at a time, and closed. All of it is looked at
(`check_bank_return`) before any of it is taken, so that what can't be taken whole is not begun, and
nothing moves the batch's cards on before it is closed. Whatever died is begun anew with the same
file, and rows that were taken change nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from card_core import states
from card_core.errors import (
    ContentChangedError,
    InvalidActError,
    NotFoundError,
    ReturnRefusedError,
    WrongStateError,
)
from card_core.kernel import limits
from card_core.kernel.act import Act, Done, Scene
from card_core.states import MakingState, OrderState, Step
from card_core.store import Lock, Reader, Transaction, batches, cards, making_orders, makings
from card_core.store.batches import Batch
from card_core.store.makings import ROWS_AT_ONCE, Making

BANK_CODE_MAX = 16
AT_OR_BEFORE_BANK = frozenset({MakingState.AWAITING_BANK, MakingState.AT_BANK})


@dataclass(frozen=True, slots=True)
class SendToBank(Act):
    """The pre-opening file of a batch's cards of one bank goes out.

    records: how many the file has; a card that was cancelled or handed over since it was written
    makes the act ContentChangedError. file_digest: 32 bytes, of its trailer. Cards that are at the
    bank already and unanswered are in the file again.
    """

    act: ClassVar[str] = "send_to_bank"

    batch_id: str
    bank: str
    records: int
    file_digest: bytes

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_text("bank", self.bank, characters_max=BANK_CODE_MAX)
        limits.check_range("records", self.records, 1, limits.ROSTER_ROWS_MAX)
        limits.check_size("file_digest", self.file_digest, 32)

    def apply(self, scene: Scene) -> Done:
        batch = lock_batch(scene.tx, self.batch_id)
        refuse_while_preparing(scene.tx, batch)
        refuse_while_bank_answers(batch)
        wanted = makings.positions_in(scene.tx, batch.id, AT_OR_BEFORE_BANK, self.bank)
        if len(wanted) != self.records:
            raise ContentChangedError
        for part in parts(wanted):
            found = makings.at_positions(scene.tx, batch.id, part)
            makings.change_all(
                scene.tx,
                [(one, {"state": _after(one, Step.SEND_TO_BANK)}) for one in found.values()],
            )
        answer = {"batch_id": batch.id, "bank": self.bank, "sent": len(wanted)}
        return Done(answer, f"batch/{batch.id}", {**answer, "file_digest": self.file_digest.hex()})


@dataclass(frozen=True, slots=True, repr=False)
class AccountReturned:
    """What the bank says of the card in this position: last_digits or reason, the other None."""

    position: int
    card_number: str
    last_digits: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class OpenBankReturn(Act):
    """Begin to take a bank's return, or go on with it. file_digest: of its trailer, 32 bytes.

    Another file of the same bank takes the place of one that was begun and never closed. While
    another bank's is open, WrongStateError.
    """

    act: ClassVar[str] = "open_bank_return"

    batch_id: str
    bank: str
    file_digest: bytes

    def __post_init__(self) -> None:
        _check_return(self.batch_id, self.bank, self.file_digest)

    def apply(self, scene: Scene) -> Done:
        batch = lock_batch(scene.tx, self.batch_id)
        if batch.return_bank not in {None, self.bank}:
            raise WrongStateError("bank return", batch.state)
        batches.set_return(scene.tx, batch, self.bank, self.file_digest)
        return _noted(batch, self.bank, self.file_digest)


@dataclass(frozen=True, slots=True, repr=False)
class TakeBankReturn(Act):
    """Some rows of the return that is being taken: accounts opened, and those that are not.

    outcomes: ROWS_AT_ONCE, their positions go up. Raises ReturnRefusedError; ContentChangedError
    where another return is being taken, or none.
    Answer: opened, failed, and how many were taken before (`known`).
    """

    act: ClassVar[str] = "take_bank_return"

    batch_id: str
    bank: str
    file_digest: bytes
    outcomes: Sequence[AccountReturned] = field(default=())

    def __post_init__(self) -> None:
        _check_return(self.batch_id, self.bank, self.file_digest)
        limits.check_range("outcomes", len(self.outcomes), 1, ROWS_AT_ONCE)
        check_order([one.position for one in self.outcomes])

    def request(self) -> Any:
        """The file and which of its rows: these stand for what is in them."""
        positions = [self.outcomes[0].position, self.outcomes[-1].position]
        return [self.batch_id, self.bank, self.file_digest.hex(), positions]

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        batch = _being_taken(tx, self.batch_id, self.bank, self.file_digest)
        new = _new_of(tx, batch.id, self.bank, self.outcomes)
        makings.change_all(
            tx, [(making, _account_change(tx, making, outcome)) for making, outcome in new]
        )
        failed = sum(outcome.reason is not None for _, outcome in new)
        known = len(self.outcomes) - len(new)
        counts = {"opened": len(new) - failed, "failed": failed, "known": known}
        return _noted(batch, self.bank, self.file_digest, counts)


@dataclass(frozen=True, slots=True)
class CloseBankReturn(Act):
    """All rows of the return are taken. Raises ContentChangedError as TakeBankReturn."""

    act: ClassVar[str] = "close_bank_return"

    batch_id: str
    bank: str
    file_digest: bytes

    def __post_init__(self) -> None:
        _check_return(self.batch_id, self.bank, self.file_digest)

    def apply(self, scene: Scene) -> Done:
        batch = _being_taken(scene.tx, self.batch_id, self.bank, self.file_digest)
        batches.set_return(scene.tx, batch, None, None)
        return _noted(batch, self.bank, self.file_digest)


def check_bank_return(
    tx: Reader, batch_id: str, bank: str, outcomes: Sequence[AccountReturned]
) -> None:
    """Pass where TakeBankReturn would take these rows, as things are.

    Raises ReturnRefusedError, NotFoundError, WrongStateError.
    """
    _new_of(tx, _issued_batch(tx, batch_id, Lock.NONE).id, bank, outcomes)


def _check_return(batch_id: str, bank: str, file_digest: bytes) -> None:
    limits.check_id("batch_id", batch_id)
    limits.check_text("bank", bank, characters_max=BANK_CODE_MAX)
    limits.check_size("file_digest", file_digest, 32)


def _being_taken(tx: Transaction, batch_id: str, bank: str, file_digest: bytes) -> Batch:
    batch = lock_batch(tx, batch_id)
    if (batch.return_bank, batch.return_digest) != (bank, file_digest):
        raise ContentChangedError
    return batch


def _noted(batch: Batch, bank: str, digest: bytes, counts: dict[str, int] | None = None) -> Done:
    answer = {"batch_id": batch.id, "bank": bank, **(counts or {})}
    return Done(answer, f"batch/{batch.id}", {**answer, "file_digest": digest.hex()})


def _new_of(
    tx: Reader, batch_id: str, bank: str, part: Sequence[AccountReturned]
) -> list[tuple[Making, AccountReturned]]:
    """The rows that were not taken before, with their cards'. Raises ReturnRefusedError."""
    found = makings.at_positions(tx, batch_id, [one.position for one in part])
    made = cards.get_all(tx, [one.card_id for one in found.values()])
    new: list[tuple[Making, AccountReturned]] = []
    for outcome in part:
        making = found.get(outcome.position)
        if making is None or making.bank != bank:
            raise ReturnRefusedError(outcome.position, "unknown")
        if made[making.card_id].card_number != outcome.card_number:
            raise ReturnRefusedError(outcome.position, "other_card")
        if making.state is MakingState.AT_BANK:
            new.append((making, outcome))
        else:
            _refuse_other_outcome(tx, making, outcome)
    return new


def _account_change(tx: Transaction, making: Making, outcome: AccountReturned) -> dict[str, Any]:
    if outcome.last_digits is None:
        state = _after(making, Step.FAIL_ACCOUNT)
        return {"state": state, "reason": outcome.reason, "account": None}
    account = makings.sealed_account(tx, making.card_id, outcome.last_digits)
    return {"state": _after(making, Step.OPEN_ACCOUNT), "reason": None, "account": account}


def _refuse_other_outcome(tx: Reader, making: Making, outcome: AccountReturned) -> None:
    """Pass where exactly this was taken before. Raises ReturnRefusedError."""
    account = makings.account_of(tx, making)
    failed_before = making.state is MakingState.ACCOUNT_FAILED
    if account is None and not failed_before:
        raise ReturnRefusedError(outcome.position, "not_waiting")
    before = (None, making.reason) if failed_before else (account, None)
    if before != (outcome.last_digits, outcome.reason):
        raise ReturnRefusedError(outcome.position, "other_outcome")


def _after(making: Making, step: Step) -> MakingState:
    return states.after(states.MAKING, "making", making.state, step)


def lock_batch(tx: Transaction, batch_id: str) -> Batch:
    """A batch whose cards are issued, all of them; of acts on its makings one goes on at a time.

    Raises NotFoundError, WrongStateError.
    """
    return _issued_batch(tx, batch_id, Lock.OWN)


def _issued_batch(tx: Reader, batch_id: str, lock: Lock) -> Batch:
    batch = batches.get(tx, batch_id, lock)
    if batch is None or batch.kind is not states.BatchKind.ROSTER:
        raise NotFoundError("batch")
    if batch.state is not states.BatchState.ISSUED:
        raise WrongStateError("batch", batch.state)
    return batch


def refuse_while_preparing(tx: Transaction, batch: Batch) -> None:
    """An order's chunks name their cards: none of these may change before they are prepared."""
    for order in making_orders.of_batch(tx, batch.id):
        if order.state is OrderState.PREPARING:
            raise WrongStateError("making order", order.state)


def refuse_while_bank_answers(batch: Batch) -> None:
    """A bank's return that is being taken is taken whole before its cards go on."""
    if batch.return_digest is not None:
        raise WrongStateError("bank return", batch.state)


def refuse_while_answered(tx: Transaction, batch: Batch) -> None:
    """The same, of banks and of makers."""
    refuse_while_bank_answers(batch)
    for order in making_orders.of_batch(tx, batch.id):
        if order.return_digest is not None:
            raise WrongStateError("maker return", order.state)


def check_order(numbers: Sequence[int]) -> None:
    """Raises InvalidActError where they don't go up."""
    if any(right <= left for left, right in pairwise(numbers)):
        raise InvalidActError("outcomes", "序号应递增", "the numbers must go up")


def parts(positions: Sequence[int]) -> Iterator[Sequence[int]]:
    """ROWS_AT_ONCE of them at a time."""
    for first in range(0, len(positions), ROWS_AT_ONCE):
        yield positions[first : first + ROWS_AT_ONCE]
