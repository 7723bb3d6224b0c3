"""What the OpenAPI document needs beyond what the routes say by themselves."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from scan_api import problems
from scan_api.overload import ALWAYS
from scan_api.problems import Problem

JSON = "application/json"
_SCHEMAS = "#/components/schemas/"
TERMINAL_SECURITY: dict[str, Any] = {"security": [{"terminalSignature": []}, {"accessToken": []}]}
SIGNED_SECURITY: dict[str, Any] = {"security": [{"terminalSignature": []}]}
PEER_SECURITY: dict[str, Any] = {"security": [{"peerSignature": []}]}
HOLDER_SECURITY: dict[str, Any] = {"security": [{"holderSession": []}]}
# Ending a session that has ended already is no fault.
OPTIONAL_HOLDER_SECURITY: dict[str, Any] = {"security": [{"holderSession": []}, {}]}
# What a terminal may hear before anybody looks at what it asks (a service channel that it is none),
# and what a body may be told.
TERMINAL_FAULTS = (
    problems.NOT_AUTHENTICATED,
    problems.CLOCK_OFF,
    problems.TOO_MANY_FAILURES,
    problems.TERMINAL_SUSPENDED,
    problems.INSTITUTION_SUSPENDED,
    problems.NOT_ALLOWED,
)
BODY_FAULTS = (
    problems.MALFORMED_JSON,
    problems.NOT_JSON,
    problems.INVALID_REQUEST,
)
# Whatever is asked, before anybody looks at it; health is answered in a crowd, too.
_ANYWHERE = (problems.HEADERS_TOO_LARGE, problems.BODY_TOO_SLOW, problems.BODY_TOO_LARGE)

_SIGNED_REQUEST = """\
`SSCARD-SM2 terminal="<16 hex>",time="<10 digits>",nonce="<32 hex>",signature="<base64>"`

The terminal's own SM2 signature (SM3, signer id 1234567812345678, strict DER) over the bytes \
`sscard/request/v1\\nMETHOD\\nTARGET\\nTIME\\nNONCE\\nBODY\\n`. TARGET is path and query as sent. \
TIME is in Unix seconds, within 300 of the service's clock. NONCE is 16 random bytes in hex, good \
once. BODY is the body byte for byte, empty for GET.

终端用自己的 SM2 密钥对上述字节签名（SM3，签名者标识 1234567812345678，严格 DER 编码）。TIME 与\
服务时间相差不超过 300 秒，NONCE 为 16 个随机字节，只能用一次。"""

_PEER_REQUEST = """\
`SSCARD-PEER issuer="<number>",key="<number>",time="<10 digits>",nonce="<32 hex>",\
signature="<base64>"`

The SM2 signature of the asking issuer's `peer` key (as in the trust list) over the bytes \
`sscard/peer-scan/v1\\nMETHOD\\nTARGET\\nISSUER\\nKEY\\nASKED\\nTIME\\nNONCE\\nBODY\\n`. ASKED is \
the number of the issuer that is asked. The answer is signed likewise in the header \
`SSCARD-Signature`, over `sscard/peer-answer/v1\\nISSUER\\nKEY\\nASKING\\nNONCE\\nBODY\\n`.

发卡机构之间以各自的 peer 密钥签名请求与答复，公钥见信任列表。"""

_SECURITY_SCHEMES = {
    "peerSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": _PEER_REQUEST,
    },
    "terminalSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": _SIGNED_REQUEST,
    },
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of POST /v1/oauth/token, for 10 minutes; not where money or goods move. "
        "由 POST /v1/oauth/token 获取，10 分钟有效；不能用于涉及资金或物品的业务。",
    },
    "holderSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sscard_holder",
        "description": "Set by POST /v1/holder/sign-ins. 登录后由服务设置。",
    },
}
_PROBLEM_SCHEMA = {
    "title": "ProblemDocument",
    "description": "RFC 9457. `code` is stable; texts are for people. 错误说明。",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "title_zh", "detail_zh"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": [problem.code for problem in problems.CATALOGUE]},
        **{name: {"type": "string"} for name in ("title", "title_zh", "detail", "detail_zh")},
    },
}
_PROBLEM_REF = {"$ref": _SCHEMAS + "ProblemDocument"}


def example(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


def json_answer(
    description: str, examples: Mapping[str, dict[str, Any]], *, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """The good answer of a route whose schema FastAPI knows, with named examples."""
    return {status: {"description": description, "content": {JSON: {"examples": dict(examples)}}}}


def problem_answers(*found: Problem) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problems, grouped by status, each with its example."""
    answers: dict[int | str, dict[str, Any]] = {}
    for problem in found:
        entry = answers.setdefault(problem.status, {"description": "", "content": {}})
        entry["description"] = " / ".join(filter(None, (entry["description"], problem.title)))
        content = entry["content"].setdefault(
            problems.MEDIA_TYPE, {"schema": _PROBLEM_REF, "examples": {}}
        )
        summary = f"{problem.title} · {problem.title_zh}"
        content["examples"][problem.code] = example(summary, problem.document())
    return answers


def raw_body(model: type[BaseModel], examples: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The request body of a route that reads its bytes itself, before it believes them."""
    content = {"schema": _schema(model), "examples": dict(examples)}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


@functools.cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Made once in a process, however many applications it builds."""
    return model.model_json_schema(ref_template=_SCHEMAS + "{model}")


def install(app: FastAPI, tags: Sequence[Mapping[str, str]]) -> None:
    """Make `app.openapi()` give the completed document, built once."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(app, tags)
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]  # the way that FastAPI documents


def _complete(app: FastAPI, tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[dict(tag) for tag in tags],
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemDocument"] = _PROBLEM_SCHEMA
    components["securitySchemes"] = _SECURITY_SCHEMES
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _drop_default_validation_answer(operation)
            _share_definitions(operation, schemas)
            crowded = () if path in ALWAYS else (problems.OVERLOADED,)
            _add_answers(operation, (*_ANYWHERE, *crowded))
    # The framework's own shapes of errors: this service never answers with them.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document


def _drop_default_validation_answer(operation: dict[str, Any]) -> None:
    content = operation["responses"].get("422", {}).get("content", {})
    schema = content.get(JSON, {}).get("schema", {})
    if schema.get("$ref", "").endswith("HTTPValidationError"):
        del content[JSON]
        if not content:
            del operation["responses"]["422"]


def _share_definitions(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move what a raw body's schema defines beside itself to where its references lead."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas.update(content["schema"].pop("$defs", {}))


def _add_answers(operation: dict[str, Any], found: Sequence[Problem]) -> None:
    """Beside those that the route itself declares."""
    for status, answer in problem_answers(*found).items():
        there = operation["responses"].setdefault(str(status), {"description": "", "content": {}})
        texts = filter(None, (there["description"], answer["description"]))
        there["description"] = " / ".join(texts)
        content = there["content"].setdefault(
            problems.MEDIA_TYPE, {"schema": _PROBLEM_REF, "examples": {}}
        )
        content["examples"] |= answer["content"][problems.MEDIA_TYPE]["examples"]
