"""A holder takes out all that is kept of them (个人信息保护法, article 45)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from card_core.kernel import Actor
from card_core.kernel.acts.holder_exports import ExportHolder
from card_core.store.holder_export import export
from scan_api import problems
from scan_api.holders import PREFIX, session
from scan_api.holders.export_examples import EXPORT
from scan_api.holders.export_models import ExportRequest, HolderExport
from scan_api.holders.origin import check_origin
from scan_api.holders.password_work import PasswordWork
from scan_api.openapi import (
    BODY_FAULTS,
    HOLDER_SECURITY,
    JSON,
    example,
    json_answer,
    problem_answers,
)
from scan_api.services import Services


def routes(services: Services, holder_of_session: Any, password_work: PasswordWork) -> APIRouter:
    """Part of the holder's router. holder_of_session: the dependency that gives the session's
    holder."""
    router = APIRouter(prefix=f"{PREFIX}/exports", tags=["holder"])

    @router.post(
        "",
        operation_id="exportHolder",
        summary="All that is kept of me · 导出我的个人信息",
        response_model=HolderExport,
        dependencies=[Depends(check_origin)],
        responses={
            **json_answer("Everything, in clear · 全部内容", {"export": example("All", EXPORT)}),
            **problem_answers(
                problems.SIGN_IN_NEEDED,
                problems.SIGN_IN_REFUSED,
                problems.SIGN_IN_LOCKED,
                problems.CROSS_SITE,
                problems.TOO_MANY_EXPORTS,
                *BODY_FAULTS,
                problems.NOT_READY,
            ),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    async def export_holder(
        body: ExportRequest, holder: Annotated[Actor, holder_of_session]
    ) -> Response:
        """Everything of the signed-in holder, who scanned them included; the password is asked
        again. Each export is in the audit log, and there are three in 24 hours. It takes no
        Idempotency-Key: what would be kept for a retry is the data itself.

        当前登录持卡人的全部个人信息，含扫码记录；须再次输入密码。每次导出均记入审计日志，
        24 小时内最多三次。
        """
        return await password_work.run(lambda: _exported(services, holder, body.password))

    return router


def _exported(services: Services, holder: Actor, password: str) -> Response:
    session.check_password(services, holder, password)
    request_id = services.kernel.random_bytes(16).hex()
    services.kernel.perform(ExportHolder(holder.id), actor=holder, request_id=request_id)
    with services.store.read() as tx:
        content = export(tx, holder.id)
    return Response(
        HolderExport.model_validate(content).model_dump_json().encode(),
        media_type=JSON,
        headers={"Content-Disposition": 'attachment; filename="sscard-export.json"'},
    )
