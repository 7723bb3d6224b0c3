"""What runs in the background goes on whatever one call raises, and ends with its block."""

import logging
import threading

import pytest

from card_core.errors import StoreBusyError
from scan_api.repeating import repeated

PATIENCE_SECONDS = 30
_log = logging.getLogger("sscard.tests")


@pytest.mark.parametrize(
    ("error", "told", "level"),
    [
        (StoreBusyError(), StoreBusyError.code, logging.WARNING),
        (ValueError("0019canary"), "ValueError", logging.ERROR),
    ],
)
def test_a_call_that_raises_is_told_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture, error: Exception, told: str, level: int
) -> None:
    third = threading.Event()
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        if calls >= 3:
            third.set()
        raise error

    how = {"name": "tests", "failure": "work_failed", "log": _log}
    with repeated(work, every_seconds=0.001, at_once=True, **how):  # type: ignore[arg-type]
        assert third.wait(PATIENCE_SECONDS)
    ended = calls
    assert f'{{"event": "work_failed", "error": "{told}"}}' in caplog.messages
    assert {record.levelno for record in caplog.records} == {level}
    assert "0019canary" not in caplog.text
    assert "tests" not in {thread.name for thread in threading.enumerate()}
    assert calls == ended


def test_without_at_once_the_first_call_comes_after_the_first_wait() -> None:
    called = threading.Event()
    with repeated(called.set, every_seconds=3600, name="tests", failure="none", log=_log):
        pass
    assert not called.is_set()
