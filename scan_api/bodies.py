"""Reading JSON bodies, and saying what is wrong with each field: never the value that was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scan_api import problems
from scan_api.problems import ProblemError

_Model = TypeVar("_Model", bound=BaseModel)

# pydantic's kinds of error that the bodies of this service can have; {..} is the rule's own limit.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "missing": ("缺少该字段", "is missing"),
    "extra_forbidden": ("没有这个字段", "is not a known field"),
    "string_type": ("应为字符串", "must be a string"),
    "string_too_short": ("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("应符合格式 {pattern}", "must match {pattern}"),
    "int_type": ("应为整数", "must be an integer"),
    "greater_than_equal": ("不得小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不得大于 {le}", "must be at most {le}"),
    "literal_error": ("应为 {expected}", "must be {expected}"),
}
_OTHER = ("值不符合要求", "is not allowed here")
# A field's name may be the caller's own invention; only what looks like a name is said back.
_NAME = re.compile(r"[a-z_]{1,32}")


def check_media_type(content_type: str) -> None:
    """Raises: ProblemError (not_json). Parameters, such as a charset, are let pass."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(problems.NOT_JSON)


def parse_body(model: type[_Model], body: bytes) -> _Model:
    """Read a JSON body. Raises: ProblemError (malformed_json, invalid_request)."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise problem_of(error.errors(include_url=False, include_input=False)) from None


def problem_of(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    """The problem for pydantic's list of errors."""
    if any(error["type"] == "json_invalid" for error in errors):
        return ProblemError(problems.MALFORMED_JSON)
    return ProblemError(
        problems.INVALID_REQUEST, extra={"errors": [_field_error(error) for error in errors]}
    )


def _field_error(error: Mapping[str, Any]) -> dict[str, str]:
    names = [str(part) for part in error["loc"] if part != "body"]
    field = ".".join(name if _NAME.fullmatch(name) else "?" for name in names)
    kind = error["type"] if error["type"] in _TEXTS else "not_allowed"
    message_zh, message_en = _TEXTS.get(kind, _OTHER)
    limits = error.get("ctx", {}) if kind in _TEXTS else {}
    return {
        "field": field or "body",
        "code": kind,
        "message_zh": message_zh.format(**limits),
        "message_en": message_en.format(**limits),
    }
