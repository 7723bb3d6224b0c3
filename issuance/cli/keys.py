"""`sscard keys`: the issuer's keys, from one that waits to one that is revoked; the passphrase."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from card_core.codes import CodeKey, KeyPurpose, key_life, key_name
from card_core.codes.key_life import ACTIVATION_LEAD
from card_core.kernel.acts.issuer_keys import (
    KEY_NUMBER_MAX,
    ActivateIssuerKey,
    EndIssuerKey,
    RegisterIssuerKey,
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.store import issuers
from crypto import sm3
from crypto.keys import KeyFiles
from issuance.cli import field_key, screen
from issuance.cli.desk import (
    Desk,
    OperatorOption,
    SecondOption,
    YesOption,
    opened_desk,
    passphrase,
    settings,
)
from issuance.cli.words import both
from issuance.errors import IssuanceError
from issuance.installation import utc_now
from issuance.settings import read_secret

FINGERPRINT_DIGITS = 16

app = typer.Typer(
    help="发卡机构密钥：准备、启用、吊销；密钥口令。\nIssuer keys, and their passphrase.",
    no_args_is_help=True,
)

app.add_typer(field_key.app, name="field")

PurposeOption = Annotated[
    KeyPurpose,
    typer.Option(metavar="PURPOSE", help=f"用途。\n\nOne of {', '.join(KeyPurpose)}."),
]
NumberArgument = Annotated[
    int, typer.Argument(metavar="NUMBER", min=0, max=KEY_NUMBER_MAX, help="密钥号。\n\nIts number.")
]


@app.command("list")
def list_keys(operator: OperatorOption = None) -> None:
    """列出本机构密钥及其状态。
    List this issuer's keys.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            stored = issuers.sound_keys(tx, issuer=desk.site.facts.issuer)
        now, here = utc_now(), set(desk.site.keys.names())
        rows = [
            (
                key.purpose.value,
                key.number,
                both(key_life.at(key, now).state),
                "签名 signs" if key_life.signs_at(key, now) else None,
                _local(key.signs_from),
                _local(key_life.ends_at(key)),
                "有 yes" if key.name in here else "无 no",
                sm3.digest(key.public_key.to_bytes(compressed=True)).hex()[:FINGERPRINT_DIGITS],
            )
            for key in stored.keys
        ]
    screen.show_table(
        [
            "用途 Purpose",
            "号 Number",
            "状态 State",
            "现在 Now",
            "起用 Signs from",
            "验签至 Verifies until",
            "私钥在本机 Private half here",
            "指纹 Fingerprint (SM3)",
        ],
        rows,
    )
    for name in stored.tampered:
        screen.warn(
            f"密钥 {name} 的记录完整性校验失败，已停止使用，请立即调查。",
            f"The row of key {name} fails its integrity check and is not used; look into it now.",
        )


@app.command()
def rotate(
    purpose: PurposeOption = KeyPurpose.CODE_SIGNING,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """准备下一把密钥（待用，须另一人复核）。
    Make the next key, pending; another person approves.
    """
    with opened_desk(operator) as desk:
        desk.check_may(RegisterIssuerKey)
        number = _next_number(desk, purpose)
        name = key_name(purpose, desk.site.facts.issuer, number)
        if name not in desk.site.keys.names():
            desk.site.keys.create_signer(name)
        point = desk.site.keys.signer(name).public_key.to_bytes(compressed=True)
        act = RegisterIssuerKey(desk.site.facts.issuer, number, point, purpose)
        if desk.decide(act, second, yes=yes):
            screen.say(f"密钥 {name} 已登记，待用。", f"Key {name} is registered and pending.")
    screen.say(
        "复核后：先把新密钥文件送到各台签名的机器并备份，再启用。",
        "Once approved: copy the new key file to every machine that signs, back it up, then "
        "activate it.",
    )
    screen.hint(f"sscard keys activate {number} --purpose {purpose.value} --operator …")


@app.command()
def activate(
    number: NumberArgument,
    *,
    purpose: PurposeOption = KeyPurpose.CODE_SIGNING,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="起用时间（本地时间），默认尽快。\n\nSigns from, local time; else soon.",
        ),
    ] = None,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """启用待用密钥，原密钥转为仅验签（须另一人复核）。
    Let a pending key sign; another person approves.
    """
    with opened_desk(operator) as desk:
        _check_private_half(desk, purpose, number)
        signs_from = None if since is None else since.astimezone(UTC)
        if desk.decide(ActivateIssuerKey(purpose, number, signs_from), second, yes=yes):
            lead = int(ACTIVATION_LEAD.total_seconds())
            screen.say(
                f"已启用；最早 {lead} 秒后开始签名，届时所有进程都已知道它。",
                f"Activated; it signs {lead} s from now at the earliest, when every process knows.",
            )


@app.command()
def end(
    number: NumberArgument,
    *,
    purpose: PurposeOption = KeyPurpose.CODE_SIGNING,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """重叠期满后停用旧密钥（须另一人复核）。
    Close a key whose overlap is over; another person approves.
    """
    with opened_desk(operator) as desk:
        if desk.decide(EndIssuerKey(purpose, number), second, yes=yes):
            screen.say("已停用。", "Ended.")


@app.command()
def revoke(
    number: NumberArgument,
    *,
    cause: Annotated[
        RevocationCause,
        typer.Option(metavar="CAUSE", help=f"原因。\n\nOne of {', '.join(RevocationCause)}."),
    ],
    purpose: PurposeOption = KeyPurpose.CODE_SIGNING,
    successor: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=0,
            max=KEY_NUMBER_MAX,
            help="接替的待用密钥。\n\nThe pending key that signs instead.",
        ),
    ] = None,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """紧急吊销（须另一人复核）：5 秒内各处均不再通过。
    Revoke in an emergency; another person approves.
    """
    with opened_desk(operator) as desk:
        if successor is not None:
            _check_private_half(desk, purpose, successor)
        if desk.decide(RevokeIssuerKey(purpose, number, cause, successor), second, yes=yes):
            screen.say(
                "已吊销；5 秒内所有进程都不再接受它的签名。",
                "Revoked; within 5 s no process accepts anything that it signed.",
            )


@app.command("passphrase")
def change_passphrase(
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="新口令取自文件第一行。\n\nRead the new passphrase from this file's first line.",
        ),
    ] = None,
) -> None:
    """更换密钥口令；密钥本身不变。
    Change the key passphrase; the keys stay as they are.

    备份中的旧密钥文件仍由旧口令打开。 Old backups still open with the old passphrase.
    """
    chosen = settings()
    chosen.home.facts()
    old = passphrase(chosen)
    if new_passphrase_file:
        new = read_secret(new_passphrase_file)
    else:
        new = screen.ask_new_secret(
            "新的密钥口令", "New key passphrase", instead="--new-passphrase-file"
        ).encode()
    with screen.working("正在更换口令", "Changing the passphrase"):
        KeyFiles.open(chosen.home.keys, old).change_passphrase(new)
    screen.say(
        "口令已更换。请更新 SSCARD_KEY_PASSPHRASE_FILE 所指的文件。",
        "The passphrase is changed. Update the file that SSCARD_KEY_PASSPHRASE_FILE names.",
    )


def _next_number(desk: Desk, purpose: KeyPurpose) -> int:
    """The number after the last one; one that was made and never registered is taken first."""
    with desk.site.store.read() as tx:
        known = issuers.keys_of(tx, desk.site.facts.issuer, purpose)
    number = max((key.number for key in known), default=0) + 1
    if number > KEY_NUMBER_MAX:
        raise IssuanceError(
            "key_numbers_used_up",
            f"密钥号已用到 {KEY_NUMBER_MAX}。须启用新的发卡机构号。",
            f"The key numbers are used up to {KEY_NUMBER_MAX}; a new issuer number is needed.",
        )
    return number


def _check_private_half(desk: Desk, purpose: KeyPurpose, number: int) -> None:
    """A key that nobody here can sign with must not be put into use by a slip."""
    issuer = desk.site.facts.issuer
    with desk.site.store.read() as tx:
        key = issuers.get_key(tx, issuer, number, purpose)
    if key is not None and not _is_here(desk, key):
        raise IssuanceError(
            "private_key_not_here",
            f"本机密钥文件夹中没有密钥 {key.name} 的私钥，或与登记的公钥不符。",
            f"The private half of key {key.name} is not in this machine's key folder, or is "
            "another one.",
        )


def _is_here(desk: Desk, key: CodeKey) -> bool:
    keys = desk.site.keys
    return key.name in keys.names() and keys.signer(key.name).public_key == key.public_key


def _local(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
