"""Row ids: 32 hexadecimal characters, in the order in which the rows were made, not guessable."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime


def make_id(now: datetime, sequence: int, random_bytes: Callable[[int], bytes]) -> str:
    """48 bits of milliseconds since 1970, 24 of `sequence` within one act, and 56 random ones.

    Raises OverflowError beyond them.
    """
    milliseconds = int(now.timestamp() * 1000)
    return (milliseconds.to_bytes(6) + sequence.to_bytes(3) + random_bytes(7)).hex()


def make_each(
    now: datetime, sequences: Sequence[int], random_bytes: Callable[[int], bytes]
) -> list[str]:
    """As `make_id` for each of the sequences, at least one, with their random bits drawn at once.
    Raises OverflowError."""
    shared, random = int(now.timestamp() * 1000).to_bytes(6), random_bytes(7 * len(sequences))
    return [
        (shared + sequence.to_bytes(3) + random[7 * at : 7 * at + 7]).hex()
        for at, sequence in enumerate(sequences)
    ]


def make_ids(now: datetime, count: int, random_bytes: Callable[[int], bytes]) -> list[str]:
    """Ids that follow each other and share all but their last 24 bits: those of a group of rows.

    Raises OverflowError beyond 2^24.
    """
    milliseconds = int(now.timestamp() * 1000)
    shared = milliseconds.to_bytes(6) + random_bytes(7)
    return [(shared + number.to_bytes(3)).hex() for number in range(count)]


def earliest(at: datetime) -> str:
    """The 12 characters that no id made before `at` (aware) comes behind, and all others do."""
    return int(at.timestamp() * 1000).to_bytes(6).hex()


def made_at(row_id: str) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError for what is none."""
    return datetime.fromtimestamp(int(row_id[:12], 16) / 1000, UTC)
