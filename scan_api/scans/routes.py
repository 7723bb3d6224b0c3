"""What terminals call: record a scan, and ask who they are."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scan_api import problems
from scan_api.openapi import (
    BODY_FAULTS,
    TERMINAL_FAULTS,
    TERMINAL_SECURITY,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.scans import examples
from scan_api.scans.models import ScanReceipt, ScanRequest, TerminalView, Verdict
from scan_api.scans.receipts import view_receipt
from scan_api.scans.recording import ScanDesk, view_terminal
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def routes(services: Services, desk: ScanDesk) -> APIRouter:
    router = APIRouter(tags=["terminal"])

    @router.post(
        "/v1/scans",
        operation_id="recordScan",
        summary="Record a scan · 扫码核验",
        response_model=Verdict,
        responses={
            **json_answer(
                "A verdict: accepted, or refused with its reason · 核验结果",
                {
                    "accepted": example("Accepted · 通过", examples.ACCEPTED),
                    "already_used": example("Refused: used · 已使用", examples.ALREADY_USED),
                    "card_lost": example("Refused: lost · 已挂失", examples.CARD_LOST),
                    "expired": example("Refused: expired · 已过期", examples.EXPIRED),
                },
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.SIGNATURE_NEEDED,
                *BODY_FAULTS,
                problems.BUSINESS_TYPE_NOT_ALLOWED,
                problems.UNKNOWN_BUSINESS_TYPE,
                problems.IDEMPOTENCY_CONFLICT,
                problems.TOO_MANY_REFUSALS,
                problems.NOT_READY,
            ),
        },
        openapi_extra={
            **TERMINAL_SECURITY,
            **raw_body(ScanRequest, {"pharmacy": example("A purchase", examples.REQUEST)}),
        },
    )
    async def record_scan(request: Request) -> Response:
        """Check a code and, if it is good, use it up for this terminal and business type.

        A refused code is an answer (200) with a stable `reason` and what clerk and holder should
        do next. The same `request_id` with the same content, signed anew, gets the same answer byte
        for byte and spends nothing.

        核验动态码，通过即用掉。码被拒绝也是 200，带固定的 reason 和下一步办法。同一 request_id
        与同一内容重新签名后重发，得到逐字节相同的答复，不会重复使用。
        """
        # Answered in front of the framework (`endpoint`); this stands here to be described, and
        # does the same.
        signed = await SignedRequest.read(request)
        verdict = await desk.record(signed, request.headers.get("content-type", ""))
        return Response(verdict, media_type="application/json")

    @router.get(
        "/v1/scans/{scan_id}/receipt",
        operation_id="getReceipt",
        summary="The receipt of a scan · 取核验凭据",
        response_model=ScanReceipt,
        responses={
            **json_answer(
                "The receipt · 核验凭据",
                {"receipt": example("A receipt", examples.RECEIPT_FETCHED)},
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.INVALID_REQUEST,
                problems.NOT_FOUND,
                problems.NOT_READY,
            ),
        },
        openapi_extra=TERMINAL_SECURITY,
    )
    async def get_receipt(
        request: Request, scan_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
    ) -> ScanReceipt:
        """Of an accepted scan by this institution. Where the code was signed for identifying only,
        the receipt is made within a second of the verdict; until then this is `not_found`.

        取回本机构已通过核验的凭据。仅供识别的动态码，其凭据在答复后一秒内生成，此前为 not_found。
        """
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(view_receipt, services, signed, scan_id)

    @router.get(
        "/v1/terminal",
        operation_id="getTerminal",
        summary="Who am I, and what may I scan for · 本终端信息",
        response_model=TerminalView,
        responses={
            **json_answer(
                "The calling terminal · 本终端",
                {"pharmacy": example("At a pharmacy · 药店", examples.TERMINAL)},
            ),
            **problem_answers(*TERMINAL_FAULTS, problems.NOT_READY),
        },
        openapi_extra=TERMINAL_SECURITY,
    )
    async def get_terminal(request: Request) -> TerminalView:
        """The terminal's institution, the business types offered there, and the service's time.

        本终端所属机构、可用的用码业务类型，以及服务时间。
        """
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(view_terminal, services, signed)

    return router
