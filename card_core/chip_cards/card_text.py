"""What a reader says of a chip card: the string of `iReadCardBas`, in its two forms.

    11 fields and a trailing bar     region|number|card number|...|terminal device number|
    14 fields between colons         identification code:class:version:...:birthplace:birth date

The text comes from a driver at somebody's counter and is personal data: it is taken as it is or not
at all, and no problem repeats a value. That it is true is the database's to say, and that the
card itself was there is internal authentication's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from card_core.identity import IdentityNumber, IdentityNumberError, Problem
from card_core.identity.name import NAME_BYTES_MAX, NAME_CONTINUATION_BYTES_MAX

CARD_TEXT_MAX: Final = 512
"""Characters; the longest that the fields allow is shorter."""

_BAR_FIELDS: Final = (
    "region",
    "social_security_number",
    "card_number",
    "card_identification_code",
    "name",
    "card_reset_information",
    "spec_version",
    "issued_on",
    "expires_on",
    "psam_number",
    "terminal_device_number",
)
_COLON_FIELDS: Final = (
    "card_identification_code",
    "card_class",
    "spec_version",
    "initialising_organisation",
    "issued_on",
    "expires_on",
    "card_number",
    "social_security_number",
    "name",
    "name_continuation",
    "sex",
    "ethnic_group",
    "birthplace",
    "born_on",
)

FORM: Final = Problem(
    "card_text_form",
    "不是读卡函数返回的内容：应为以“|”分隔的 11 项（末尾有“|”），或以“:”分隔的 14 项",
    "This is not what a card reader returns: 11 fields, each followed by |, or 14 fields with : "
    "between them",
)
NAME: Final = Problem(
    "card_text_name",
    "应为 1 至 50 字节（GB 18030）的可见字符，其中姓名扩展最多 20 字节",
    "must be printable text of 1 to 50 bytes of GB 18030, its continuation of at most 20",
)
DATE: Final = Problem(
    "card_text_date", "应为八位日期 YYYYMMDD", "must be a date of eight digits, YYYYMMDD"
)
REGION_DIFFERS: Final = Problem(
    "card_text_region_differs",
    "与卡识别码前六位不一致",
    "is not what the card identification code begins with",
)
BIRTH_DIFFERS: Final = Problem(
    "card_text_birth_differs",
    "与社会保障号码中的出生日期不一致",
    "is not the birth date inside the social security number",
)
EXPIRY_FIRST: Final = Problem(
    "card_text_expiry_first", "卡有效期早于发卡日期", "is before the day of issue"
)


def _shape(pattern: str, message_zh: str, message_en: str) -> tuple[re.Pattern[str], Problem]:
    return re.compile(pattern), Problem("card_text_shape", message_zh, message_en)


# LD/T 32-2015, EF05 and EF06: an unused byte of a code is F, and readers write hexadecimal.
_SHAPES: Final = {
    "region": _shape("[0-9]{6}", "应为六位数字", "must be six digits"),
    "card_number": _shape(
        "[0-9A-Z]{9}", "应为九位数字或大写字母", "must be nine digits or capital letters"
    ),
    "card_identification_code": _shape(
        "[0-9]{6}[0-9A-Fa-f]{18}([Ff]{8})?",
        "应为 24 位十六进制数，以六位地区代码开头，其后可有 8 个 F",
        "must be 24 hexadecimal digits, the first six a region, with or without eight F behind",
    ),
    "card_reset_information": _shape(
        "[0-9A-Fa-f]{26}", "应为 26 位十六进制数", "must be 26 hexadecimal digits"
    ),
    "spec_version": _shape("[123]\\.00", "应为 1.00、2.00 或 3.00", "must be 1.00, 2.00 or 3.00"),
    "psam_number": _shape(
        "[0-9A-Za-z]{0,32}", "最多 32 位字母或数字", "must be at most 32 letters or digits"
    ),
    "terminal_device_number": _shape(
        "[0-9A-Za-z-]{0,32}",
        "最多 32 位字母、数字或连字符",
        "must be at most 32 letters, digits or hyphens",
    ),
    "card_class": _shape("[0-9A-Z]", "应为一位数字或字母", "must be one digit or letter"),
    "initialising_organisation": _shape(
        "[0-9A-Fa-f]{24}", "应为 24 位十六进制数", "must be 24 hexadecimal digits"
    ),
    "sex": _shape("[0129]", "应为 0、1、2 或 9", "must be 0, 1, 2 or 9"),
    "ethnic_group": _shape("([0-9]{2})?", "应为两位数字或空", "must be two digits, or empty"),
    "birthplace": _shape("([0-9]{6})?", "应为六位数字或空", "must be six digits, or empty"),
}


@dataclass(frozen=True, slots=True)
class CardTextProblem:
    """One thing wrong. field: the English name of the field, empty where it is about the whole."""

    field: str
    problem: Problem


class CardTextError(ValueError):
    """The text is none that a reader returns; `problems` has everything that is wrong with it."""

    def __init__(self, problems: Sequence[CardTextProblem]) -> None:
        super().__init__(", ".join(one.problem.code for one in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, repr=False)
class CardText:
    """What a chip says of itself and of its holder.

    region: six digits, of the bureau that issued it. card_identification_code: the 24 hexadecimal
    digits that are compared, capital. name: what stands in tag 09 of EF06, or the whole name.
    name_continuation: tag 4E; None where the reader does not tell it. Dates are in Shanghai.
    """

    region: str
    social_security_number: str
    card_number: str
    card_identification_code: str
    name: str
    name_continuation: str | None
    spec_version: str
    issued_on: date
    expires_on: date


def parse_card_text(text: str) -> CardText:
    """Read either form. Raises CardTextError with every problem found."""
    fields = _split(text)
    problems: list[CardTextProblem] = []
    values: dict[str, Any] = {}
    for field, value in fields.items():
        try:
            values[field] = _READERS.get(field, _as_it_is)(field, value)
        except _FieldError as error:
            problems += [CardTextProblem(field, problem) for problem in error.problems]
    problems += _disagreements(values)
    if problems:
        raise CardTextError(problems)
    code = values["card_identification_code"]
    return CardText(
        region=code[:6],
        social_security_number=values["social_security_number"].text,
        card_number=values["card_number"],
        card_identification_code=code[:24].upper(),
        name=values["name"],
        name_continuation=values.get("name_continuation"),
        spec_version=values["spec_version"],
        issued_on=values["issued_on"],
        expires_on=values["expires_on"],
    )


class _FieldError(Exception):
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems


def _split(text: str) -> dict[str, str]:
    bars, colons = text.split("|"), text.split(":")
    if len(text) <= CARD_TEXT_MAX:
        if len(colons) == 1 and len(bars) == len(_BAR_FIELDS) + 1 and not bars[-1]:
            return dict(zip(_BAR_FIELDS, bars[:-1], strict=True))
        if len(bars) == 1 and len(colons) == len(_COLON_FIELDS):
            return dict(zip(_COLON_FIELDS, colons, strict=True))
    raise CardTextError([CardTextProblem("", FORM)])


def _as_it_is(field: str, value: str) -> str:
    pattern, problem = _SHAPES[field]
    if pattern.fullmatch(value) is None:
        raise _FieldError(problem)
    return value


def _number(_: str, value: str) -> IdentityNumber:
    try:
        return IdentityNumber(value)
    except IdentityNumberError as error:
        raise _FieldError(*error.problems) from None


def _name(field: str, value: str) -> str:
    """Drivers differ in whether the first part comes alone, so that it may have both lengths."""
    is_first = field == "name"
    size_max = NAME_CONTINUATION_BYTES_MAX + (NAME_BYTES_MAX if is_first else 0)
    try:
        size = len(value.encode("gb18030"))
    except UnicodeEncodeError:
        raise _FieldError(NAME) from None
    if not is_first <= size <= size_max or not (value.isprintable() and value == value.strip()):
        raise _FieldError(NAME)
    return value


def _date(_: str, value: str) -> date:
    try:
        if len(value) == 8 and value.isascii() and value.isdigit():
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _FieldError(DATE)


_READERS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "social_security_number": _number,
    "name": _name,
    "name_continuation": _name,
    "issued_on": _date,
    "expires_on": _date,
    "born_on": _date,
}


def _disagreements(values: Mapping[str, Any]) -> list[CardTextProblem]:
    """Fields that are right by themselves and say different things."""
    found = []
    code, region = values.get("card_identification_code"), values.get("region")
    if code and region and code[:6] != region:
        found.append(CardTextProblem("region", REGION_DIFFERS))
    number, born_on = values.get("social_security_number"), values.get("born_on")
    if number and born_on and not number.is_born_on(born_on):
        found.append(CardTextProblem("born_on", BIRTH_DIFFERS))
    issued_on, expires_on = values.get("issued_on"), values.get("expires_on")
    if issued_on and expires_on and expires_on < issued_on:
        found.append(CardTextProblem("expires_on", EXPIRY_FIRST))
    return found
