"""Examples for the reference; the tests read each through its model."""

from typing import Any

from scan_api.scans import examples

UPLOAD: dict[str, Any] = {
    "request_id": "upload-20260101-000003",
    "records": [
        {
            "request_id": "desk-2-20260101-000031",
            "code": examples.REQUEST["code"],
            "business_type": "01101",
            "scanned_at": 1767225617,
            "sequence": 31,
            "signature": "5a" * 64,
        }
    ],
}
SETTLED: dict[str, Any] = {
    "records": [
        {"request_id": "desk-2-20260101-000031", "outcome": "confirmed", "reason": None},
    ]
}
