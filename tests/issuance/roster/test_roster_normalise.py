"""Tidying changes how a value is written, never which value it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roster_making import TITLES, VALID_ROW, CheckRow, found, valid_number

from issuance.roster import columns
from issuance.roster.normalise import (
    normalise_address,
    normalise_compact,
    normalise_date,
    normalise_name,
    normalise_phone,
    normalise_row,
)

seeded = settings(derandomize=True, deadline=None)

messy = st.text(
    st.one_of(
        st.sampled_from(
            " \u3000\u00a0\t\n·•・．.‧-－’'`｀\u200b\ufeff年月日/0123456789０１xXｘＸ王艾力"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=24,
)
ROW = tuple(VALID_ROW[title] for title in columns.TITLES)


@seeded
@given(st.tuples(*(messy for _ in columns.TITLES)))
def test_tidying_twice_is_tidying_once(cells: tuple[str, ...]) -> None:
    once = normalise_row(cells)
    assert normalise_row(once) == once


def test_a_tidy_row_is_handed_on_as_it_is() -> None:
    assert normalise_row(ROW) is ROW


@seeded
@given(st.tuples(*(messy for _ in columns.TITLES)))
def test_the_short_way_and_the_long_way_agree(cells: tuple[str, ...]) -> None:
    # A blank after the address makes any row take the long way and is itself tidied away.
    address = columns.TITLES.index(columns.ADDRESS)
    longer = (*cells[:address], cells[address] + " ", *cells[address + 1 :])
    assert normalise_row(longer) == normalise_row(cells)


@pytest.mark.parametrize(
    "written",
    [
        "1965-10-30",
        "1965/10/30",
        "1965.10.30",
        "19651030",
        "1965年10月30日",
        "1965年10月30",
        " 1965 - 10 - 30 ",
        "１９６５－１０－３０",
        "1965-10-30 00:00:00",
        "1965-10-30T00:00:00",
        "1965/10/30 0:00",
        "24045",
    ],
)
def test_a_date_may_be_written_in_many_ways(written: str, check_row: CheckRow) -> None:
    assert normalise_date(written) == "1965-10-30"
    assert found(check_row(出生日期=written)) == set()


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        ("1969/6/7", "1969-06-07"),
        ("1990-02-30", "1990-02-30"),
        ("61", "1900-03-01"),
        ("60", "60"),  # 29 February 1900, which never was
        ("0", "0"),
        ("123456", "123456"),
        ("30/10/1965", "30/10/1965"),
        ("1965-10-30 08:15", "1965-10-30 08:15"),
        ("六五年十月", "六五年十月"),
    ],
)
def test_what_is_no_date_is_left_for_validation(written: str, tidy: str) -> None:
    assert normalise_date(written) == tidy


@pytest.mark.parametrize("dot", "·•․‧∙⋅・･．")
def test_every_middle_dot_becomes_one(dot: str, check_row: CheckRow) -> None:
    (application,) = check_row(姓名=f"古丽{dot}阿依").applications
    assert application.name == "古丽\u00b7阿依"


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        (" 郑 梅刚 ", "郑梅刚"),
        ("郑\u3000梅刚", "郑梅刚"),
        ("张 𠮷", "张𠮷"),
        ("古丽 · 阿依", "古丽·阿依"),
        ("古丽.阿依", "古丽·阿依"),
        ("JOHN   SMITH", "JOHN SMITH"),
        ("ＪＯＨＮ\u3000ＳＭＩＴＨ", "JOHN SMITH"),
        ("O’NEIL", "O'NEIL"),
        ("ANNE－MARIE", "ANNE-MARIE"),
        ("王\u200b伟\ufeff", "王伟"),
        ("J. SMITH", "J. SMITH"),
        ("王\u202e伟", "王\u202e伟"),  # turns the text around: not ours to hide
    ],
)
def test_names_are_tidied(written: str, tidy: str) -> None:
    assert normalise_name(written) == tidy


@pytest.mark.parametrize(
    "written",
    [
        "４４０６０４１９６５１０３０００１{last}",
        " 440604 19651030 001{last} ",
        "440604196510300 01{last}",
        "440604\u00a019651030001{last}",
    ],
)
def test_numbers_are_tidied(written: str, check_row: CheckRow) -> None:
    number = valid_number()
    (application,) = check_row(证件号码=written.format(last=number[-1])).applications
    assert application.number.text == number


def test_a_small_x_is_a_capital_one(check_row: CheckRow) -> None:
    number = next(
        number
        for at in range(1, 200, 2)
        if (number := valid_number(sequence=f"{at:03d}")).endswith("X")
    )
    for last in ("x", "X", "ｘ", "Ｘ"):
        (application,) = check_row(证件号码=number[:-1] + last).applications
        assert application.number.text == number


@pytest.mark.parametrize(
    "written",
    ["132 2561 1477", "132-2561-1477", "+8613225611477", "8613225611477", "１３２２５６１１４７７"],
)
def test_phones_are_tidied(written: str) -> None:
    assert normalise_phone(written) == "13225611477"


def test_an_address_keeps_its_punctuation() -> None:
    assert normalise_address("  福民路２１３号，“阳光”花园Ａ座\n ") == "福民路213号，“阳光”花园A座"


def test_codes_lose_their_spaces() -> None:
    assert normalise_compact(" １０２\u3000") == "102"


def test_a_messy_row_is_accepted_like_its_tidy_twin(check_row: CheckRow) -> None:
    messy_row = {title: f" \u3000{VALID_ROW[title]}\t" for title in TITLES[1:] if VALID_ROW[title]}
    assert check_row(**messy_row).applications == check_row().applications
