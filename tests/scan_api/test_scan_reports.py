"""A holder says of a scan that it was not theirs."""

from scan_service import ScanService
from sqlalchemy import func, select

from card_core.store.schema import outbox


def test_a_scan_is_reported_once_by_its_holder_alone(service: ScanService) -> None:
    browser = service.signed_in()
    code = browser.post("/v1/holder/codes", json={}).json()["text"]
    service.scan(service.pharmacy, code)
    (scan,) = browser.get("/v1/holder/scans").json()["scans"]
    assert (scan["consumes"], scan["reported_at"]) == (True, None)
    path = f"/v1/holder/scans/{scan['scan_id']}/reports"

    other = service.signed_in(service.bureau.person())
    assert other.post(path, json={}).json()["code"] == "not_found"
    reported = browser.post(path, json={})
    assert reported.status_code == 201
    service.clock.advance(60)
    assert browser.post(path, json={}).json() == reported.json()
    (again,) = browser.get("/v1/holder/scans").json()["scans"]
    assert again["reported_at"] == reported.json()["reported_at"]
    told = select(func.count()).where(outbox.c.topic == "report_scan")
    with service.bureau.store.read() as tx:
        assert tx.connection.execute(told).scalar_one() >= 1
