"""The service as it runs: a real server, real connections, the terminal's own client."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest
from bureau import HOLDER_PASSWORD, MemorySigner
from request_keys import HEADER, new_key
from scan_service import PURCHASE, REGISTRATION, ScanService, TerminalDevice, running, tampered

from scan_api.limits import BODY_BYTES_MAX
from scan_api.terminal import TerminalClient, TerminalKey


@pytest.fixture
def url(service: ScanService) -> Iterator[str]:
    with running(service.app) as url:
        yield url


def client(service: ScanService, url: str, device: TerminalDevice) -> TerminalClient:
    key = TerminalKey(device.serial_number, MemorySigner(device.key))
    return TerminalClient(url, key, clock=lambda: service.clock().timestamp())


def test_from_sign_in_to_an_accepted_scan_to_a_lost_card(service: ScanService, url: str) -> None:
    with (
        httpx2.Client(base_url=url, headers={"Origin": url}) as browser,
        client(service, url, service.pharmacy) as pharmacy,
        client(service, url, service.hospital) as hospital,
    ):
        body = {"social_security_number": service.person.number, "password": HOLDER_PASSWORD}
        assert browser.post("/v1/holder/sign-ins", json=body).status_code == 201

        def new_code() -> str:
            return str(browser.post("/v1/holder/codes", json={}).json()["text"])

        first, second = new_code(), new_code()
        accepted = pharmacy.scan(first, PURCHASE)
        assert (accepted["outcome"], accepted["holder"]["name"]) == (
            "accepted",
            service.person.name,
        )
        assert hospital.scan(first, REGISTRATION)["reason"] == "already_used"
        assert hospital.scan(tampered(second), REGISTRATION)["reason"] == "bad_signature"
        reported = browser.post("/v1/holder/loss-reports", json={}, headers={HEADER: new_key()})
        assert reported.status_code == 200
        assert hospital.scan(second, REGISTRATION)["reason"] == "card_lost"
        assert browser.post("/v1/holder/codes", json={}).json()["reason"] == "card_lost"
        seen = browser.get("/v1/holder/scans").json()["scans"]
        assert {scan["reason"] for scan in seen} >= {"accepted", "already_used", "card_lost"}


def test_one_code_at_many_counters_at_once_is_accepted_once(service: ScanService, url: str) -> None:
    code = service.mint()
    start = threading.Barrier(8)
    with (
        client(service, url, service.pharmacy) as pharmacy,
        client(service, url, service.hospital) as hospital,
    ):

        def scan(index: int) -> str:
            start.wait()
            if index % 2:
                return str(pharmacy.scan(code, PURCHASE)["reason"])
            return str(hospital.scan(code, REGISTRATION)["reason"])

        with ThreadPoolExecutor(8) as pool:
            reasons = list(pool.map(scan, range(8)))
    assert sorted(reasons) == ["accepted"] + ["already_used"] * 7


def test_the_service_tells_its_time_and_not_what_it_runs_on(url: str) -> None:
    headers = httpx2.get(url + "/healthz").headers
    assert headers["Date"]
    assert "Server" not in headers


def test_a_body_without_a_length_is_cut_off_at_the_limit(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.putrequest("POST", "/v1/scans")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    chunk = b"x" * 8192
    for _ in range(BODY_BYTES_MAX // len(chunk) + 1):
        connection.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "body_too_large")
    connection.close()


def test_a_length_announced_beyond_the_limit_is_refused_before_the_body(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.putrequest("POST", "/v1/holder/sign-ins")
    connection.putheader("Content-Length", str(BODY_BYTES_MAX + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_thousand_headers_are_refused(url: str) -> None:
    answer = httpx2.get(url + "/healthz", headers=[(f"x-{i}", "1") for i in range(1000)])
    assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST /v1/scans HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/scans HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_request_is_refused_and_others_go_on(url: str, sent: bytes) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(sent)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert httpx2.get(url + "/healthz").status_code == 200
