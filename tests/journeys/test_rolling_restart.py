"""Workers are replaced under load, and no request gets lost."""

import json
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from running_service import Load, Running, serving, until
from servers.postgresql import PostgreSQLServer

from benchmarks.bench_scan.bureau import founded
from benchmarks.bench_scan.requests import CONSUME, Press

CONNECTIONS = 8
RUN_SECONDS = 5
ROLL_SECONDS_MAX = 120
STOOD_STILL = ("registry_stale", "service_clock_off")
COUNTED = ("sent", "accepted", "retry_after", "lost", "unanswered", "unsent", "reconnects")


def replaced(service: Running) -> int:
    return service.log.count('"event": "workers_replaced"')


def roll_under_load(service: Running, load: Load, *, rate: float) -> Counter[str]:
    """Replace all workers while scans come at this rate, from before the first one is retired until
    the last one is replaced; what came of them."""
    found: list[dict[str, Any]] = []
    rolled = threading.Event()

    def scan() -> None:
        options = {"connections": CONNECTIONS, "seconds": RUN_SECONDS, "rate": rate}
        while not rolled.is_set():
            found.append(load.run(service, CONSUME, **options))  # type: ignore[arg-type]

    before, scans = replaced(service), service.log.count("/v1/scans")
    scanning = threading.Thread(target=scan)
    scanning.start()
    try:
        assert until(lambda: service.log.count("/v1/scans") >= scans + 3, ROLL_SECONDS_MAX)
        service.process.send_signal(signal.SIGHUP)
        assert until(lambda: replaced(service) > before, ROLL_SECONDS_MAX), service.log[-2000:]
    finally:
        rolled.set()
        scanning.join()
    told: Counter[str] = Counter()
    for one in found:
        told.update({name: one[name] for name in COUNTED})
        told.update({f"status {status}": count for status, count in one["statuses"].items()})
        told["milliseconds"] += int(one["seconds"] * 1000)
    print(f"{told['sent'] / told['milliseconds'] * 1000:.0f} scans/s: {dict(told)}")
    assert (told["lost"], told["unanswered"]) == (0, 0), told
    # Accepted, or told at once that there is no room and when to come again: nothing else.
    assert told["accepted"] == told["status 200"], told
    assert told["accepted"] + told["retry_after"] == told["sent"], told
    # Where all connections wait for a worker, what is due waits with them and is not sent.
    assert told["accepted"] >= CONNECTIONS, told
    # Each connection was told to close by an answer, or closed while nothing was on it.
    assert told["reconnects"] >= 1
    return told


def check_none_refused(service: Running, refused: int) -> None:
    """A roll refuses nobody. A machine that stands still for seconds makes its workers refuse, with
    or without a roll, and they say so."""
    told = [json.loads(line) for line in service.log.splitlines() if '"status": 503' in line]
    stood_still = [one for one in told if one.get("error") in STOOD_STILL]
    assert refused == len(stood_still), told


def check_end(service: Running) -> None:
    assert service.stop() == 0, service.log
    for event in ("worker_died", "worker_killed", "failure"):
        assert f'"event": "{event}"' not in service.log


def test_two_workers_are_replaced_under_load(postgresql: PostgreSQLServer, tmp_path: Path) -> None:
    url = postgresql.url(postgresql.create())
    with (
        founded(url, ecards=20) as ground,
        serving(tmp_path, ground.environment, "--workers", "2") as service,
    ):
        load = Load(Press(ground), tmp_path)
        check_none_refused(service, roll_under_load(service, load, rate=5)["retry_after"])
        check_end(service)


def test_a_single_worker_is_replaced_while_requests_wait(tmp_path: Path) -> None:
    with (
        founded(ecards=20) as ground,
        serving(tmp_path, ground.environment, "--workers", "1") as service,
    ):
        load = Load(Press(ground), tmp_path)
        check_none_refused(service, roll_under_load(service, load, rate=5)["retry_after"])
        check_end(service)


@pytest.mark.alone
@pytest.mark.long
def test_twenty_rolls_at_three_hundred_scans_a_second(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    url = postgresql.url(postgresql.create())
    with (
        founded(url, ecards=200) as ground,
        serving(tmp_path, ground.environment, "--workers", "2") as service,
    ):
        load = Load(Press(ground), tmp_path)
        for _ in range(20):
            roll_under_load(service, load, rate=300)
        check_end(service)
