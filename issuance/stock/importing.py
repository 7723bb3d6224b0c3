"""A checked stock becomes a batch that waits for its release; then `issuance.engine` takes it over.

Each step is one act of the kernel, or one a chunk, with a ledger in the database: a process that
dies anywhere leaves whole steps, and the same command run again does what is missing.
"""

from dataclasses import dataclass, replace

from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.stock import ImportStock, ReleaseStock
from card_core.states import BatchKind
from card_core.store import Reader, batches
from card_core.store.approvals import Approval
from card_core.store.batches import Batch
from issuance.batches import begins, new_request_id, pending_release
from issuance.errors import BatchError
from issuance.stock.check import StockReport, with_refusals


@dataclass(frozen=True, slots=True)
class ImportedStock:
    """What came of an import. stock_id, approval_id: None where no row was left.

    report: of all rows, with what the holder base refused.
    """

    stock_id: str | None
    approval_id: str | None
    report: StockReport


def import_stock(kernel: Kernel, found: StockReport, *, name: str, actor: Actor) -> ImportedStock:
    """Store the cards that can be taken over and propose their release, in one act.

    Run again, also after a crash, it makes no second stock: its cards stand in the first one.
    Raises KernelError, StoreError.
    """
    act = ImportStock(
        name=name,
        file_digest=bytes.fromhex(found.digest_hex),
        cards=found.cards,
        refused_count=len(found.refused),
    )
    answer = kernel.perform(act, actor=actor, request_id=new_request_id())
    refusals = [(row["row"], row["code"]) for row in answer["refused"]]
    report = with_refusals(
        replace(found, known_people=answer["known_people"]), refusals, answer["phone_differs"]
    )
    return ImportedStock(answer["stock_id"], answer["approval_id"], report)


def find_stock(tx: Reader, wanted: str) -> Batch:
    """The stock with this id, with an id that begins so, or with this name.

    Raises BatchError where there is none or more than one, among the newest of a page.
    """
    exact = batches.get(tx, wanted)
    if exact is not None and exact.kind is BatchKind.STOCK:
        return exact
    page = batches.page(tx, kind=BatchKind.STOCK)
    found = [one for one in page if wanted == one.name or begins(one.id, wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BatchError(
            "stock_ambiguous",
            f"有 {len(found)} 个存量卡批次符合，请写完整的编号（sscard stock list）。",
            f"{len(found)} stocks fit; give the whole id (sscard stock list).",
        )
    raise BatchError(
        "stock_unknown",
        "没有这个存量卡批次。用 sscard stock list 查看。",
        "There is no such stock. See sscard stock list.",
    )


def release_approval(tx: Reader, stock: Batch) -> Approval:
    """The pending approval that would release `stock`. Raises BatchError where there is none."""
    found = pending_release(tx, ReleaseStock.act, "stock_id", stock.id)
    if found is not None:
        return found
    raise BatchError(
        "stock_not_waiting",
        f"存量卡批次当前状态为 {stock.state.value}，没有待复核的放行申请。",
        f"The stock is {stock.state.value}; no release of it waits for approval.",
    )
