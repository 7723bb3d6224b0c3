"""A visit over HTTP: registration, desks, a refund, and the holder who looks on."""

import json
from typing import Any

import httpx2
import pytest
from bureau import Bureau, receipt_keys
from scan_service import ScanService, TerminalDevice
from servers.databases import Databases

from card_core import receipts
from card_core.receipts import ReceiptKind
from scan_api import business_types as shown_business_types
from scan_api.problems import MEDIA_TYPE


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Both, where the other journeys are content with one."""
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def service(bureau: Bureau) -> ScanService:
    return ScanService(bureau)


def post(
    service: ScanService, device: TerminalDevice, target: str, **fields: Any
) -> httpx2.Response:
    """A signed request with a request id of its own."""
    body = json.dumps({"request_id": service.bureau.request_id(), **fields}).encode()
    headers = {
        "Authorization": device.authorization("POST", target, body),
        "Content-Type": "application/json",
    }
    return service.http.post(target, content=body, headers=headers)


def take(
    service: ScanService, token: str, device: TerminalDevice, **fields: Any
) -> httpx2.Response:
    usual = {"visit_token": token, "business_type": "01301", "step": "bill-1", "amount_fen": 2000}
    return post(service, device, "/v1/visit-steps", **usual | fields)


def opened(service: ScanService) -> str:
    token: str = service.scan(service.hospital, service.mint()).json()["visit"]["token"]
    return token


def test_from_registration_to_a_refund_with_one_code(service: ScanService) -> None:
    keys = receipt_keys(service.bureau.store)
    registered = service.scan(service.hospital, service.mint()).json()
    visit = registered["visit"]
    assert "01301" in visit["business_types"]
    assert "02121" not in visit["business_types"]
    # A cashier and the dispensary, at another terminal of the same hospital, go on without a code.
    desk = service.enrol("H44060400001", 0xC3)
    settled = take(service, visit["token"], desk, operator="0017").json()
    dispensed = take(
        service, visit["token"], desk, business_type="01302", step="rx-1", amount_fen=None
    ).json()
    assert [settled["outcome"], dispensed["outcome"]] == ["accepted", "accepted"]
    assert settled["pseudonym"] == registered["pseudonym"]
    assert settled["holder"]["name"] == service.person.name
    again = take(service, visit["token"], desk).json()
    assert (again["outcome"], again["reason"], again["holder"]) == ("refused", "already_used", None)
    # A part of it goes back.
    target = f"/v1/scans/{settled['scan_id']}/reversals"
    back = post(service, desk, target, kind="refund", amount_fen=500, operator="0017")
    assert back.status_code == 200
    assert (back.json()["amount_fen"], back.json()["left_fen"]) == (500, 1500)
    paid = receipts.verify_receipt(receipts.from_text(settled["receipt"]), keys)
    refunded = receipts.verify_receipt(receipts.from_text(back.json()["receipt"]), keys)
    assert (paid.kind, refunded.kind) == (ReceiptKind.SCAN, ReceiptKind.REFUND)
    assert refunded.original_scan_id == paid.scan_id == settled["scan_id"]
    # The holder sees all of it.
    browser = service.signed_in()
    scans = {one["scan_id"]: one for one in browser.get("/v1/holder/scans").json()["scans"]}
    assert scans[settled["scan_id"]]["medium"] == "visit_token"
    assert scans[settled["scan_id"]]["amount_fen"] == 2000
    assert [one["amount_fen"] for one in scans[settled["scan_id"]]["reversals"]] == [500]
    (mine,) = browser.get("/v1/holder/visits").json()["visits"]
    assert (mine["state"], mine["steps"], mine["consuming"], mine["amount_fen"]) == (
        "open",
        2,
        2,
        2000,
    )


def test_the_holder_ends_the_visit_and_the_next_step_needs_a_code(service: ScanService) -> None:
    token = opened(service)
    browser = service.signed_in()
    (visit,) = browser.get("/v1/holder/visits").json()["visits"]
    for _ in range(2):  # a second click is no error
        assert browser.delete(f"/v1/holder/visits/{visit['visit_id']}").status_code == 204
    refused = take(service, token, service.hospital).json()
    assert (refused["outcome"], refused["reason"]) == ("refused", "visit_ended")
    assert refused["next_action"]["clerk_zh"]
    assert browser.get("/v1/holder/visits").json()["visits"][0]["state"] == "ended"


def test_nobody_sees_or_ends_the_visit_of_another(service: ScanService) -> None:
    token = opened(service)
    (visit,) = service.signed_in().get("/v1/holder/visits").json()["visits"]
    stranger = service.signed_in(service.bureau.person())
    assert stranger.get("/v1/holder/visits").json()["visits"] == []
    answer = stranger.delete(f"/v1/holder/visits/{visit['visit_id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    anybody = service.client()
    assert anybody.get("/v1/holder/visits").status_code == 401
    assert anybody.delete(f"/v1/holder/visits/{visit['visit_id']}").status_code in {401, 403}
    forged = service.signed_in()
    forged.headers["Origin"] = "https://elsewhere.test"
    assert forged.delete(f"/v1/holder/visits/{visit['visit_id']}").status_code == 403
    assert take(service, token, service.hospital).json()["outcome"] == "accepted"


def test_a_visit_over_its_hours_reads_as_ended(service: ScanService) -> None:
    token = opened(service)
    service.clock.advance(12 * 3600)
    assert take(service, token, service.hospital).json()["reason"] == "visit_ended"
    (visit,) = service.signed_in().get("/v1/holder/visits").json()["visits"]
    assert visit["state"] == "ended"


def test_a_pharmacy_gets_no_visit_and_can_use_none(service: ScanService) -> None:
    token = opened(service)
    assert service.scan(service.pharmacy, service.mint()).json()["visit"] is None
    answer = take(service, token, service.pharmacy)
    assert (answer.status_code, answer.json()["code"]) == (403, "business_type_not_allowed")
    stolen = take(service, token, service.pharmacy, business_type="02121")
    assert stolen.json()["reason"] == "visit_not_here"


def test_a_step_and_a_reversal_are_retried_byte_for_byte(service: ScanService) -> None:
    token = opened(service)
    first = take(service, token, service.hospital, request_id="step-1")
    assert take(service, token, service.hospital, request_id="step-1").content == first.content
    target = f"/v1/scans/{first.json()['scan_id']}/reversals"
    back = post(service, service.hospital, target, kind="void", request_id="void-1")
    assert back.status_code == 200
    again = post(service, service.hospital, target, kind="void", request_id="void-1")
    assert again.content == back.content
    other = post(service, service.hospital, target, kind="void", request_id="void-2")
    assert (other.status_code, other.json()["code"]) == (409, "not_reversible")
    changed = post(
        service, service.hospital, target, kind="refund", amount_fen=1, request_id="void-1"
    )
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_conflict")


def test_faults_of_the_caller_are_problems_in_both_languages(service: ScanService) -> None:
    token = opened(service)
    scan_id = take(service, token, service.hospital).json()["scan_id"]
    target = f"/v1/scans/{scan_id}/reversals"
    faults = [
        (take(service, token, service.hospital, step="x", amount_fen=None), 422),
        (take(service, token, service.hospital, step=""), 422),
        (take(service, token, service.hospital, step="号"), 422),
        (take(service, token * 2, service.hospital, step="y"), 422),
        (take(service, token, service.hospital, business_type="09999"), 422),
        (post(service, service.hospital, target, kind="refund", amount_fen=2001), 422),
        (post(service, service.hospital, target, kind="gift"), 422),
        (post(service, service.hospital, target, kind="void", amount_fen=1), 422),
        (post(service, service.pharmacy, target, kind="void"), 404),
        (post(service, service.hospital, "/v1/scans/xyz/reversals", kind="void"), 422),
    ]
    for answer, status in faults:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["title_zh"]


def test_requests_that_are_not_the_terminals_own_change_nothing(service: ScanService) -> None:
    token = opened(service)
    body = json.dumps(
        {"visit_token": token, "business_type": "01303", "step": "a", "request_id": "unsigned"}
    ).encode()
    good = service.hospital.authorization("POST", "/v1/visit-steps", body)
    headers = {"Content-Type": "application/json"}
    for authorization, target in (
        (None, "/v1/visit-steps"),
        (good, "/v1/visit-steps?x=1"),
        (service.hospital.authorization("POST", "/v1/scans", body), "/v1/visit-steps"),
    ):
        sent = headers if authorization is None else {**headers, "Authorization": authorization}
        answer = service.http.post(target, content=body, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    sent = {**headers, "Authorization": good}
    assert service.http.post("/v1/visit-steps", content=body, headers=sent).status_code == 200
    replayed = service.http.post("/v1/visit-steps", content=body, headers=sent)
    assert replayed.status_code == 401


def test_guessing_at_tokens_is_slowed_down(service: ScanService) -> None:
    guesses = [
        take(service, "A" * 44, service.hospital, step=f"guess-{number}") for number in range(11)
    ]
    assert {one.json().get("reason") for one in guesses[:10]} == {"visit_not_here"}
    assert (guesses[10].status_code, guesses[10].json()["code"]) == (429, "too_many_refusals")


def test_the_table_of_business_types_is_public_and_says_what_is_shown(service: ScanService) -> None:
    table = service.client().get("/v1/business-types").json()["business_types"]
    by_code = {one["code"]: one for one in table}
    assert by_code["01303"]["fields"] == {"name": "masked", "social_security_number": "masked"}
    assert by_code["93101"]["fields"] == {}
    assert "01301" in by_code["01101"]["visit"]
    assert by_code["02121"]["visit"] == []
    assert set(by_code) >= {one["code"] for one in shown_business_types.EXAMPLE["business_types"]}
