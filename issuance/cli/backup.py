"""`sscard backup`, `sscard restore`: a copy of everything, and an installation made of one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from card_core.kernel.dates import SHANGHAI
from issuance import backups
from issuance.cli import screen
from issuance.cli.desk import opened_site, passphrase, settings

FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="备份文件夹。\n\nThe backup's folder.")
]


def backup(
    folder: FolderArgument,
    check: Annotated[
        bool, typer.Option("--check", help="只核对已有备份。\n\nOnly check one that is there.")
    ] = False,
) -> None:
    """备份数据库、密钥和检查点，服务不停。
    Back up database, keys and checkpoints, online.

    口令不在备份中，须另行保管。 The passphrase is not in it; keep it elsewhere.
    """
    if check:
        found = backups.check(folder)
    else:
        with screen.working("正在备份", "Backing up"):
            found = backups.take(settings(), folder)
    at = f"{found.taken_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    screen.say(
        f"备份完好：{folder}，{at}，{len(found.files)} 个文件。",
        f"The backup {folder} is whole: {at}, {len(found.files)} files.",
        style="green",
    )


def resume(
    taken_at: Annotated[
        datetime,
        typer.Option(
            metavar="TIME",
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"],
            help="数据库恢复到的时刻。\n\nThe instant that the database was put back to.",
        ),
    ],
) -> None:
    """数据库由其自带工具恢复后运行一次，再启动服务。
    Once after the database's own tools restored it.

    使此前签发的动态码、就诊凭据和登录全部失效。 Makes codes, visits and sessions from before void.
    """
    with opened_site() as site:
        done = backups.resume(site, taken_at.astimezone(UTC))
    _say_restored(done)


def restore(folder: FolderArgument) -> None:
    """由备份恢复到空的工作目录和数据库。
    Restore a backup into an empty home and database.

    此前签发的动态码、就诊凭据和登录全部失效。备份之后的挂失、吊销等须补做。 Codes, visits and
    sessions from before are void. Losses and revocations since then have to be done again.
    """
    chosen = settings()
    words = passphrase(chosen)
    with screen.working("正在恢复并校验", "Restoring and verifying"):
        done = backups.restore(chosen, folder, words)
    _say_restored(done)


def _say_restored(done: dict[str, Any]) -> None:
    screen.say(
        f"已恢复；审计链 {done['events']} 条完整，epoch 为 {done['epoch']}，此前的动态码均已失效。",
        f"Restored; {done['events']} events of the audit log hold, the epoch is {done['epoch']}, "
        "and codes from before are void.",
        style="green",
    )
    screen.warn(
        "请与另存的检查点比对：sscard audit verify --against，并补做备份之后的挂失和吊销。",
        "Compare with checkpoints kept elsewhere (sscard audit verify --against), and do losses "
        "and revocations since the backup again.",
    )
