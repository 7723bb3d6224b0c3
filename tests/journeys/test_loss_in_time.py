"""A loss reported is a loss known: at a terminal that judges by itself, within the minute.

Timed from the answer to the report to the terminal's own refusal. `sscard serve` and `sscard
terminal serve` are processes of their own; the way between them can be cut, so that the terminal
has to judge by what it carries, which it kept fresh by itself until then. The terminal's own clock
is off by more than the service lets pass: it goes by the service's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from phone import day_ends
from running_service import until
from servers.libfaketime import FalseClock
from stream_proxy import StreamProxy
from terminal_process import Counter, counter_at
from town import Citizen, Town, founded

from card_core.codes import CodeKey
from card_core.status_list import CredentialState, StatusListError, open_list
from card_core.store import issuers
from issuance.batches import new_request_id
from issuance.installation import utc_now

ISSUER = 23
NOWHERE = 1  # a port at which nobody listens
PROMISE_SECONDS = 60
FAST_SECONDS = 400
WAIT_SECONDS = 90


@dataclass
class Way:
    """Between a terminal and its service."""

    proxy: StreamProxy
    service_port: int
    counter: Counter

    def alone(self, citizen: Citizen) -> dict[str, Any]:
        """What the terminal says by itself of a new code of this holder."""
        self.proxy.lead_to(NOWHERE)
        try:
            # The question that meets the cut is in doubt; from the next one on the terminal judges.
            self.counter.scan(citizen.show(), new_request_id())
            verdict = self.counter.scan(citizen.show(), new_request_id())
        finally:
            self.proxy.lead_to(self.service_port)
        assert verdict["offline"] is True, verdict
        return verdict


@contextmanager
def connected(town: Town, folder: Path, refresh_seconds: float | None) -> Iterator[Way]:
    port = int(town.running.address.split(":")[1])
    with (
        StreamProxy.running(port) as proxy,
        counter_at(
            folder,
            f"http://127.0.0.1:{proxy.port}",
            refresh_seconds=refresh_seconds,
            environment=FalseClock(folder, seconds=FAST_SECONDS).environment,
        ) as counter,
    ):
        yield Way(proxy, port, counter)


def carried_state(town: Town, folder: Path, citizen: Citizen) -> CredentialState | None:
    """What the list on the terminal's disk says; None where there is none yet."""
    day = day_ends(utc_now(), 1)[0]
    path = folder / "offline" / f"list-{town.issuer}-{int(day.timestamp())}"
    try:
        held = open_list(path.read_bytes(), keys=keys_of(town))
    except (FileNotFoundError, StatusListError):
        return None
    return held.state(int.from_bytes(citizen.app.phone.credentials[day][12:16]))


def keys_of(town: Town) -> list[CodeKey]:
    with town.site.store.read() as tx:
        return issuers.keys(tx)


def loss_seconds(town: Town, folder: Path, way: Way, citizen: Citizen) -> float:
    """From the answer to a report of loss to the terminal's own refusal."""
    assert until(
        lambda: carried_state(town, folder, citizen) is CredentialState.GOOD, WAIT_SECONDS
    ), town.running.log
    before = way.alone(citizen)
    assert before["outcome"] == "accepted", before
    assert abs(before["clock_offset_seconds"] + FAST_SECONDS) <= 2, before
    citizen.report_loss()
    reported_at = time.monotonic()
    assert until(
        lambda: carried_state(town, folder, citizen) is CredentialState.SUSPENDED, WAIT_SECONDS
    ), town.running.log
    after = way.alone(citizen)
    seconds = time.monotonic() - reported_at
    assert after["reason"] == "card_lost", after
    return seconds


def journey(tmp_path: Path, count: int, refresh_seconds: float | None) -> list[float]:
    found = []
    with founded(tmp_path / "town", ISSUER) as town:
        citizens, folder = town.citizens(count), town.terminal()
        with town.served() as service, connected(town, folder, refresh_seconds) as way:
            for citizen in citizens:
                with citizen.with_phone(service.address):
                    found.append(loss_seconds(town, folder, way, citizen))
    print(f"\nloss reported -> refused by the terminal alone: {[round(one, 1) for one in found]} s")
    return found


def test_a_loss_is_known_at_a_terminal_that_judges_by_itself(tmp_path: Path) -> None:
    (seconds,) = journey(tmp_path, 1, refresh_seconds=0.2)
    assert seconds <= PROMISE_SECONDS


@pytest.mark.long
def test_as_shipped_a_loss_is_known_within_the_minute(tmp_path: Path) -> None:
    assert max(journey(tmp_path, 4, refresh_seconds=None)) <= PROMISE_SECONDS
