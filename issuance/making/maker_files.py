"""The maker file of an order, and the maker's return."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from card_core.codes import KeyPurpose
from card_core.errors import NotFoundError, TamperedRowError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.maker_returns import (
    RETURN_ROWS_MAX,
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
    check_return,
)
from card_core.kernel.acts.making import SendMakerFile
from card_core.store import issuers, makers, making_orders
from card_core.store.makers import Maker
from card_core.store.making_orders import Order, OrderChunk
from card_core.store.makings import Chip
from crypto import sm2
from issuance.batches import new_request_id
from issuance.card_files import (
    CardOutcome,
    MakerHeader,
    SignedChunk,
    open_maker_return,
    write_maker_file,
)
from issuance.files import PRIVATE, not_readable, whole_file
from issuance.making.preparing import personaliser_of, prepared_chunk
from issuance.making.returns import Progress, Taking, check_header, take_whole


def write_file(
    kernel: Kernel,
    order: Order,
    path: Path,
    *,
    actor: Actor,
    made_at: datetime,
    progress: Progress,
) -> bytes:
    """Write the maker file of an order whose records are all signed; returns its SM3, 32 bytes.

    The act that notes it commits before the file takes its name: a file that is there is noted.
    Raises FileRefusedError, BatchError, KernelError, TamperedRowError, CryptoError.
    """
    with kernel.store.read() as tx:
        maker = makers.get(tx, order.maker_id)
        key = issuers.get_key(tx, order.issuer, order.key_number, KeyPurpose.CARD_ISSUING)
        ledger = making_orders.chunks(tx, order.id)
    if maker is None or key is None:
        raise TamperedRowError("making_orders", order.id)
    header = MakerHeader(
        order.issuer, order.key_number, order.id, made_at, order.records, len(ledger)
    )
    with whole_file(path, mode=PRIVATE) as file:
        digest = write_maker_file(
            file,
            header,
            _signed(kernel, order, ledger, sm2.Verifier(key.public_key), progress),
            maker_key=sm2.PublicKey.from_bytes(maker.public_key),
            signer=personaliser_of(kernel).signer(order.key_number),
        )
        act = SendMakerFile(order.id, digest)
        kernel.perform(act, actor=actor, request_id=new_request_id())
    return digest


def _signed(
    kernel: Kernel,
    order: Order,
    ledger: Sequence[OrderChunk],
    verifier: sm2.Verifier,
    progress: Progress,
) -> Iterator[SignedChunk]:
    done = 0
    for chunk in ledger:
        prepared = prepared_chunk(kernel, order, chunk)
        try:
            verifier.verify(chunk.signature or b"", prepared.to_be_signed)
        except sm2.InvalidSignatureError:
            raise TamperedRowError("making_chunks", f"{order.id}/{chunk.number}") from None
        yield prepared.signed(chunk.signature or b"")
        done += chunk.size
        progress(done, order.records)


def take_return(kernel: Kernel, path: Path, *, actor: Actor, progress: Progress) -> dict[str, Any]:
    """Take a maker's return file, whole or not at all, as `take_whole` does.

    What may still stop it when all of it was looked at is a chip that another card got since.
    Answer: order_id, its state, and made, failed and `known` of this time.
    Raises FileRefusedError, CardFileError, IssuanceError, KernelError.
    """
    try:
        with path.open("rb") as file:
            opened = open_maker_return(file)
            order, maker = _order_of(kernel, opened.header.batch)
            check_header(opened.header, issuer=order.issuer, partner=maker.code)
            given, codes = (order.id, opened.digest), set[bytes]()
            taking = Taking(
                given=_returned,
                check=lambda tx, portion: check_return(tx, order.id, portion, codes),
                begin=OpenMakerReturn(*given),
                take=lambda portion: TakeMakerReturn(*given, portion),
                end=CloseMakerReturn(*given),
                counts=("made", "failed", "known"),
                rows_max=RETURN_ROWS_MAX,
            )
            return take_whole(kernel, opened, path, taking, actor=actor, progress=progress)
    except OSError as error:
        raise not_readable(path, error) from error


def _order_of(kernel: Kernel, order_id: str) -> tuple[Order, Maker]:
    with kernel.store.read() as tx:
        order = making_orders.get(tx, order_id)
        maker = makers.get(tx, order.maker_id) if order is not None else None
    if order is None or maker is None:
        raise NotFoundError("making order")
    return order, maker


def _returned(row: CardOutcome) -> CardReturned:
    code, reset = row.card_identification_code, row.card_reset_information
    chip = None if code is None or reset is None else Chip(code, reset)
    return CardReturned(row.number, row.card_number, chip, row.failure and row.failure.value)
