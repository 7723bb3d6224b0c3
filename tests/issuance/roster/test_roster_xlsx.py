"""Workbooks: read as Excel shows them."""

import io
import re
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from roster_making import TITLES, CheckBytes, found, people, valid_number
from workbook_making import (
    SHEET,
    check,
    in_sheet,
    repack,
    shared,
    with_row,
    workbook,
)

from issuance.roster.read import open_roster


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


@pytest.mark.parametrize(
    "formula", ['t="shared" si="0">"</f>', 't="array" ref="B2">A1</f>', 't="dataTable" odd="1"/>']
)
def test_a_formula_of_any_kind_is_seen(check_bytes: CheckBytes, formula: str) -> None:
    content = in_sheet("<f>A1</f>", f"<f {formula}", workbook(with_row(姓名="=A1")))
    assert found(check_bytes(content, name="roster.xlsx")) == {("姓名", "formula_cell")}


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


def test_a_cell_that_is_too_long_is_told_of(check_bytes: CheckBytes) -> None:
    content = in_sheet("福民路213号", "福" * 32_767)
    report = check_bytes(content, name="roster.xlsx")
    assert found(report) == {("通讯地址", "cell_too_long")}
    assert report.to_json()["accepted"] == [2, 3]


def test_how_cells_look_may_be_wrong(check_bytes: CheckBytes) -> None:
    content = repack(
        workbook(),
        {"xl/styles.xml": lambda data: data.replace(b'"gray125"', b'"plaid"')},
    )
    assert check(check_bytes, content) == [1, 2, 3]


def test_an_identity_number_styled_as_a_date_is_not_taken(check_bytes: CheckBytes) -> None:
    def change(book: Workbook) -> None:
        cell = book.active.cell(2, TITLES.index("证件号码") + 1)
        cell.value, cell.number_format = int(valid_number(sequence="003")), "yyyy-mm-dd"

    report = check_bytes(workbook(change=change), name="roster.xlsx")
    assert found(report) == {("证件号码", "number_rounded")}


def test_styled_empty_cells_far_outside_do_no_harm(check_bytes: CheckBytes) -> None:
    content = in_sheet("</row>", '<c r="XFD1" s="0"/></row>')
    content = in_sheet(
        "</sheetData>", '<row r="1048576"><c r="A1048576" s="0"/></row></sheetData>', content
    )
    assert check(check_bytes, content) == [1, 2, 3]


def test_progress_knows_about_how_many_rows_there_are(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook())
    with open_roster(path) as roster:
        assert roster.rows_expected == 3
        assert len(list(roster.rows)) == 3
