"""What a holder's page calls."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from card_core.kernel import Actor
from card_core.sign_in import SignedIn
from scan_api import problems
from scan_api.holders import (
    PREFIX,
    acts,
    application_routes,
    consent_routes,
    device_routes,
    examples,
    export_routes,
    family_routes,
    idempotency,
    person_check_routes,
    session,
    views,
    ward_routes,
)
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.models import (
    CardStateChange,
    FullIdentity,
    HolderCard,
    HolderScans,
    LossReport,
    LossWithdrawal,
    MintRequest,
    ReportedScan,
    ScanReport,
    Session,
    ShownCode,
    SignIn,
)
from scan_api.holders.origin import check_origin
from scan_api.holders.password_work import PasswordWork
from scan_api.openapi import (
    BODY_FAULTS,
    HOLDER_SECURITY,
    OPTIONAL_HOLDER_SECURITY,
    example,
    json_answer,
    problem_answers,
)
from scan_api.problems import Problem
from scan_api.services import Services

_CHANGES = (
    problems.CROSS_SITE,
    *BODY_FAULTS,
)


def _answers(
    name: str, value: dict[str, Any], description: str, *found: Problem, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    return {
        **json_answer(description, {name: example(description, value)}, status=status),
        **problem_answers(problems.SIGN_IN_NEEDED, *found, problems.NOT_READY),
    }


def routes(services: Services, password_work: PasswordWork) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["holder"])
    changes = [Depends(check_origin)]

    def current_holder(request: Request) -> Actor:
        return session.current_holder(services, request)

    holder_of_session = Depends(current_holder)
    held_key = services.running.hold(holder_of_session)

    @router.post(
        "/sign-ins",
        operation_id="signIn",
        summary="Sign in · 登录",
        status_code=201,
        dependencies=changes,
        responses=problem_answers(
            problems.SIGN_IN_REFUSED, problems.SIGN_IN_LOCKED, *_CHANGES, problems.NOT_READY
        ),
    )
    async def sign_in(body: SignIn, request: Request, response: Response) -> Session:
        """Opens a session and sets its cookie. An unknown person and a wrong password are one
        answer; five failures in a row lock the number for 15 minutes, known or not.

        登录并设置会话 cookie。号码不存在与密码错误的答复相同；连续失败五次锁定 15 分钟。
        """

        def work() -> SignedIn:
            return session.open_session(services, body.social_security_number, body.password)

        opened = await password_work.run(work)
        session.give_cookie(request, response, opened.token)
        return Session(expires_at=opened.expires_at)

    @router.delete(
        "/sign-ins",
        operation_id="signOut",
        summary="Sign out · 退出登录",
        status_code=204,
        response_class=Response,
        dependencies=changes,
        responses=problem_answers(problems.CROSS_SITE, problems.NOT_READY),
        openapi_extra=OPTIONAL_HOLDER_SECURITY,
    )
    def sign_out(request: Request, response: Response) -> None:
        """Ends the session; one that has ended already stays so. 结束会话。"""
        session.close_session(services, request)
        session.take_cookie(request, response)

    @router.get(
        "/card",
        operation_id="getCard",
        summary="My card · 我的卡",
        responses=_answers("card", examples.CARD, "Name and number masked · 脱敏显示"),
        openapi_extra=HOLDER_SECURITY,
    )
    def get_card(holder: Annotated[Actor, holder_of_session]) -> HolderCard:
        """The states of card and e-card; the e-card works only while the card is `normal`.

        实体卡与电子社保卡的状态；实体卡正常时电子社保卡才可用。
        """
        return views.view_card(services, holder)

    @router.get(
        "/card/identity",
        operation_id="getFullIdentity",
        summary="My number in full · 完整号码",
        responses=_answers("identity", examples.FULL_IDENTITY, "In clear · 不脱敏"),
        openapi_extra=HOLDER_SECURITY,
    )
    def get_full_identity(holder: Annotated[Actor, holder_of_session]) -> FullIdentity:
        """Asked for when the holder taps the eye on the card; a page shows it for some seconds.

        持卡人点开“眼睛”时取用，只显示数秒。
        """
        return views.view_full_identity(services, holder)

    @router.get(
        "/scans",
        operation_id="listScans",
        summary="Who scanned me · 谁扫过我的码",
        responses=_answers("scans", examples.SCANS, "The latest first · 最近的在前"),
        openapi_extra=HOLDER_SECURITY,
    )
    def list_scans(holder: Annotated[Actor, holder_of_session]) -> HolderScans:
        """The latest 50 scans of this holder's codes, refused ones too.

        最近 50 次扫码，含被拒绝的。
        """
        return views.view_scans(services, holder)

    @router.post(
        "/scans/{scan_id}/reports",
        operation_id="reportScan",
        summary="This wasn't me · 这不是我",
        status_code=201,
        dependencies=changes,
        responses=_answers(
            "reported",
            examples.REPORTED,
            "The bureau has it · 发卡机构已收到",
            problems.NOT_FOUND,
            *idempotency.FAULTS,
            *_CHANGES,
            status=201,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def report_scan(
        scan_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
        _body: ScanReport,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> ReportedScan:
        """Tells the bureau that a scan was not the holder's own. Card and scan stay as they are;
        whoever fears that the card or phone is in other hands reports a loss as well.

        告知发卡机构该次扫码并非本人；卡状态不变，怀疑卡或手机被他人使用的请同时挂失。
        """
        return acts.report_scan(services, holder, held, scan_id)

    @router.post(
        "/codes",
        operation_id="mintCode",
        summary="Show a code · 出示动态码",
        status_code=201,
        dependencies=changes,
        responses=_answers(
            "code",
            examples.CODE,
            "A code for 60 seconds · 60 秒内有效",
            problems.CARD_UNUSABLE,
            problems.TOO_MANY_SHORT_CODES,
            *_CHANGES,
            status=201,
        ),
        openapi_extra=HOLDER_SECURITY,
    )
    def mint_code(body: MintRequest, holder: Annotated[Actor, holder_of_session]) -> ShownCode:
        """A new code with its QR picture. Show another after 30 seconds; the old one stays good for
        its 60. `purpose_class` `identify_only` makes a code on which no money or goods can move.
        With `short` there are 28 digits beside it that stand for the same code, and their bars: of
        the two one is accepted, once.

        新动态码及其二维码图片。每 30 秒换新，旧码仍有 60 秒有效期。`short` 另给出代表同一动态码的
        28 位短码及其条形码，二者只能用一次。
        """
        return acts.mint_code(services, holder, body)

    @router.post(
        "/loss-reports",
        operation_id="reportLoss",
        summary="Report the card lost · 挂失",
        dependencies=changes,
        responses=_answers(
            "lost",
            examples.LOST,
            "Lost from now on · 已挂失",
            problems.WRONG_STATE,
            *idempotency.FAULTS,
            *_CHANGES,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def report_loss(
        _body: LossReport,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> CardStateChange:
        """From this answer on no code of the card is accepted, codes shown before included.

        自本答复起，该卡的任何动态码（含此前已出示的）均不再通过。
        """
        return acts.report_loss(services, holder, held)

    @router.post(
        "/loss-withdrawals",
        operation_id="withdrawLoss",
        summary="The card was found · 解除挂失",
        dependencies=changes,
        responses=_answers(
            "found",
            examples.FOUND,
            "Normal again · 恢复正常",
            problems.SIGN_IN_REFUSED,
            problems.SIGN_IN_LOCKED,
            problems.WRONG_STATE,
            *idempotency.FAULTS,
            *_CHANGES,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    async def withdraw_loss(
        body: LossWithdrawal,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> CardStateChange:
        """Takes back a temporary loss; the password is asked again. A formal loss stays.

        解除临时挂失，须再次输入密码；正式挂失不能解除。
        """
        return await password_work.run(lambda: acts.withdraw_loss(services, holder, held, body))

    for part in (
        device_routes.routes(services, holder_of_session, held_key, password_work),
        export_routes.routes(services, holder_of_session, password_work),
        person_check_routes.routes(services, holder_of_session, held_key, password_work),
        application_routes.routes(services, holder_of_session, held_key),
        family_routes.routes(services, holder_of_session, held_key),
        consent_routes.routes(services, holder_of_session, held_key),
        ward_routes.routes(services, holder_of_session, held_key, password_work),
    ):
        router.routes.extend(part.routes)
    return router
