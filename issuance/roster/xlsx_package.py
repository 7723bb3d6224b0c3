"""The parts of an XLSX workbook (ECMA-376) that a roster needs, opened without trusting them.

Every part is read as a stream with a limit on what it unpacks to; document type declarations are
refused, so entities can't multiply. Nothing is ever written, linked or evaluated.
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final
from xml.parsers import expat

from issuance.roster.file_error import INFLATED_BYTES_MAX, ROWS_MAX, RosterFileError

_CHUNK_BYTES: Final = 1 << 16
_READ_BYTES_MAX: Final = 1 << 20
SMALL_PART_BYTES_MAX: Final = 16 << 20
TEXT_BYTES_MAX: Final = 256 << 20  # shared strings are held in memory
_ENCRYPTED_FLAG: Final = 0x1
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONSHIPS: Final = "xl/_rels/workbook.xml.rels"
_TEXTS: Final = "xl/sharedStrings.xml"
_STYLES: Final = "xl/styles.xml"
_find_last_row = re.compile(rb'dimension ref="[A-Z]+[0-9]+:[A-Z]+([0-9]{1,7})"').search

Attributes = dict[str, str]

# Number formats that show a date: the built-in ones (ECMA-376-1, 18.8.30, with the East Asian
# ones), and any of a workbook's own with a day or a year outside quotes, escapes and brackets.
_BUILT_IN_DATES: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_strip_literals = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]').sub


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet and what its cells refer to.

    rows_expected: how many rows the sheet claims below its first, a hint only.
    date_styles: the cell styles that show a date. counts_from_1904: the workbook's date system.
    """

    archive: zipfile.ZipFile
    part: str
    rows_expected: int | None
    texts: list[str]
    date_styles: frozenset[str]
    counts_from_1904: bool


def open_sheet(file: BinaryIO) -> Sheet:
    """Return the first visible worksheet.

    Raises RosterFileError: workbook_damaged, workbook_encrypted, workbook_too_large, sheet_missing.
    """
    with _anything_odd_is_damage():
        archive = zipfile.ZipFile(_ShortReads(file))
        part, counts_from_1904 = _find_sheet(archive)
        with archive.open(_validate_entry(archive, part, INFLATED_BYTES_MAX)) as stream:
            last_row = _find_last_row(stream.read(_CHUNK_BYTES))
        return Sheet(
            archive=archive,
            part=part,
            rows_expected=min(int(last_row[1]) - 1, ROWS_MAX) if last_row else None,
            texts=_read_texts(archive),
            date_styles=_read_date_styles(archive),
            counts_from_1904=counts_from_1904,
        )


def parse_part(
    archive: zipfile.ZipFile,
    part: str,
    parser: expat.XMLParserType,
    *,
    bytes_max: int = INFLATED_BYTES_MAX,
) -> Iterator[None]:
    """Feed one part to a parser, piece by piece; yields after each. Raises RosterFileError."""
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    with _anything_odd_is_damage():
        with archive.open(_validate_entry(archive, part, bytes_max)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                parser.Parse(chunk, False)
                yield
        parser.Parse(b"", True)
        yield


def _validate_entry(archive: zipfile.ZipFile, part: str, bytes_max: int) -> zipfile.ZipInfo:
    """Return a part's entry if it may be unpacked.

    The size is the declared one: the reader stops there and then checks the CRC, so that a false
    size is damage.
    """
    entry = archive.getinfo(part)
    if entry.flag_bits & _ENCRYPTED_FLAG:
        raise RosterFileError("workbook_encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RosterFileError("workbook_damaged")
    if entry.file_size > bytes_max:
        raise RosterFileError("workbook_too_large")
    return entry


@contextmanager
def _anything_odd_is_damage() -> Iterator[None]:
    """What the zip and XML readers raise, and a missing part, text, style or number."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, OSError, EOFError):
        raise RosterFileError("workbook_damaged") from None
    except (KeyError, IndexError, ValueError, RuntimeError):
        raise RosterFileError("workbook_damaged") from None


class _ShortReads(io.RawIOBase):
    """The file, a little at a time: a directory that claims the memory is cut short instead."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size if 0 <= size <= _READ_BYTES_MAX else _READ_BYTES_MAX)


def _refuse_doctype(*_: object) -> None:
    raise RosterFileError("workbook_damaged")


def _walk(
    archive: zipfile.ZipFile,
    part: str,
    *,
    start: Callable[[str, Attributes], None] | None = None,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    bytes_max: int = SMALL_PART_BYTES_MAX,
) -> None:
    """Parse a part whole; element and attribute names come without their prefix."""
    parser = expat.ParserCreate()
    if start:
        parser.StartElementHandler = lambda name, attributes: start(
            _local(name), {_local(key): value for key, value in attributes.items()}
        )
    if end:
        parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    for _ in parse_part(archive, part, parser, bytes_max=bytes_max):
        pass


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _find_sheet(archive: zipfile.ZipFile) -> tuple[str, bool]:
    """Return the first visible worksheet's part and whether dates count from 1904."""
    sheets: list[str] = []
    counts_from_1904 = False

    def see(name: str, attributes: Attributes) -> None:
        nonlocal counts_from_1904
        if name == "workbookPr":
            counts_from_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet" and attributes.get("state", "visible") == "visible":
            sheets.append(attributes.get("id", ""))

    _walk(archive, _WORKBOOK, start=see)
    targets: dict[str, str] = {}

    def see_relationship(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _walk(archive, _RELATIONSHIPS, start=see_relationship)
    for sheet in sheets:
        if sheet in targets:
            # A target is relative to the workbook's folder, or absolute with a leading slash.
            part = posixpath.normpath(posixpath.join("/xl", targets[sheet]))
            return part.lstrip("/"), counts_from_1904
    raise RosterFileError("sheet_missing")


def _read_texts(archive: zipfile.ZipFile) -> list[str]:
    """Return the shared strings; readings in ruby (rPh) are no part of a text."""
    if _TEXTS not in archive.namelist():
        return []
    texts: list[str] = []
    pieces: list[str] = []
    taking = in_ruby = False

    def start(name: str, _: Attributes) -> None:
        nonlocal taking, in_ruby
        if name == "si":
            pieces.clear()
        elif name == "rPh":
            in_ruby = True
        taking = name == "t" and not in_ruby

    def end(name: str) -> None:
        nonlocal taking, in_ruby
        if name == "si":
            texts.append("".join(pieces))
        elif name == "rPh":
            in_ruby = False
        taking = False

    def text(piece: str) -> None:
        if taking:
            pieces.append(piece)

    _walk(archive, _TEXTS, start=start, end=end, text=text, bytes_max=TEXT_BYTES_MAX)
    return texts


def _read_date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the indexes of the cell styles that show a date, as written in a cell's `s`."""
    if _STYLES not in archive.namelist():
        return frozenset()
    own_dates: set[int] = set()
    formats: list[int] = []
    in_cell_styles = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal in_cell_styles
        if name == "numFmt":
            code = _strip_literals("", attributes.get("formatCode", "")).lower()
            if "y" in code or "d" in code:
                own_dates.add(int(attributes.get("numFmtId", "0")))
        elif name == "cellXfs":
            in_cell_styles = True
        elif name == "xf" and in_cell_styles:
            formats.append(int(attributes.get("numFmtId", "0")))

    def end(name: str) -> None:
        nonlocal in_cell_styles
        if name == "cellXfs":
            in_cell_styles = False

    _walk(archive, _STYLES, start=start, end=end)
    dates = _BUILT_IN_DATES | own_dates
    return frozenset(str(index) for index, number in enumerate(formats) if number in dates)
