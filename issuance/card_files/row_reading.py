"""Reading a file of rows: first whether it is whole, then its rows (row_layout has the layout).

Two passes over the file: no row is given out before count and digest were found right. A row that
is wrong by itself is given out as a `BadRow`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, NamedTuple

from card_core.identity import Problem
from crypto import sm3
from issuance.card_files.columns import SEPARATOR, BadRow, RowProblem
from issuance.card_files.errors import CardFileError
from issuance.card_files.record import RECORDS_MAX
from issuance.card_files.row_header import RowHeader, parse_header
from issuance.card_files.row_layout import ROW_MARK, TRAILER_MARK, Layout, RowError, T

LINE_BYTES_MAX: Final = 2048
FILE_BYTES_MAX: Final = 1024 * 1024 * 1024

_ROW: Final = f"{ROW_MARK}|".encode("ascii")
_TRAILER: Final = f"{TRAILER_MARK}|".encode("ascii")


class _Line(NamedTuple):
    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class RowFile(Generic[T]):
    """A file that is whole. digest: of its trailer, 32 bytes."""

    layout: Layout[T]
    header: RowHeader
    digest: bytes
    _file: BinaryIO

    def rows(self) -> Iterator[T | BadRow]:
        """All rows in their order. Raises CardFileError where the file changed meanwhile."""
        self._file.seek(0)
        walk = _Walk(self._file, self.layout)
        for line in walk.lines():
            row = _row(self.layout, line)
            yield row
        if walk.digest != self.digest:
            raise CardFileError("file_changed")


def open_row_file(file: BinaryIO, layout: Layout[T]) -> RowFile[T]:
    """Check that the file is whole and of this kind. file: open at its beginning, and seekable.

    Raises CardFileError.
    """
    walk = _Walk(file, layout)
    for _ in walk.lines():
        pass
    return RowFile(layout, walk.header, walk.digest, file)


class _Walk(Generic[T]):
    """Once over a file. header, digest: there when `lines` has ended, and the file is good then."""

    header: RowHeader
    digest: bytes

    def __init__(self, file: BinaryIO, layout: Layout[T]) -> None:
        self._file = file
        self._layout = layout
        self._hash = sm3.Hash()
        self._line = 0
        self._bytes = 0

    def lines(self) -> Iterator[_Line]:
        """The rows. Raises CardFileError."""
        self.header = parse_header(self._next(), self._layout.kind, self._layout.title_zh)
        count, last = 0, 0
        while not (data := self._next()).startswith(_TRAILER):
            line = _Line(self._line, self._cells(data))
            count += 1
            if count > RECORDS_MAX:
                raise CardFileError("too_many", records_max=RECORDS_MAX)
            last = self._in_order(line, last)
            yield line
        self._check_trailer(data, count)

    def _next(self) -> bytes:
        """The next line with its end. A trailer is not part of the digest."""
        data = self._file.readline(LINE_BYTES_MAX + 1)
        self._line += 1
        self._bytes += len(data)
        if self._bytes > FILE_BYTES_MAX:
            raise CardFileError("file_too_large", mebibytes=FILE_BYTES_MAX // 2**20)
        if len(data) > LINE_BYTES_MAX:
            raise CardFileError("line_too_long", line=self._line, bytes_max=LINE_BYTES_MAX)
        if not data.endswith(b"\n"):
            if not data and self._line == 1:
                raise CardFileError("file_empty")
            raise CardFileError("cut", record=max(self._line - 2, 0))
        if not data.startswith(_TRAILER):
            self._hash.update(data)
        return data

    def _cells(self, data: bytes) -> tuple[str, ...]:
        if not data.startswith(_ROW):
            raise CardFileError("line_unknown", line=self._line)
        try:
            text = _without_end(data).decode(self.header.charset.value)
        except UnicodeDecodeError:
            raise CardFileError("not_text", line=self._line) from None
        return tuple(text.split(SEPARATOR)[1:])

    def _in_order(self, line: _Line, last: int) -> int:
        """The number of the last row whose number can be read."""
        number, columns = line.cells[0], self._layout.columns
        if columns[0].problem_of(number):
            return last
        if int(number) <= last:
            raise CardFileError("numbers_disordered", line=line.number)
        return int(number)

    def _check_trailer(self, data: bytes, count: int) -> None:
        cells = _without_end(data).split(b"|")
        if len(cells) != 3 or not cells[1].isdigit() or len(cells[1]) > 7:
            raise CardFileError("trailer_bad", line=self._line)
        self.digest = self._hash.digest()
        if cells[2].upper() != self.digest.hex().upper().encode("ascii"):
            raise CardFileError("digest_wrong")
        for stated in (int(cells[1]), self.header.records):
            if stated != count:
                raise CardFileError("count_wrong", stated=stated, found=count)
        if self._file.read(1):
            raise CardFileError("surplus")


def _without_end(data: bytes) -> bytes:
    return data.removesuffix(b"\n").removesuffix(b"\r")


def _row(layout: Layout[T], line: _Line) -> T | BadRow:
    columns = layout.columns
    if len(line.cells) != len(columns):
        return BadRow(line.number, (RowProblem("row", "整行", _fields_problem(len(columns))),))
    problems = tuple(
        RowProblem(column.field, column.title_zh, problem)
        for column, cell in zip(columns, line.cells, strict=True)
        if (problem := column.problem_of(cell))
    )
    if problems:
        return BadRow(line.number, problems)
    try:
        return layout.make(line.cells)
    except RowError as error:
        return BadRow(line.number, error.problems)


def _fields_problem(count: int) -> Problem:
    return Problem(
        "row_fields",
        f"应有{count}个字段（行首 D 之后）",
        f"must have {count} fields behind its D",
    )
