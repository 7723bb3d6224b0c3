"""Events reach a consumer at least once and in order, however often relay and consumer fail.

The promise counts 50 kills and 50 000 events; that many are in the long run.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bureau import Bureau
from phone import with_offline_keys

from card_core.store import Store, audit, outbox

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CARDS = 97
LAG_SECONDS_MAX = 5.0
QUIET_SECONDS_MAX = 60.0


@contextmanager
def running(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process of its own; its first line is for the caller to read."""
    process = subprocess.Popen(
        [sys.executable, HERE / script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def happen(store: Store, first: int, count: int) -> None:
    """So many events in one transaction, of cards in turn, as the kernel writes them."""
    at = datetime.now(UTC)
    with store.write() as tx:
        for number in range(first, first + count):
            subject = f"card/{number % CARDS}"
            event = audit.Event(at, "system", "tests", "touch_card", subject, '{"rows":[]}')
            seq = audit.append(tx, "bureau", event)
            payload = json.dumps({"number": number})
            outbox.append(tx, outbox.Event("bureau", seq, at, "touch_card", subject, payload))


@pytest.mark.parametrize(
    ("events", "kills"), [(600, 5), pytest.param(50_000, 50, marks=pytest.mark.long)]
)
def test_no_event_is_lost_and_the_order_of_each_card_is_kept(
    bureau: Bureau, database_url: str, tmp_path: Path, events: int, kills: int
) -> None:
    with_offline_keys(bureau)
    with running("event_stub.py", tmp_path) as stub:
        assert stub.stdout is not None
        url = f"http://127.0.0.1:{stub.stdout.readline().strip()}"
        with running("killed_relay.py", database_url, url, kills, 11) as relay:
            assert relay.stdout is not None
            # They happen while relays live and die; the last ones when one stays.
            step = max(1, events // (4 * kills))
            for first in range(0, events - step, step):
                happen(bureau.store, first, min(step, events - step - first))
            assert relay.stdout.readline().strip() == "last"
            wait_until_taken(bureau, QUIET_SECONDS_MAX)
            begun = time.monotonic()
            happen(bureau.store, events - step, step)
            wait_until_taken(bureau, LAG_SECONDS_MAX)
            assert time.monotonic() - begun < LAG_SECONDS_MAX
    taken = [json.loads(line) for line in (tmp_path / "events.jsonl").open()]
    with bureau.store.read() as tx:
        last = {chain: outbox.last(tx, chain) for chain in audit.CHAINS}
    for chain in audit.CHAINS:
        seen = list(dict.fromkeys(event["seq"] for event in taken if event["chain"] == chain))
        # Each exactly once after the double ones are dropped, and first in the order of commits.
        assert seen == list(range(1, last[chain] + 1))
    numbers: dict[str, list[int]] = {}
    for event in {(one["chain"], one["seq"]): one for one in taken}.values():
        if event["topic"] == "touch_card":
            numbers.setdefault(event["subject"], []).append(event["payload"]["number"])
    assert sum(map(len, numbers.values())) == events
    assert all(one == sorted(one) for one in numbers.values())
    # Some came twice: from relays that never heard, or noted, that they were taken.
    assert len(taken) > sum(last.values())


def wait_until_taken(bureau: Bureau, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with bureau.store.read() as tx:
            positions = outbox.all_positions(tx)
        if {one.chain for one in positions} == set(audit.CHAINS) and not any(
            one.waiting for one in positions
        ):
            return
        time.sleep(0.02)
    raise AssertionError(positions)
