"""A maker's return is taken some rows at a time, and whole or not at all all the same."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bureau import Bureau
from card_making import MAKER, CardIssuer, card_issuer
from return_kills import take_and_kill

from card_core.errors import ContentChangedError, ReturnRefusedError, WrongStateError
from card_core.kernel.acts import making as acts
from card_core.kernel.acts.handing_over import DispatchCards, ReworkCards
from card_core.kernel.acts.maker_returns import (
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.states import OrderState
from card_core.store import audit, cards, making_orders
from issuance.card_files import CardOutcome, MakerReason, RowHeader, write_maker_return
from issuance.making import maker_files
from issuance.making.preparing import sign_chunks

PORTION = 2
CARDS = 7
KILLS_LEAST = 5
BRANCH = "440604001"


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    # Chunks and portions begin at other rows.
    monkeypatch.setattr(acts, "ORDER_CHUNK_SIZE", 3)
    monkeypatch.setattr(maker_files, "RETURN_ROWS_MAX", PORTION)


@pytest.fixture
def issuer(bureau: Bureau) -> CardIssuer:
    return card_issuer(bureau)


def sent_order(issuer: CardIssuer) -> tuple[str, str]:
    """The ids of a batch and of an order for all its cards whose file is with the maker."""
    batch_id, order_id = issuer.ordered_batch(CARDS)
    kernel = issuer.bureau.kernel
    while issuer.prepare(order_id)["prepared"]:
        pass
    with kernel.store.read() as tx:
        order, chunks = making_orders.get(tx, order_id), making_orders.chunks(tx, order_id)
    assert order
    sign_chunks(kernel, order, chunks, actor=issuer.bureau.maker)
    issuer.send(order_id)
    return batch_id, order_id


def outcomes(issuer: CardIssuer, batch_id: str, failed: int = 0) -> list[CardOutcome]:
    """All made but the record of this number."""
    with issuer.bureau.store.read() as tx:
        found = issuer.makings(batch_id)
        made = cards.get_all(tx, [one.card_id for one in found])
    return [
        CardOutcome(
            number,
            made[one.card_id].card_number,
            None if number == failed else f"440604D156000005{number:08X}",
            None if number == failed else f"{number:026X}",
            MakerReason.CHIP_FAULT if number == failed else None,
        )
        for number, one in enumerate(found, 1)
    ]


def write(path: Path, order_id: str, rows: Sequence[CardOutcome], minute: int = 0) -> Path:
    made_at = datetime(2026, 3, 2, 1, minute, tzinfo=UTC)
    with path.open("wb") as file:
        write_maker_return(file, RowHeader(order_id, 1, MAKER, len(rows), made_at), rows)
    return path


def take(issuer: CardIssuer, path: Path) -> dict[str, Any]:
    return maker_files.take_return(
        issuer.bureau.kernel,
        path,
        actor=issuer.bureau.maker,
        progress=lambda _done, _all: None,
    )


def states(issuer: CardIssuer, batch_id: str) -> list[str]:
    return [one.state.code for one in issuer.makings(batch_id)]


def test_killed_anywhere_it_goes_on_when_it_is_run_again(
    issuer: CardIssuer, database_url: str, tmp_path: Path
) -> None:
    batch_id, order_id = sent_order(issuer)
    path = write(tmp_path / "return", order_id, outcomes(issuer, batch_id, failed=4))
    assert take_and_kill(database_url, "maker", path, batch_id, rows=2 * PORTION) > 1
    assert states(issuer, batch_id).count("24") == CARDS - 2 * PORTION
    # what is taken in part is for nobody yet
    for act in (DispatchCards(batch_id, BRANCH), ReworkCards(batch_id)):
        with pytest.raises(WrongStateError, match="maker return"):
            issuer.bureau.perform(act, issuer.bureau.maker)

    assert take_and_kill(database_url, "maker", path, batch_id) > KILLS_LEAST
    assert states(issuer, batch_id) == ["25", "25", "25", "85", "25", "25", "25"]
    dispatched = issuer.bureau.perform(DispatchCards(batch_id, BRANCH), issuer.bureau.maker)
    assert dispatched["dispatched"] == CARDS - 1
    again = take(issuer, path)
    assert (again["made"], again["failed"], again["known"]) == (0, 0, CARDS)
    assert again["state"] == OrderState.ANSWERED
    with issuer.bureau.store.read() as tx:
        order = making_orders.get(tx, order_id)
        assert order
        assert (order.made, order.failed, order.return_digest) == (CARDS - 1, 1, None)
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


@pytest.mark.parametrize("reason", ["code_taken", "other_card", "other_region", "unknown"])
def test_what_is_wrong_in_the_last_row_leaves_all_others_alone(
    issuer: CardIssuer, tmp_path: Path, reason: str
) -> None:
    batch_id, order_id = sent_order(issuer)
    rows = outcomes(issuer, batch_id)
    first, last = rows[0], rows[-1]
    wrong = {
        "code_taken": (last.number, last.card_number, first.card_identification_code),
        "other_card": (last.number, "FS9999999", last.card_identification_code),
        "other_region": (last.number, last.card_number, "110101" + "D" * 18),
        "unknown": (last.number + 1, last.card_number, last.card_identification_code),
    }[reason]
    rows[-1] = CardOutcome(*wrong, last.card_reset_information, None)
    with pytest.raises(ReturnRefusedError) as caught:
        take(issuer, write(tmp_path / "return", order_id, rows))
    assert (caught.value.reason, caught.value.number) == (reason, rows[-1].number)
    assert states(issuer, batch_id) == ["24"] * CARDS
    # nothing was begun: whatever else there is to do goes on
    issuer.bureau.perform(DispatchCards(batch_id, BRANCH), issuer.bureau.maker)


def test_another_file_takes_the_place_of_one_that_was_never_finished(
    issuer: CardIssuer, database_url: str, tmp_path: Path
) -> None:
    batch_id, order_id = sent_order(issuer)
    rows = outcomes(issuer, batch_id)
    first = write(tmp_path / "first", order_id, rows)
    assert take_and_kill(database_url, "maker", first, batch_id, rows=PORTION) > 1
    corrected = outcomes(issuer, batch_id, failed=CARDS)
    answer = take(issuer, write(tmp_path / "second", order_id, corrected, minute=1))
    assert (answer["made"], answer["failed"], answer["known"]) == (CARDS - 3, 1, 2)
    # one that says otherwise of what was taken does not
    with pytest.raises(ReturnRefusedError) as caught:
        take(issuer, write(tmp_path / "third", order_id, outcomes(issuer, batch_id, failed=1)))
    assert caught.value.reason == "other_outcome"


def test_rows_are_taken_only_of_the_return_that_is_open(issuer: CardIssuer) -> None:
    batch_id, order_id = sent_order(issuer)
    row = maker_files._returned(outcomes(issuer, batch_id)[0])
    maker = issuer.bureau.maker
    acts_of = (TakeMakerReturn(order_id, bytes(32), (row,)), CloseMakerReturn(order_id, bytes(32)))
    for act in acts_of:
        with pytest.raises(ContentChangedError):
            issuer.bureau.perform(act, maker)
    issuer.bureau.perform(OpenMakerReturn(order_id, bytes([1]) * 32), maker)
    for act in acts_of:
        with pytest.raises(ContentChangedError):
            issuer.bureau.perform(act, maker)
    assert states(issuer, batch_id) == ["24"] * CARDS
