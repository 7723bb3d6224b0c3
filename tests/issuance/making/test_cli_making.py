"""What the commands between number and card say no to, and what they leave behind."""

from pathlib import Path

import pytest
from maker_works import CODE, COMPONENTS, TRANSPORT_KEY, MakerWorks
from office import Office, refused

from benchmarks.bench_issuance.people import applications
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.banking import OpenBankReturn
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.store import batches, operators
from issuance.batches import new_request_id
from issuance.installation import Installation
from tests.stranger import bank, card_maker

BATCH = "few"
PEOPLE = 3
NAME = "欧阳建国"


@pytest.fixture
def issued(office: Office, site: Installation) -> Office:
    """An office with a batch of PEOPLE cards of one bank and branch, and a maker."""
    MakerWorks(office).register()
    with site.store.read() as tx:
        who = {name: operators.find_by_name(tx, name) for name in ("wang", "li")}
    actors = {name: Actor(ActorKind.OPERATOR, one.id) for name, one in who.items() if one}
    roster = ImportRoster(BATCH, bytes(32), tuple(applications(0, PEOPLE)), 0)
    imported = site.kernel.perform(roster, actor=actors["wang"], request_id=new_request_id())
    site.kernel.approve(
        imported["approval_id"],
        content_hash=imported["content_hash"],
        actor=actors["li"],
        request_id=new_request_id(),
    )
    act = IssueChunk(imported["batch_id"])
    site.kernel.perform(act, actor=actors["wang"], request_id=new_request_id())
    return office


def opening(office: Office) -> tuple[dict[str, str], list[dict[str, str]]]:
    out = office.folder / "102.txt"
    office.done("batch", "bank-file", BATCH, "--bank", "102", "--out", str(out), operator="wang")
    return bank.read_opening(out.read_bytes())


def order(office: Office, *options: str) -> None:
    office.done(
        "batch", "order", BATCH, "--maker", CODE, "--with", "li", "--yes", *options,
        operator="wang",
    )  # fmt: skip


def change_key(office: Office, works: MakerWorks) -> None:
    """Files that are written from now on are for these works."""
    point = works.key.public_key().to_bytes().hex()
    office.done(
        "maker", "change-key", CODE, "--public-key", point, "--with", "li", "--yes",
        operator="admin",
    )  # fmt: skip


def test_a_return_with_a_bad_row_changes_nothing_and_one_that_is_open_is_shown(
    issued: Office, site: Installation
) -> None:
    head, rows = opening(issued)
    good = bank.answer(head, rows, {})
    lines = good.decode("ascii").splitlines()[1:-1]
    lines[1] = lines[1].replace("|1|", "|2|", 1)
    file = issued.file("bad.back", bank.sealed(good.decode("ascii").splitlines()[0], lines))
    taken = issued.run("batch", "bank-return", str(file), operator="wang")
    refused(taken, "第 3 行有误，整个文件未采用", "Line 3 of the return is wrong")
    assert "22" in issued.done("batch", "making", BATCH, operator="wang")
    cut = issued.file("cut.back", good[:-1])
    assert issued.run("batch", "bank-return", str(cut), operator="wang").exit_code == 1
    with site.store.read() as tx:
        (batch,), wang = batches.page(tx), operators.find_by_name(tx, "wang")
    assert wang
    site.kernel.perform(
        OpenBankReturn(batch.id, "102", bytes(32)),
        actor=Actor(ActorKind.OPERATOR, wang.id),
        request_id=new_request_id(),
    )
    shown = issued.run("batch", "making", BATCH, operator="wang")
    assert f"银行 102 的回盘尚未读完：已采用 0 / {PEOPLE} 张" in shown.stderr
    assert f"0 of {PEOPLE} cards are answered" in shown.stderr
    ok = str(issued.file("ok.back", good))
    progress = issued.run("batch", "bank-return", ok, operator="wang").stderr
    assert f"{PEOPLE}/{PEOPLE}" in progress
    assert "102" not in issued.run("batch", "making", BATCH, operator="wang").stderr


def test_a_return_of_somebody_else_is_named_as_that(issued: Office) -> None:
    head, rows = opening(issued)
    for changed, code in (
        ({"issuer": "8"}, "The return is for issuer 8 and not for 7"),
        ({"partner": "103"}, "no such record was sent"),
        ({"batch": "f" * 32}, "There is no such batch"),
    ):
        file = issued.file("other.back", bank.answer({**head, **changed}, rows, {}))
        taken = issued.run("batch", "bank-return", str(file), operator="wang")
        assert taken.exit_code == 1
        assert code in taken.stderr


def test_nobody_orders_alone_and_nothing_is_ordered_twice(issued: Office) -> None:
    wanted = ("batch", "order", BATCH, "--maker", CODE)
    refused(issued.run(*wanted, operator="wang"), "没有待报卡商的卡", "waits for a maker")
    waiting = issued.done(*wanted, "--without-bank", operator="wang")
    assert "another person has to approve it" in waiting
    out = issued.folder / "cards.ssc"
    file = ("batch", "maker-file", BATCH, "--out", str(out))
    refused(issued.run(*file, operator="wang"), "没有这张制卡单", "no such order")
    approval = waiting.split("Approval id ")[1].split()[0]
    assert issued.run("approval", "approve", approval, "--yes", operator="wang").exit_code == 1
    issued.done("approval", "approve", approval, "--yes", operator="li")
    again = issued.run(*wanted, "--without-bank", "--with", "li", "--yes", operator="wang")
    assert "preparing" in again.stderr
    issued.done(*file, operator="wang")
    withdrawn = issued.run("batch", "withdraw-order", BATCH, operator="wang")
    assert "sent" in withdrawn.stderr


def test_a_file_that_is_written_again_has_the_same_records_under_another_key(
    issued: Office,
) -> None:
    works = MakerWorks(issued)
    change_key(issued, works)
    order(issued, "--without-bank")
    paths = [issued.folder / name for name in ("one.ssc", "two.ssc")]
    for path in paths:
        issued.done("batch", "maker-file", BATCH, "--out", str(path), operator="wang")
    first, second = paths
    assert first.read_bytes() != second.read_bytes()
    assert works.read(first) == works.read(second)


def test_names_numbers_and_keys_are_nowhere_in_clear(issued: Office) -> None:
    order(issued, "--without-bank")
    works = MakerWorks(issued)
    change_key(issued, works)
    out = issued.folder / "cards.ssc"
    issued.done("batch", "maker-file", BATCH, "--out", str(out), operator="wang")
    found = works.read(out)
    works.check_keys(found)
    assert {card.elements["name"] for card in found} == {NAME}
    kept = [out, *(issued.folder / "home").glob("sscard.db*")]
    assert len(kept) > 1
    secrets = [NAME.encode(), NAME.encode("gb18030"), TRANSPORT_KEY]
    for card in found:
        secrets.append(card.elements["social_security_number"].encode())
        for key in card.keys.values():
            secrets += [key, card_maker.one_block(TRANSPORT_KEY, key)]
    for path in kept:
        data = path.read_bytes()
        assert not [secret for secret in secrets if secret in data], path.name
    assert out.stat().st_mode & 0o077 == 0


def test_a_transport_key_takes_two_different_components(office: Office) -> None:
    works = MakerWorks(office)
    works.register()
    one = str(office.file("one", COMPONENTS[0]))
    short = str(office.file("short", "0011"))
    for files in ([one], [one, one], [one, short]):
        options = [text for path in files for text in ("--component-file", path)]
        taken = office.run("maker", "transport-key", CODE, *options, operator="admin")
        assert taken.exit_code == 1
        assert "component" in taken.stderr
    taken = office.run("maker", "transport-key", CODE, "--component-file", one, operator="wang")
    assert "Needed role: administrator" in taken.stderr
    assert "有 yes" in office.done("maker", "list", operator="admin")


def test_without_a_transport_key_nothing_is_prepared(issued: Office) -> None:
    point = MakerWorks(issued).key.public_key().to_bytes().hex()
    issued.done(
        "maker", "register", "M02", "--name", "另一家", "--public-key", point, "--with", "li",
        "--yes", operator="admin",
    )  # fmt: skip
    issued.done(
        "batch", "order", BATCH, "--maker", "M02", "--without-bank", "--with", "li", "--yes",
        operator="wang",
    )  # fmt: skip
    out = issued.folder / "cards.ssc"
    taken = issued.run("batch", "maker-file", BATCH, "--out", str(out), operator="wang")
    refused(taken, "没有与卡商 M02 约定的传输密钥", "No transport key was agreed with maker M02")
    assert not Path(out).exists()
    issued.done("batch", "withdraw-order", BATCH, operator="wang")
    order(issued, "--without-bank")
    issued.done("batch", "maker-file", BATCH, "--out", str(out), operator="wang")
