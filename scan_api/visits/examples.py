"""Examples for the reference; the tests read each through its model."""

from typing import Any

from scan_api.scans import examples

STEP: dict[str, Any] = {
    "visit_token": "AZ8Kk3Tq0u4o1m5YV2x7cQZr9pH6sJdLw8eNbXyGfIkA",
    "business_type": "01301",
    "step": "bill-20260101-0017",
    "request_id": "desk-2-20260101-000031",
    "amount_fen": 18600,
    "operator": "0017",
    "department": None,
}
STEP_TAKEN: dict[str, Any] = examples.ACCEPTED
VISIT_ENDED: dict[str, Any] = examples.VISIT_ENDED

REVERSAL: dict[str, Any] = {
    "kind": "refund",
    "request_id": "desk-2-20260101-000032",
    "amount_fen": 600,
    "operator": "0017",
    "department": None,
}
REVERSED: dict[str, Any] = {
    "reversal_id": "0019b7a4d2e34f6a9b01c2d3e4f50617",
    "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
    "kind": "refund",
    "amount_fen": 600,
    "left_fen": 1750,
    "reversed_at": "2026-01-01T02:10:00Z",
    "receipt": examples.RECEIPT,
    "clerk_salt": "c0ffee00112233445566778899aabbcc",
}
VISITS: dict[str, Any] = {
    "visits": [
        {
            "visit_id": "0019b7a4c1d23f5e8a90b1c2d3e4f507",
            "institution_name": "示范医院",
            "state": "open",
            "opened_at": "2026-01-01T00:00:17Z",
            "ends_at": "2026-01-01T12:00:17Z",
            "business_types": ["01201", "01301", "01302"],
            "steps": 2,
            "consuming": 1,
            "consuming_max": 10,
            "amount_fen": 18600,
            "amount_max_fen": 500000,
        }
    ]
}
