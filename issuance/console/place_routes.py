"""Institutions: which there are, designating one, and taking one out of service at once."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from card_core import business_types
from card_core.kernel import Kernel
from card_core.kernel.acts.institutions import (
    ChangeBusinessTypes,
    DesignateInstitution,
    ReinstateInstitution,
    SuspendInstitution,
)
from card_core.kernel.permissions import Reading
from card_core.store import institutions
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.console import place_models as models
from issuance.console.entry import PREFIX, Asked
from issuance.console.models import Answer, Nothing, Proposed

Code = Annotated[str, InPath(pattern=r"^[0-9A-Za-z]{1,32}$")]
After = Annotated[str, Query(pattern=r"^(|[0-9a-f]{32})$")]


def routes(kernel: Kernel, question: object, change: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["institutions"])

    @router.get("/business-types", operation_id="listBusinessTypes")
    def list_business_types(asked: Annotated[Asked, question]) -> models.BusinessTypeList:
        """What a scan may be for, and at which kinds of institution. 用码业务类型表。"""
        asked.check_reads(Reading.PLACES)
        return models.BusinessTypeList(
            business_types=[
                models.BusinessTypeView(
                    code=one.code,
                    name_zh=one.name_zh,
                    name_en=one.name_en,
                    kinds=sorted(one.places),
                )
                for one in business_types.ALL
            ]
        )

    @router.get("/institutions", operation_id="listInstitutions")
    def list_institutions(
        asked: Annotated[Asked, question], after: After = ""
    ) -> models.InstitutionList:
        """定点医药机构名单。 The designated institutions."""
        asked.check_reads(Reading.PLACES)
        with kernel.store.read() as tx:
            page = institutions.page(tx, after=after)
        return models.InstitutionList(
            institutions=[
                models.InstitutionView(
                    code=one.code,
                    name=one.name,
                    kind=one.kind,
                    region=one.region,
                    state=one.state,
                    business_types=None
                    if one.business_types is None
                    else sorted(one.business_types),
                )
                for one in page
            ],
            next_after=page[-1].id if len(page) == PAGE_SIZE_MAX else None,
        )

    @router.post("/institutions", operation_id="proposeInstitution", status_code=201)
    def designate(body: models.Designation, asked: Annotated[Asked, change]) -> Proposed:
        """Proposed; another person approves. 登记定点机构，待复核。"""
        codes = _chosen(body.business_types)
        act = DesignateInstitution(body.code, body.name, body.kind, body.region, codes)
        return asked.propose(act)

    @router.post(
        "/institutions/{code}/business-types", operation_id="proposeBusinessTypes", status_code=201
    )
    def change_business_types(
        code: Code, body: models.BusinessTypesChange, asked: Annotated[Asked, change]
    ) -> Proposed:
        """Proposed; another person approves. 更改可用的用码业务类型，待复核。"""
        return asked.propose(ChangeBusinessTypes(code, _chosen(body.business_types)))

    @router.post("/institutions/{code}/suspension", operation_id="suspendInstitution")
    def suspend(code: Code, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """None of its terminals can scan from now on. 停用机构，立即生效。"""
        return asked.perform(SuspendInstitution(code))

    @router.post(
        "/institutions/{code}/reinstatement",
        operation_id="proposeReinstateInstitution",
        status_code=201,
    )
    def reinstate(code: Code, _body: Nothing, asked: Annotated[Asked, change]) -> Proposed:
        """Proposed; another person approves. 恢复机构，待复核。"""
        return asked.propose(ReinstateInstitution(code))

    return router


def _chosen(codes: list[str] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(codes)
