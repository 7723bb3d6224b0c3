"""`sscard maker`: who makes cards, and the transport key agreed with them."""

from pathlib import Path
from typing import Annotated

import typer

from card_core.errors import NotFoundError
from card_core.kernel.acts.makers import (
    ChangeMakerKey,
    RegisterMaker,
    ReinstateMaker,
    SuspendMaker,
)
from card_core.store import makers
from crypto import sm3
from crypto.keys import KeyFiles
from issuance.card_files.card_keys import check_value
from issuance.cli import screen
from issuance.cli.desk import OperatorOption, SecondOption, YesOption, opened_desk
from issuance.cli.words import both
from issuance.errors import IssuanceError
from issuance.making.keys import next_transport_number, transport_key_name
from issuance.settings import read_secret

app = typer.Typer(
    help="卡商：登记、公钥、传输密钥。\nCard makers and their keys.", no_args_is_help=True
)

COMPONENT_BYTES = 16
COMPONENTS_MIN = 2

CodeArgument = Annotated[
    str, typer.Argument(metavar="CODE", help="卡商编码。\n\nThe maker's code.")
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--public-key",
        metavar="HEX",
        help="卡商的 SM2 公钥，66 或 130 位。\n\nThe maker's SM2 key, 66 or 130 digits.",
    ),
]


@app.command()
def register(
    code: CodeArgument,
    *,
    name: Annotated[str, typer.Option(help="卡商名称。\n\nIts name.")],
    public_key: KeyOption,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """登记卡商及其公钥（须另一人复核）。
    Register a card maker; another person approves.
    """
    with opened_desk(operator) as desk:
        act = RegisterMaker(code, name, _public_key(public_key))
        if desk.decide(act, second, yes=yes):
            screen.say("已登记。", "Registered.")


@app.command("change-key")
def change_key(
    code: CodeArgument,
    *,
    public_key: KeyOption,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """更换卡商公钥（须另一人复核）。
    Change a maker's public key; another person approves.
    """
    with opened_desk(operator) as desk:
        act = ChangeMakerKey(code, _public_key(public_key))
        if desk.decide(act, second, yes=yes):
            screen.say("已更换。", "Changed.")


@app.command()
def suspend(code: CodeArgument, operator: OperatorOption = None) -> None:
    """停用：不再下制卡单、不再生成文件。
    Suspend: no order, no file for it.
    """
    with opened_desk(operator) as desk:
        desk.perform(SuspendMaker(code))
    screen.say("已停用。", "Suspended.")


@app.command()
def reinstate(
    code: CodeArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """恢复（须另一人复核）。
    Reinstate; another person approves.
    """
    with opened_desk(operator) as desk:
        if desk.decide(ReinstateMaker(code), second, yes=yes):
            screen.say("已恢复。", "Reinstated.")


@app.command("list")
def list_makers(operator: OperatorOption = None) -> None:
    """列出卡商。
    List the card makers.
    """
    with opened_desk(operator) as desk:
        here = desk.site.keys
        with desk.site.store.read() as tx:
            rows = [
                (
                    one.code,
                    one.name,
                    both(one.state),
                    sm3.digest(one.public_key).hex()[:16],
                    "有 yes" if next_transport_number(here, one.code) > 1 else "无 no",
                )
                for one in makers.page(tx)
            ]
    screen.show_table(
        ["编码 Code", "名称 Name", "状态 State", "公钥指纹 Key", "传输密钥 Transport key"], rows
    )


@app.command("transport-key")
def import_transport_key(
    code: CodeArgument,
    component_file: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            readable=False,
            help="分量文件，每人一个，至少两个，各 32 位十六进制。\n\nA component, one a person, "
            "two or more; 32 hexadecimal digits each.",
        ),
    ],
    operator: OperatorOption = None,
) -> None:
    """导入与卡商约定的传输密钥：由几人各持的分量合成。
    Import the transport key, made of what several people hold.
    """
    with opened_desk(operator) as desk:
        desk.check_may(RegisterMaker)
        with desk.site.store.read() as tx:
            if makers.by_code(tx, code) is None:
                raise NotFoundError("maker")
        key = _combined([_component(path) for path in component_file])
        number = next_transport_number(desk.site.keys, code)
        files = KeyFiles.open(desk.settings.home.keys, desk.passphrase)
        files.import_secret(transport_key_name(code, number), key)
    screen.say(
        f"传输密钥 {number} 已导入，校验值 {check_value(key).hex().upper()}。请与卡商核对。",
        f"Transport key {number} is imported; its check value is "
        f"{check_value(key).hex().upper()}. Compare it with the maker.",
    )


def _component(path: Path) -> bytes:
    """Raises IssuanceError, SettingsError."""
    try:
        component = bytes.fromhex(read_secret(path).decode("ascii"))
    except ValueError:
        component = b""
    if len(component) != COMPONENT_BYTES:
        raise IssuanceError(
            "component_bad",
            f"{path} 第一行应为 32 位十六进制的密钥分量。",
            f"The first line of {path} must be a component of 32 hexadecimal digits.",
        )
    return component


def _combined(components: list[bytes]) -> bytes:
    """All of them, one upon the other. Raises IssuanceError where one person could know the key."""
    key = 0
    for component in components:
        key ^= int.from_bytes(component)
    if len(set(components)) < COMPONENTS_MIN or not key:
        raise IssuanceError(
            "components_too_few",
            "传输密钥须由至少两个不同的分量合成，由不同的人保管。",
            "A transport key is made of two different components at least, held by different "
            "people.",
        )
    return key.to_bytes(COMPONENT_BYTES)


def _public_key(text: str) -> bytes:
    """Raises IssuanceError; whether it is a key, the act says."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise IssuanceError(
            "public_key_bad",
            "--public-key 应为 66 或 130 位十六进制的 SM2 公钥。",
            "--public-key must be an SM2 public key of 66 or 130 hexadecimal digits.",
        ) from None
