"""Figures and retention on the command line: who sees what, files that spreadsheets read, two
people for what erases."""

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from bureau import make_number
from office import Office, refused
from sqlalchemy import update

from card_core.figures import ALL, Dimension, Tally, figures
from card_core.retention_policy import ON_REQUEST_DAYS
from card_core.store import holders
from card_core.store.schema import card_dates
from issuance import figure_files
from issuance.cli.background import in_background
from issuance.figure_files import COLUMNS
from issuance.installation import Installation, utc_now
from issuance.roster.columns import TITLES

COUNT = 12
TWO = ("--with", "li", "--yes")
ROW = (
    "测试{name},居民身份证,{number},{sex},汉,{birth},139{serial:08d},广东省佛山市禅城区福民路1号,"
    "440604,新申领,102,440604015,,"
)


def row(serial: int) -> str:
    number = make_number(serial).text
    sex = "男" if int(number[16]) % 2 else "女"
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    name = chr(0x4E00 + serial)
    return ROW.format(name=name, number=number, sex=sex, birth=birth, serial=serial)


@pytest.fixture
def cards_of_twelve(office: Office) -> Office:
    """Twelve cards, three of them handed over."""
    lines = [",".join(TITLES), *map(row, range(COUNT)), ""]
    office.done("roster", "import", str(office.file("r.csv", "\n".join(lines))), operator="wang")
    office.done("batch", "approve", "r", "--yes", operator="li")
    office.done("batch", "issue", "r", operator="wang")
    for number in (1, 2, 3):
        office.done("card", "activate", f"FS000000{number}", operator="wang")
    return office


def test_figures_on_the_screen_and_in_files(cards_of_twelve: Office) -> None:
    office = cards_of_twelve
    shown = office.done("figures", "--by", "region", operator="auditor")
    assert re.search(r"^440604 +all +all +12 +3 +0.25 +3 +0.25 +0 +0.0 ", shown, re.MULTILINE)
    table, book = office.folder / "figures.csv", office.folder / "figures.xlsx"
    for path in (table, book):
        by = ("--by", "bank", "--by", "month")
        office.done("figures", *by, "--out", str(path), operator="auditor")
        assert path.stat().st_mode & 0o077 == 0
    with table.open(encoding="utf-8-sig", newline="") as file:
        titles, total, *rows = list(csv.reader(file))
    assert titles == [column.title for column in COLUMNS]
    assert (total[:4], len(rows)) == ([ALL, ALL, ALL, "12"], 1)
    assert rows[0][0] == ALL
    assert rows[0][1] == "102"
    sheet = openpyxl.load_workbook(book, read_only=True).active
    assert sheet is not None
    read = [[str(cell) if cell is not None else "" for cell in line] for line in sheet.values]
    assert read[0] == titles
    assert [line[:5] for line in read[1:]] == [line[:5] for line in (total, *rows)]
    other = office.run("figures", "--out", str(office.folder / "f.pdf"), operator="auditor")
    refused(other, ".csv", ".xlsx")


@pytest.mark.parametrize("name", ["security"])
def test_who_may_not_read_figures_is_told_so(office: Office, name: str) -> None:
    refused(office.run("figures", operator=name), "需要的角色", "Needed role")


def test_a_few_cards_are_not_shown(office: Office) -> None:
    assert "Fewer than 10" in office.done("figures", operator="wang")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_one_that_a_spreadsheet_runs(tmp_path: Path, begins: str) -> None:
    evil = f'{begins}HYPERLINK("http://x.test")'
    tally = Tally(evil, "102", "2026-03", False, False, False, False, False, None, 20)
    found = figures([tally], [Dimension.REGION])
    for name in ("f.csv", "f.xlsx"):
        figure_files.write(found, tmp_path / name)
    with (tmp_path / "f.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[2][0] == f"'{evil}"
    sheet = openpyxl.load_workbook(tmp_path / "f.xlsx").active
    assert sheet is not None
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}


def approve(office: Office, waiting: str) -> None:
    approval = re.findall(r"\b[0-9a-f]{32}\b", waiting)[-1]
    office.done("approval", "approve", approval, "--yes", operator="li")


def test_a_person_is_erased_by_two_people_and_the_log_stays_whole(
    cards_of_twelve: Office, site: Installation
) -> None:
    office, card = cards_of_twelve, "FS0000001"
    early = office.run("holder", "erase", card, *TWO, operator="wang")
    refused(early, "请先注销", "cancel it first")
    cancelling = office.done("card", "cancel", card, "--reason", "moved_away", operator="wang")
    approve(office, cancelling)
    early = office.run("holder", "erase", card, *TWO, operator="wang")
    refused(early, "183 天", "183 days")
    with site.store.write() as tx:
        long_ago = site.kernel.clock().date() - timedelta(days=ON_REQUEST_DAYS + 1)
        tx.connection.execute(
            update(card_dates)
            .where(card_dates.c.cancelled_on.is_not(None))
            .values(cancelled_on=long_ago)
        )
        person = holders.find_by_number(tx, make_number(0).text)
    assert person is not None
    waiting = office.done("holder", "erase", person.id, operator="wang")
    approve(office, waiting)
    shown = office.done("holder", "show", person.id, operator="wang")
    assert person.name[0] not in shown.replace("姓名", "")
    assert card in shown
    assert "疑似重复 0 对" in office.done("holder", "duplicates", operator="wang")
    exported = office.run("holder", "export", person.id, "--out", "x.json", operator="wang")
    refused(exported, "没有这条记录", "There is no such holder")
    assert "审计链完整" in office.done("audit", "verify")


def test_a_serving_process_erases_whose_time_is_over(
    cards_of_twelve: Office, site: Installation
) -> None:
    cancel = ("card", "cancel", "FS0000002", "--reason", "moved_away")
    approve(cards_of_twelve, cards_of_twelve.done(*cancel, operator="wang"))

    class Later:
        """A clock that is ten years on, and a day."""

        def now(self) -> datetime:
            return utc_now() + timedelta(days=3651)

    site.kernel.clock = Later().now
    with in_background(site, Later()):  # type: ignore[arg-type]
        pass  # the job runs once before its thread looks whether to stop
    with site.store.read() as tx:
        assert holders.find_by_number(tx, make_number(1).text) is None
        assert holders.find_by_number(tx, make_number(2).text) is not None


def test_periods_are_set_by_two_people(office: Office, site: Installation) -> None:
    assert "3650" in office.done("retention", "show", operator="wang")
    days = ("--holder-days", "2000", "--refused-days", "60", "--approval-days", "200")
    refused(office.run("retention", "set", *days, operator="wang"), "无权", "may not")
    office.done("retention", "set", *days, "--with", "security", "--yes", operator="admin")
    assert "2000" in office.done("retention", "show", operator="wang")
    short = ("--holder-days", "30", "--refused-days", "60", "--approval-days", "200")
    refused(office.run("retention", "set", *short, operator="admin"), "1095", "1095")
    assert "Erased 0 people" in office.done("retention", "run", operator="admin")
    refused(office.run("retention", "run", operator="wang"), "需要的角色", "Needed role")
