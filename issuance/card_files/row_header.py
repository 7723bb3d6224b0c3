"""The first line of a file of rows: which file this is, before anything of it is read.

H|kind|1|charset|batch|issuer|partner|records|made at
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from card_core.kernel.dates import SHANGHAI
from issuance.card_files.charset import Charset
from issuance.card_files.errors import CardFileError, ElementError
from issuance.card_files.record import RECORDS_MAX

HEADER_MARK: Final = "H"
KIND_BEGINNING: Final = "SSC"
VERSION: Final = "1"

_INSTANT: Final = "%Y%m%d%H%M%S"
# In the order of the line, from the charset on.
_SHAPES: Final = {
    "charset": "GB18030|GBK",
    "batch": "[0-9A-Za-z_-]{1,32}",
    "issuer": "[0-9]{1,5}",
    "partner": "[0-9A-Z]{1,16}",
    "records": "[1-9][0-9]{0,6}",
    "made_at": "[0-9]{14}",
}


@dataclass(frozen=True, slots=True)
class RowHeader:
    """partner: the bank's or the maker's code, 1 to 16 of 0-9 and A-Z. made_at: aware.

    batch: 1 to 32 of A-Z, a-z, 0-9, _ and -. issuer: 0 to 65535. records: 1 to RECORDS_MAX.
    """

    batch: str
    issuer: int
    partner: str
    records: int
    made_at: datetime
    charset: Charset = Charset.GB18030


def encode_row_header(kind: str, header: RowHeader) -> bytes:
    """The line with its end. Raises ElementError."""
    if header.made_at.tzinfo is None:
        raise ElementError("element_unfit", "made_at", "made_at", "没有时区", "has no time zone")
    cells = {
        "charset": header.charset.value,
        "batch": header.batch,
        "issuer": str(header.issuer),
        "partner": header.partner,
        "records": str(header.records),
        "made_at": header.made_at.astimezone(SHANGHAI).strftime(_INSTANT),
    }
    if wrong := _wrong(cells):
        raise ElementError("element_unfit", wrong, wrong, "超出范围", "is out of range")
    return "|".join((HEADER_MARK, kind, VERSION, *cells.values())).encode("ascii") + b"\n"


def parse_header(line: bytes, kind: str, title_zh: str) -> RowHeader:
    """line: with its end. Raises CardFileError where the file is of another kind, or bad."""
    found = kind_of(line)
    if not found.startswith(KIND_BEGINNING):
        raise CardFileError("kind_unknown")
    if found != kind:
        raise CardFileError("kind_other", wanted=f"{title_zh} {kind}")
    _, _, *parts = _cells(line)
    if parts[:1] != [VERSION]:
        raise CardFileError("version_unknown")
    if len(parts) != 1 + len(_SHAPES):
        raise CardFileError("header_bad", part="fields")
    cells = dict(zip(_SHAPES, parts[1:], strict=True))
    if wrong := _wrong(cells):
        raise CardFileError("header_bad", part=wrong)
    return RowHeader(
        cells["batch"],
        int(cells["issuer"]),
        cells["partner"],
        int(cells["records"]),
        datetime.strptime(cells["made_at"], _INSTANT).replace(tzinfo=SHANGHAI),
        Charset(cells["charset"]),
    )


def kind_of(line: bytes) -> str:
    """What the first line of a file calls it, or nothing."""
    cells = _cells(line)
    return cells[1] if len(cells) > 1 and cells[0] == HEADER_MARK else ""


def _cells(line: bytes) -> list[str]:
    text = line.removesuffix(b"\n").removesuffix(b"\r").decode("ascii", "replace")
    return text.split("|")


def _wrong(cells: dict[str, str]) -> str:
    """The name of the first field that is not as it should be, or nothing."""
    for field, pattern in _SHAPES.items():
        if re.fullmatch(pattern, cells[field], re.ASCII) is None:
            return field
    if int(cells["issuer"]) > 0xFFFF:
        return "issuer"
    if int(cells["records"]) > RECORDS_MAX:
        return "records"
    try:
        datetime.strptime(cells["made_at"], _INSTANT)  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return "made_at"
    return ""
