"""The completed OpenAPI document."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi

from card_core import errors
from issuance.console import problems
from issuance.console.cookie import COOKIE
from issuance.console.entry import key_needed, key_reused
from issuance.console.reference import applications, batches, people, places, sessions
from issuance.console.reference.example import Example

EXAMPLES: Final[Mapping[str, Example]] = MappingProxyType(
    {
        **sessions.EXAMPLES,
        **applications.EXAMPLES,
        **batches.EXAMPLES,
        **places.EXAMPLES,
        **people.EXAMPLES,
    }
)
_JSON: Final = "application/json"
_OPEN: Final = frozenset({"askChallenge", "signIn", "askTicket", "signInByTicket"})
_SESSION: Final[list[dict[str, list[str]]]] = [{"operatorSession": []}, {"operatorCookie": []}]
_SECURITY_SCHEMES: Final = {
    "operatorSession": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of POST /sign-ins. 登录所得的令牌。",
    },
    "operatorCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "For the desk's own pages. 仅供经办页面。",
    },
}
_PROBLEM: Final = {
    "title": "ProblemDocument",
    "description": "RFC 9457. `code` is stable; texts are for people. `fields`: of the body, those "
    "that are missing or wrong; `errors`: what is wrong with an application. 错误说明。",
    "type": "object",
    "required": ["type", "status", "code", "title", "detail", "detail_zh"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        **{name: {"type": "string"} for name in ("code", "title", "detail", "detail_zh")},
        "fields": {"type": "array", "items": {"type": "string"}},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the completed document, built once."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(app)
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]  # the way that FastAPI documents


def _complete(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document["components"]
    components["securitySchemes"] = _SECURITY_SCHEMES
    components["schemas"]["ProblemDocument"] = _PROBLEM
    # The framework's own shapes of errors: this API never answers with them.
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            _show(operation, EXAMPLES[operation["operationId"]])
            operation["responses"] |= _problem_answers(operation)
            if operation["operationId"] not in _OPEN:
                operation["security"] = _SESSION
    return document


def _show(operation: dict[str, Any], example: Example) -> None:
    """Put the example beside each body of the operation."""
    operation["responses"].pop("422", None)
    (good,) = operation["responses"].values()
    for taken, body in (
        (example.takes, operation.get("requestBody", {})),
        (example.gives, good),
    ):
        for media, content in body.get("content", {}).items():
            is_file = media != _JSON and isinstance(taken, dict)
            content["examples"] = {"usual": {"value": taken[media] if is_file else taken}}


def _problem_answers(operation: dict[str, Any]) -> dict[str, Any]:
    """By status, the problems that any such operation may answer with; `default` is all others."""
    found: list[Exception] = [errors.NotFoundError("batch")]
    is_open = operation["operationId"] in _OPEN
    found += [errors.SignInRefusedError()] if is_open else [errors.SessionEndedError()]
    found += [] if is_open else [errors.NotAllowedError()]
    if "requestBody" in operation or "parameters" in operation:
        found.append(RequestValidationError([{"loc": ("body", "name")}]))
    if any(one["name"] == "idempotency-key" for one in operation.get("parameters", ())):
        found += [key_needed(), key_reused()]
    answers: dict[str, Any] = {}
    for told in map(_document_of, found):
        status = "default" if told["code"] == "not_found" else str(told["status"])
        answer = answers.setdefault(status, _empty(status))
        answer["content"][problems.MEDIA_TYPE]["examples"][told["code"]] = {"value": told}
    return answers


def _empty(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    words = "Any other problem; `code` says which · 其他错误，见 code"
    return {
        "description": words if status == "default" else "Problem · 错误",
        "content": {problems.MEDIA_TYPE: {"schema": schema, "examples": {}}},
    }


def _document_of(error: Exception) -> dict[str, Any]:
    """As the API answers with it."""
    found: dict[str, Any] = json.loads(bytes(problems.answer_to(error).body))
    return found
