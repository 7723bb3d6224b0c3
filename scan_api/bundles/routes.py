"""What terminals fetch to check codes with no network."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from card_core.errors import NotFoundError
from card_core.store import issuers
from scan_api import problems
from scan_api.bundles.answers import Carried, CarriedAnswers
from scan_api.openapi import TERMINAL_FAULTS, TERMINAL_SECURITY, example, problem_answers
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest

BYTES = "application/octet-stream"
TIME_HEADER = "SSCARD-Time"
VERSION_MAX = 0xFFFF_FFFF
_FOR_TERMINALS: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing newer · 无更新"},
    **problem_answers(
        *TERMINAL_FAULTS,
        problems.NOT_FOUND,
        problems.NOT_READY,
    ),
}


def bytes_answer(description: str, shown: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "string", "format": "binary"}
    content = {"schema": schema, "examples": {"bytes": example(description, shown)}}
    return {200: {"description": description, "content": {BYTES: content}}}


def routes(services: Services, answers: CarriedAnswers) -> APIRouter:
    router = APIRouter(prefix="/v1/terminal", tags=["terminal"])

    def authenticated(signed: SignedRequest) -> None:
        caller = services.authentication.authenticate(signed, services.clock())
        if caller.proof is not None:
            services.kernel.spend_proof(caller.proof, actor=caller.actor)

    def own_issuer() -> int:
        with services.store.read() as tx:
            own = issuers.own(tx)
        if own is None:
            raise NotFoundError("issuer")
        return own.number

    def answer(request: Request, found: Carried) -> Response:
        etag = f'"{found.version}"'
        headers = {"ETag": etag, TIME_HEADER: str(int(services.clock().timestamp()))}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=BYTES, headers=headers)

    @router.get(
        "/bundle",
        operation_id="getBundle",
        summary="Keys and rules to carry · 离线数据包",
        response_class=Response,
        responses={
            **bytes_answer("A signed bundle · 签名的离线数据包", "15 0001 01 ..."),
            **_FOR_TERMINALS,
        },
        openapi_extra=TERMINAL_SECURITY,
    )
    async def get_bundle(request: Request) -> Response:
        """Issuers' keys, business types, the policy for offline scans, and which status lists to
        carry, signed with the issuer's status key; docs/offline.md has the bytes.

        发卡机构公钥、用码业务类型、离线核验策略及应携带的状态列表，由发卡机构状态密钥签名。
        """
        signed = await SignedRequest.read(request)

        def work() -> Carried:
            authenticated(signed)
            return answers.bundle(own_issuer())

        return answer(request, await run_in_threadpool(work))

    @router.get(
        "/status-lists/{issuer}/{day_ends_at}",
        operation_id="getStatusList",
        summary="Which credentials are no longer good · 状态列表",
        response_class=Response,
        responses={
            **bytes_answer("A whole list or an update · 完整列表或增量", "13 0001 01 ..."),
            **_FOR_TERMINALS,
            **problem_answers(problems.INVALID_REQUEST),
        },
        openapi_extra=TERMINAL_SECURITY,
    )
    async def get_status_list(
        request: Request,
        issuer: Annotated[int, Path(ge=1, le=0xFFFF)],
        day_ends_at: Annotated[int, Path(ge=0, le=VERSION_MAX)],
        have: Annotated[int | None, Query(ge=1, le=VERSION_MAX)] = None,
    ) -> Response:
        """The list of the day that ends then, signed. With `have`, the version that the terminal
        has, an update unless that is too far behind; the first byte tells which.

        该日的签名状态列表。带 have（终端已有的版本）时，若相差不太远则返回增量，首字节可区分。
        """
        signed = await SignedRequest.read(request)

        def work() -> Carried:
            authenticated(signed)
            return answers.status_list(issuer, day_ends_at, have)

        return answer(request, await run_in_threadpool(work))

    return router
