"""The rows of a roster that were refused, as a file to send back: each as it stood, with what is
wrong and what to do beside it. Corrected, the same file can be imported: the columns that are
added here are passed over.

Whatever a spreadsheet would run is text here. A workbook's cells are all text, so that a number of
18 digits stays whole; a CSV can't say so, and is for programs.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from issuance.roster import columns
from issuance.roster.read import open_roster
from issuance.roster.report import RosterReport
from issuance.spreadsheet_cells import harmless

ROW: Final = "原行号 Row"
PROBLEMS: Final = "问题与处理 What to do"
HEADER: Final = (*columns.TITLES, ROW, PROBLEMS)
_TEXT_FORMAT: Final = "@"


class CorrectionFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def write_corrections(
    roster: Path,
    found: RosterReport,
    refused_later: Mapping[tuple[str, str], Sequence[int]],
    out: BinaryIO,
    kind: CorrectionFormat,
) -> None:
    """Write the refused rows to `out`.

    refused_later: rows that the holders there are have refused, by the words for it in Chinese and
    English. Raises RosterFileError.
    """
    words = _words(found, refused_later)
    write = _write_csv if kind is CorrectionFormat.CSV else _write_xlsx
    write(_lines(roster, words), out)


def _words(
    found: RosterReport, refused_later: Mapping[tuple[str, str], Sequence[int]]
) -> dict[int, str]:
    """By row, what is wrong with it."""
    words = {
        one.row: "\n".join(
            f"{field}：{problem.message_zh} / {problem.message_en}"
            for field, problem in one.problems
        )
        for one in found.refused
    }
    for (zh, en), rows in refused_later.items():
        words |= dict.fromkeys(rows, f"{zh} / {en}")
    return words


def _lines(roster: Path, words: Mapping[int, str]) -> Iterator[list[str]]:
    with open_roster(roster) as file:
        for row in file.rows:
            if row.number in words:
                yield [*map(harmless, row.cells), str(row.number), harmless(words[row.number])]


def _write_csv(lines: Iterator[list[str]], out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(lines)
    text.detach()


def _write_xlsx(lines: Iterator[list[str]], out: BinaryIO) -> None:
    from openpyxl import Workbook  # noqa: PLC0415 - a quarter of a second, for a workbook alone
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - comes with openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 - comes with openpyxl

    book = Workbook(write_only=True)
    sheet = book.create_sheet("roster")
    sheet.append(HEADER)
    for line in lines:
        # What a workbook can't hold at all is wrong in a roster, too, and is said beside it.
        cells = [WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)) for text in line]
        for cell in cells:
            cell.number_format = _TEXT_FORMAT
        sheet.append(cells)
    book.save(out)
