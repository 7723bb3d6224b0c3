"""Tickets: a session for a browser whose operator's key stays where it is."""

from typing import Any

import pytest
from bureau import OPERATOR_PASSWORD, Bureau, signing_key
from scan_service import BASE_URL
from servers.databases import Databases, SQLiteDatabases
from sqlalchemy import func, select
from starlette.testclient import TestClient
from test_console import V1, Window

from card_core.store.schema import sessions
from issuance.console import tickets
from issuance.console.cookie import COOKIE

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> Databases:
    """What the database is makes no difference to a ticket."""
    return sqlite_databases


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def ask(window: Window, name: str = "maker", **changed: str) -> Any:
    client = window.caller()
    asked = client.post(f"{V1}/challenges", json={"name": name}).json()
    signature = signing_key(changed.pop("signed_by", name)).sign(bytes.fromhex(asked["challenge"]))
    body = {
        "attempt": asked["attempt"], "password": OPERATOR_PASSWORD, "signature": signature.hex(),
    }  # fmt: skip
    return client.post(f"{V1}/tickets", json=body | changed)


def ticket(window: Window, name: str = "maker") -> str:
    answer = ask(window, name)
    assert answer.status_code == 201, answer.text
    text: str = answer.json()["ticket"]
    return text


def browser(window: Window) -> TestClient:
    return TestClient(window.app, base_url=BASE_URL, headers=SAME_ORIGIN)


def enter(client: TestClient, text: str, **headers: str) -> Any:
    return client.post(f"{V1}/sign-ins/by-ticket", json={"ticket": text}, headers=headers)


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.json()["code"]) == (401, "ticket_refused")


def open_sessions(bureau: Bureau) -> int:
    with bureau.store.read() as tx:
        return tx.connection.execute(select(func.count()).select_from(sessions)).scalar_one()


def test_a_ticket_opens_the_session_in_the_browser_that_it_is_typed_into(window: Window) -> None:
    text = ticket(window)
    page = browser(window)
    entered = enter(page, f" {text.lower().replace('-', ' ')} ")
    assert (entered.status_code, entered.json()["token"]) == (201, None)
    assert page.cookies[COOKIE]
    assert "httponly" in entered.headers["set-cookie"].lower()
    assert page.get(f"{V1}/session").json()["name"] == "maker"


def test_a_ticket_that_comes_twice_ends_what_its_first_use_opened(window: Window) -> None:
    text = ticket(window)
    thief, owner = browser(window), browser(window)
    assert enter(thief, text).status_code == 201
    assert refused(enter(owner, text))
    assert COOKIE not in owner.cookies
    assert thief.get(f"{V1}/session").status_code == 401


def test_a_ticket_is_over_after_a_minute_and_takes_its_session_along(window: Window) -> None:
    late, page = ticket(window), browser(window)
    before = open_sessions(window.bureau)
    window.bureau.clock.advance(60)
    assert refused(enter(page, late))
    assert COOKIE not in page.cookies
    assert open_sessions(window.bureau) == before - 1


def test_an_operator_has_one_ticket_at_a_time(window: Window) -> None:
    first, other, second = ticket(window), ticket(window, "checker"), ticket(window)
    assert refused(enter(browser(window), first))
    for text, name in ((second, "maker"), (other, "checker")):
        page = browser(window)
        assert enter(page, text).status_code == 201
        assert page.get(f"{V1}/session").json()["name"] == name


def test_another_console_knows_nothing_of_a_ticket(window: Window) -> None:
    text = ticket(window)
    assert refused(enter(browser(Window(window.bureau)), text))
    assert enter(browser(window), text).status_code == 201


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}]
)
def test_no_page_of_another_site_signs_a_browser_in(
    window: Window, headers: dict[str, str]
) -> None:
    text = ticket(window)
    stranger = TestClient(window.app, base_url=BASE_URL, cookies={COOKIE: "x"})
    answer = enter(stranger, text, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert enter(browser(window), text).status_code == 201


def test_who_lacks_the_key_or_the_password_gets_no_ticket(window: Window) -> None:
    for changed in (
        {"signed_by": "checker"},
        {"password": "wrong"},
        {"attempt": "0" * 32},
    ):
        answer = ask(window, **changed)
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_refused"), changed
    assert ask(window, dynamic_password="000000").status_code == 422


@pytest.mark.parametrize("text", ["0000-0000-0000", "7KQM", "登录码", "0" * 33, ""])
def test_what_is_no_ticket_is_refused(window: Window, text: str) -> None:
    ticket(window)
    assert enter(browser(window), text).status_code in {401, 422}


def test_tickets_have_a_bound_and_the_oldest_goes_first(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "TICKETS_MAX", 1)
    first, second = ticket(window, "checker"), ticket(window)
    assert refused(enter(browser(window), first))
    assert enter(browser(window), second).status_code == 201


def test_a_console_that_stops_leaves_no_session_behind(window: Window) -> None:
    before = open_sessions(window.bureau)
    with TestClient(window.app, base_url=BASE_URL):
        ticket(window)
        assert open_sessions(window.bureau) == before + 1
    assert open_sessions(window.bureau) == before
