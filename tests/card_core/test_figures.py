"""Figures without a database: sums, small cells, days by nearest rank."""

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_core.figures import ALL, OTHER, SMALL, Dimension, Row, Tally, counted, figures

TALLY = Tally("440604", "102", "2026-03", False, False, False, False, False, None, 1)

tallies = st.lists(
    st.builds(
        Tally,
        region=st.sampled_from(["440604", "440605", "440606"]),
        bank=st.sampled_from(["102", "103"]),
        month=st.sampled_from(["2026-01", "2026-02", "2026-03"]),
        taken_over=st.booleans(),
        handed_over=st.booleans(),
        activated=st.booleans(),
        ecard_activated=st.booleans(),
        cancelled=st.booleans(),
        days=st.none() | st.integers(0, 90),
        count=st.integers(1, 30),
    ),
    max_size=12,
)


def key(row: Row) -> tuple[str, str, str]:
    return row.region, row.bank, row.month


@given(tallies, st.sets(st.sampled_from(list(Dimension))))
def test_rows_sum_up_to_the_total_and_none_is_small(
    population: list[Tally], by: set[Dimension]
) -> None:
    found = figures(population, by)
    if sum(one.count for one in population) < SMALL:
        assert (found.total, found.rows) == (None, ())
        return
    assert found.total == counted(population)
    if not by:
        assert found.rows == ()
        return
    assert len({key(row) for row in found.rows}) == len(found.rows)
    for row in found.rows:
        assert row.counts.all_cards >= SMALL
        shown = dict(zip(Dimension, key(row), strict=True))
        assert {one for one in Dimension if shown[one] == ALL} == set(Dimension) - by
    for name in ("issued", "taken_over", "handed_over", "activated", "ecards_activated"):
        assert sum(getattr(row.counts, name) for row in found.rows) == getattr(found.total, name)


@given(tallies)
def test_a_row_with_values_of_its_own_counts_exactly_the_cards_that_have_them(
    population: list[Tally],
) -> None:
    for row in figures(population, Dimension).rows:
        if OTHER not in key(row):
            own = [one for one in population if (one.region, one.bank, one.month) == key(row)]
            assert row.counts == counted(own)


def test_the_least_group_goes_with_the_next_one_where_it_would_stand_alone() -> None:
    groups = {"440604": 3, "440605": 40, "440606": 12}
    population = [replace(TALLY, region=region, count=size) for region, size in groups.items()]
    rows = figures(population, [Dimension.REGION]).rows
    assert [(row.region, row.counts.issued) for row in rows] == [("440605", 40), (OTHER, 15)]


def test_other_is_not_broken_down_further() -> None:
    population = [
        replace(TALLY, count=40),
        replace(TALLY, region="440605", month="2026-01", count=9),
        replace(TALLY, region="440606", month="2026-02", count=9),
    ]
    rows = figures(population, [Dimension.MONTH, Dimension.REGION]).rows
    assert [key(row) for row in rows] == [("440604", ALL, "2026-03"), (OTHER, ALL, OTHER)]


def test_days_are_those_of_a_card_and_left_out_where_too_few_are_known() -> None:
    days = [3, 1, 4, 1, 5, 9, 2, 6, 5, 30]
    population = [replace(TALLY, handed_over=True, days=one) for one in days]
    counts = counted(population)
    assert (counts.days_median, counts.days_p95) == (statistics.median_low(days), 30)
    fewer = counted(population[1:])
    assert (fewer.days_median, fewer.days_p95) == (None, None)


@pytest.mark.parametrize(("part", "whole", "rate"), [(0, 0, None), (1, 3, 0.3333), (3, 3, 1.0)])
def test_rates_are_of_what_was_issued(part: int, whole: int, rate: float | None) -> None:
    counts = counted(
        [replace(TALLY, activated=number < part) for number in range(whole)]
        + [replace(TALLY, taken_over=True, activated=True)]
    )
    assert counts.activated_rate == rate
    assert counts.taken_over == 1
