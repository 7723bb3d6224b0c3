"""`sscard terminal`: at the bureau, enrol and suspend; at the counter, make a key and serve."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import InvalidActError
from card_core.kernel.acts.institutions import EnrolTerminal, ReinstateTerminal, SuspendTerminal
from card_core.store import institutions
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.cli.institution import all_institutions
from issuance.cli.words import both

app = typer.Typer(
    help="终端：登记、停用；在窗口：生成密钥、打开扫码页面。\nTerminals, and the counter.",
    no_args_is_help=True,
)

SerialArgument = Annotated[
    str, typer.Argument(metavar="SERIAL", help="终端序列号，16 位十六进制。\n\n16 hex digits.")
]
FolderOption = Annotated[
    Path, typer.Option(envvar="SSCARD_TERMINAL_HOME", help="终端密钥文件夹。\n\nThe key's folder.")
]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        envvar="SSCARD_TERMINAL_PASSPHRASE_FILE",
        metavar="FILE",
        readable=False,
        help="终端口令取自文件第一行。\n\nPassphrase from this file's first line.",
    ),
]
DEFAULT_FOLDER = Path("~/.sscard-terminal")


@app.command()
def init(
    folder: FolderOption = DEFAULT_FOLDER,
    serial: Annotated[
        str, typer.Option(metavar="SERIAL", help="序列号，默认随机。\n\nSerial; random by default.")
    ] = "",
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """（在窗口电脑上）生成终端密钥。
    At the counter's computer: make the terminal's key.
    """
    from issuance.cli import counter  # noqa: PLC0415 - see serve

    counter.make_key(folder, to_serial(serial) if serial else None, passphrase_file)


@app.command()
def serve(
    service: Annotated[
        str, typer.Option(metavar="URL", help="核验服务地址。\n\nThe service's address.")
    ] = "http://127.0.0.1:8080",
    port: Annotated[
        int,
        typer.Option(metavar="PORT", min=0, max=65535, help="本机端口。\n\nPort on this machine."),
    ] = 8081,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """（在窗口电脑上）打开扫码页面，Ctrl-C 停止。
    At the counter: serve its page.
    """
    from issuance.cli import counter  # noqa: PLC0415 - other commands needn't wait for FastAPI

    counter.serve(service, port, folder, passphrase_file)


@app.command()
def enrol(
    serial: SerialArgument,
    institution: Annotated[
        str, typer.Option(metavar="CODE", help="所属定点机构编码。\n\nIts institution's code.")
    ],
    public_key: Annotated[
        str, typer.Option(metavar="HEX", help="终端公钥，66 位十六进制。\n\n66 hex digits.")
    ],
    operator: OperatorOption = None,
) -> None:
    """登记终端（须另一人复核）。
    Enrol a terminal; another person approves.
    """
    act = EnrolTerminal(to_serial(serial), institution, _hex("public_key", public_key))
    with opened_desk(operator) as desk:
        desk.propose(act)


@app.command()
def suspend(serial: SerialArgument, operator: OperatorOption = None) -> None:
    """停用终端，立即生效。
    Suspend a terminal; in effect at once.
    """
    with opened_desk(operator) as desk:
        desk.perform(SuspendTerminal(to_serial(serial)))
    screen.say("已停用。", "Suspended.")


@app.command()
def reinstate(serial: SerialArgument, operator: OperatorOption = None) -> None:
    """恢复终端（须另一人复核）。
    Reinstate a terminal; another person approves.
    """
    with opened_desk(operator) as desk:
        desk.propose(ReinstateTerminal(to_serial(serial)))


@app.command("list")
def list_terminals(
    institution: Annotated[
        str, typer.Option(metavar="CODE", help="只看这家机构。\n\nOnly of this institution.")
    ] = "",
    operator: OperatorOption = None,
) -> None:
    """列出已登记终端。
    List the enrolled terminals.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        rows = [
            (terminal.serial_number.hex(), one.code, one.name, both(terminal.state))
            for one in all_institutions(tx)
            if institution in {"", one.code}
            for terminal in institutions.terminals_of(tx, one.id)
        ]
    screen.show_table(
        ["序列号 Serial", "机构 Institution", "名称 Name", "状态 State"],
        rows,
    )


def to_serial(text: str) -> bytes:
    """A serial number from its 16 hex digits; the act checks its size. Raises InvalidActError."""
    return _hex("serial_number", text)


def _hex(field: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidActError(field, "应为十六进制", "must be hexadecimal") from None
