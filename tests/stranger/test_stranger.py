"""The example codes against a second verifier, as a check of docs/code-format.md.

That verifier was written from the document alone, on another SM2 library, and shares no code
with the product: what it gets right, a vendor with only the document can get right.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stranger.verifier import verify

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "codes.json").read_text(encoding="ascii")
)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["name"]))
def test_example_code(case: dict[str, Any]) -> None:
    """Every example has its outcome, and its reason or its fields."""
    verdict = verify(
        case["text"],
        keys=VECTORS["keys"],
        now=case["now"],
        business_type=case["business_type"],
        terminal=bytes.fromhex(case["terminal"]),
        amount_fen=case["amount_fen"],
        business_types=VECTORS["business_types"],
    )
    promised = {name: case[name] for name in ("outcome", "reason", "fields") if name in case}
    assert verdict == promised
