"""`sscard roster`: check a bureau's list of applicants, and import it as a batch."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer

from card_core.kernel.acts.imports import OpenImport
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli import screen
from issuance.cli.batch import BatchArgument
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.cli.failures import UNUSABLE_FILE
from issuance.cli.row_findings import COLUMNS, check_report_place, show_rows, which, write_rows
from issuance.errors import IssuanceError
from issuance.importing import REFUSED_AT_IMPORT, Imported, opened_import
from issuance.roster import (
    RosterFileError,
    RosterReport,
    WholeRoster,
    check_roster,
    check_stream,
    open_roster,
)

app = typer.Typer(help="名册：检查、导入。\nRosters: check, import.", no_args_is_help=True)

SHANGHAI = timezone(timedelta(hours=8))

RosterArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", readable=False, help="名册文件 .csv / .xlsx。\n\nThe roster file."
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT.json",
        readable=False,
        help="把逐行结果写入此文件。\n\nWrite every row's result here.",
    ),
]


@app.command()
def check(
    file: RosterArgument,
    report: ReportOption = None,
) -> None:
    """检查名册，不写入数据库。
    Check a roster; nothing goes into the database.

    退出码：0 全部接受，1 有行被退回，2 文件不能用。
    Exit code: 0 all rows accepted, 1 some refused, 2 the file can't be used.
    """
    check_report_place(file, report)
    try:
        with screen.progress("检查名册", "Checking") as shown, open_roster(file) as roster:
            found = check_stream(
                roster, today=today_in_shanghai(), take=lambda _: None, progress=shown
            )
        if report:
            write_report(report, found)
    except (RosterFileError, IssuanceError) as error:
        screen.show_error(error.message_zh, error.message_en)
        raise typer.Exit(UNUSABLE_FILE) from None
    show_findings(found)
    if report:
        screen.say(f"逐行结果已写入 {report}", f"Every row's result is in {report}")
    raise typer.Exit(1 if found.refused else 0)


def read_roster(file: Path) -> WholeRoster:
    """Check `file`, a small one, with a progress bar. Raises RosterFileError."""
    with screen.progress("检查名册", "Checking") as shown:
        return check_roster(
            file,
            today=today_in_shanghai(),
            progress=shown,
        )


def today_in_shanghai() -> date:
    """The day that ages are counted to: dates of law are Asia/Shanghai's."""
    return datetime.now(SHANGHAI).date()


def write_report(path: Path, found: RosterReport) -> None:
    """Write the report whole or not at all. Raises FileRefusedError."""
    write_rows(path, found.parts())


def show_findings(found: RosterReport) -> None:
    """How many rows are good, and a table of what is wrong with the others."""
    show_rows(len(found.accepted), found.refused, found.warnings)


@app.command("import")
def import_(
    file: RosterArgument,
    name: Annotated[
        str | None,
        typer.Option(help="批次名称，默认用文件名。\n\nName of the batch; else the file's."),
    ] = None,
    report: ReportOption = None,
    operator: OperatorOption = None,
) -> None:
    """检查并导入名册，提交复核。
    Check and import a roster, and propose its release.

    有问题的行退回，其余行照常受理。 Bad rows are refused, the others go on.
    """
    check_report_place(file, report)
    with opened_desk(operator) as desk:
        desk.check_may(OpenImport)
        with opened_import(desk.site.kernel, name=name or file.stem, actor=desk.actor) as importing:
            with screen.progress("正在导入", "Importing") as shown:
                found = importing.take_file(file, today=today_in_shanghai(), progress=shown)
            if report:
                write_report(report, found)
            show_findings(found)
            imported = importing.close(found)
    show_imported(imported)
    if imported.batch_id is None:
        raise typer.Exit(1)


@app.command()
def undo(batch: BatchArgument, operator: OperatorOption = None) -> None:
    """撤销尚未放行的导入：批次作废，其中人员可重新申领。
    Undo an import that is not released yet.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            found = find_batch(tx, batch)
            approval = release_approval(tx, found)
        desk.site.kernel.reject(approval.id, actor=desk.actor, request_id=new_request_id())
    screen.say(
        f"已撤销：批次 {found.name} 作废，其中 {found.accepted} 人可重新申领。",
        f"Undone: batch {found.name} is void, and its {found.accepted} people may apply again.",
    )


def show_imported(imported: Imported) -> None:
    """What the holders and cards that there are have refused, and what comes next."""
    if imported.refused:
        rows = imported.refused
        screen.show_table(
            COLUMNS,
            [("-", len(rows[code]), which(rows[code]), "\n".join(REFUSED_AT_IMPORT[code]))
             for code in rows],
            title="对照现有持卡人退回 Refused against existing holders",
        )  # fmt: skip
    if imported.batch_id is None or imported.approval_id is None:
        screen.show_error(
            "没有可以受理的行，未建立批次。", "No row is left to accept; no batch was made."
        )
        return
    screen.say(
        f"已导入 {imported.accepted} 行，批次编号 {imported.batch_id}，待复核。",
        f"{imported.accepted} rows imported as batch {imported.batch_id}; it waits for approval.",
    )
    screen.hint(f"sscard batch approve {imported.batch_id} --operator …")
