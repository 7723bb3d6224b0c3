"""No personal data, code, password or token in a log line, a problem, or the database's files."""

import logging
from pathlib import Path

import httpx2
import pytest
from bureau import HOLDER_PASSWORD
from scan_service import BASE_URL, ScanService

from card_core.store import holders
from scan_api.holders.session import COOKIE

WRONG_PASSWORD = "860317"


class Scenario:
    """What a day at the service brings, with every text that must stay where it belongs."""

    def __init__(self, service: ScanService) -> None:
        self.service = service
        self.problems: list[httpx2.Response] = []
        with service.bureau.store.read() as tx:
            person = holders.get(tx, service.person.holder_id)
        assert person is not None
        self.canaries = {
            person.name,
            person.social_security_number,
            person.phone,
            person.address,
            HOLDER_PASSWORD,
            WRONG_PASSWORD,
            "clerk-canary",
            "desk-canary",
        }

    def run(self) -> None:
        self._scan()
        self._hold()
        self._fail()

    def _scan(self) -> None:
        code = self.service.mint()
        self.canaries.add(code)
        for device in (self.service.pharmacy, self.service.hospital):
            answer = self.service.scan(
                device, code, operator="clerk-canary", department="desk-canary"
            )
            assert answer.status_code == 200
        personal = {"surprise": next(iter(self.canaries)), "code": code}
        self._keep(self.service.scan(self.service.pharmacy, **personal))  # type: ignore[arg-type]
        self._keep(self.service.scan(self.service.pharmacy, code, business_type=code[:5]))
        self._keep(self.service.scan(self.service.pharmacy, code * 3))
        unsigned = self.service.http.post("/v1/scans", json={"code": code})
        self._keep(unsigned)

    def _hold(self) -> None:
        browser = self.service.signed_in()
        self.canaries.add(browser.cookies[COOKIE])
        code = browser.post("/v1/holder/codes", json={}).json()["text"]
        self.canaries.add(code)
        body = {"social_security_number": self.service.person.number, "password": WRONG_PASSWORD}
        self._keep(browser.post("/v1/holder/sign-ins", json=body))
        self._keep(browser.post("/v1/holder/sign-ins", json=body | {"password": 1}))
        self._keep(browser.post("/v1/holder/loss-withdrawals", json=body))
        withdrawal = {"request_id": "r1", "password": HOLDER_PASSWORD}
        self._keep(browser.post("/v1/holder/loss-withdrawals", json=withdrawal))

    def _fail(self) -> None:
        """Personal data in paths, queries, headers and broken bodies."""
        number = self.service.person.number
        http = self.service.http
        self._keep(http.get(f"/v1/holders/{number}?name={number}"))
        self._keep(http.get("/v1/holder/card", headers={"Cookie": f"{COOKIE}={number}"}))
        self._keep(http.get("/v1/terminal", headers={"Authorization": f"SSCARD-SM2 {number}"}))
        body = f'{{"social_security_number": "{number}'.encode()
        headers = {"Origin": BASE_URL, "Content-Type": "application/json"}
        self._keep(http.post("/v1/holder/sign-ins", content=body, headers=headers))

    def _keep(self, answer: httpx2.Response) -> None:
        assert answer.status_code >= 400
        self.problems.append(answer)


def found_in(text: bytes, canaries: set[str]) -> set[str]:
    return {canary for canary in canaries if canary.encode() in text}


@pytest.fixture
def scenario(service: ScanService, caplog: pytest.LogCaptureFixture) -> Scenario:
    # The caller's own library: what it writes at DEBUG is on the caller's machine.
    for name in ("httpx2", "httpcore"):
        caplog.set_level(logging.WARNING, logger=name)
    # The last level set is also that of what is caught.
    caplog.set_level(logging.DEBUG)
    return Scenario(service)


def test_logs_tell_of_every_request_and_of_nobody(
    scenario: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    scenario.run()
    good = 4  # two scans, a sign-in, a code
    assert caplog.text.count('"event": "request"') == len(scenario.problems) + good
    assert '"route": "/v1/scans"' in caplog.text
    assert found_in(caplog.text.encode(), scenario.canaries) == set()


def test_problems_repeat_nothing_that_was_sent(scenario: Scenario) -> None:
    scenario.run()
    for answer in scenario.problems:
        assert found_in(answer.content, scenario.canaries) == set(), answer.request.url


def test_the_databases_files_hold_nothing_in_clear(scenario: Scenario, tmp_path: Path) -> None:
    scenario.run()
    files = [path for path in tmp_path.iterdir() if path.name.startswith("bureau.db")]
    written = b"".join(path.read_bytes() for path in files)
    # The scans are there, by their terminal's business type; the people are not.
    assert b"02121" in written
    assert found_in(written, scenario.canaries) == set()
