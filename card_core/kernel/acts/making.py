"""Acts on making orders (制卡单): what a maker is given, and what comes back from it.

    OrderMaking            two people say which maker makes how many cards of a batch
    PrepareMakingChunk     a chunk's records are written down, with their root; side by side
    KeepChunkSignatures    what was written down is signed, and the first signature is kept
    SendMakerFile          the file is written
    WithdrawOrder          before the file was written: its cards wait for another order

What the maker answers is in `acts.maker_returns`. A record is made of the holder as they are then,
so that a correction after a failure is in the next order. A chunk that is prepared again gives the
same answer and changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from card_core import states
from card_core.codes import KeyPurpose, KeyState, key_life
from card_core.errors import (
    ContentChangedError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import blank_stock, limits
from card_core.kernel.act import Act, DangerousAct, Done, Scene
from card_core.kernel.acts.banking import (
    lock_batch,
    refuse_while_bank_answers,
    refuse_while_preparing,
)
from card_core.kernel.acts.makers import check_maker_code, find_maker
from card_core.kernel.personalising import CardToMake, Personaliser
from card_core.signing import NoSigningKeyError
from card_core.states import MakingState, OrderState, ServiceState, Step
from card_core.store import (
    Lock,
    Reader,
    Transaction,
    batches,
    cards,
    holders,
    issuers,
    makers,
    making_orders,
    makings,
)
from card_core.store.batches import Batch
from card_core.store.makers import Maker
from card_core.store.making_orders import Order, OrderChunk
from card_core.store.makings import Making
from crypto import sm2

ORDER_CHUNK_SIZE = 500
SIGNATURES_MAX = 100


def to_be_ordered(*, skips_bank: bool) -> frozenset[MakingState]:
    """The states from which an order takes its cards."""
    return frozenset({MakingState.AWAITING_BANK if skips_bank else MakingState.AWAITING_MAKER})


@dataclass(frozen=True, slots=True)
class OrderMaking(DangerousAct):
    """Have a maker make the cards of a batch whose accounts are opened.

    records: how many these are; another number at the approval is ContentChangedError.
    skips_bank: those that were not sent to the bank instead, as cards without bank function.
    """

    act: ClassVar[str] = "order_making"

    batch_id: str
    maker: str
    records: int
    skips_bank: bool = False

    def __post_init__(self) -> None:
        limits.check_id("batch_id", self.batch_id)
        check_maker_code(self.maker)
        limits.check_range("records", self.records, 1, limits.ROSTER_ROWS_MAX)

    def summary(self, tx: Reader) -> str:
        batch = batches.get(tx, self.batch_id)
        if batch is None:
            raise NotFoundError("batch")
        zh, en = ("，不含金融功能", ", without bank function") if self.skips_bank else ("", "")
        return (
            f"批次 {batch.name}：交卡商 {self.maker} 制卡 {self.records} 张{zh} / "
            f"Batch {batch.name}: have {self.maker} make {self.records} cards{en}"
        )

    def apply(self, scene: Scene) -> Done:
        tx = scene.tx
        batch = lock_batch(tx, self.batch_id)
        refuse_while_preparing(tx, batch)
        refuse_while_bank_answers(batch)
        positions = makings.positions_in(tx, batch.id, to_be_ordered(skips_bank=self.skips_bank))
        if len(positions) != self.records:
            raise ContentChangedError
        return place_order(scene, batch, self.maker, positions)


def place_order(scene: Scene, batch: Batch, maker_code: str, positions: Sequence[int]) -> Done:
    """Write down an order for the cards at these positions of a locked batch.

    Raises WrongStateError for a maker that is suspended, NotFoundError, NoSigningKeyError.
    """
    tx = scene.tx
    maker = find_maker(tx, maker_code)
    if maker.state is not ServiceState.ACTIVE:
        raise WrongStateError("maker", maker.state)
    issuer = issuers.required(tx).number
    order = Order(
        id=scene.new_id(),
        batch_id=batch.id,
        number=1 + len(making_orders.of_batch(tx, batch.id)),
        maker_id=maker.id,
        issuer=issuer,
        key_number=_signing_key_number(tx, issuer, scene.now),
        state=OrderState.PREPARING,
        records=len(positions),
        made=0,
        failed=0,
        file_digest=None,
        created_at=scene.now,
    )
    ledger = _ledger(order.id, positions)
    making_orders.add(tx, order, ledger)
    answer = {
        "order_id": order.id,
        "batch_id": batch.id,
        "maker": maker.code,
        "records": order.records,
        "chunks": len(ledger),
        "key_number": order.key_number,
    }
    return Done(answer, f"making_order/{order.id}", answer)


@dataclass(frozen=True, slots=True)
class PrepareMakingChunk(Act):
    """Write down the records of one chunk of an order, and the root over them.

    chunk_number: from 1; None for the first one that nobody is at. Where none is left, it is None
    in the answer.
    """

    act: ClassVar[str] = "prepare_making_chunk"

    order_id: str
    chunk_number: int | None = None

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        if self.chunk_number is not None:
            limits.check_range("chunk_number", self.chunk_number, 1, limits.ROSTER_ROWS_MAX)

    def apply(self, scene: Scene) -> Done:
        order = lock_order(scene.tx, self.order_id, Lock.SHARED)
        personaliser = _personaliser(scene)
        chunk = self._lock_chunk(scene.tx)
        if chunk is not None and chunk.root is None:
            if order.state is not OrderState.PREPARING:
                raise WrongStateError("making order", order.state)
            _prepare(scene, personaliser, order, chunk)
        answer = {
            "order_id": order.id,
            "chunk_number": chunk and chunk.number,
            "prepared": chunk.size if chunk else 0,
        }
        return Done(answer, f"making_order/{order.id}", answer)

    def _lock_chunk(self, tx: Transaction) -> OrderChunk | None:
        if self.chunk_number is None:
            return making_orders.claim_chunk(tx, self.order_id)
        return _locked_chunk(tx, self.order_id, self.chunk_number)


@dataclass(frozen=True, slots=True)
class ChunkSignature:
    """signature: 64 bytes, of the card issuing key over the chunk's root in its place."""

    chunk_number: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class KeepChunkSignatures(Act):
    """Keep the signatures of chunks that are prepared; a chunk that has one keeps that one.

    signatures: at most SIGNATURES_MAX. Raises InvalidActError where one is not the order's key's.
    """

    act: ClassVar[str] = "keep_chunk_signatures"

    order_id: str
    signatures: tuple[ChunkSignature, ...]

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_range("signatures", len(self.signatures), 1, SIGNATURES_MAX)
        for one in self.signatures:
            limits.check_size("signature", one.signature, 64)

    def apply(self, scene: Scene) -> Done:
        order = lock_order(scene.tx, self.order_id, Lock.SHARED)
        personaliser = _personaliser(scene)
        verifier = _issuing_key(scene.tx, order)
        kept = 0
        for one in sorted(self.signatures, key=lambda one: one.chunk_number):
            chunk = _locked_chunk(scene.tx, order.id, one.chunk_number)
            if chunk.signature is None:
                if chunk.root is None or order.state is not OrderState.PREPARING:
                    raise WrongStateError("making order", order.state)
                message = personaliser.to_be_signed(
                    issuer=order.issuer,
                    key_number=order.key_number,
                    order_id=order.id,
                    chunk=chunk.number,
                    size=chunk.size,
                    root=chunk.root,
                )
                _verify(verifier, one.signature, message)
                making_orders.keep_signature(scene.tx, chunk, one.signature)
                kept += 1
        answer = {"order_id": order.id, "kept": kept}
        return Done(answer, f"making_order/{order.id}", answer)


@dataclass(frozen=True, slots=True)
class SendMakerFile(Act):
    """The maker file is written and goes out. file_digest: SM3 of the whole file, 32 bytes.

    The same order may be written again, for a file that was lost: other bytes, the same records
    under the same signatures.
    """

    act: ClassVar[str] = "send_maker_file"

    order_id: str
    file_digest: bytes

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)
        limits.check_size("file_digest", self.file_digest, 32)

    def apply(self, scene: Scene) -> Done:
        order = lock_order(scene.tx, self.order_id, Lock.OWN)
        state = states.after(states.ORDER, "making order", order.state, Step.SEND_TO_MAKER)
        maker = _maker_of(scene.tx, order)
        if maker.state is not ServiceState.ACTIVE:
            raise WrongStateError("maker", maker.state)
        _issuing_key(scene.tx, order)
        if any(chunk.signature is None for chunk in making_orders.chunks(scene.tx, order.id)):
            raise WrongStateError("making order", order.state)
        making_orders.set_state(scene.tx, order, state, file_digest=self.file_digest)
        answer = {
            "order_id": order.id,
            "maker": maker.code,
            "records": order.records,
            "state": state.value,
        }
        detail = {**answer, "file_digest": self.file_digest.hex()}
        return Done(answer, f"making_order/{order.id}", detail)


@dataclass(frozen=True, slots=True)
class WithdrawOrder(Act):
    """Let the cards of an order whose file was never written wait for another one."""

    act: ClassVar[str] = "withdraw_order"

    order_id: str

    def __post_init__(self) -> None:
        limits.check_id("order_id", self.order_id)

    def apply(self, scene: Scene) -> Done:
        order = lock_order(scene.tx, self.order_id, Lock.OWN)
        state = states.after(states.ORDER, "making order", order.state, Step.WITHDRAW)
        freed = 0
        ledger = making_orders.chunks(scene.tx, order.id)
        blank_stock.put_back(scene.tx, order, ledger[0])
        for chunk in ledger:
            if chunk.root is not None:
                found = makings.at_positions(scene.tx, order.batch_id, chunk.positions)
                changes = [
                    (one, {"state": _after(one, Step.WITHDRAW)})
                    for one in found.values()
                    if one.order_id == order.id
                ]
                makings.change_all(scene.tx, changes)
                freed += len(changes)
        making_orders.forget_records(scene.tx, order)
        making_orders.set_state(scene.tx, order, state)
        answer = {"order_id": order.id, "state": state.value, "freed": freed}
        return Done(answer, f"making_order/{order.id}", answer)


def _ledger(order_id: str, positions: Sequence[int]) -> list[OrderChunk]:
    return [
        OrderChunk(
            order_id, number, first + 1, tuple(positions[first : first + ORDER_CHUNK_SIZE]),
            None, None,
        )
        for number, first in enumerate(range(0, len(positions), ORDER_CHUNK_SIZE), 1)
    ]  # fmt: skip


def _prepare(scene: Scene, personaliser: Personaliser, order: Order, chunk: OrderChunk) -> None:
    tx = scene.tx
    found = makings.at_positions(tx, order.batch_id, chunk.positions)
    if len(found) != chunk.size:
        raise TamperedRowError("making_chunks", f"{order.id}/{chunk.number}")
    in_order = [found[at] for at in chunk.positions]
    to_make = _cards_to_make(tx, chunk, in_order)
    prepared = personaliser.prepare(_maker_of(tx, order).code, to_make)
    makings.change_columns(
        tx,
        in_order,
        {
            "state": [_after(one, Step.SEND_TO_MAKER).value for one in in_order],
            "order_id": [order.id] * chunk.size,
            "record_number": [one.number for one in to_make],
            "reason": [None] * chunk.size,
        },
    )
    making_orders.keep_records(tx, chunk, prepared.content, prepared.root)


def _cards_to_make(tx: Transaction, chunk: OrderChunk, found: Iterable[Making]) -> list[CardToMake]:
    ids = [making.card_id for making in found]
    made = cards.get_all(tx, ids)
    people = holders.chip_facts_of(tx, {card.holder_id for card in made.values()})
    if len(made) != len(ids) or any(card.holder_id not in people for card in made.values()):
        raise TamperedRowError("makings", chunk.order_id)
    return [
        CardToMake(number, made[card_id], people[made[card_id].holder_id])
        for number, card_id in enumerate(ids, chunk.first_number)
    ]


def _personaliser(scene: Scene) -> Personaliser:
    if scene.personaliser is None:
        raise NotAllowedError
    return scene.personaliser


def lock_order(tx: Transaction, order_id: str, lock: Lock) -> Order:
    order = making_orders.get(tx, order_id, lock)
    if order is None:
        raise NotFoundError("making order")
    return order


def _locked_chunk(tx: Transaction, order_id: str, number: int) -> OrderChunk:
    chunk = making_orders.lock_chunk(tx, order_id, number)
    if chunk is None:
        raise NotFoundError("chunk")
    return chunk


def _maker_of(tx: Reader, order: Order) -> Maker:
    maker = makers.get(tx, order.maker_id)
    if maker is None:
        raise TamperedRowError("making_orders", order.id)
    return maker


def _signing_key_number(tx: Reader, issuer: int, now: datetime) -> int:
    keys = issuers.sound_keys(tx, issuer=issuer, purpose=KeyPurpose.CARD_ISSUING).keys
    key = key_life.signing_key(keys, issuer, KeyPurpose.CARD_ISSUING, now)
    if key is None:
        raise NoSigningKeyError
    return key.number


def _issuing_key(tx: Reader, order: Order) -> sm2.PublicKey:
    """The key that the order's records are signed with. Raises NoSigningKeyError once revoked."""
    key = issuers.get_key(tx, order.issuer, order.key_number, KeyPurpose.CARD_ISSUING)
    if key is None or key.state is KeyState.REVOKED:
        raise NoSigningKeyError
    return key.public_key


def _verify(public_key: sm2.PublicKey, signature: bytes, message: bytes) -> None:
    """Raises InvalidActError."""
    try:
        public_key.verify(signature, message)
    except sm2.InvalidSignatureError:
        raise InvalidActError(
            "signature", "不是制卡签名密钥的签名", "is not of the order's card issuing key"
        ) from None


def _after(making: Making, step: Step) -> MakingState:
    return states.after(states.MAKING, "making", making.state, step)
