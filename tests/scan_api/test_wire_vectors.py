"""The wire vectors: what the generator makes, and what the service answers to each of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from scan_service import BASE_URL, PHARMACY_CODE, ScanService
from starlette.testclient import TestClient

from card_core.kernel.acts.enrolment import PrepareEnrolment
from card_core.kernel.enrolment_codes import EnrolmentCode
from crypto import sm2
from scan_api.signed_requests import to_be_signed
from tests.scan_api.make_wire_vectors import FILE, document

VECTORS: dict[str, Any] = json.loads(FILE.read_text("ascii"))
TERMINAL = VECTORS["terminal"]
SERIAL = bytes.fromhex(TERMINAL["serial_number"])

Sender = Callable[..., httpx2.Response]


@pytest.fixture
def service(service: ScanService) -> ScanService:
    service.clock.now = datetime.fromtimestamp(VECTORS["now"], UTC)
    return service


@pytest.fixture
def enrolled(service: ScanService) -> ScanService:
    service.bureau.enrol(SERIAL, PHARMACY_CODE, bytes.fromhex(TERMINAL["public_key"]))
    service.registry.refresh()
    return service


def sent(service: ScanService, at: int, *request: Any, **more: Any) -> httpx2.Response:
    """From an address of its own: what is wrong in one case is not counted against the next."""
    peer = (f"192.0.2.{at + 1}", 40000)
    return TestClient(service.app, base_url=BASE_URL, client=peer).request(*request, **more)


def test_the_file_is_what_the_generator_makes() -> None:
    assert document() == VECTORS


def test_each_signed_request_is_answered_as_written_down(enrolled: ScanService) -> None:
    answers = []
    for at, one in enumerate(VECTORS["signed_requests"]):
        headers = {"Authorization": one["authorization"]}
        if one["body"]:
            headers["Content-Type"] = "application/json"
        body = one["body"].encode()
        answer = sent(enrolled, at, one["method"], one["target"], content=body, headers=headers)
        answers.append((one["name"], answer.status_code, answer.json().get("code")))
        if one["code"] == "clock_off":
            assert answer.json()["server_time"] == VECTORS["now"]
    assert answers == [
        (one["name"], one["status"], one["code"]) for one in VECTORS["signed_requests"]
    ]
    assert sum(code is None for *_, code in answers) == 6
    assert len(answers) >= 30


def test_the_bytes_of_the_good_requests_are_those_that_the_service_looks_at() -> None:
    for one in VECTORS["signed_requests"]:
        if one["code"] is None:
            words = one["to_be_signed"].split("\n")
            signed_at, nonce = int(words[3]), bytes.fromhex(words[4])
            assert one["to_be_signed"].encode() == to_be_signed(
                one["method"], one["target"], signed_at, nonce, one["body"].encode()
            )


def test_each_enrolment_is_answered_as_written_down(service: ScanService) -> None:
    code = EnrolmentCode(VECTORS["enrolment_code"])
    digest = code.digest(service.bureau.store.cipher, SERIAL)
    service.bureau.decide(PrepareEnrolment(SERIAL, PHARMACY_CODE, code.name, digest))
    for at, one in enumerate(VECTORS["enrolments"]):
        answer = _posted(service, at, "/v1/terminals/enrolments", one["body"], {})
        assert (answer.status_code, answer.json().get("code")) == (one["status"], one["code"]), one
        if one["code"] is None:
            assert answer.json()["key_name"] == TERMINAL["key_name"]
            assert answer.json()["token_audience"] == VECTORS["token_audience"]


def test_each_next_key_is_answered_as_written_down(enrolled: ScanService) -> None:
    device = enrolled.pharmacy
    device.serial_number = SERIAL
    device.key = sm2.PrivateKey.from_bytes(bytes.fromhex(TERMINAL["private_key"]))
    for at, one in enumerate(VECTORS["next_keys"]):
        target, body = "/v1/terminals/keys", one["body"]
        headers = {"Authorization": device.authorization("POST", target, body.encode())}
        answer = _posted(enrolled, at, target, body, headers)
        assert (answer.status_code, answer.json().get("code")) == (one["status"], one["code"]), one
        if one["code"] is None:
            assert answer.json()["key_name"] == VECTORS["next_key"]["key_name"]


def test_each_assertion_is_answered_as_written_down(enrolled: ScanService) -> None:
    for at, one in enumerate(VECTORS["client_assertions"]):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = sent(enrolled, at, "POST", "/v1/oauth/token", content=one["form"], headers=headers)
        told = (answer.status_code, answer.json().get("error"))
        assert told == (one["status"], one["error"]), one
        assert ("access_token" in answer.json()) is (one["error"] is None)
    assert [one["name"] for one in VECTORS["client_assertions"] if one["error"] is None] == ["good"]


def _posted(
    service: ScanService, at: int, target: str, body: str, headers: dict[str, str]
) -> httpx2.Response:
    headers = {"Content-Type": "application/json", **headers}
    return sent(service, at, "POST", target, content=body.encode(), headers=headers)
