"""What a scan is for (用码业务类型), and what follows from it: one shipped table.

The table is `business_types.toml`: the seventeen types of the medical insurance e-credential and
this project's own for the uses of the card beyond medicine. A type says at which kinds of place it
may be asked for, which purpose the code must be signed for, whether money or goods move, and how
much of the holder the terminal is shown.
"""

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from card_core.errors import CardCoreError

PLACES: Mapping[str, str] = MappingProxyType(
    {
        "hospital": "医院",
        "pharmacy": "药店",
        "online": "线上医疗服务",
        "bureau": "经办机构",
        "bank": "银行",
        "transit": "公共交通",
        "culture": "文化场所",
    }
)
"""The kinds of institution, and what each is called in Chinese."""


class Purpose(enum.Flag):
    """What a code is signed for; `value` is the purpose mask of the code's bytes.

    Members combine with `|`; `ALL_PURPOSES` is all of them. The seven bits above the ninth are
    reserved, and a code that sets one is malformed.
    """

    MEDICAL_IDENTIFY = 1 << 0
    SETTLE = 1 << 1
    DISPENSE = 1 << 2
    WORK_INJURY = 1 << 3
    BENEFITS = 1 << 4
    ELIGIBILITY = 1 << 5
    GOVERNMENT_SERVICE = 1 << 6
    BANK = 1 << 7
    TRANSIT_AND_CULTURE = 1 << 8


ALL_PURPOSES = Purpose((1 << len(Purpose)) - 1)


class HolderView(enum.StrEnum):
    """How much of the holder an accepted scan shows to the terminal."""

    FULL = "full"
    MASKED = "masked"
    YES_NO = "yes_no"


class UnknownBusinessTypeError(CardCoreError, ValueError):
    """The business type is not in the table. The given text is not repeated."""

    code = "unknown_business_type"
    message_zh = "没有这种用码业务类型，请从业务类型表中选择"
    message_en = "There is no such business type; choose one from the table of business types"


@dataclass(frozen=True, slots=True)
class BusinessType:
    """One row of the table. code: five ASCII digits. places: kinds of institution, of `PLACES`."""

    code: str
    name_zh: str
    name_en: str
    places: frozenset[str]
    purpose: Purpose
    consumes: bool
    view: HolderView

    def is_offered_at(self, place: str) -> bool:
        """Whether an institution of the kind `place` may scan for this business type."""
        return place in self.places


def _read_row(row: Mapping[str, Any]) -> BusinessType:
    code: str = row["code"]
    places = frozenset(row["places"])
    if not (len(code) == 5 and code.isascii() and code.isdigit()) or not places <= set(PLACES):
        raise ValueError(f"business_types.toml: row {code!r} has a bad code or place")
    return BusinessType(
        code=code,
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        places=places,
        purpose=Purpose[row["purpose"].upper()],
        consumes=row["consumes"],
        view=HolderView(row["view"]),
    )


def _read_table() -> Mapping[str, BusinessType]:
    text = resources.files("card_core").joinpath("business_types.toml").read_text("utf-8")
    rows = [_read_row(row) for row in tomllib.loads(text)["business_type"]]
    table = {row.code: row for row in rows}
    if len(table) != len(rows):
        raise ValueError("business_types.toml: a code is there twice")
    return MappingProxyType(table)


_TABLE = _read_table()

ALL: tuple[BusinessType, ...] = tuple(_TABLE.values())


def get(code: str) -> BusinessType:
    """Return the business type with this five-digit code, or raise UnknownBusinessTypeError."""
    try:
        return _TABLE[code]
    except KeyError:
        raise UnknownBusinessTypeError from None
