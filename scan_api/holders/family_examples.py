"""Examples for the reference; the tests read each through its model."""

from typing import Any

from scan_api.holders import examples

APPLICATION_ID = "0019b7a4c1d23f5e8a90b1c2d3e4f507"
MEMBER_ID = "0019b7a4c1d23f5e8a90b1c2d3e4f508"
GUARDIANSHIP_ID = "0019b7a4c1d23f5e8a90b1c2d3e4f509"
APPLICATIONS: dict[str, Any] = {
    "applications": [
        {
            "application_id": APPLICATION_ID,
            "kind": "new",
            "mode": "batch",
            "state": "filed",
            "name": "张*",
            "filed_at": "2026-01-01T00:00:00Z",
            "reason": None,
        }
    ]
}
FILED: dict[str, Any] = {"application_id": APPLICATION_ID, "state": "filed"}
FAMILY: dict[str, Any] = {
    "members": [{"family_member_id": MEMBER_ID, "name": "张*", "relation": "parent"}],
    "shown_by": [],
    "offers": [],
    "wards": [
        {
            "guardianship_id": GUARDIANSHIP_ID,
            "name": "张**",
            "ends_on": "2031-05-01",
            "card_state": "normal",
            "is_member": False,
        }
    ],
    "grown": [],
    "guardians": [],
}
OFFER: dict[str, Any] = {
    "family_member_id": MEMBER_ID,
    "consent_code": "7KQMX-2VTNC-9RZ4D-WH3SP",
    "expires_at": "2026-01-02T00:00:00Z",
}
MEMBER: dict[str, Any] = {"family_member_id": MEMBER_ID, "state": "active"}
CODE = examples.CODE
