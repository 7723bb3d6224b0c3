"""What terminals call about their keys: enrol, buy a token, bring the next key."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scan_api import problems
from scan_api.openapi import (
    BODY_FAULTS,
    SIGNED_SECURITY,
    TERMINAL_FAULTS,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals import examples, token_grant
from scan_api.terminals.enrolment import enrol, rotate
from scan_api.terminals.models import Enrolled, EnrolmentRequest, KeyAccepted, NextKey, Token
from scan_api.terminals.token_grant import GrantRefusedError

_FORM = "application/x-www-form-urlencoded"
_FORM_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "client_assertion_type", "client_assertion"],
                    "properties": {
                        "grant_type": {"const": token_grant.GRANT_TYPE},
                        "client_assertion_type": {"const": token_grant.ASSERTION_TYPE},
                        "client_assertion": {"type": "string", "maxLength": 2048},
                    },
                }
            }
        },
    }
}


def routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["enrolment"])

    @router.post(
        "/v1/terminals/enrolments",
        operation_id="enrolTerminal",
        summary="Enrol this terminal · 终端登记",
        response_model=Enrolled,
        status_code=201,
        responses={
            **json_answer(
                "Enrolled · 已登记",
                {"enrolled": example("Enrolled · 已登记", examples.ENROLLED)},
                status=201,
            ),
            **problem_answers(
                problems.ENROLMENT_REFUSED,
                problems.TOO_MANY_FAILURES,
                *BODY_FAULTS,
                problems.NOT_READY,
            ),
        },
        openapi_extra=raw_body(
            EnrolmentRequest, {"enrolment": example("A new terminal", examples.ENROLMENT)}
        ),
    )
    async def enrol_terminal(request: Request) -> Enrolled:
        """Bring the key that this terminal made, with the one-time code that two people at the
        bureau let out for its serial number. The same request again gets the same answer.

        终端以发卡机构两人复核后发出的一次性登记码，登记自己生成的公钥。重发同一请求得到同样答复。
        """
        content_type = request.headers.get("content-type", "")
        peer = request.client.host if request.client else ""
        body = await request.body()
        return await run_in_threadpool(enrol, services, body, content_type, peer)

    @router.post(
        "/v1/terminals/keys",
        operation_id="rotateTerminalKey",
        summary="Bring the next key · 更换密钥",
        response_model=KeyAccepted,
        status_code=201,
        responses={
            **json_answer(
                "Both keys are good for a while · 新旧密钥并行",
                {"accepted": example("Accepted · 已接受", examples.KEY_ACCEPTED)},
                status=201,
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.SIGNATURE_NEEDED,
                *BODY_FAULTS,
                problems.NOT_READY,
            ),
        },
        openapi_extra={
            **SIGNED_SECURITY,
            **raw_body(NextKey, {"next": example("The next key", examples.NEXT_KEY)}),
        },
    )
    async def rotate_terminal_key(request: Request) -> KeyAccepted:
        """The present key signs the request, the next one signs the proof. Both are good for
        24 hours, then the old one ends. A lost key can't do this: the terminal is enrolled anew.

        请求由现用密钥签名，proof 由新密钥签名。24 小时内新旧密钥均有效，之后旧密钥失效。
        密钥遗失时须重新登记。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(rotate, services, signed, content_type)

    @router.post(
        "/v1/oauth/token",
        operation_id="getToken",
        summary="Buy an access token · 获取访问令牌",
        response_model=Token,
        responses={
            **json_answer(
                "A token for 10 minutes · 10 分钟有效",
                {"token": example("A token · 令牌", examples.TOKEN)},
            ),
            **_fault_answers(),
            **problem_answers(
                problems.TOO_MANY_FAILURES,
                problems.NOT_READY,
            ),
        },
        openapi_extra=_FORM_BODY,
    )
    async def get_token(request: Request) -> Response:
        """OAuth 2.0 client credentials (RFC 6749, 4.4) with a JWT assertion (RFC 7523), signed by
        the terminal's key as SGD_SM3_SM2. A token serves reads and scans that identify; what moves
        money or goods is signed. Errors here have the form of RFC 6749, 5.2.

        以终端密钥签名的 JWT 断言（SGD_SM3_SM2）换取访问令牌。令牌可用于查询和身份识别类扫码；
        涉及资金或物品的请求须签名。此处的错误采用 RFC 6749 第 5.2 节的格式。
        """
        content_type = request.headers.get("content-type", "")
        peer = request.client.host if request.client else ""
        body = await request.body()
        try:
            if content_type.partition(";")[0].strip().lower() != _FORM:
                raise GrantRefusedError(token_grant.INVALID_REQUEST)
            granted = await run_in_threadpool(
                token_grant.grant,
                services.authentication,
                services.kernel,
                body,
                peer,
                services.clock(),
            )
        except GrantRefusedError as refused:
            return _refusal(refused)
        token = Token(access_token=granted.access_token, expires_in=granted.expires_in)
        return Response(token.model_dump_json(), media_type="application/json")

    return router


def _refusal(refused: GrantRefusedError) -> Response:
    """RFC 6749, 5.2: application/json, and for a 401 the scheme that was tried for (RFC 9110)."""
    fault = refused.fault
    return Response(
        json.dumps(fault.document(refused.extra), ensure_ascii=False),
        status_code=fault.status,
        headers={"WWW-Authenticate": "Bearer"} if fault.status == 401 else {},
        media_type="application/json",
    )


def _fault_answers() -> dict[int | str, dict[str, Any]]:
    answers: dict[int | str, dict[str, Any]] = {}
    for fault in token_grant.FAULTS:
        entry = answers.setdefault(fault.status, {"description": "", "content": {}})
        entry["description"] = " / ".join(
            dict.fromkeys((*filter(None, entry["description"].split(" / ")), fault.error))
        )
        content = entry["content"].setdefault("application/json", {"examples": {}})
        name = f"{fault.error}_{len(content['examples'])}"
        content["examples"][name] = example(fault.description, fault.document())
    return answers
