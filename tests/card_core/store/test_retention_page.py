"""The page that says how long what is kept names every table, once."""

import re
from pathlib import Path

from card_core.retention_policy import (
    APPROVAL_DAYS,
    HOLDER_DAYS,
    ON_REQUEST_DAYS,
    REFUSED_DAYS,
    RetentionPolicy,
)
from card_core.store.schema import metadata

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def section() -> str:
    return PAGE.read_text().split("## What is kept, and for how long")[1]


def test_every_table_has_its_rule() -> None:
    lines = [line for line in section().splitlines() if line.startswith("| `")]
    named = [name for line in lines for name in re.findall(r"`(\w+)`", line)]
    assert sorted(named) == sorted(table.name for table in metadata.sorted_tables)


def test_the_periods_are_those_of_the_code() -> None:
    policy, text = RetentionPolicy(), section()
    for days in (policy.holder_days, policy.refused_days, policy.approval_days, ON_REQUEST_DAYS):
        assert re.search(rf"\b{days} days", text)
    for minimum in (HOLDER_DAYS.start, REFUSED_DAYS.start, APPROVAL_DAYS.start):
        assert re.search(rf"\b{minimum}\b", text)
