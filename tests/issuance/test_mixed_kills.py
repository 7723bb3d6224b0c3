"""kill -9 during mixed work: what was acknowledged is there, once, and every gap is explained.

Whoever asked keeps a ledger outside; the promise counts 300 kills on each database.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mixed_work import PEOPLE

from card_core.states import BatchState, MakingState, OrderState
from card_core.store import (
    Reader,
    Store,
    audit,
    audit_reading,
    batches,
    cards,
    issuers,
    making_orders,
    makings,
    scans,
)

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run_killed(url: str, ledger: Path, kills: int) -> dict[str, Any]:
    seed = int.from_bytes(os.urandom(4))
    done = subprocess.run(
        [sys.executable, HERE / "killed_bureau.py", url, ledger, str(kills), str(seed)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-4000:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    print(f"seed {seed}, {kills} kills: {report}")
    return report


def lines_of(ledger: Path) -> tuple[dict[int, Any], list[Any]]:
    """What was asked, by its number, and what was heard, in its order."""
    lines = [json.loads(line) for line in ledger.open()]
    asked = {line["asked"]: line for line in lines if "asked" in line}
    return asked, [line for line in lines if "heard" in line]


@pytest.mark.parametrize("kills", [4, pytest.param(300, marks=pytest.mark.long)])
def test_killed_at_mixed_work_nothing_acknowledged_is_lost_or_doubled(
    store: Store, database_url: str, tmp_path: Path, kills: int
) -> None:
    report = run_killed(database_url, tmp_path / "ledger", kills)
    asked, heard = lines_of(tmp_path / "ledger")
    # whoever never heard was told in the end, and everybody is told the same once more
    assert sorted(asked) == sorted(one["heard"] for one in heard)
    assert report["answers_changed"] == 0
    assert report["acts"] == len(heard) > kills
    assert report["unheard"] > 0
    with store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
        audit.verify_scans(tx)
        check_acts(tx, heard, report["events_before"])
        check_scans(tx, heard)
        check_states(tx, heard)
        check_numbers(tx, report["first_serial"])
        check_batches(tx, heard)


def check_acts(tx: Reader, heard: list[Any], events_before: int) -> None:
    """The log tells of as many acts of each kind as somebody asked for, and of no other."""
    until, _ = audit.head(tx, "bureau")
    logged = audit_reading.events(tx, "bureau", until=until)
    done = Counter(event.act for event in logged if event.seq > events_before)
    assert done == Counter(one["act"] for one in heard if one["act"])


def check_scans(tx: Reader, heard: list[Any]) -> None:
    answers = [one["answer"] for one in heard if one["act"] is None]
    ids = [one["scan_id"] for one in answers]
    assert len(ids) == len(set(ids)) == scans.count(tx)
    assert scans.ids_there(tx, ids) == set(ids)
    reasons = Counter(one["reason"] for one in answers)
    assert reasons["accepted"] == reasons["already_used"]


def check_states(tx: Reader, heard: list[Any]) -> None:
    """Each card is in the state that was last heard of it."""
    last = {
        one["answer"]["card_id"]: one["answer"]["card_state"]
        for one in heard
        if {"card_id", "card_state"} <= one["answer"].keys()
    }
    found = cards.get_all(tx, list(last))
    assert {card_id: card.state.value for card_id, card in found.items()} == last


def check_numbers(tx: Reader, first: int) -> None:
    """Card numbers have no gap, and no card has another's."""
    found: list[cards.Card] = []
    while page := cards.page(tx, after=found[-1].id if found else ""):
        found += page
    serials = sorted(int(card.card_number[2:]) for card in found)
    assert serials[first - 1 :] == list(range(first, issuers.required(tx).next_card_serial))
    assert serials[: first - 1] == list(range(1, first))


def check_batches(tx: Reader, heard: list[Any]) -> None:
    """Every roster came to its end: each of its people has a card that was made once."""
    assert batches.not_whole(tx) == []
    opened = [one["answer"]["batch_id"] for one in heard if one["act"] == "open_import"]
    chips = []
    for batch_id in opened:
        batch = batches.get(tx, batch_id)
        assert batch
        assert (batch.state, batch.accepted, batch.issued) == (BatchState.ISSUED, PEOPLE, PEOPLE)
        (order,) = making_orders.of_batch(tx, batch_id)
        assert (order.state, order.made, order.failed) == (OrderState.ANSWERED, PEOPLE, 0)
        found = makings.between(tx, batch_id, 1, PEOPLE)
        assert [one.state for one in found] == [MakingState.HANDED_OVER] * PEOPLE
        chips += [makings.chip_of(tx, one) for one in found]
    assert None not in chips
    assert len(set(chips)) == len(opened) * PEOPLE
