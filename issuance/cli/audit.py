"""`sscard audit`: prove that the log of all acts is whole."""

import typer

from card_core.errors import TamperedRowError
from card_core.store import audit
from issuance.cli import audit_export, screen
from issuance.cli.desk import opened_site

app = typer.Typer(
    help="审计：校验和导出日志。\nAudit: verify and export the log.", no_args_is_help=True
)


app.command("export")(audit_export.export)


@app.callback()
def group() -> None:
    """审计：校验和导出日志。
    Audit: verify and export the log.
    """


@app.command()
def verify() -> None:
    """逐条校验审计链，并与现有记录比对。
    Verify the chains, and every row against them.
    """
    with opened_site() as site, site.store.read() as tx:
        counts = []
        for chain in audit.CHAINS:
            with screen.working(f"校验审计链 {chain}", f"Verifying chain {chain}"):
                counts.append((chain, audit.verify_chain(tx, chain)))
        with screen.working("比对现有记录", "Comparing the rows"):
            try:
                rows = audit.verify_rows(tx) + audit.verify_scans(tx)
            except TamperedRowError as error:
                screen.warn(
                    f"出错位置：表 {error.table}，记录 {error.row_id or '（缺少记录）'}",
                    f"Found in table {error.table}, row {error.row_id or '(rows are missing)'}",
                )
                raise
    screen.show_table(["审计链 Chain", "条数 Events"], counts)
    screen.say(
        f"审计链完整，{rows} 条记录与日志一致。",
        f"The chains are whole; {rows} rows agree with them.",
        style="green",
    )
