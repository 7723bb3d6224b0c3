"""`sscard batch`, once its cards have numbers: bank, maker, branches. See docs/making.md.

The commands join those of `issuance.cli.batch` on the same group.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from card_core.kernel.acts.handing_over import DispatchCards, ReworkCards
from card_core.kernel.acts.making import OrderMaking, WithdrawOrder, to_be_ordered
from card_core.states import MakingState, OrderState
from card_core.store import Reader, makers, making_orders, makings
from card_core.store.batches import Batch
from card_core.store.making_orders import Order
from issuance.batches import find_batch
from issuance.card_files import Charset
from issuance.cli import screen
from issuance.cli.batch import BatchArgument, app
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.pools import WorkersOption, opened_pool
from issuance.cli.words import both
from issuance.errors import BatchError
from issuance.installation import utc_now
from issuance.making import bank_files, maker_files, preparing

__all__ = ["app"]

OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="写到此文件。\n\nWrite it here.")
]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", readable=False, help="回盘文件。\n\nThe return file.")
]
OrderOption = Annotated[
    int | None,
    typer.Option(
        "--order",
        metavar="NUMBER",
        min=1,
        help="第几张制卡单，默认最后一张。\n\nWhich order; by default the last.",
    ),
]


@app.command("making")
def show_making(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """查看一个批次的制卡进度和制卡单。
    Show where a batch's cards are, and its making orders.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        found = find_batch(tx, batch)
        counts = makings.counts(tx, found.id)
        orders = [(order, makers.get(tx, order.maker_id)) for order in _orders(tx, found)]
    if found.return_bank is not None:
        _show_bank_return(found.return_bank, counts)
    screen.show_table(
        ["银行 Bank", "代码 Code", "状态 State", "张数 Cards"],
        [
            (bank, state.code, both(state), count)
            for (bank, state), count in sorted(
                counts.items(), key=lambda one: (one[0][0], one[0][1].code)
            )
        ],
    )
    screen.show_table(
        ["制卡单 Order", "编号 Id", "卡商 Maker", "状态 State", "记录 Records", "成功 Made",
         "失败 Failed", "回盘未完 Return open"],
        [
            (one.number, one.id, maker and maker.code, both(one.state), one.records, one.made,
             one.failed, "是 yes" if one.return_digest else "")
            for one, maker in orders
        ],
    )  # fmt: skip


def _show_bank_return(bank: str, counts: Mapping[tuple[str, MakingState], int]) -> None:
    left = counts.get((bank, MakingState.AT_BANK), 0)
    unsent = counts.get((bank, MakingState.AWAITING_BANK), 0)
    sent = sum(count for (one, _), count in counts.items() if one == bank) - unsent
    screen.warn(
        f"银行 {bank} 的回盘尚未读完：已采用 {sent - left} / {sent} 张。请再次运行 sscard batch "
        "bank-return。",
        f"Bank {bank}'s return is not taken to its end: {sent - left} of {sent} cards are answered."
        " Run sscard batch bank-return again.",
    )


@app.command("bank-file")
def write_bank_file(
    batch: BatchArgument,
    bank: Annotated[str, typer.Option(metavar="CODE", help="银行编码。\n\nThe bank's code.")],
    out: OutOption,
    charset: Annotated[
        Charset, typer.Option(help="编码。\n\nGBK where the bank takes no other.")
    ] = Charset.GB18030,
    operator: OperatorOption = None,
) -> None:
    """生成银行预开户文件；未回盘前可重新生成。
    Write a bank's pre-opening file; again, until it answers.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
        with screen.working("生成文件", "Writing the file"):
            count = bank_files.write_file(
                desk.site.kernel,
                found,
                bank,
                out,
                actor=desk.actor,
                made_at=utc_now(),
                charset=charset,
            )
    screen.say(f"已写 {count} 条：{out}", f"{count} records written: {out}")


@app.command("bank-return")
def take_bank_return(file: FileArgument, operator: OperatorOption = None) -> None:
    """读入银行回盘文件；有误则整个不采用。
    Take a bank's return, whole or not at all.
    """
    with opened_desk(operator) as desk, screen.progress("读入", "Reading") as shown:
        taken = bank_files.take_return(desk.site.kernel, file, actor=desk.actor, progress=shown)
    screen.say(
        f"开户成功 {taken['opened']}，失败 {taken['failed']}，先前已采用 {taken['known']}。",
        f"{taken['opened']} accounts opened, {taken['failed']} failed, {taken['known']} known "
        "before.",
    )


@app.command("order")
def order_making(
    batch: BatchArgument,
    *,
    maker: Annotated[str, typer.Option(metavar="CODE", help="卡商。\n\nThe card maker.")],
    without_bank: Annotated[
        bool,
        typer.Option(
            "--without-bank",
            help="未报银行的卡，不加载金融功能。\n\nCards not sent to the bank, without its "
            "function.",
        ),
    ] = False,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """制卡单：把待报卡商的卡交给卡商（须另一人复核）。
    Order cards from a maker; another person approves.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
            wanted = to_be_ordered(skips_bank=without_bank)
            count = len(makings.positions_in(tx, found.id, wanted))
        if not count:
            raise BatchError(
                "nothing_to_make",
                "该批次没有待报卡商的卡。见 sscard batch making。",
                "No card of the batch waits for a maker. See sscard batch making.",
            )
        act = OrderMaking(found.id, maker, count, skips_bank=without_bank)
        if desk.decide(act, second, yes=yes):
            screen.say(f"已下制卡单：{count} 张。", f"Ordered: {count} cards.")
    screen.hint(f"sscard batch maker-file {found.id} --out … --operator …")


@app.command("maker-file")
def write_maker_file(
    batch: BatchArgument,
    out: OutOption,
    order: OrderOption = None,
    workers: WorkersOption = None,
    operator: OperatorOption = None,
) -> None:
    """生成制卡文件：个人化数据、签名、加密；中断后再次运行即继续。
    Write a maker file; run again to go on.
    """
    with opened_desk(operator) as desk:
        site = desk.site
        with site.store.read() as tx:
            found = _find_order(tx, find_batch(tx, batch), order)
            ledger = making_orders.chunks(tx, found.id)
        left = sum(chunk.root is None for chunk in ledger)
        with (
            opened_pool(desk, left, workers) as pool,
            screen.progress("生成个人化数据", "Preparing records") as shown,
        ):
            preparing.prepare(pool, site.kernel, found, actor=desk.actor, progress=shown)
        with screen.progress("写制卡文件", "Writing the maker file") as shown:
            digest = maker_files.write_file(
                site.kernel, found, out, actor=desk.actor, made_at=utc_now(), progress=shown
            )
    screen.say(f"已写 {found.records} 条：{out}", f"{found.records} records written: {out}")
    screen.show_facts([("SM3", digest.hex().upper())])


@app.command("maker-return")
def take_maker_return(file: FileArgument, operator: OperatorOption = None) -> None:
    """读入卡商回盘文件；有误则整个不采用。
    Take a maker's return, whole or not at all.
    """
    with opened_desk(operator) as desk, screen.progress("读入", "Reading") as shown:
        taken = maker_files.take_return(desk.site.kernel, file, actor=desk.actor, progress=shown)
    screen.say(
        f"制卡成功 {taken['made']}，失败 {taken['failed']}，先前已采用 {taken['known']}。",
        f"{taken['made']} cards made, {taken['failed']} failed, {taken['known']} known before.",
    )
    if taken["state"] == OrderState.ANSWERED:
        screen.say(
            "该制卡单已全部回盘，制卡数据已清除。",
            "All of the order is answered; its records are deleted.",
        )


@app.command("withdraw-order")
def withdraw_order(
    batch: BatchArgument, order: OrderOption = None, operator: OperatorOption = None
) -> None:
    """撤回尚未生成文件的制卡单。
    Withdraw an order whose file was not written.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = _find_order(tx, find_batch(tx, batch), order)
        desk.perform(WithdrawOrder(found.id))
    screen.say("已撤回，卡可重新下单。", "Withdrawn; its cards can be ordered again.")


@app.command()
def rework(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """返工：开户或制卡失败的卡重新办理（资料已更正）。
    Let failed cards be made anew, once corrected.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
        done = desk.perform(ReworkCards(found.id))
    screen.say(
        f"重新待报银行 {done['to_bank']} 张，待报卡商 {done['to_maker']} 张。",
        f"{done['to_bank']} cards wait for the bank again, {done['to_maker']} for a maker.",
    )


@app.command()
def dispatch(
    batch: BatchArgument,
    branch: Annotated[
        str, typer.Option(metavar="CODE", help="领卡网点。\n\nThe branch that hands out.")
    ],
    operator: OperatorOption = None,
) -> None:
    """配送：制成的卡发往领卡网点。
    Send cards that are made to their branch.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
        done = desk.perform(DispatchCards(found.id, branch))
    screen.say(
        f"已发往 {branch}：{done['dispatched']} 张。",
        f"{done['dispatched']} cards sent to {branch}.",
    )
    if not done["dispatched"]:
        screen.say(
            f"没有状态为 {both(MakingState.MADE)} 且领卡网点为 {branch} 的卡。",
            f"No card that is {MakingState.MADE.value} is for branch {branch}.",
        )


def _orders(tx: Reader, batch: Batch) -> list[Order]:
    return making_orders.of_batch(tx, batch.id)


def _find_order(tx: Reader, batch: Batch, number: int | None) -> Order:
    """The order with this number, or the last that was not withdrawn. Raises BatchError."""
    orders = [
        one
        for one in _orders(tx, batch)
        if one.number == number or (number is None and one.state is not OrderState.WITHDRAWN)
    ]
    if not orders:
        raise BatchError(
            "order_unknown",
            "该批次没有这张制卡单。请先运行 sscard batch order，并由另一人复核。",
            "The batch has no such order. First run sscard batch order, and have it approved.",
        )
    return orders[-1]
