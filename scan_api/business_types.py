"""The business types, for whoever writes a terminal: above all what each shows of the holder."""

from fastapi import APIRouter
from pydantic import BaseModel

from card_core import business_types
from card_core.business_types import BusinessType, HolderView
from card_core.holder_views import HolderViews, Show
from card_core.visits import OPENS
from scan_api.openapi import example, json_answer
from scan_api.services import Services

EXAMPLE = {
    "business_types": [
        {
            "code": "01101",
            "name_zh": "挂号",
            "name_en": "Hospital registration",
            "places": ["hospital"],
            "purpose": "medical_identify",
            "consumes": False,
            "view": "full",
            "fields": {"name": "full", "social_security_number": "full", "sex": "full"},
            "visit": ["01201", "01301", "01302"],
        }
    ]
}


class BusinessTypeView(BaseModel):
    """One business type. `fields`: what an accepted scan shows, each in full or masked.

    `visit`: the business types of the visit that such a scan opens; empty where it opens none.
    """

    code: str
    name_zh: str
    name_en: str
    places: list[str]
    purpose: str
    consumes: bool
    view: HolderView
    fields: dict[str, Show]
    visit: list[str]


class BusinessTypeList(BaseModel):
    """All of them, under this installation's configuration."""

    business_types: list[BusinessTypeView]


def routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["service"])
    grants = services.kernel.grants
    views = HolderViews() if grants is None else grants.views
    shown = BusinessTypeList(business_types=[_view(one, views) for one in business_types.ALL])

    @router.get(
        "/v1/business-types",
        operation_id="listBusinessTypes",
        summary="What a scan may be for · 用码业务类型",
        responses=json_answer(
            "The table in use here · 本服务使用的业务类型表",
            {"table": example("One of them", EXAMPLE)},
        ),
    )
    async def list_business_types() -> BusinessTypeList:
        """Every business type: where it is offered, whether money or goods move, and what it shows
        of the holder. The table is public.

        各用码业务类型：适用机构、是否涉及收费或发药、向终端展示持卡人的哪些信息。本表公开。
        """
        return shown

    return router


def _view(one: BusinessType, views: HolderViews) -> BusinessTypeView:
    return BusinessTypeView(
        code=one.code,
        name_zh=one.name_zh,
        name_en=one.name_en,
        places=sorted(one.places),
        purpose=(one.purpose.name or "").lower(),
        consumes=one.consumes,
        view=one.view,
        fields=dict(views.row(one.code).fields),
        visit=sorted(OPENS.get(one.code, ())),
    )
