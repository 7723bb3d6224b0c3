"""Examples for the reference; the tests read each through its model."""

from typing import Any

from card_core.verdicts import Reason

CARD: dict[str, Any] = {
    "name": "**明",
    "social_security_number": "990***********1237",
    "card_number": "SB0000001",
    "card_state": "normal",
    "e_card_state": "active",
    "issued_on": "2026-01-01",
    "expires_on": "2036-01-01",
}
FULL_IDENTITY: dict[str, Any] = {"name": "王小明", "social_security_number": "990101199001011237"}
CODE: dict[str, Any] = {
    "text": "7406" + "0" * 248 + "1",
    "picture_svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 49 49">...</svg>',
    "minted_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-01T00:01:00Z",
    "server_time": "2026-01-01T00:00:00.250000Z",
    "short_code": {
        "text": "0123456789012345678901234567",
        "picture_svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 209 40">...</svg>',
    },
}
LOST: dict[str, Any] = {"card_state": "temporary_loss"}
FOUND: dict[str, Any] = {"card_state": "normal"}
SCANS: dict[str, Any] = {
    "scans": [
        {
            "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
            "scanned_at": "2026-01-01T00:00:17Z",
            "institution_name": "示范大药房",
            "business_type": "02121",
            "business_type_zh": "药店购药",
            "business_type_en": "Buying medicine at a pharmacy",
            "consumes": True,
            "outcome": "accepted",
            "reason": Reason.ACCEPTED.value,
            "reason_zh": Reason.ACCEPTED.text_zh,
            "reason_en": Reason.ACCEPTED.text_en,
            "medium": "online_code",
            "amount_fen": 2350,
            "reversals": [
                {
                    "reversal_id": "0019b7a4d2e34f6a9b01c2d3e4f50617",
                    "kind": "refund",
                    "amount_fen": 600,
                    "reversed_at": "2026-01-01T02:10:00Z",
                }
            ],
            "reported_at": None,
        }
    ]
}
REPORTED: dict[str, Any] = {
    "scan_id": "0019b7a4c1d23f5e8a90b1c2d3e4f506",
    "reported_at": "2026-01-01T03:00:00Z",
}
