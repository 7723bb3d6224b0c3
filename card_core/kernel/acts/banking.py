"""Acts between bureau and bank: a batch's pre-opening file goes out, the return file comes in.

A return is taken whole, in one act, or not at all. The same return again changes nothing.
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
from card_core.store import Lock, Transaction, batches, cards, making_orders, makings
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


@dataclass(frozen=True, slots=True, repr=False)
class TakeBankReturn(Act):
    """A bank's return: accounts that are opened, and those that are not.

    file_digest: 32 bytes, of its trailer; it stands for the outcomes where a request is compared
    with an earlier one. outcomes: their positions go up. Raises ReturnRefusedError.
    Answer: opened, failed, and how many were taken before (`known`).
    """

    act: ClassVar[str] = "take_bank_return"

    batch_id: str
    bank: str
    file_digest: bytes
    outcomes: Sequence[AccountReturned] = field(default=())

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_text("bank", self.bank, characters_max=BANK_CODE_MAX)
        limits.check_size("file_digest", self.file_digest, 32)
        limits.check_range("outcomes", len(self.outcomes), 1, limits.ROSTER_ROWS_MAX)
        check_order([one.position for one in self.outcomes])

    def request(self) -> Any:
        return [self.batch_id, self.bank, self.file_digest.hex()]

    def apply(self, scene: Scene) -> Done:
        batch = lock_batch(scene.tx, self.batch_id)
        counts = {"opened": 0, "failed": 0, "known": 0}
        for first in range(0, len(self.outcomes), ROWS_AT_ONCE):
            part = self.outcomes[first : first + ROWS_AT_ONCE]
            self._take(scene.tx, part, counts)
        answer = {"batch_id": batch.id, "bank": self.bank, **counts}
        return Done(answer, f"batch/{batch.id}", {**answer, "file_digest": self.file_digest.hex()})

    def _take(
        self, tx: Transaction, part: Sequence[AccountReturned], counts: dict[str, int]
    ) -> None:
        found = makings.at_positions(tx, self.batch_id, [one.position for one in part])
        made = cards.get_all(tx, [one.card_id for one in found.values()])
        changes: list[tuple[Making, dict[str, Any]]] = []
        for outcome in part:
            making = found.get(outcome.position)
            if making is None or making.bank != self.bank:
                raise ReturnRefusedError(outcome.position, "unknown")
            if made[making.card_id].card_number != outcome.card_number:
                raise ReturnRefusedError(outcome.position, "other_card")
            if making.state is not MakingState.AT_BANK:
                _refuse_other_outcome(tx, making, outcome)
                counts["known"] += 1
                continue
            counts["failed" if outcome.reason else "opened"] += 1
            changes.append((making, _account_change(tx, making, outcome)))
        makings.change_all(tx, changes)


def _account_change(tx: Transaction, making: Making, outcome: AccountReturned) -> dict[str, Any]:
    if outcome.last_digits is None:
        state = _after(making, Step.FAIL_ACCOUNT)
        return {"state": state, "reason": outcome.reason, "account": None}
    account = makings.sealed_account(tx, making.card_id, outcome.last_digits)
    return {"state": _after(making, Step.OPEN_ACCOUNT), "reason": None, "account": account}


def _refuse_other_outcome(tx: Transaction, making: Making, outcome: AccountReturned) -> None:
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
    batch = batches.get(tx, batch_id, Lock.OWN)
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


def refuse_while_answered(tx: Transaction, batch: Batch) -> None:
    """A maker's return that is being taken is taken whole before its cards go on."""
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
