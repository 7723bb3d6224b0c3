"""Institutions and their terminals: which there are, and taking one out of service at once."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import BaseModel

from card_core.errors import NotFoundError
from card_core.kernel import Kernel
from card_core.kernel.acts.institutions import (
    ReinstateInstitution,
    ReinstateTerminal,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.kernel.permissions import Reading
from card_core.states import ServiceState
from card_core.store import institutions
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.console.entry import Asked
from issuance.console.models import Answer, Nothing

Code = Annotated[str, InPath(pattern=r"^[0-9A-Za-z]{1,32}$")]
Serial = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")]
After = Annotated[str, Query(pattern=r"^(|[0-9a-f]{32})$")]


class InstitutionView(BaseModel):
    """`business_types`: null for all of its kind."""

    code: str
    name: str
    kind: str
    region: str
    state: ServiceState
    business_types: list[str] | None


class InstitutionList(BaseModel):
    """`next_after`: where the next page begins; null at the end."""

    institutions: list[InstitutionView]
    next_after: str | None


class TerminalView(BaseModel):
    serial_number: str
    state: ServiceState


class TerminalList(BaseModel):
    """At most 200."""

    terminals: list[TerminalView]


def routes(kernel: Kernel, question: object, change: object) -> APIRouter:
    router = APIRouter(tags=["institutions"])

    @router.get("/institutions", operation_id="listInstitutions")
    def list_institutions(asked: Annotated[Asked, question], after: After = "") -> InstitutionList:
        """定点医药机构名单。"""
        asked.check_reads(Reading.PLACES)
        with kernel.store.read() as tx:
            page = institutions.page(tx, after=after)
        return InstitutionList(
            institutions=[
                InstitutionView(
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

    @router.get("/institutions/{code}/terminals", operation_id="listTerminals")
    def list_terminals(code: Code, asked: Annotated[Asked, question]) -> TerminalList:
        """某机构的终端。"""
        asked.check_reads(Reading.PLACES)
        with kernel.store.read() as tx:
            institution = institutions.institution_by_code(tx, code)
            if institution is None:
                raise NotFoundError("institution")
            found = institutions.terminals_of(tx, institution.id)
        return TerminalList(
            terminals=[
                TerminalView(serial_number=one.serial_number.hex(), state=one.state)
                for one in found
            ]
        )

    @router.post("/institutions/{code}/suspension", operation_id="suspendInstitution")
    def suspend(code: Code, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """None of its terminals can scan from now on. 停用机构，立即生效。"""
        return asked.perform(SuspendInstitution(code))

    @router.post(
        "/institutions/{code}/reinstatement",
        operation_id="proposeReinstateInstitution",
        status_code=201,
    )
    def reinstate(code: Code, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """Proposed; another person approves. 恢复机构，待复核。"""
        return asked.propose(ReinstateInstitution(code))

    @router.post("/terminals/{serial}/suspension", operation_id="suspendTerminal")
    def suspend_terminal(serial: Serial, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """停用终端，立即生效。"""
        return asked.perform(SuspendTerminal(bytes.fromhex(serial)))

    @router.post(
        "/terminals/{serial}/reinstatement",
        operation_id="proposeReinstateTerminal",
        status_code=201,
    )
    def reinstate_terminal(
        serial: Serial, _body: Nothing, asked: Annotated[Asked, change]
    ) -> Answer:
        """Proposed; another person approves. 恢复终端，待复核。"""
        return asked.propose(ReinstateTerminal(bytes.fromhex(serial)))

    return router
