"""`sscard batch`: see batches, approve their release, issue their cards."""

from typing import Annotated

import typer

from card_core.store import Reader, batches, operators
from card_core.store.batches import Batch
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, YesOption, make_sure, opened_desk
from issuance.cli.words import both

app = typer.Typer(
    help="批次：查看、复核放行、发卡。\nBatches: see, approve, issue.", no_args_is_help=True
)

# Of a batch's id; time and more, so enough to tell it from the others.
SHORT_ID = 18

BatchArgument = Annotated[
    str,
    typer.Argument(metavar="BATCH", help="批次编号、其开头或名称。\n\nId, its beginning, or name."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        help="最多几个进程，默认按处理器数。\n\nProcesses at most, by default one a core.",
    ),
]


@app.command("list")
def list_batches(operator: OperatorOption = None) -> None:
    """列出批次，新的在前。
    List batches, the newest first.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [
            (one.id[:SHORT_ID], one.name, both(one.state), one.accepted, one.issued, one.refused,
             f"{one.created_at.astimezone():%Y-%m-%d %H:%M}")
            for one in batches.page(tx)
        ]  # fmt: skip
    screen.show_table(
        [
            "编号 Id",
            "名称 Name",
            "状态 State",
            "受理 Rows",
            "已发 Issued",
            "退回 Refused",
            "时间 Time",
        ],
        rows,
    )


@app.command()
def show(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """查看一个批次及其分块台账。
    Show a batch and the ledger of its chunks.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        found = find_batch(tx, batch)
        show_batch(tx, found)
        ledger = batches.chunks(tx, found.id)
    screen.show_table(
        ["块 Chunk", "张数 Cards", "首号 First", "末号 Last"],
        [(one.number, one.size, one.first_card_number, one.last_card_number) for one in ledger],
    )


@app.command()
def approve(batch: BatchArgument, yes: YesOption = False, operator: OperatorOption = None) -> None:
    """复核放行一个批次；不得复核自己导入的批次。
    Approve a batch that somebody else imported.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
            approval = release_approval(tx, found)
            show_batch(tx, found)
        make_sure("确认放行？", "Approve?", yes=yes)
        desk.site.kernel.approve(
            approval.id,
            content_hash=approval.content_hash,
            actor=desk.actor,
            request_id=new_request_id(),
        )
    screen.say("已放行。", "Released.")
    screen.hint(f"sscard batch issue {found.id} --operator …")


@app.command("issue")
def issue_cards(
    batch: BatchArgument, workers: WorkersOption = None, operator: OperatorOption = None
) -> None:
    """为已放行的批次发卡；中断后再次运行即继续。
    Issue the cards; run again to go on.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
            left = sum(not chunk.is_issued for chunk in batches.chunks(tx, found.id))
        count = engine.workers_for(desk.site, left, workers)
        with (
            engine.here(desk.site.kernel)
            if count == 1
            else engine.processes(desk.settings, desk.passphrase, count) as pool,
            screen.progress("发卡", "Issuing") as shown,
        ):
            after = engine.issue(pool, desk.site.store, found.id, actor=desk.actor, progress=shown)
    screen.say(f"已发卡 {after.issued} 张。", f"{after.issued} cards issued.")


def show_batch(tx: Reader, batch: Batch) -> None:
    """What exactly a checker approves."""
    maker = operators.get(tx, batch.maker_id)
    screen.show_facts(
        [
            ("批次 Batch", batch.id),
            ("名称 Name", batch.name),
            ("状态 State", both(batch.state)),
            ("受理 Cards to issue", batch.accepted),
            ("退回 Rows refused", batch.refused),
            ("已发 Issued", batch.issued),
            ("经办 Maker", maker.display_name if maker else None),
            ("内容摘要 Content root (SM3)", batch.content_root.hex()),
            ("名册文件 Roster file (SM3)", batch.file_digest.hex()),
        ]
    )
