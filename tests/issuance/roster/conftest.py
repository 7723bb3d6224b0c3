"""Check a roster that stands in the test itself."""

from datetime import date
from pathlib import Path

import pytest
from roster_making import TITLES, TODAY, VALID_ROW, CheckBytes, CheckRow, to_csv

from issuance.roster import WholeRoster, check_roster


@pytest.fixture
def check_bytes(tmp_path: Path) -> CheckBytes:
    """check_bytes(content, name="roster.csv") -> report"""

    def check(content: bytes, *, name: str = "roster.csv", today: date = TODAY) -> WholeRoster:
        path = tmp_path / name
        path.write_bytes(content)
        return check_roster(path, today=today)

    return check


@pytest.fixture
def check_row(check_bytes: CheckBytes) -> CheckRow:
    """check_row(姓名="...") -> the report on a roster of one row that is valid but for that."""

    def check(*, today: date = TODAY, **changes: str) -> WholeRoster:
        row = {**VALID_ROW, **changes}
        return check_bytes(to_csv([TITLES, [row[title] for title in TITLES]]), today=today)

    return check
