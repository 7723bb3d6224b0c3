"""A clock that leaves the database's is believed by nobody, from the next question on."""

import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bureau import Bureau
from scan_service import BASE_URL, ScanService
from starlette.testclient import TestClient

from card_core.codes.key_life import CLOCKS_APART_SECONDS_MAX
from card_core.store import Store
from scan_api.app import create_app
from scan_api.clock_watch import ClockOffError, ClockWatch

HOUR = 3600.0


class Machine:
    """A machine whose clock is off, and whose monotonic clock goes on as it is told."""

    def __init__(self) -> None:
        self.off_seconds = 0.0
        self._started = datetime.now(UTC)
        self.gone_seconds = 0.0

    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.off_seconds)

    def monotonic(self) -> float:
        return (datetime.now(UTC) - self._started).total_seconds() + self.gone_seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def watch(store: Store, machine: Machine) -> ClockWatch:
    return ClockWatch(store, machine.clock, monotonic=machine.monotonic)


def is_off(watch: ClockWatch) -> bool:
    try:
        watch.now()
    except ClockOffError:
        return True
    return False


def test_before_the_first_reading_no_time_is_told(watch: ClockWatch) -> None:
    assert is_off(watch)
    watch.read()
    assert not is_off(watch)
    assert abs(watch.now() - datetime.now(UTC)) < timedelta(seconds=1)


@pytest.mark.parametrize("off_seconds", [-HOUR, -7, -3, 0, 3, 7, HOUR])
def test_more_than_five_seconds_are_too_many(
    watch: ClockWatch, machine: Machine, off_seconds: float
) -> None:
    machine.off_seconds = off_seconds
    watch.read()
    assert is_off(watch) == (abs(off_seconds) > 5)
    assert watch.database_ahead_seconds() == pytest.approx(-off_seconds, abs=1)


@pytest.mark.parametrize("step_seconds", [-HOUR, HOUR])
def test_a_step_is_seen_by_the_next_question_without_a_reading(
    watch: ClockWatch, machine: Machine, step_seconds: float
) -> None:
    watch.read()
    machine.off_seconds = step_seconds
    assert is_off(watch)
    machine.off_seconds = 0
    assert not is_off(watch)


def test_it_is_told_once_and_when_it_is_over(
    watch: ClockWatch, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    watch.read()
    machine.off_seconds = -HOUR
    watch.read()
    watch.read()
    machine.off_seconds = 0
    watch.read()
    assert [record.getMessage() for record in caplog.records] == [
        '{"event": "clock_off", "database_ahead_seconds": 3600.0}',
        '{"event": "clock_right_again"}',
    ]


def test_a_machine_that_slept_is_right_again_with_the_next_reading(
    watch: ClockWatch, machine: Machine
) -> None:
    """The monotonic clock may stand still meanwhile; the two clocks agree as before."""
    watch.read()
    machine.gone_seconds -= HOUR
    assert is_off(watch)
    watch.read()
    assert not is_off(watch)


@pytest.mark.parametrize("step_seconds", [-HOUR, HOUR])
def test_a_step_of_the_database_s_own_clock_is_told(
    watch: ClockWatch, machine: Machine, caplog: pytest.LogCaptureFixture, step_seconds: float
) -> None:
    """Seen from a clock that nobody sets, the other two went on by an hour more, or less."""
    watch.read()
    machine.gone_seconds -= step_seconds
    watch.read()
    (record,) = caplog.records
    told = json.loads(record.getMessage())
    assert told["event"] == "database_clock_stepped"
    # What is certain of it: less by as long as the two readings took.
    assert told["seconds"] == pytest.approx(step_seconds, abs=CLOCKS_APART_SECONDS_MAX)


def test_an_answer_that_took_long_says_nothing(store: Store, machine: Machine) -> None:
    """It came at any time from the question on: nobody may be called wrong, or right, by it."""
    late_seconds = iter([0, 0, 0, 20])
    watch = ClockWatch(
        store, machine.clock, monotonic=lambda: machine.monotonic() + next(late_seconds, 0)
    )
    watch.read()
    watch.read()
    machine.off_seconds = -15
    assert is_off(watch)


def test_it_is_read_again_and_again(watch: ClockWatch, machine: Machine) -> None:
    seen = threading.Event()
    read = watch.read

    def noted() -> None:
        read()
        if machine.off_seconds and watch.database_ahead_seconds():
            seen.set()

    watch.read = noted  # type: ignore[method-assign]
    with watch.watched():
        machine.off_seconds = HOUR
        assert seen.wait(10)


def test_a_service_whose_clock_is_off_takes_nothing_and_is_not_ready(
    bureau: Bureau, watch: ClockWatch, machine: Machine
) -> None:
    service = ScanService(bureau)
    code = service.mint()
    machine.off_seconds = HOUR
    watch.read()
    service.http = TestClient(
        create_app(replace(service.services, clock=watch.now)), base_url=BASE_URL
    )
    answer = service.scan(service.pharmacy, code)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "1"
    assert service.http.get("/readyz").status_code == 503
    assert service.http.get("/healthz").status_code == 200
