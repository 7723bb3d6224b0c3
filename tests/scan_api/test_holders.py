import asyncio
import threading
import xml.etree.ElementTree as ET
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest
from bureau import HOLDER_PASSWORD, sign_in_as
from scan_service import BASE_URL, ScanService

import card_core.sign_in
from card_core.errors import SessionEndedError
from card_core.identity import mask_name
from card_core.kernel.acts.cards import ReportFormalLoss, ReportTemporaryLoss
from card_core.kernel.acts.sessions import FAILURES_MAX, LOCK_MINUTES, SESSION_IDLE
from card_core.sign_in import SignedIn, authenticate, sign_in_holder
from scan_api.holders.password_work import THREADS, WAITING_MAX, PasswordWork
from scan_api.holders.session import COOKIE
from scan_api.problems import ProblemError

SIGN_INS = "/v1/holder/sign-ins"
CHANGES = ["sign-ins", "codes", "loss-reports", "loss-withdrawals"]


def sign_in(http: httpx2.Client, number: str, password: str) -> httpx2.Response:
    body = {"social_security_number": number, "password": password}
    return http.post(SIGN_INS, json=body, headers={"Origin": BASE_URL})


def wrong(password: str) -> str:
    return str((int(password) + 1) % 1_000_000).zfill(6)


def test_signing_in_gives_a_session_in_a_cookie_that_no_script_and_no_other_site_gets(
    service: ScanService,
) -> None:
    answer = sign_in(service.http, service.person.number, HOLDER_PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert answer.status_code == 201
    assert parts == {"httponly", "path=/", "samesite=strict", "secure"}
    token = service.http.cookies[COOKIE]
    assert len(token) >= 43
    assert token not in answer.text


@pytest.mark.parametrize(
    ("seen", "origin", "is_secure"),
    [
        # What the service sees behind a proxy that ends TLS, and what the browser says.
        ("http://sscard.test", "https://sscard.test", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", False),
        ("http://localhost:8080", "http://localhost:8080", False),
    ],
)
def test_only_on_this_machine_the_cookie_may_travel_without_tls(
    service: ScanService, seen: str, origin: str, is_secure: bool
) -> None:
    body = {"social_security_number": service.person.number, "password": HOLDER_PASSWORD}
    answer = service.http.post(seen + SIGN_INS, json=body, headers={"Origin": origin})
    assert answer.status_code == 201
    assert ("; secure" in answer.headers["Set-Cookie"].lower()) is is_secure


def test_an_unknown_person_and_a_wrong_password_are_one_answer(service: ScanService) -> None:
    unknown = sign_in(service.http, "11010119900307447X", HOLDER_PASSWORD)
    refused = sign_in(service.http, service.person.number, wrong(HOLDER_PASSWORD))
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    assert unknown.content == refused.content
    assert dict(unknown.headers) == dict(refused.headers)


@pytest.mark.parametrize("known", [True, False])
def test_failures_lock_a_number_whether_anybody_has_it_or_not(
    service: ScanService, known: bool
) -> None:
    number = service.person.number if known else "11010119900307447X"
    for _ in range(FAILURES_MAX):
        assert sign_in(service.http, number, wrong(HOLDER_PASSWORD)).status_code == 401
    answer = sign_in(service.http, number, HOLDER_PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (429, "sign_in_locked")
    waited = parsedate_to_datetime(answer.headers["Retry-After"]) - service.clock()
    assert waited.total_seconds() == LOCK_MINUTES * 60


def test_the_card_is_shown_masked_with_its_states(service: ScanService) -> None:
    card = service.signed_in().get("/v1/holder/card").json()
    assert (card["card_state"], card["e_card_state"]) == ("normal", "active")
    assert card["name"] == mask_name(service.person.name)
    assert card["social_security_number"].count("*") == 11
    assert service.person.number not in str(card)


def test_the_full_number_is_given_to_its_holder_alone(service: ScanService) -> None:
    asked = service.signed_in().get("/v1/holder/card/identity")
    assert asked.json() == {
        "name": service.person.name,
        "social_security_number": service.person.number,
    }
    assert asked.headers["Cache-Control"] == "no-store"
    assert service.http.get("/v1/holder/card/identity").status_code == 401


def test_a_shown_code_is_a_picture_and_a_text_that_a_terminal_accepts(
    service: ScanService,
) -> None:
    answer = service.signed_in().post("/v1/holder/codes", json={})
    code = answer.json()
    minted, expires, server = (
        datetime.fromisoformat(code[name]) for name in ("minted_at", "expires_at", "server_time")
    )
    assert answer.status_code == 201
    assert (expires - minted).total_seconds() == 60
    assert server == service.clock()
    assert ET.fromstring(code["picture_svg"]).tag.endswith("svg")  # noqa: S314 - our own picture
    assert service.scan(service.pharmacy, code["text"]).json()["outcome"] == "accepted"


def test_a_code_to_identify_with_is_not_taken_where_goods_move(service: ScanService) -> None:
    code = service.signed_in().post("/v1/holder/codes", json={"purpose_class": "identify_only"})
    text = code.json()["text"]
    assert service.scan(service.pharmacy, text).json()["reason"] == "purpose_mismatch"
    # There is no fast store here to say that it was not used before.
    assert service.scan(service.hospital, text).json()["reason"] == "show_new_code"


def test_after_a_loss_report_no_code_is_accepted_and_none_is_made(service: ScanService) -> None:
    browser = service.signed_in()
    code = browser.post("/v1/holder/codes", json={}).json()["text"]
    reported = browser.post("/v1/holder/loss-reports", json={})
    assert (reported.status_code, reported.json()) == (200, {"card_state": "temporary_loss"})
    assert service.scan(service.pharmacy, code).json()["reason"] == "card_lost"
    problem = browser.post("/v1/holder/codes", json={}).json()
    assert (problem["status"], problem["code"], problem["reason"]) == (
        409,
        "card_unusable",
        "card_lost",
    )


def test_a_found_card_works_again_once_the_password_was_given_again(
    service: ScanService,
) -> None:
    browser = service.signed_in()
    browser.post("/v1/holder/loss-reports", json={})
    body = {"password": wrong(HOLDER_PASSWORD)}
    refused = browser.post("/v1/holder/loss-withdrawals", json=body)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    assert browser.get("/v1/holder/card").json()["card_state"] == "temporary_loss"
    body["password"] = HOLDER_PASSWORD
    found = browser.post("/v1/holder/loss-withdrawals", json=body)
    assert found.json() == {"card_state": "normal"}
    assert service.scan(service.pharmacy, service.mint()).json()["outcome"] == "accepted"


def test_asking_for_the_password_again_leaves_no_second_session(
    service: ScanService, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[SignedIn] = []

    def noted(*asked: Any, **more: Any) -> SignedIn:
        opened.append(sign_in_holder(*asked, **more))
        return opened[-1]

    browser = service.signed_in()
    browser.post("/v1/holder/loss-reports", json={})
    monkeypatch.setattr(card_core.sign_in, "sign_in_holder", noted)
    body = {"password": HOLDER_PASSWORD}
    assert browser.post("/v1/holder/loss-withdrawals", json=body).status_code == 200
    (again,) = opened
    with pytest.raises(SessionEndedError):
        authenticate(service.bureau.kernel, again.token)
    assert browser.get("/v1/holder/card").status_code == 200


def test_guesses_within_a_session_lock_like_guesses_without(service: ScanService) -> None:
    browser = service.signed_in()
    browser.post("/v1/holder/loss-reports", json={})
    body = {"password": wrong(HOLDER_PASSWORD)}
    for _ in range(FAILURES_MAX):
        browser.post("/v1/holder/loss-withdrawals", json=body)
    locked = browser.post("/v1/holder/loss-withdrawals", json=body | {"password": HOLDER_PASSWORD})
    assert (locked.status_code, locked.json()["code"]) == (429, "sign_in_locked")
    assert browser.get("/v1/holder/card").json()["card_state"] == "temporary_loss"


def test_a_formal_loss_is_not_taken_back_here(service: ScanService) -> None:
    card_id = service.person.card_id
    service.bureau.perform(ReportTemporaryLoss(card_id), service.person.actor)
    service.bureau.perform(ReportFormalLoss(card_id), service.bureau.maker)
    body = {"password": HOLDER_PASSWORD}
    answer = service.signed_in().post("/v1/holder/loss-withdrawals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_the_holder_sees_who_scanned_and_nobody_elses_scans(service: ScanService) -> None:
    other = service.bureau.person()
    service.scan(service.pharmacy, service.mint())
    code = service.mint()
    service.scan(service.hospital, code)
    service.scan(service.hospital, code)
    service.scan(service.hospital, service.mint(other))
    seen = service.signed_in().get("/v1/holder/scans").json()["scans"]
    # Scans of one instant have no order among themselves: the clock of these tests stands still.
    assert sorted((scan["business_type"], scan["reason"]) for scan in seen) == [
        ("01101", "accepted"),
        ("01101", "already_used"),
        ("02121", "accepted"),
    ]
    assert all(scan["institution_name"] for scan in seen)


def test_signing_out_ends_the_session_in_the_store_too(service: ScanService) -> None:
    browser = service.signed_in()
    token = browser.cookies[COOKIE]
    assert browser.delete(SIGN_INS).status_code == 204
    assert COOKIE not in browser.cookies
    kept = service.http.get("/v1/holder/card", headers={"Cookie": f"{COOKIE}={token}"})
    assert (kept.status_code, kept.json()["code"]) == (401, "sign_in_needed")
    assert browser.delete(SIGN_INS).status_code == 204


def test_an_idle_session_ends(service: ScanService) -> None:
    browser = service.signed_in()
    service.clock.advance(SESSION_IDLE.total_seconds())
    assert browser.get("/v1/holder/card").json()["code"] == "sign_in_needed"


def test_an_operators_session_is_not_a_holders(service: ScanService) -> None:
    kernel = service.bureau.kernel
    operator = sign_in_as(kernel, "maker")
    answer = service.http.get("/v1/holder/card", headers={"Cookie": f"{COOKIE}={operator.token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")


@pytest.mark.parametrize("token", ["", "x", "\x7f", "A" * 43, "A" * 4096])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "card"),
        ("GET", "scans"),
        ("POST", "codes"),
        ("POST", "loss-reports"),
        ("POST", "loss-withdrawals"),
    ],
)
def test_nothing_is_for_whoever_has_no_session(
    shared_service: ScanService, method: str, path: str, token: str
) -> None:
    bodies = {
        "loss-reports": {},
        "loss-withdrawals": {"password": HOLDER_PASSWORD},
    }
    answer = shared_service.http.request(
        method,
        f"/v1/holder/{path}",
        json=bodies.get(path, {}) if method == "POST" else None,
        headers={"Origin": BASE_URL, "Cookie": f"{COOKIE}={token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")
    assert answer.headers["WWW-Authenticate"]


FOREIGN = [
    {},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://sscard.test"},
    {"Origin": "https://sscard.test:8443"},
    {"Origin": "https://sscard.test.evil.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", CHANGES)
def test_another_sites_page_changes_nothing(
    shared_service: ScanService, path: str, headers: dict[str, str]
) -> None:
    answer = shared_service.http.post(f"/v1/holder/{path}", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_another_sites_page_signs_nobody_out(shared_service: ScanService) -> None:
    assert shared_service.http.delete(SIGN_INS).json()["code"] == "cross_site"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": BASE_URL}])
def test_the_own_page_is_let_through(shared_service: ScanService, headers: dict[str, str]) -> None:
    answer = shared_service.http.post("/v1/holder/codes", json={}, headers=headers)
    assert answer.json()["code"] == "sign_in_needed"


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_not_taken(
    shared_service: ScanService, path: str, content_type: str
) -> None:
    answer = shared_service.http.post(
        f"/v1/holder/{path}",
        content=b"{}",
        headers={"Origin": BASE_URL, "Content-Type": content_type},
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")


@pytest.mark.parametrize(
    "body",
    [
        {"social_security_number": "x", "password": "12345"},
        {"social_security_number": "x", "password": "１２３４５６"},
        {"social_security_number": "x", "password": 123456},
        {"social_security_number": "x" * 33, "password": "123456"},
        {"social_security_number": "x"},
        {"social_security_number": "x", "password": "123456", "remember": True},
    ],
)
def test_a_wrong_sign_in_form_is_refused_without_saying_back_what_it_held(
    shared_service: ScanService, body: dict[str, object]
) -> None:
    answer = shared_service.http.post(SIGN_INS, json=body, headers={"Origin": BASE_URL})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert str(body.get("password", "?")) not in answer.text.replace("[0-9]{6}", "")


def test_a_deep_body_is_refused_and_not_followed(shared_service: ScanService) -> None:
    answer = shared_service.http.post(
        SIGN_INS,
        content=b"[" * 30_000 + b"]" * 30_000,
        headers={"Origin": BASE_URL, "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_rush_of_sign_ins_waits_in_line_and_the_line_has_an_end() -> None:
    release = threading.Event()

    def work() -> str:
        release.wait()
        return "done"

    async def rush() -> list[object]:
        queue = PasswordWork()
        asked = [asyncio.create_task(queue.run(work)) for _ in range(THREADS + WAITING_MAX + 3)]
        # Whoever comes when the line is full hears so at once, while the others still wait.
        done, _ = await asyncio.wait(asked, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        assert done
        assert all(isinstance(task.exception(), ProblemError) for task in done)
        return list(await asyncio.gather(*asked, return_exceptions=True))

    results = asyncio.run(rush())
    assert results.count("done") == THREADS + WAITING_MAX
    assert [error.problem.code for error in results if isinstance(error, ProblemError)] == [
        "not_ready"
    ] * 3
