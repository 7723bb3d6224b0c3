"""`sscard holder export`: all that is kept of a person, for that person."""

import json
from pathlib import Path
from typing import Annotated

import typer

from card_core.kernel.acts.holder_exports import ExportHolder
from card_core.store import holder_changes
from card_core.store.holder_export import export as export_of
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.cli.personal import HolderArgument, find_record
from issuance.files import PRIVATE, write_whole


def export(
    holder: HolderArgument,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE.json", help="写入此文件，仅本人可读。\n\nWrite to this private file."
        ),
    ],
    operator: OperatorOption = None,
) -> None:
    """导出某人的全部个人信息，交付本人（个保法第 45 条）。
    Write all that is kept of a person, for them.

    每次导出均记入审计日志；文件含明文，交付后请删除。 Each is in the audit log; the file is in
    clear, so delete it once it is handed over.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            record_id = holder_changes.record_that_stays(tx, find_record(tx, holder))
        desk.perform(ExportHolder(record_id))
        with desk.site.store.read() as tx:
            content = json.dumps(export_of(tx, record_id), ensure_ascii=False, indent=1)
        write_whole(out, content.encode() + b"\n", mode=PRIVATE)
    screen.say(f"已写入 {out}，仅供交付本人。", f"Written to {out}, for that person alone.")
