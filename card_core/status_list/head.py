"""The head of a status list: what the issuer signs."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from card_core._native import STATUS_POSITIONS_MAX
from card_core.status_list.errors import InvalidListError, MalformedListError

CONTEXT: Final = b"sscard/status-list/v1\n"
VERSION_AND_KIND: Final = 0x13
DIGEST_SIZE: Final = 32
AGE_SECONDS_MAX: Final = 7 * 24 * 3600
_LAYOUT = struct.Struct(">BHBIIIIII32s")
SIZE: Final = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class ListHead:
    """Which list it is, how old it may grow, and the digest of its body.

    issuer: 1-65535. key_number: of its status keys. day_ends_at: aware; the end of the day, as the
    credentials of that day have it. version: from 1, grows by one. issued_at: aware, whole seconds.
    fresh_for_seconds: after that a terminal asks for a newer one, and says so when there is none;
    usable_for_seconds: after that nothing may be decided by it. size: how many positions.
    digest: SM3 of the list's body, 32 bytes.
    """

    issuer: int
    key_number: int
    day_ends_at: datetime
    version: int
    issued_at: datetime
    fresh_for_seconds: int
    usable_for_seconds: int
    size: int
    digest: bytes

    def __post_init__(self) -> None:
        """Raises InvalidListError."""
        in_range = {
            "issuer": 1 <= self.issuer <= 0xFFFF,
            "key_number": 0 <= self.key_number <= 0xFF,
            "version": 1 <= self.version <= 0xFFFF_FFFF,
            "age": 1 <= self.fresh_for_seconds <= self.usable_for_seconds <= AGE_SECONDS_MAX,
            "size": 1 <= self.size <= STATUS_POSITIONS_MAX,
            "digest": len(self.digest) == DIGEST_SIZE,
            "day_ends_at": _is_whole(self.day_ends_at),
            "issued_at": _is_whole(self.issued_at),
        }
        for what, holds in in_range.items():
            if not holds:
                raise InvalidListError(what)

    @property
    def fresh_until(self) -> datetime:
        return self.issued_at + timedelta(seconds=self.fresh_for_seconds)

    @property
    def usable_until(self) -> datetime:
        return self.issued_at + timedelta(seconds=self.usable_for_seconds)

    def to_bytes(self) -> bytes:
        return _LAYOUT.pack(
            VERSION_AND_KIND,
            self.issuer,
            self.key_number,
            int(self.day_ends_at.timestamp()),
            self.version,
            int(self.issued_at.timestamp()),
            self.fresh_for_seconds,
            self.usable_for_seconds,
            self.size,
            self.digest,
        )

    def to_be_signed(self) -> bytes:
        """The context prefix and the head."""
        return CONTEXT + self.to_bytes()

    @classmethod
    def parse(cls, head: bytes) -> Self:
        """Raises MalformedListError."""
        if len(head) != SIZE:
            raise MalformedListError
        kind, issuer, number, day, version, issued, fresh, usable, size, digest = _LAYOUT.unpack(
            head
        )
        if kind != VERSION_AND_KIND:
            raise MalformedListError
        try:
            return cls(
                issuer,
                number,
                datetime.fromtimestamp(day, UTC),
                version,
                datetime.fromtimestamp(issued, UTC),
                fresh,
                usable,
                size,
                digest,
            )
        except InvalidListError:
            raise MalformedListError from None


def _is_whole(at: datetime) -> bool:
    return at.tzinfo is not None and at.microsecond == 0 and 0 <= at.timestamp() < 1 << 32
