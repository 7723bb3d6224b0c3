"""`sscard offline`: what came of scans that were made with no network."""

from typing import Annotated

import typer

from card_core.store import institutions, offline_scans
from card_core.store.paging import PAGE_SIZE_MAX
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.status_keys import status_keys

app = typer.Typer(
    help="离线核验：重复受理的码、终端信任的状态密钥。\nScans with no network.",
    no_args_is_help=True,
)


@app.command()
def pairs(
    after: Annotated[
        str, typer.Option(metavar="PAIR", help="从此编号之后继续。\n\nGo on behind this one.")
    ] = "",
    operator: OperatorOption = None,
) -> None:
    """列出被受理两次的码：两次核验各自的终端。
    List the codes that were accepted twice, and the terminals of both scans.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = []
        for pair in offline_scans.pairs(tx, after=after, limit=PAGE_SIZE_MAX):
            serials = [
                "" if found is None else found.serial_number.hex()
                for found in (
                    institutions.get_terminal(tx, pair.first_terminal_id),
                    institutions.get_terminal(tx, pair.second_terminal_id),
                )
            ]
            kind = "离线 offline" if pair.first_is_offline else "联网 online"
            rows.append((pair.id, kind, pair.first_id, serials[0], pair.second_id, serials[1]))
    screen.show_table(
        [
            "编号 Pair",
            "先 First",
            "核验 Scan",
            "终端 Terminal",
            "后 Second",
            "终端 Terminal",
        ],
        rows,
    )


@app.command("status-key")
def status_key(operator: OperatorOption = None) -> None:
    """显示状态密钥，供终端 sscard terminal trust 使用。
    Show the status key that terminals are to trust.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        found = status_keys(tx)
    screen.show_table(["状态密钥 Status key"], [(one,) for one in found])
