"""Acts on batches (制卡批次): a roster comes in, a second person releases it, cards are issued.

A batch is cut into chunks of CHUNK_SIZE applications. Each chunk has a ledger row with a keyed
digest of its applications; the batch's content_root is SM3 over those digests in their order.
That root is what the checker approves; the release takes the batch's card numbers, so that each
chunk's are known before it runs. Issuing compares root and digest again, so that an application
changed after the approval is never issued, and marks the ledger in the same transaction that makes
the cards: a chunk that ran is never run twice, and one that was killed has left nothing. Chunks
need nothing of each other, and run side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from card_core import states
from card_core.application import Application
from card_core.errors import TamperedRowError
from card_core.kernel import approvals, batch_ledger, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.batch_ledger import root_of
from card_core.kernel.content import canonical_bytes, read_bytes, to_json
from card_core.kernel.dates import SHANGHAI, years_later
from card_core.kernel.sign_numbers import make_ecard_ids
from card_core.states import BatchKind, BatchState, MakingState, Step
from card_core.store import (
    Lock,
    Reader,
    Transaction,
    applications,
    batches,
    cards,
    filings,
    holder_base,
    holders,
    issuers,
    makings,
    stock_cards,
)
from card_core.store.batches import Batch, Chunk
from card_core.store.cards import NewCard
from card_core.store.makings import NewMaking

CHUNK_SIZE = 500
CARD_LIFE_YEARS = 10

CardNumbers = tuple[int, list[str]]
"""An issuer and card numbers of it."""

_NO_FILE = bytes(32)


@dataclass(frozen=True, slots=True, repr=False)
class ImportRoster(Act):
    """Store a roster's good rows as a batch, and propose its release.

    applications: the accepted rows, in the roster's order. refused_count: rows that the roster's
    own checks refused. file_digest: SM3 of the file, 32 bytes.
    A person with a live card, an open application, or an earlier row is refused here; the answer
    lists those as {"row", "code"} with the codes `has_live_card`, `has_open_application`,
    `twice_in_roster`, for a number that only a merged record has `record_merged`, and for somebody
    whose card waits to be taken over `has_stock_card`. Where nothing is left, no batch is made and
    `batch_id` is None.
    """

    act: ClassVar[str] = "import_roster"

    name: str
    file_digest: bytes
    applications: tuple[Application, ...]
    refused_count: int

    def __post_init__(self) -> None:
        limits.check_text("name", self.name)
        limits.check_size("file_digest", self.file_digest, 32)
        limits.check_range("applications", len(self.applications), 0, limits.ROSTER_ROWS_MAX)
        limits.check_range("refused_count", self.refused_count, 0, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        filings.lock(scene.tx, Lock.SHARED)
        good, refused = sort_out(scene.tx, self.applications)
        answer: dict[str, Any] = {
            "batch_id": None,
            "approval_id": None,
            "content_hash": None,
            "accepted": len(good),
            "refused": refused,
            "chunks": 0,
        }
        detail: dict[str, Any] = {
            "file_digest": self.file_digest.hex(),
            "accepted": len(good),
            "refused": self.refused_count + len(refused),
        }
        if not good:
            return Done(answer, "batch/none", detail)
        refused_count = self.refused_count + len(refused)
        batch = store_batch(scene, self.name, self.file_digest, good, refused_count)
        approval = approvals.propose(scene, ReleaseBatch(batch.id, batch.content_root))
        proposed = {"approval_id": approval.id, "content_hash": approval.content_hash}
        answer |= {"batch_id": batch.id, "chunks": -(-len(good) // CHUNK_SIZE), **proposed}
        detail |= {"content_root": batch.content_root.hex(), **proposed}
        return Done(answer, f"batch/{batch.id}", detail)


@dataclass(frozen=True, slots=True)
class ReleaseBatch(DangerousAct):
    """Let a batch be issued. content_root: 32 bytes, over all its applications."""

    act: ClassVar[str] = "release_batch"

    batch_id: str
    content_root: bytes

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        limits.check_size("content_root", self.content_root, 32)

    def summary(self, tx: Reader) -> str:
        batch = batch_ledger.find(tx, self.batch_id, BatchKind.ROSTER)
        return (
            f"放行批次 {batch.name}：{batch.accepted} 张卡 / "
            f"Release batch {batch.name}: {batch.accepted} cards"
        )

    def examine(self, tx: Reader) -> None:
        """Compare every application with the ledger; each chunk does so again when it is issued."""
        batch = batches.get(tx, self.batch_id)
        if batch is None or batch.state is not BatchState.IMPORTED:
            return  # `apply` says so
        for chunk in batches.chunks(tx, batch.id):
            _stored_chunk(tx, chunk)

    def apply(self, scene: Scene) -> Done:
        batch, state = batch_ledger.lock_imported(
            scene, self.batch_id, BatchKind.ROSTER, self.content_root
        )
        first = issuers.take_card_serials(scene.tx, batch.accepted)
        batches.set_released(scene.tx, batch, state, first)
        answer = {
            "batch_id": batch.id,
            "state": state.value,
            "accepted": batch.accepted,
            "first_card_serial": first,
        }
        return Done(answer, f"batch/{batch.id}", answer)

    def withdraw(self, scene: Scene) -> None:
        batch_ledger.reject(scene, self.batch_id, BatchKind.ROSTER)


@dataclass(frozen=True, slots=True)
class IssueChunk(Act):
    """Make the cards and e-cards of one chunk of a released batch.

    chunk_number: from 1; None for the first one that nobody is at. A chunk that is issued already
    gives the same answer and changes nothing; where none is left, or the batch is paused or
    cancelled, `chunk_number` is None in it.
    """

    act: ClassVar[str] = "issue_chunk"

    batch_id: str
    chunk_number: int | None = None

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        if self.chunk_number is not None:
            limits.check_range("chunk_number", self.chunk_number, 1, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        batch, chunk = batch_ledger.take_chunk(
            scene.tx, self.batch_id, BatchKind.ROSTER, self.chunk_number
        )
        if chunk is not None and not chunk.is_issued:
            chunk = _issue(scene, batch, chunk)
            _count_issued(scene, chunk)
        answer = {
            "batch_id": self.batch_id,
            "chunk_number": chunk and chunk.number,
            "issued": chunk.size if chunk else 0,
            "first_card_number": chunk and chunk.first_card_number,
            "last_card_number": chunk and chunk.last_card_number,
        }
        return Done(answer, f"batch/{self.batch_id}", answer)


def sort_out(
    tx: Reader, rows: Sequence[Application], batch_id: str | None = None
) -> tuple[list[Application], list[dict[str, Any]]]:
    """Part the rows that may be stored from those that are refused, with row and code.

    batch_id: of the batch that they are for, where others of its rows are stored already.
    """
    numbers = [row.number.text for row in rows]
    # Applications and stocks first: what waits there is closed only in the transaction that makes
    # its card, so that nobody slips between the questions while another process issues.
    with_application = applications.numbers_with_open_one(tx, numbers)
    in_stock = stock_cards.numbers_with_open_card(tx, numbers, live_only=True)
    with_card = holders.numbers_with_live_card(tx, numbers)
    merged = holder_base.merged_numbers(tx, numbers)
    good, refused = [], []
    seen: set[str] = set()
    if batch_id is not None and with_application:
        seen = applications.numbers_in_batch(tx, batch_id, sorted(with_application))
    applying = with_application - seen
    for row in rows:
        number = row.number.text
        if number in with_card:
            refused.append({"row": row.row, "code": "has_live_card"})
        elif number in applying:
            refused.append({"row": row.row, "code": "has_open_application"})
        elif number in merged:
            refused.append({"row": row.row, "code": "record_merged"})
        elif number in in_stock:
            refused.append({"row": row.row, "code": "has_stock_card"})
        elif number in seen:
            refused.append({"row": row.row, "code": "twice_in_roster"})
        else:
            seen.add(number)
            good.append(row)
    return good, refused


def issue_at_once(
    scene: Scene,
    name: str,
    application: Application,
    numbers: CardNumbers | None,
    making: MakingState | None = None,
) -> Batch:
    """Make one person's card in a batch of its own, for an act that two people decided.

    numbers: the issuer and the card number to use, None for the next. making: as of `_issue`.
    Returns the batch as stored.
    """
    batch = store_batch(scene, name, _NO_FILE, [application], 0)
    batches.set_state(
        scene.tx, batch, states.after(states.BATCH, "batch", batch.state, Step.RELEASE)
    )
    (chunk,) = batches.chunks(scene.tx, batch.id)
    _count_issued(scene, _issue(scene, batch, chunk, numbers, making=making))
    return batch


def store_batch(
    scene: Scene, name: str, file_digest: bytes, good: Sequence[Application], refused: int
) -> Batch:
    batch_id = scene.new_id()
    contents = list(map(content_of, good))
    ledger = _cut(scene.tx, batch_id, 1, contents)
    batch = Batch(
        id=batch_id,
        name=name,
        state=BatchState.IMPORTED,
        maker_id=scene.actor.id,
        accepted=len(good),
        refused=refused,
        issued=0,
        content_root=root_of(chunk.digest for chunk in ledger),
        file_digest=file_digest,
        created_at=scene.now,
    )
    batches.add(scene.tx, batch, ledger)
    _add_applications(scene, batch_id, 1, good, contents)
    return batch


def content_of(application: Application) -> bytes:
    """An application as it is stored."""
    return canonical_bytes(to_json(application))


def add_rows(
    scene: Scene, batch: Batch, good: Sequence[Application], contents: list[bytes]
) -> None:
    """Store rows behind those that a batch has, and their chunks. Its own row is left as it is.

    contents: of each row its `content_of`.
    """
    number, stored = batch.accepted // CHUNK_SIZE + 1, batch.accepted % CHUNK_SIZE
    before: list[bytes] = []
    if stored:  # the last chunk has room
        chunk = batches.lock_chunk(scene.tx, batch.id, number)
        if chunk is None or chunk.size != stored:
            raise TamperedRowError("batch_chunks", f"{batch.id}/{number}")
        before = [content for _, content in _stored_chunk(scene.tx, chunk)]
    _add_applications(scene, batch.id, batch.accepted + 1, good, contents)
    ledger = _cut(scene.tx, batch.id, number, before + contents)
    if stored:
        batches.replace_chunk(scene.tx, ledger.pop(0))
    batches.add_chunks(scene.tx, ledger)


def _cut(tx: Reader, batch_id: str, number: int, contents: Sequence[bytes]) -> list[Chunk]:
    """Chunks of these contents, the first one with this number."""
    ledger = []
    for number_, first in enumerate(range(0, len(contents), CHUNK_SIZE), number):
        part = contents[first : first + CHUNK_SIZE]
        digest = _digest(tx, batch_id, number_, part)
        ledger.append(Chunk(batch_id, number_, len(part), digest, None, None, None))
    return ledger


def _add_applications(
    scene: Scene, batch_id: str, first: int, rows: Sequence[Application], contents: list[bytes]
) -> None:
    """first: the position of the first of them within the batch."""
    ids = scene.new_ids(len(rows))
    new = [
        applications.NewApplication(row_id, position, row.row, row.number.text, content)
        for position, (row_id, row, content) in enumerate(
            zip(ids, rows, contents, strict=True), first
        )
    ]
    applications.add_all(scene.tx, batch_id, new)


def _digest(tx: Reader, batch_id: str, number: int, contents: Sequence[bytes]) -> bytes:
    """Keyed, since a plain hash of a small batch could be guessed back to the people in it."""
    return tx.cipher.keyed_digest([b"chunk", batch_id.encode(), b"%d" % number, *contents])


def _read_chunk(tx: Reader, chunk: Chunk) -> list[tuple[str, Application]]:
    """The chunk's applications with their row ids, after comparing them with its digest."""
    stored = _stored_chunk(tx, chunk)
    return [(row_id, read_bytes(Application, content)) for row_id, content in stored]


def _stored_chunk(tx: Reader, chunk: Chunk) -> list[tuple[str, bytes]]:
    """The chunk's rows, id and content, after comparing them with its digest."""
    stored = applications.between(tx, chunk.batch_id, *_positions(chunk))
    digest = _digest(tx, chunk.batch_id, chunk.number, [content for _, content in stored])
    if len(stored) != chunk.size or digest != chunk.digest:
        raise TamperedRowError("batch_chunks", f"{chunk.batch_id}/{chunk.number}")
    return stored


def _positions(chunk: Chunk) -> tuple[int, int]:
    """From its first application within the batch, from 1, to the last that it could have."""
    first = (chunk.number - 1) * CHUNK_SIZE + 1
    return first, first + CHUNK_SIZE - 1


def serials_of(batch: Batch, chunk: Chunk) -> tuple[int, int] | None:
    """The first and last serial of the card numbers that the release took for a chunk."""
    if batch.first_card_serial is None:
        return None
    first = batch.first_card_serial + _positions(chunk)[0] - 1
    return first, first + chunk.size - 1


def _card_numbers(tx: Transaction, batch: Batch, chunk: Chunk) -> CardNumbers:
    issuer = issuers.required(tx)
    if batch.first_card_serial is None:  # its release took none
        first = issuers.take_card_serials(tx, chunk.size)
    else:
        first = batch.first_card_serial + _positions(chunk)[0] - 1
    return issuer.number, [issuer.card_number(first + at) for at in range(chunk.size)]


def _issue(
    scene: Scene,
    batch: Batch,
    chunk: Chunk,
    taken: CardNumbers | None = None,
    *,
    making: MakingState | None = MakingState.AWAITING_BANK,
) -> Chunk:
    """making: where the cards' making begins; None where they are made there and then."""
    tx = scene.tx
    rows = _read_chunk(tx, chunk)
    issuer, numbers = taken or _card_numbers(tx, batch, chunk)
    issued_on = scene.now.astimezone(SHANGHAI).date()
    expires_on = years_later(issued_on, CARD_LIFE_YEARS)
    people = [application for _, application in rows]
    holder_ids = holders.put_all(tx, people, scene.new_ids, scene.now)
    card_ids = scene.new_ids(len(people))
    ecard_ids = make_ecard_ids(len(people), scene.random_bytes)
    made = zip(card_ids, holder_ids, people, numbers, ecard_ids, strict=True)
    cards.add_all(
        tx,
        [
            NewCard(
                card_id,
                holder_id,
                number,
                batch.id,
                issuer,
                application.region,
                issued_on,
                expires_on,
                ecard_id,
            )
            for card_id, holder_id, application, number, ecard_id in made
        ],
    )
    if making is not None:
        first, _ = _positions(chunk)
        makings.add_all(
            tx,
            batch.id,
            [
                NewMaking(card_id, position, application.bank, application.branch, making)
                for position, (card_id, application) in enumerate(
                    zip(card_ids, people, strict=True), first
                )
            ],
        )
    if applications.mark_issued(tx, batch.id, *_positions(chunk)) != chunk.size:
        raise TamperedRowError("applications", batch.id)
    return batches.mark_issued(tx, chunk, numbers[0], numbers[-1], scene.now)


def _count_issued(scene: Scene, chunk: Chunk) -> None:
    """Add the chunk to the batch's count; with the last one the batch is issued."""
    batch = batch_ledger.find(scene.tx, chunk.batch_id, BatchKind.ROSTER, Lock.OWN)
    issued = batch.issued + chunk.size
    state = batch.state
    if issued == batch.accepted:
        state = states.after(states.BATCH, "batch", state, Step.FINISH)
    batches.set_issued(scene.tx, batch, issued, state)
