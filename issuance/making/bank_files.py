"""The bank pre-opening file of a batch, and the bank's return."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from card_core.errors import NotFoundError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.banking import (
    AT_OR_BEFORE_BANK,
    AccountReturned,
    CloseBankReturn,
    OpenBankReturn,
    SendToBank,
    TakeBankReturn,
    check_bank_return,
    parts,
)
from card_core.store import batches, cards, holders, issuers, makings
from card_core.store.batches import Batch
from card_core.store.cards import Card
from card_core.store.holders import Holder
from card_core.store.makings import ROWS_AT_ONCE
from issuance.batches import new_request_id
from issuance.card_files import (
    AccountOutcome,
    AccountRequest,
    Charset,
    ElementError,
    RowHeader,
    open_bank_return,
    write_bank_opening,
)
from issuance.errors import BatchError
from issuance.files import PRIVATE, not_readable, whole_file
from issuance.making.personalising import unfit
from issuance.making.returns import Progress, Taking, check_header, take_whole


def write_file(
    kernel: Kernel,
    batch: Batch,
    bank: str,
    path: Path,
    *,
    actor: Actor,
    made_at: datetime,
    charset: Charset,
) -> int:
    """Write the pre-opening file of a batch's cards of one bank, and note it; how many cards.

    Those that the bank has and has not answered are in it again. The act commits before the file
    takes its name. Raises FileRefusedError, IssuanceError, KernelError, TamperedRowError.
    """
    with kernel.store.read() as tx:
        positions = makings.positions_in(tx, batch.id, AT_OR_BEFORE_BANK, bank)
        issuer = issuers.required(tx).number
    if not positions:
        raise BatchError(
            "nothing_for_bank",
            f"该批次没有待报银行 {bank} 的卡。",
            f"No card of the batch waits for bank {bank}.",
        )
    header = RowHeader(batch.id, issuer, bank, len(positions), made_at, charset)
    with whole_file(path, mode=PRIVATE) as file:
        requests = _requests(kernel, batch.id, positions, charset)
        digest = write_bank_opening(file, header, requests)
        act = SendToBank(batch.id, bank, len(positions), digest)
        kernel.perform(act, actor=actor, request_id=new_request_id())
    return len(positions)


def _requests(
    kernel: Kernel, batch_id: str, positions: Sequence[int], charset: Charset
) -> Iterator[AccountRequest]:
    for part in parts(positions):
        with kernel.store.read() as tx:
            found = makings.at_positions(tx, batch_id, part)
            made = cards.get_all(tx, [one.card_id for one in found.values()])
            people = holders.get_all(tx, {card.holder_id for card in made.values()})
        for position, making in found.items():
            card = made[making.card_id]
            request = _request(position, card, people[card.holder_id])
            try:
                request.check(charset)
            except ElementError as error:
                raise unfit(card.card_number, error) from None
            yield request


def _request(position: int, card: Card, holder: Holder) -> AccountRequest:
    return AccountRequest(
        number=position,
        card_number=card.card_number,
        social_security_number=holder.social_security_number,
        name=holder.name,
        sex=holder.sex,
        born_on=holder.birth_on,
        ethnic_group=holder.ethnic_group or None,
        phone=holder.phone,
        address=holder.address,
        guardian_name=holder.guardian_name or None,
        guardian_number=holder.guardian_number or None,
    )


def take_return(kernel: Kernel, path: Path, *, actor: Actor, progress: Progress) -> dict[str, Any]:
    """Take a bank's return file, whole or not at all, as `take_whole` does.

    Answer: batch_id, bank, and opened, failed and `known` of this time.
    Raises FileRefusedError, CardFileError, IssuanceError, KernelError.
    """
    try:
        with path.open("rb") as file:
            opened = open_bank_return(file)
            header = opened.header
            with kernel.store.read() as tx:
                batch = batches.get(tx, header.batch)
                issuer = issuers.required(tx).number
            if batch is None:
                raise NotFoundError("batch")
            check_header(header, issuer=issuer, partner=header.partner)
            batch_id, bank = batch.id, header.partner
            given = (batch_id, bank, opened.digest)
            taking = Taking(
                given=_returned,
                check=lambda tx, portion: check_bank_return(tx, batch_id, bank, portion),
                begin=OpenBankReturn(*given),
                take=lambda portion: TakeBankReturn(*given, portion),
                end=CloseBankReturn(*given),
                counts=("opened", "failed", "known"),
                rows_max=ROWS_AT_ONCE,
            )
            return take_whole(kernel, opened, path, taking, actor=actor, progress=progress)
    except OSError as error:
        raise not_readable(path, error) from error


def _returned(row: AccountOutcome) -> AccountReturned:
    failure = row.failure and row.failure.value
    return AccountReturned(row.number, row.card_number, row.account_last_digits, failure)
