"""Open a roster file and stream its rows.

What a file is, is told by its bytes; its ending has to agree, because a renamed file is a
mistake that somebody should hear of. Nothing is taken from a file that can't be used.
"""

import io
import mmap
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from crypto import sm3
from issuance.roster.columns import ROSTER, Cells, Header, Layout
from issuance.roster.csv_rows import csv_rows, detect_encoding
from issuance.roster.file_error import FILE_BYTES_MAX, ROWS_MAX, RosterFileError

_ZIP_MAGIC: Final = b"PK\x03\x04"
_COMPOUND_FILE_MAGIC: Final = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")
_CHUNK_BYTES: Final = 1 << 20


class RosterRow(NamedTuple):
    """One row: number from 1 without the header; cells in the order of the layout's titles.

    is_shifted: there is text beyond the last title.
    """

    number: int
    cells: Cells
    is_shifted: bool


@dataclass(frozen=True, slots=True)
class RosterFile:
    """An open roster. digest_hex: SM3 of its bytes. rows_expected: about, for a progress bar."""

    digest_hex: str
    rows_expected: int | None
    rows: Iterator[RosterRow]


@contextmanager
def open_roster(path: Path, layout: Layout = ROSTER) -> Iterator[RosterFile]:
    """Open a roster, or a file of another layout; its rows are read as they are asked for.

    Raises RosterFileError, here or from any of the rows: until the last one has come, nothing
    may be taken from the file.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise RosterFileError("file_is_folder")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for its writer
            raise RosterFileError("file_unreadable")
        file = path.open("rb")
    except FileNotFoundError:
        raise RosterFileError("file_missing") from None
    except OSError:
        raise RosterFileError("file_unreadable") from None
    with file:
        before = _fingerprint(file)
        _validate_size(file)
        is_workbook = _is_workbook(file, path.suffix.lower())
        digest_hex, lines = _digest(file)
        if is_workbook:
            # openpyxl is large, and a quarter of a second to import.
            from issuance.roster.xlsx_rows import open_sheet, xlsx_rows  # noqa: PLC0415 - see above

            sheet = open_sheet(file)
            expected, numbered = sheet.rows_expected, xlsx_rows(sheet)
        else:
            expected, numbered = max(lines - 1, 0), csv_rows(file, detect_encoding(file))
        # Closed before the file is, also when somebody stops half-way.
        with closing(numbered), closing(_pick_rows(numbered, layout)) as rows:
            yield RosterFile(digest_hex, expected, rows)
        if _fingerprint(file) != before:
            raise RosterFileError("file_changed")


def _pick_rows(numbered: Iterator[tuple[int, list[str]]], layout: Layout) -> Generator[RosterRow]:
    """Yield the rows that are not blank; the first one that isn't is the header."""
    header, header_number, found = None, 0, False
    for number, cells in numbered:
        if not any(map(str.strip, cells)):
            continue
        if header is None:
            header, header_number = Header(cells, layout), number
            continue
        if number - header_number > ROWS_MAX:
            raise RosterFileError("rows_too_many")
        found = True
        yield RosterRow(number - header_number, *header.pick(cells))
    if header is None:
        raise RosterFileError("file_empty")
    if not found:
        raise RosterFileError("rows_missing")


def _validate_size(file: io.BufferedReader) -> None:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise RosterFileError("file_empty")
    if size > FILE_BYTES_MAX:
        raise RosterFileError("file_too_large")


def _is_workbook(file: BinaryIO, suffix: str) -> bool:
    """Tell a workbook from a CSV by content; raise where content and ending don't fit."""
    head = file.read(len(_COMPOUND_FILE_MAGIC))
    if head == _COMPOUND_FILE_MAGIC:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            is_encrypted = content.find(_ENCRYPTED_STREAM) >= 0
        raise RosterFileError("workbook_encrypted" if is_encrypted else "workbook_old")
    if suffix not in {".csv", ".txt", ".xlsx"}:
        raise RosterFileError("file_kind_unsupported")
    is_zip = head.startswith(_ZIP_MAGIC)
    if is_zip != (suffix == ".xlsx"):
        raise RosterFileError("file_kind_mismatch")
    return is_zip


def _digest(file: BinaryIO) -> tuple[str, int]:
    """Return the SM3 of the file, hex, and its number of line ends."""
    file.seek(0)
    digest, lines = sm3.Hash(), 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        lines += chunk.count(b"\n")
    return digest.digest().hex(), lines


def _fingerprint(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
