"""`sscard receipt`: give out the receipt keys, and verify a receipt with nothing but them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from card_core import business_types, receipts
from card_core.business_types import UnknownBusinessTypeError
from card_core.codes import ForWhom, KeyPurpose, Presence
from card_core.kernel.dates import SHANGHAI
from card_core.presented import Medium
from card_core.receipts import (
    INPUT_BYTES_MAX,
    KEY_FILE_BYTES_MAX,
    ReceiptContent,
    ReceiptKey,
    ReceiptKind,
)
from card_core.store import issuers
from issuance.cli import screen
from issuance.cli.desk import opened_site
from issuance.errors import FileRefusedError, IssuanceError
from issuance.files import PUBLIC, not_readable, write_whole

_KINDS = {
    ReceiptKind.SCAN: "核验通过 accepted scan",
    ReceiptKind.REFUND: "退费 refund",
    ReceiptKind.RETURN: "退药 return",
    ReceiptKind.VOID: "冲正 void",
}
_MEDIA = {
    Medium.ONLINE_CODE: "在线动态码 online code",
    Medium.OFFLINE_CODE: "离线动态码 offline code",
    Medium.SHORT_CODE: "数字短码 short code",
    Medium.CHIP_CARD: "实体卡 chip card",
    Medium.VISIT_TOKEN: "就诊凭据 visit token",
}
_PRESENCE = {
    Presence.PLAIN: "一般 plain",
    Presence.BOUND_PHONE: "绑定手机 bound phone",
    Presence.FACE: "人脸 face",
    Presence.CHIP_AND_PIN: "芯片与密码 chip and PIN",
}
_FOR_WHOM = {ForWhom.SELF: "本人 self", ForWhom.FAMILY: "亲情 family"}

app = typer.Typer(
    help="核验凭据：导出公钥、验证凭据。\nReceipts: export the keys, verify one.",
    no_args_is_help=True,
)


@app.command()
def keys(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="写入此文件，默认标准输出。\n\nWrite to this file."),
    ] = None,
) -> None:
    """导出凭据公钥文件，供离线验证。
    Export the receipt keys for offline verification.

    请同时公布指纹，供对方比对。 Publish the fingerprint, too.
    """
    found = _own_keys()
    content = receipts.write_key_file(found)
    if out is None:
        screen.out.print(content.decode(), end="", soft_wrap=True)
    else:
        write_whole(out, content, mode=PUBLIC)
    screen.warn(
        f"指纹 {receipts.fingerprint(found)}，请由可信渠道告知对方。",
        f"Fingerprint {receipts.fingerprint(found)}; tell it to others by a trusted way.",
    )


@app.command()
def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="凭据文件，- 为标准输入。\n\n- for stdin.")
    ],
    *,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FILE", help="公钥文件；默认用本机安装。\n\nKeys; else the home's."
        ),
    ] = None,
    clerk: Annotated[
        str, typer.Option(metavar="OPERATOR", help="核对经办人。\n\nCheck the operator's word.")
    ] = "",
    department: Annotated[
        str, typer.Option(metavar="WORD", help="核对科室。\n\nCheck the department's word.")
    ] = "",
    salt: Annotated[
        str, typer.Option(metavar="HEX", help="答复中的 clerk_salt。\n\nOf the answer.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出。\n\nPrint JSON.")] = False,
) -> None:
    """验证一张核验凭据，并说明它证明什么。
    Verify a receipt, and say what it proves.

    凭据文件可为凭据文本，或含 receipt 的整个答复。退出码 0 为有效，1 为无效。
    FILE holds the receipt's text, or the whole answer. Exit code 0: valid, 1: not.
    """
    data = receipts.from_text(receipts.text_in(_read(file)))
    content = receipts.verify_receipt(data, _keys_of(key_file) if key_file else _own_keys())
    if clerk or department or salt:
        _check_clerk(content, clerk, department, salt)
    if as_json:
        screen.out.print(json.dumps(_fields(content), ensure_ascii=False), soft_wrap=True)
        return
    screen.say("凭据有效。它证明：", "The receipt is valid. It proves:", style="green")
    screen.show_facts(_facts(content))
    if clerk or department:
        screen.say("经办人和科室与凭据相符。", "Operator and department are those of the receipt.")


def _own_keys() -> list[ReceiptKey]:
    with opened_site() as site, site.store.read() as tx:
        found = [
            ReceiptKey.of(key) for key in issuers.keys(tx) if key.purpose is KeyPurpose.RECEIPT
        ]
    if not found:
        raise IssuanceError(
            "no_receipt_keys",
            "本安装没有凭据密钥。请运行 sscard upgrade。",
            "This installation has no receipt key. Run sscard upgrade.",
        )
    return found


def _keys_of(path: Path) -> list[ReceiptKey]:
    return receipts.read_key_file(_read_limited(path, KEY_FILE_BYTES_MAX))


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
    return _read_limited(Path(file), INPUT_BYTES_MAX)


def _read_limited(path: Path, bytes_max: int) -> bytes:
    """Raises FileRefusedError."""
    try:
        with path.open("rb") as opened:
            return opened.read(bytes_max + 1)
    except FileNotFoundError as error:
        raise FileRefusedError(
            "file_missing", f"找不到文件 {path}，请核对路径。", f"{path} was not found."
        ) from error
    except OSError as error:
        raise not_readable(path, error) from error


def _check_clerk(content: ReceiptContent, clerk: str, department: str, salt: str) -> None:
    """Raises IssuanceError where the words are not those of the receipt."""
    try:
        committed = receipts.commit_to_clerk(clerk, department, bytes.fromhex(salt))
    except ValueError:
        committed = b""
    if committed != content.clerk:
        raise IssuanceError(
            "clerk_differs",
            "凭据有效，但经办人、科室或 salt 与凭据不符。请核对三者。",
            "The receipt is valid, but operator, department or salt are not those of the receipt. "
            "Check all three.",
        )


def _business_type(code: str) -> str:
    """A type of a later version, or of another issuer, is shown by its code alone."""
    try:
        found = business_types.get(code)
    except UnknownBusinessTypeError:
        return code
    return f"{code} {found.name_zh} {found.name_en}"


def _facts(content: ReceiptContent) -> list[tuple[str, Any]]:
    is_scan = content.kind is ReceiptKind.SCAN
    fen = content.amount_fen
    amount = None if fen is None else f"{fen // 100}.{fen % 100:02d} 元 yuan"
    return [
        ("类型 Kind", _KINDS[content.kind]),
        ("时间 At", content.at.astimezone(SHANGHAI).isoformat(timespec="milliseconds")),
        ("机构 Institution", content.institution_code),
        ("终端 Terminal", content.terminal.hex()),
        ("业务类型 Business type", _business_type(content.business_type)),
        ("金额 Amount", amount),
        ("出示 Shown", _MEDIA[content.medium]),
        ("到场等级 Presence", _PRESENCE[content.presence]),
        ("为谁 For whom", _FOR_WHOM[content.for_whom]),
        ("持卡人假名 Pseudonym", content.pseudonym.hex()),
        ("核验编号 Scan" if is_scan else "撤销编号 Reversal", content.scan_id),
        ("原核验 Of scan", None if is_scan else content.original_scan_id),
        ("发卡机构 Issuer", f"{content.issuer}, 密钥 key {content.key_number}"),
        ("审计链 Log", f"{content.audit_chain} {content.audit_seq} {content.audit_link.hex()}"),
    ]


def _fields(content: ReceiptContent) -> dict[str, Any]:
    named = {
        "kind": content.kind.name.lower(),
        "at": content.at.isoformat(),
        "medium": content.medium.value,
        "presence": content.presence.name.lower(),
        "for_whom": content.for_whom.name.lower(),
    }
    return {
        name: named.get(name, value.hex() if isinstance(value, bytes) else value)
        for name, value in content._asdict().items()
    }
