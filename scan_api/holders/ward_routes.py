"""What a guardian calls about the card of a child (被监护人)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from card_core.kernel import Actor
from scan_api import problems
from scan_api.holders import PREFIX, acts, examples, idempotency
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.models import CardStateChange, LossReport, LossWithdrawal
from scan_api.holders.origin import check_origin
from scan_api.holders.password_work import PasswordWork
from scan_api.openapi import BODY_FAULTS, example, json_answer, problem_answers
from scan_api.services import Services

GuardianshipId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_FAULTS = (
    problems.SIGN_IN_NEEDED,
    problems.CROSS_SITE,
    problems.NOT_FOUND,
    problems.WRONG_STATE,
    *idempotency.FAULTS,
    *BODY_FAULTS,
    problems.NOT_READY,
)


def routes(
    services: Services, holder_of_session: Any, held_key: Any, password_work: PasswordWork
) -> APIRouter:
    """Part of the holder's router; see `device_routes.routes`."""
    router = APIRouter(prefix=PREFIX + "/family/wards/{guardianship_id}", tags=["holder"])
    changes = [Depends(check_origin)]

    @router.post(
        "/loss-reports",
        operation_id="reportWardLoss",
        summary="Report a child's card lost · 为孩子挂失",
        dependencies=changes,
        responses={
            **json_answer(
                "Lost from now on · 已挂失", {"lost": example("Lost · 挂失", examples.LOST)}
            ),
            **problem_answers(*_FAULTS),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def report_ward_loss(
        guardianship_id: GuardianshipId,
        _body: LossReport,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> CardStateChange:
        """As for the own card. Of a guardianship that is over, another's or nobody's nothing more
        is told than that there is no such thing.

        与本人挂失相同。监护已终止、不是您的监护或不存在的，一律答复没有这条记录。
        """
        return acts.report_ward_loss(services, holder, held, guardianship_id)

    @router.post(
        "/loss-withdrawals",
        operation_id="withdrawWardLoss",
        summary="The child's card was found · 为孩子解除挂失",
        dependencies=changes,
        responses={
            **json_answer(
                "Normal again · 恢复正常", {"found": example("Found · 找到", examples.FOUND)}
            ),
            **problem_answers(problems.SIGN_IN_REFUSED, problems.SIGN_IN_LOCKED, *_FAULTS),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    async def withdraw_ward_loss(
        guardianship_id: GuardianshipId,
        body: LossWithdrawal,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> CardStateChange:
        """Takes back a temporary loss; the guardian's password is asked. A formal loss stays.

        解除临时挂失，须输入监护人的密码；正式挂失不能解除。
        """
        return await password_work.run(
            lambda: acts.withdraw_ward_loss(services, holder, held, guardianship_id, body)
        )

    return router
