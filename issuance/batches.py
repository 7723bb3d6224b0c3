"""Batches: a checked roster becomes one, a checker releases it, its cards are issued.

Each step is one act of the kernel, or for issuing (`issuance.engine`) one act a chunk, and the
ledger in the database says which chunks are done. So a process that dies anywhere leaves whole
steps, and the same command run again does what is missing: no card number is lost, doubled or
skipped.
"""

import secrets

from card_core.kernel.acts.batches import ReleaseBatch
from card_core.states import BatchKind
from card_core.store import Reader, approvals, batches
from card_core.store.approvals import Approval
from card_core.store.batches import Batch
from issuance.errors import BatchError

# Fewer characters of an id, or none at all, are more likely a slip than a choice.
ID_BEGINNING_MIN = 8


def new_request_id() -> str:
    """A name for one request to the kernel that no other has."""
    return secrets.token_hex(16)


def begins(record_id: str, wanted: str) -> bool:
    """Whether `wanted` is enough of the beginning of this id to stand for it."""
    return len(wanted) >= ID_BEGINNING_MIN and record_id.startswith(wanted)


def find_batch(tx: Reader, wanted: str) -> Batch:
    """The batch with this id, with an id that begins so (ID_BEGINNING_MIN), or with this name.

    Raises BatchError where there is none or more than one, among the newest of a page.
    """
    page = batches.page(tx)
    found = [one for one in page if wanted in {one.id, one.name} or begins(one.id, wanted)]
    exact = batches.get(tx, wanted)
    if exact is not None and exact.kind is BatchKind.ROSTER and exact.is_whole:
        return exact
    if len(found) == 1:
        return found[0]
    if found:
        raise BatchError(
            "batch_ambiguous",
            f"有 {len(found)} 个批次符合，请写完整的批次编号（sscard batch list）。",
            f"{len(found)} batches fit; give the whole batch id (sscard batch list).",
        )
    raise BatchError(
        "batch_unknown",
        "没有这个批次。用 sscard batch list 查看已有批次。",
        "There is no such batch. See sscard batch list.",
    )


def pending_release(tx: Reader, act: str, field: str, wanted: str) -> Approval | None:
    """The pending approval of this act whose content names `wanted` in this field."""
    after = ""
    while page := approvals.pending(tx, after=after):
        for approval in page:
            if approval.act == act and approvals.content_of(tx, approval.id)[field] == wanted:
                return approval
        after = page[-1].id
    return None


def release_approval(tx: Reader, batch: Batch) -> Approval:
    """The pending approval that would release `batch`. Raises BatchError where there is none."""
    found = pending_release(tx, ReleaseBatch.act, "batch_id", batch.id)
    if found is not None:
        return found
    raise BatchError(
        "batch_not_waiting",
        f"批次当前状态为 {batch.state.value}，没有待复核的放行申请。",
        f"The batch is {batch.state.value}; no release of it waits for approval.",
    )
