"""`sscard stock`: check a bureau's card stock, import it, release it, take it over."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.stock import ImportStock
from card_core.kernel.permissions import Reading
from card_core.states import BatchKind, BatchState
from card_core.store import batches, stock_cards
from issuance import engine
from issuance.batches import new_request_id
from issuance.cli import roster, screen
from issuance.cli.batch import SHORT_ID, show_batch, show_pace
from issuance.cli.desk import (
    Desk,
    OperatorOption,
    SecondOption,
    YesOption,
    make_sure,
    opened_desk,
)
from issuance.cli.failures import UNUSABLE_FILE
from issuance.cli.pools import SchedulerOption, WorkersOption, opened_pool
from issuance.cli.roster import ReportOption
from issuance.cli.row_findings import COLUMNS, check_report_place, show_rows, which, write_rows
from issuance.cli.words import both
from issuance.roster import RosterFileError
from issuance.stock import (
    StockReport,
    check_stock,
    compare_stock,
    find_stock,
    import_stock,
    release_approval,
)
from issuance.stock.problem import REFUSED

app = typer.Typer(
    help="存量卡：检查、导入、复核、接管。\nCard stocks: check, import, approve, take over.",
    no_args_is_help=True,
)

REFUSALS_SHOWN = 1000

StockFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", readable=False, help="存量卡文件 .csv / .xlsx。\n\nThe stock's file."
    ),
]
StockArgument = Annotated[
    str,
    typer.Argument(metavar="STOCK", help="批次编号、其开头或名称。\n\nId, its beginning, or name."),
]


@app.command()
def check(
    file: StockFileArgument, report: ReportOption = None, operator: OperatorOption = None
) -> None:
    """检查存量卡文件并与持卡人员基础库对账，不作更改。
    Check a card stock against the holder base.

    退出码：0 全部可接管，1 有行被退回，2 文件不能用。
    Exit code: 0 all can be taken over, 1 some refused, 2 the file can't be used.
    """
    check_report_place(file, report)
    with opened_desk(operator, Reading.HOLDERS) as desk:
        found = _read(file)
        with screen.working("正在对账", "Comparing with the holder base"):
            found = compare_stock(desk.site.store, found)
    _show(found, report)
    raise typer.Exit(1 if found.refused else 0)


@app.command("import")
def import_(
    file: StockFileArgument,
    name: Annotated[
        str | None,
        typer.Option(help="批次名称，默认用文件名。\n\nName of the stock; else the file's."),
    ] = None,
    report: ReportOption = None,
    operator: OperatorOption = None,
) -> None:
    """检查、对账并导入存量卡，提交复核。
    Check and import a stock, and propose its take-over.

    有问题的行退回，其余行照常受理。 Bad rows are refused, the others go on.
    """
    check_report_place(file, report)
    with opened_desk(operator, Reading.HOLDERS) as desk:
        desk.check_may(ImportStock)
        found = _read(file)
        with screen.working("正在导入", "Importing"):
            imported = import_stock(
                desk.site.kernel, found, name=name or file.stem, actor=desk.actor
            )
    _show(imported.report, report)
    if imported.stock_id is None:
        screen.show_error("没有可以接管的行，未建立批次。", "No row is left; no stock was made.")
        raise typer.Exit(1)
    accepted = len(imported.report.cards)
    screen.say(
        f"已导入 {accepted} 张卡，批次编号 {imported.stock_id}，待复核。",
        f"{accepted} cards imported as stock {imported.stock_id}; it waits for approval.",
    )
    screen.hint(f"sscard stock approve {imported.stock_id} --operator …")


@app.command("list")
def list_stocks(operator: OperatorOption = None) -> None:
    """列出存量卡批次，新的在前。
    List card stocks, the newest first.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        rows = [
            (one.id[:SHORT_ID], one.name, both(one.state), one.accepted, one.issued, one.refused,
             f"{one.created_at.astimezone():%Y-%m-%d %H:%M}")
            for one in batches.page(tx, kind=BatchKind.STOCK)
        ]  # fmt: skip
    screen.show_table(
        [
            "编号 Id",
            "名称 Name",
            "状态 State",
            "受理 Cards",
            "已接管 Taken",
            "退回 Refused",
            "时间 Time",
        ],
        rows,
    )


@app.command()
def show(stock: StockArgument, operator: OperatorOption = None) -> None:
    """查看一个存量卡批次，及接管时退回的行。
    Show a stock, and what was refused at the end.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk, desk.site.store.read() as tx:
        found = find_stock(tx, stock)
        show_batch(tx, found)
        ledger = batches.chunks(tx, found.id)
        refusals = stock_cards.refusals(tx, found.id, REFUSALS_SHOWN)
    show_pace(found, ledger, "正在接管", "Being taken over")
    by_code: dict[str, list[int]] = {}
    for row, code in refusals:
        by_code.setdefault(code, []).append(row)
    screen.show_table(
        COLUMNS,
        [
            (
                REFUSED[code][0],
                len(rows),
                which(rows),
                f"{REFUSED[code][1].message_zh}\n{REFUSED[code][1].message_en}",
            )
            for code, rows in by_code.items()
        ],
        title="接管时退回 Refused when taken over",
    )


@app.command()
def approve(stock: StockArgument, yes: YesOption = False, operator: OperatorOption = None) -> None:
    """复核放行存量卡接管；不得复核自己导入的批次。
    Approve a stock that somebody else imported.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            found = find_stock(tx, stock)
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
    screen.hint(f"sscard stock take-over {found.id} --operator …")


@app.command("take-over")
def take_over_cards(
    stock: StockArgument,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    operator: OperatorOption = None,
) -> None:
    """接管已放行的存量卡；中断后再次运行即继续。
    Take the cards over; run again to go on.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        with desk.site.store.read() as tx:
            found = find_stock(tx, stock)
            left = sum(not chunk.is_issued for chunk in batches.chunks(tx, found.id))
        with (
            opened_pool(desk, left, workers, scheduler) as pool,
            screen.progress("接管", "Taking over") as shown,
        ):
            after = engine.issue(pool, desk.site.store, found.id, actor=desk.actor, progress=shown)
    screen.say(
        f"已接管 {after.issued} 张卡；接管时退回 {found.accepted - after.accepted} 张。",
        f"{after.issued} cards taken over; {found.accepted - after.accepted} refused meanwhile.",
    )
    if after.state is not BatchState.ISSUED:
        screen.warn(f"批次{both(after.state)}，未接管完。", f"The stock is {after.state.value}.")
        raise typer.Exit(1)
    screen.hint("sscard card activate CARD --e-card --operator …")


@app.command()
def pause(stock: StockArgument, operator: OperatorOption = None) -> None:
    """暂停接管，无论在哪台机器进行；进行中的块会完成。
    Pause the take-over, on whatever machine it runs.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        done = desk.perform(PauseBatch(_id_of(desk, stock)))
    screen.say(
        f"已暂停：已接管 {done['issued']} / {done['accepted']} 张。",
        f"Paused: {done['issued']} of {done['accepted']} cards are taken over.",
    )


@app.command()
def resume(stock: StockArgument, operator: OperatorOption = None) -> None:
    """解除暂停；随后再运行 stock take-over。
    End a pause; then run stock take-over again.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        stock_id = _id_of(desk, stock)
        desk.perform(ResumeBatch(stock_id))
    screen.say("已解除暂停。", "No longer paused.")
    screen.hint(f"sscard stock take-over {stock_id} --operator …")


@app.command()
def cancel(
    stock: StockArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """取消尚未接管的卡（须另一人复核）；已接管的卡有效。
    Take no more cards of it over; another approves.
    """
    with opened_desk(operator, Reading.HOLDERS) as desk:
        if desk.decide(CancelBatch(_id_of(desk, stock)), second, yes=yes):
            screen.say("已取消。", "Cancelled.")


def _id_of(desk: Desk, stock: str) -> str:
    with desk.site.store.read() as tx:
        return find_stock(tx, stock).id


def today() -> date:
    return roster.today_in_shanghai()


def _read(file: Path) -> StockReport:
    """Check `file` with a progress bar. Raises typer.Exit where it can't be used."""
    try:
        with screen.progress("检查存量卡", "Checking") as shown:
            return check_stock(file, today=today(), progress=shown)
    except RosterFileError as error:
        screen.show_error(error.message_zh, error.message_en)
        raise typer.Exit(UNUSABLE_FILE) from None


def _show(found: StockReport, report: Path | None) -> None:
    if report:
        write_rows(report, found.to_json())
    show_rows(len(found.cards), found.refused, found.warnings)
    if found.known_people is not None:
        new = len(found.cards) - found.known_people
        screen.say(
            f"可接管的卡中，{found.known_people} 张的持卡人已在基础库，{new} 张的不在。",
            f"Of the cards to take over, {found.known_people} belong to people whom the holder "
            f"base has, {new} do not.",
        )
    if report:
        screen.say(f"逐行结果已写入 {report}", f"Every row's result is in {report}")
