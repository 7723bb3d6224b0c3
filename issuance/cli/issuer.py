"""`sscard issuer`: other issuers, whose trust lists say who they are."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from card_core import trust
from card_core.codes import CodeKey, KeyPurpose, KeyState, key_life
from card_core.errors import InvalidActError
from card_core.kernel.acts.trust import ImportTrustList, PinTrustAuthority
from card_core.kernel.days import date_of_day, days_carried
from card_core.signing import SigningKeys
from card_core.store import Reader, issuers, status_lists
from card_core.store import trust as held
from card_core.trust import DOCUMENT_BYTES_MAX, TrustedIssuer, TrustedKey, TrustList
from issuance.cli import screen
from issuance.cli.desk import (
    Desk,
    OperatorOption,
    SecondOption,
    YesOption,
    opened_desk,
)
from issuance.cli.words import both
from issuance.errors import FileRefusedError, IssuanceError
from issuance.files import PUBLIC, not_readable, write_whole
from issuance.installation import utc_now

DAYS_MAX = 366

app = typer.Typer(
    help="其他发卡机构与信任列表。\nOther issuers, trust lists.", no_args_is_help=True
)
trust_app = typer.Typer(help="信任列表。\nTrust lists.", no_args_is_help=True)
app.add_typer(trust_app, name="trust")

OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="写入此文件。\n\nWrite this file.")
]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", readable=False, help="信任列表文件。\n\nThe signed list.")
]


@app.command()
def entry(
    out: OutOption,
    service_url: Annotated[
        str, typer.Option(metavar="URL", help="供异地核验的地址。\n\nWhere others ask us.")
    ] = "",
    status_list_url: Annotated[
        str,
        typer.Option(metavar="URL", help="供异地取状态列表的地址。\n\nWhere others ask for lists."),
    ] = "",
    operator: OperatorOption = None,
) -> None:
    """写出本机构的条目，交给签发信任列表的上级机构。
    Write this issuer's entry, for the authority that signs trust lists.

    待用密钥也在其中，以便启用时各地已经认识。 Pending keys too: all know them in time.
    """
    with opened_desk(operator) as desk:
        with desk.site.store.read() as tx:
            own, keys = issuers.own(tx), issuers.keys(tx)
        if own is None:
            raise IssuanceError("issuer_missing", "发卡机构尚未设置。", "There is no issuer yet.")
        try:
            found = TrustedIssuer(
                own.number,
                own.name,
                trust.check_url(service_url) if service_url else None,
                trust.check_url(status_list_url) if status_list_url else None,
                tuple(_published(keys)),
            )
        except ValueError:
            raise InvalidActError(
                "service_url", "应为 https:// 开头的地址", "must be an address with https://"
            ) from None
        write_whole(out, trust.write_entry(found), mode=PUBLIC)
    screen.say(f"已写入 {out}，请交给上级机构。", f"Written to {out}; hand it to the authority.")


@app.command()
def lists(operator: OperatorOption = None) -> None:
    """列出已取得的其他发卡机构状态列表及其新旧，供离线终端使用。
    Show the status lists of other issuers that are here for terminals, and how old they are.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        now = utc_now()
        found = held.holding(tx, now)
        rows = [
            (issuer.number, issuer.name, f"{date_of_day(day)}", *_seen_of(tx, issuer, day, now))
            for issuer in (found.issuers if found else ())
            for day in days_carried(now)
        ]
    screen.show_table(
        ["号 Number", "名称 Name", "日 Day", "版次 Version", "签发 Issued", "新旧 Age"], rows
    )


def _seen_of(tx: Reader, issuer: TrustedIssuer, day: datetime, now: datetime) -> tuple[str, ...]:
    """Version, when it was issued, and what it is good for."""
    latest = status_lists.latest(tx, issuer.number, int(day.timestamp()))
    if latest is None:
        return "", "", "无地址 no address" if issuer.status_list_url is None else "未取得 not here"
    head = latest.head
    age = "当前 fresh"
    if now > head.usable_until:
        age = "已过期 expired"
    elif now > head.fresh_until:
        age = "偏旧 stale"
    return str(head.version), f"{head.issued_at.astimezone():%Y-%m-%d %H:%M:%S}", age


@trust_app.command()
def pin(
    public_key: Annotated[
        str, typer.Argument(metavar="HEX", help="上级机构公钥，或 own。\n\nIts key, or own.")
    ],
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """指定由谁签发信任列表（须另一人复核）。
    Say whose trust lists are taken; another person approves.

    更换后现用列表立即失效，须重新导入。 The list that holds ends with it.
    """
    try:
        point = None if public_key == "own" else bytes.fromhex(public_key)
    except ValueError:
        raise InvalidActError("public_key", "应为十六进制", "must be hexadecimal") from None
    with opened_desk(operator) as desk:
        if desk.decide(PinTrustAuthority(point), second, yes=yes):
            screen.say("已生效。", "In effect.")


@trust_app.command("import")
def import_list(
    file: FileArgument,
    second: SecondOption = None,
    yes: YesOption = False,
    operator: OperatorOption = None,
) -> None:
    """导入信任列表（须另一人复核）；版次只增不减。
    Import a trust list; another person approves.
    """
    document = _read(file)
    with opened_desk(operator) as desk:
        if desk.decide(ImportTrustList(document), second, yes=yes):
            screen.say("已导入，1 秒内各处生效。", "Imported; in force everywhere within a second.")


@trust_app.command("export")
def export_list(out: OutOption, operator: OperatorOption = None) -> None:
    """导出现用的信任列表（签名原文）。
    Write the list that holds, as it was signed.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        document = held.get(tx).document
    if not document:
        raise _no_list()
    write_whole(out, document, mode=PUBLIC)
    screen.say(f"已写入 {out}。", f"Written to {out}.")


@trust_app.command("list")
def show_list(operator: OperatorOption = None) -> None:
    """列出现用信任列表中的发卡机构。
    Show the issuers of the list that holds.
    """
    with opened_desk(operator) as desk, desk.site.store.read() as tx:
        stored, now = held.get(tx), utc_now()
        found = held.list_of(stored, now)
    authority = "本机构 this bureau" if stored.authority is None else stored.authority.hex()
    if found is None:
        screen.show_facts([("签发单位 Authority", authority)])
        if stored.document:
            screen.warn(
                "信任列表已过期，不再认可其他发卡机构。请导入新的一版。",
                "The list has expired and no other issuer is trusted. Import a new edition.",
            )
        return
    screen.show_facts(
        [
            ("签发单位 Authority", authority),
            ("版次 Edition", found.edition),
            ("有效期至 Expires", f"{found.expires_at.astimezone():%Y-%m-%d %H:%M}"),
        ]
    )
    rows = [
        (
            issuer.number,
            issuer.name,
            f"{key.purpose.value} {key.number}",
            both(key.state_at(now)),
            issuer.service_url,
        )
        for issuer in found.issuers
        for key in issuer.keys
    ]
    screen.show_table(
        ["号 Number", "名称 Name", "密钥 Key", "状态 State", "服务地址 Service"], rows
    )


@trust_app.command("make")
def make_list(
    entries: Annotated[
        list[Path],
        typer.Argument(metavar="ENTRY...", readable=False, help="各机构的条目。\n\nTheir entries."),
    ],
    out: OutOption,
    edition: Annotated[
        int, typer.Option(metavar="N", min=1, help="版次，须大于上一版。\n\nAbove the last one.")
    ],
    days: Annotated[
        int, typer.Option(metavar="DAYS", min=1, max=DAYS_MAX, help="有效天数。\n\nHow long.")
    ] = 90,
    operator: OperatorOption = None,
) -> None:
    """（签发单位）用本机构的 trust_list 密钥签发信任列表。
    At the authority: sign a trust list with its own trust_list key.
    """
    with opened_desk(operator) as desk:
        desk.check_may(ImportTrustList)
        now = utc_now().replace(microsecond=0)
        found = TrustList(
            edition,
            now,
            now + timedelta(days=days),
            tuple(trust.read_entry(_read(one)) for one in entries),
        )
        key = _signing_keys(desk).current(KeyPurpose.TRUST_LIST)
        document = trust.sign(found, key.signer)
        point = key.signer.public_key
    # What was made is what everybody would take: read once more before it leaves.
    trust.verify(document, [point])
    write_whole(out, document, mode=PUBLIC)
    screen.say(f"已签发并写入 {out}。", f"Signed and written to {out}.")
    screen.show_facts([("签发公钥 Authority key", point.to_bytes(compressed=True).hex())])


# Trust lists are an authority's; records are for makers, who get the key from their bureau.
_FOR_NO_ISSUER = {KeyPurpose.TRUST_LIST, KeyPurpose.CARD_ISSUING}


def _published(keys: Iterable[CodeKey]) -> Iterable[TrustedKey]:
    """What others are to believe. A pending key signs nothing before it is activated, and by then
    everybody should know it: it is published as active."""
    now = utc_now()
    for key in keys:
        state = key_life.at(key, now).state
        if key.purpose in _FOR_NO_ISSUER:
            continue
        if state is KeyState.PENDING:
            state = KeyState.ACTIVE
        yield TrustedKey(key.purpose, key.number, key.public_key, state)


def _signing_keys(desk: Desk) -> SigningKeys:
    site = desk.site
    return SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)


def _read(path: Path) -> bytes:
    """At most as much as a list may have, and one byte more. Raises FileRefusedError."""
    try:
        with path.open("rb") as file:
            content = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise not_readable(path, error) from error
    if len(content) > DOCUMENT_BYTES_MAX:
        raise FileRefusedError(
            "trust_file_too_long",
            f"文件 {path} 过大，不是信任列表。",
            f"The file {path} is too long to be a trust list.",
        )
    return content


def _no_list() -> IssuanceError:
    return IssuanceError(
        "no_trust_list", "尚未导入信任列表。", "No trust list has been imported yet."
    )
