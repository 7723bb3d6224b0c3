"""Examples for the reference; the tests read each through its model."""

from typing import Any

from card_core.verdicts import Reason
from scan_api.scans import examples

REQUEST: dict[str, Any] = {
    "code": "7406" + "0" * 248 + "1",
    "business_type": "01101",
    "request_id": "5f0c2d7a91b34e6f8a1b2c3d4e5f6071",
    "amount_fen": None,
    "institution_code": "H99010100001",
    "institution_name": "示范医院",
    "institution_kind": "hospital",
    "terminal": "00000000000000a1",
}
ACCEPTED: dict[str, Any] = {
    "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
    "outcome": "accepted",
    "reason": Reason.ACCEPTED.value,
    "medium": "online_code",
    "presence": "plain",
    "for_whom": "self",
    "card_state": "normal",
    "holder": examples.ACCEPTED["holder"],
    "pseudonym": "8f14e45fceea167a5a36dedd4bea2543",
    "receipt": "AQEAAQ",
    "scanned_at": "2026-01-01T00:00:17Z",
}
TRUST_LIST: dict[str, Any] = {"trust_list": "ewogImVkaXRpb24iOiAxCn0K", "signature": "AAAA"}
