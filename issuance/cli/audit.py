"""`sscard audit`: prove that the log of all acts is whole."""

import itertools
from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import TamperedRowError
from card_core.store import Reader, audit
from issuance import audit_evidence
from issuance.cli import audit_export, screen
from issuance.cli.desk import opened_site
from issuance.installation import Installation

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
def verify(
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="另存他处的检查点文件、离线数据包或凭据，可多次给出。\n\n"
            "A file of checkpoints, a bundle or a receipt kept elsewhere; may be repeated.",
        ),
    ] = None,
) -> None:
    """逐条校验审计链，并与现有记录、检查点比对。
    Verify the chains; compare every row and checkpoint with them.
    """
    with opened_site() as site:
        # Before the log is looked at: the service adds to both.
        signed, claims = _signed(site, against or [])
        with site.store.read() as tx:
            counts = []
            for chain in audit.CHAINS:
                with screen.working(f"校验审计链 {chain}", f"Verifying chain {chain}"):
                    counts.append((chain, audit.verify_chain(tx, chain, signed.get(chain))))
            with screen.working("比对现有记录", "Comparing the rows"):
                rows = _compare_rows(tx)
    screen.show_table(["审计链 Chain", "条数 Events"], counts)
    screen.say(
        f"审计链完整，{rows} 条记录与日志一致，{claims} 处签名的链位相符。",
        f"The chains are whole; {rows} rows agree with them, and {claims} signed heads do.",
        style="green",
    )


def _compare_rows(tx: Reader) -> int:
    """How many there are. Raises TamperedRowError, after naming the row."""
    try:
        return audit.verify_rows(tx) + audit.verify_scans(tx)
    except TamperedRowError as error:
        screen.warn(
            f"出错位置：表 {error.table}，记录 {error.row_id or '（缺少记录）'}",
            f"Found in table {error.table}, row {error.row_id or '(rows are missing)'}",
        )
        raise


def _signed(site: Installation, files: list[Path]) -> tuple[dict[str, dict[int, set[bytes]]], int]:
    """By chain and number the links that were signed, and how many claims there are."""
    signed: dict[str, dict[int, set[bytes]]] = {}
    own = [site.checkpoint_file] if site.checkpoint_file.exists() else []
    if not own:
        screen.warn(
            f"没有检查点文件 {site.checkpoint_file}：服务尚未运行过，或文件已被移走。",
            f"There is no file of checkpoints {site.checkpoint_file}: the service has not run yet, "
            "or somebody took it away.",
        )
    count = 0
    with (
        screen.working("读取检查点", "Reading the checkpoints"),
        site.store.read() as tx,
    ):
        keys = audit_evidence.evidence_keys(tx, site.keys, site.facts.issuer)
        places = [audit_evidence.of_database(tx, keys)]
        places += [audit_evidence.of_file(path, keys) for path in (*own, *files)]
        for claim in itertools.chain.from_iterable(places):
            count += 1
            if claim.head.seq:
                links = signed.setdefault(claim.chain, {}).setdefault(claim.head.seq, set())
                links.add(claim.head.link)
    return signed, count
