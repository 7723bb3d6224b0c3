"""Batches: a checked roster becomes one, a checker releases it, its cards are issued.

Each step is one act of the kernel, or for issuing (`issuance.engine`) one act a chunk, and the
ledger in the database says which chunks are done. So a process that dies anywhere leaves whole
steps, and the same command run again does what is missing: no card number is lost, doubled or
skipped.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.batches import ImportRoster, ReleaseBatch
from card_core.states import BatchKind
from card_core.store import Reader, approvals, batches
from card_core.store.approvals import Approval
from card_core.store.batches import Batch
from issuance.errors import BatchError
from issuance.roster import RosterReport

# Fewer characters of an id, or none at all, are more likely a slip than a choice.
ID_BEGINNING_MIN = 8

REFUSED_AT_IMPORT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "has_live_card": (
            "此人已有未注销的社保卡,请勿重复申领;补领、换领请到窗口办理",
            "This person has a card that is not cancelled; replacements are made at the counter",
        ),
        "has_open_application": (
            "此人已有在办申领,请等该批次办结",
            "This person's application is under way in another batch; wait for it",
        ),
        "record_merged": (
            "该号码的持卡人记录已合并到另一记录，请以现用号码申领；见 sscard holder show",
            "This number's record was merged; apply with the number of the one that stays",
        ),
        "has_stock_card": (
            "此人的存量卡正在接管，请等接管办结",
            "A card that this person has already is being taken over; wait for it",
        ),
        "twice_in_roster": (
            "与前面某行是同一人,每人只保留一行",
            "The same person stands in an earlier row; keep one row for each person",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. batch_id: None where no row was left.

    refused: rows refused against the holders and cards that there are, as (row, code of
    REFUSED_AT_IMPORT).
    """

    batch_id: str | None
    approval_id: str | None
    accepted: int
    refused: tuple[tuple[int, str], ...]


def new_request_id() -> str:
    """A name for one request to the kernel that no other has."""
    return secrets.token_hex(16)


def import_roster(kernel: Kernel, found: RosterReport, *, name: str, actor: Actor) -> Imported:
    """Store the accepted rows as a batch and propose its release, in one act.

    Run again, also after a crash, it makes no second batch: everybody in the first one has an
    open application. Raises BatchError when no row is good; KernelError.
    """
    if not found.applications:
        raise BatchError(
            "no_row_accepted",
            "名册中没有可以受理的行，未建立批次。请按提示修改后重新导入。",
            "No row of the roster was accepted and no batch was made. Correct the rows and import "
            "the roster again.",
        )
    act = ImportRoster(
        name=name,
        file_digest=bytes.fromhex(found.digest_hex),
        applications=found.applications,
        refused_count=len(found.refused),
    )
    answer = kernel.perform(act, actor=actor, request_id=new_request_id())
    return Imported(
        batch_id=answer["batch_id"],
        approval_id=answer["approval_id"],
        accepted=answer["accepted"],
        refused=tuple((row["row"], row["code"]) for row in answer["refused"]),
    )


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
    if exact is not None and exact.kind is BatchKind.ROSTER:
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
