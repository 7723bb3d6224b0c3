"""An example for the reference; the tests read it through its model."""

from typing import Any

EXPORT: dict[str, Any] = {
    "format": "sscard/holder-export/v1",
    "holder": {
        "social_security_number": "990101199001011237",
        "name": "示范明",
        "sex": "1",
        "birth_on": "1990-01-01",
        "ethnic_group": "01",
        "phone": "13900000000",
        "address": "示范省示范市示范路1号",
        "region": "990101",
        "guardian_name": "",
        "guardian_number": "",
    },
    "changes": [
        {
            "kind": "correction",
            "at": "2026-01-01T00:00:00Z",
            "content": {"before": {"name": "示范名"}, "after": {"name": "示范明"}},
        }
    ],
    "applications": [{"id": "0019b7a4c1d23f5e8a90b1c2d3e4f501", "state": "issued"}],
    "filings": [
        {
            "id": "0019b7a4c1d23f5e8a90b1c2d3e4f503",
            "kind": "new",
            "channel": "online",
            "state": "filed",
            "filed_at": "2026-01-01T00:00:00Z",
        }
    ],
    "guardianships": [
        {
            "as": "guardian",
            "state": "active",
            "evidence": "household_register",
            "began_at": "2026-01-01T00:00:00Z",
            "ends_on": "2036-05-01",
        }
    ],
    "family_members": [
        {
            "as": "shower",
            "relation": "child",
            "state": "active",
            "offered_at": "2026-01-01T00:00:00Z",
        }
    ],
    "cards": [
        {
            "card_number": "SB0000001",
            "state": "normal",
            "region": "990101",
            "issued_on": "2026-01-01",
            "expires_on": "2036-01-01",
            "ecard": {"sign_number": "99000120260101ABCDEF123456", "state": "active"},
        }
    ],
    "phones": [
        {
            "id": "0019b7a4c1d23f5e8a90b1c2d3e4f502",
            "grade": "browser",
            "state": "active",
            "registered_at": "2026-01-01T00:00:00Z",
        }
    ],
    "consents": [
        {
            "data_use": "scan_messages",
            "state": "given",
            "changed_at": "2026-01-01T00:00:00Z",
        }
    ],
    "scans": [
        {
            "at": "2026-01-01T00:00:17Z",
            "institution": "示范大药房",
            "business_type": "02121",
            "reason": "accepted",
            "amount_fen": 1250,
            "medium": "online_code",
            "reported_at": None,
        }
    ],
    "visits": [
        {
            "opened_at": "2026-01-01T00:00:00Z",
            "ends_at": "2026-01-01T12:00:00Z",
            "institution": "示范医院",
            "state": "open",
            "steps": 1,
            "amount_fen": 0,
        }
    ],
}
