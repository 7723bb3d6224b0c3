"""The life of cards on the command line: every act, life events, and a policy by two people."""

import json
import re
from pathlib import Path

import pytest
from office import ROSTERS, Office, refused

from card_core.kernel.days import DAY
from card_core.store import cards
from issuance.cli import lapsing
from issuance.installation import Installation, utc_now

TWO = ("--with", "li", "--yes")
CARD = "FS0000001"
# The column of the sample roster that names a guardian.
GUARDIAN = 14
HOLDER_PASSWORD = "482915"


def rows(office: Office, name: str, *, count: int, children: bool = False) -> str:
    """A roster of the first good rows of the sample, all of them adults or all of them children."""
    header, *lines = (ROSTERS / "foshan-2000.csv").read_text("gb18030").splitlines()
    expected = json.loads((ROSTERS / "foshan-2000.expected.json").read_text("utf-8"))
    good = [lines[row - 1] for row in expected["accept"]]
    chosen = [line for line in good if bool(line.split(",")[GUARDIAN]) == children][:count]
    assert len(chosen) == count
    return str(office.file(name, "\n".join([header, *chosen, ""])))


@pytest.fixture
def office_with_cards(office: Office) -> Office:
    """Two cards are handed out, the first with its e-card; a third waits."""
    roster = rows(office, "staff.csv", count=3)
    batch = re.findall(
        r"\b[0-9a-f]{32}\b", office.done("roster", "import", roster, operator="wang")
    )
    office.done("batch", "approve", batch[-1], "--yes", operator="li")
    office.done("batch", "issue", batch[-1], operator="wang")
    password = str(office.file("holder", HOLDER_PASSWORD))
    office.done("card", "activate", CARD, "--e-card", "--password-file", password, operator="wang")
    office.done("card", "activate", "FS0000002", operator="wang")
    return office


def state_of(office: Office, card: str = CARD) -> tuple[str, str]:
    shown = office.done("card", "show", card, operator="li")
    card_state = re.search(r"Card state\s+\S+ (\w+)", shown)
    ecard_state = re.search(r"E-card\s+\S+ (\w+)", shown)
    assert card_state is not None
    assert ecard_state is not None
    return card_state[1], ecard_state[1]


def test_a_card_is_locked_sealed_and_brought_back(office_with_cards: Office) -> None:
    office = office_with_cards
    for command, state in (
        (("lock", CARD), "locked"),
        (("unlock", CARD), "normal"),
        (("seal", CARD, "--reason", "long_unused", *TWO), "sealed"),
        (("unseal", CARD, *TWO), "normal"),
    ):
        office.done("card", *command, operator="wang")
        assert state_of(office) == (state, "active")
    wrong = office.run("card", "unlock", CARD, operator="wang")
    refused(wrong, "当前状态", "in which this can't be done")


def test_an_e_card_is_suspended_resumed_and_cancelled(office_with_cards: Office) -> None:
    office = office_with_cards
    for command, state in (
        (("suspend-e-card", CARD), "suspended"),
        (("resume-e-card", CARD), "active"),
        (("cancel-e-card", CARD, *TWO), "cancelled"),
    ):
        office.done("card", *command, operator="wang")
        assert state_of(office) == ("normal", state)


def test_a_loss_says_when_it_lapses_and_the_background_job_ends_it(
    office_with_cards: Office, site: Installation
) -> None:
    told = office_with_cards.done("card", "report-loss", CARD, operator="wang")
    assert "到期自动解挂" in told
    assert re.search(r"It lapses by itself on \d{4}-\d\d-\d\d 00:00, China time", told)

    class Later:
        """A clock that is sixteen days on."""

        def now(self):  # type: ignore[no-untyped-def]
            return utc_now() + 16 * DAY

    site.kernel.clock = Later().now
    with lapsing.lapsing(site.kernel, Later()):  # type: ignore[arg-type]
        pass  # the job runs once before its thread looks whether to stop
    with site.store.read() as tx:
        card = cards.find_by_card_number(tx, CARD)
    assert card is not None
    assert (card.state, card.loss_lapses_at) == ("normal", None)


def test_a_formal_loss_is_withdrawn_only_by_policy(office_with_cards: Office) -> None:
    office = office_with_cards
    office.done("card", "report-loss", CARD, "--formal", operator="wang")
    withdraw = ("card", "withdraw-loss", CARD, "--formal")

    def approve() -> str:
        waiting = office.done(*withdraw, operator="wang")
        (approval,) = set(re.findall(r"\b[0-9a-f]{32}\b", waiting))
        return str(office.run("approval", "approve", approval, "--yes", operator="li").output)

    assert "policy for cards does not allow" in approve()
    policy = ("--loss-days", "10", "--withdraw-formal-loss", "--on-exchange", "same")
    office.done("card", "set-policy", *policy, *TWO, operator="admin")
    shown = office.done("card", "policy", operator="li")
    assert re.search(r"Days of a temporary loss\s+10\n", shown)
    assert re.search(r"exchange\s+同卡号 same\n", shown)
    approve()
    assert state_of(office) == ("normal", "active")


def test_a_worn_card_is_exchanged_and_a_lost_one_replaced(office_with_cards: Office) -> None:
    office = office_with_cards
    policy = ("--loss-days", "15", "--on-exchange", "same")
    office.done("card", "set-policy", *policy, *TWO, operator="admin")
    told = office.done("card", "exchange", CARD, "--reason", "damaged", *TWO, operator="wang")
    assert f"sscard card activate {CARD} --e-card" in told
    assert state_of(office) == ("not_activated", "not_activated")
    office.done("card", "activate", CARD, operator="wang")
    other = ("card", "exchange", CARD, "--reason", "other", "--new-number")
    assert "FS0000004" in office.done(*other, *TWO, operator="wang")
    refused(
        office.run("card", "replace", "FS0000002", *TWO, operator="wang"),
        "当前状态",
        "in which this can't be done",
    )
    office.done("card", "report-loss", "FS0000002", "--formal", operator="wang")
    told = office.done("card", "replace", "FS0000002", *TWO, operator="wang")
    assert "FS0000005" in told
    assert state_of(office, "FS0000002") == ("cancelled", "cancelled")
    assert state_of(office, "FS0000005") == ("not_activated", "not_activated")


def test_dangerous_acts_wait_for_the_second_person(office_with_cards: Office) -> None:
    office = office_with_cards
    for command in (
        ("card", "seal", CARD, "--reason", "by_order"),
        ("card", "exchange", CARD, "--reason", "damaged"),
        ("card", "cancel-e-card", CARD),
        ("life", "death", CARD),
    ):
        told = office.done(*command, operator="wang")
        assert "sscard approval approve" in told
    assert state_of(office) == ("normal", "active")


def test_death_in_one_call(office_with_cards: Office) -> None:
    told = office_with_cards.done("life", "death", CARD, *TWO, operator="wang")
    assert "身故：已办结" in told
    assert state_of(office_with_cards) == ("cancelled", "cancelled")


@pytest.mark.parametrize("event", ["flexible-work", "retirement"])
def test_an_event_brings_a_card_into_use(office_with_cards: Office, event: str) -> None:
    told = office_with_cards.done("life", event, "FS0000003", operator="wang")
    assert "已办结，卡状态 正常" in told
    assert state_of(office_with_cards, "FS0000003") == ("normal", "not_activated")


def test_leaving_the_army(office_with_cards: Office) -> None:
    office = office_with_cards
    office.done("card", "seal", CARD, "--reason", "enlisted", *TWO, operator="wang")
    office.done("life", "leaving-army", CARD, *TWO, operator="wang")
    assert state_of(office) == ("normal", "active")


def test_a_companys_staff_apply_together(office: Office) -> None:
    staff = rows(office, "staff.csv", count=4)
    told = office.done("life", "company", staff, "--name", "佛山某厂", operator="wang")
    assert "4 applications" in told
    assert "sscard approval approve" in told
    again = office.run("life", "company", staff, operator="wang")
    refused(again, "4 人不能申领", "no application was opened")
    assert "在办申领" in again.stdout


def test_a_birth_needs_a_guardian_and_a_first_job_one_person(office: Office) -> None:
    adult = rows(office, "adult.csv", count=1)
    child = rows(office, "child.csv", count=1, children=True)
    two = rows(office, "two.csv", count=2)
    refused(office.run("life", "birth", adult, operator="wang"), "须有监护人", "a guardian")
    refused(office.run("life", "first-job", child, operator="wang"), "16 周岁", "16 or older")
    refused(office.run("life", "first-job", two, operator="wang"), "之间", "from 1 to 1")
    assert "1 applications" in office.done("life", "birth", child, operator="wang")
    assert "1 applications" in office.done("life", "first-job", adult, operator="wang")


def test_a_roster_with_a_bad_row_opens_nothing(office: Office) -> None:
    path = Path(rows(office, "staff.csv", count=2))
    header, first, second = path.read_text().splitlines()
    path.write_text("\n".join([header, first, second.replace("居民身份证", "驾驶证"), ""]))
    refused(
        office.run("life", "company", str(path), operator="wang"),
        "名册须全部无误",
        "nothing was opened",
    )
    assert "staff" not in office.done("batch", "list", operator="li")


def test_the_events_are_listed(office: Office) -> None:
    told = office.done("life", "events")
    assert "身故 death" in told
    assert "注销卡 cancel_card, 移除手机 remove_device" in told
