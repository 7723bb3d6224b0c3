"""Workbooks are never trusted: damaged, forged and endless ones are refused in bounds."""

import io
import random
import re
import tracemalloc
import zipfile

import pytest
from roster_making import CheckBytes
from workbook_making import (
    SHEET,
    TEXTS,
    check,
    claim,
    entry_of,
    in_sheet,
    refusal,
    repack,
    shared,
    workbook,
)

from issuance.roster import RosterFileError, xlsx_rows
from issuance.roster.file_error import INFLATED_BYTES_MAX

ENDLESS = {
    "a text": (b"<t>", b"x" * 16_000_000 + b"<t>"),
    "a text in pieces": (b"</is>", b"<r><t>x</t></r>" * 90_000 + b"</is>"),
    "a tag": (b"<sheetData", b'<x y="%s"/><sheetData' % (b"z" * 16_000_000)),
    "a row": (b"</row>", b"<c/>" * 300_000 + b"</row>"),
    "a depth": (b"<sheetData", b"<x>" * 400_000 + b"<sheetData"),
    "names": (b"<sheetData", b"".join(b"<x%d/>" % n for n in range(20_000)) + b"<sheetData"),
    "prefixes": (
        b"<sheetData",
        b"".join(b'<x xmlns:y%d="z"/>' % n for n in range(20_000)) + b"<sheetData",
    ),
    "rows": (b"</sheetData>", b'<row r="1048000"/>%s</sheetData>' % (b"<row/>" * 100_000)),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_a_sheet_without_end_fills_no_memory(check_bytes: CheckBytes, what: str) -> None:
    old, new = ENDLESS[what]
    content = repack(workbook(), {SHEET: lambda data: data.replace(old, new, 1)})
    tracemalloc.start()
    code = refusal(check_bytes, content)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code in {"workbook_too_large", "workbook_damaged", "rows_too_many"}
    assert peak_bytes < 128 << 20


def test_what_stands_around_the_rows_is_forgotten(check_bytes: CheckBytes) -> None:
    around = b"<x><y/></x>" * 50_000
    content = repack(
        workbook(), {SHEET: lambda data: data.replace(b"<sheetData>", around + b"<sheetData>")}
    )
    tracemalloc.start()
    accepted = check(check_bytes, content)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert accepted == [1, 2, 3]
    assert peak_bytes < 4 << 20


@pytest.mark.parametrize("part", [SHEET, TEXTS, "xl/workbook.xml", "xl/styles.xml"])
def test_no_part_may_declare_entities(check_bytes: CheckBytes, part: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    content = repack(
        shared(workbook()),
        {part: lambda data: re.sub(rb"(?=<[a-z])", lambda _: bomb, data, count=1)},
    )
    assert refusal(check_bytes, content) == "workbook_damaged"


def test_nothing_can_stand_before_the_document_type(check_bytes: CheckBytes) -> None:
    hidden = b"<!--%s-->" % (b" " * 100_000) + b'<!DOCTYPE x [<!ENTITY a "b">]>'
    content = repack(workbook(), {SHEET: lambda data: hidden + data})
    assert refusal(check_bytes, content) == "workbook_damaged"


def test_a_small_part_with_too_much_in_it_is_refused(check_bytes: CheckBytes) -> None:
    content = repack(
        workbook(),
        {"xl/styles.xml": lambda data: data.replace(b"</cellXfs>", b"<xf/>" * 600_000)},
    )
    assert refusal(check_bytes, content) == "workbook_too_large"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("</row>", '<c r="XFD1" t="str"><v>x</v></c></row>', "columns_too_many"),
        (
            "</sheetData>",
            '<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>',
            "rows_too_many",
        ),
        ("</sheetData>", '<row r="2"><c r="A2"><v>1</v></c></row></sheetData>', "workbook_damaged"),
        ("</row>", '<c r="A1"><v>1</v></c></row>', "workbook_damaged"),
        ("</row>", '<c r="Z1" t="s"><v>999999</v></c></row>', "workbook_damaged"),
        ("</row>", '<c r="Z1"><v>many</v></c></row>', "workbook_damaged"),
        ("<sheetData>", "<sheetData><row", "workbook_damaged"),
        ("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet', "workbook_damaged"),
        ("</worksheet>", "", "workbook_damaged"),
    ],
)
def test_a_forged_sheet_is_refused(check_bytes: CheckBytes, old: str, new: str, code: str) -> None:
    assert refusal(check_bytes, in_sheet(old, new)) == code


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
def test_a_part_that_is_missing_is_damage(check_bytes: CheckBytes, part: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            if entry.filename != part:
                new.writestr(entry.filename, old.read(entry))
    assert refusal(check_bytes, packed.getvalue()) == "workbook_damaged"


def test_another_archive_with_the_same_ending_is_refused(check_bytes: CheckBytes) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert refusal(check_bytes, packed.getvalue()) == "workbook_damaged"


def test_a_workbook_without_a_visible_sheet_is_refused(check_bytes: CheckBytes) -> None:
    content = repack(
        workbook(),
        {"xl/workbook.xml": lambda data: data.replace(b'state="visible"', b'state="hidden"')},
    )
    assert refusal(check_bytes, content) == "sheet_missing"


@pytest.mark.parametrize(
    ("part", "limit"),
    [
        (SHEET, INFLATED_BYTES_MAX),
        (TEXTS, xlsx_rows.TEXTS_BYTES_MAX),
        ("xl/styles.xml", xlsx_rows.SMALL_PART_BYTES_MAX),
        ("xl/workbook.xml", xlsx_rows.SMALL_PART_BYTES_MAX),
    ],
)
def test_a_part_that_would_unpack_to_too_much_is_refused_before_it_is_unpacked(
    check_bytes: CheckBytes, part: str, limit: int
) -> None:
    content = bytearray(shared(workbook()))
    claim(content, part, limit + 1)
    assert refusal(check_bytes, bytes(content)) == "workbook_too_large"


def test_a_sheet_that_is_not_what_its_directory_claims_is_refused(check_bytes: CheckBytes) -> None:
    content = bytearray(workbook())
    claim(content, SHEET, 100)
    assert refusal(check_bytes, bytes(content)) == "workbook_damaged"


def test_a_directory_that_claims_the_memory_is_refused(check_bytes: CheckBytes) -> None:
    content = bytearray(workbook())
    end = content.rindex(b"PK\x05\x06")
    start = int.from_bytes(content[end + 16 : end + 20], "little")
    directory = content[start:end]
    big = bytes(directory) * (2 * 1024 * 1024 // len(directory))
    content[start:end] = big
    end = start + len(big)
    content[end + 12 : end + 16] = len(big).to_bytes(4, "little")
    assert refusal(check_bytes, bytes(content)) == "workbook_damaged"


def test_an_encrypted_part_is_refused(check_bytes: CheckBytes) -> None:
    content = bytearray(workbook())
    content[entry_of(content, SHEET) + 8] |= 1
    assert refusal(check_bytes, bytes(content)) == "workbook_encrypted"


def test_any_damage_gives_a_report_or_a_refusal(check_bytes: CheckBytes) -> None:
    whole = workbook()
    draw = random.Random(20261122)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(4, len(content))] = draw.randrange(256)
        try:
            check_bytes(bytes(content), name="roster.xlsx")
        except RosterFileError:
            refused += 1
    assert refused > 20


def test_any_truncation_is_refused(check_bytes: CheckBytes) -> None:
    whole = workbook()
    for size in range(4, len(whole) - 22, 97):
        assert refusal(check_bytes, whole[:size]) == "workbook_damaged"
