"""Search, a person's file, figures."""

from typing import Any, Final

from issuance.console.reference.example import BATCH_ID, Example

_HOLDER_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f530"
_ACTS: Final[dict[str, Any]] = {
    "acts": [
        {
            "number": 48211,
            "at": "2026-03-02T03:12:00Z",
            "act": "activate_card",
            "actor_kind": "operator",
            "by": "王经办",
            "about": "card",
            "card_number": "FS1234567",
        }
    ],
    "next_before": None,
}
_HOLDER: Final[dict[str, Any]] = {
    "holder_id": _HOLDER_ID,
    "name": "王*明",
    "number": "9901**********1237",
    "phone": "139****0000",
    "region": "990101",
    "birth_year": 1990,
    "merged": 0,
    "cards": [
        {
            "card_number": "FS1234567",
            "state": "normal",
            "ecard_state": "active",
            "batch_id": BATCH_ID,
            "issued_on": "2026-03-02",
            "expires_on": "2036-03-02",
        }
    ],
    "applications": [
        {
            "application_id": "019c3f5a7b2e4d6f8a90b1c2d3e4f531",
            "state": "issued",
            "kind": None,
            "filed_at": None,
            "batch_id": BATCH_ID,
        }
    ],
    "phones": [{"grade": "app", "state": "active", "registered_at": "2026-03-02T04:00:00Z"}],
    "changes": [
        {"kind": "correction", "evidence": "identity_document", "at": "2026-03-02T05:00:00Z"}
    ],
    "scans": [
        {
            "at": "2026-03-02T06:00:00Z",
            "institution": "示范大药房",
            "business_type_zh": "药店购药",
            "business_type_en": "Buying medicine at a pharmacy",
            "reason": "accepted",
        }
    ],
    "acts": _ACTS,
}
_COUNTS: Final[dict[str, Any]] = {
    "issued": 599,
    "handed_over": 570,
    "handed_over_rate": 0.9516,
    "activated": 561,
    "activated_rate": 0.9366,
    "ecards_activated": 498,
    "ecards_activated_rate": 0.8314,
    "cancelled": 2,
    "taken_over": 0,
    "days_median": 9,
    "days_p95": 21,
}
_FIGURES: Final[dict[str, Any]] = {
    "as_of": "2026-03-31T01:30:00Z",
    "small": 10,
    "by": ["month"],
    "total": _COUNTS,
    "rows": [{"region": "all", "bank": "all", "month": "2026-03", "counts": _COUNTS}],
}

EXAMPLES: Final = {
    "search": Example(
        {
            "hits": [
                {
                    "kind": "holder",
                    "id": _HOLDER_ID,
                    "title": "王*明 9901**********1237",
                    "detail": "",
                }
            ]
        },
        {"text": "FS1234567"},
    ),
    "getHolder": Example(_HOLDER),
    "listActsOnHolder": Example(_ACTS),
    "getFigures": Example(_FIGURES),
    "getFiguresFile": Example(
        {
            "text/csv": "地区 Region,银行 Bank,发卡月份 Month of issue,…\nall,all,all,599,…",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "PK\x03\x04…",
        }
    ),
    "getScanFigures": Example(
        {
            "as_of": "2026-03-02T01:30:00Z",
            "since": "2026-03-01T02:00:00Z",
            "small": 10,
            "scans": 5120,
            "refused": 96,
            "by_hour": [
                {"value": "2026-03-02T08", "text_zh": "08:00", "text_en": "08:00", "count": 5120}
            ],
            "by_reason": [
                {"value": "other", "text_zh": "其他合计", "text_en": "Others together", "count": 96}
            ],
        }
    ),
}
