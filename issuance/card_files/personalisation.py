"""What is written into one card's EF05 and EF06, as bytes (element_reading reads them)."""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from card_core.identity import (
    ETHNIC_GROUPS,
    IdentityNumber,
    IdentityNumberError,
    NameTooLongError,
    chip_name,
    validate_name,
)
from issuance.card_files import elements
from issuance.card_files.charset import Charset, encode_text
from issuance.card_files.elements import Element, head, not_fitting, packed, text

_SHAPES: Final = {
    elements.CARD_CLASS: (
        re.compile("[0-9A-Z]"), "应为一位数字或大写字母", "must be one digit or capital letter",
    ),
    elements.SPEC_VERSION: (
        re.compile(r"[23]\.00"), "应为 2.00 或 3.00", "must be 2.00 or 3.00",
    ),
    elements.ORGANISATION: (
        re.compile("[0-9A-F]{24}"), "应为24位十六进制数", "must be 24 hexadecimal digits",
    ),
    elements.CARD_NUMBER: (
        re.compile("[0-9A-Z]{9}"),
        "应为9位数字或大写字母", "must be nine digits or capital letters",
    ),
    elements.SEX: (re.compile("[0129]"), "应为 0、1、2 或 9", "must be 0, 1, 2 or 9"),
    elements.BIRTHPLACE: (re.compile("([0-9]{6})?"), "应为6位数字", "must be six digits"),
}  # fmt: skip


# Of the elements whose values are checked to be of their size, or below it, by their own rules.
_CARD_NUMBER_HEAD: Final = head(elements.CARD_NUMBER)
_NUMBER_HEAD: Final = head(elements.NUMBER)
_NAME_HEAD: Final = head(elements.NAME)
_CONTINUATION_HEAD: Final = head(elements.NAME_CONTINUATION)
_BORN_ON_HEAD: Final = head(elements.BORN_ON)


class Personalisation(NamedTuple):
    """The elements of EF05 and EF06 but the identification code, which the maker gives.

    card_class: one character. spec_version: 2.00 or 3.00. initialising_organisation: 24
    hexadecimal digits, capital. sex: GB/T 2261.1. ethnic_group: GB/T 3304, two digits, None where
    there is none. birthplace: GB/T 2260, six digits, or None. Dates are those of Shanghai.
    """

    card_class: str
    spec_version: str
    initialising_organisation: str
    issued_on: date
    expires_on: date
    card_number: str
    social_security_number: str
    name: str
    sex: str
    ethnic_group: str | None
    birthplace: str | None
    born_on: date

    def __repr__(self) -> str:
        return "Personalisation()"


def encode_elements(card: Personalisation, charset: Charset = Charset.GB18030) -> bytes:
    """Return ELEMENTS_SIZE_BYTES: all elements of `IN_ORDER`, each tag, length and value.

    charset: GBK where the maker's chips take no other text; see `charset`.
    Raises ElementError for the first value that can't be written.
    """
    name, continuation = _name(card.name, charset)
    return b"".join(
        (
            _of_batch(
                card.card_class,
                card.spec_version,
                card.initialising_organisation,
                card.issued_on,
                card.expires_on,
            ),
            _CARD_NUMBER_HEAD,
            _shaped(elements.CARD_NUMBER, card.card_number),
            _NUMBER_HEAD,
            _number(card.social_security_number).ljust(elements.NUMBER.size, b"\x00"),
            _NAME_HEAD,
            name.ljust(elements.NAME.size, b"\x00"),
            _CONTINUATION_HEAD,
            continuation.ljust(elements.NAME_CONTINUATION.size, b"\x00"),
            _of_many(card.sex, card.ethnic_group, card.birthplace),
            _BORN_ON_HEAD,
            bytes.fromhex(_eight_digits(card.born_on)),
        )
    )


@lru_cache(maxsize=256)
def _of_batch(
    card_class: str, version: str, organisation: str, issued_on: date, expires_on: date
) -> bytes:
    """The elements that the cards of a batch have in common."""
    if expires_on < issued_on:
        raise not_fitting(elements.EXPIRES_ON, "早于发卡日期", "is before the day of issue")
    return b"".join(
        (
            text(elements.CARD_CLASS, _shaped(elements.CARD_CLASS, card_class)),
            text(elements.SPEC_VERSION, _shaped(elements.SPEC_VERSION, version)),
            _packed_shape(elements.ORGANISATION, organisation),
            packed(elements.ISSUED_ON, _eight_digits(issued_on)),
            packed(elements.EXPIRES_ON, _eight_digits(expires_on)),
        )
    )


@lru_cache(maxsize=4096)
def _of_many(sex: str, ethnic_group: str | None, birthplace: str | None) -> bytes:
    """The elements that say nothing of one person alone, and come again and again."""
    return b"".join(
        (
            text(elements.SEX, _shaped(elements.SEX, sex)),
            packed(elements.ETHNIC_GROUP, _ethnic_group(ethnic_group)),
            _packed_shape(elements.BIRTHPLACE, birthplace or ""),
        )
    )


def _shaped(element: Element, value: str) -> bytes:
    return _checked(element, value).encode("ascii")


def _packed_shape(element: Element, value: str) -> bytes:
    return packed(element, _checked(element, value))


def _checked(element: Element, value: str) -> str:
    pattern, reason_zh, reason_en = _SHAPES[element]
    if pattern.fullmatch(value) is None:
        raise not_fitting(element, reason_zh, reason_en)
    return value


def _number(value: str) -> bytes:
    """A social security number is checked as everywhere: it decides whose card this is."""
    try:
        return IdentityNumber(value).text.encode("ascii")
    except IdentityNumberError as error:
        problem = error.problems[0]
        raise not_fitting(elements.NUMBER, problem.message_zh, problem.message_en) from None


def _name(name: str, charset: Charset) -> tuple[bytes, bytes]:
    """The values of tags 09 and 4E; a character never straddles the two."""
    if problem := validate_name(name):
        raise not_fitting(elements.NAME, problem.message_zh, problem.message_en)
    if charset is not Charset.GB18030:  # what GBK has, GB 18030 writes in the same bytes
        encode_text(name, charset, field="name", title_zh=elements.NAME.title_zh)
    try:
        return chip_name(name)
    except NameTooLongError as error:
        problem = error.problem
        raise not_fitting(elements.NAME, problem.message_zh, problem.message_en) from None


def _ethnic_group(code: str | None) -> str:
    if code is None:
        return ""
    if code not in ETHNIC_GROUPS:
        raise not_fitting(elements.ETHNIC_GROUP, "不在 GB/T 3304 中", "is not in GB/T 3304")
    return code


def _eight_digits(day: date) -> str:
    return day.isoformat().replace("-", "")
