"""Ages, in completed years; the day comes in as an argument (Asia/Shanghai, as the law counts)."""

from datetime import date
from functools import lru_cache
from typing import Final

from card_core.identity.problem import Problem

AGE_MAX_YEARS: Final = 130
ADULT_YEARS: Final = 18  # Civil Code, article 17
GUARDED_UNDER_YEARS: Final = 16  # whoever is younger applies through a guardian

IN_FUTURE: Final = Problem(
    "birth_in_future",
    "出生日期晚于今天，请对照证件核对",
    "The birth date is later than today; compare it with the document",
)
TOO_LONG_AGO: Final = Problem(
    "birth_too_long_ago",
    f"按出生日期年龄超过{AGE_MAX_YEARS}岁，请对照证件核对",
    f"By the birth date the person is older than {AGE_MAX_YEARS}; compare it with the document",
)


@lru_cache(maxsize=64)
def years_before(day: date, years: int) -> date:
    """Return the day `years` years earlier; 28 February where 29 February has no counterpart."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def is_at_least(years: int, *, birth_on: date, today: date) -> bool:
    """Whether somebody born on `birth_on` has completed `years` years."""
    return birth_on <= years_before(today, years)


def validate_birth_on(birth_on: date, *, today: date) -> Problem | None:
    """Return what is wrong with a birth date: not in the future, age at most AGE_MAX_YEARS."""
    if birth_on > today:
        return IN_FUTURE
    if is_at_least(AGE_MAX_YEARS + 1, birth_on=birth_on, today=today):
        return TOO_LONG_AGO
    return None
