"""Short codes over the whole service, on both databases: a second name of the same nonce."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from scan_service import ScanService, TerminalDevice
from servers.databases import Databases
from sqlalchemy import select

from card_core.codes import CODE_LIFE_SECONDS, ONLINE_SKEW_SECONDS
from card_core.codes.short_text import SHORT_CODE_DIGITS
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.kernel import SHORT_CODES_MAX
from card_core.store import schema
from scan_api.refusal_limit import REFUSALS_MAX


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


def shown(service: ScanService, **asked: Any) -> tuple[str, str]:
    """A code that the holder asked for with a short one: both texts, the long one first."""
    answer = service.signed_in().post("/v1/holder/codes", json={"short": True} | asked)
    assert answer.status_code == 201, answer.text
    code = answer.json()
    return code["text"], code["short_code"]["text"]


def test_a_short_code_is_given_where_it_is_asked_for(service: ScanService) -> None:
    browser = service.signed_in()
    assert browser.post("/v1/holder/codes", json={}).json()["short_code"] is None
    short = browser.post("/v1/holder/codes", json={"short": True}).json()["short_code"]
    assert len(short["text"]) == SHORT_CODE_DIGITS
    assert short["picture_svg"].startswith("<svg")


def test_it_is_accepted_and_shows_what_the_long_one_would(service: ScanService) -> None:
    _, short = shown(service)
    verdict = service.scan(service.hospital, short).json()
    assert verdict["reason"] == "accepted"
    assert verdict["holder"]["social_security_number"] == service.person.number
    with service.bureau.store.read() as tx:
        table = schema.scans
        row = tx.connection.execute(select(table).where(table.c.id == verdict["scan_id"])).one()
    assert row.medium == "short_code"


@pytest.mark.parametrize("first", [0, 1], ids=["long first", "short first"])
def test_of_both_names_one_is_accepted(service: ScanService, first: int) -> None:
    names = shown(service)
    assert service.scan(service.hospital, names[first]).json()["reason"] == "accepted"
    for name in names:
        assert service.scan(service.pharmacy, name).json()["reason"] == "already_used"


def test_of_both_names_that_race_exactly_one_is_accepted(service: ScanService) -> None:
    for _ in range(4):
        names = shown(service)
        start = threading.Barrier(2)

        def scan(pair: tuple[TerminalDevice, str], start: threading.Barrier = start) -> str:
            start.wait()
            return str(service.scan(*pair).json()["reason"])

        with ThreadPoolExecutor(2) as pool:
            pairs = zip((service.hospital, service.pharmacy), names, strict=True)
            assert sorted(pool.map(scan, pairs)) == ["accepted", "already_used"]


def test_the_same_reasons_hold_as_for_the_long_one(service: ScanService) -> None:
    _, identify_only = shown(service, purpose_class="identify_only")
    assert service.scan(service.pharmacy, identify_only).json()["reason"] == "purpose_mismatch"
    _, old = shown(service)
    service.clock.advance(CODE_LIFE_SECONDS + ONLINE_SKEW_SECONDS + 1)
    assert service.scan(service.hospital, old).json()["reason"] == "expired"
    _, lost = shown(service)
    person = service.person
    service.bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    verdict = service.scan(service.hospital, lost).json()
    assert (verdict["reason"], verdict["card_state"]) == ("card_lost", "temporary_loss")


def test_one_that_is_gone_and_one_that_never_was_are_one_answer(service: ScanService) -> None:
    _, short = shown(service)
    service.clock.advance(CODE_LIFE_SECONDS + ONLINE_SKEW_SECONDS + 2)
    service.bureau.kernel.sweep()
    verdicts = [
        service.scan(service.hospital, text).json() for text in (short, "1" * SHORT_CODE_DIGITS)
    ]
    for verdict in verdicts:
        del verdict["scan_id"]
    assert verdicts[0]["reason"] == "unknown_short_code"
    assert verdicts[0] == verdicts[1]


def test_a_retry_gets_the_same_bytes_when_the_short_code_is_gone(service: ScanService) -> None:
    _, short = shown(service)
    first = service.scan(service.hospital, short, request_id="r1")
    service.clock.advance(3600)
    service.bureau.kernel.sweep()
    again = service.scan(service.hospital, short, request_id="r1")
    assert first.json()["reason"] == "accepted"
    assert again.content == first.content


def test_guessing_meets_a_limit(service: ScanService) -> None:
    for guess in range(REFUSALS_MAX):
        text = f"{guess:0{SHORT_CODE_DIGITS}d}"
        assert service.scan(service.hospital, text).json()["reason"] == "unknown_short_code"
    answer = service.scan(service.hospital, "9" * SHORT_CODE_DIGITS)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_refusals")
    _, short = shown(service)
    assert service.scan(service.hospital, short).json()["reason"] == "accepted"


def test_a_holder_shows_a_limited_number_at_once(service: ScanService) -> None:
    browser = service.signed_in()
    for _ in range(SHORT_CODES_MAX):
        assert browser.post("/v1/holder/codes", json={"short": True}).status_code == 201
    answer = browser.post("/v1/holder/codes", json={"short": True})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_short_codes")
    assert answer.headers["Retry-After"] == "60"
    assert browser.post("/v1/holder/codes", json={}).status_code == 201


def test_27_and_29_digits_are_no_short_code(service: ScanService) -> None:
    _, short = shown(service)
    for text in (short[:-1], short + "0"):
        assert service.scan(service.hospital, text).json()["reason"] == "malformed"


def test_neither_name_stands_in_the_scan_or_its_events(service: ScanService) -> None:
    names = shown(service)
    service.scan(service.hospital, names[1])
    with service.bureau.store.read() as tx:
        for table in schema.metadata.sorted_tables:
            for row in tx.connection.execute(select(table)):
                told = json.dumps([str(value) for value in row])
                assert not any(name in told for name in names), table.name
