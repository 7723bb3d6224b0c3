"""A terminal's journal in a process of its own that accepts one code after the other until it is
killed; what it has said "accepted" of, it prints."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from card_core.offline_records import OfflineRecord
from card_core.store.terminal_journal import Journal
from crypto import sm2

SECRET = bytes(range(48))
KEY = sm2.PrivateKey.from_bytes(bytes(31) + b"\x07")
AT = datetime(2026, 3, 2, tzinfo=UTC)


def name_of(number: int) -> bytes:
    return b"code" + number.to_bytes(8)


def record(number: int, sequence: int) -> OfflineRecord:
    return OfflineRecord(bytes([9]) * 8, sequence, AT, "01101", None, f"r{number}", f"7406{number}")


def main(path: str, first: str) -> None:
    journal = Journal(Path(path), SECRET, KEY.sign)
    number = int(first)
    while True:
        journal.accept(
            name_of(number),
            make=lambda sequence, number=number: record(number, sequence),  # type: ignore[misc]
            credential=None,
            policy=None,
        )
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
