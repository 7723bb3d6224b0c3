"""The operators' API: applications, cards made at once, blank cards, guardians."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from card_core.errors import NotFoundError
from card_core.identity import mask_name, mask_number
from card_core.kernel import Kernel
from card_core.kernel.acts.at_once import ReceiveBlanks, SpoilBlanks
from card_core.kernel.acts.families import EndFamilyMember
from card_core.kernel.acts.filings import (
    AcceptFiling,
    FileApplication,
    RefuseFiling,
    WithdrawFiling,
    application_of,
)
from card_core.kernel.acts.guardians import BindGuardian, EndGuardianship
from card_core.kernel.acts.taking_in import BatchFilings, IssueAtOnce
from card_core.kernel.applicants import as_known
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.permissions import Reading
from card_core.states import FilingState
from card_core.store import Reader, blank_cards, cards, filings
from card_core.store.cards import Card
from card_core.store.filings import Filing
from issuance.applying import check_application
from issuance.console import (
    approval_routes,
    batch_routes,
    figure_routes,
    models,
    place_routes,
    roster_routes,
    search_routes,
    session_routes,
    terminal_routes,
)
from issuance.console.entry import PREFIX, Asked, Entrance, asking
from issuance.console.files import BYTES, file_answer, file_body
from issuance.console.issuing import Issuing
from issuance.console.uploads import Uploads
from issuance.making import at_once, maker_files

FilingId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
CardNumber = Annotated[str, InPath(min_length=9, max_length=9)]
After = Annotated[str, Query(pattern=r"^(|[0-9a-f]{32})$")]


def routes(
    kernel: Kernel,
    entrance: Entrance,
    uploads: Uploads,
    issuing: Issuing,
    clock: Callable[[], datetime],
) -> APIRouter:
    """clock: the time now, aware, UTC."""
    router = APIRouter()
    question, change, repeatable = asking(kernel, entrance)
    # Not by `include_router`: what is included is analysed again at the first request.
    for part in (
        session_routes.routes(entrance),
        _applications(kernel, question, change, clock),
        _made_at_once(kernel, question, change, clock),
        _families(change),
        approval_routes.routes(kernel, question, change),
        place_routes.routes(kernel, question, change),
        terminal_routes.routes(kernel, question, change),
        figure_routes.routes(kernel, question),
        search_routes.routes(kernel, question, repeatable),
        roster_routes.routes(uploads, question, repeatable),
        batch_routes.routes(
            kernel,
            issuing,
            question=question,
            change=change,
            repeatable=repeatable,
            clock=clock,
        ),
    ):
        router.routes.extend(part.routes)
    return router


def _applications(
    kernel: Kernel, question: object, change: object, clock: Callable[[], datetime]
) -> APIRouter:
    router = APIRouter(prefix=f"{PREFIX}/applications", tags=["application"])

    @router.get("", operation_id="listApplications")
    def list_applications(
        asked: Annotated[Asked, question],
        state: FilingState = FilingState.FILED,
        after: After = "",
    ) -> models.Applications:
        """A page, the oldest first, masked. 申领列表。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            found = [_view(tx, one) for one in filings.page(tx, state, after=after)]
        return models.Applications(applications=found)

    @router.post("", operation_id="fileApplication", status_code=201)
    def file_application(
        body: models.NewApplication, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """A new card, for the person at the window. 新申领受理。"""
        today = clock().astimezone(SHANGHAI).date()
        fields = body.fields.model_dump() | {"kind": "新申领"}
        checked = check_application(fields, today)
        return asked.perform(FileApplication(checked, body.mode, body.evidence, body.reference))

    @router.post("/next", operation_id="fileNextApplication", status_code=201)
    def file_next(body: models.NextApplication, asked: Annotated[Asked, change]) -> models.Answer:
        """Replacement or exchange of a card. 补卡、换卡受理。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            application = as_known(tx, _card(tx, body.card_number), body.kind)
        act = FileApplication(application, body.mode, body.evidence, body.reference)
        return asked.perform(act)

    @router.get("/{application_id}", operation_id="getApplication")
    def get_application(
        application_id: FilingId, asked: Annotated[Asked, question]
    ) -> models.ApplicationView:
        """One application, masked. 查看申领。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            found = filings.get(tx, application_id)
            if found is None:
                raise NotFoundError("application")
            return _view(tx, found)

    @router.post("/{application_id}/acceptance", operation_id="acceptApplication")
    def accept(
        application_id: FilingId, body: models.Acceptance, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """Another person has checked it. 复核受理。"""
        return asked.perform(AcceptFiling(application_id, body.evidence, body.reference))

    @router.post("/{application_id}/refusal", operation_id="refuseApplication")
    def refuse(
        application_id: FilingId, body: models.Refusal, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """Somebody else has checked it, and it is not taken. 不予受理。"""
        return asked.perform(RefuseFiling(application_id, body.reason))

    @router.post("/{application_id}/withdrawal", operation_id="withdrawApplication")
    def withdraw(
        application_id: FilingId, _body: models.Nothing, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """The applicant wants it no more. 撤回。"""
        return asked.perform(WithdrawFiling(application_id))

    @router.post("/{application_id}/card", operation_id="issueAtOnce", status_code=201)
    def issue(
        application_id: FilingId, _body: models.Nothing, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """The card's number, of an application to be made at once. 即时制卡分配卡号。"""
        return asked.perform(IssueAtOnce(application_id))

    @router.post("/batches", operation_id="batchApplications", status_code=201)
    def batch(body: models.BatchRequest, asked: Annotated[Asked, change]) -> models.Answer:
        """Accepted applications become a batch, whose release is proposed. 入批次。"""
        return asked.perform(BatchFilings(body.name, body.count_max))

    return router


def _made_at_once(
    kernel: Kernel, question: object, change: object, clock: Callable[[], datetime]
) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["made at once"])

    @router.post(
        "/cards/{card_number}/maker-file",
        operation_id="writeMakerFile",
        response_class=Response,
        responses=file_answer(BYTES),
    )
    def write_maker_file(
        card_number: CardNumber, body: models.OrderRequest, asked: Annotated[Asked, change]
    ) -> Response:
        """The file by which the branch's device makes this card; takes a blank card. Again, for
        a file that was lost: another file, the same order. 生成设备制卡文件。"""
        with kernel.store.read() as tx:
            card = _card(tx, card_number)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "card.ssc"
            at_once.write_file(kernel, card, body.maker, path, actor=asked.actor, made_at=clock())
            content = path.read_bytes()
        return Response(content, media_type=BYTES)

    def _take_return(asked: Asked, content: bytes) -> models.Answer:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "return"
            path.write_bytes(content)
            return maker_files.take_return(
                kernel, path, actor=asked.actor, progress=lambda _done, _of: None
            )

    @router.post("/maker-returns", operation_id="takeMakerReturn", openapi_extra=file_body())
    async def take_return(request: Request, asked: Annotated[Asked, change]) -> models.Answer:
        """The device's return file, whole or not at all; twice changes nothing. 设备回盘。"""
        content = await request.body()
        return await run_in_threadpool(_take_return, asked, content)

    @router.get("/blank-cards", operation_id="listBlankCards")
    def list_blanks(asked: Annotated[Asked, question]) -> models.BlankList:
        """received = on_hand + in_device + used + spoiled. 空白卡盘点。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            found = blank_cards.page(tx)
        return models.BlankList(branches=[models.BlanksView(**asdict(one)) for one in found])

    @router.post("/blank-cards/receipts", operation_id="proposeBlanks", status_code=201)
    def receive(body: models.BlanksReceived, asked: Annotated[Asked, change]) -> models.Proposed:
        """Proposed; another person approves. 空白卡入库，待复核。"""
        return asked.propose(ReceiveBlanks(body.branch, body.count))

    @router.post("/blank-cards/write-offs", operation_id="proposeWriteOff", status_code=201)
    def spoil(body: models.BlanksSpoiled, asked: Annotated[Asked, change]) -> models.Proposed:
        """Proposed; another person approves. 空白卡作废，待复核。"""
        with kernel.store.read() as tx:
            on_hand = blank_cards.of(tx, body.branch).on_hand
        return asked.propose(SpoilBlanks(body.branch, body.count, body.reason, on_hand))

    return router


def _families(change: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["family"])

    @router.post("/guardianships", operation_id="proposeGuardian", status_code=201)
    def bind(body: models.GuardianRequest, asked: Annotated[Asked, change]) -> models.Proposed:
        """Proposed; another person approves. 登记监护人，待复核。"""
        act = BindGuardian(body.ward_id, body.guardian_id, body.evidence, body.reference)
        return asked.propose(act)

    @router.delete("/guardianships/{guardianship_id}", operation_id="endGuardianship")
    def end_guardianship(
        guardianship_id: FilingId, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """At once; what rests on it ends with it. 解除监护登记，立即生效。"""
        return asked.perform(EndGuardianship(guardianship_id))

    @router.delete("/family-members/{family_member_id}", operation_id="endFamilyMember")
    def end_member(family_member_id: FilingId, asked: Annotated[Asked, change]) -> models.Answer:
        """At once: no code is made of it any more. 解除亲情服务，立即生效。"""
        return asked.perform(EndFamilyMember(family_member_id))

    return router


def _card(tx: Reader, card_number: str) -> Card:
    card = cards.find_by_card_number(tx, card_number.upper())
    if card is None:
        raise NotFoundError("card")
    return card


def _view(tx: Reader, filing: Filing) -> models.ApplicationView:
    application = application_of(tx, filing.id)
    return models.ApplicationView(
        application_id=filing.id,
        kind=filing.kind,
        channel=filing.channel,
        mode=filing.mode,
        state=filing.state,
        code=filing.state.code,
        name=mask_name(application.name),
        number=mask_number(application.number.text),
        evidence=filing.evidence,
        refusal=filing.refusal,
        batch_id=filing.batch_id,
        filed_at=filing.filed_at,
    )
