"""The bureau's way from roster to activated card on the command line, by two people."""

import re
from pathlib import Path

import pytest
from office import PASSPHRASE, ROSTERS, Office, refused

from card_core.kernel import Actor, ActorKind, enrolment_codes
from card_core.kernel.acts.enrolment import EnrolTerminal
from card_core.states import BatchState
from card_core.store import audit, batches, cards
from issuance.installation import Installation, open_installation

ROSTER = str(ROSTERS / "foshan-600.xlsx")
HOLDER_PASSWORD = "482915"
POINT = "02" + "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
SERIAL = "00000000000000a1"


def batch_id(text: str) -> str:
    return re.findall(r"\b[0-9a-f]{32}\b", text)[-1]


@pytest.fixture
def imported(office: Office) -> str:
    return batch_id(office.done("roster", "import", ROSTER, operator="wang"))


@pytest.fixture
def issued(office: Office, imported: str) -> str:
    office.done("batch", "approve", imported, "--yes", operator="li")
    office.done("batch", "issue", imported, operator="wang")
    return imported


def test_a_roster_becomes_issued_cards_by_maker_and_checker(
    office: Office, issued: str, site: Installation
) -> None:
    with site.store.read() as tx:
        batch = batches.get(tx, issued)
        numbers = {card.card_number for card in cards.page(tx, batch_id=issued)}
        assert sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS) > 0
    assert batch is not None
    assert (batch.state, batch.accepted, batch.refused, batch.issued) == (
        BatchState.ISSUED, 552, 48, 552
    )  # fmt: skip
    assert len(numbers) == 200
    assert "FS0000552" in office.done("batch", "show", issued, operator="li")
    assert "foshan-600" in office.done("batch", "list", operator="li")
    page = office.done("card", "list", issued, operator="li")
    assert numbers == set(re.findall(r"^FS[0-9]{7}", page, re.MULTILINE))
    last = re.findall(r"--after (FS[0-9]{7})", page)[0]
    assert last not in office.done("card", "list", issued, "--after", last, operator="li")


def test_the_maker_cannot_approve_its_own_batch(office: Office, imported: str) -> None:
    result = office.run("batch", "approve", imported, "--yes", operator="wang")
    assert result.exit_code == 1
    assert "经办人不得复核自己提交的操作" in result.stderr
    refused = office.run("batch", "issue", imported, operator="wang")
    assert refused.exit_code == 1
    assert "sscard batch approve" in refused.stderr


def test_approval_shows_what_is_approved_and_asks(office: Office, imported: str) -> None:
    result = office.run("batch", "approve", imported, operator="li")
    assert result.exit_code == 1
    assert "552" in result.stdout
    assert re.search(r"Content root \(SM3\)\s+[0-9a-f]{64}", result.stdout)
    assert "--yes" in result.stderr
    assert "imported" in office.done("batch", "list", operator="li")


def test_only_who_prepares_may_issue(office: Office, imported: str) -> None:
    office.done("batch", "approve", imported, "--yes", operator="li")
    result = office.run("batch", "issue", imported, operator="li")
    assert result.exit_code == 1
    assert "无权" in result.stderr


def test_issuing_again_changes_nothing(office: Office, issued: str) -> None:
    before = office.done("batch", "show", issued, operator="li")
    office.done("batch", "issue", issued, operator="wang")
    assert office.done("batch", "show", issued, operator="li") == before


def test_a_roster_imported_twice_makes_no_second_batch(office: Office, imported: str) -> None:
    again = office.run("roster", "import", ROSTER, operator="wang")
    assert again.exit_code == 1
    assert "552" in again.stdout
    assert "在办申领" in again.stdout
    assert "未建立批次" in again.stderr
    assert office.done("batch", "list", operator="li").count("foshan-600") == 1


def test_a_rejected_batch_lets_its_people_apply_again(office: Office, imported: str) -> None:
    approval = office.done("approval", "list", operator="li").split("\n")[1].split()[0]
    office.done("approval", "reject", approval, operator="li")
    assert "rejected" in office.done("batch", "show", imported, operator="li")
    assert batch_id(office.done("roster", "import", ROSTER, operator="wang")) != imported


def test_a_card_is_activated_lost_found_and_cancelled(office: Office, issued: str) -> None:
    password = str(office.file("holder", HOLDER_PASSWORD))
    activate = ("card", "activate", "FS0000001", "--e-card", "--password-file", password)
    assert "签发号" in office.done(*activate, operator="wang")
    office.done("card", "report-loss", "FS0000001", operator="wang")
    assert "temporary_loss" in office.done("card", "show", "fs0000001", operator="li")
    office.done("card", "withdraw-loss", "FS0000001", operator="wang")
    waiting = office.done("card", "cancel", "FS0000001", "--reason", "death", operator="wang")
    assert "normal" in office.done("card", "show", "FS0000001", operator="li")
    office.done("approval", "approve", batch_id(waiting), "--yes", operator="li")
    shown = office.done("card", "show", "FS0000001", operator="li")
    assert re.search(r"AAZ502\s+9\n", shown)


def test_a_weak_password_leaves_the_card_as_it_was(office: Office, issued: str) -> None:
    password = str(office.file("holder", "123456"))
    activate = ("card", "activate", "FS0000001", "--e-card", "--password-file", password)
    result = office.run(*activate, operator="wang")
    assert result.exit_code == 1
    assert "连续数字" in result.stderr
    shown = office.done("card", "show", "FS0000001", operator="li")
    assert shown.count("not_activated") == 2


def test_the_e_card_can_follow_later(office: Office, issued: str) -> None:
    office.done("card", "activate", "FS0000002", operator="wang")
    password = str(office.file("holder", HOLDER_PASSWORD))
    later = ("card", "activate", "FS0000002", "--e-card", "--password-file", password)
    assert "签发号" in office.done(*later, operator="wang")
    assert office.run(*later, operator="wang").exit_code == 1


def test_a_shown_card_names_nobody_in_full(office: Office, issued: str) -> None:
    shown = office.done("card", "show", "FS0000001", operator="li")
    number = re.search(r"Number\s+(\S{18})\n", shown)
    assert number is not None
    assert set(number[1][3:14]) == {"*"}


def test_a_pharmacy_and_its_terminal_take_two_people(office: Office) -> None:
    first = office.done(
        "institution", "designate", "P44060400001", "--name", "药房", operator="wang"
    )
    assert "P44060400001" not in office.done("institution", "list", operator="li")
    office.done("approval", "approve", batch_id(first), "--yes", operator="li")
    assert re.search(r"P44060400001\s+药房\s+pharmacy\s+440604\s+active",
                     office.done("institution", "list", operator="li"))  # fmt: skip

    prepare = ("terminal", "prepare", SERIAL, "--institution", "P44060400001")
    second = office.done(*prepare, operator="admin")
    code = enrolment_codes.parse(re.findall(r"(?:\w{5}-){3}\w{5}", second)[0])
    own = office.run("approval", "approve", batch_id(second), "--yes", operator="admin")
    assert own.exit_code == 1
    office.done("approval", "approve", batch_id(second)[:20], "--yes", operator="li")
    with open_installation(office.settings, PASSPHRASE.encode()) as site:
        digest = code.digest(site.store.cipher, bytes.fromhex(SERIAL))
        act = EnrolTerminal(bytes.fromhex(SERIAL), code.name, digest, bytes.fromhex(POINT))
        site.kernel.perform(act, actor=Actor(ActorKind.SYSTEM, "test"), request_id="r1")
    assert SERIAL in office.done("terminal", "list", operator="li")
    office.done("terminal", "revoke-key", SERIAL, operator="wang")
    refused(
        office.run("terminal", "withdraw", SERIAL, operator="wang"),
        "enrolment",
        "no such enrolment",
    )

    office.done("terminal", "suspend", SERIAL, operator="wang")
    assert "suspended" in office.done("terminal", "list", operator="li")
    office.done("institution", "suspend", "P44060400001", operator="li")
    narrowed = office.done(
        "institution", "business-types", "P44060400001", "--to", "02121", operator="wang"
    )
    assert "全部" in office.done("institution", "list", operator="li")
    office.done("approval", "approve", batch_id(narrowed), "--yes", operator="li")
    assert re.search(r"suspended\s+02121\n", office.done("institution", "list", operator="li"))
    for noun, what in (("institution", "P44060400001"), ("terminal", SERIAL)):
        waiting = office.done(noun, "reinstate", what, operator="wang")
        office.done("approval", "approve", batch_id(waiting), "--yes", operator="li")
        assert "suspended" not in office.done(noun, "list", operator="li")


def test_an_operator_is_added_by_two_and_may_then_work(office: Office, tmp_path: Path) -> None:
    password = str(office.file("zhao.password", "Lantern 4 Estuary"))
    added = office.done(
        "operator", "add", "zhao", "--display-name", "赵", "--role", "maker", "--role", "checker",
        "--password-file", password, operator="admin",
    )  # fmt: skip
    new = str(office.file("zhao.new", "Hornbeam 4 Estuary"))
    office.new_key("zhao")
    key = office.key_options("zhao")
    enrol = ("operator", "enrol", "zhao", "--password-file", password, "--new-password-file", new)
    sign_in = ("operator", "sign-in", "zhao", "--password-file", new, *key)
    assert office.run(*enrol, *key).exit_code == 1
    refused(
        office.run("approval", "approve", batch_id(added), "--yes", operator="li"),
        "无权",
        "may not",
    )
    approve = ("approval", "approve", "--yes")
    office.done(*approve, batch_id(added), operator="security")
    refused(
        office.run("operator", "sign-in", "zhao", "--password-file", password, *key),
        "尚未登记第二因素",
        "No second factor",
    )
    office.done(*enrol, *key)
    office.done(*sign_in)
    refused(office.run(*enrol, *key), "第二因素不正确", "is wrong")
    assert re.search(
        r"zhao\s+赵\s+checker, maker\s+sm2", office.done("operator", "list", operator="zhao")
    )
    newer = str(office.file("zhao.newer", "Ferry Slip 9 Estuary"))
    change = ("operator", "password", "zhao", "--password-file", new, "--new-password-file")
    office.done(*change, newer, *key)
    assert office.run("operator", "list", operator="zhao").exit_code == 1
    assert office.run(*sign_in).exit_code == 1
    sign_in = ("operator", "sign-in", "zhao", "--password-file", newer, *key)
    office.done(*sign_in)
    changed = office.done("operator", "roles", "zhao", "--role", "auditor", operator="admin")
    office.done(*approve, batch_id(changed), operator="security")
    assert office.run("operator", "list", operator="zhao").exit_code == 1
    office.done(*sign_in)
    reset = office.done("operator", "reset", "zhao", "--password-file", new, operator="admin")
    office.done(*approve, batch_id(reset), operator="security")
    assert office.run(*sign_in).exit_code == 1
    suspended = office.done("operator", "suspend", "zhao", operator="admin")
    office.done(*approve, batch_id(suspended), operator="security")
    assert office.run("operator", "list", operator="zhao").exit_code == 1


def test_a_batch_is_paused_resumed_and_cancelled(office: Office) -> None:
    roster = str(ROSTERS / "foshan-2000.csv")
    office.done("roster", "import", roster, operator="wang")
    office.done("batch", "approve", "foshan-2000", "--yes", operator="li")
    assert "0 of " in office.done("batch", "pause", "foshan-2000", operator="li")
    refused = office.run("batch", "issue", "foshan-2000", operator="wang")
    assert refused.exit_code == 1
    assert "sscard batch resume" in refused.stderr
    office.done("batch", "resume", "foshan-2000", operator="wang")
    waiting = office.done("batch", "cancel", "foshan-2000", operator="wang")
    office.done("approval", "approve", batch_id(waiting), "--yes", operator="li")
    assert "cancelled" in office.done("batch", "list", operator="li")
    shown = office.done("batch", "show", "foshan-2000", operator="li")
    first = next(line for line in shown.splitlines() if line.startswith("1 "))
    # The numbers that the release took are told, and that nobody has them.
    assert re.search(r"FS0000001\s+FS0000500\s+.*never used", first)
    assert office.run("batch", "issue", "foshan-2000", operator="wang").exit_code == 1
    again = office.done("roster", "import", roster, "--name", "again", operator="wang")
    office.done("batch", "approve", batch_id(again), "--yes", operator="li")
    office.done("batch", "issue", "again", operator="wang")
    assert "FS0000001" not in office.done("card", "list", "again", operator="wang")
