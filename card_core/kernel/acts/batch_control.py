"""Acts that hold a batch's issuing up, let it go on, or end it (暂停、恢复、取消发卡); a stock's
taking over likewise.

They reach whoever issues, on whatever machine, by the database: a paused or cancelled batch has no
chunk to hand out. A chunk that somebody is at is not torn: it ends before a cancellation looks at
what is left, and beside a pause.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from card_core import states
from card_core.errors import NotFoundError
from card_core.kernel import batch_ledger, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.batches import serials_of
from card_core.states import BatchKind, Step
from card_core.store import Lock, Reader, batches
from card_core.store.batches import Batch


@dataclass(frozen=True, slots=True)
class PauseBatch(Act):
    """Hand out no more chunks of a batch. Answer: batch_id, state, issued, accepted."""

    act: ClassVar[str] = "pause_batch"

    batch_id: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.batch_id, Step.PAUSE)


@dataclass(frozen=True, slots=True)
class ResumeBatch(Act):
    """Let a paused batch go on; it was approved before. Answer: as of PauseBatch."""

    act: ClassVar[str] = "resume_batch"

    batch_id: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)

    def apply(self, scene: Scene) -> Done:
        return _move(scene, self.batch_id, Step.RESUME)


@dataclass(frozen=True, slots=True)
class CancelBatch(DangerousAct):
    """End a batch that is not issued to its end. What is issued stays issued; the others may apply
    again, and the card numbers that the release took for them are never used. Cards of a stock that
    are not taken over may be imported again.

    Answer: as of PauseBatch, and `unused`: [first serial, last serial] of each run of such numbers.
    """

    act: ClassVar[str] = "cancel_batch"

    batch_id: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)

    def summary(self, tx: Reader) -> str:
        batch = _get(tx, self.batch_id)
        left = batch.accepted - batch.issued
        if batch.kind is BatchKind.STOCK:
            return (
                f"取消存量卡批次 {batch.name}：已接管 {batch.issued} 张有效，"
                f"其余 {left} 张不再接管 / Cancel stock {batch.name}: {batch.issued} cards stay "
                f"taken over, {left} are not taken over"
            )
        return (
            f"取消批次 {batch.name}：已发 {batch.issued} 张有效，其余 {left} 张不再制发 / "
            f"Cancel batch {batch.name}: {batch.issued} cards stay issued, {left} are not made"
        )

    def apply(self, scene: Scene) -> Done:
        # Chunks before the batch, as whoever issues locks them.
        left = batches.lock_unissued(scene.tx, self.batch_id)
        done = _move(scene, self.batch_id, Step.CANCEL)
        batch = _get(scene.tx, self.batch_id)
        batch_ledger.withdraw_rows(scene.tx, batch)
        answer = {**done.answer, "unused": _runs(serials_of(batch, chunk) for chunk in left)}
        return Done(answer, done.subject, answer)


def _runs(serials: Iterable[tuple[int, int] | None]) -> list[tuple[int, int]]:
    """The same serials, first and last, with those that follow each other as one."""
    runs: list[tuple[int, int]] = []
    for one in serials:
        if one is None:
            continue
        if runs and runs[-1][1] + 1 == one[0]:
            runs[-1] = (runs[-1][0], one[1])
        else:
            runs.append(one)
    return runs


def _move(scene: Scene, batch_id: str, step: Step) -> Done:
    batch = _get(scene.tx, batch_id, Lock.OWN)
    state = states.after(states.BATCH, "batch", batch.state, step)
    batches.set_state(scene.tx, batch, state)
    answer: dict[str, Any] = {
        "batch_id": batch.id,
        "state": state.value,
        "issued": batch.issued,
        "accepted": batch.accepted,
    }
    return Done(answer, f"batch/{batch.id}", answer)


def _get(tx: Reader, batch_id: str, lock: Lock = Lock.NONE) -> Batch:
    batch = batches.get(tx, batch_id, lock)
    if batch is None:
        raise NotFoundError("batch")
    return batch
