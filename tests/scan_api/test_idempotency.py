"""Idempotency-Key on what changes something for a holder: draft-07's answers, and one effect."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from bureau import HOLDER_PASSWORD
from phone import Phone, PhoneApp, day_ends, with_offline_keys
from request_keys import HEADER
from scan_service import BASE_URL, ScanService
from sqlalchemy import func, select
from starlette.testclient import TestClient

from card_core.kernel import Actor
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.sweeping import ANSWERS_KEPT
from card_core.store import schema
from card_core.store.devices import Grade

LOSS = "/v1/holder/loss-reports"
FOUND = "/v1/holder/loss-withdrawals"
# What opens or ends a session, or shows a code: no key, since an answer kept would be a secret.
WITHOUT = {"signIn", "signOut", "mintCode", "showFamilyCode", "exportHolder"}
PARALLEL = 100


@pytest.fixture
def bare(service: ScanService) -> TestClient:
    """A signed-in browser that names no request by itself."""
    browser = service.signed_in()
    browser.event_hooks = {}
    return browser


def named(key: str) -> dict[str, str]:
    return {HEADER: key}


def reports(service: ScanService) -> int:
    """How many times the log says that a card was reported lost."""
    events = schema.audit_events
    with service.bureau.store.read() as tx:
        asked = select(func.count()).where(events.c.act == ReportTemporaryLoss.act)
        return int(tx.connection.execute(asked).scalar_one())


def holder_changes(service: ScanService) -> Iterator[tuple[str, Any]]:
    for methods in service.app.openapi()["paths"].values():
        for method, operation in methods.items():
            if "holder" in operation["tags"] and method != "get":
                yield operation["operationId"], operation


def test_every_change_takes_a_key_and_says_so(service: ScanService) -> None:
    found = dict(holder_changes(service))
    for name, operation in found.items():
        keys = [one for one in operation.get("parameters", []) if one["name"] == HEADER]
        assert [one["required"] for one in keys] == ([] if name in WITHOUT else [True]), name
        if name not in WITHOUT:
            told = json.dumps(operation["responses"])
            for code in ("idempotency_key_needed", "idempotency_key_reused", "request_running"):
                assert code in told, (name, code)
    assert set(found) > WITHOUT


@pytest.mark.parametrize(
    "headers",
    [
        {},
        named(""),
        named('""'),
        named('"open'),
        named("two words"),
        named("a" * 65),
        named('"a" , "b"'),
        named("café".encode("latin-1").decode("latin-1")),
    ],
)
def test_without_a_key_nothing_is_done(
    service: ScanService, bare: TestClient, headers: dict[str, str]
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path, body in (
        ("POST", LOSS, {}),
        ("POST", FOUND, {"password": HOLDER_PASSWORD}),
        ("DELETE", f"/v1/holder/devices/{'0' * 32}", None),
        ("DELETE", f"/v1/holder/visits/{'0' * 32}", None),
    ):
        answer = bare.request(method, path, json=body, headers=raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_needed")
    assert reports(service) == 0


def test_two_keys_are_none(bare: TestClient) -> None:
    answer = bare.post(LOSS, json={}, headers=[(HEADER, "a"), (HEADER, "a")])
    assert answer.status_code == 400


def test_done_is_answered_with_the_same_bytes(service: ScanService, bare: TestClient) -> None:
    first = bare.post(LOSS, json={}, headers=named('"r1"'))
    assert first.status_code == 200
    for key in ('"r1"', "r1"):
        again = bare.post(LOSS, json={}, headers=named(key))
        assert (again.status_code, again.content) == (200, first.content)
    # Whatever became of the card meanwhile.
    body = {"password": HOLDER_PASSWORD}
    assert bare.post(FOUND, json=body, headers=named("r2")).json()["card_state"] == "normal"
    assert bare.post(LOSS, json={}, headers=named("r1")).content == first.content
    assert bare.get("/v1/holder/card").json()["card_state"] == "normal"
    assert reports(service) == 1


def test_a_retry_is_not_asked_for_what_it_proved(service: ScanService, bare: TestClient) -> None:
    bare.post(LOSS, json={}, headers=named("r1"))
    body = {"password": HOLDER_PASSWORD}
    first = bare.post(FOUND, json=body, headers=named("r2"))
    assert bare.post(FOUND, json=body, headers=named("r2")).content == first.content
    events = schema.audit_events
    with service.bureau.store.read() as tx:
        acts = Counter(tx.connection.execute(select(events.c.act)).scalars())
    # One for the session, one for the first request.
    assert acts["sign_in"] == 2


def test_a_key_of_another_request_is_refused(service: ScanService, bare: TestClient) -> None:
    assert bare.post(LOSS, json={}, headers=named("r1")).status_code == 200
    other_bodies = (
        ("POST", LOSS, b"{ }"),
        ("POST", FOUND, json.dumps({"password": HOLDER_PASSWORD}).encode()),
        ("DELETE", f"/v1/holder/devices/{'0' * 32}", b""),
    )
    for method, path, content in other_bodies:
        media_type = {"Content-Type": "application/json"} if content else {}
        answer = bare.request(method, path, content=content, headers=named("r1") | media_type)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert bare.get("/v1/holder/card").json()["card_state"] == "temporary_loss"


def test_keys_are_each_holders_own(service: ScanService, bare: TestClient) -> None:
    other = service.signed_in(service.bureau.person())
    for browser in (bare, other):
        assert browser.post(LOSS, json={}, headers=named("same")).status_code == 200
    assert reports(service) == 2


def test_what_was_refused_may_be_tried_again_under_its_key(bare: TestClient) -> None:
    body = {"password": HOLDER_PASSWORD}
    early = bare.post(FOUND, json=body, headers=named("r1"))
    assert (early.status_code, early.json()["code"]) == (409, "wrong_state")
    bare.post(LOSS, json={}, headers=named("r2"))
    assert bare.post(FOUND, json=body, headers=named("r1")).status_code == 200


def test_an_answer_is_kept_for_its_time(service: ScanService, bare: TestClient) -> None:
    bare.post(LOSS, json={}, headers=named("r1"))
    service.clock.now += ANSWERS_KEPT
    assert service.bureau.kernel.sweep()["answers"] == 0
    service.clock.advance(1)
    assert service.bureau.kernel.sweep()["answers"] > 0
    later = service.signed_in()
    again = later.post(LOSS, json={}, headers=named("r1"))
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_the_same_while_it_runs_is_told_so_and_then_answered(
    service: ScanService, bare: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    apply = ReportTemporaryLoss.apply

    def slowly(act: ReportTemporaryLoss, scene: Any) -> Any:
        at_work.set()
        assert go_on.wait(30)
        return apply(act, scene)

    monkeypatch.setattr(ReportTemporaryLoss, "apply", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bare.post, LOSS, json={}, headers=named("r1"))
        assert at_work.wait(30)
        retry = TestClient(service.app, base_url=BASE_URL, cookies=bare.cookies)
        retry.headers["Origin"] = BASE_URL
        running = retry.post(LOSS, json={}, headers=named("r1"))
        assert (running.status_code, running.json()["code"]) == (409, "request_running")
        assert running.headers["Retry-After"] == "1"
        go_on.set()
        done = first.result()
    assert done.status_code == 200
    assert bare.post(LOSS, json={}, headers=named("r1")).content == done.content


def test_a_hundred_at_once_are_one(service: ScanService, bare: TestClient) -> None:
    def ask(_: int) -> httpx2.Response:
        client = TestClient(service.app, base_url=BASE_URL, cookies=bare.cookies)
        client.headers["Origin"] = BASE_URL
        return client.post(LOSS, json={}, headers=named("r1"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(PARALLEL)))
    done = [one for one in answers if one.status_code == 200]
    told = {one.json()["code"] for one in answers if one.status_code != 200}
    assert {one.content for one in done} == {b'{"card_state":"temporary_loss"}'}
    assert told <= {"request_running"}
    assert reports(service) == 1


def test_another_process_that_runs_the_same_is_waited_for(service: ScanService) -> None:
    """Through the kernel, which is what two processes share: one effect, one answer for both."""
    holder = Actor(service.person.actor.kind, service.person.holder_id)
    act = ReportTemporaryLoss(service.person.card_id)

    def ask(_: int) -> str:
        answer = service.bureau.kernel.perform(
            act, actor=holder, request_id="r1", fingerprint=bytes(32)
        )
        return json.dumps(answer)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(PARALLEL)))) == 1
    assert reports(service) == 1


def test_a_removed_phone_and_credentials_are_answered_again(service: ScanService) -> None:
    with_offline_keys(service.bureau)
    app = PhoneApp(service.signed_in(), Phone(Grade.BROWSER))
    first = app.register(request_id="phone")
    assert app.register(request_id="phone").content == first.content
    days = day_ends(service.clock(), 2)
    fetched = app.fetch(days, request_id="days")
    assert fetched.status_code == 201
    assert app.fetch(days, request_id="days").content == fetched.content
    path = f"/v1/holder/devices/{app.phone.device_id}"
    for _ in range(2):
        assert app.http.delete(path, headers=named("gone")).status_code == 204
    again = app.http.delete(path, headers=named("other"))
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
