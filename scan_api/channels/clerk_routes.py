"""What service channels call at which a clerk serves people: a bank's counter, a tablet."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from scan_api import problems
from scan_api.channels import clerk_examples as examples
from scan_api.channels.clerk_models import (
    ActivatedCard,
    CardActivation,
    ClerkChallenge,
    ClerkChallengeRequest,
    ClerkLossReport,
    ClerkSession,
    ClerkSignIn,
    FiledAtVisit,
    VisitApplication,
)
from scan_api.channels.clerks import ClerkDesk
from scan_api.channels.models import CardLost
from scan_api.channels.serving import asked_of
from scan_api.channels.shapes import gives, takes
from scan_api.holders.password_work import PasswordWork
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest
from scan_api.terminals.authentication import Caller

_Asked = TypeVar("_Asked", bound=BaseModel)
_Answer = TypeVar("_Answer", bound=BaseModel)

_SERVED = (
    problems.SIGN_IN_NEEDED,
    problems.CARD_NOT_HERE,
    problems.TOO_MANY_TRIES,
    problems.WRONG_STATE,
    problems.IDEMPOTENCY_CONFLICT,
)


def routes(services: Services, password_work: PasswordWork) -> APIRouter:
    """Part of the channels' router."""
    router = APIRouter(prefix="/v1/channel/clerk", tags=["channel"])
    desk = ClerkDesk(services)

    async def read(
        request: Request, model: type[_Asked], work: Callable[[Caller, _Asked], _Answer]
    ) -> Callable[[], _Answer]:
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return lambda: work(*asked_of(services, signed, content_type, model))

    @router.post(
        "/challenges",
        operation_id="challengeClerk",
        summary="What a clerk's key signs · 登录挑战",
        responses=gives("The challenge · 挑战", examples.CHALLENGE),
        openapi_extra=takes(ClerkChallengeRequest, examples.ATTEMPT),
    )
    async def challenge_clerk(request: Request) -> ClerkChallenge:
        """For clerks whose second factor is a key. Nothing is kept.

        以密钥为第二因素的人员登录前调用。
        """
        return await run_in_threadpool(await read(request, ClerkChallengeRequest, desk.challenge))

    @router.post(
        "/sessions",
        operation_id="openClerkSession",
        summary="A clerk signs in · 渠道经办登录",
        status_code=201,
        responses=gives(
            "Until four hours from now · 至多四小时",
            examples.SESSION,
            problems.SIGN_IN_REFUSED,
            problems.SIGN_IN_LOCKED,
            status=201,
        ),
        openapi_extra=takes(ClerkSignIn, examples.SIGN_IN),
    )
    async def open_clerk_session(request: Request) -> ClerkSession:
        """An operator of the role `clerk`, with password and second factor. The session is good at
        this channel alone; `POST /v1/channel/sessions/end` ends it.

        渠道经办以口令和第二因素登录；会话仅在本渠道有效。
        """
        return await password_work.run(await read(request, ClerkSignIn, desk.sign_in))

    @router.post(
        "/activations",
        operation_id="activateAtChannel",
        summary="Hand over and activate · 领卡启用",
        responses=gives("In use from now on · 已启用", examples.ACTIVATED, *_SERVED),
        openapi_extra=takes(CardActivation, examples.ACTIVATION),
    )
    async def activate_at_channel(request: Request) -> ActivatedCard:
        """The clerk has seen person and document and has the card in hand. At a bank's counter a
        card that was dispatched to this branch is handed over with it; elsewhere only a card that
        was handed over before is activated.

        经办已核对本人、证件并持有该卡。银行网点柜台同时办理领卡，且仅限配送到本网点的卡；其他渠道
        只能启用已领到的卡。
        """
        return await run_in_threadpool(await read(request, CardActivation, desk.activate))

    @router.post(
        "/loss-reports",
        operation_id="reportLossByClerk",
        summary="Report a card lost · 代为挂失",
        responses=gives("Lost from now on · 已挂失", examples.LOST, *_SERVED),
        openapi_extra=takes(ClerkLossReport, examples.LOSS),
    )
    async def report_loss_by_clerk(request: Request) -> CardLost:
        """A temporary loss, for whoever shows their document. 临时挂失，须查验证件。"""
        return await run_in_threadpool(await read(request, ClerkLossReport, desk.report_loss))

    @router.post(
        "/applications",
        operation_id="applyAtVisit",
        summary="Apply at a visit · 上门申领",
        status_code=201,
        responses=gives(
            "Filed; it is looked at in the bureau · 已提交，待复核",
            examples.FILED,
            problems.SIGN_IN_NEEDED,
            problems.APPLICATION_REFUSED,
            problems.IDEMPOTENCY_CONFLICT,
            status=201,
        ),
        openapi_extra=takes(VisitApplication, examples.APPLICATION),
    )
    async def apply_at_visit(request: Request) -> FiledAtVisit:
        """A new card for who can't come. Another person accepts it, at the bureau.

        为行动不便者新申领，由发卡机构另一人复核。
        """
        return await run_in_threadpool(await read(request, VisitApplication, desk.apply))

    return router
