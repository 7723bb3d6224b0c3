"""Workbooks: read as Excel shows them, and never trusted."""

import io
import random
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from roster_making import TITLES, VALID_ROW, CheckBytes, found, people, valid_number

from issuance.roster import RosterFileError, xlsx_package
from issuance.roster.file_error import INFLATED_BYTES_MAX
from issuance.roster.read import open_roster

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
        archive.writestr(TEXTS, b"<sst>%s</sst>" % items)
    return changed.getvalue()


def refusal(check_bytes: CheckBytes, content: bytes) -> str:
    with pytest.raises(RosterFileError) as caught:
        check_bytes(content, name="roster.xlsx")
    return caught.value.code


def check(check_bytes: CheckBytes, content: bytes) -> list[int]:
    accepted = check_bytes(content, name="roster.xlsx").to_json()["accepted"]
    assert isinstance(accepted, list)
    return accepted


def test_a_workbook_is_read(check_bytes: CheckBytes) -> None:
    report = check_bytes(workbook(), name="ROSTER.XLSX")
    assert report.to_json()["accepted"] == [1, 2, 3]
    assert report.applications[0].name == "邓小军"


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("出生日期", date(1965, 10, 30)),
        ("出生日期", datetime(1965, 10, 30, 0, 0)),  # noqa: DTZ001 (Excel knows no zones)
        ("出生日期", 24045),
        ("出生日期", 19651030),
        ("手机号码", 13225611477),
        ("手机号码", 13225611477.0),
        ("发卡银行", 102),
        ("户籍行政区划", 440604),
        ("领卡网点", 440604015),
        ("民族", 1),
        ("监护人姓名", None),
    ],
)
def test_numbers_and_dates_are_what_they_show(
    check_bytes: CheckBytes, title: str, value: object
) -> None:
    report = check_bytes(workbook(with_row(**{title: value})), name="roster.xlsx")
    assert found(report) == set()
    assert report.applications[0].birth_on == date(1965, 10, 30)


@pytest.mark.parametrize("style", ["yyyy-mm-dd", "m/d/yy", 'yyyy"年"m"月"d"日"', "[$-804]d-mmm"])
def test_a_date_is_known_by_its_style(check_bytes: CheckBytes, style: str) -> None:
    def change(book: Workbook) -> None:
        cell = book.active.cell(2, TITLES.index("出生日期") + 1)
        cell.value, cell.number_format = 24045, style

    assert check(check_bytes, workbook(change=change)) == [1, 2, 3]


def test_a_number_is_no_date_for_a_word_in_its_style(check_bytes: CheckBytes) -> None:
    def change(book: Workbook) -> None:
        cell = book.active.cell(2, TITLES.index("手机号码") + 1)
        cell.value, cell.number_format = 13225611477, '[Red]0" every day"'

    assert check(check_bytes, workbook(change=change)) == [1, 2, 3]


def test_a_workbook_that_counts_from_1904_is_understood(check_bytes: CheckBytes) -> None:
    content = workbook(with_row(出生日期=date(1965, 10, 30)))
    moved = repack(
        in_sheet("<v>24045</v>", "<v>22583</v>", content),
        {
            "xl/workbook.xml": lambda data: data.replace(
                b"<workbookPr ", b'<workbookPr date1904="1" '
            )
        },
    )
    assert check(check_bytes, moved) == [1]


@pytest.mark.parametrize("value", [440604196510300011, 4.40604196510300e17])
def test_a_number_that_excel_has_rounded_is_not_taken(
    check_bytes: CheckBytes, value: float
) -> None:
    report = check_bytes(workbook(with_row(证件号码=value)), name="roster.xlsx")
    assert found(report) == {("证件号码", "number_rounded")}


def test_even_a_valid_number_is_not_taken_from_a_cell_that_cannot_hold_it(
    check_bytes: CheckBytes,
) -> None:
    number = valid_number(sequence="003")
    assert number.isdigit()
    content = in_sheet(
        f'<c r="D2" t="inlineStr"><is><t>{valid_number()}</t></is>', f'<c r="D2"><v>{number}</v>'
    )
    report = check_bytes(content, name="roster.xlsx")
    assert found(report) == {("证件号码", "number_rounded")}


def test_the_first_days_that_excel_counts_are_the_right_ones(check_bytes: CheckBytes) -> None:
    # Day 1 is 1 January 1900, though day 61 is 1 March.
    row = with_row(出生日期=date(1900, 1, 1), 证件号码=valid_number("19000101"))
    content = workbook(row)
    assert b"<v>1</v>" in zipfile.ZipFile(io.BytesIO(content)).read(SHEET)
    assert check(check_bytes, content) == [1]


def test_a_formula_is_seen_and_not_its_result(check_bytes: CheckBytes) -> None:
    content = workbook(with_row(姓名="=A1"))
    # As a spreadsheet saves it: with the result of the last calculation beside the formula.
    calculated = in_sheet(
        "<f>A1</f><v */>|<f>A1</f><v></v>|<f>A1</f>", "<f>A1</f><v>邓小军</v>", content
    )
    assert found(check_bytes(calculated, name="roster.xlsx")) == {("姓名", "formula_cell")}


def test_text_that_looks_like_a_formula_is_refused_too(check_bytes: CheckBytes) -> None:
    def change(book: Workbook) -> None:
        book.active["B2"].value = '=HYPERLINK("x","y")'
        book.active["B2"].data_type = "s"

    report = check_bytes(workbook(change=change), name="roster.xlsx")
    assert found(report) == {("姓名", "formula_cell")}


@pytest.mark.parametrize("is_shared", [False, True])
def test_rich_text_is_joined_and_ruby_over_it_is_no_part_of_it(
    check_bytes: CheckBytes, is_shared: bool
) -> None:
    rich = "<r><t>邓</t></r><r><t>小军</t></r><rPh sb='0' eb='1'><t>deng</t></rPh>"
    content = in_sheet("<t>邓小军</t>", rich)
    report = check_bytes(shared(content) if is_shared else content, name="roster.xlsx")
    assert report.applications[0].name == "邓小军"


def test_shared_texts_are_read_like_inline_ones(check_bytes: CheckBytes) -> None:
    inline, by_number = workbook(), shared(workbook())
    assert b't="s"' in zipfile.ZipFile(io.BytesIO(by_number)).read(SHEET)
    one = check_bytes(inline, name="roster.xlsx")
    other = check_bytes(by_number, name="roster.xlsx")
    assert one.applications == other.applications
    assert len(one.applications) == 3


def test_cells_and_rows_without_references_are_counted(check_bytes: CheckBytes) -> None:
    content = repack(workbook(), {SHEET: lambda data: re.sub(rb' r="[A-Z]*\d+"', b"", data)})
    assert check(check_bytes, content) == [1, 2, 3]


def test_elements_may_have_a_prefix(check_bytes: CheckBytes) -> None:
    content = repack(
        workbook(),
        {
            SHEET: lambda data: re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", data).replace(
                b"xmlns=", b"xmlns:x="
            )
        },
    )
    assert check(check_bytes, content) == [1, 2, 3]


def test_the_first_visible_sheet_counts(check_bytes: CheckBytes) -> None:
    def change(book: Workbook) -> None:
        book.create_sheet("notes", 0).append(["nothing here"])
        book.worksheets[0].sheet_state = "hidden"
        book.create_sheet("more").append(["nothing here either"])

    assert check(check_bytes, workbook(change=change)) == [1, 2, 3]


def test_rows_left_out_keep_their_number(check_bytes: CheckBytes) -> None:
    one, two = (list(row.values()) for row in people(2))
    assert check(check_bytes, workbook([list(TITLES), one, [], [], two])) == [1, 4]


@pytest.mark.parametrize(
    "text", ["<t>" + "福" * 4_000_000 + "</t>", "<r><t>福民路福民路福民路</t></r>" * 400_000]
)
def test_a_cell_without_end_is_too_long_and_fills_no_memory(
    check_bytes: CheckBytes, text: str
) -> None:
    content = in_sheet("<t>广东省佛山市禅城区福民路213号</t>", text)
    tracemalloc.start()
    report = check_bytes(content, name="roster.xlsx")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20
    assert found(report) == {("通讯地址", "cell_too_long")}
    assert report.to_json()["accepted"] == [2, 3]


def test_styled_empty_cells_far_outside_do_no_harm(check_bytes: CheckBytes) -> None:
    content = in_sheet("</row>", '<c r="XFD1" s="0"/></row>')
    content = in_sheet(
        "</sheetData>", '<row r="1048576"><c r="A1048576" s="0"/></row></sheetData>', content
    )
    assert check(check_bytes, content) == [1, 2, 3]


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
        (TEXTS, xlsx_package.TEXT_BYTES_MAX),
        ("xl/styles.xml", xlsx_package.SMALL_PART_BYTES_MAX),
        ("xl/workbook.xml", xlsx_package.SMALL_PART_BYTES_MAX),
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


def test_progress_knows_about_how_many_rows_there_are(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook())
    with open_roster(path) as roster:
        assert roster.rows_expected == 3
        assert len(list(roster.rows)) == 3


def test_an_encrypted_part_is_refused(check_bytes: CheckBytes) -> None:
    content = bytearray(workbook())
    content[entry_of(content, SHEET) + 8] |= 1
    assert refusal(check_bytes, bytes(content)) == "workbook_encrypted"


def test_any_damage_gives_a_report_or_a_refusal(check_bytes: CheckBytes) -> None:
    whole = workbook()
    draw = random.Random(20261122)  # noqa: S311 (only has to be the same each time)
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


def test_another_reader_sees_the_same_people(check_bytes: CheckBytes) -> None:
    content = workbook()
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    theirs = [row[3] for row in sheet.iter_rows(min_row=2, values_only=True)]
    ours = check_bytes(content, name="roster.xlsx").applications
    assert [one.number.text for one in ours] == theirs
    assert theirs[0] == valid_number()


def entry_of(content: bytearray, part: str) -> int:
    """Where the part's entry in the archive's directory starts."""
    name = content.rindex(part.encode())
    return content.rindex(b"PK\x01\x02", 0, name)


def claim(content: bytearray, part: str, size: int) -> None:
    """Make the archive's directory claim another unpacked size for a part."""
    at = entry_of(content, part)
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
