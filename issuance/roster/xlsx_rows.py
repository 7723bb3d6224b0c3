"""Rows of an XLSX roster (ECMA-376), as a stream of texts.

openpyxl reads what stands in the workbook, its styles and its cells; defusedxml parses, without
document types or entities. openpyxl's own worksheet is passed over: it keeps an element of every
row, fills gaps up to any reference, and reads sheets, charts and pictures that nobody asked for.

A cell becomes the text that a CSV export would have, with three differences that keep errors
visible: a date is written as YYYY-MM-DD whatever its format shows, a formula is written as
`=...`, and a number of more than 15 digits, which a spreadsheet has already rounded, is written
with an exponent so that it can't pass for an identity number.
"""

import io
import re
import zipfile
from collections.abc import Container, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, BinaryIO, Final
from xml.etree.ElementTree import Element, iterparse

from defusedxml import ElementTree as DefusedTree
from openpyxl.cell.text import Text
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.styles.stylesheet import Stylesheet
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import (
    ARC_SHARED_STRINGS,
    ARC_STYLE,
    ARC_WORKBOOK,
    ARC_WORKBOOK_RELS,
    SHEET_MAIN_NS,
)

from issuance.roster.file_error import COLUMNS_MAX, INFLATED_BYTES_MAX, ROWS_MAX, RosterFileError

SMALL_PART_BYTES_MAX: Final = 16 << 20
TEXTS_BYTES_MAX: Final = 256 << 20  # shared strings are held in memory
_SMALL_PART_TAGS_MAX: Final = 500_000  # Excel's 65,490 cell formats, with all that they may hold
_TEXTS_MAX: Final = 8_000_000
_START_BYTES: Final = 1 << 16
_ITEM_BYTES_MAX: Final = 1 << 20  # one row or one shared string
_NAMES_MAX: Final = 1_000  # an XML parser never forgets a name
_READ_BYTES_MAX: Final = 1 << 20
_LAST_ROW: Final = 1_048_576  # of any sheet in Excel
_EXACT_DIGITS_MAX: Final = 15
_ENCRYPTED_FLAG: Final = 0x1
_TEXT_TAG: Final = f"{{{SHEET_MAIN_NS}}}si"
_find_last_row = re.compile(rb'dimension ref="[A-Z]+[0-9]+:[A-Z]+([0-9]{1,7})"').search


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet and what its cells refer to.

    rows_expected: how many rows the sheet claims below its first, a hint only.
    texts: the shared strings. date_styles: the cell styles that show a date. epoch: its day 0.
    """

    archive: zipfile.ZipFile
    part: str
    rows_expected: int | None
    texts: list[str]
    date_styles: Container[int]
    epoch: datetime


def open_sheet(file: BinaryIO) -> Sheet:
    """Return the first visible worksheet.

    Raises RosterFileError: workbook_damaged, workbook_encrypted, workbook_too_large, sheet_missing.
    """
    with _anything_odd_is_damage():
        archive = zipfile.ZipFile(_ShortReads(io.FileIO(file.fileno(), closefd=False)))
        for part in (ARC_WORKBOOK, ARC_WORKBOOK_RELS):
            _read_small(archive, part)
        book = WorkbookParser(archive, ARC_WORKBOOK, keep_links=False)
        book.parse()
        for sheet, relationship in book.find_sheets():
            if sheet.state == "visible" and relationship.Type.endswith("/worksheet"):
                break
        else:
            raise RosterFileError("sheet_missing")
        _validate_entry(archive, relationship.target, INFLATED_BYTES_MAX)
        with archive.open(relationship.target) as stream:
            last_row = _find_last_row(stream.read(_START_BYTES))
        return Sheet(
            archive=archive,
            part=relationship.target,
            rows_expected=min(int(last_row[1]) - 1, ROWS_MAX) if last_row else None,
            texts=_read_texts(archive),
            date_styles=_read_date_styles(archive),
            epoch=book.wb.epoch,
        )


def xlsx_rows(sheet: Sheet) -> Generator[tuple[int, list[str]]]:
    """Yield (row number from 0, cells) of the rows that the sheet has; numbers only rise.

    Raises RosterFileError: workbook_damaged, workbook_too_large, columns_too_many, rows_too_many.
    """
    parser = WorkSheetParser(io.BytesIO(), sheet.texts)
    last = 0
    with _anything_odd_is_damage():
        for row in _each(sheet.archive, sheet.part, ROW_TAG, INFLATED_BYTES_MAX):
            for formula in row.iter(FORMULA_TAG):
                formula.attrib.clear()  # what it shares with other cells needn't be worked out
            number, cells = parser.parse_row(row)
            parser.row_dimensions.clear()
            if number <= last:
                raise RosterFileError("workbook_damaged")
            if number > _LAST_ROW:
                raise RosterFileError("rows_too_many")
            last = number
            yield number - 1, _lay_out(sheet, cells)


def _lay_out(sheet: Sheet, cells: list[dict[str, Any]]) -> list[str]:
    """Return the row's texts, with empty ones where the file has left cells out."""
    row: list[str] = []
    for cell in cells:
        text, column = _cell_text(sheet, cell), cell["column"]
        if not text:  # cells that are styled, but empty, may stand far outside the table
            continue
        if column > COLUMNS_MAX:
            raise RosterFileError("columns_too_many")
        if column <= len(row):
            raise RosterFileError("workbook_damaged")
        row.extend("" for _ in range(column - 1 - len(row)))
        row.append(text)
    return row


def _cell_text(sheet: Sheet, cell: Mapping[str, Any]) -> str:
    value = cell["value"]
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        if cell["style_id"] in sheet.date_styles:
            with suppress(OverflowError, ValueError):  # no day at all: the row has to say so
                value = from_excel(value, sheet.epoch)
        if isinstance(value, int | float):
            if value != int(value):
                return str(value)
            return str(int(value)) if abs(value) < 10**_EXACT_DIGITS_MAX else f"{value:E}"
    return value.date().isoformat() if isinstance(value, datetime) else str(value)


def _read_texts(archive: zipfile.ZipFile) -> list[str]:
    """Return the shared strings; readings in ruby (rPh) are no part of a text."""
    texts: list[str] = []
    if ARC_SHARED_STRINGS in archive.namelist():
        for item in _each(archive, ARC_SHARED_STRINGS, _TEXT_TAG, TEXTS_BYTES_MAX):
            text: Any = Text.from_tree(item)
            texts.append(text.content)
            if len(texts) > _TEXTS_MAX:
                raise RosterFileError("workbook_too_large")
    return texts


def _read_date_styles(archive: zipfile.ZipFile) -> Container[int]:
    """Return the cell styles that show a date; how a cell looks otherwise may be wrong."""
    if ARC_STYLE not in archive.namelist():
        return frozenset()
    styles = _read_small(archive, ARC_STYLE)
    for child in list(styles):
        if not child.tag.endswith(("}numFmts", "}cellXfs")):
            styles.remove(child)
    stylesheet: Any = Stylesheet.from_tree(styles)
    return frozenset(stylesheet.date_formats)


def _each(archive: zipfile.ZipFile, part: str, tag: str, bytes_max: int) -> Generator[Any]:
    """Yield each element of one kind, whole; everything that has ended is forgotten."""
    _validate_entry(archive, part, bytes_max)
    path: list[Element] = []
    wanted: Element | None = None
    names: set[str] = set()
    with archive.open(part) as stream:
        # A document type can only stand before the first element. The fast parser comes after.
        start = io.BytesIO(stream.read(_START_BYTES))
        next(iter(DefusedTree.iterparse(start, ("start",), forbid_dtd=True)))
        stream.seek(0)
        source = _Portions(stream)
        for event, found in iterparse(source, ("start-ns", "start", "end")):  # noqa: S314 (above)
            if event == "start-ns":
                names.add(found[0])
                continue
            if event == "start":
                names.update(found.keys(), (found.tag,))
                if len(names) > _NAMES_MAX:
                    raise RosterFileError("workbook_damaged")
                path.append(found)
                if wanted is None and found.tag == tag:
                    wanted = found
                continue
            path.pop()
            if found is wanted:
                yield found
                wanted = None
            if wanted is None:
                source.unbroken = 0
                if path:
                    path[-1].clear()


def _read_small(archive: zipfile.ZipFile, part: str) -> Any:
    _validate_entry(archive, part, SMALL_PART_BYTES_MAX)
    content = archive.read(part)
    if content.count(b"<") > _SMALL_PART_TAGS_MAX:
        raise RosterFileError("workbook_too_large")
    return DefusedTree.fromstring(content, forbid_dtd=True)


def _validate_entry(archive: zipfile.ZipFile, part: str, bytes_max: int) -> None:
    """Raise unless a part may be unpacked.

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


@contextmanager
def _anything_odd_is_damage() -> Iterator[None]:
    """zipfile and openpyxl name no errors for a damaged file: it may be any."""
    try:
        yield
    except RosterFileError:
        raise
    except Exception:  # noqa: BLE001 (see above; nothing of it is shown, as it may quote a cell)
        raise RosterFileError("workbook_damaged") from None


class _ShortReads(io.BufferedReader):
    """The file, a little at a time: a directory that claims the memory is cut short instead."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _READ_BYTES_MAX:
            size = _READ_BYTES_MAX
        return super().read(size)


class _Portions:
    """A part as the XML parser takes it; unbroken: bytes since something ended."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.unbroken = 0

    def read(self, size: int = -1, /) -> bytes:
        content = self._stream.read(size)
        self.unbroken += len(content)
        if self.unbroken > _ITEM_BYTES_MAX:
            raise RosterFileError("workbook_too_large")
        return content
