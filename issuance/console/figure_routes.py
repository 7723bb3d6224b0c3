"""Figures for the people who answer for them: operators whose role reads them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from card_core.figures import Dimension, figures
from card_core.kernel import Kernel
from card_core.kernel.permissions import Reading
from card_core.scan_figures import first_hour, scan_figures
from card_core.store import figures as stored_figures
from issuance import figure_files
from issuance.console import figure_models as models
from issuance.console.counting import Counting
from issuance.console.entry import PREFIX, Asked
from issuance.console.files import CSV, XLSX, file_answer
from issuance.figure_files import FigureFormat

By = Annotated[list[Dimension] | None, Query(max_length=len(Dimension))]
_MEDIA_TYPES = {FigureFormat.CSV: f"{CSV}; charset=utf-8", FigureFormat.XLSX: XLSX}


def routes(kernel: Kernel, question: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["figures"])
    cards = Counting(kernel, lambda tx, _: stored_figures.tallies(tx))
    scans = Counting(kernel, lambda tx, now: stored_figures.scan_tallies(tx, first_hour(now)))

    @router.get("/figures", operation_id="getFigures")
    def get_figures(asked: Annotated[Asked, question], by: By = None) -> models.BureauFigures:
        """Cards issued, handed over, activated, by region, bank and month of issue as asked.

        Nothing of a person: groups of fewer than 10 cards go together as `other`. Counted anew
        after a minute. 发卡、领卡、启用统计；不足 10 张的分组并入 other。
        """
        asked.check_reads(Reading.FIGURES)
        found = cards.get()
        return models.BureauFigures.of(figures(found.tallies, by or ()), found.as_of)

    @router.get(
        "/figures/file",
        operation_id="getFiguresFile",
        response_class=Response,
        responses=file_answer(CSV, XLSX),
    )
    def get_file(
        asked: Annotated[Asked, question],
        by: By = None,
        format: FigureFormat = FigureFormat.XLSX,  # noqa: A002 - the query's own word
    ) -> Response:
        """The same as a file for a spreadsheet. 下载统计表。"""
        asked.check_reads(Reading.FIGURES)
        content = figure_files.content(figures(cards.get().tallies, by or ()), format)
        headers = {"Content-Disposition": f'attachment; filename="figures.{format}"'}
        return Response(content, media_type=_MEDIA_TYPES[format], headers=headers)

    @router.get("/scan-figures", operation_id="getScanFigures")
    def get_scan_figures(asked: Annotated[Asked, question]) -> models.ScanFiguresView:
        """Scans by hour of the last 24, and refusals by reason; groups of fewer than 10 go together
        as `other`. 近 24 小时扫码与不通过原因。"""
        asked.check_reads(Reading.FIGURES)
        found = scans.get()
        return models.ScanFiguresView.of(
            scan_figures(found.tallies, first_hour(found.as_of)), found.as_of
        )

    return router
