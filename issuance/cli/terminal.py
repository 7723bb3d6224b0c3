"""`sscard terminal`: at the bureau, enrol and suspend; at the counter, make a key and serve."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import InvalidActError
from card_core.kernel import enrolment_codes
from card_core.kernel.acts.enrolment import (
    PrepareEnrolment,
    RevokeTerminalKeys,
    WithdrawEnrolment,
)
from card_core.kernel.acts.institutions import (
    ReinstateTerminal,
    SuspendTerminal,
    check_serial_number,
)
from card_core.service_channels import ChannelKind
from card_core.store import institutions
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, opened_desk
from issuance.cli.institution import all_institutions
from issuance.cli.words import both
from issuance.installation import random_bytes

app = typer.Typer(
    help="终端：登记码、停用；在窗口：生成、登记密钥，打开扫码页面。\nTerminals, and the counter.",
    no_args_is_help=True,
)

SerialArgument = Annotated[
    str, typer.Argument(metavar="SERIAL", help="终端序列号，16 位十六进制。\n\n16 hex digits.")
]
FolderOption = Annotated[
    Path, typer.Option(envvar="SSCARD_TERMINAL_HOME", help="终端密钥文件夹。\n\nThe key's folder.")
]
PortOption = Annotated[
    int, typer.Option(metavar="PORT", min=0, max=65535, help="本机端口。\n\nPort on this machine.")
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
ServiceOption = Annotated[
    str, typer.Option(metavar="URL", help="核验服务地址。\n\nThe service's address.")
]
DEFAULT_FOLDER = Path("~/.sscard-terminal")
DEFAULT_SERVICE = "http://127.0.0.1:8080"


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
    service: ServiceOption = DEFAULT_SERVICE,
    port: PortOption = 8081,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
    refresh_seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=60,
            help="离线数据更新间隔。\n\nHow often offline data is refreshed.",
        ),
    ] = 30,
) -> None:
    """（在窗口电脑上）打开扫码页面，Ctrl-C 停止。
    At the counter: serve its page.
    """
    from issuance.cli import counter  # noqa: PLC0415 - other commands needn't wait for FastAPI

    counter.serve(service, port, folder, passphrase_file, refresh_seconds)


@app.command()
def trust(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="发卡机构给出的状态密钥 status.1.1:02…\n\nThe bureau's status key.",
        ),
    ],
    folder: FolderOption = DEFAULT_FOLDER,
) -> None:
    """（在窗口电脑上）信任发卡机构的状态密钥，此后可离线核验。
    At the counter: trust the bureau's status key, to work with no network.
    """
    from issuance.cli import counter  # noqa: PLC0415 - see serve

    counter.trust(key, folder)


@app.command()
def enrol(
    code: Annotated[
        str, typer.Option(metavar="CODE", help="发卡机构发出的登记码。\n\nFrom the bureau.")
    ],
    service: ServiceOption = DEFAULT_SERVICE,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """（在窗口电脑上）用登记码登记本终端的密钥。
    At the counter: enrol the key.
    """
    from issuance.cli import counter  # noqa: PLC0415 - see serve

    counter.enrol(service, code, folder, passphrase_file)


@app.command("rotate-key")
def rotate_key(
    service: ServiceOption = DEFAULT_SERVICE,
    folder: FolderOption = DEFAULT_FOLDER,
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """（在窗口电脑上）更换终端密钥，新旧并行 24 小时。
    At the counter: the next key.
    """
    from issuance.cli import counter  # noqa: PLC0415 - see serve

    counter.rotate_key(service, folder, passphrase_file)


@app.command()
def prepare(
    serial: SerialArgument,
    institution: Annotated[
        str, typer.Option(metavar="CODE", help="所属定点机构编码。\n\nIts institution's code.")
    ],
    channel: Annotated[
        ChannelKind | None,
        typer.Option(
            metavar="KIND",
            help="登记为服务渠道：kiosk 自助终端、bank_counter 银行网点柜台、home_visit 上门平板。"
            "\n\nAs a service channel: kiosk, bank_counter or home_visit.",
        ),
    ] = None,
    operator: OperatorOption = None,
) -> None:
    """发出登记码（须另一人复核）；已登记的终端以此更换密钥。
    Let out an enrolment code; another person approves.
    """
    number = to_serial(serial)
    check_serial_number(number)
    code = enrolment_codes.make(random_bytes)
    with opened_desk(operator) as desk:
        digest = code.digest(desk.site.store.cipher, number)
        desk.propose(PrepareEnrolment(number, institution, code.name, digest, channel))
    screen.say(
        f"登记码（只显示这一次）：{code}",
        f"Enrolment code, shown this once: {code}",
    )
    screen.say(
        "复核后 24 小时内有效，用一次即失效。请只交给该终端的人员。",
        "Good for 24 hours from the approval, once. Hand it to the terminal's people alone.",
    )


@app.command()
def withdraw(serial: SerialArgument, operator: OperatorOption = None) -> None:
    """收回尚未使用的登记码，立即生效。
    Withdraw an enrolment code that nobody has used; in effect at once.
    """
    with opened_desk(operator) as desk:
        desk.perform(WithdrawEnrolment(to_serial(serial)))
    screen.say("登记码已收回。", "The enrolment code is withdrawn.")


@app.command("revoke-key")
def revoke_key(serial: SerialArgument, operator: OperatorOption = None) -> None:
    """吊销终端密钥，立即生效；须重新登记才能再用。
    End a terminal's keys at once; it has to be enrolled anew.
    """
    with opened_desk(operator) as desk:
        desk.perform(RevokeTerminalKeys(to_serial(serial)))
    screen.say("密钥已吊销。", "The keys have ended.")


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
            (
                terminal.serial_number.hex(),
                both(terminal.channel) if terminal.channel else "终端 terminal",
                one.code,
                one.name,
                both(terminal.state),
            )
            for one in all_institutions(tx)
            if institution in {"", one.code}
            for terminal in institutions.terminals_of(tx, one.id)
        ]
    screen.show_table(
        ["序列号 Serial", "种类 Kind", "机构 Institution", "名称 Name", "状态 State"],
        rows,
    )


def to_serial(text: str) -> bytes:
    """A serial number from its 16 hex digits; the act checks its size. Raises InvalidActError."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidActError("serial_number", "应为十六进制", "must be hexadecimal") from None
