"""Figures as files: CSV in UTF-8 with a mark, as spreadsheets want it, and XLSX.

The first row names the columns; the total follows, with ALL in its first three cells, then a row
for each of the breakdown. What is not known or not shown is an empty cell; rates are between 0 and
1. Texts are cells that no spreadsheet runs.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from card_core.figures import ALL, Figures, Row
from issuance.errors import FileRefusedError
from issuance.files import PRIVATE, whole_file
from issuance.spreadsheet_cells import harmless


class FigureFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Column:
    """name: of the attribute, and in the API. title: in Chinese and English."""

    name: str
    title: str

    def of(self, row: Row) -> Any:
        if self.name in {"region", "bank", "month"}:
            return harmless(str(getattr(row, self.name)))
        return attrgetter(self.name)(row.counts)


COLUMNS: Final = (
    Column("region", "地区 Region"),
    Column("bank", "银行 Bank"),
    Column("month", "发卡月份 Month of issue"),
    Column("issued", "发卡数 Issued"),
    Column("handed_over", "领卡数 Handed over"),
    Column("handed_over_rate", "领卡率 Handed-over rate"),
    Column("activated", "启用数 Activated"),
    Column("activated_rate", "启用率 Activated rate"),
    Column("ecards_activated", "电子社保卡启用数 E-cards activated"),
    Column("ecards_activated_rate", "电子社保卡启用率 E-card rate"),
    Column("cancelled", "注销数 Cancelled"),
    Column("taken_over", "接管存量卡数 Taken over"),
    Column("days_median", "申领至领卡天数中位数 Days to hand-over, median"),
    Column("days_p95", "申领至领卡天数95分位 Days to hand-over, 95th percentile"),
)


def lines(figures: Figures) -> Iterator[list[Any]]:
    """The total, then the rows; nothing where too few cards are there to be shown."""
    if figures.total is not None:
        for row in (Row(ALL, ALL, ALL, figures.total), *figures.rows):
            yield [column.of(row) for column in COLUMNS]


def write(figures: Figures, path: Path) -> None:
    """As CSV or XLSX, by the name's ending. Raises FileRefusedError."""
    try:
        kind = FigureFormat(path.suffix.lower().removeprefix("."))
    except ValueError:
        raise FileRefusedError(
            "figures_kind_unknown",
            f"文件 {path} 的扩展名应为 .csv 或 .xlsx。",
            f"The name of {path} must end in .csv or .xlsx.",
        ) from None
    with whole_file(path, mode=PRIVATE) as file:
        file.write(content(figures, kind))


def content(figures: Figures, kind: FigureFormat) -> bytes:
    return _csv(figures) if kind is FigureFormat.CSV else _xlsx(figures)


def _csv(figures: Figures) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.title for column in COLUMNS])
    writer.writerows(lines(figures))
    return text.getvalue().encode("utf-8-sig")


def _xlsx(figures: Figures) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 - a quarter of a second, for a workbook alone

    book = Workbook(write_only=True)
    sheet = book.create_sheet("figures")
    sheet.append([column.title for column in COLUMNS])
    for line in lines(figures):
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
