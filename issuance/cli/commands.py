"""All commands of `sscard`, one module a noun, put together."""

from importlib.metadata import version
from typing import Annotated

import typer

from issuance.cli import (
    approval,
    audit,
    batch,
    card,
    demo,
    doctor,
    init,
    institution,
    issuer,
    keys,
    offline,
    operator,
    receipt,
    roster,
    sandbox,
    serve,
    terminal,
)
from issuance.cli.failures import Commands

app = typer.Typer(
    name="sscard",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(init.init)
app.command()(init.upgrade)
app.add_typer(operator.app, name="operator")
app.add_typer(roster.app, name="roster")
app.add_typer(batch.app, name="batch")
app.add_typer(card.app, name="card")
app.add_typer(institution.app, name="institution")
app.add_typer(terminal.app, name="terminal")
app.add_typer(offline.app, name="offline")
app.add_typer(approval.app, name="approval")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(issuer.app, name="issuer")
app.add_typer(receipt.app, name="receipt")
app.add_typer(sandbox.app, name="sandbox")
app.command()(serve.serve)
app.command()(doctor.doctor)
app.command()(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sscard {version('sscard')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="显示版本。\n\nShow the version.",
        ),
    ] = False,
) -> None:
    """社会保障卡与电子社保卡：签发与扫码核验。
    Issue social security cards, verify their codes.

    \b
    SSCARD_HOME                  工作目录，默认 ~/.sscard。 The home.
    SSCARD_DATABASE_URL          数据库，默认为工作目录中的 SQLite。 The database.
    SSCARD_KEY_PASSPHRASE_FILE   密钥口令文件。 Holds the key passphrase.
    SSCARD_OPERATOR              谁在操作。 Who acts.
    """
