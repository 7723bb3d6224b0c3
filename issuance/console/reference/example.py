"""What the reference shows of an operation, beside its schema."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """gives: the good answer, None where it has no body. takes: the body that is sent.

    Nobody in them is real: there is no region 99, and no number that begins with it.
    """

    gives: Any = None
    takes: Any = None


APPROVAL_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f506"
BATCH_ID: Final = "019c3f5a7b2e4d6f8a90b1c2d3e4f507"
CONTENT_HASH: Final = "8f1b0d7c" * 8
NOTHING: Final[dict[str, Any]] = {}


def proposed(summary: str) -> dict[str, Any]:
    """What whoever proposes something is told."""
    return {"approval_id": APPROVAL_ID, "content_hash": CONTENT_HASH, "summary": summary}
