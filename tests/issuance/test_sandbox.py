"""Sandboxes: founded as one or never, and only there are codes made for tests.

That each code is what it is said to be is shown over HTTP: tests/stranger/test_sample_clients.py.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from office import PASSPHRASE, Office, first_people, refused

from card_core.codes import CODE_TEXT_MAX
from card_core.errors import TamperedRowError
from card_core.kernel import Kernel
from card_core.states import CardState
from card_core.store import audit, cards, devices, issuers, operators
from crypto.keys import sealing
from issuance.cli import screen
from issuance.errors import HomeError
from issuance.founding import Bureau, found
from issuance.home import Home
from issuance.installation import open_installation
from issuance.sandbox import Kind, find_people, make_codes, new_staff, open_sandbox
from issuance.sandbox.codes import ANSWERS

PAGE = Path(__file__).parents[2] / "docs" / "integration.md"
SANDBOX = Bureau(7, "FS", "Test bureau", is_sandbox=True)
SERIAL = "00000000000000a1"
NOT_ONE = ("本安装不是沙箱", "This installation is not a sandbox")


class PowerCutError(Exception):
    """Stands for the process dying."""


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)


@pytest.fixture
def sandbox_office(empty_office: Office, cheap_keys: None) -> Office:
    found(empty_office.settings, PASSPHRASE.encode(), bureau=SANDBOX, people=new_staff())
    return empty_office


def events(office: Office) -> int:
    with (
        open_installation(office.settings, PASSPHRASE.encode()) as site,
        site.store.read() as tx,
    ):
        return sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS)


@pytest.mark.parametrize("command", [("codes",), ("codes", "good"), ("terminal", SERIAL)])
def test_an_installation_that_was_not_founded_as_a_sandbox_makes_nothing(
    office: Office, command: tuple[str, ...]
) -> None:
    before = events(office)
    refused(office.run("sandbox", *command), *NOT_ONE)
    refused(office.run("sandbox", *command, SSCARD_SANDBOX="1"), *NOT_ONE)
    assert events(office) == before


def test_operators_of_those_names_make_no_sandbox(empty_office: Office, cheap_keys: None) -> None:
    bureau = Bureau(7, "FS", "Test bureau")
    found(empty_office.settings, PASSPHRASE.encode(), bureau=bureau, people=new_staff())
    refused(empty_office.run("sandbox", "codes"), *NOT_ONE)


def test_a_row_changed_by_hand_makes_no_sandbox(office: Office) -> None:
    with sqlite3.connect(office.folder / "home" / "sscard.db") as database:
        assert database.execute("UPDATE issuers SET sandbox = 1").rowcount == 1
    refused(office.run("sandbox", "codes"), *NOT_ONE)
    with (
        open_installation(office.settings, PASSPHRASE.encode()) as site,
        site.store.read() as tx,
        pytest.raises(TamperedRowError),
    ):
        issuers.own(tx)


def test_the_choice_is_made_once(
    empty_office: Office, cheap_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun as one thing it is not finished as the other."""

    def die(*_: object) -> None:
        raise PowerCutError

    settings, secret, people = empty_office.settings, PASSPHRASE.encode(), first_people()
    with monkeypatch.context() as patched:
        patched.setattr(Home, "write_facts", die)
        with pytest.raises(PowerCutError):
            found(settings, secret, bureau=Bureau(7, "FS", "Test bureau"), people=people)
    with pytest.raises(HomeError) as refusal:
        found(settings, secret, bureau=SANDBOX, people=people)
    assert refusal.value.code == "sandbox_or_not"
    found(settings, secret, bureau=Bureau(7, "FS", "Test bureau"), people=people)


def test_the_command_founds_one_and_says_so(empty_office: Office, cheap_keys: None) -> None:
    made = empty_office.run("init", "--sandbox", "--issuer", "9", "--letters", "SB")
    assert made.exit_code == 0, made.output
    assert "这是沙箱" in made.stderr
    codes = json.loads(empty_office.done("sandbox", "codes", "expired", "short", "--json"))
    assert [(one["kind"], one["identifying"]) for one in codes] == [
        ("expired", "expired"),
        ("short", "accepted"),
    ]
    assert codes[0]["holds_until"] is None
    assert re.fullmatch("[0-9]{28}", codes[1]["code"])
    told = json.loads(empty_office.done("sandbox", "terminal", SERIAL, "--json"))
    assert re.fullmatch("[0-9A-Z]{20}", told["enrolment_code"])
    with (
        open_installation(empty_office.settings, PASSPHRASE.encode()) as site,
        site.store.read() as tx,
    ):
        assert {one.name for one in operators.page(tx)} == {
            "sandbox-admin",
            "sandbox-security",
            "sandbox-maker",
            "sandbox-checker",
        }


def test_people_read_what_each_code_is(sandbox_office: Office) -> None:
    shown = sandbox_office.done("sandbox", "codes", "lost", "malformed")
    assert re.search(r"种类 Kind +lost", shown)
    assert "card_lost 社保卡已挂失" in shown
    assert max(map(len, shown.split())) <= CODE_TEXT_MAX
    assert screen.out.width < 253  # the code's text is in one line all the same
    assert re.search("^码 Code +7406[0-9]{248}$", shown, re.MULTILINE)


def test_it_is_finished_wherever_it_was_stopped(
    sandbox_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies behind every single act; whoever comes next goes on."""
    with open_installation(sandbox_office.settings, PASSPHRASE.encode()) as site:
        sandbox, runs = open_sandbox(site), 0
        people = None
        while people is None:
            runs += 1
            with monkeypatch.context() as patched:
                cut_after_one(patched)
                try:
                    people = find_people(sandbox)
                except PowerCutError:
                    assert runs < 20
        assert runs == 9  # the import, the cards, three of each activation, the loss
        with site.store.read() as tx:
            card = cards.get(tx, people.lost.card_id)
        assert card is not None
        assert card.state is CardState.TEMPORARY_LOSS
        assert find_people(sandbox) == people


def cut_after_one(patched: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = Kernel.perform
    left = 1

    def perform(*arguments: object, **named: object) -> object:
        nonlocal left
        if not left:
            raise PowerCutError
        left -= 1
        return real(*arguments, **named)

    patched.setattr(Kernel, "perform", perform)


def test_asked_again_it_makes_new_codes_and_no_new_people(sandbox_office: Office) -> None:
    with open_installation(sandbox_office.settings, PASSPHRASE.encode()) as site:
        sandbox = open_sandbox(site)
        first, second = make_codes(sandbox), make_codes(sandbox)
        assert [one.kind for one in first] == list(Kind)
        assert not {one.text for one in first} & {one.text for one in second}
        with site.store.read() as tx:
            assert len(cards.page(tx)) == 3
            owner = find_people(sandbox).with_phone
            assert len(devices.of_holder(tx, owner.id)) == 1


def test_the_page_says_of_each_kind_what_the_command_says() -> None:
    table = PAGE.read_text("utf-8").split("## 16. Sandbox")[1].split("## 17.")[0]
    rows = re.findall(r"^\| `([a-z_]+)`[^|]*\| `([a-z_]+)` \| `([a-z_]+)` \|$", table, re.MULTILINE)
    assert rows == [
        (kind.value, identifying.value, consuming.value)
        for kind, (identifying, consuming) in ANSWERS.items()
    ]
