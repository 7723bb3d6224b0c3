from datetime import UTC, datetime, timedelta

from scan_api.refusal_limit import REFUSALS_MAX, RefusalLimit

START = datetime(2026, 1, 1, tzinfo=UTC)


def _after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _filled() -> RefusalLimit:
    limit = RefusalLimit()
    assert [limit.take("t1", _after(i)) for i in range(REFUSALS_MAX)] == [0] * REFUSALS_MAX
    return limit


def test_the_eleventh_in_a_minute_has_to_wait_for_the_first_to_leave() -> None:
    limit = _filled()
    assert limit.take("t1", _after(20.5)) == 40
    assert limit.take("t1", _after(59.9)) == 1
    assert limit.take("t1", _after(60)) == 0


def test_the_window_slides_and_does_not_start_anew() -> None:
    limit = _filled()
    assert limit.take("t1", _after(60)) == 0
    assert limit.take("t1", _after(60.5)) > 0


def test_each_terminal_has_its_own_window() -> None:
    assert _filled().take("t2", _after(20)) == 0


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    assert _filled().take("t1", _after(-3600)) == 0


def test_made_up_names_push_out_the_oldest_and_fill_nothing() -> None:
    limit = RefusalLimit(names_max=3)
    for _ in range(REFUSALS_MAX):
        limit.take("t1", START)
    assert limit.take("t1", START) > 0
    for name in ("a", "b"):
        limit.take(name, START)
    assert limit.take("t1", START) > 0  # asked for last, so not the oldest
    for name in ("c", "d", "e"):
        limit.take(name, START)
    assert len(limit._refused_at) == 3
    assert limit.take("t1", START) == 0
