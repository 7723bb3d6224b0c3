"""What waits for a second person (复核): what exactly it is, and their decision."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from card_core.kernel import Kernel
from card_core.kernel.acts.batches import ReleaseBatch
from card_core.kernel.permissions import ACTS, RULES, Reading
from card_core.store import Reader, approvals, batches, operators
from card_core.store.approvals import Approval
from card_core.store.operators import Operator
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.console import models
from issuance.console.entry import PREFIX, Asked

ApprovalId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
After = Annotated[str, Query(pattern=r"^(|[0-9a-f]{32})$")]


def routes(kernel: Kernel, question: object, change: object) -> APIRouter:
    router = APIRouter(prefix=f"{PREFIX}/approvals", tags=["approvals"])

    @router.get("", operation_id="listApprovals")
    def list_approvals(asked: Annotated[Asked, question], after: After = "") -> models.ApprovalList:
        """What waits for a second person: what the asker may decide, or proposed. 待复核事项。"""
        asked.check_reads(Reading.APPROVALS)
        operator = asked.operator()
        with kernel.store.read() as tx:
            page = approvals.pending(tx, after=after)
            found = [_view(tx, one, operator) for one in page if _concerns(operator, one)]
        following = page[-1].id if len(page) == PAGE_SIZE_MAX else None
        return models.ApprovalList(approvals=found, next_after=following)

    @router.post("/{approval_id}/approval", operation_id="approve")
    def approve(
        approval_id: ApprovalId, body: models.Approving, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """It takes effect at once. 同意。"""
        return kernel.approve(
            approval_id,
            content_hash=body.content_hash,
            actor=asked.actor,
            request_id=asked.key,
        )

    @router.post("/{approval_id}/rejection", operation_id="reject")
    def reject(
        approval_id: ApprovalId, _body: models.Nothing, asked: Annotated[Asked, change]
    ) -> models.Answer:
        """Nothing is changed; makers take back their own by it. 驳回或撤回。"""
        return kernel.reject(approval_id, actor=asked.actor, request_id=asked.key)

    return router


def _concerns(operator: Operator, approval: Approval) -> bool:
    may_decide = operator.roles & RULES[ACTS[approval.act]].approvers
    return approval.maker_id == operator.id or bool(may_decide)


def _view(tx: Reader, approval: Approval, operator: Operator) -> models.ApprovalView:
    maker = operators.get(tx, approval.maker_id)
    return models.ApprovalView(
        approval_id=approval.id,
        act=approval.act,
        summary=approval.summary,
        content_hash=approval.content_hash,
        proposed_by=maker.display_name if maker else approval.maker_id,
        is_own=approval.maker_id == operator.id,
        created_at=approval.created_at,
        facts=_facts(tx, approval),
    )


def _facts(tx: Reader, approval: Approval) -> list[models.ApprovalFact]:
    """Of a batch's release; of everything else the summary says all."""
    if approval.act != ReleaseBatch.act:
        return []
    batch = batches.get(tx, approvals.content_of(tx, approval.id)["batch_id"])
    if batch is None:
        return []
    return [
        models.ApprovalFact(fact="batch_id", value=batch.id),
        models.ApprovalFact(fact="accepted", value=str(batch.accepted)),
        models.ApprovalFact(fact="refused", value=str(batch.refused)),
        models.ApprovalFact(fact="file_digest", value=batch.file_digest.hex()),
        models.ApprovalFact(fact="content_root", value=batch.content_root.hex()),
    ]
