"""`sscard sandbox`: on an installation founded as a sandbox, what an integrator tests with."""

import json
from typing import Annotated

import typer

from card_core.verdicts import Reason
from issuance.cli import screen
from issuance.cli.desk import opened_site
from issuance.cli.terminal import SerialArgument, to_serial
from issuance.sandbox import (
    Kind,
    Place,
    SandboxCode,
    let_out_enrolment_code,
    make_codes,
    open_sandbox,
)

app = typer.Typer(
    help="沙箱：供接入方联调的测试码和登记码。\nA sandbox: codes to test terminal software with.",
    no_args_is_help=True,
)


@app.command()
def codes(
    kinds: Annotated[
        list[Kind] | None,
        typer.Argument(metavar="[KIND]...", help="哪几种；默认全部。\n\nWhich; all by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。\n\nPrint JSON.")] = False,
) -> None:
    """按需生成各种状态的动态码，一分钟内有效。
    Make codes in each condition; they live a minute.

    \b
    good 可用          used 已使用          expired 已过期       lost 卡已挂失
    wrong_purpose 用途不符   other_issuer 其他发卡机构   malformed 残缺   forged 伪造
    short 短码         identify_only 仅供识别      offline 离线码
    """
    with opened_site() as site:
        made = make_codes(open_sandbox(site), kinds or Kind)
    if as_json:
        screen.out.print(json.dumps([_plain(one) for one in made]), soft_wrap=True)
        return
    for one in made:
        screen.show_facts(
            [
                ("种类 Kind", one.kind.value),
                ("识别类业务 Where nothing moves", _words(one.identifying)),
                ("收费发药 Where money or goods move", _words(one.consuming)),
                ("码 Code", one.text),
            ]
        )
        screen.out.print()


@app.command()
def terminal(
    serial: SerialArgument,
    at: Annotated[
        Place, typer.Option(help="放在哪家沙箱机构。\n\nAt which place of the sandbox.")
    ] = Place.PHARMACY,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。\n\nPrint JSON.")] = False,
) -> None:
    """为你的终端发出登记码，24 小时内有效，用一次。
    Let out an enrolment code for your terminal.
    """
    number = to_serial(serial)
    with opened_site() as site:
        code = let_out_enrolment_code(open_sandbox(site), number, at)
    if as_json:
        screen.out.print(json.dumps({"serial_number": serial, "enrolment_code": code.text}))
        return
    screen.say(f"登记码（只显示这一次）：{code}", f"Enrolment code, shown this once: {code}")


def say_sandbox() -> None:
    """So that nobody takes it for the real one."""
    screen.warn(
        "这是沙箱：持卡人都是虚构的，仅供联调。",
        "This is a sandbox: its holders are made up, for tests alone.",
    )


def _words(reason: Reason) -> str:
    return f"{reason.value} {reason.text_zh}"


def _plain(one: SandboxCode) -> dict[str, str | None]:
    until = one.holds_until
    return {
        "kind": one.kind.value,
        "code": one.text,
        "identifying": one.identifying.value,
        "consuming": one.consuming.value,
        "holds_until": None if until is None else until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
