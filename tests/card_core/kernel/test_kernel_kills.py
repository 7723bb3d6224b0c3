"""kill -9 before any statement or commit loses nothing acknowledged and doubles nothing."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from bureau import Bureau
from sqlalchemy import select

from card_core.kernel.acts import batches as batch_acts
from card_core.states import BatchState, CardState
from card_core.store import audit, batches, cards, schema

WORKER = Path(__file__).parent / "killed_worker.py"
ROOT = Path(__file__).parents[3]
CHUNK_SIZE = 2


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_acts, "CHUNK_SIZE", CHUNK_SIZE)


def run_killed(url: str, batch_id: str, count: int, journal: Path) -> int:
    """Returns how many workers died before one came through."""
    done = subprocess.run(
        [sys.executable, WORKER, url, batch_id, str(count), journal],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = json.loads(done.stdout)
    assert outcome["status"] == 0, done.stderr[-2000:]
    kills: int = outcome["kills"]
    return kills


@pytest.mark.parametrize(
    ("count", "kills_least"), [(6, 25), pytest.param(600, 300, marks=pytest.mark.long)]
)
def test_killed_anywhere_and_run_again_nothing_is_lost_or_doubled(
    bureau: Bureau, database_url: str, tmp_path: Path, count: int, kills_least: int
) -> None:
    bureau.minter.mint(bureau.person().holder_id)  # makes the day's box key
    with bureau.store.read() as tx:
        first = tx.connection.execute(select(schema.issuers.c.next_card_serial)).scalar_one()
    batch_id = bureau.released_batch(count)["batch_id"]
    journal = tmp_path / "journal"
    kills = run_killed(database_url, batch_id, count, journal)
    assert kills >= kills_least

    with bureau.store.read() as tx:
        batch = batches.get(tx, batch_id)
        made = cards.page(tx, batch_id=batch_id)
        while more := cards.page(tx, batch_id=batch_id, after=made[-1].id):
            made += more
        ledger = batches.chunks(tx, batch_id)
        spent = tx.connection.execute(select(schema.spent.c.holder_id)).scalars().all()
        scans = tx.connection.execute(
            select(schema.scans.c.id, schema.scans.c.holder_id, schema.scans.c.reason)
        ).all()
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    # no number lost, doubled or skipped; each person has one card
    numbers = sorted(int(card.card_number[2:]) for card in made)
    assert numbers == list(range(first, first + count))
    assert len({card.holder_id for card in made}) == count
    assert batch is not None
    assert (batch.issued, batch.state) == (count, BatchState.ISSUED)
    assert all(chunk.is_issued for chunk in ledger)
    # each code was accepted once and its second request refused once, however often it was retried
    assert len(set(spent)) == len(spent) == 2
    per_person = {holder: Counter(r for _, h, r in scans if h == holder) for holder in spent}
    assert all(one == {"accepted": 1, "already_used": 1} for one in per_person.values())
    # what was answered is there
    answers = {line["request_id"]: line["answer"] for line in map(json.loads, journal.open())}
    scan_ids = {row.id for row in scans}
    for request_id, answer in answers.items():
        if request_id.startswith("issue-"):
            number = answer["chunk_number"]
            assert ledger[number - 1].first_card_number == answer["first_card_number"]
        if request_id.startswith("scan-"):
            assert answer["scan_id"] in scan_ids
    active = [card for card in made if card.state is CardState.NORMAL]
    assert len(active) == 2
    assert len(answers) == len(ledger) + 8
