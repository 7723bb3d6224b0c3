"""What terminals call to read a chip card."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scan_api import problems
from scan_api.card_reads import examples
from scan_api.card_reads.models import CardChallenge, CardReadRequest
from scan_api.card_reads.recording import ask_for_card_read, give_challenge
from scan_api.openapi import (
    BODY_FAULTS,
    TERMINAL_FAULTS,
    TERMINAL_SECURITY,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans import examples as scan_examples
from scan_api.scans.models import Verdict
from scan_api.scans.verdict_json import verdict_json
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["terminal"])
    limit = RefusalLimit()

    @router.post(
        "/v1/card-challenges",
        operation_id="giveCardChallenge",
        summary="Begin to read a chip card · 读卡挑战",
        status_code=201,
        responses={
            **json_answer(
                "A challenge for 60 seconds · 60 秒内有效",
                {"challenge": example("A challenge · 读卡挑战", examples.CHALLENGE)},
                status=201,
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.INVALID_REQUEST,
                problems.NOT_READY,
            ),
        },
        openapi_extra=TERMINAL_SECURITY,
    )
    async def give_card_challenge(request: Request) -> CardChallenge:
        """Two random values for the chip's internal authentication; the request has no body.

        They belong to this terminal, and one card can answer them once.

        供芯片内部认证用的两个随机数，请求体为空。仅限本终端使用，对一张卡只能用一次。
        """
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(give_challenge, services, signed)

    @router.post(
        "/v1/card-reads",
        operation_id="recordCardRead",
        summary="Record the reading of a chip card · 实体卡核验",
        response_model=Verdict,
        responses={
            **json_answer(
                "A verdict: accepted, or refused with its reason · 核验结果",
                {
                    "accepted": example("Accepted · 通过", scan_examples.ACCEPTED),
                    "card_not_genuine": example(
                        "Refused: not genuine · 未通过真伪核验", examples.CARD_NOT_GENUINE
                    ),
                    "challenge_invalid": example(
                        "Refused: read again · 请重新读卡", examples.CHALLENGE_INVALID
                    ),
                    "card_lost": example("Refused: lost · 已挂失", scan_examples.CARD_LOST),
                },
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                *BODY_FAULTS,
                problems.SIGNATURE_NEEDED,
                problems.BUSINESS_TYPE_NOT_ALLOWED,
                problems.UNKNOWN_BUSINESS_TYPE,
                problems.IDEMPOTENCY_CONFLICT,
                problems.TOO_MANY_REFUSALS,
                problems.NOT_READY,
            ),
        },
        openapi_extra={
            **TERMINAL_SECURITY,
            **raw_body(CardReadRequest, {"hospital": example("At a desk", examples.REQUEST)}),
        },
    )
    async def ask_for_card_reading(request: Request) -> Response:
        """Check that a chip card is there and genuine, that it is what it says, and that it may be
        used; then record the scan and use the challenge up. Retries as for `/v1/scans`.

        A text that no reader returns is a problem, with every field that is wrong.

        核验实体卡在场且真实、卡内信息与登记一致、卡片可用，然后记录并用掉本次挑战。重试方式同
        `/v1/scans`。读卡内容格式不对时，逐项指出问题。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        asked = await run_in_threadpool(ask_for_card_read, services, limit, signed, content_type)
        verdict = verdict_json(await services.writer.submit(asked))
        return Response(verdict, media_type="application/json")

    return router
