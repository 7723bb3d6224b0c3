"""A batch of either kind, a roster's or a stock's: the root that its release approves, its release
and what undoes it, and its chunks, which are done one by one by whoever takes them."""

from collections.abc import Iterable

from card_core import states
from card_core.errors import ContentChangedError, NotFoundError, TamperedRowError, WrongStateError
from card_core.kernel.act import Scene
from card_core.states import BatchKind, BatchState, Step
from card_core.store import Lock, Reader, Transaction, applications, batches, stock_cards
from card_core.store.batches import Batch, Chunk
from crypto import sm3

_STOPPED = frozenset({BatchState.PAUSED, BatchState.CANCELLED})
_NOUNS = {BatchKind.ROSTER: "batch", BatchKind.STOCK: "stock"}


def root_of(digests: Iterable[bytes]) -> bytes:
    """What a checker approves of a batch: SM3 over its chunks' digests."""
    return sm3.digest(b"".join(digests))


def find(tx: Reader, batch_id: str, kind: BatchKind, lock: Lock = Lock.NONE) -> Batch:
    """Raises NotFoundError, also for a batch of another kind."""
    batch = batches.get(tx, batch_id, lock)
    if batch is None or batch.kind is not kind:
        raise NotFoundError(_NOUNS[kind])
    return batch


def lock_imported(
    scene: Scene, batch_id: str, kind: BatchKind, content_root: bytes
) -> tuple[Batch, BatchState]:
    """The batch that is to be released, and its state afterwards. Raises ContentChangedError where
    `content_root`, which was approved, is not that of its ledger; WrongStateError."""
    batch = find(scene.tx, batch_id, kind, Lock.OWN)
    state = states.after(states.BATCH, "batch", batch.state, Step.RELEASE)
    ledger = batches.chunks(scene.tx, batch.id)
    if not batch.content_root == content_root == root_of(chunk.digest for chunk in ledger):
        raise ContentChangedError
    return batch, state


def reject(scene: Scene, batch_id: str, kind: BatchKind) -> None:
    """Its release is rejected: its people may apply, or its cards come in, again."""
    batch = find(scene.tx, batch_id, kind, Lock.OWN)
    state = states.BATCH[Step.REJECT].get(batch.state)
    if state is not None:  # another approval may have released it meanwhile
        batches.set_state(scene.tx, batch, state)
        withdraw_rows(scene.tx, batch)


def withdraw_rows(tx: Transaction, batch: Batch) -> None:
    """Let what is open in a batch come in again."""
    rows = applications if batch.kind is BatchKind.ROSTER else stock_cards
    rows.withdraw_all(tx, batch.id)


def take_chunk(
    tx: Transaction, batch_id: str, kind: BatchKind, number: int | None
) -> tuple[Batch, Chunk | None]:
    """The chunk to do, locked, or to answer for where it is done already.

    number: None for the first one that is not done and that nobody is at; then None where none is
    left, or the batch is paused or cancelled. Raises NotFoundError, WrongStateError,
    TamperedRowError where the ledger is not what was approved.
    """
    if number is None:
        chunk = batches.claim_chunk(tx, batch_id)
    else:
        chunk = batches.lock_chunk(tx, batch_id, number)
        if chunk is None:
            raise NotFoundError("chunk")
    # Read after the chunk is locked: whoever cancels the batch locks its chunks first.
    batch = find(tx, batch_id, kind)
    if chunk is None or (number is None and batch.state in _STOPPED):
        return batch, None
    if not chunk.is_issued:
        if batch.state is not BatchState.RELEASED:
            raise WrongStateError("batch", batch.state)
        if root_of(batches.digests(tx, batch.id)) != batch.content_root:
            raise TamperedRowError("batches", batch.id)
    return batch, chunk
