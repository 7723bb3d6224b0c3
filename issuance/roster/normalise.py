"""Tidy a row: the same content in the one form that validation and storage expect.

Only what certainly means the same is changed: full-width forms, spaces, a small x, the variants
of the middle dot, the ways to write a date. Nothing is dropped or guessed; what can't be read
stays as it is, for validation to refuse. Tidying a tidy row changes nothing.
"""

import re
from datetime import date, timedelta
from typing import Final

from issuance.roster.columns import BIRTH, PHONE, TITLES, Cells

BETWEEN: Final = "\x1e"
# Characters of cells that have nothing to tidy, but for dates and phones; as they stand in a class.
PLAIN: Final = r"0-9A-Z\-\u3400-\u4dbf\u4e00-\u9fff"
_has_more_than_plain = re.compile(f"[^{PLAIN}{BETWEEN}]").search

_INVISIBLE: Final = dict.fromkeys((0x200B, 0x2060, 0xFEFF))  # no width, no meaning
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FULL_WIDTH_ALPHANUMERIC: Final = {
    code: half for code, half in _FULL_WIDTH.items() if chr(half).isalnum()
}
_DOTS: Final = dict.fromkeys(
    map(ord, "\u0387\u16eb\u2022\u2024\u2027\u2219\u22c5\u2e31\u30fb\u318d\uff0e\uff65"), "\u00b7"
)
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"), "-")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "`\u00b4\u02bc\u2018\u2019\uff07\uff40"), "'")

_COMPACT: Final = _FULL_WIDTH | _INVISIBLE
_NAME: Final = _COMPACT | _DOTS | _HYPHENS | _APOSTROPHES
_ADDRESS: Final = _FULL_WIDTH_ALPHANUMERIC | _INVISIBLE

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
_drop_spaces_by_han = re.compile(rf"(?<=[{_HAN}\u00b7]) | (?=[{_HAN}\u00b7])").sub
_raise_dot_by_han = re.compile(rf"(?<=[{_HAN}])\.(?=[{_HAN}])").sub

_match_date = re.compile(
    r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2}) ?日?(?:[ T]0?0:00(?::00(?:\.0+)?)?)?"
).fullmatch
_is_serial = re.compile(r"[1-9][0-9]{1,4}").fullmatch  # Excel's day 99999 is in the year 2173
_SERIAL_EPOCH: Final = date(1899, 12, 30)
_SERIAL_FIRST: Final = 61  # 1 March 1900; before it, Excel counts a day that never was

_drop_country_code = re.compile(r"(?:\+86|0086|86)(?=1[0-9]{10}$)").sub

_BIRTH: Final = TITLES.index(BIRTH)
_PHONE: Final = TITLES.index(PHONE)


def normalise_row(cells: Cells) -> Cells:
    """Return the row, in the order of `columns.TITLES`, with every cell in its one form."""
    # Most rows are tidy already, and one look over the whole row is enough to know.
    if (
        is_plain(BETWEEN.join(cells))
        and _is_iso_shaped(cells[_BIRTH])
        and _is_phone_shaped(cells[_PHONE])
    ):
        return cells
    (
        name,
        certificate,
        number,
        sex,
        ethnic_group,
        birth,
        phone,
        address,
        region,
        kind,
        bank,
        branch,
        guardian_name,
        guardian_number,
    ) = cells
    return (
        normalise_name(name),
        normalise_compact(certificate),
        normalise_number(number),
        normalise_compact(sex),
        normalise_compact(ethnic_group),
        normalise_date(birth),
        normalise_phone(phone),
        normalise_address(address),
        normalise_compact(region),
        normalise_compact(kind),
        normalise_compact(bank),
        normalise_compact(branch),
        normalise_name(guardian_name),
        normalise_number(guardian_number),
    )


def is_plain(joined: str) -> bool:
    """Whether cells with BETWEEN between them have nothing to tidy, but for dates and phones."""
    return not _has_more_than_plain(joined)


def normalise_compact(text: str) -> str:
    """Half-width, without any space: codes, kinds, ethnic groups."""
    return "".join(text.translate(_COMPACT).split())


def normalise_number(text: str) -> str:
    """An identity number: compact, in capitals."""
    return normalise_compact(text).upper()


def normalise_name(text: str) -> str:
    """A name: half-width, one middle dot, hyphen and apostrophe; spaces only where none is Han."""
    spaced = " ".join(text.translate(_NAME).split())
    return _raise_dot_by_han("\u00b7", _drop_spaces_by_han("", spaced))


def normalise_address(text: str) -> str:
    """An address: half-width letters and digits, single spaces; its punctuation is left alone."""
    return " ".join(text.translate(_ADDRESS).split())


def normalise_phone(text: str) -> str:
    """A phone number: digits without spaces, hyphens and China's country code."""
    return _drop_country_code("", normalise_compact(text).replace("-", ""))


def normalise_date(text: str) -> str:
    """A date as YYYY-MM-DD: from 1965/1/3, 1965.1.3, 19650103, 1965年1月3日 or an Excel serial.

    Whether the calendar has it is not asked here; a text of no such form stays.
    """
    if _is_iso_shaped(text):
        return text
    spaced = " ".join(text.translate(_COMPACT).split())
    if found := _match_date(spaced):
        year, month, day = found.groups()
        return f"{year}-{month:0>2}-{day:0>2}"
    compact = spaced.replace(" ", "")
    if len(compact) == 8 and compact.isascii() and compact.isdigit():
        return f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"
    if _is_serial(compact) and int(compact) >= _SERIAL_FIRST:
        return (_SERIAL_EPOCH + timedelta(days=int(compact))).isoformat()
    return spaced


def _is_iso_shaped(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text[:4].isdecimal()


def _is_phone_shaped(text: str) -> bool:
    return len(text) == 11 and text.isdecimal()
