"""Examples for the reference; the tests read each through its model."""

from typing import Any

_COUNTS: dict[str, Any] = {
    "issued": 52000,
    "handed_over": 49400,
    "handed_over_rate": 0.95,
    "activated": 49000,
    "activated_rate": 0.9423,
    "ecards_activated": 31000,
    "ecards_activated_rate": 0.5962,
    "cancelled": 120,
    "taken_over": 0,
    "days_median": 18,
    "days_p95": 41,
}
FIGURES: dict[str, Any] = {
    "as_of": "2026-01-01T00:00:00Z",
    "small": 10,
    "by": ["region"],
    "total": _COUNTS,
    "rows": [{"region": "440604", "bank": "all", "month": "all", "counts": _COUNTS}],
}
