"""What somebody calls who has no session: activate the e-card, or set another password."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from card_core.kernel import Actor
from card_core.sign_in.online_access import CHECKING
from scan_api import problems
from scan_api.holders import PREFIX, idempotency, person_check_examples, person_checks, session
from scan_api.holders.idempotency import HELD_KEY, HOLDER_CHANGE, HeldKey
from scan_api.holders.origin import check_origin
from scan_api.holders.password_work import PasswordWork
from scan_api.holders.person_check_models import (
    ActivatedECard,
    CheckResultRequest,
    NewCheck,
    NewPassword,
    PassedCheck,
    PasswordChange,
    PasswordSet,
    StartedCheck,
)
from scan_api.openapi import BODY_FAULTS, example, json_answer, problem_answers
from scan_api.problems import Problem, ProblemError
from scan_api.refusal_limit import RefusalLimit
from scan_api.services import Services

ASKING_THREADS = 8
STARTS_A_MINUTE = 30
"""From one address; that of a proxy is everybody's, who then are limited there."""


def _answers(
    name: str, value: dict[str, Any], description: str, *found: Problem, status: int = 201
) -> dict[int | str, dict[str, Any]]:
    return {
        **json_answer(description, {name: example(description, value)}, status=status),
        **problem_answers(
            problems.CROSS_SITE, *BODY_FAULTS, *idempotency.FAULTS, *found, problems.NOT_READY
        ),
    }


def routes(
    services: Services, holder_of_session: Any, held_key: Any, password_work: PasswordWork
) -> APIRouter:
    """Part of the holder's router; see `device_routes.routes`."""
    router = APIRouter(prefix=PREFIX, tags=["holder"])
    changes = [Depends(check_origin)]
    # Whoever checks people may be slow; nothing else waits for it.
    asking = PasswordWork(ASKING_THREADS)
    limit = RefusalLimit(refusals_max=STARTS_A_MINUTE)

    def nobody() -> Actor:
        return CHECKING

    held_by_nobody = services.running.hold(Depends(nobody))

    @router.post(
        "/person-checks",
        operation_id="startPersonCheck",
        summary="Begin a check of the person · 开始本人核验",
        status_code=201,
        dependencies=changes,
        responses=_answers(
            "started",
            person_check_examples.STARTED,
            "What the person does next · 请按提示操作",
            problems.FAMILY_REFUSED,
            problems.PERSON_CHECK_MISSING,
            problems.PERSON_CHECK_LOCKED,
            problems.PERSON_CHECK_UNAVAILABLE,
        ),
        openapi_extra=HELD_KEY,
    )
    async def start_person_check(
        body: NewCheck, request: Request, held: Annotated[HeldKey, held_by_nobody]
    ) -> StartedCheck:
        """For whoever has no session: to activate the e-card, or because the password is forgotten.
        Everybody gets the same answer, known here or not. A number may begin five checks in 15
        minutes.

        用于开通电子社保卡或忘记密码。无论号码是否登记，答复相同；同一号码 15 分钟内最多五次。
        """
        peer = request.client.host if request.client else ""
        if wait_seconds := limit.take(peer, services.clock()):
            headers = {"Retry-After": str(wait_seconds)}
            raise ProblemError(problems.PERSON_CHECK_LOCKED, headers=headers)
        return await asking.run(lambda: person_checks.start(services, held, body))

    @router.post(
        "/person-checks/results",
        operation_id="takePersonCheckResult",
        summary="The person has done it · 完成本人核验",
        dependencies=changes,
        responses=_answers(
            "passed",
            person_check_examples.PASSED,
            "Passed · 已通过",
            problems.PERSON_CHECK_MISSING,
            problems.PERSON_CHECK_REFUSED,
            problems.PERSON_CHECK_UNDECIDED,
            problems.PERSON_CHECK_OVER,
            problems.PERSON_CHECK_LOCKED,
            problems.PERSON_CHECK_UNAVAILABLE,
            status=200,
        ),
        openapi_extra=HELD_KEY,
    )
    async def take_person_check_result(
        body: CheckResultRequest, held: Annotated[HeldKey, held_by_nobody]
    ) -> PassedCheck:
        """Passed, or refused: whether the person is not who they claim, or the number is unknown,
        the name or the card another, or the card in no state for it, is one answer. Three refusals
        end a check; five in a row lock the number for 15 minutes, known or not.

        通过或未通过。本人不符、号码未登记、姓名或卡号不符、卡状态不允许，答复均相同；一次核验最多
        三次未通过，连续五次锁定该号码 15 分钟。
        """
        return await asking.run(lambda: person_checks.take_result(services, held, body))

    @router.post(
        "/activations",
        operation_id="activateECard",
        summary="Activate my e-card · 开通电子社保卡",
        status_code=201,
        dependencies=changes,
        responses=_answers(
            "activated",
            person_check_examples.ACTIVATED,
            "Active · 已开通",
            problems.PERSON_CHECK_OVER,
            problems.WEAK_PASSWORD,
        ),
        openapi_extra=HELD_KEY,
    )
    async def activate_ecard(
        body: NewPassword, held: Annotated[HeldKey, held_by_nobody]
    ) -> ActivatedECard:
        """With the ticket of a check that was passed, and a password. A card that was handed out
        and not put to use yet is activated with it. Then sign in.

        凭已通过的核验设置密码并开通；已领取未启用的实体卡同时启用。之后请登录。
        """
        return await password_work.run(lambda: person_checks.activate(services, held, body))

    @router.post(
        "/password-resets",
        operation_id="resetPassword",
        summary="I forgot my password · 忘记密码",
        status_code=201,
        dependencies=changes,
        responses=_answers(
            "set",
            person_check_examples.PASSWORD_SET,
            "Another password · 已设新密码",
            problems.PERSON_CHECK_OVER,
            problems.WEAK_PASSWORD,
        ),
        openapi_extra=HELD_KEY,
    )
    async def reset_password(
        body: NewPassword, held: Annotated[HeldKey, held_by_nobody]
    ) -> PasswordSet:
        """With the ticket of a check that was passed. Every session ends and every phone is
        unbound; an event says that the password was changed.

        凭已通过的核验设置新密码；所有登录失效，所有手机解除绑定，并发出密码已更改的事件。
        """
        return await password_work.run(lambda: person_checks.reset_password(services, held, body))

    @router.post(
        "/passwords",
        operation_id="changePassword",
        summary="Change my password · 修改密码",
        status_code=204,
        response_class=Response,
        dependencies=changes,
        responses=problem_answers(
            problems.SIGN_IN_NEEDED,
            problems.SIGN_IN_REFUSED,
            problems.SIGN_IN_LOCKED,
            problems.WEAK_PASSWORD,
            problems.CROSS_SITE,
            problems.NOT_ALLOWED,
            *BODY_FAULTS,
            *idempotency.FAULTS,
            problems.NOT_READY,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    async def change_password(
        body: PasswordChange,
        request: Request,
        response: Response,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> None:
        """With the old password. Every session ends, this one too: sign in with the new one.

        须输入原密码；所有登录（含本次）失效，请用新密码重新登录。
        """
        await password_work.run(lambda: person_checks.change_password(services, holder, held, body))
        session.take_cookie(request, response)

    return router
