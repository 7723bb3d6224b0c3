"""The clock of one of two services is stepped by an hour while it scans; the other goes on.

Whoever shows it a code shows what its clock would believe: codes that are over, signed at its own
time. The promise counts 1000 codes of each kind for each direction.
"""

import re
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

import pytest
from caller import Answer, Caller
from holder_session import signed_in
from running_service import Running, serving, until
from servers.libfaketime import FalseClock
from servers.redis import RedisServer, free_port, running

from benchmarks.bench_scan.bureau import Ground
from benchmarks.bench_scan.requests import CONSUME, IDENTIFY, Press

ALARM_WITHIN_SECONDS = 10
PATIENCE_SECONDS = 30
SHOWN_SECONDS_MAX = 120
# Between two rounds of codes: without it a round of few takes a core from the services.
BREATH_SECONDS = 0.1
KINDS = (CONSUME, IDENTIFY)
AHEAD = re.compile(r'^sscard_database_ahead_seconds\{worker="0"\} (\S+)$', re.MULTILINE)


@dataclass
class Pair:
    """Two services on one database and one Redis. off: the one whose clock is false."""

    ground: Ground
    press: Press
    good: Running
    off: Running
    clock: FalseClock
    numbers_port: int

    def scan(self, at: Running, codes: list[str], hours: int = 0) -> list[Answer | None]:
        """Half of the codes are for any use. hours: how far the terminals' clocks are off."""
        signed_at = datetime.now(UTC) + timedelta(hours=hours)
        where = zip(codes, cycle(KINDS), cycle(self.ground.terminals), strict=False)
        requests = [
            self.press.request(kind, code, terminal, signed_at=signed_at)
            for code, kind, terminal in where
        ]
        return Caller(at.address).send_all(requests)

    def codes(self, count: int, hours: int = 0) -> list[str]:
        at = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
        both = (self.press.codes(kind, count, minted_at=at) for kind in KINDS)
        return [code for pair in zip(*both, strict=True) for code in pair]

    def numbers(self) -> float:
        """How far the service with the false clock says that the database is ahead."""
        with urlopen(f"http://127.0.0.1:{self.numbers_port}/metrics") as answer:
            found = AHEAD.search(answer.read().decode())
        assert found
        return float(found[1])


def told(answers: list[Answer | None]) -> Counter[str]:
    return Counter("none" if one is None else one.reason for one in answers)


def is_ready(service: Running) -> bool:
    return Caller(service.address).get("/readyz") == (200, {"status": "ready"})


def step_while_scanning(pair: Pair, hours: int, count: int) -> None:
    used = used_up(pair, pair.good, count)
    used_up(pair, pair.off, 10)
    over = pair.codes(count, hours)
    heard: Counter[str] = Counter()
    over_and_over = threading.Event()

    def show() -> None:
        while not over_and_over.is_set():
            heard.update(told(pair.scan(pair.off, over, hours)))
            heard.update(told(pair.scan(pair.off, used, hours)))
            heard.update(told(pair.scan(pair.off, used)))
            over_and_over.wait(BREATH_SECONDS)

    showing = threading.Thread(target=show)
    showing.start()
    try:
        assert until(lambda: sum(heard.values()) >= count, SHOWN_SECONDS_MAX)
        before = pair.off.log.count('"event": "clock_off"')
        pair.clock.step(hours)
        began = time.monotonic()
        assert until(
            lambda: pair.off.log.count('"event": "clock_off"') > before and not is_ready(pair.off),
            ALARM_WITHIN_SECONDS,
        )
        seconds = time.monotonic() - began
        # The other one goes on.
        used_up(pair, pair.good, 10)
        shown = sum(heard.values())
        assert until(lambda: sum(heard.values()) >= shown + 2 * count, SHOWN_SECONDS_MAX)
        assert told(pair.scan(pair.off, pair.codes(10))) == {"not_ready": 20}
        assert pair.numbers() == pytest.approx(-3600 * hours, abs=5)
        assert minted(pair) in {401, 503}
    finally:
        over_and_over.set()
        showing.join()
    print(f"{hours:+d} h: alarm after {seconds:.2f} s; codes that were over or used: {dict(heard)}")
    assert heard["accepted"] == heard["none"] == 0
    assert heard["not_ready"] >= count
    pair.clock.step(0)
    assert until(lambda: is_ready(pair.off), PATIENCE_SECONDS)
    used_up(pair, pair.off, 10)
    assert told(pair.scan(pair.off, used))["accepted"] == 0


def used_up(pair: Pair, at: Running, count: int) -> list[str]:
    """So many new codes of each kind that it accepted, as soon as it accepts all.

    A service that just started, or waited for a busy machine, doubts its fast store for a moment
    and asks for new codes.
    """
    codes: list[str] = []

    def accepts_new_ones() -> bool:
        codes[:] = pair.codes(count)
        return told(pair.scan(at, codes)) == {"accepted": 2 * count}

    assert until(accepts_new_ones, PATIENCE_SECONDS)
    return codes


def minted(pair: Pair) -> int:
    """The status that a holder gets who asks the service with the false clock for a code."""
    with signed_in(pair.ground, pair.off.address) as http:
        return http.post("/v1/holder/codes", json={}).status_code


def run(directory: Path, ground: Ground, count: int, *hours: int) -> None:
    """Step the clock so many hours off and back again, one after the other."""
    redis = RedisServer(directory / "redis", "save ''")
    clock, port = FalseClock(directory), free_port()
    folders = [directory / "good", directory / "off"]
    for folder in folders:
        folder.mkdir()
    with running(redis), ExitStack() as stack:
        # Patient with Redis: what is asked here is not who is slow.
        usual = {**ground.environment, "SSCARD_REDIS_URL": f"{redis.url}?answer_ms=1000"}
        good = stack.enter_context(serving(folders[0], usual))
        false = {**usual, **clock.environment}
        off = stack.enter_context(serving(folders[1], false, "--metrics", str(port)))
        assert until(lambda: is_ready(good) and is_ready(off), PATIENCE_SECONDS)
        pair = Pair(ground, Press(ground), good, off, clock, port)
        for each in hours:
            step_while_scanning(pair, each, count)
        for service in (off, good):
            assert service.stop() == 0, service.log
            assert '"event": "failure"' not in service.log


def test_a_clock_is_set_back_while_it_scans(tmp_path: Path, ground: Ground) -> None:
    run(tmp_path, ground, 20, -1)


@pytest.mark.long
def test_a_clock_is_stepped_both_ways_under_thousands_of_codes(
    tmp_path: Path, ground: Ground
) -> None:
    run(tmp_path, ground, 1000, -1, 1)
