"""`sscard audit export`: the log as a file, for the audit administrator alone."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.kernel.acts.audit_exports import ExportAuditLog
from issuance.audit_export import export_log
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk


def export(
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help="写入的文件。\n\nThe file to be written.")
    ],
    operator: OperatorOption = None,
) -> None:
    """导出全部审计日志（无个人信息），导出本身也记入日志。
    Export the log; the export is logged, too.
    """
    with opened_desk(operator) as desk:
        desk.check_may(ExportAuditLog)
        with screen.working("导出审计日志", "Exporting the log"):
            events, digest = export_log(desk.site.store, output)
        desk.perform(ExportAuditLog(events, digest))
    screen.say(f"已导出 {events} 条，SM3 {digest.hex()}", f"{events} events exported")
