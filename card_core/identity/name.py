"""Names of holders: what may stand in one, and how the chip carries it.

A name is letters and combining marks of any script; a middle dot (U+00B7), a hyphen or an
apostrophe may stand between two letters, a space between two Latin ones. Anything else (digits,
markup, formulas, control characters) is refused and not cleaned away: a silently changed name is
another person's.

The chip has 30 bytes of GB 18030 in tag 09 and 20 more in tag 4E of EF06 (LD/T 32-2015).
"""

import re
from typing import Final
from unicodedata import category

from card_core.identity.problem import Problem

NAME_BYTES_MAX: Final = 30
NAME_CONTINUATION_BYTES_MAX: Final = 20

MISSING: Final = Problem(
    "name_missing",
    "姓名未填写，请填写证件上的姓名",
    "The name is missing; enter it as it stands on the document",
)
DIGIT: Final = Problem(
    "name_digit",
    "姓名含有数字，请对照证件填写",
    "The name has a digit in it; enter it as it stands on the document",
)
CHARACTER: Final = Problem(
    "name_character",
    "姓名含有不允许的字符：只能有文字、间隔号、连字符、撇号，拉丁字母姓名可有空格；生僻字请用国家标准字库录入",
    "The name has a character that does not belong: letters, middle dot, hyphen and apostrophe "
    "are allowed, and spaces in Latin names; type rare characters in their standard code",
)
SHAPE: Final = Problem(
    "name_shape",
    "姓名中的间隔号、连字符、撇号或空格位置不对：只能单独出现在两个文字之间，空格只能在拉丁字母之间",
    "A dot, hyphen, apostrophe or space is out of place: one at a time, between two letters, "
    "and a space only between Latin letters",
)
TOO_LONG: Final = Problem(
    "name_too_long",
    "姓名超过芯片容量（GB 18030编码30+20字节），请与发卡机构商定写入的缩写",
    "The name is longer than the chip holds (30 + 20 bytes of GB 18030); agree a short form with "
    "the issuer",
)

# 1 to 15 common ideographs.
COMMON_NAME: Final = r"[\u3400-\u4dbf\u4e00-\u9fff]{1,15}"
_is_common = re.compile(COMMON_NAME).fullmatch
_is_latin = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]").match
# Ideographs that Unicode added after version 14, so that every Python gives the same answer.
_is_new_ideograph = re.compile("[\U00031350-\U0003347f\U0002ebf0-\U0002ee5d]").match
_SEPARATORS: Final = frozenset("·-' ")


class NameTooLongError(ValueError):
    """The chip can't hold the name."""

    def __init__(self) -> None:
        super().__init__(TOO_LONG.code)
        self.problem = TOO_LONG


def is_common_name(name: str) -> bool:
    """Whether a name is 1 to 15 common ideographs: nothing is wrong with it, no more is said."""
    return _is_common(name) is not None


def validate_name(name: str) -> Problem | None:
    """Return the first thing wrong with a name, or None. The name is taken as it is."""
    if is_common_name(name):
        return None
    if not name:
        return MISSING
    return _validate_characters(name) or _validate_shape(name) or _validate_length(name)


def chip_name(name: str) -> tuple[bytes, bytes]:
    """Return the values of EF06 tags 09 and 4E, unpadded GB 18030, parted between characters.

    Raises NameTooLongError. A name of 50 bytes may be too long too: a character that straddles
    byte 30 goes to the second part whole.
    """
    encoded = name.encode("gb18030")
    if len(encoded) <= NAME_BYTES_MAX:
        return encoded, b""
    first = b""
    for at, character in enumerate(name):
        piece = character.encode("gb18030")
        if len(first) + len(piece) > NAME_BYTES_MAX:
            rest = name[at:].encode("gb18030")
            if len(rest) <= NAME_CONTINUATION_BYTES_MAX:
                return first, rest
            break
        first += piece
    raise NameTooLongError


def _validate_characters(name: str) -> Problem | None:
    for character in name:
        if character in _SEPARATORS or _is_new_ideograph(character):
            continue
        kind = category(character)
        if kind[0] == "N":
            return DIGIT
        if kind[0] not in "LM":
            return CHARACTER
    return None


def _validate_shape(name: str) -> Problem | None:
    """Separators stand alone between two letters; a combining mark belongs to its letter."""
    last_letter, after_separator = "", " "  # the start counts as a separator
    for character in name:
        if character in _SEPARATORS:
            if after_separator or (character == " " and not _is_latin(last_letter)):
                return SHAPE
            after_separator = character
        elif category(character)[0] == "M":
            if after_separator:
                return SHAPE
        else:
            if after_separator == " " and last_letter and not _is_latin(character):
                return SHAPE
            last_letter, after_separator = character, ""
    return SHAPE if after_separator else None


def _validate_length(name: str) -> Problem | None:
    try:
        chip_name(name)
    except NameTooLongError as error:
        return error.problem
    return None
