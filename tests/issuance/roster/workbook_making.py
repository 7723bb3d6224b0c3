"""Workbooks as openpyxl writes them, and as nobody should."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping

import pytest
from openpyxl import Workbook
from openpyxl.xml.constants import SHEET_MAIN_NS
from roster_making import TITLES, VALID_ROW, CheckBytes, people

from issuance.roster import RosterFileError

SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
ROWS = [list(TITLES), *(list(row.values()) for row in people(3))]


def workbook(
    rows: list[list[object]] | None = None, change: Callable[[Workbook], object] | None = None
) -> bytes:
    book = Workbook()
    for row in rows or ROWS:
        book.active.append(row)
    if change:
        change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def with_row(**changes: object) -> list[list[object]]:
    return [list(TITLES), [{**VALID_ROW, **changes}[title] for title in TITLES]]


def repack(content: bytes, changes: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """The workbook with some parts changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", 8) as new:
        for entry in old.infolist():
            new.writestr(
                entry.filename,
                changes.get(entry.filename, lambda data: data)(old.read(entry)),
            )
    return packed.getvalue()


def in_sheet(old: str, new: str, content: bytes | None = None) -> bytes:
    def change(data: bytes) -> bytes:
        assert re.search(old.encode(), data)
        return re.sub(old.encode(), new.encode(), data, count=1)

    return repack(content or workbook(), {SHEET: change})


def shared(content: bytes) -> bytes:
    """The workbook with its texts in a table of their own, as Excel writes it."""
    texts: list[bytes] = []

    def move(found: re.Match[bytes]) -> bytes:
        texts.append(found[2])
        return b'<c %s t="s"><v>%d</v></c>' % (found[1], len(texts) - 1)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read(SHEET)
    sheet = re.sub(rb'<c ([^>]*?) t="inlineStr"><is>(.*?)</is></c>', move, sheet)
    changed = io.BytesIO(repack(content, {SHEET: lambda _: sheet}))
    with zipfile.ZipFile(changed, "a", zipfile.ZIP_DEFLATED) as archive:
        items = b"".join(b"<si>%s</si>" % text for text in texts)
        archive.writestr(TEXTS, b'<sst xmlns="%s">%s</sst>' % (SHEET_MAIN_NS.encode(), items))
    return changed.getvalue()


def refusal(check_bytes: CheckBytes, content: bytes) -> str:
    with pytest.raises(RosterFileError) as caught:
        check_bytes(content, name="roster.xlsx")
    return caught.value.code


def check(check_bytes: CheckBytes, content: bytes) -> list[int]:
    accepted = check_bytes(content, name="roster.xlsx").to_json()["accepted"]
    assert isinstance(accepted, list)
    return accepted


def entry_of(content: bytearray, part: str) -> int:
    """Where the part's entry in the archive's directory starts."""
    name = content.rindex(part.encode())
    return content.rindex(b"PK\x01\x02", 0, name)


def claim(content: bytearray, part: str, size: int) -> None:
    """Make the archive's directory claim another unpacked size for a part."""
    at = entry_of(content, part)
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
