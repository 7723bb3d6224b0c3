"""Social security numbers (社会保障号码): four kinds of one value, checked when it is built.

A resident's number is the citizen identification number of GB 11643-1999: region (6), birth date
(8), sequence (3, odd for a man), check character. Residents of Hong Kong, Macao and Taiwan have
the same form on their residence permit, under the regions 810000, 820000 and 830000. Foreigners
with permanent residence have one of two:

    since 2023-12-01   9, province (2), country (3, ISO 3166-1 numeric), birth date (8),
                       sequence (3), check character as above
    before             country (3 letters), region (4), birth date YYMMDD, sex digit, check digit
                       with the weights 7-3-1 of travel documents (ICAO 9303-3, 4.9)

The country is deliberately not looked up: stateless holders carry codes outside ISO 3166-1.
The 15-digit resident number has been out of use since 2013-01-01 and is refused.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import cycle
from operator import mul
from typing import Final

from card_core.identity.counties import COUNTIES, PREFECTURES
from card_core.identity.problem import Problem

# Provinces of GB/T 2260; counties.py has what lies below them.
_IN_ORDER: Final = """
11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46
50 51 52 53 54 61 62 63 64 65 71 81 82
"""
PROVINCES: Final = frozenset(_IN_ORDER.split())
_PERMIT_REGIONS: Final = frozenset({"810000", "820000", "830000"})
_PERMIT_PREFIXES: Final = frozenset({"81", "82", "83"})

_CHECK_CHARACTERS: Final = "10X98765432"

LENGTH: Final = Problem(
    "number_length",
    "证件号码位数不对：应为18位（旧版外国人永久居留身份证为15位），请对照证件重新填写",
    "The number has the wrong length: 18 characters are expected (15 on a foreigner's old "
    "permanent residence card); copy it again from the document",
)
CHARACTERS: Final = Problem(
    "number_characters",
    "证件号码含有不允许的字符：只能是数字，末位可为X，请对照证件重新填写",
    "The number has characters that do not belong: digits only, the last may be X; copy it again "
    "from the document",
)
OUT_OF_USE: Final = Problem(
    "number_15_digits_out_of_use",
    "15位旧号码自2013年起停用，请填写18位公民身份号码",
    "The old 15-digit number has been out of use since 2013; enter the 18-character number",
)
CHECK: Final = Problem(
    "number_check_character",
    "证件号码校验位不对，多半是某一位填错，请对照证件逐位核对",
    "The check character does not fit, most likely one digit is wrong; compare it with the "
    "document digit by digit",
)
PROVINCE: Final = Problem(
    "number_province_unknown",
    "证件号码中的地区代码不存在，请对照证件核对",
    "The region at the start of the number does not exist; compare it with the document",
)
BIRTH: Final = Problem(
    "number_birth_impossible",
    "证件号码中的出生日期在日历上不存在，请对照证件核对",
    "The birth date inside the number is not in the calendar; compare it with the document",
)


class NumberKind(StrEnum):
    """Which document the number stands on."""

    RESIDENT = "resident"  # 居民身份证, 居民户口簿
    RESIDENCE_PERMIT = "residence_permit"  # 港澳台居民居住证
    FOREIGN_PERMANENT = "foreign_permanent"  # 外国人永久居留身份证
    FOREIGN_PERMANENT_OLD = "foreign_permanent_old"  # the same, before 2023-12-01


class Sex(StrEnum):
    """GB/T 2261.1; the numbers carry no other value than these two."""

    MALE = "1"
    FEMALE = "2"


# Odd for a man.
_SEXES: Final = {str(digit): Sex.MALE if digit % 2 else Sex.FEMALE for digit in range(10)}


class IdentityNumberError(ValueError):
    """The text is no social security number; `problems` says everything that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, repr=False, init=False)
class IdentityNumber:
    """A valid social security number and what it says of its holder.

    text: 18 characters, or 15 on a foreigner's old card; capital letters, no spaces.
    region: six digits; where a foreigner's number has fewer, zeros follow.
    birth_on: on an old foreigner's number, within 1924 to 2023 (see `is_born_on`).
    Raises IdentityNumberError with every problem found. Equality is that of the text.
    """

    text: str
    kind: NumberKind = field(init=False, compare=False)
    region: str = field(init=False, compare=False)
    birth_on: date = field(init=False, compare=False)
    sex: Sex = field(init=False, compare=False)

    def __init__(self, text: str) -> None:
        kind, region, birth_on, sex = _read(text)
        put = object.__setattr__
        put(self, "text", text)
        put(self, "kind", kind)
        put(self, "region", region)
        put(self, "birth_on", birth_on)
        put(self, "sex", sex)

    def __repr__(self) -> str:
        return f"IdentityNumber({self.kind})"

    def is_born_on(self, day: date) -> bool:
        """Whether the number can belong to somebody born on `day`.

        An old foreigner's number has two digits of the year: any century agrees with it.
        """
        if self.kind is not NumberKind.FOREIGN_PERMANENT_OLD:
            return self.birth_on == day
        return f"{self.birth_on:%y%m%d}" == f"{day:%y%m%d}"

    @property
    def is_region_known(self) -> bool:
        """Whether GB/T 2260 has or had the county; new codes appear every year."""
        if self.kind is NumberKind.RESIDENT:
            return self.region in COUNTIES
        if self.kind is NumberKind.FOREIGN_PERMANENT_OLD:
            return self.region[2:] == "0000" or self.region[:4] in PREFECTURES
        return True


def check_character(body: str) -> str:
    """Return the check character of 17 digits: GB 11643-1999, 5.3 (ISO 7064 MOD 11-2).

    The weights are powers of 2 modulo 11, and so are those of base 13: one conversion adds up.
    """
    return _CHECK_CHARACTERS[2 * int(body, 13) % 11]


def _read(text: str) -> tuple[NumberKind, str, date, Sex]:
    if len(text) == 18:
        return _read_18(text)
    if len(text) == 15:
        return _read_15(text)
    raise IdentityNumberError((LENGTH,))


def _read_18(text: str) -> tuple[NumberKind, str, date, Sex]:
    body, last = text[:17], text[17]
    if not (text.isascii() and body.isdigit() and (last.isdigit() or last == "X")):
        raise IdentityNumberError((CHARACTERS,))
    problems = [] if check_character(body) == last else [CHECK]
    kind, region, region_exists = _read_region(text[:6])
    if not region_exists:
        problems.append(PROVINCE)
    birth_on = _read_date(text[6:14], problems)
    return kind, region, birth_on, _SEXES[text[16]]


@lru_cache(maxsize=4096)
def _read_region(digits: str) -> tuple[NumberKind, str, bool]:
    """Of a number that begins so: its kind, its region, and whether there is such a region."""
    if digits[0] == "9":
        province = digits[1:3]
        return NumberKind.FOREIGN_PERMANENT, province + "0000", province in PROVINCES
    if digits[:2] in _PERMIT_PREFIXES:
        return NumberKind.RESIDENCE_PERMIT, digits, digits in _PERMIT_REGIONS
    return NumberKind.RESIDENT, digits, digits[:2] in PROVINCES


def _read_15(text: str) -> tuple[NumberKind, str, date, Sex]:
    if text.isascii() and text.isdigit():
        raise IdentityNumberError((OUT_OF_USE,))
    letters, digits = text[:3], text[3:]
    if not (text.isascii() and digits.isdigit() and letters.isalpha() and letters.isupper()):
        raise IdentityNumberError((CHARACTERS,))
    values = (int(character, 36) for character in text[:14])
    check = sum(map(mul, cycle((7, 3, 1)), values)) % 10
    problems = [] if check == int(text[14]) else [CHECK]
    if text[3:5] not in PROVINCES:
        problems.append(PROVINCE)
    # The cards were handed out from 2004 to 2023, so the window ends with the last of those years.
    century = "20" if text[7:9] <= "23" else "19"
    birth_on = _read_date(century + text[7:13], problems)
    return NumberKind.FOREIGN_PERMANENT_OLD, text[3:7] + "00", birth_on, _SEXES[text[13]]


def _read_date(digits: str, problems: list[Problem]) -> date:
    """Return the date, the last thing read; raise all problems of the number if there are any."""
    try:
        birth_on = date.fromisoformat(digits)
    except ValueError:
        raise IdentityNumberError((*problems, BIRTH)) from None
    if problems:
        raise IdentityNumberError(tuple(problems))
    return birth_on
