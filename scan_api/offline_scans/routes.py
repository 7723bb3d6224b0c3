"""What terminals upload when the network is back."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from scan_api import problems
from scan_api.offline_scans import examples
from scan_api.offline_scans.models import OfflineScanUpload, SettledRecords
from scan_api.offline_scans.recording import settle
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


def routes(services: Services) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/v1/offline-scans",
        tags=["terminal"],
        operation_id="uploadOfflineScans",
        summary="Hand in what was scanned with no network · 上传离线核验记录",
        response_model=SettledRecords,
        responses={
            **json_answer(
                "What became of each record · 逐条结果",
                {"confirmed": example("Confirmed · 确认", examples.SETTLED)},
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.SIGNATURE_NEEDED,
                *BODY_FAULTS,
                problems.IDEMPOTENCY_CONFLICT,
                problems.NOT_READY,
            ),
        },
        openapi_extra={
            **SIGNED_SECURITY,
            **raw_body(OfflineScanUpload, {"one": example("One record", examples.UPLOAD)}),
        },
    )
    async def upload_offline_scans(request: Request) -> Response:
        """Every code is checked again as of the time of its scan, and spent. One that was accepted
        before, online or by another terminal, is a `double`: both scans are paired, with the
        evidence of both. The same record again gets the same outcome.

        按扫码时刻重新核验每条记录并核销动态码；已被受理过的码记为 double，两笔记录连同双方
        证据成对上报。重复上传同一记录，结果不变。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        answer = await run_in_threadpool(settle, services, signed, content_type)
        return Response(answer, media_type="application/json")

    return router
