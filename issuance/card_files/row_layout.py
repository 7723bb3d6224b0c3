"""Files of rows (银行文件, 回盘文件): text with `|`, a header and a trailer with count and digest.

    H|kind|1|charset|batch|issuer|partner|records|made at
    D|number|…
    T|records|SM3 of all bytes before this line, 64 hexadecimal digits

Lines end with LF, or CR LF. The second byte of a character may be that of `|` (東 does so): a line
is decoded first and parted then. The digest finds damage and no forger: these files come by a way
that both sides trust.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from issuance.card_files.columns import Column, RowProblem

ROW_MARK: Final = "D"
TRAILER_MARK: Final = "T"

T = TypeVar("T")


class RowError(Exception):
    """Columns that are right by themselves and say different things."""

    def __init__(self, *problems: RowProblem) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """One kind of file. kind: as the header names it. columns: the first is the row's number.

    make: a value from cells whose columns are right; raises RowError.
    """

    kind: str
    title_zh: str
    title_en: str
    columns: tuple[Column, ...]
    make: Callable[[tuple[str, ...]], T]
