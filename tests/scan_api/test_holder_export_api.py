"""A holder takes out their own data over HTTP: all of it, nobody else's, and not often."""

from typing import Any

import httpx2
import pytest
from bureau import HOLDER_PASSWORD
from scan_service import BASE_URL, ScanService
from sqlalchemy import func, select

from card_core.kernel.acts.holder_exports import OWN_EXPORTS_MAX, OWN_EXPORTS_WITHIN
from card_core.kernel.acts.sessions import FAILURES_MAX
from card_core.store.holder_export import export
from card_core.store.schema import audit_events, holder_exports
from scan_api.holders.export_models import HolderExport

TARGET = "/v1/holder/exports"


def ask(
    browser: httpx2.Client, password: str = HOLDER_PASSWORD, origin: str = BASE_URL
) -> httpx2.Response:
    return browser.post(TARGET, json={"password": password}, headers={"Origin": origin})


def exports_logged(service: ScanService) -> int:
    statement = select(func.count()).where(audit_events.c.act == "export_holder")
    with service.bureau.store.read() as tx:
        count: int = tx.connection.execute(statement).scalar_one()
    return count


def test_it_is_all_of_the_holder_with_who_scanned_and_nothing_of_others(
    service: ScanService,
) -> None:
    bureau, person = service.bureau, service.person
    other = bureau.person()
    for one in (person, other):
        bureau.scan(bureau.minter.mint(one.holder_id).text, operator="0042")
    answer = ask(service.signed_in(person))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    with bureau.store.read() as tx:
        expected: dict[str, Any] = export(tx, person.holder_id)
    found = answer.json()
    assert found == HolderExport.model_validate(expected).model_dump(mode="json")
    assert found["holder"]["social_security_number"] == person.number
    (scan,) = found["scans"]
    assert (scan["institution"], scan["business_type"]) == ("机构161", "01101")
    for strange in (other.number, other.name, other.sign_number, other.holder_id, "0042"):
        assert strange not in answer.text
    assert exports_logged(service) == 1


def test_three_in_a_day_and_another_holder_has_three_too(service: ScanService) -> None:
    browser = service.signed_in(service.person)
    for _ in range(OWN_EXPORTS_MAX):
        assert ask(browser).status_code == 200
    refused = ask(browser)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")
    assert "Retry-After" in refused.headers
    assert service.person.name not in refused.text
    assert ask(service.signed_in(service.bureau.person())).status_code == 200
    assert exports_logged(service) == OWN_EXPORTS_MAX + 1
    service.bureau.clock.advance(OWN_EXPORTS_WITHIN.total_seconds())
    assert ask(service.signed_in(service.person)).status_code == 200


def test_what_is_counted_goes_with_its_day(service: ScanService) -> None:
    ask(service.signed_in(service.person))
    service.bureau.clock.advance(OWN_EXPORTS_WITHIN.total_seconds() + 1)
    assert service.bureau.kernel.sweep()["holder_exports"] == 1
    with service.bureau.store.read() as tx:
        assert tx.connection.execute(select(holder_exports)).all() == []


def test_an_open_session_is_not_enough(service: ScanService) -> None:
    browser = service.signed_in(service.person)
    wrong = str((int(HOLDER_PASSWORD) + 1) % 1_000_000).zfill(6)
    codes = [ask(browser, wrong).json()["code"] for _ in range(FAILURES_MAX)]
    assert set(codes) <= {"sign_in_refused", "sign_in_locked"}
    assert ask(browser).json()["code"] == "sign_in_locked"
    assert exports_logged(service) == 0


@pytest.mark.parametrize("origin", ["https://elsewhere.test", "null"])
def test_no_other_site_asks_for_it(service: ScanService, origin: str) -> None:
    answer = ask(service.signed_in(service.person), origin=origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_nobody_gets_it_without_a_session(service: ScanService) -> None:
    assert ask(service.http).json()["code"] == "sign_in_needed"
