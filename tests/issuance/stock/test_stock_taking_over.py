"""A stock of 600 rows on the command line, from its file to cards that are activated, by two
people."""

import json
import re

import pytest
from office import Office, refused
from stock_making import MESSY, ROWS, UNTIDY, stock_rows, to_csv, valid_row

from card_core.states import BatchKind, CardState
from card_core.store import audit, batches, cards, holders
from issuance.installation import Installation

HOLDER_PASSWORD = "482915"


@pytest.fixture
def file(office: Office) -> str:
    return str(office.file("stock.csv", to_csv(stock_rows())))


def stock_id(text: str) -> str:
    return re.findall(r"\b[0-9a-f]{32}\b", text)[-1]


def imported(office: Office, file: str) -> str:
    return stock_id(office.done("stock", "import", file, operator="wang"))


def test_a_stock_is_checked_imported_released_and_taken_over(
    office: Office, file: str, site: Installation
) -> None:
    report = office.folder / "report.json"
    checked = office.run("stock", "check", file, "--report", str(report), operator="li")
    assert checked.exit_code == 1
    found = json.loads(report.read_text())
    assert {
        one["row"]: {(p["field"], p["code"]) for p in one["problems"]} for one in found["refused"]
    } == {row: codes for row, (_, codes) in MESSY.items()}
    good = ROWS - len(MESSY)
    assert len(found["accepted"]) == good
    with site.store.read() as tx:
        assert batches.page(tx, kind=BatchKind.STOCK) == []  # nothing was changed

    made = imported(office, file)
    refused(office.run("stock", "take-over", made, operator="wang"), "尚未放行", "not released")
    own = office.run("stock", "approve", made, "--yes", operator="wang")
    assert own.exit_code == 1
    office.done("stock", "approve", "stock", "--yes", operator="li")
    done = office.done("stock", "take-over", made, operator="wang")
    assert f"已接管 {good} 张卡" in done
    assert office.done("stock", "take-over", made, operator="wang").startswith("已接管")
    assert str(good) in office.done("stock", "list", operator="li")
    assert "issued" in office.done("stock", "show", made, operator="li")
    with site.store.read() as tx:
        for row in (1, *UNTIDY):
            card = cards.find_by_card_number(tx, valid_row(row)["卡号"])
            assert card is not None
            assert card.batch_id == made
        merged = cards.find_by_card_number(tx, valid_row(250)["卡号"])
        live = cards.find_by_card_number(tx, valid_row(249)["卡号"])
        assert merged is not None
        assert live is not None
        assert merged.holder_id == live.holder_id
        assert (merged.state, live.state) == (CardState.CANCELLED, CardState.NORMAL)
        assert holders.find_id_by_number(tx, valid_row(10)["社会保障号码"]) is None
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    assert "ZS0000001" in office.done("card", "list", "stock", operator="li")
    unknown = office.run("card", "list", "nothing", operator="li")
    refused(unknown, "没有这个批次", "no such batch")
    password = str(office.file("holder", HOLDER_PASSWORD))
    activate = ("card", "activate", "ZS0000001", "--e-card", "--password-file", password)
    assert "签发号" in office.done(*activate, operator="wang")


def test_the_same_file_twice_makes_no_second_stock(office: Office, file: str) -> None:
    made = imported(office, file)
    again = office.run("stock", "import", file, operator="wang")
    assert again.exit_code == 1
    assert "未建立批次" in again.stderr
    assert "已在另一存量卡批次" in again.stdout
    office.done("stock", "approve", made, "--yes", operator="li")
    office.done("stock", "take-over", made, operator="wang")
    third = office.run("stock", "check", file, operator="li")
    assert third.exit_code == 1
    assert "接受 0 行" in third.stdout


def test_a_rejected_stock_comes_again(office: Office, file: str) -> None:
    made = imported(office, file)
    approval = office.done("approval", "list", operator="li").split("\n")[1].split()[0]
    office.done("approval", "reject", approval, operator="li")
    refused(office.run("stock", "approve", made, operator="li"), "没有待复核", "waits for approval")
    assert imported(office, file) != made


def test_who_may_not_prepare_is_told_before_the_file_is_read(office: Office) -> None:
    result = office.run("stock", "import", "missing.csv", operator="li")
    assert result.exit_code == 1
    assert "无权" in result.stderr


def test_a_file_that_cannot_be_used_is_exit_code_2(office: Office) -> None:
    for command in ("check", "import"):
        result = office.run("stock", command, "missing.csv", operator="wang")
        assert (result.exit_code, "找不到文件" in result.stderr) == (2, True)
    file = str(office.file("roster.csv", "姓名,卡号\n某,ZS0000001\n"))
    result = office.run("stock", "check", file, operator="wang")
    assert result.exit_code == 2
    assert "缺少列" in result.stderr


def test_a_stock_that_is_not_there_and_one_that_is_a_roster(office: Office, file: str) -> None:
    refused(office.run("stock", "show", "nothing", operator="li"), "没有这个", "no such stock")
    made = imported(office, file)
    refused(office.run("batch", "show", made, operator="li"), "没有这个批次", "no such batch")
    assert made[:18] not in office.done("batch", "list", operator="li")
    other = str(office.file("more.csv", to_csv([valid_row(5000)])))
    office.done("stock", "import", other, "--name", "stock", operator="wang")
    refused(office.run("stock", "show", "stock", operator="li"), "完整的编号", "whole id")


def test_the_screen_names_nobody(office: Office, file: str) -> None:
    shown = office.run("stock", "check", file, operator="li").output
    for row in stock_rows():
        assert row["社会保障号码"] not in shown or not row["社会保障号码"]
        assert not row["手机号码"] or row["手机号码"] == "12" or row["手机号码"] not in shown
