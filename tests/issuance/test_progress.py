"""How far a batch is: counted from its ledger, with a rate while somebody issues."""

from datetime import UTC, datetime, timedelta

import pytest

from card_core.states import BatchState
from card_core.store.batches import Batch, Chunk
from issuance.progress import progress_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def batch(issued: int, state: BatchState = BatchState.RELEASED) -> Batch:
    return Batch("b", "b", state, "m", 3000, 0, issued, bytes(32), bytes(32), NOW)


def chunk(number: int, seconds_ago: float | None) -> Chunk:
    at = None if seconds_ago is None else NOW - timedelta(seconds=seconds_ago)
    return Chunk("b", number, 500, bytes(32), None, None, at)


def test_the_rate_is_that_of_the_last_minute() -> None:
    ledger = [chunk(1, 300), chunk(2, 10), chunk(3, 5), chunk(4, 1), chunk(5, None)]
    found = progress_of(batch(2000), ledger, NOW)
    assert (found.issued, found.accepted) == (2000, 3000)
    assert found.rate == pytest.approx(100)  # two chunks in ten seconds
    assert found.seconds_left == pytest.approx(10)


@pytest.mark.parametrize("state", [one for one in BatchState if one is not BatchState.RELEASED])
def test_what_is_not_being_issued_has_no_rate(state: BatchState) -> None:
    ledger = [chunk(1, 3), chunk(2, 2)]
    assert progress_of(batch(1000, state), ledger, NOW).rate is None


@pytest.mark.parametrize("ages", [(), (1,), (120, 90), (120, 1), (None, None)])
def test_from_too_little_no_rate_is_guessed(ages: tuple[float | None, ...]) -> None:
    ledger = [chunk(number, age) for number, age in enumerate(ages, 1)]
    found = progress_of(batch(0), ledger, NOW)
    assert (found.rate, found.seconds_left) == (None, None)
