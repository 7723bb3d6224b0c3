"""kill -9 before any statement or commit of a take-over loses nothing and doubles nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bureau import Bureau
from stock import make_stock_card, released

from card_core.kernel.acts import stock as stock_acts
from card_core.states import BatchState
from card_core.store import Reader, audit, batches, cards, holders
from card_core.store.cards import Card

WORKER = Path(__file__).parent / "killed_take_over.py"
ROOT = Path(__file__).parents[3]
CHUNK_SIZE = 2


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_acts, "CHUNK_SIZE", CHUNK_SIZE)


def all_cards(tx: Reader, batch_id: str) -> list[Card]:
    found = cards.page(tx, batch_id=batch_id)
    while more := cards.page(tx, batch_id=batch_id, after=found[-1].id):
        found += more
    return found


@pytest.mark.parametrize(
    ("count", "kills_least"), [(6, 25), pytest.param(300, 300, marks=pytest.mark.long)]
)
def test_killed_anywhere_and_run_again_each_card_is_taken_over_once(
    bureau: Bureau, database_url: str, tmp_path: Path, count: int, kills_least: int
) -> None:
    stock = [make_stock_card(n) for n in range(count)]
    imported = released(bureau, *stock)
    journal = tmp_path / "journal"
    done = subprocess.run(
        [
            sys.executable,
            WORKER,
            database_url,
            imported["stock_id"],
            str(imported["chunks"]),
            journal,
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = json.loads(done.stdout)
    assert outcome["status"] == 0, done.stderr[-2000:]
    assert outcome["kills"] >= kills_least

    with bureau.store.read() as tx:
        batch = batches.get(tx, imported["stock_id"])
        ledger = batches.chunks(tx, imported["stock_id"])
        made = all_cards(tx, imported["stock_id"])
        people = {one.card_number: holders.find_by_number(tx, one.number.text) for one in stock}
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    assert batch is not None
    assert (batch.state, batch.issued, batch.accepted) == (BatchState.ISSUED, count, count)
    assert all(chunk.is_issued for chunk in ledger)
    assert sorted(card.card_number for card in made) == sorted(one.card_number for one in stock)
    for card in made:
        holder = people[card.card_number]
        assert holder is not None
        assert holder.id == card.holder_id
    answers = [json.loads(line) for line in journal.open()]
    assert {one["chunk_number"]: one["taken"] for one in answers} == dict.fromkeys(
        range(1, imported["chunks"] + 1), CHUNK_SIZE
    )
