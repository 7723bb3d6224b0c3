"""A bank's return comes in some rows at a time, and is for nobody before it is closed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bureau import Bureau
from card_making import CardIssuer, card_issuer
from return_kills import take_and_kill

from card_core.errors import ContentChangedError, ReturnRefusedError, WrongStateError
from card_core.kernel.acts.banking import CloseBankReturn, OpenBankReturn, SendToBank
from card_core.kernel.acts.handing_over import ReworkCards
from card_core.store import audit, cards, issuers
from issuance.card_files import AccountOutcome, BankReason, Charset, RowHeader, write_bank_return
from issuance.making import bank_files
from issuance.making.returns import Progress

BANK = "102"
CARDS = 5
KILLS_LEAST = 5


@pytest.fixture
def issuer(bureau: Bureau) -> CardIssuer:
    return card_issuer(bureau)


def states(issuer: CardIssuer, batch_id: str) -> list[str]:
    return [one.state.code for one in issuer.makings(batch_id)]


def number_of(issuer: CardIssuer, card_id: str) -> str:
    with issuer.bureau.kernel.store.read() as tx:
        return cards.get_all(tx, [card_id])[card_id].card_number


def sent_batch(issuer: CardIssuer) -> str:
    batch_id: str = issuer.issued_batch(CARDS)
    issuer.bureau.perform(SendToBank(batch_id, BANK, CARDS, bytes(32)), issuer.bureau.maker)
    return batch_id


def write(path: Path, issuer: CardIssuer, batch_id: str, rows: list[AccountOutcome]) -> Path:
    with issuer.bureau.kernel.store.read() as tx:
        number = issuers.required(tx).number
    made_at = datetime(2030, 1, 2, tzinfo=UTC)
    header = RowHeader(batch_id, number, BANK, len(rows), made_at, Charset.GB18030)
    with path.open("wb") as file:
        write_bank_return(file, header, rows)
    return path


def outcomes(issuer: CardIssuer, batch_id: str) -> list[AccountOutcome]:
    rows = [
        AccountOutcome(one.position, number_of(issuer, one.card_id), f"{one.position:04d}", None)
        for one in issuer.makings(batch_id)
    ]
    last = rows[-1]
    rows[-1] = AccountOutcome(last.number, last.card_number, None, BankReason.DECLINED)
    return rows


def take(
    issuer: CardIssuer, path: Path, progress: Progress = lambda _done, _all: None
) -> dict[str, Any]:
    bureau = issuer.bureau
    return bank_files.take_return(bureau.kernel, path, actor=bureau.maker, progress=progress)


@pytest.fixture(autouse=True)
def two_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_files, "ROWS_AT_ONCE", 2)


def test_a_return_whose_process_is_killed_goes_on_and_is_for_nobody_until_then(
    issuer: CardIssuer, database_url: str, tmp_path: Path
) -> None:
    batch_id = sent_batch(issuer)
    path = write(tmp_path / "return", issuer, batch_id, outcomes(issuer, batch_id))
    assert take_and_kill(database_url, "bank", path, batch_id, rows=2) > 1
    assert states(issuer, batch_id) == ["23", "23", "22", "22", "22"]
    bureau = issuer.bureau
    with pytest.raises(WrongStateError):
        issuer.order(batch_id, 2, skips_bank=False)
    for act in (
        ReworkCards(batch_id),
        SendToBank(batch_id, BANK, 3, bytes(32)),
        OpenBankReturn(batch_id, "103", bytes(32)),
    ):
        with pytest.raises(WrongStateError):
            bureau.perform(act, bureau.maker)
    assert take_and_kill(database_url, "bank", path, batch_id) > KILLS_LEAST
    assert states(issuer, batch_id) == ["23", "23", "23", "23", "80"]
    told: list[tuple[int, int]] = []
    answer = take(issuer, path, lambda *shown: told.append(shown))
    assert (answer["opened"], answer["failed"], answer["known"]) == (0, 0, CARDS)
    assert told == [(0, CARDS), (2, CARDS), (4, CARDS), (CARDS, CARDS)]
    bureau.perform(ReworkCards(batch_id), bureau.maker)
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


def test_what_is_wrong_in_the_last_row_leaves_all_others_alone(
    issuer: CardIssuer, tmp_path: Path
) -> None:
    batch_id = sent_batch(issuer)
    rows = outcomes(issuer, batch_id)
    rows[-1] = AccountOutcome(rows[-1].number, "GD9999999", "1234", None)
    with pytest.raises(ReturnRefusedError):
        take(issuer, write(tmp_path / "return", issuer, batch_id, rows))
    assert states(issuer, batch_id) == ["22"] * CARDS
    # nothing was begun
    issuer.bureau.perform(SendToBank(batch_id, BANK, CARDS, bytes(32)), issuer.bureau.maker)


def test_only_the_return_that_is_open_is_closed(issuer: CardIssuer) -> None:
    batch_id, maker = sent_batch(issuer), issuer.bureau.maker
    issuer.bureau.perform(OpenBankReturn(batch_id, BANK, bytes([1]) * 32), maker)
    with pytest.raises(ContentChangedError):
        issuer.bureau.perform(CloseBankReturn(batch_id, BANK, bytes(32)), maker)
