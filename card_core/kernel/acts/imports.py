"""Acts that bring a roster in by portions, however many rows it has.

    OpenImport    a batch that nobody sees yet
    ImportRows    some of its rows, again and again; whoever stands in one is applying from then on
    CloseImport   the root over all its chunks, and the proposal to release it: it is there, whole
    DropImport    its rows go again, some at a time, and with the last one the import is gone

Each is short, so that whatever else the database is there for goes on in between. An import whose
process died was never there: who imports next drops it, its own maker at once and anybody else
when it is older than IMPORT_LASTS.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from card_core import states
from card_core.application import Application
from card_core.errors import (
    ImportUnderWayError,
    NotAllowedError,
    NotFoundError,
    TamperedRowError,
)
from card_core.kernel import approvals, limits
from card_core.kernel.act import Act, Done, Scene
from card_core.kernel.acts.batches import ReleaseBatch, add_rows, content_of, sort_out
from card_core.kernel.batch_ledger import root_of
from card_core.states import BatchKind, BatchState, Step
from card_core.store import Lock, applications, batches, filings, holder_base
from card_core.store.batches import Batch
from crypto import sm3

IMPORT_ROWS_MAX = 1000
# An import of a million rows takes minutes.
IMPORT_LASTS = timedelta(hours=1)
DROPPED_ROWS = 5000

_NO_ROOT = bytes(32)
_OPEN = "imports"


@dataclass(frozen=True, slots=True)
class OpenImport(Act):
    """Begin to import a roster. file_digest: SM3 of the file, 32 bytes. Answer: batch_id.

    Raises ImportUnderWayError while the same file is being imported.
    """

    act: ClassVar[str] = "open_import"

    name: str
    file_digest: bytes

    def __post_init__(self) -> None:
        limits.check_text("name", self.name)
        limits.check_size("file_digest", self.file_digest, 32)

    def apply(self, scene: Scene) -> Done:
        scene.tx.lock(_OPEN, Lock.OWN)
        if any(
            one.state is BatchState.IMPORTING and one.file_digest == self.file_digest
            for one in batches.not_whole(scene.tx)
        ):
            raise ImportUnderWayError
        batch = Batch(
            id=scene.new_id(),
            name=self.name,
            state=BatchState.IMPORTING,
            maker_id=scene.actor.id,
            accepted=0,
            refused=0,
            issued=0,
            content_root=_NO_ROOT,
            file_digest=self.file_digest,
            created_at=scene.now,
        )
        batches.add(scene.tx, batch, [])
        detail = {"file_digest": self.file_digest.hex()}
        return Done({"batch_id": batch.id}, f"batch/{batch.id}", detail)


@dataclass(frozen=True, slots=True, repr=False)
class ImportRows(Act):
    """Store some good rows of a roster behind those that are stored.

    Rows are refused one by one, with the codes of `ImportRoster`; the answer lists them, and how
    many are `accepted`. Raises NotAllowedError for anybody but the import's maker.
    """

    act: ClassVar[str] = "import_rows"

    batch_id: str
    applications: tuple[Application, ...]
    contents: tuple[bytes, ...] = field(init=False)  # the applications, as they are stored

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_range("applications", len(self.applications), 1, IMPORT_ROWS_MAX)
        object.__setattr__(self, "contents", tuple(map(content_of, self.applications)))

    def request(self) -> Any:
        """A digest of the rows stands for them."""
        return [self.batch_id, sm3.digest(b"\n".join(self.contents)).hex()]

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        filings.lock(scene.tx, Lock.SHARED)
        batch = _own_import(scene, self.batch_id)
        rows = batch.accepted + batch.refused + len(self.applications)
        limits.check_range("applications", rows, 1, limits.ROSTER_ROWS_MAX)
        good, refused = sort_out(scene.tx, self.applications, batch.id)
        if good:
            contents = dict(zip(map(id, self.applications), self.contents, strict=True))
            add_rows(scene, batch, good, [contents[id(row)] for row in good])
        batches.set_counts(
            scene.tx,
            batch,
            issued=0,
            accepted=batch.accepted + len(good),
            refused=batch.refused + len(refused),
            state=batch.state,
        )
        counts = {"batch_id": batch.id, "accepted": len(good)}
        detail = {**counts, "refused": len(refused)}
        return Done({**counts, "refused": refused}, f"batch/{batch.id}", detail)


@dataclass(frozen=True, slots=True)
class CloseImport(Act):
    """The roster is in: propose the batch's release. refused_count: rows that the roster's own
    checks refused.

    Answer: as of `ImportRoster`, without the rows that were refused. Where no row is left, there
    is no batch, and `batch_id` is None.
    """

    act: ClassVar[str] = "close_import"

    batch_id: str
    refused_count: int

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_range("refused_count", self.refused_count, 0, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        batch = _own_import(scene, self.batch_id)
        ledger = batches.chunks(tx, batch.id)
        if sum(chunk.size for chunk in ledger) != batch.accepted:
            raise TamperedRowError("batch_chunks", batch.id)
        step = Step.COMPLETE if ledger else Step.DROP
        root = root_of(chunk.digest for chunk in ledger) if ledger else _NO_ROOT
        refused = batch.refused + self.refused_count
        state = states.after(states.BATCH, "batch", batch.state, step)
        batches.set_complete(tx, batch, refused=refused, content_root=root, state=state)
        counts = {"accepted": batch.accepted, "chunks": len(ledger)}
        detail: dict[str, Any] = {**counts, "refused": refused, "content_root": root.hex()}
        proposed: dict[str, Any] = {"approval_id": None, "content_hash": None}
        if ledger:
            approval = approvals.propose(scene, ReleaseBatch(batch.id, root))
            proposed = {"approval_id": approval.id, "content_hash": approval.content_hash}
        answer = {"batch_id": batch.id if ledger else None, **counts, **proposed}
        return Done(answer, f"batch/{batch.id}", detail | proposed)


@dataclass(frozen=True, slots=True)
class DropImport(Act):
    """Take back up to DROPPED_ROWS rows of an import that will not be closed.

    Answer: rows_left, of which the next such act takes more. Raises ImportUnderWayError for an
    import of somebody else's that may still be at work.
    """

    act: ClassVar[str] = "drop_import"

    batch_id: str

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        batch = _import(scene, self.batch_id)
        state = states.after(states.BATCH, "batch", batch.state, Step.DROP)
        is_recent = scene.now < batch.created_at + IMPORT_LASTS
        if batch.state is BatchState.IMPORTING and is_recent and scene.actor.id != batch.maker_id:
            raise ImportUnderWayError
        left = max(batch.accepted - DROPPED_ROWS, 0)
        applications.delete_behind(tx, batch.id, left)
        if not left:
            batches.drop_chunks(tx, batch.id)
        batches.set_counts(tx, batch, issued=0, accepted=left, refused=batch.refused, state=state)
        answer = {"batch_id": batch.id, "rows_left": left}
        return Done(answer, f"batch/{batch.id}", answer)


def _import(scene: Scene, batch_id: str) -> Batch:
    batch = batches.get(scene.tx, batch_id, Lock.OWN)
    if batch is None or batch.kind is not BatchKind.ROSTER:
        raise NotFoundError("batch")
    return batch


def _own_import(scene: Scene, batch_id: str) -> Batch:
    """The import, whose rows are still coming in. Raises WrongStateError, NotAllowedError."""
    batch = _import(scene, batch_id)
    states.after(states.BATCH, "batch", batch.state, Step.COMPLETE)
    if batch.maker_id != scene.actor.id:
        raise NotAllowedError
    return batch
