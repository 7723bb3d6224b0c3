"""The values of a code's small fields, numbered as in the bytes (docs/code-format.md)."""

import enum
from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Final

from card_core.codes.errors import InvalidFieldError

ANY_TERMINAL: Final = bytes(8)
"""In a code's terminal field: the code is not bound to a terminal."""


class CodeKind(enum.IntEnum):
    """Who minted the code: the holder service, or the phone under a device credential."""

    ONLINE = 1
    OFFLINE = 2


class PurposeClass(enum.IntEnum):
    """Whether money or goods may move on the code. It fixes where its nonce is spent."""

    ANY_USE = 1
    IDENTIFY_ONLY = 2


class ForWhom(enum.IntEnum):
    """Whether the holder shows the code, or a family member whom the holder let use it."""

    SELF = 0
    FAMILY = 1


class Presence(enum.IntEnum):
    """The grade of presence: how the holder was known to be there when the code was made."""

    PLAIN = 0
    BOUND_PHONE = 1
    FACE = 2
    CHIP_AND_PIN = 3


def to_seconds(field: str, at: datetime) -> int:
    """Return whole seconds since 1970 in UTC, rounded down; refuse a time without a zone."""
    if at.tzinfo is None:
        raise InvalidFieldError(field)
    return floor(at.timestamp())


@lru_cache(maxsize=256)
def from_seconds(seconds: int) -> datetime:
    """Return the aware UTC instant of whole seconds since 1970.

    The codes that are shown at one time were minted in the same minute or two.
    """
    return datetime.fromtimestamp(seconds, UTC)
