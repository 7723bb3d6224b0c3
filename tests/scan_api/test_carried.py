"""The addresses from which terminals fetch what they carry."""

import httpx2
import pytest
from phone import publisher_of
from scan_service import ScanService, TerminalDevice

from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.days import end_of_day

BUNDLE = "/v1/terminal/bundle"


@pytest.fixture
def published(service: ScanService) -> ScanService:
    publisher_of(service.bureau).round()
    return service


def get(
    service: ScanService, target: str, device: TerminalDevice | None = None, **headers: str
) -> httpx2.Response:
    signed = (device or service.hospital).authorization("GET", target)
    return service.http.get(target, headers={"Authorization": signed, **headers})


def todays(service: ScanService) -> str:
    day = int(end_of_day(service.clock()).timestamp())
    return f"/v1/terminal/status-lists/1/{day}"


def test_both_are_bytes_with_a_version_and_the_time(published: ScanService) -> None:
    for target, first in ((BUNDLE, 0x15), (todays(published), 0x13)):
        answer = get(published, target)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["ETag"] == '"1"'
        assert int(answer.headers["SSCARD-Time"]) == int(published.clock().timestamp())
        assert answer.content[0] == first


def test_what_did_not_change_is_not_sent_again(published: ScanService) -> None:
    for target in (BUNDLE, todays(published)):
        etag = get(published, target).headers["ETag"]
        again = get(published, target, **{"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
    published.clock.advance(1800)
    publisher_of(published.bureau).round()
    for target in (BUNDLE, todays(published)):
        newer = get(published, target, **{"If-None-Match": '"1"'})
        assert (newer.status_code, newer.headers["ETag"]) == (200, '"2"')


def test_an_update_is_asked_for_in_the_signed_target(published: ScanService) -> None:
    target = todays(published)
    update = get(published, f"{target}?have=1")
    assert update.content[0] == 0x14
    # The signature covers the query: another one under the same signature is refused.
    signed = published.hospital.authorization("GET", f"{target}?have=1")
    forged = published.http.get(f"{target}?have=2", headers={"Authorization": signed})
    assert forged.status_code == 401


def test_there_is_nothing_before_something_was_published(service: ScanService) -> None:
    for target in (BUNDLE, todays(service)):
        assert get(service, target).json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/terminal/status-lists/1/1", 404),
        ("/v1/terminal/status-lists/2/1772467200", 404),
        ("/v1/terminal/status-lists/0/1772467200", 422),
        ("/v1/terminal/status-lists/65536/1772467200", 422),
        ("/v1/terminal/status-lists/1/4294967296", 422),
        ("/v1/terminal/status-lists/1/x", 422),
        ("/v1/terminal/status-lists/1/1772467200?have=0", 422),
        ("/v1/terminal/status-lists/1/1772467200?have=4294967296", 422),
    ],
)
def test_a_list_that_there_is_not(published: ScanService, target: str, status: int) -> None:
    assert get(published, target).status_code == status


def test_only_terminals_in_service_are_served_and_each_request_once(
    published: ScanService,
) -> None:
    stranger = TerminalDevice((9).to_bytes(8), published.clock)
    for target in (BUNDLE, todays(published)):
        assert published.http.get(target).status_code == 401
        assert get(published, target, stranger).status_code == 401
        headers = {"Authorization": published.hospital.authorization("GET", target)}
        assert published.http.get(target, headers=headers).status_code == 200
        assert published.http.get(target, headers=headers).status_code == 401
    bureau = published.bureau
    bureau.perform(SuspendTerminal(published.pharmacy.serial_number), bureau.maker)
    published.registry.refresh()
    for target in (BUNDLE, todays(published)):
        assert get(published, target, published.pharmacy).json()["code"] == "terminal_suspended"
