"""Rosters in parts: sent, checked, sent back with what is wrong, imported as a batch."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from card_core.kernel.acts.imports import OpenImport
from issuance.console import roster_models as models
from issuance.console.entry import PREFIX, Asked
from issuance.console.files import CSV, XLSX, file_answer, file_body
from issuance.console.models import Nothing
from issuance.console.uploads import PART_BYTES_MAX, Upload, Uploads
from issuance.importing import REFUSED_AT_IMPORT
from issuance.roster.corrections import CorrectionFormat

ROWS_PAGE = 200
RosterId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
_MEDIA_TYPES = {CorrectionFormat.CSV: f"{CSV}; charset=utf-8", CorrectionFormat.XLSX: XLSX}
_SENT_AT_ONCE = 256 * 1024


def routes(uploads: Uploads, question: object, repeatable: object) -> APIRouter:
    router = APIRouter(prefix=f"{PREFIX}/rosters", tags=["rosters"])

    def found(asked: Asked, roster_id: str) -> Upload:
        asked.check_may(OpenImport)
        return uploads.get(asked.actor, roster_id)

    @router.post("", operation_id="beginRoster", status_code=201)
    def begin(body: models.NewRoster, asked: Annotated[Asked, repeatable]) -> models.RosterView:
        """Announce a roster of so many bytes; its parts follow. 上传名册。"""
        asked.check_may(OpenImport)
        return view_of(uploads.begin(asked.actor, body.file_name, body.size))

    @router.put("/{roster_id}/content", operation_id="sendRosterPart", openapi_extra=file_body())
    async def send_part(
        roster_id: RosterId,
        request: Request,
        asked: Annotated[Asked, repeatable],
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> models.RosterView:
        """The bytes from `offset` on, at most 1 MiB, in their order; a part may come again. With
        the last one the check begins. 上传一段。"""
        part = await request.body()
        return await run_in_threadpool(take_part, asked, roster_id, offset, part)

    def take_part(asked: Asked, roster_id: str, offset: int, part: bytes) -> models.RosterView:
        upload = found(asked, roster_id)
        uploads.receive(upload, offset, part)
        return view_of(upload)

    @router.get("/{roster_id}", operation_id="getRoster")
    def get_roster(roster_id: RosterId, asked: Annotated[Asked, question]) -> models.RosterView:
        """How far it is, and what was found. 名册检查结果。"""
        return view_of(found(asked, roster_id))

    @router.get("/{roster_id}/rows", operation_id="listRosterRows")
    def list_rows(
        roster_id: RosterId,
        asked: Annotated[Asked, question],
        skip: Annotated[int, Query(ge=0)] = 0,
    ) -> models.RosterRows:
        """A page of the rows that were refused, and why; nobody's data. 退回的行。"""
        report = found(asked, roster_id).report
        refused = [] if report is None else report.refused
        page = islice(refused, skip, skip + ROWS_PAGE)
        rows = [models.RosterRow.of(one) for one in page]
        return models.RosterRows(rows=rows, count=len(refused))

    @router.get(
        "/{roster_id}/corrections",
        operation_id="getCorrections",
        response_class=Response,
        responses=file_answer(CSV, XLSX),
    )
    def corrections(
        roster_id: RosterId,
        asked: Annotated[Asked, question],
        format: CorrectionFormat = CorrectionFormat.XLSX,  # noqa: A002 - the query's own word
    ) -> Response:
        """The refused rows as they stood, with what is wrong, to correct and send again.
        下载退回的行。"""
        upload = found(asked, roster_id)
        content = uploads.corrections(upload, format)
        name = f"roster-corrections.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_pieces(content), media_type=_MEDIA_TYPES[format], headers=headers)

    @router.post("/{roster_id}/import", operation_id="importRoster", status_code=202)
    def import_roster(
        roster_id: RosterId, body: models.RosterImport, asked: Annotated[Asked, repeatable]
    ) -> models.RosterView:
        """The good rows become a batch, whose release is proposed; asked again, nothing more.
        导入名册。"""
        upload = found(asked, roster_id)
        uploads.start_import(upload, body.name)
        return view_of(upload)

    @router.post("/{roster_id}/forget", operation_id="forgetRoster", status_code=204)
    def forget(
        roster_id: RosterId, _body: Nothing, asked: Annotated[Asked, repeatable]
    ) -> Response:
        """Delete what was sent; a batch made of it stays. 删除上传的文件。"""
        uploads.forget(found(asked, roster_id))
        return Response(status_code=204)

    return router


def view_of(upload: Upload) -> models.RosterView:
    report, imported, unusable = upload.report, upload.imported, upload.unusable
    later = {} if imported is None else imported.refused
    return models.RosterView(
        roster_id=upload.id,
        name=upload.name,
        state=upload.state,
        size=upload.size,
        received=upload.received,
        part_bytes=PART_BYTES_MAX,
        rows_done=upload.done,
        rows_expected=upload.expected,
        accepted=0 if report is None else len(report.accepted),
        refused=0 if report is None else len(report.refused),
        digest=None if report is None else report.digest_hex,
        kinds=[models.ProblemKind.of(problem, count) for problem, count in upload.kinds],
        problem=None
        if unusable is None
        else models.RosterProblem(
            code=unusable.code, detail=unusable.message_en, detail_zh=unusable.message_zh
        ),
        imported=None if imported is None else imported.accepted,
        batch_id=None if imported is None else imported.batch_id,
        refused_later=[
            models.RefusedLater(
                code=code,
                message_zh=REFUSED_AT_IMPORT[code][0],
                message_en=REFUSED_AT_IMPORT[code][1],
                rows=list(islice(rows, ROWS_PAGE)),
                count=len(rows),
            )
            for code, rows in later.items()
        ],
    )


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(_SENT_AT_ONCE):
            yield piece
