"""What an access token may not do about visits and reversals."""

from typing import Any

import httpx2
from scan_service import ScanService
from token_purchase import buy


def test_a_token_takes_no_consuming_step_of_a_visit_and_takes_nothing_back(
    service: ScanService,
) -> None:
    visit = service.scan(service.hospital, service.mint()).json()["visit"]
    bearer = {"Authorization": f"Bearer {buy(service, service.hospital)}"}

    def post(target: str, **fields: Any) -> httpx2.Response:
        body = {"request_id": service.bureau.request_id(), **fields}
        return service.http.post(target, json=body, headers=bearer)

    def step(business_type: str) -> httpx2.Response:
        named = {"visit_token": visit["token"], "business_type": business_type, "step": "1"}
        return post("/v1/visit-steps", **named, amount_fen=100)

    assert step("01303").json()["outcome"] == "accepted"
    reversal = post(f"/v1/scans/{'0' * 32}/reversals", kind="void")
    for refused in (step("01301"), step("01302"), reversal):
        assert (refused.status_code, refused.json()["code"]) == (401, "signature_needed")
