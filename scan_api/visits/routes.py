"""What terminals call after a scan, and what holders call about their visits."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from card_core.kernel import Actor
from scan_api import problems
from scan_api.holders import idempotency, session
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.origin import check_origin
from scan_api.openapi import (
    BODY_FAULTS,
    HOLDER_SECURITY,
    SIGNED_SECURITY,
    TERMINAL_FAULTS,
    TERMINAL_SECURITY,
    example,
    json_answer,
    problem_answers,
    raw_body,
)
from scan_api.refusal_limit import RefusalLimit
from scan_api.scans.models import Verdict
from scan_api.scans.verdict_json import verdict_json
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.visits import examples, holder_visits
from scan_api.visits.models import HolderVisits, ReversalRequest, ReversalView, StepRequest
from scan_api.visits.reversals import reverse
from scan_api.visits.steps import ask_for_step

RowId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

_TERMINAL_PROBLEMS = (
    *TERMINAL_FAULTS,
    problems.SIGNATURE_NEEDED,
    *BODY_FAULTS,
    problems.IDEMPOTENCY_CONFLICT,
    problems.NOT_READY,
)


def routes(services: Services) -> APIRouter:
    router = APIRouter()
    _add_terminal_routes(router, services)
    _add_holder_routes(router, services)
    return router


def _add_terminal_routes(router: APIRouter, services: Services) -> None:
    limit = RefusalLimit()

    @router.post(
        "/v1/visit-steps",
        tags=["terminal"],
        operation_id="takeVisitStep",
        summary="Go on with a visit, without a new code · 凭就诊凭据继续办理",
        response_model=Verdict,
        responses={
            **json_answer(
                "A verdict, as for a scan · 核验结果",
                {
                    "accepted": example("Accepted · 通过", examples.STEP_TAKEN),
                    "visit_ended": example("Refused: ended · 已结束", examples.VISIT_ENDED),
                },
            ),
            **problem_answers(
                *_TERMINAL_PROBLEMS,
                problems.BUSINESS_TYPE_NOT_ALLOWED,
                problems.UNKNOWN_BUSINESS_TYPE,
                problems.TOO_MANY_REFUSALS,
            ),
        },
        openapi_extra={
            **TERMINAL_SECURITY,
            **raw_body(StepRequest, {"settlement": example("A settlement", examples.STEP)}),
        },
    )
    async def take_visit_step(request: Request) -> Response:
        """A scan in which the token of an open visit stands for the code: same checks of the card,
        same verdict, same receipt. Each `step` is taken once; hours, steps and money are limited,
        and the holder sees every step and can end the visit.

        以就诊凭据代替动态码办理后续业务：同样核验卡状态、给出同样的结果与凭据。每个 step
        只能办理一次，时长、次数、金额均有上限；持卡人可查看每一步并随时结束就诊。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        asked = await run_in_threadpool(ask_for_step, services, limit, signed, content_type)
        verdict = verdict_json(await services.writer.submit(asked))
        return Response(verdict, media_type="application/json")

    @router.post(
        "/v1/scans/{scan_id}/reversals",
        tags=["terminal"],
        operation_id="reverseScan",
        summary="Take a scan back · 退费、退药、冲正",
        response_model=ReversalView,
        responses={
            **json_answer(
                "What was taken back · 已退",
                {"refund": example("A refund · 退费", examples.REVERSED)},
            ),
            **problem_answers(*_TERMINAL_PROBLEMS, problems.NOT_FOUND, problems.NOT_REVERSIBLE),
        },
        openapi_extra={
            **SIGNED_SECURITY,
            **raw_body(ReversalRequest, {"refund": example("A refund", examples.REVERSAL)}),
        },
    )
    async def reverse_scan(scan_id: RowId, request: Request) -> Response:
        """Take back all or a part of what an accepted scan of this institution moved, within 90
        days. What goes back never exceeds what was paid, and the scan's code stays used. The
        answer's receipt names the scan; the same `request_id` gets the same answer.

        撤销本机构 90 天内已通过核验的收费或发药：可全退或部分退，累计不超过原金额，原动态码
        不会恢复可用。答复中的凭据指明原核验；同一 request_id 得到相同答复。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        answer = await run_in_threadpool(reverse, services, signed, scan_id, content_type)
        return Response(answer, media_type="application/json")


def _add_holder_routes(router: APIRouter, services: Services) -> None:
    def current_holder(request: Request) -> Actor:
        return session.current_holder(services, request)

    holder_of_session = Depends(current_holder)
    held_key = services.running.hold(holder_of_session)

    @router.get(
        "/v1/holder/visits",
        tags=["holder"],
        operation_id="listVisits",
        summary="My visits · 我的就诊",
        responses={
            **json_answer(
                "The latest first · 最近的在前", {"visits": example("Visits", examples.VISITS)}
            ),
            **problem_answers(problems.SIGN_IN_NEEDED, problems.NOT_READY),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def list_visits(holder: Annotated[Actor, holder_of_session]) -> HolderVisits:
        """The latest 50 visits: where one scan serves for further desks, until when, and how much
        was done under it.

        最近 50 次就诊：在哪家医院、有效至何时、已办理的次数和金额。
        """
        return holder_visits.view_visits(services, holder)

    @router.delete(
        "/v1/holder/visits/{visit_id}",
        tags=["holder"],
        operation_id="endVisit",
        summary="End a visit · 结束就诊",
        status_code=204,
        response_class=Response,
        dependencies=[Depends(check_origin)],
        responses=problem_answers(
            problems.SIGN_IN_NEEDED,
            problems.CROSS_SITE,
            problems.NOT_FOUND,
            *idempotency.FAULTS,
            problems.INVALID_REQUEST,
            problems.NOT_READY,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def end_visit(
        visit_id: RowId,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> None:
        """From this answer on the hospital needs a new code for every step.

        自本答复起，每项业务须重新出示动态码。
        """
        holder_visits.end_visit(services, holder, held, visit_id)
