"""What both return files have in common: they are for this bureau, and good in every row."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from issuance.card_files import BadRow, RowFile, RowHeader
from issuance.errors import IssuanceError

_T = TypeVar("_T")


def check_header(header: RowHeader, *, issuer: int, partner: str) -> None:
    """partner: the code of who should have sent it. Raises IssuanceError."""
    if header.issuer != issuer:
        raise IssuanceError(
            "other_issuer",
            f"回盘文件是给发卡机构 {header.issuer} 的，不是本机构 {issuer} 的。请核对文件。",
            f"The return is for issuer {header.issuer} and not for {issuer}. Check the file.",
        )
    if header.partner != partner:
        raise IssuanceError(
            "other_partner",
            f"回盘文件来自 {header.partner}，而该批数据送给了 {partner}。请核对文件。",
            f"The return is from {header.partner}, and this was sent to {partner}. Check the file.",
        )


def good_rows(opened: RowFile[_T], path: Path) -> Iterator[_T]:
    """All rows of a file. Raises IssuanceError at a bad one: a return is taken whole."""
    for row in opened.rows():
        if isinstance(row, BadRow):
            raise IssuanceError(
                "return_has_bad_rows",
                f"回盘文件第 {row.line} 行有误，整个文件未采用。运行 sscard file check {path} "
                "查看全部问题，请对方改正后重发。",
                f"Line {row.line} of the return is wrong, and nothing of the file was taken. "
                f"sscard file check {path} shows all that is wrong; have it corrected and sent "
                "again.",
            )
        yield row
