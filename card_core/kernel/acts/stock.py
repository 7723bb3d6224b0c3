"""Acts on a card stock (存量卡): it comes in, a second person releases it, it is taken over.

A stock is a batch of another kind, cut into chunks of CHUNK_SIZE cards with the same ledger: a
checker approves the root over all its cards, and the chunk that makes the cards marks the ledger in
the same transaction. So a chunk that ran is never run twice, and one that was killed has left
nothing. What the holder base says is compared when the stock comes in and once more when a chunk is
taken over: a card that can't be taken over any more is refused by itself, and the others go on.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from card_core import states
from card_core.errors import NotFoundError, TamperedRowError
from card_core.kernel import approvals, batch_ledger, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.batch_ledger import root_of
from card_core.kernel.content import canonical_bytes, from_json, to_json
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.sign_numbers import make_ecard_ids
from card_core.kernel.stock_reconciling import Reconciled, reconcile
from card_core.states import BatchKind, BatchState, CardState, Step
from card_core.stock_card import StockCard
from card_core.store import (
    Lock,
    Reader,
    batches,
    card_dates,
    cards,
    holder_base,
    issuers,
    stock_cards,
)
from card_core.store.batches import Batch, Chunk
from card_core.store.card_dates import CardDate
from card_core.store.cards import NewCard
from card_core.store.holder_base import NewHolder
from card_core.store.stock_cards import NewStockCard

CHUNK_SIZE = 500


@dataclass(frozen=True, slots=True, repr=False)
class ImportStock(Act):
    """Store the cards of a stock that can be taken over, and propose to do so.

    cards: the good rows, in the file's order. refused_count: rows that the file's own checks
    refused. file_digest: SM3 of the file, 32 bytes.
    The answer lists the others as `refused`, {"row", "code"} with the codes of
    `stock_reconciling.REFUSALS`, and as `phone_differs` the rows whose phone is not ours. Where no
    card is left, no stock is made and `stock_id` is None.
    """

    act: ClassVar[str] = "import_stock"

    name: str
    file_digest: bytes
    cards: tuple[StockCard, ...]
    refused_count: int

    def __post_init__(self) -> None:
        limits.check_text("name", self.name)
        limits.check_size("file_digest", self.file_digest, 32)
        limits.check_range("cards", len(self.cards), 0, limits.ROSTER_ROWS_MAX)
        limits.check_range("refused_count", self.refused_count, 0, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        holder_base.lock(scene.tx, Lock.SHARED)
        issuers.lock_card_numbers(scene.tx)
        found = list(reconcile(scene.tx, self.cards))
        good = [one for one in found if one.refusal is None]
        refused = [{"row": one.card.row, "code": one.refusal} for one in found if one.refusal]
        answer: dict[str, Any] = {
            "stock_id": None,
            "approval_id": None,
            "content_hash": None,
            "accepted": len(good),
            "known_people": sum(one.holder_id is not None for one in good),
            "refused": refused,
            "phone_differs": [one.card.row for one in good if one.phone_differs],
            "chunks": 0,
        }
        detail: dict[str, Any] = {
            "file_digest": self.file_digest.hex(),
            "accepted": len(good),
            "refused": self.refused_count + len(refused),
        }
        if not good:
            return Done(answer, "batch/none", detail)
        stock = _store(scene, self, [one.card for one in good], self.refused_count + len(refused))
        approval = approvals.propose(scene, ReleaseStock(stock.id, stock.content_root))
        proposed = {"approval_id": approval.id, "content_hash": approval.content_hash}
        answer |= {"stock_id": stock.id, "chunks": -(-len(good) // CHUNK_SIZE), **proposed}
        detail |= {"content_root": stock.content_root.hex(), **proposed}
        return Done(answer, f"batch/{stock.id}", detail)


@dataclass(frozen=True, slots=True)
class ReleaseStock(DangerousAct):
    """Let a stock be taken over. content_root: 32 bytes, over all its cards."""

    act: ClassVar[str] = "release_stock"

    stock_id: str
    content_root: bytes

    def __post_init__(self) -> None:
        limits.check_id("stock_id", self.stock_id)
        limits.check_size("content_root", self.content_root, 32)

    def summary(self, tx: Reader) -> str:
        stock = batch_ledger.find(tx, self.stock_id, BatchKind.STOCK)
        return (
            f"放行存量卡接管 {stock.name}：{stock.accepted} 张卡 / "
            f"Release the take-over of {stock.name}: {stock.accepted} cards"
        )

    def examine(self, tx: Reader) -> None:
        """Compare every card with the ledger; each chunk does so again when it is taken over."""
        stock = batches.get(tx, self.stock_id)
        if stock is None or stock.state is not BatchState.IMPORTED:
            return  # `apply` says so
        for chunk in batches.chunks(tx, stock.id):
            _stored_chunk(tx, chunk)

    def apply(self, scene: Scene) -> Done:
        # Whoever compared people with the stocks before this one was to be seen has ended after
        # this, and whoever compares from now on sees it. So no application comes from behind while
        # chunks are taken over, and these need nobody kept out.
        holder_base.lock(scene.tx, Lock.OWN)
        stock, state = batch_ledger.lock_imported(
            scene, self.stock_id, BatchKind.STOCK, self.content_root
        )
        batches.set_state(scene.tx, stock, state)
        answer = {"stock_id": stock.id, "state": state.value, "accepted": stock.accepted}
        return Done(answer, f"batch/{stock.id}", answer)

    def withdraw(self, scene: Scene) -> None:
        batch_ledger.reject(scene, self.stock_id, BatchKind.STOCK)


@dataclass(frozen=True, slots=True)
class TakeOverChunk(Act):
    """Make the cards of one chunk of a released stock, each in the state that it has, with an
    e-card to be activated.

    chunk_number: from 1; None for the first one that nobody is at. Answer: taken and refused, how
    many cards. A chunk that is taken over already gives the same answer and changes nothing; where
    none is left, or the stock is paused or cancelled, `chunk_number` is None in it.
    """

    act: ClassVar[str] = "take_over_chunk"

    stock_id: str
    chunk_number: int | None = None

    def __post_init__(self) -> None:
        limits.check_id("stock_id", self.stock_id)
        if self.chunk_number is not None:
            limits.check_range("chunk_number", self.chunk_number, 1, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        # No record is merged, corrected or erased between what is compared and what is made.
        holder_base.lock(tx, Lock.SHARED)
        stock, chunk = batch_ledger.take_chunk(
            tx, self.stock_id, BatchKind.STOCK, self.chunk_number
        )
        if chunk is not None and not chunk.is_issued:
            chunk = _take_over(scene, chunk)
        refused = stock_cards.count_refused(tx, stock.id, *_positions(chunk)) if chunk else 0
        answer = {
            "stock_id": stock.id,
            "chunk_number": chunk and chunk.number,
            "taken": chunk.size - refused if chunk else 0,
            "refused": refused,
        }
        return Done(answer, f"batch/{stock.id}", answer)


def _store(scene: Scene, act: ImportStock, good: Sequence[StockCard], refused: int) -> Batch:
    stock_id = scene.new_id()
    rows = [(card, canonical_bytes(to_json(card))) for card in good]
    ledger = []
    for number, first in enumerate(range(0, len(rows), CHUNK_SIZE), 1):
        part = rows[first : first + CHUNK_SIZE]
        digest = _digest(scene.tx, stock_id, number, [content for _, content in part])
        ledger.append(Chunk(stock_id, number, len(part), digest, None, None, None))
    stock = Batch(
        id=stock_id,
        name=act.name,
        state=BatchState.IMPORTED,
        maker_id=scene.actor.id,
        accepted=len(good),
        refused=refused,
        issued=0,
        content_root=root_of(chunk.digest for chunk in ledger),
        file_digest=act.file_digest,
        created_at=scene.now,
        kind=BatchKind.STOCK,
    )
    batches.add(scene.tx, stock, ledger)
    new = [
        NewStockCard(
            id=scene.new_id(),
            position=position,
            row=card.row,
            number=card.number.text,
            card_number=card.card_number,
            identification_code=card.identification_code,
            is_live=card.is_live,
            content=content,
        )
        for position, (card, content) in enumerate(rows, 1)
    ]
    stock_cards.add_all(scene.tx, stock_id, new)
    return stock


def _digest(tx: Reader, stock_id: str, number: int, contents: Sequence[bytes]) -> bytes:
    return tx.cipher.keyed_digest([b"stock", stock_id.encode(), b"%d" % number, *contents])


def _positions(chunk: Chunk) -> tuple[int, int]:
    last = chunk.number * CHUNK_SIZE
    return last - CHUNK_SIZE + 1, last


def _stored_chunk(tx: Reader, chunk: Chunk) -> list[tuple[str, bytes]]:
    """The chunk's rows, id and content, after comparing them with its digest."""
    stored = stock_cards.between(tx, chunk.batch_id, *_positions(chunk))
    digest = _digest(tx, chunk.batch_id, chunk.number, [content for _, content in stored])
    if len(stored) != chunk.size or digest != chunk.digest:
        raise TamperedRowError("batch_chunks", f"{chunk.batch_id}/{chunk.number}")
    return stored


def _read_chunk(tx: Reader, chunk: Chunk) -> dict[int, tuple[str, StockCard]]:
    """The chunk's cards with their row ids, by the file's row."""
    stored = _stored_chunk(tx, chunk)
    read = [(row_id, from_json(StockCard, json.loads(content))) for row_id, content in stored]
    return {card.row: (row_id, card) for row_id, card in read}


def _take_over(scene: Scene, chunk: Chunk) -> Chunk:
    tx = scene.tx
    rows = _read_chunk(tx, chunk)
    found, holder_ids = _judged(scene, chunk, [card for _, card in rows.values()])
    good = [one for one in found if one.refusal is None]
    _add_cards(scene, chunk.batch_id, [one.card for one in good], holder_ids)
    stock_cards.mark_taken(tx, [rows[one.card.row][0] for one in good])
    for code in sorted({one.refusal for one in found if one.refusal}):
        ids = [rows[one.card.row][0] for one in found if one.refusal == code]
        stock_cards.mark_refused(tx, ids, code)
    _count(scene, chunk, taken=len(good), refused=len(found) - len(good))
    numbers = [one.card.card_number for one in good]
    first, last = min(numbers, default=None), max(numbers, default=None)
    return batches.mark_issued(tx, chunk, first, last, scene.now)


def _judged(
    scene: Scene, chunk: Chunk, stock: Sequence[StockCard]
) -> tuple[list[Reconciled], dict[str, str]]:
    """What is to be done with each card, and the records of the good ones, by social security
    number; who is not known gets one.

    Beside this another chunk may make the record of somebody who has cards in both, or a batch is
    issued that somebody is in: then theirs counts, and the person's cards are compared once more.
    """
    found = list(reconcile(scene.tx, stock, stock_id=chunk.batch_id))
    unknown = {
        one.card.number.text: one.card
        for one in found
        if one.refusal is None and one.holder_id is None
    }
    phones = _phones(scene.tx, chunk, stock, unknown)
    people = [
        NewHolder(card.number, card.name, phones.get(number, ""))
        for number, card in unknown.items()
    ]
    made = holder_base.add_new(scene.tx, people, scene.new_id, scene.now)
    late = unknown.keys() - made.keys()
    if late:
        theirs = [card for card in stock if card.number.text in late]
        again = reconcile(scene.tx, theirs, stock_id=chunk.batch_id)
        by_row = {one.card.row: one for one in again}
        found = [by_row.get(one.card.row, one) for one in found]
    known = {one.card.number.text: one.holder_id for one in found if one.holder_id is not None}
    return found, known | made


def _phones(
    tx: Reader, chunk: Chunk, stock: Sequence[StockCard], numbers: Collection[str]
) -> dict[str, str]:
    """What these people's records have as their phone, whichever of their chunks makes them: the
    one of the card that is not cancelled, or else of the last row with one."""
    first, last = _positions(chunk)
    elsewhere = stock_cards.of_people_elsewhere(tx, chunk.batch_id, list(numbers), first, last)
    placed = [(at, from_json(StockCard, json.loads(content))) for at, content in elsewhere]
    placed += enumerate(stock, first)
    placed.sort(key=lambda one: (one[1].is_live, one[0]))
    return {card.number.text: card.phone for _, card in placed if card.phone}


def _add_cards(
    scene: Scene, stock_id: str, good: Sequence[StockCard], holder_ids: dict[str, str]
) -> None:
    issuer = issuers.own(scene.tx)
    if issuer is None:
        raise NotFoundError("issuer")
    ids = scene.new_ids(len(good))
    ecard_ids = make_ecard_ids(len(good), scene.random_bytes)
    new = [
        NewCard(
            id=card_id,
            holder_id=holder_ids[card.number.text],
            card_number=card.card_number,
            batch_id=stock_id,
            issuer=issuer.number,
            region=card.region,
            issued_on=card.issued_on,
            expires_on=card.expires_on,
            ecard_id=ecard_id,
            state=card.state,
        )
        for card_id, ecard_id, card in zip(ids, ecard_ids, good, strict=True)
    ]
    cards.add_all(scene.tx, new)
    # When a stock's card was cancelled nobody says; what is kept of its holder counts from today.
    cancelled = [one.id for one in new if one.state is CardState.CANCELLED]
    today = scene.now.astimezone(SHANGHAI).date()
    card_dates.note(scene.tx, cancelled, CardDate.CANCELLED, today)


def _count(scene: Scene, chunk: Chunk, *, taken: int, refused: int) -> None:
    """Add the chunk to the stock's counts; with the last one the stock is taken over."""
    stock = batch_ledger.find(scene.tx, chunk.batch_id, BatchKind.STOCK, Lock.OWN)
    after = replace(
        stock,
        issued=stock.issued + taken,
        accepted=stock.accepted - refused,
        refused=stock.refused + refused,
    )
    state = stock.state
    if after.issued == after.accepted:
        state = states.after(states.BATCH, "batch", state, Step.FINISH)
    batches.set_counts(
        scene.tx,
        stock,
        issued=after.issued,
        accepted=after.accepted,
        refused=after.refused,
        state=state,
    )
