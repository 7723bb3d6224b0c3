"""Rosters, batches, and what waits for a second person."""

from typing import Any, Final

from issuance.console.reference.example import (
    APPROVAL_ID,
    BATCH_ID,
    CONTENT_HASH,
    NOTHING,
    Example,
    proposed,
)

_ROSTER_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f520"
_SUMMARY: Final = "放行批次 三月名册：599 张卡 / Release batch 三月名册: 599 cards"
_PROBLEM: Final = {
    "field": "性别",
    "code": "sex_mismatch",
    "message_zh": "性别与证件号码不符，请核对两项",
    "message_en": "The sex does not fit the number; check both",
}
_ROSTER: Final[dict[str, Any]] = {
    "roster_id": _ROSTER_ID,
    "name": "三月名册",
    "state": "checked",
    "size": 72411,
    "received": 72411,
    "part_bytes": 1048576,
    "rows_done": 600,
    "rows_expected": 600,
    "accepted": 599,
    "refused": 1,
    "digest": "5d0c1f7e" * 8,
    "kinds": [{**_PROBLEM, "count": 1}],
    "problem": None,
    "imported": None,
    "batch_id": None,
    "refused_later": [],
}
_EMPTY: Final = {
    "state": "receiving",
    "received": 0,
    "rows_done": 0,
    "rows_expected": None,
    "accepted": 0,
    "refused": 0,
    "digest": None,
    "kinds": [],
}
_PROGRESS: Final[dict[str, Any]] = {
    "state": "released",
    "issued": 200,
    "accepted": 599,
    "rate": 410.5,
    "seconds_left": 0.97,
    "is_here": True,
    "failure": None,
    "failure_zh": None,
}
_BATCH: Final[dict[str, Any]] = {
    "batch_id": BATCH_ID,
    "name": "三月名册",
    "state": "released",
    "stage": "issue",
    "accepted": 599,
    "refused": 1,
    "issued": 200,
    "cards": {"awaiting_bank": 200},
    "proposed_by": "王经办",
    "created_at": "2026-03-02T01:30:00Z",
}
_CHANGED: Final = {"batch_id": BATCH_ID, "state": "paused", "issued": 200, "accepted": 599}

EXAMPLES: Final = {
    "beginRoster": Example(_ROSTER | _EMPTY, {"file_name": "三月名册.xlsx", "size": 72411}),
    "sendRosterPart": Example(
        _ROSTER | _EMPTY | {"state": "checking", "received": 72411}, "PK\x03\x04…"
    ),
    "getRoster": Example(_ROSTER),
    "listRosterRows": Example({"rows": [{"row": 12, "problems": [_PROBLEM]}], "count": 1}),
    "getCorrections": Example(
        {
            "text/csv": "姓名,证件类型,证件号码,…,原行号 Row,问题与处理 What to do\n王小明,…",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "PK\x03\x04…",
        }
    ),
    "importRoster": Example(_ROSTER | {"state": "importing"}, {"name": "三月名册"}),
    "forgetRoster": Example(None, NOTHING),
    "listBatches": Example(
        {"batches": [_BATCH], "filed": 2, "registered": 41, "next_before": None}
    ),
    "getBatch": Example(
        {
            **_BATCH,
            "content_root": "8f1b0d7c" * 8,
            "file_digest": "5d0c1f7e" * 8,
            "orders": [
                {
                    "number": 1,
                    "state": "sent",
                    "records": 200,
                    "made": 0,
                    "failed": 0,
                    "created_at": "2026-03-02T02:30:00Z",
                }
            ],
            "progress": _PROGRESS,
        }
    ),
    "getBatchProgress": Example(_PROGRESS),
    "issueBatch": Example(_PROGRESS, NOTHING),
    "pauseBatch": Example(_CHANGED, NOTHING),
    "resumeBatch": Example(_CHANGED | {"state": "released"}, NOTHING),
    "proposeCancelBatch": Example(
        proposed(
            "取消批次 三月名册：已发 200 张有效，其余 399 张不再制发 / Cancel batch 三月名册: "
            "200 cards stay issued, 399 are not made"
        ),
        NOTHING,
    ),
    "listApprovals": Example(
        {
            "approvals": [
                {
                    "approval_id": APPROVAL_ID,
                    "act": "release_batch",
                    "summary": _SUMMARY,
                    "content_hash": CONTENT_HASH,
                    "proposed_by": "王经办",
                    "is_own": False,
                    "created_at": "2026-03-02T01:30:00Z",
                    "facts": [{"fact": "accepted", "value": "599"}],
                }
            ],
            "next_after": None,
        }
    ),
    "approve": Example(
        {
            "batch_id": BATCH_ID,
            "state": "released",
            "accepted": 599,
            "first_card_serial": 1201,
        },
        {"content_hash": CONTENT_HASH},
    ),
    "reject": Example({"approval_id": APPROVAL_ID, "state": "rejected"}, NOTHING),
}
