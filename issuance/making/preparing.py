"""An order's records: written down chunk by chunk, then signed; in this process or in several.

The ledger in the database says what is done, as for issuing (`issuance.engine`): whoever works
takes the first chunk that nobody is at. What is signed is what stands in the ledger, nothing else.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from card_core.errors import TamperedRowError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.making import (
    SIGNATURES_MAX,
    ChunkSignature,
    KeepChunkSignatures,
    PrepareMakingChunk,
)
from card_core.store import making_orders
from card_core.store.making_orders import Order, OrderChunk
from issuance import engine
from issuance.batches import new_request_id
from issuance.card_files import ChunkPlace, PreparedChunk, prepare_chunk
from issuance.errors import BatchError, IssuanceError
from issuance.making.personalising import CardPersonaliser, split_records

Progress = Callable[[int, int], None]
"""Called with (records prepared, records of the order)."""


def prepare_next(order_id: str, actor: Actor) -> int:
    """Prepare and sign the first chunk that nobody is at; how many records, 0 where none is left.

    Runs where a pool has opened an installation. Raises CardCoreError, CryptoError, IssuanceError.
    """
    kernel = engine.kernel_here()
    act = PrepareMakingChunk(order_id)
    answer = kernel.perform(act, actor=actor, request_id=new_request_id())
    number = answer["chunk_number"]
    if number is not None:
        with kernel.store.read() as tx:
            order = making_orders.get(tx, order_id)
            chunk = making_orders.chunk(tx, order_id, number)
        if order is not None and chunk is not None:
            sign_chunks(kernel, order, [chunk], actor=actor)
    return int(answer["prepared"])


def prepare(
    pool: engine.Pool, kernel: Kernel, order: Order, *, actor: Actor, progress: Progress
) -> None:
    """Prepare and sign what is not yet; run again it goes on.

    Raises BatchError where a worker died; whatever a task raises.
    """
    with kernel.store.read() as tx:
        ledger = making_orders.chunks(tx, order.id)
    done = sum(chunk.size for chunk in ledger if chunk.root is not None)
    progress(done, order.records)
    if done < order.records:

        def submit() -> Future[int]:
            return pool.executor.submit(prepare_next, order.id, actor)

        try:
            for prepared in engine.results(pool, submit, lambda records: records == 0):
                done += prepared
                progress(done, order.records)
        except pool.failures:
            raise engine.worker_died() from None
    _sign_the_rest(kernel, order, actor)


def _sign_the_rest(kernel: Kernel, order: Order, actor: Actor) -> None:
    """What somebody who died had prepared and not signed."""
    with kernel.store.read() as tx:
        ledger = making_orders.chunks(tx, order.id)
    unsigned = [chunk for chunk in ledger if chunk.signature is None and chunk.root is not None]
    for first in range(0, len(unsigned), SIGNATURES_MAX):
        sign_chunks(kernel, order, unsigned[first : first + SIGNATURES_MAX], actor=actor)


def sign_chunks(
    kernel: Kernel, order: Order, chunks: Sequence[OrderChunk], *, actor: Actor
) -> None:
    """Sign chunks that are written down; the transaction that reads them is over by then."""
    signer = personaliser_of(kernel).signer(order.key_number)
    signatures = []
    for chunk in chunks:
        message = prepared_chunk(kernel, order, chunk).to_be_signed
        signatures.append(ChunkSignature(chunk.number, signer.sign(message)))
    act = KeepChunkSignatures(order.id, tuple(signatures))
    kernel.perform(act, actor=actor, request_id=new_request_id())


def prepared_chunk(kernel: Kernel, order: Order, chunk: OrderChunk) -> PreparedChunk:
    """The records of a chunk as they were written down, in their place.

    Raises TamperedRowError where the ledger's root is not theirs; BatchError where they are gone.
    """
    with kernel.store.read() as tx:
        content = making_orders.records_of(tx, chunk)
    if content is None:
        raise BatchError(
            "records_gone",
            "该制卡单已全部回盘，制卡数据已按规定清除，不能再生成文件。",
            "Everything of this order is answered and its records are deleted; no file of it can "
            "be written any more.",
        )
    place = ChunkPlace(order.issuer, order.key_number, order.id, chunk.number)
    prepared = prepare_chunk(place, split_records(content))
    if prepared.root != chunk.root:
        raise TamperedRowError("making_chunks", f"{order.id}/{chunk.number}")
    return prepared


def personaliser_of(kernel: Kernel) -> CardPersonaliser:
    """Raises IssuanceError where this process has no keys of cards."""
    found = kernel.personaliser
    if not isinstance(found, CardPersonaliser):
        raise IssuanceError(
            "no_card_keys",
            "本进程不能制卡：没有打开制卡密钥。",
            "This process makes no cards: it has no keys of cards.",
        )
    return found
