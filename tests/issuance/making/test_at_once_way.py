"""At the window over the command line: one application to a card in hand at one visit, another by
a batch. The branch's device is a program that knows docs/files.md alone."""

import re

import pytest
from filing import newcomer
from maker_works import CODE, MakerWorks
from office import Office, refused
from test_batch_way import order_id_of

from card_core.application import Application
from card_core.identity import Sex
from card_core.states import CardState, MakingState
from card_core.store import audit, blank_cards, cards, makings
from card_core.store.blank_cards import Blanks
from issuance.installation import Installation
from issuance.roster.columns import TITLES
from tests.stranger import card_maker

BRANCH = "440604001"


def row_of(one: Application) -> str:
    sex = "男" if one.sex is Sex.MALE else "女"
    cells = (
        one.name, "居民身份证", one.number.text, sex, "汉族", one.birth_on.isoformat(),
        one.phone, one.address, one.region, "新申领", one.bank, one.branch, "", "",
    )  # fmt: skip
    return ",".join(TITLES) + "\n" + ",".join(cells) + "\n"


def filed(office: Office, application: Application, *options: str) -> str:
    """The id of an application that wang files."""
    file = office.file(f"{application.number.text[-4:]}.csv", row_of(application))
    said = office.done(
        "application", "file", str(file), "--evidence", "identity_document", *options,
        operator="wang",
    )  # fmt: skip
    found = re.search(r"[0-9a-f]{32}", said)
    assert found
    return found[0]


def blanks(site: Installation) -> Blanks:
    with site.store.read() as tx:
        return blank_cards.of(tx, BRANCH)


def state(site: Installation, card_number: str) -> tuple[CardState, MakingState]:
    with site.store.read() as tx:
        card = cards.find_by_card_number(tx, card_number)
        assert card is not None
        making = makings.get(tx, card.id)
    assert making is not None
    return card.state, making.state


@pytest.fixture
def device(office: Office) -> MakerWorks:
    works = MakerWorks(office)
    works.register()
    office.done(
        "blank", "receive", BRANCH, "--count", "3", "--with", "li", "--yes", operator="wang"
    )
    return works


def made(
    office: Office, device: MakerWorks, card_number: str, failed: dict[int, str], serial: int
) -> None:
    """The device's file out, read by its own program, and its answer in."""
    out = office.folder / f"{card_number}-{serial}.ssc"
    options = ("--maker", CODE, "--out", str(out))
    office.done("application", "make", card_number, *options, operator="wang")
    found = device.read(out)
    device.check_keys(found)
    assert [one.elements["card_number"] for one in found] == [card_number]
    order_id = order_id_of(out)
    content = card_maker.answer(found, batch=order_id, issuer=7, failed=failed, first_serial=serial)
    back = office.file(f"{out.name}.back", content)
    office.done("batch", "maker-return", str(back), operator="wang")


def test_a_card_at_one_visit(office: Office, site: Installation, device: MakerWorks) -> None:
    filing_id = filed(office, newcomer(), "--at-once")
    shown = office.done("application", "show", filing_id, operator="li")
    assert newcomer().name not in shown
    assert newcomer().number.text not in shown
    assert filing_id[:8] in office.done("application", "list", operator="li")
    refused(
        office.run("application", "accept", filing_id, operator="wang"), "无权", "may not do this"
    )
    office.done("application", "accept", filing_id, operator="li")
    said = office.done("application", "issue", filing_id, operator="wang")
    found = re.search(r"卡号 (\w{9})", said)
    assert found
    number = found[1]
    assert state(site, number) == (CardState.NOT_ACTIVATED, MakingState.AWAITING_DEVICE)
    # The first blank is spoiled, the second becomes the card.
    made(office, device, number, {1: "01"}, 0)
    assert state(site, number)[1] is MakingState.DEVICE_FAILED
    with site.store.read() as tx:
        card = cards.find_by_card_number(tx, number)
    assert card is not None
    office.done("batch", "rework", card.batch_id, operator="wang")
    made(office, device, number, {}, 1)
    assert state(site, number)[1] is MakingState.MADE_AT_ONCE
    office.done("card", "activate", number, operator="wang")
    assert state(site, number) == (CardState.NORMAL, MakingState.HANDED_OVER)
    assert blanks(site) == Blanks(BRANCH, received=3, on_hand=1, in_device=0, used=1, spoiled=1)
    listed = office.done("blank", "list", operator="wang")
    assert re.search(rf"{BRANCH}\D+3\D+1\D+0\D+1\D+1", listed)
    with site.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


def test_a_file_that_was_lost_is_written_again_for_the_same_blank(
    office: Office, site: Installation, device: MakerWorks
) -> None:
    filing_id = filed(office, newcomer(), "--at-once")
    office.done("application", "accept", filing_id, operator="li")
    said = office.done("application", "issue", filing_id, operator="wang")
    found = re.search(r"卡号 (\w{9})", said)
    assert found
    orders = set()
    for name in ("first.ssc", "second.ssc"):
        out = office.folder / name
        options = ("--maker", CODE, "--out", str(out))
        office.done("application", "make", found[1], *options, operator="wang")
        orders.add(order_id_of(out))
    assert len(orders) == 1
    assert (blanks(site).on_hand, blanks(site).in_device) == (2, 1)


def test_by_a_batch_and_what_is_refused(office: Office, site: Installation) -> None:
    first = filed(office, newcomer(1))
    again = office.file("again.csv", row_of(newcomer(1)))
    refused(
        office.run(
            "application", "file", str(again), "--evidence", "identity_document", operator="wang"
        ),
        "已有在办的申领",
        "is under way",
    )
    two = office.file("two.csv", row_of(newcomer(2)) + row_of(newcomer(3)).split("\n")[1] + "\n")
    refused(
        office.run(
            "application", "file", str(two), "--evidence", "identity_document", operator="wang"
        ),
        "只能有一行",
        "must have one row",
    )
    bad = office.file("bad.csv", row_of(newcomer(4)).replace("汉族", "无此族"))
    result = office.run(
        "application", "file", str(bad), "--evidence", "identity_document", operator="wang"
    )
    assert result.exit_code == 1
    said = office.done("application", "batch", "--name", "window", operator="wang")
    assert "1 applications" in said
    office.done("batch", "approve", "window", "--yes", operator="li")
    office.done("batch", "issue", "window", operator="wang")
    shown = office.done("application", "show", first, operator="wang")
    assert "taken_in" in shown
    with site.store.read() as tx:
        (card,) = cards.page(tx)
        making = makings.get(tx, card.id)
    assert making is not None
    assert making.state is MakingState.AWAITING_BANK
    # A worn card is exchanged at once only, a lost one first reported formally.
    office.done("card", "activate", card.card_number, operator="wang")
    for kind, words in (("exchange", "made at the counter"), ("replacement", "not formally lost")):
        result = office.run(
            "application", "next", card.card_number, "--kind", kind, "--evidence",
            "identity_document", operator="wang",
        )  # fmt: skip
        assert result.exit_code == 1
        assert words in " ".join(result.stderr.split())
