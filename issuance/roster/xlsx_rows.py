"""Rows of an XLSX roster, as a stream of texts.

Read with the standard library's expat and not through a spreadsheet library: those measured
either hold the sheet as a full grid, whose size a single forged cell reference decides, and show
a formula's last result as if somebody had typed it, or are several times slower.

A cell becomes the text that a CSV export would have, with three differences that keep errors
visible: a date is written as YYYY-MM-DD whatever its format shows, a formula is written as
`=...`, and a number of more than 15 digits, which a spreadsheet has already rounded, is written
with an exponent so that it can't pass for an identity number.
"""

from collections import deque
from collections.abc import Generator
from datetime import date, timedelta
from typing import Final
from xml.parsers import expat

from issuance.roster.file_error import COLUMNS_MAX, RosterFileError
from issuance.roster.xlsx_package import Attributes, Sheet, parse_part

_EXACT_DIGITS_MAX: Final = 15
_TEXT_CHARS_MAX: Final = 32_767  # what Excel itself allows in a cell
_PIECES_MAX: Final = 64  # expat hands text on in pieces of up to 8 KiB
_LETTERS: Final = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
_COLUMNS: Final = {
    name: index
    for index, name in enumerate([*_LETTERS, *(a + b for a in _LETTERS for b in _LETTERS)])
    if index < COLUMNS_MAX
}


def xlsx_rows(sheet: Sheet) -> Generator[tuple[int, list[str]]]:
    """Yield (row number from 0, cells) of the rows that the sheet has; numbers only rise.

    Raises RosterFileError: workbook_damaged, workbook_too_large, columns_too_many.
    """
    ready: list[tuple[int, list[str]]] = []
    parser = expat.ParserCreate()
    _gather_rows(parser, _CellReader(sheet), ready)
    for _ in parse_part(sheet.archive, sheet.part, parser):
        yield from ready
        ready.clear()


class _CellReader:
    """Turns what stands in a cell into text."""

    def __init__(self, sheet: Sheet) -> None:
        self._texts = sheet.texts
        self._date_styles = sheet.date_styles
        self._epoch = date(1904, 1, 1) if sheet.counts_from_1904 else date(1899, 12, 30)

    def read(self, cell: Attributes, value: str) -> str:
        """Return the text of a cell without a formula. Raises ValueError or IndexError."""
        kind = cell.get("t", "n")
        if kind == "s":
            return self._texts[int(value)]
        if kind != "n":
            return value
        if cell.get("s") in self._date_styles:
            return self._date(value)
        if len(value) <= _EXACT_DIGITS_MAX and value.isdecimal():
            return value
        number = float(value)
        if not number.is_integer():
            return value
        return str(int(number)) if abs(number) < 10**_EXACT_DIGITS_MAX else f"{number:E}"

    def _date(self, value: str) -> str:
        """Return an Excel serial as a date; its 29 February 1900 never was (18.17.4.1)."""
        serial = float(value)
        if self._epoch.year == 1899 and serial < 60:
            serial += 1
        try:
            return (self._epoch + timedelta(days=int(serial))).isoformat()
        except OverflowError:  # no day at all: the row has to say so
            return value


def _gather_rows(
    parser: expat.XMLParserType, cells: _CellReader, ready: list[tuple[int, list[str]]]
) -> None:
    """Make the parser append each finished row to `ready`.

    Plain functions over local names: they run seven times for every cell.
    """
    prefix: str | None = None
    row_number, row, next_column = -1, list[str](), 0
    cell: Attributes = {}
    value, formula, in_ruby = "", False, False
    # A text in more pieces than these is far over the limit of a cell; its start may go.
    pieces: deque[str] = deque(maxlen=_PIECES_MAX)

    def start(name: str, attributes: Attributes) -> None:
        nonlocal prefix, cell, value, formula, in_ruby, row_number, row, next_column
        if prefix:
            name = name.removeprefix(prefix)
        if name == "c":
            cell, value, formula = attributes, "", False
        elif name in {"t", "v", "f"}:
            pieces.clear()
        elif name == "row":
            number = int(attributes["r"]) - 1 if "r" in attributes else row_number + 1
            if number <= row_number:
                raise RosterFileError("workbook_damaged")
            row_number, row, next_column = number, [], 0
        elif name == "rPh":
            in_ruby = True
        elif prefix is None:
            # Some writers give every element the prefix that the root has.
            prefix = name.removesuffix("worksheet")

    def end(name: str) -> None:
        nonlocal value, formula, in_ruby
        if prefix:
            name = name.removeprefix(prefix)
        if name == "c":
            end_cell()
        elif name in {"t", "v"}:
            if not in_ruby and not formula and len(value) <= _TEXT_CHARS_MAX:
                value += "".join(pieces)
        elif name == "row":
            ready.append((row_number, row))
        elif name == "f":
            value, formula = f"={''.join(pieces)}", True
        elif name == "rPh":
            in_ruby = False

    def end_cell() -> None:
        nonlocal next_column
        reference = cell.get("r")
        column = (
            _COLUMNS.get(reference.rstrip("0123456789"), COLUMNS_MAX) if reference else next_column
        )
        next_column = column + 1
        if value:  # cells that are styled, but empty, may stand far outside the table
            _put(row, column, value if formula else cells.read(cell, value))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = pieces.append


def _put(row: list[str], column: int, text: str) -> None:
    """Append a cell at its column, after empty ones where the file has left some out."""
    if column >= COLUMNS_MAX:
        raise RosterFileError("columns_too_many")
    if column < len(row):
        raise RosterFileError("workbook_damaged")
    while len(row) < column:
        row.append("")
    row.append(text)
