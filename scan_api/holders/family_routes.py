"""What a holder calls about e-cards that family members show (亲情服务)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from card_core.kernel import Actor
from scan_api import problems
from scan_api.holders import PREFIX, families, family_examples, idempotency
from scan_api.holders.family_models import (
    Family,
    FamilyMintRequest,
    MadeOffer,
    MemberChange,
    NewMember,
    Offer,
)
from scan_api.holders.idempotency import HOLDER_CHANGE, HeldKey
from scan_api.holders.models import ShownCode
from scan_api.holders.origin import check_origin
from scan_api.openapi import BODY_FAULTS, HOLDER_SECURITY, example, json_answer, problem_answers
from scan_api.services import Services

MemberId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_CHANGED = (
    problems.SIGN_IN_NEEDED,
    problems.CROSS_SITE,
    *idempotency.FAULTS,
    problems.NOT_READY,
)


def routes(services: Services, holder_of_session: Any, held_key: Any) -> APIRouter:
    """Part of the holder's router; see `device_routes.routes`."""
    router = APIRouter(prefix=f"{PREFIX}/family", tags=["holder"])
    changes = [Depends(check_origin)]

    @router.get(
        "",
        operation_id="listFamily",
        summary="My family · 亲情服务",
        responses={
            **json_answer(
                "Names masked · 姓名脱敏",
                {"family": example("A parent and a child · 父母与孩子", family_examples.FAMILY)},
            ),
            **problem_answers(problems.SIGN_IN_NEEDED, problems.NOT_READY),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def list_family(holder: Annotated[Actor, holder_of_session]) -> Family:
        """Whose e-cards I may show, who may show mine, and whose guardian I am.

        我可出示的亲属、可出示我卡的亲属，以及我监护的孩子。
        """
        return families.list_family(services, holder)

    @router.post(
        "/offers",
        operation_id="offerECard",
        summary="Let a relative show my e-card · 授权亲属出示",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "Tell the code to the relative · 请将授权码告知亲属",
                {"offer": example("Good for a day · 一天内有效", family_examples.OFFER)},
                status=201,
            ),
            **problem_answers(*_CHANGED, *BODY_FAULTS, problems.FAMILY_REFUSED),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def offer_ecard(
        _body: Offer,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> MadeOffer:
        """My consent: whoever has the code first may show my e-card until I end it.

        授权码可由一位亲属领取一次；领取后可出示我的电子社保卡，直至解除。
        """
        return families.offer(services, holder, held)

    @router.post(
        "/members",
        operation_id="takeECard",
        summary="Take a relative's e-card · 领取授权",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "It may be shown from now on · 已可出示",
                {"member": example("Taken · 已领取", family_examples.MEMBER)},
                status=201,
            ),
            **problem_answers(
                *_CHANGED,
                *BODY_FAULTS,
                problems.NOT_FOUND,
                problems.ALREADY_EXISTS,
                problems.FAMILY_REFUSED,
            ),
        },
        openapi_extra=HOLDER_CHANGE,
    )
    def take_ecard(
        body: NewMember,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> MemberChange:
        """With the relative's consent code; of a ward under 16 with the guardianship.

        凭亲属的授权码领取；未满 16 周岁的被监护人凭监护登记。
        """
        return families.take(services, holder, held, body)

    @router.delete(
        "/members/{family_member_id}",
        operation_id="endFamilyMember",
        summary="End it · 解除",
        status_code=204,
        response_class=Response,
        dependencies=changes,
        responses=problem_answers(
            *_CHANGED, problems.NOT_FOUND, problems.WRONG_STATE, problems.INVALID_REQUEST
        ),
        openapi_extra=HOLDER_CHANGE,
    )
    def end_family_member(
        family_member_id: MemberId,
        holder: Annotated[Actor, holder_of_session],
        held: Annotated[HeldKey, held_key],
    ) -> None:
        """By either of the two, an offer too. No code is made from now on; one that is shown
        already lives out its minute.

        双方均可解除，未领取的授权也可解除。此后不再生成动态码；已出示的动态码至多再有效一分钟。
        """
        families.end(services, holder, held, family_member_id)

    @router.post(
        "/members/{family_member_id}/codes",
        operation_id="showFamilyCode",
        summary="Show a relative's code · 出示亲属的动态码",
        status_code=201,
        dependencies=changes,
        responses={
            **json_answer(
                "A code for 60 seconds · 60 秒内有效",
                {"code": example("A code · 动态码", family_examples.CODE)},
                status=201,
            ),
            **problem_answers(
                problems.SIGN_IN_NEEDED,
                problems.CROSS_SITE,
                *BODY_FAULTS,
                problems.NOT_FOUND,
                problems.CARD_UNUSABLE,
                problems.FAMILY_REFUSED,
                problems.NOT_READY,
            ),
        },
        openapi_extra=HOLDER_SECURITY,
    )
    def show_family_code(
        family_member_id: MemberId,
        body: FamilyMintRequest,
        holder: Annotated[Actor, holder_of_session],
    ) -> ShownCode:
        """The code says that the holder does not show it; the receipt says so, too.

        动态码和核验凭据均注明由亲属出示。
        """
        return families.show(services, holder, family_member_id, body)

    return router
