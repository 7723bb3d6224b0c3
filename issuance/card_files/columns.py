"""Columns of the text files: what may stand in one, and what is said when something else does.

One rule serves both sides: a value that doesn't follow it is not written (ElementError), and makes
a row bad where it is read (`BadRow`).
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from card_core.identity import (
    ETHNIC_GROUPS,
    IdentityNumber,
    IdentityNumberError,
    Problem,
    validate_mobile,
    validate_name,
)
from issuance.card_files.errors import ElementError
from issuance.card_files.record import RECORDS_MAX

SEPARATOR: Final = "|"


class Column(NamedTuple):
    """problem_of: None for a value that may stand here."""

    field: str
    title_zh: str
    problem_of: Callable[[str], Problem | None]

    def check(self, value: str) -> None:
        """Raises ElementError for a value that can't be written."""
        if problem := self.problem_of(value):
            raise ElementError(
                problem.code, self.field, self.title_zh, problem.message_zh, problem.message_en
            )


class RowProblem(NamedTuple):
    """One thing wrong in a row. The texts never repeat the value."""

    field: str
    title_zh: str
    problem: Problem


class BadRow(NamedTuple):
    """A row that can't be used, in a file that is good. line: from 1."""

    line: int
    problems: tuple[RowProblem, ...]


def shaped(pattern: str, rule_zh: str, rule_en: str) -> Callable[[str], Problem | None]:
    """A rule by pattern, which the whole value has to match."""
    matches = re.compile(pattern, re.ASCII).fullmatch
    problem = Problem("field_shape", rule_zh, rule_en)
    return lambda value: None if matches(value) else problem


def optional(rule: Callable[[str], Problem | None]) -> Callable[[str], Problem | None]:
    """The same rule where the value may be empty."""
    return lambda value: rule(value) if value else None


def date_digits(value: str) -> Problem | None:
    """Eight digits YYYYMMDD that are in the calendar."""
    if len(value) == 8 and value.isascii() and value.isdigit() and _is_day(value):
        return None
    return _DATE


def identity_number(value: str) -> Problem | None:
    """A social security number; its first problem."""
    try:
        IdentityNumber(value)
    except IdentityNumberError as error:
        return error.problems[0]
    return None


def ethnic_code(value: str) -> Problem | None:
    """GB/T 3304, two digits."""
    return None if value in ETHNIC_GROUPS else _ETHNIC


def printable(characters_max: int) -> Callable[[str], Problem | None]:
    """Text without control characters, separators of fields and blanks at its ends."""
    problem = Problem(
        "field_text",
        f"应为1至{characters_max}个可见字符，不含“{SEPARATOR}”，首尾无空格",
        f"must be 1 to {characters_max} printable characters without {SEPARATOR}, no blank at "
        "either end",
    )

    def rule(value: str) -> Problem | None:
        right = (
            1 <= len(value) <= characters_max
            and value.isprintable()
            and value == value.strip()
            and SEPARATOR not in value
        )
        return None if right else problem

    return rule


_DATE: Final = Problem(
    "field_date", "应为八位日期 YYYYMMDD", "must be a date of eight digits, YYYYMMDD"
)
_ETHNIC: Final = Problem("field_ethnic", "不在 GB/T 3304 中", "is not in GB/T 3304")

_ROW_NUMBER: Final = Problem(
    "field_number",
    f"应为1至{RECORDS_MAX}，前面不补零",
    f"must be 1 to {RECORDS_MAX} without leading zeros",
)
_is_number = re.compile("[1-9][0-9]{0,6}", re.ASCII).fullmatch


def _row_number(value: str) -> Problem | None:
    return None if _is_number(value) and int(value) <= RECORDS_MAX else _ROW_NUMBER


NUMBER: Final = Column("number", "序号", _row_number)
CARD_NUMBER: Final = Column(
    "card_number",
    "卡号",
    shaped("[0-9A-Z]{9}", "应为9位数字或大写字母", "must be nine digits or capital letters"),
)
OUTCOME: Final = Column(
    "outcome",
    "结果",
    shaped("[01]", "应为 1（成功）或 0（失败）", "must be 1 (done) or 0 (failed)"),
)
NAME: Final = Column("name", "姓名", validate_name)
PHONE: Final = Column("phone", "手机号码", validate_mobile)


def _is_day(digits: str) -> bool:
    try:
        date.fromisoformat(digits)
    except ValueError:
        return False
    return True
