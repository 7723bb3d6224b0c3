"""Ethnic groups, phones and ages."""

from datetime import date, timedelta

import pytest

from card_core.identity import (
    ETHNIC_GROUPS,
    is_at_least,
    parse_ethnic_group,
    validate_birth_on,
    validate_mobile,
)


def test_there_are_56_ethnic_groups_and_two_more_codes() -> None:
    assert sorted(ETHNIC_GROUPS) == [f"{code:02d}" for code in range(1, 57)] + ["97", "98"]
    assert len(set(ETHNIC_GROUPS.values())) == 58


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("汉", "01"),
        ("汉族", "01"),
        ("01", "01"),
        ("1", "01"),
        ("维吾尔", "05"),
        ("毛南", "36"),
        ("鄂温克族", "45"),
        ("56", "56"),
        ("基诺", "56"),
        ("其他", "97"),
        ("外国血统中国籍人士", "98"),
        ("98", "98"),
    ],
)
def test_an_ethnic_group_is_known_by_name_or_code(text: str, expected: str) -> None:
    assert parse_ethnic_group(text) == expected


@pytest.mark.parametrize("text", ["火星", "", "0", "00", "57", "99", "001", "族", "汉 ", "HAN"])
def test_what_is_no_ethnic_group_is_not_guessed(text: str) -> None:
    assert parse_ethnic_group(text) is None


@pytest.mark.parametrize("phone", ["13800000000", "19999999999", "17000000000"])
def test_mobile_numbers_are_accepted(phone: str) -> None:
    assert validate_mobile(phone) is None


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "259937799",
        "12800000000",
        "23800000000",
        "1380000000",
        "138000000000",
        "１３８00000000",
        "13800000000\n",
        "0757-82228888",
    ],
)
def test_other_numbers_are_refused(phone: str) -> None:
    problem = validate_mobile(phone)
    assert problem is not None
    assert problem.code == "phone_not_mobile"


TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("birth_on", "code"),
    [
        (TODAY, None),
        (TODAY + timedelta(days=1), "birth_in_future"),
        (date(1895, 11, 23), None),  # 130 years and 364 days
        (date(1895, 11, 22), "birth_too_long_ago"),  # 131 years today
        (date(1871, 5, 6), "birth_too_long_ago"),
    ],
)
def test_an_age_lies_between_0_and_130(birth_on: date, code: str | None) -> None:
    problem = validate_birth_on(birth_on, today=TODAY)
    assert (problem.code if problem else None) == code


@pytest.mark.parametrize(
    ("birth_on", "today", "expected"),
    [
        (date(2010, 11, 22), date(2026, 11, 22), True),
        (date(2010, 11, 23), date(2026, 11, 22), False),
        (date(2012, 2, 29), date(2028, 2, 29), True),
        (date(2012, 2, 29), date(2028, 2, 28), False),
        (date(2010, 3, 1), date(2026, 2, 28), False),
        (date(2012, 2, 29), date(2029, 3, 1), True),
    ],
)
def test_years_are_completed_on_the_birthday(birth_on: date, today: date, expected: bool) -> None:
    assert is_at_least(16, birth_on=birth_on, today=today) is expected


def test_a_29_february_as_today_has_a_counterpart_in_every_year() -> None:
    today = date(2028, 2, 29)
    assert is_at_least(18, birth_on=date(2010, 2, 28), today=today)
    assert not is_at_least(18, birth_on=date(2010, 3, 1), today=today)
