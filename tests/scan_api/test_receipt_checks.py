"""The public check of receipts: what it tells, and what it doesn't."""

import json

from scan_service import PHARMACY_CODE, PURCHASE, ScanService

from scan_api.refusal_limit import REFUSALS_MAX

TARGET = "/v1/receipt-checks"


def test_a_genuine_receipt_tells_what_it_is_of_and_whether_it_was_taken_back(
    service: ScanService,
) -> None:
    http = service.client()
    scanned = service.scan(
        service.pharmacy, service.mint(), business_type=PURCHASE, amount_fen=4580
    ).json()
    found = http.post(TARGET, json={"receipt": scanned["receipt"]}).json()
    assert (found["genuine"], found["kind"], found["reversed"]) == (True, "scan", False)
    assert (found["institution_code"], found["business_type_zh"]) == (PHARMACY_CODE, "药店购药")
    told = json.dumps(found, ensure_ascii=False)
    for secret in (service.person.name, service.person.number, scanned["pseudonym"], "4580"):
        assert secret not in told

    reversal = {"kind": "void", "request_id": "back"}
    target = f"/v1/scans/{scanned['scan_id']}/reversals"
    back = service.pharmacy.post(http, target, json.dumps(reversal).encode()).json()
    assert http.post(TARGET, json={"receipt": scanned["receipt"]}).json()["reversed"] is True
    of_void = http.post(TARGET, json={"receipt": json.dumps({"receipt": back["receipt"]})}).json()
    assert (of_void["kind"], of_void["reversed"]) == ("void", None)


def test_what_is_not_genuine_tells_nothing_and_is_limited(service: ScanService) -> None:
    http = service.client()
    for _ in range(REFUSALS_MAX):
        answer = http.post(TARGET, json={"receipt": "AQGq"})
        assert {value for value in answer.json().values() if value is not None} == {False}
    limited = http.post(TARGET, json={"receipt": "AQGq"})
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many_checks")
    assert int(limited.headers["Retry-After"]) > 0
