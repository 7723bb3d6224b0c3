"""What service channels call."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from scan_api import problems
from scan_api.channels import clerk_routes, examples, serving
from scan_api.channels.models import (
    CardLost,
    ChannelLossReport,
    ChannelSession,
    ChannelSessionEnd,
    ChannelSessionEnded,
    ChannelSignIn,
    ChannelView,
    PrintedCode,
    PrintRequest,
    ProgressRequest,
)
from scan_api.channels.shapes import gives, takes
from scan_api.holders import family_examples
from scan_api.holders.application_models import Applications
from scan_api.holders.password_work import PasswordWork
from scan_api.openapi import (
    SIGNED_SECURITY,
    TERMINAL_FAULTS,
    example,
    json_answer,
    problem_answers,
)
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def routes(services: Services, password_work: PasswordWork) -> APIRouter:
    router = APIRouter(prefix="/v1/channel", tags=["channel"])

    @router.get(
        "",
        operation_id="getChannel",
        summary="Which channel this is · 本渠道",
        responses={
            **json_answer(
                "This channel, and what may be done at it · 本渠道及可办业务",
                {"channel": example("A kiosk · 自助终端", examples.CHANNEL)},
            ),
            **problem_answers(
                *TERMINAL_FAULTS,
                problems.SIGNATURE_NEEDED,
                problems.NOT_READY,
            ),
        },
        openapi_extra=SIGNED_SECURITY,
    )
    async def get_channel(request: Request) -> ChannelView:
        """A channel is suspended for as long as this is refused.

        停用期间此请求被拒绝。
        """
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(serving.view_channel, services, signed)

    @router.post(
        "/sessions",
        operation_id="openChannelSession",
        summary="Somebody stands before it · 办理人登录",
        status_code=201,
        responses=gives(
            "A short session · 短时会话",
            examples.SESSION,
            problems.SIGN_IN_REFUSED,
            problems.SIGN_IN_LOCKED,
            status=201,
        ),
        openapi_extra=takes(ChannelSignIn, examples.SIGN_IN),
    )
    async def open_channel_session(request: Request) -> ChannelSession:
        """With number and password, as on the holder's page; the two count the same failures. The
        session is good at this channel alone.

        以社会保障号码和密码登录，与持卡人页面共用失败次数。会话仅在本渠道有效。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await password_work.run(lambda: serving.open_session(services, signed, content_type))

    @router.post(
        "/sessions/end",
        operation_id="endChannelSession",
        summary="They left · 结束办理",
        responses=gives("The session is over · 会话已结束", examples.ENDED),
        openapi_extra=takes(ChannelSessionEnd, examples.SESSION_ALONE),
    )
    async def end_channel_session(request: Request) -> ChannelSessionEnded:
        """A session that has ended already stays so. 结束会话。"""
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(serving.end_session, services, signed, content_type)

    @router.post(
        "/loss-reports",
        operation_id="reportLossAtChannel",
        summary="Report the card lost · 挂失",
        responses=gives(
            "Lost from now on · 已挂失",
            examples.LOST,
            problems.SIGN_IN_NEEDED,
            problems.NOT_FOUND,
            problems.WRONG_STATE,
            problems.IDEMPOTENCY_CONFLICT,
        ),
        openapi_extra=takes(ChannelLossReport, examples.LOSS),
    )
    async def report_loss_at_channel(request: Request) -> CardLost:
        """As on the holder's page: from this answer on no code of the card is accepted.

        与持卡人页面相同：自本答复起，该卡的任何动态码均不再通过。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(serving.report_loss, services, signed, content_type)

    @router.post(
        "/printed-codes",
        operation_id="printCode",
        summary="Print a code · 打印一次性码",
        status_code=201,
        responses=gives(
            "A code for the paper · 打印码",
            examples.PRINTED,
            problems.SIGN_IN_NEEDED,
            problems.CARD_UNUSABLE,
            status=201,
        ),
        openapi_extra=takes(PrintRequest, examples.SESSION_ALONE),
    )
    async def print_code(request: Request) -> PrintedCode:
        """28 digits that may be shown for the first time until `valid_until`, and are accepted
        once, for seeing a doctor and getting medicine. A new print ends the one before.

        28 位数字，在 `valid_until` 前首次出示有效，只能用一次，用于就医取药；重新打印后旧码失效。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(serving.print_code, services, signed, content_type)

    @router.post(
        "/applications/progress",
        operation_id="seeApplicationsAtChannel",
        summary="How far applications are · 申领进度",
        responses=gives(
            "The newest first · 最近的在前",
            family_examples.APPLICATIONS,
            problems.SIGN_IN_NEEDED,
        ),
        openapi_extra=takes(ProgressRequest, examples.SESSION_ALONE),
    )
    async def see_applications_at_channel(request: Request) -> Applications:
        """As on the holder's page: those that the holder filed, and those for them.

        与持卡人页面相同：本人提交的和为本人提交的申领。
        """
        content_type = request.headers.get("content-type", "")
        signed = await SignedRequest.read(request)
        return await run_in_threadpool(serving.see_applications, services, signed, content_type)

    router.routes.extend(clerk_routes.routes(services, password_work).routes)
    return router
