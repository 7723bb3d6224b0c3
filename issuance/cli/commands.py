"""All commands of `sscard`, one module a noun; a module is imported when its command is asked for.

Together they bring spreadsheets, pictures and the service, which no single command needs all of.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer

from issuance.cli.failures import Commands

# In the order in which the help lists them: the module of issuance.cli, and what it calls it.
_PLACES: Mapping[str, tuple[str, str]] = {
    "init": ("init", "init"),
    "upgrade": ("init", "upgrade"),
    "operator": ("operator", "app"),
    "roster": ("roster", "app"),
    "application": ("application", "app"),
    "batch": ("batch_making", "app"),  # with the commands of `batch`
    **{
        noun: (noun, "app")
        for noun in (
            "maker",
            "blank",
            "holder",
            "family",
            "stock",
            "card",
            "life",
            "institution",
            "terminal",
            "offline",
            "approval",
            "audit",
            "outbox",
            "keys",
            "issuer",
            "receipt",
            "file",
            "sandbox",
        )
    },
    "channel": ("service_channel", "app"),
    "figures": ("figures", "figures"),
    "retention": ("retention", "app"),
    "engine-scheduler": ("engine", "scheduler"),
    "engine-worker": ("engine", "worker"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
    "resume-from-backup": ("backup", "resume"),
    "serve": ("serve", "serve"),
    "console": ("console", "console"),
    "doctor": ("doctor", "doctor"),
    "demo": ("demo", "demo"),
}


class _Nouns(Commands):
    """The root group, which looks its commands up in _PLACES."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(_PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _PLACES:
            # Names that are near are suggested from among those that are loaded.
            self.commands.update((name, _load(name)) for name in _PLACES)
        elif cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name)
        return super().get_command(ctx, cmd_name)


def _load(name: str) -> Any:
    """The command as Typer makes it within a group."""
    module, attribute = _PLACES[name]
    found: typer.Typer | Callable[..., None] = getattr(
        import_module(f"issuance.cli.{module}"), attribute
    )
    group = typer.Typer(callback=lambda: None, add_completion=False, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=name)
    else:
        group.command(name)(found)
    made: Any = typer.main.get_command(group)
    return made.commands[name]


app = typer.Typer(
    name="sscard",
    cls=_Nouns,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


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
