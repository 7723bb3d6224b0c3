"""Judge one tidy row: everything that is wrong with it at once, or the application that it is.

A value that can't be read is reported once; what would only follow from it (a sex that doesn't
fit a mistyped number) is left out, so that every line of the report is something to put right.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from card_core.application import Application, ApplicationKind
from card_core.identity import (
    IdentityNumber,
    IdentityNumberError,
    NumberKind,
    Problem,
    Sex,
    is_at_least,
    parse_ethnic_group,
    validate_birth_on,
    validate_mobile,
    validate_name,
)
from card_core.identity.age import ADULT_YEARS, GUARDED_UNDER_YEARS
from card_core.identity.counties import COUNTIES
from card_core.identity.ethnic import UNKNOWN as ETHNIC_GROUP_UNKNOWN
from issuance.roster import columns, problem
from issuance.roster.bank import BANKS
from issuance.roster.columns import TITLES, Cells
from issuance.roster.problem import CELL_CHARS_MAX, FieldProblem

_FOREIGN: Final = frozenset({NumberKind.FOREIGN_PERMANENT, NumberKind.FOREIGN_PERMANENT_OLD})
_RESIDENT: Final = frozenset({NumberKind.RESIDENT})
CERTIFICATES: Final = {
    "居民身份证": _RESIDENT,
    "身份证": _RESIDENT,
    "居民户口簿": _RESIDENT,  # children without a card of their own
    "户口簿": _RESIDENT,
    "港澳台居民居住证": frozenset({NumberKind.RESIDENCE_PERMIT}),
    "外国人永久居留身份证": _FOREIGN,
}
SEXES: Final = {"男": Sex.MALE, "女": Sex.FEMALE, "1": Sex.MALE, "2": Sex.FEMALE}
KINDS: Final = {"新申领": ApplicationKind.NEW}

_is_rounded = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+").fullmatch
_is_iso_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_is_region = re.compile(r"[0-9]{6}").fullmatch
is_branch = re.compile(r"[0-9A-Za-z]{3,20}").fullmatch
_has_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u200c-\u200f\u2028-\u202e\u2066-\u2069]").search
UNUSABLE: Final = "\0"  # stands for a cell that is reported already; no file can contain it
_NOTHING_TO_JUDGE: Final = frozenset({"", UNUSABLE})
RUN_BY_SPREADSHEETS: Final = ("+", "-", "@")  # besides "=", when a CSV is opened


class Verdict(NamedTuple):
    """What a row is worth: an application, or its problems; warnings come with either."""

    application: Application | None
    problems: list[FieldProblem]
    warnings: list[FieldProblem]


class Findings:
    """The problems and warnings of one row, as they are found."""

    __slots__ = ("problems", "warnings")

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []
        self.warnings: list[FieldProblem] = []

    def add(self, field: str, found: Problem | None) -> None:
        if found is not None:
            self.problems.append(FieldProblem(field, found))

    def has(self, field: str) -> bool:
        """Whether a problem stands in this column."""
        return any(one.field == field for one in self.problems)

    def warn(self, field: str, found: Problem) -> None:
        self.warnings.append(FieldProblem(field, found))


def validate_row(row: int, cells: Cells, *, today: date) -> Verdict:
    """Return the verdict on one normalised row, cells in the order of `columns.TITLES`."""
    found = Findings()
    (
        name,
        certificate,
        number_text,
        sex_text,
        ethnic_text,
        birth_text,
        phone,
        address,
        region,
        kind_text,
        bank,
        branch,
        guardian_name,
        guardian_number_text,
    ) = drop_unusable(cells, found)

    number = read_number(columns.NUMBER, number_text, found)
    if is_filled(columns.NAME, name, found):
        found.add(columns.NAME, validate_name(name))
    is_foreign = _validate_certificate(certificate, number, found)
    sex = _read_sex(sex_text, number, found)
    ethnic_code = _read_ethnic_group(ethnic_text, is_foreign, found)
    birth_on = _read_birth(birth_text, number, today, found)
    if is_filled(columns.PHONE, phone, found):
        found.add(columns.PHONE, validate_mobile(phone))
    _validate_address(address, found)
    _validate_region(region, found)
    kind = _read_kind(kind_text, found)
    _validate_bank(bank, branch, found)
    born_on = birth_on or (number.birth_on if number else None)
    guardian_number = _read_guardian(guardian_name, guardian_number_text, born_on, today, found)

    if found.problems or number is None or sex is None or birth_on is None or kind is None:
        found.problems.sort(key=lambda one: TITLES.index(one.field))
        return Verdict(None, found.problems, found.warnings)
    application = Application(
        row=row,
        number=number,
        name=name,
        sex=sex,
        birth_on=birth_on,
        ethnic_code=ethnic_code,
        phone=phone,
        address=address,
        region=region,
        kind=kind,
        bank=bank,
        branch=branch,
        guardian_name=guardian_name or None,
        guardian_number=guardian_number,
    )
    return Verdict(application, found.problems, found.warnings)


def drop_unusable(cells: Cells, found: Findings, titles: Sequence[str] = TITLES) -> Cells:
    """Report formulas and overlong cells, and hand on UNUSABLE instead: one finding is enough."""
    if "=" not in "".join(cells) and max(map(len, cells)) <= CELL_CHARS_MAX:
        return cells
    usable = cells
    for index, cell in enumerate(cells):
        if cell[:1] == "=" or len(cell) > CELL_CHARS_MAX:
            fault = problem.FORMULA if cell[0] == "=" else problem.CELL_TOO_LONG
            found.add(titles[index], fault)
            usable = (*usable[:index], UNUSABLE, *usable[index + 1 :])
    return usable


def is_filled(field: str, text: str, found: Findings) -> bool:
    """Whether there is a value to judge; reports a missing one."""
    if not text:
        found.add(field, problem.MISSING)
    return text not in _NOTHING_TO_JUDGE


def read_number(field: str, text: str, found: Findings) -> IdentityNumber | None:
    if not is_filled(field, text, found):
        return None
    if _is_rounded(text):
        found.add(field, problem.NUMBER_ROUNDED)
        return None
    try:
        number = IdentityNumber(text)
    except IdentityNumberError as error:
        for fault in error.problems:
            found.add(field, fault)
        return None
    if not number.is_region_known:
        found.warn(field, problem.NUMBER_COUNTY_UNKNOWN)
    return number


def _validate_certificate(text: str, number: IdentityNumber | None, found: Findings) -> bool:
    """Return whether the holder is a foreigner: by the number, or else by the kind of document."""
    kinds: frozenset[NumberKind] = frozenset()
    if is_filled(columns.CERTIFICATE, text, found):
        kinds = CERTIFICATES.get(text, kinds)
        if not kinds:
            found.add(columns.CERTIFICATE, problem.CERTIFICATE_UNKNOWN)
        elif number and number.kind not in kinds:
            found.add(columns.CERTIFICATE, problem.CERTIFICATE_MISMATCH)
    return number.kind in _FOREIGN if number else kinds == _FOREIGN


def _read_sex(text: str, number: IdentityNumber | None, found: Findings) -> Sex | None:
    if not is_filled(columns.SEX, text, found):
        return None
    sex = SEXES.get(text)
    if sex is None:
        found.add(columns.SEX, problem.SEX_UNKNOWN)
    elif number and number.sex is not sex:
        found.add(columns.SEX, problem.SEX_MISMATCH)
    return sex


def _read_ethnic_group(text: str, is_foreign: bool, found: Findings) -> str | None:
    """Return the code; only foreigners may leave it out."""
    if is_foreign and not text:
        return None
    if not is_filled(columns.ETHNIC_GROUP, text, found):
        return None
    code = parse_ethnic_group(text)
    if code is None:
        found.add(columns.ETHNIC_GROUP, ETHNIC_GROUP_UNKNOWN)
    return code


def _read_birth(
    text: str, number: IdentityNumber | None, today: date, found: Findings
) -> date | None:
    """Return the birth date if it is one and nothing speaks against it."""
    if not is_filled(columns.BIRTH, text, found):
        return None
    if not _is_iso_date(text):
        found.add(columns.BIRTH, problem.BIRTH_UNREADABLE)
        return None
    try:
        birth_on = date.fromisoformat(text)
    except ValueError:
        found.add(columns.BIRTH, problem.BIRTH_IMPOSSIBLE)
        return None
    if number and not number.is_born_on(birth_on):
        found.add(columns.BIRTH, problem.BIRTH_MISMATCH)
        return None
    fault = validate_birth_on(birth_on, today=today)
    found.add(columns.BIRTH, fault)
    return birth_on if fault is None else None


def _validate_address(text: str, found: Findings) -> None:
    if not is_filled(columns.ADDRESS, text, found):
        return
    if text.startswith(RUN_BY_SPREADSHEETS):
        found.add(columns.ADDRESS, problem.FORMULA)
    elif _has_control(text):
        found.add(columns.ADDRESS, problem.ADDRESS_CHARACTER)


def _validate_region(text: str, found: Findings) -> None:
    """Only the shape is a rule: bureaus use codes beside GB/T 2260, such as those of new areas."""
    if not is_filled(columns.REGION, text, found):
        return
    if not _is_region(text):
        found.add(columns.REGION, problem.REGION_SHAPE)
    elif text not in COUNTIES:
        found.warn(columns.REGION, problem.REGION_UNKNOWN)


def _read_kind(text: str, found: Findings) -> ApplicationKind | None:
    if not is_filled(columns.KIND, text, found):
        return None
    kind = KINDS.get(text)
    if kind is None:
        found.add(columns.KIND, problem.KIND_UNSUPPORTED)
    return kind


def _validate_bank(bank: str, branch: str, found: Findings) -> None:
    if is_filled(columns.BANK, bank, found) and bank not in BANKS:
        found.add(columns.BANK, problem.BANK_UNKNOWN)
    if is_filled(columns.BRANCH, branch, found) and not is_branch(branch):
        found.add(columns.BRANCH, problem.BRANCH_SHAPE)


def _read_guardian(
    name: str, number_text: str, born_on: date | None, today: date, found: Findings
) -> IdentityNumber | None:
    """Return the guardian's number; whoever is under 16 needs a guardian, others may have one."""
    needed = (
        born_on is not None
        and born_on <= today
        and not is_at_least(GUARDED_UNDER_YEARS, birth_on=born_on, today=today)
    )
    if not (needed or name or number_text):
        return None
    missing = problem.GUARDIAN_REQUIRED if needed else problem.GUARDIAN_INCOMPLETE
    found.add(columns.GUARDIAN_NAME, missing if not name else None)
    found.add(columns.GUARDIAN_NUMBER, missing if not number_text else None)
    if name not in _NOTHING_TO_JUDGE:
        found.add(columns.GUARDIAN_NAME, validate_name(name))
    if number_text in _NOTHING_TO_JUDGE:
        return None
    number = read_number(columns.GUARDIAN_NUMBER, number_text, found)
    if number is None:
        return None
    if not is_at_least(ADULT_YEARS, birth_on=number.birth_on, today=today):
        found.add(columns.GUARDIAN_NUMBER, problem.GUARDIAN_NOT_ADULT)
    else:
        found.add(columns.GUARDIAN_NUMBER, validate_birth_on(number.birth_on, today=today))
    return number
