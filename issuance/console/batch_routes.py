"""Batches from application to hand-over: the board, each one's page, and what moves them on."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from card_core.errors import NotFoundError
from card_core.kernel import Kernel
from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.permissions import Reading
from card_core.states import BatchKind, FilingState, MakingState
from card_core.store import Reader, batches, filings, making_orders, makings, operators
from card_core.store.batches import Batch
from issuance.console import batch_models as models
from issuance.console.entry import PREFIX, Asked
from issuance.console.issuing import Issuing
from issuance.console.models import Answer, Nothing, Proposed
from issuance.progress import progress_of

BOARD_MAX = 60
BatchId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
Before = Annotated[str, Query(pattern=r"^(|[0-9a-f]{32})$")]


def routes(
    kernel: Kernel,
    issuing: Issuing,
    *,
    question: object,
    change: object,
    repeatable: object,
    clock: Callable[[], datetime],
) -> APIRouter:
    """clock: the time now, aware, UTC."""
    router = APIRouter(prefix=f"{PREFIX}/batches", tags=["batches"])

    def progress(tx: Reader, batch: Batch) -> models.BatchProgressView:
        found = progress_of(batch, batches.chunks(tx, batch.id), clock())
        failure = issuing.failure(batch.id)
        return models.BatchProgressView(
            state=batch.state,
            issued=found.issued,
            accepted=found.accepted,
            rate=found.rate,
            seconds_left=found.seconds_left,
            is_here=issuing.is_under_way(batch.id),
            failure=failure and failure[1],
            failure_zh=failure and failure[0],
        )

    @router.get("", operation_id="listBatches")
    def list_batches(asked: Annotated[Asked, question], before: Before = "") -> models.BatchBoard:
        """The newest first, each with where it stands. 批次看板。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            page = batches.page(tx, before=before, limit=BOARD_MAX)
            return models.BatchBoard(
                batches=[card_of(tx, one) for one in page],
                filed=len(filings.page(tx, FilingState.FILED)),
                registered=len(filings.page(tx, FilingState.ACCEPTED)),
                next_before=page[-1].id if len(page) == BOARD_MAX else None,
            )

    @router.get("/{batch_id}", operation_id="getBatch")
    def get_batch(batch_id: BatchId, asked: Annotated[Asked, question]) -> models.BatchView:
        """One batch: its cards by state, its making orders, how fast it is issued. 批次详情。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            batch = find(tx, batch_id)
            return models.BatchView(
                **card_of(tx, batch).model_dump(),
                content_root=batch.content_root.hex(),
                file_digest=batch.file_digest.hex(),
                orders=[
                    models.OrderView(
                        number=one.number,
                        state=one.state,
                        records=one.records,
                        made=one.made,
                        failed=one.failed,
                        created_at=one.created_at,
                    )
                    for one in making_orders.of_batch(tx, batch.id)
                ],
                progress=progress(tx, batch),
            )

    @router.get("/{batch_id}/progress", operation_id="getBatchProgress")
    def get_progress(
        batch_id: BatchId, asked: Annotated[Asked, question]
    ) -> models.BatchProgressView:
        """How far issuing is, and how long it takes. 发卡进度。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            return progress(tx, find(tx, batch_id))

    @router.post("/{batch_id}/issue", operation_id="issueBatch", status_code=202)
    def issue(
        batch_id: BatchId, _body: Nothing, asked: Annotated[Asked, repeatable]
    ) -> models.BatchProgressView:
        """Issue the cards that are not issued yet; asked again, nothing more. 发卡。"""
        asked.check_may(IssueChunk)
        with kernel.store.read() as tx:
            batch = find(tx, batch_id)
            issuing.start(batch.id, asked.actor)
            return progress(tx, batch)

    @router.post("/{batch_id}/pause", operation_id="pauseBatch")
    def pause(batch_id: BatchId, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """Wherever it is issued. 暂停发卡。"""
        return asked.perform(PauseBatch(batch_id))

    @router.post("/{batch_id}/resumption", operation_id="resumeBatch")
    def resume(batch_id: BatchId, _body: Nothing, asked: Annotated[Asked, change]) -> Answer:
        """It may be issued again. 解除暂停。"""
        return asked.perform(ResumeBatch(batch_id))

    @router.post("/{batch_id}/cancellation", operation_id="proposeCancelBatch", status_code=201)
    def cancel(batch_id: BatchId, _body: Nothing, asked: Annotated[Asked, change]) -> Proposed:
        """Make no more cards of it; proposed, another person approves. 取消批次，待复核。"""
        return asked.propose(CancelBatch(batch_id))

    return router


def find(tx: Reader, batch_id: str) -> Batch:
    """Raises NotFoundError."""
    batch = batches.get(tx, batch_id)
    if batch is None or batch.kind is not BatchKind.ROSTER or not batch.is_whole:
        raise NotFoundError("batch")
    return batch


def card_of(tx: Reader, batch: Batch) -> models.BatchCard:
    maker = operators.get(tx, batch.maker_id)
    cards: Counter[MakingState] = Counter()
    for (_, state), count in makings.counts(tx, batch.id).items():
        cards[state] += count
    return models.BatchCard(
        batch_id=batch.id,
        name=batch.name,
        state=batch.state,
        stage=models.stage_of(batch, cards),
        accepted=batch.accepted,
        refused=batch.refused,
        issued=batch.issued,
        cards=dict(cards),
        proposed_by=maker.display_name if maker else batch.maker_id,
        created_at=batch.created_at,
    )
