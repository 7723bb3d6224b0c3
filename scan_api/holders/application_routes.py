"""What a holder calls who applies for a card, for themselves or for a child."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from card_core.kernel import Actor
from scan_api import problems
from scan_api.holders import PREFIX, applications, family_examples, idempotency
from scan_api.holders.application_models import (
    Applications,
    CardApplication,
    FiledApplication,
)
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.origin import check_origin
from scan_api.openapi import BODY_FAULTS, HOLDER_SECURITY, example, json_answer, problem_answers
from scan_api.services import Services

ApplicationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def routes(services: Services, holder_of_session: Any, held_key: Any) -> APIRouter:
    """Part of the holder's router; see `device_routes.routes`."""
    router = APIRouter(prefix=f"{PREFIX}/applications", tags=["holder"])
    changes = [Depends(check_origin)]

    @router.get(
        "",
        operation_id="listApplications",
        summary="My applications · 我的申领",
        responses={
            **json_answer(
                "The newest first · 最近的在前",
                {"applications": example("One child · 一个孩子", family_examples.APPLICATIONS)},
            ),
            **problem_answers(problems.SIGN_IN_NEEDED, problems.NOT_READY),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def list_applications(holder: Annotated[Actor, holder_of_session]) -> Applications:
        """Those that I filed, and those for me. 我提交的和为我提交的申领。"""
        return applications.list_applications(services, holder)

    @router.post(
        "",
        operation_id="applyForCard",
        summary="Apply for a card · 申领",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "Filed; it is checked at the bureau · 已提交，待复核",
                {"filed": example("Filed · 已提交", family_examples.FILED)},
                status=201,
            ),
            **problem_answers(
                problems.SIGN_IN_NEEDED,
                problems.CROSS_SITE,
                *BODY_FAULTS,
                *idempotency.FAULTS,
                problems.NOT_ALLOWED,
                problems.NOT_FOUND,
                problems.APPLICATION_REFUSED,
                problems.NOT_READY,
            ),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def apply_for_card(
        body: CardApplication,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> FiledApplication:
        """For my own next card, or as guardian for a child under 16. A person of the bureau checks
        it, and sees the documents there; a refusal says why and what to do.

        为本人补换卡，或作为监护人为未满 16 周岁的孩子申领。由工作人员复核并在窗口查验材料；不能
        受理的，说明原因和办法。
        """
        return applications.apply(services, holder, held, body)

    @router.delete(
        "/{application_id}",
        operation_id="withdrawApplication",
        summary="Withdraw an application · 撤回申领",
        status_code=204,
        response_class=Response,
        dependencies=changes,
        responses=problem_answers(
            problems.SIGN_IN_NEEDED,
            problems.CROSS_SITE,
            problems.NOT_FOUND,
            problems.WRONG_STATE,
            *idempotency.FAULTS,
            problems.INVALID_REQUEST,
            problems.NOT_READY,
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def withdraw_application(
        application_id: ApplicationId,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> None:
        """As long as the card is not being made. 制卡前可以撤回。"""
        applications.withdraw(services, holder, held, application_id)

    return router
