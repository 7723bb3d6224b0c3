"""The short way for good rows says what the long way says, of every row that there can be."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from roster_making import TODAY, VALID_ROW, valid_number

from issuance.roster import CheckedRow, check, check_rows, columns, open_roster
from issuance.roster.good_rows import read_good_row
from issuance.roster.read import RosterRow

ROSTERS = Path(__file__).parents[2] / "rosters"
CHILD = {
    "出生日期": "2015-06-01",
    "证件号码": valid_number("20150601"),
    "监护人姓名": "邓大军",
    "监护人证件号码": valid_number(sequence="003"),
}
FOREIGNER = {
    "证件类型": "外国人永久居留身份证",
    "证件号码": "911124198108030024",
    "性别": "女",
    "出生日期": "1981-08-03",
    "民族": "",
}
# Put into every column in turn.
ODD = (
    "", " ", "-", "=1+1", "+86", "@x", "\x1e", "a\x1eb", "\u200b", "\ufeff", "　", "０", "A", "a",
    "0", "1", "2", "男", "女", "汉", "汉族", "99", "102", "440604", "440699", "999999", "新申领",
    "补卡", "王", "王1", "王·", "王·明", "O'Neil", "居民身份证", "港澳台居民居住证", "1965-10-30",
    "1965/10/30", "1965-02-30", "2099-01-01", "1700-01-01", "13225611477", "23225611477",
    "+8613225611477", "1E17", valid_number(), valid_number(sequence="002"), valid_number()[:-1],
    valid_number(region="999999"), valid_number("20200101"), valid_number("17000101"),
    "44060419651030001x", "字" * 400, "字" * 501, "路 1 号", "(3)",
)  # fmt: skip


def rows_of(*people: dict[str, str]) -> Iterator[RosterRow]:
    number = 0
    for person in people:
        base = {**VALID_ROW, **person}
        for title in columns.TITLES:
            for odd in (base[title], *ODD):
                number += 1
                cells = tuple({**base, title: odd}[one] for one in columns.TITLES)
                yield RosterRow(number, cells, False)


def both_ways(
    rows: list[RosterRow], monkeypatch: pytest.MonkeyPatch, today: date = TODAY
) -> tuple[list[CheckedRow], int]:
    """The outcome, which has to be the same by both ways, and how many went the short one."""
    short = list(check_rows(rows, today=today))
    taken = sum(read_good_row(row.number, row.cells, today=today) is not None for row in rows)
    with monkeypatch.context() as patched:
        patched.setattr(check, "read_good_row", lambda *_, **__: None)
        assert short == list(check_rows(rows, today=today))
    return short, taken


@pytest.mark.parametrize("person", [{}, CHILD, FOREIGNER], ids=["adult", "child", "foreigner"])
def test_whatever_stands_in_a_cell_both_ways_agree(
    person: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of one number the first good row alone is accepted: each is a roster of its own.
    found = [both_ways([row], monkeypatch) for row in rows_of(person)]
    # Somebody without an ethnic group is always looked at closely.
    assert (sum(taken for _, taken in found) >= len(columns.TITLES)) is bool(person.get("民族", 1))


@pytest.mark.parametrize("name", ["foshan-2000.csv", "foshan-600.xlsx"])
@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2031, 11, 22), date(1990, 1, 1)])
def test_both_ways_agree_on_whole_rosters(
    name: str, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_roster(ROSTERS / name) as roster:
        rows = list(roster.rows)
    _, taken = both_ways(rows, monkeypatch, today)
    # Most of a roster's rows are plainly good, but before most of its people were born.
    assert today.year < 2026 or taken > len(rows) / 2
