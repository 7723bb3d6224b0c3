"""The holder base on the command line: look up, duplicates, merge, correct, by two people."""

import re
from pathlib import Path

import pytest
from bureau import make_number
from office import Office, refused

from card_core.identity import check_character, mask_name
from card_core.states import CardState
from card_core.store import cards, holder_changes, holders, scan_reports, scans
from card_core.store.scan_reports import ScanReport
from card_core.store.scans import Scan
from card_core.verdicts import Reason
from issuance.installation import Installation
from issuance.roster.columns import TITLES

ROW = (
    "{name},居民身份证,{number},{sex},汉,{birth},{phone},广东省佛山市禅城区福民路1号,440604,"
    "新申领,102,440604015,,"
)


def row(number: str, name: str, phone: str) -> str:
    sex = "男" if int(number[16]) % 2 else "女"
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return ROW.format(name=name, number=number, sex=sex, birth=birth, phone=phone)


RIGHT = make_number(7).text
_BODY = RIGHT[:16] + str((int(RIGHT[16]) + 2) % 10)
WRONG = _BODY + check_character(_BODY)
OTHER = make_number(300).text
NEW = make_number(301).text
PHONES = ("13225611471", "13225611472", "13225611473")


@pytest.fixture
def people(office: Office) -> Office:
    """Two records of one person, one digit apart, and somebody else; their cards are issued."""
    lines = [
        ",".join(TITLES),
        row(RIGHT, "测试甲", PHONES[0]),
        row(WRONG, "测试甲", PHONES[1]),
        row(OTHER, "测试乙", PHONES[2]),
    ]
    file = str(office.file("roster.csv", "\n".join(lines) + "\n"))
    office.done("roster", "import", file, operator="wang")
    office.done("batch", "approve", "roster", "--yes", operator="li")
    office.done("batch", "issue", "roster", operator="wang")
    return office


def number_file(office: Office, number: str) -> str:
    return str(office.file(f"number-{number[-4:]}", number + "\n"))


def cancel(office: Office, card: str) -> None:
    waiting = office.done("card", "cancel", card, "--reason", "made_in_error", operator="wang")
    approval = re.findall(r"\b[0-9a-f]{32}\b", waiting)[-1]
    office.done("approval", "approve", approval, "--yes", operator="li")


def test_duplicates_are_found_and_merged_by_two(people: Office, site: Installation) -> None:
    listed = people.done("holder", "duplicates", operator="wang")
    assert "疑似重复 1 对" in listed
    assert "号码差一位" in listed
    for secret in (RIGHT, WRONG, "测试甲", *PHONES):
        assert secret not in listed
    stays, gone = re.findall(r"\b[0-9a-f]{32}\b", listed)
    refused(
        people.run("holder", "merge", gone, "--into", stays, operator="wang"),
        "各有一张",
        "cancel one of them first",
    )
    cancel(people, "FS0000002")
    refused(
        people.run("holder", "merge", stays, "--into", gone, operator="wang"),
        "对调",
        "the other way round",
    )
    own = ("holder", "merge", gone, "--into", "FS0000001", "--yes")
    refused(people.run(*own, "--with", "wang", operator="wang"), "经办人", "may not approve")
    done = people.done(*own, "--with", "li", operator="wang")
    assert "已合并" in done
    shown = people.done("holder", "show", gone, operator="li")
    assert f"记录 {gone} 已合并" in shown
    assert stays in shown
    assert "FS0000001" in shown
    assert "FS0000002" in shown
    assert "合并 merge" in shown
    for secret in (RIGHT, WRONG, "测试甲", *PHONES):
        assert secret not in shown
    by_number = people.done("holder", "show", "@" + number_file(people, WRONG), operator="li")
    assert stays in by_number
    assert "疑似重复 0 对" in people.done("holder", "duplicates", operator="wang")
    with site.store.read() as tx:
        assert holder_changes.merged_into(tx, gone) == stays


def test_a_correction_is_entered_twice_and_approved(people: Office, site: Installation) -> None:
    name, number = str(people.file("name", "测试丙\n")), number_file(people, NEW)
    given = ("--name-file", name, "--number-file", number)
    waiting = people.done("holder", "correct", "FS0000003", *given, operator="wang")
    approval = re.findall(r"\b[0-9a-f]{32}\b", waiting)[-1]
    seen = people.done("holder", "review", approval, *given, operator="li")
    assert seen.count("一致 agrees") == 2
    assert mask_name("测试丙") in seen
    for secret in (OTHER, NEW, "测试丙", "测试乙"):
        assert secret not in seen + waiting
    other = str(people.file("other", "测试丁\n"))
    refused(
        people.run("holder", "review", approval, "--name-file", other, operator="li"),
        "不一致",
        "differs",
    )
    people.done("approval", "approve", approval, "--yes", operator="li")
    with site.store.read() as tx:
        card = cards.find_by_card_number(tx, "FS0000003")
        assert card is not None
        assert card.state is CardState.NOT_ACTIVATED
        assert holders.find_id_by_number(tx, OTHER) is None
        assert holders.find_id_by_number(tx, NEW) == card.holder_id
        assert holders.identity_of(tx, card.holder_id).name == "测试丙"
    refused(
        people.run("holder", "show", "@" + number_file(people, OTHER), operator="li"),
        "没有这个持卡人",
        "no such holder",
    )
    assert "更正 correction" in people.done("holder", "show", "fs0000003", operator="li")


def test_what_is_given_wrong_is_said(people: Office, tmp_path: Path) -> None:
    refused(
        people.run("holder", "correct", "FS0000003", operator="wang"), "无需更正", "says already"
    )
    bad = number_file(people, NEW[:-1] + ("0" if NEW[-1] != "0" else "1"))
    result = people.run("holder", "correct", "FS0000003", "--number-file", bad, operator="wang")
    refused(result, "校验位", "check character")
    taken = number_file(people, RIGHT)
    result = people.run("holder", "correct", "FS0000003", "--number-file", taken, operator="wang")
    refused(result, "记录已存在", "already")
    for name, content in (("empty", ""), ("long", "x" * 300), ("binary", b"\xff\xfe")):
        file = str(people.file(name, content))
        result = people.run("holder", "correct", "FS0000003", "--name-file", file, operator="wang")
        refused(result, "第一行", "first line")
    missing = str(tmp_path / "missing")
    refused(
        people.run("holder", "show", f"@{missing}", operator="wang"), "无法读取", "can't be read"
    )
    refused(people.run("holder", "show", "FS9999999", operator="wang"), "没有这个", "no such")
    waiting = people.done("card", "cancel", "FS0000001", "--reason", "death", operator="wang")
    approval = re.findall(r"\b[0-9a-f]{32}\b", waiting)[-1]
    refused(people.run("holder", "review", approval, operator="li"), "不是更正", "no correction")


def test_a_file_of_another_department_is_compared(people: Office) -> None:
    lines = ["证件号码,姓名", f"{RIGHT},测试甲", f"{OTHER},别名", f"{NEW},测试丙"]
    file, output = (
        str(people.file("theirs.csv", "\n".join(lines) + "\n")),
        people.folder / "out.csv",
    )
    result = people.run("holder", "compare", file, "--output", str(output), operator="li")
    assert result.exit_code == 1
    assert re.search(r"Name differs\s+1\n", result.stdout)
    assert re.search(r"Only here\s+1\n", result.stdout)
    assert re.search(r"Only there\s+1\n", result.stdout)
    for secret in (RIGHT, OTHER, NEW, "测试", "别名"):
        assert secret not in result.output
    assert NEW in output.read_text()
    assert output.stat().st_mode & 0o077 == 0
    own = people.run("holder", "compare", file, "--output", file, operator="li")
    assert own.exit_code == 2
    assert "覆盖" in own.stderr
    missing = people.run("holder", "compare", "none.csv", "--output", str(output), operator="li")
    assert missing.exit_code == 2


def test_scans_that_were_not_the_holders_are_listed(people: Office, site: Installation) -> None:
    at = site.kernel.clock()
    scan = Scan(
        id="0" * 31 + "1",
        scanned_at=at,
        terminal_id="0" * 32,
        institution_id="0" * 32,
        holder_id=None,
        card_id=None,
        business_type="02121",
        reason=Reason.ACCEPTED,
        minted_at=None,
        amount_fen=None,
        operator="",
        department="",
    )
    with site.store.write() as tx:
        card = cards.find_by_card_number(tx, "FS0000001")
        assert card is not None
        scans.add_group(tx, [scan])
        scan_reports.add(tx, ScanReport(scan.id, card.holder_id, at))
    listed = people.done("holder", "scan-reports", operator="wang")
    assert card.holder_id in listed
    assert scan.id in listed
    assert "药店购药" in listed
    denied = people.run("holder", "scan-reports", operator="auditor")
    assert denied.exit_code != 0
