"""Applications one by one, cards made at once, families."""

from typing import Any, Final

from issuance.console.reference.example import (
    APPROVAL_ID,
    BATCH_ID,
    CONTENT_HASH,
    NOTHING,
    Example,
    proposed,
)

_FILING_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f508"
_GUARDIANSHIP_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f509"
_MEMBER_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f50a"
_WARD_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f50d"
_GUARDIAN_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f50e"
_BRANCH: Final = "440604001"
_APPLICATION: Final[dict[str, Any]] = {
    "application_id": _FILING_ID,
    "kind": "new",
    "channel": "window",
    "mode": "at_once",
    "state": "filed",
    "code": "10",
    "name": "王*明",
    "number": "9901**********1237",
    "evidence": "identity_document",
    "refusal": None,
    "batch_id": None,
    "filed_at": "2026-03-02T01:30:00Z",
}
_FIELDS: Final = {
    "name": "王小明",
    "certificate": "居民身份证",
    "number": "990101199001011237",
    "sex": "男",
    "ethnic_group": "汉族",
    "birth_on": "1990-01-01",
    "phone": "13900000000",
    "address": "示范省示范市示范路 1 号",
    "region": "990101",
    "bank": "102",
    "branch": _BRANCH,
    "guardian_name": "",
    "guardian_number": "",
}

EXAMPLES: Final = {
    "listApplications": Example({"applications": [_APPLICATION]}),
    "getApplication": Example(_APPLICATION),
    "fileApplication": Example(
        {"filing_id": _FILING_ID, "state": "filed"},
        {"fields": _FIELDS, "mode": "at_once", "evidence": "identity_document", "reference": None},
    ),
    "fileNextApplication": Example(
        {"filing_id": _FILING_ID, "state": "filed"},
        {
            "card_number": "FS1234567",
            "kind": "replacement",
            "mode": "batch",
            "evidence": "identity_document",
            "reference": None,
        },
    ),
    "acceptApplication": Example(
        {"filing_id": _FILING_ID, "state": "accepted"}, {"evidence": None, "reference": None}
    ),
    "refuseApplication": Example(
        {"filing_id": _FILING_ID, "state": "refused"}, {"reason": "evidence_missing"}
    ),
    "withdrawApplication": Example({"filing_id": _FILING_ID, "state": "withdrawn"}, NOTHING),
    "issueAtOnce": Example(
        {
            "card_id": "019c3f5a7b2e4d6f8a90b1c2d3e4f50b",
            "card_number": "FS1234567",
            "batch_id": BATCH_ID,
        },
        NOTHING,
    ),
    "batchApplications": Example(
        {
            "batch_id": BATCH_ID,
            "approval_id": APPROVAL_ID,
            "content_hash": CONTENT_HASH,
            "accepted": 41,
            "refused": [{"row": 7, "code": "has_live_card"}],
            "chunks": 1,
        },
        {"name": "window-0302", "count_max": 500},
    ),
    "writeMakerFile": Example("SSC…", {"maker": "D01"}),
    "takeMakerReturn": Example(
        {
            "order_id": "019c3f5a7b2e4d6f8a90b1c2d3e4f50c",
            "state": "answered",
            "made": 1,
            "failed": 0,
            "known": 0,
        },
        "SSC…",
    ),
    "listBlankCards": Example(
        {
            "branches": [
                {
                    "branch": _BRANCH,
                    "received": 500,
                    "on_hand": 497,
                    "in_device": 1,
                    "used": 1,
                    "spoiled": 1,
                }
            ]
        }
    ),
    "proposeBlanks": Example(
        proposed(f"网点 {_BRANCH}：空白卡入库 500 张 / Branch {_BRANCH}: 500 blank cards came in"),
        {"branch": _BRANCH, "count": 500},
    ),
    "proposeWriteOff": Example(
        proposed(
            f"网点 {_BRANCH}：在库 497 张空白卡中作废 2 张（damaged） / "
            f"Branch {_BRANCH}: write off 2 of 497 blank cards (damaged)"
        ),
        {"branch": _BRANCH, "count": 2, "reason": "damaged"},
    ),
    "proposeGuardian": Example(
        proposed(
            f"登记监护人：记录 {_GUARDIAN_ID} 为记录 {_WARD_ID} 的监护人（household_register） / "
            f"Bind record {_GUARDIAN_ID} as guardian of record {_WARD_ID} (household_register)"
        ),
        {
            "ward_id": _WARD_ID,
            "guardian_id": _GUARDIAN_ID,
            "evidence": "household_register",
            "reference": "001234567",
        },
    ),
    "endGuardianship": Example({"guardianship_id": _GUARDIANSHIP_ID, "state": "ended"}),
    "endFamilyMember": Example({"family_member_id": _MEMBER_ID, "state": "ended"}),
}
