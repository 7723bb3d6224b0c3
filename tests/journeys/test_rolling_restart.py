"""Workers are replaced under load, and no request gets lost."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from running_service import Load, Running, serving, until
from servers.postgresql import PostgreSQLServer

from benchmarks.bench_scan.bureau import founded
from benchmarks.bench_scan.requests import CONSUME, Press

CONNECTIONS = 8
ROLL_SECONDS_MAX = 120


def replaced(service: Running) -> int:
    return service.log.count('"event": "workers_replaced"')


def roll_under_load(service: Running, load: Load, *, rate: float, seconds: float) -> None:
    """Replace all workers while scans come at this rate; each of them must be accepted."""
    found: list[dict[str, Any]] = []

    def scan() -> None:
        options = {"connections": CONNECTIONS, "seconds": seconds, "rate": rate}
        found.append(load.run(service, CONSUME, **options))  # type: ignore[arg-type]

    before, scans = replaced(service), service.log.count("/v1/scans")
    scanning = threading.Thread(target=scan)
    scanning.start()
    assert until(lambda: service.log.count("/v1/scans") >= scans + 3, ROLL_SECONDS_MAX)
    service.process.send_signal(signal.SIGHUP)
    assert until(lambda: replaced(service) > before, ROLL_SECONDS_MAX), service.log
    scanning.join()
    (answers,) = found
    assert (answers["lost"], answers["unanswered"]) == (0, 0), answers
    assert answers["accepted"] == answers["sent"], answers
    # Where all connections wait for a worker, what is due waits with them and is not sent.
    assert answers["sent"] >= CONNECTIONS, answers
    # Each connection was told to close by an answer, or closed while nothing was on it.
    assert answers["reconnects"] >= 1


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
        roll_under_load(service, load, rate=5, seconds=12)
        check_end(service)


def test_a_single_worker_is_replaced_while_requests_wait(tmp_path: Path) -> None:
    with (
        founded(ecards=20) as ground,
        serving(tmp_path, ground.environment, "--workers", "1") as service,
    ):
        load = Load(Press(ground), tmp_path)
        roll_under_load(service, load, rate=5, seconds=8)
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
            roll_under_load(service, load, rate=300, seconds=12)
        check_end(service)
