"""What a problem document (RFC 9457) is made of; the kinds of fault are in `problems`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of fault. `title` and `detail` are English (the names are RFC 9457's)."""

    code: str
    status: int
    title: str
    title_zh: str
    detail: str
    detail_zh: str

    def document(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The members of the problem document; `extra` are extension members (section 3.2)."""
        return {
            "type": f"/docs#problem-{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "title_zh": self.title_zh,
            "detail_zh": self.detail_zh,
            **(extra or {}),
        }

    def to_bytes(self, extra: Mapping[str, Any] | None = None) -> bytes:
        return json.dumps(self.document(extra), ensure_ascii=False).encode()


class ProblemError(Exception):
    """Ends a request with a problem of the catalogue."""

    def __init__(
        self,
        problem: Problem,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
