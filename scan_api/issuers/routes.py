"""What other issuers call, and the trust list for whoever asks."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from card_core.store import trust
from scan_api import problems
from scan_api.bundles.answers import CarriedAnswers
from scan_api.bundles.routes import BYTES, VERSION_MAX, bytes_answer
from scan_api.issuers import examples
from scan_api.issuers.answering import answer
from scan_api.issuers.list_answers import answer_list
from scan_api.issuers.models import PeerScanRequest, PeerVerdict
from scan_api.issuers.signatures import ANSWER_HEADER
from scan_api.openapi import (
    BODY_FAULTS,
    PEER_SECURITY,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.problems import ProblemError
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def routes(services: Services, answers: CarriedAnswers) -> APIRouter:
    router = APIRouter(tags=["issuer"])

    @router.post(
        "/v1/peer-scans",
        operation_id="answerPeerScan",
        summary="Judge a code for another issuer · 异地核验",
        response_model=PeerVerdict,
        responses={
            **json_answer(
                "The verdict, signed in the header SSCARD-Signature · 签名的核验结果",
                {"accepted": example("Accepted · 通过", examples.ACCEPTED)},
            ),
            **problem_answers(
                problems.PEER_NOT_AUTHENTICATED,
                problems.CLOCK_OFF,
                *BODY_FAULTS,
                problems.NOT_ALLOWED,
                problems.BUSINESS_TYPE_NOT_ALLOWED,
                problems.UNKNOWN_BUSINESS_TYPE,
                problems.IDEMPOTENCY_CONFLICT,
                problems.NOT_READY,
            ),
        },
        openapi_extra={
            **PEER_SECURITY,
            **raw_body(PeerScanRequest, {"hospital": example("A visit · 就诊", examples.REQUEST)}),
        },
    )
    async def answer_peer_scan(request: Request) -> Response:
        """An issuer of the trust list asks about a code of ours that was shown at one of its
        institutions. Every check is made here, on our own database, and the code is spent here.
        The same `request_id`, signed anew, gets the same verdict and spends nothing.

        信任列表中的发卡机构就其机构读到的、由我方签发的动态码请求核验。全部检查在我方完成，一次性由我方
        保证。同一 request_id 重新签名后重发，结果相同，不会重复使用。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        signed_answer = await answer(services, signed, content_type)
        return Response(
            signed_answer.body,
            media_type="application/json",
            headers={ANSWER_HEADER: signed_answer.signature},
        )

    @router.get(
        "/v1/peer-status-lists/{day_ends_at}",
        operation_id="answerPeerStatusList",
        summary="Our status list for another issuer · 供异地离线核验的状态列表",
        response_class=Response,
        responses={
            **bytes_answer("A whole list or an update · 完整列表或增量", "13 0002 01 ..."),
            **problem_answers(
                problems.PEER_NOT_AUTHENTICATED,
                problems.CLOCK_OFF,
                problems.INVALID_REQUEST,
                problems.NOT_FOUND,
                problems.NOT_READY,
            ),
        },
        openapi_extra=PEER_SECURITY,
    )
    async def answer_peer_status_list(
        request: Request,
        day_ends_at: Annotated[int, Path(ge=0, le=VERSION_MAX)],
        have: Annotated[int | None, Query(ge=1, le=VERSION_MAX)] = None,
    ) -> Response:
        """This issuer's list of the day that ends then, which the asking issuer's terminals are to
        carry. With `have` an update from that version, which may change nothing; the first byte
        tells which. The list is signed by the status key, the answer in SSCARD-Signature.

        本机构该日的状态列表，供对方终端离线核验。带 have 时为增量（可能没有变化），首字节可区分。
        """
        signed = await SignedRequest.read(request)
        signed_answer = await run_in_threadpool(
            answer_list, services, answers, signed, day_ends_at, have
        )
        return Response(
            signed_answer.body,
            media_type=BYTES,
            headers={ANSWER_HEADER: signed_answer.signature},
        )

    @router.get(
        "/v1/issuers/trust-list",
        operation_id="getTrustList",
        summary="The trust list that holds · 信任列表",
        response_class=Response,
        responses={
            **json_answer(
                "As its authority signed it · 由上级机构签名",
                {"signed": example("Signed · 已签名", examples.TRUST_LIST)},
            ),
            **problem_answers(problems.NO_TRUST_LIST, problems.NOT_READY),
        },
    )
    def get_trust_list(request: Request) -> Response:
        """The other issuers whose codes are taken here, with their keys: the signed document,
        byte for byte. `ETag` is its edition; `If-None-Match` spares the body.

        本地认可的其他发卡机构及其公钥：签名文件原文。ETag 为版次。
        """
        with services.store.read() as tx:
            held = trust.get(tx)
        if trust.list_of(held, services.clock()) is None:
            raise ProblemError(problems.NO_TRUST_LIST)
        tag = f'"{held.edition}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(held.document, media_type="application/json", headers=headers)

    return router
