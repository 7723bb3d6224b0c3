"""Limits of the fields of acts. Each check returns nothing or raises InvalidActError."""

import re
from collections.abc import Collection

from card_core.errors import InvalidActError

REQUEST_ID_MAX = 64
NAME_MAX = 64
REMARK_MAX = 64
ROSTER_ROWS_MAX = 1_000_000

_REGION = re.compile(r"[0-9]{6}")
_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[a-z0-9_.-]{1,32}")


def check_request_id(value: str) -> None:
    """1 to 64 printable ASCII characters, so that it can be logged, compared and read aloud."""
    if not 1 <= len(value) <= REQUEST_ID_MAX or not (value.isascii() and value.isprintable()):
        raise InvalidActError(
            "request_id",
            "应为 1 至 64 个可打印的 ASCII 字符",
            "must be 1 to 64 printable ASCII characters",
        )


def check_id(field: str, value: str) -> None:
    """A row id, as `store.ids` makes them."""
    if not _ID.fullmatch(value):
        raise InvalidActError(field, "不是有效的记录编号", "is not a valid record id")


def check_hash(field: str, value: str) -> None:
    """An SM3 digest in lower-case hexadecimal."""
    if not _HASH.fullmatch(value):
        raise InvalidActError(field, "应为 64 位十六进制摘要", "must be a digest of 64 hex digits")


def check_text(field: str, value: str, *, characters_max: int = NAME_MAX) -> None:
    """Printable, not blank, no leading or trailing space."""
    if not 1 <= len(value) <= characters_max or not value.isprintable() or value != value.strip():
        raise InvalidActError(
            field,
            f"应为 1 至 {characters_max} 个可见字符，首尾无空格",
            f"must be 1 to {characters_max} printable characters without spaces at the ends",
        )


def check_word(field: str, value: str) -> None:
    """A sign-in name or code: lower-case ASCII, so that no two look alike."""
    if not _WORD.fullmatch(value):
        raise InvalidActError(
            field,
            "应为 1 至 32 个小写字母、数字或 . _ -",
            "must be 1 to 32 of a-z, 0-9, dot, underscore and hyphen",
        )


def check_region(field: str, value: str) -> None:
    """Six digits. Bureaus use codes outside GB/T 2260, so it is not looked up there."""
    if not _REGION.fullmatch(value):
        raise InvalidActError(field, "应为 6 位数字", "must be six digits")


def check_range(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidActError(
            field, f"应在 {least} 至 {most} 之间", f"must be from {least} to {most}"
        )


def check_size(field: str, value: bytes, size_bytes: int) -> None:
    if len(value) != size_bytes:
        raise InvalidActError(field, f"应为 {size_bytes} 字节", f"must be {size_bytes} bytes")


def check_one_of(field: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        words = ", ".join(sorted(allowed))
        raise InvalidActError(field, f"应为以下之一：{words}", f"must be one of {words}")
