"""Examples for the reference; the tests read each through its model."""

from typing import Any

ASKED: dict[str, Any] = {"receipt": "AQGqAQABAQAAAZt22utiABm3pMHSP16KkLHC0w"}
GENUINE: dict[str, Any] = {
    "genuine": True,
    "kind": "scan",
    "at": "2026-01-01T01:20:31.330000Z",
    "institution_code": "P44060400002",
    "institution_name": "仁和大药房",
    "business_type_zh": "药店购药",
    "business_type_en": "Pharmacy purchase",
    "reversed": False,
}
NOT_GENUINE: dict[str, Any] = dict.fromkeys(GENUINE) | {"genuine": False}
