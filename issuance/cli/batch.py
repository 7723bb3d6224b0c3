"""`sscard batch`: see batches, approve their release, issue their cards, hold that up or end it."""

from datetime import timedelta
from typing import Annotated

import typer

from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import serials_of
from card_core.states import BatchState
from card_core.store import Reader, batches, issuers, operators
from card_core.store.batches import Batch, Chunk
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli import screen
from issuance.cli.desk import (
    Desk,
    OperatorOption,
    SecondOption,
    YesOption,
    make_sure,
    opened_desk,
)
from issuance.cli.pools import SchedulerOption, WorkersOption, opened_pool
from issuance.cli.words import both
from issuance.installation import utc_now
from issuance.progress import progress_of

app = typer.Typer(
    help="批次：查看、复核放行、发卡。\nBatches: see, approve, issue.", no_args_is_help=True
)

# Of a batch's id; time and more, so enough to tell it from the others.
SHORT_ID = 18

BatchArgument = Annotated[
    str,
    typer.Argument(metavar="BATCH", help="批次编号、其开头或名称。\n\nId, its beginning, or name."),
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
        unused = _unused(tx, found, ledger) if found.state is BatchState.CANCELLED else {}
    show_pace(found, ledger, "正在发卡", "Being issued")
    screen.show_table(
        ["块 Chunk", "张数 Cards", "首号 First", "末号 Last", "备注 Remark"],
        [
            (
                one.number,
                one.size,
                *unused.get(one.number, (one.first_card_number, one.last_card_number)),
                "已取消，卡号不用 Cancelled, never used" if one.number in unused else None,
            )
            for one in ledger
        ],
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
    batch: BatchArgument,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    operator: OperatorOption = None,
) -> None:
    """为已放行的批次发卡；中断后再次运行即继续。
    Issue the cards; run again to go on.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
            left = sum(not chunk.is_issued for chunk in batches.chunks(tx, found.id))
        with (
            opened_pool(desk, left, workers, scheduler) as pool,
            screen.progress("发卡", "Issuing") as shown,
        ):
            after = engine.issue(pool, desk.site.store, found.id, actor=desk.actor, progress=shown)
    screen.say(f"已发卡 {after.issued} 张。", f"{after.issued} cards issued.")
    if after.state is not BatchState.ISSUED:
        screen.warn(f"批次{both(after.state)}，未发完。", f"The batch is {after.state.value}.")
        raise typer.Exit(1)


@app.command()
def pause(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """暂停发卡，无论在哪台机器进行；进行中的块会发完。
    Pause issuing, on whatever machine it runs.
    """
    with opened_desk(operator) as desk:
        done = desk.perform(PauseBatch(_id_of(desk, batch)))
    screen.say(
        f"已暂停：已发 {done['issued']} / {done['accepted']} 张。",
        f"Paused: {done['issued']} of {done['accepted']} cards are issued.",
    )


@app.command()
def resume(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """解除暂停；随后再运行 batch issue。
    End a pause; then run batch issue again.
    """
    with opened_desk(operator) as desk:
        batch_id = _id_of(desk, batch)
        desk.perform(ResumeBatch(batch_id))
    screen.say("已解除暂停。", "No longer paused.")
    screen.hint(f"sscard batch issue {batch_id} --operator …")


@app.command()
def cancel(
    batch: BatchArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """取消尚未发出的卡（须另一人复核）；已发的卡有效。
    Make no more cards of it; another approves.
    """
    with opened_desk(operator) as desk:
        if desk.decide(CancelBatch(_id_of(desk, batch)), second, yes=yes):
            screen.say("已取消。", "Cancelled.")


def _id_of(desk: Desk, batch: str) -> str:
    with desk.site.store.read() as tx:
        return find_batch(tx, batch).id


def _unused(tx: Reader, batch: Batch, ledger: list[Chunk]) -> dict[int, tuple[str, str]]:
    """By chunk, the first and last card number that a cancelled batch's release took in vain."""
    issuer = issuers.required(tx)
    serials = {one.number: serials_of(batch, one) for one in ledger if not one.is_issued}
    return {
        number: (issuer.card_number(taken[0]), issuer.card_number(taken[1]))
        for number, taken in serials.items()
        if taken is not None
    }


def show_pace(batch: Batch, ledger: list[Chunk], zh: str, en: str) -> None:
    """How fast it goes on and how long it takes yet, where somebody is at it."""
    found = progress_of(batch, ledger, utc_now())
    if found.rate is not None:
        screen.say(
            f"{zh}：{found.rate:.0f} 张/秒，约剩 {_duration(found.seconds_left)}。",
            f"{en}: {found.rate:.0f} cards/s, about {_duration(found.seconds_left)} left.",
        )


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


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
