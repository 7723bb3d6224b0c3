"""`sscard engine-scheduler`, `sscard engine-worker`: issuing by many machines."""

from types import ModuleType
from typing import Annotated

import typer

from issuance.cli import screen
from issuance.cli.core_dumps import forbid_core_dumps
from issuance.cli.desk import opened_site, settings
from issuance.errors import EngineError

AddressArgument = Annotated[
    str,
    typer.Argument(
        metavar="ADDRESS",
        help="tls://主机:端口，本机可用 tcp://127.0.0.1:端口。\n\nOf the scheduler.",
    ),
]


def scheduler(address: AddressArgument) -> None:
    """运行发卡调度器，向各机器分派任务。
    Run the scheduler that hands out work to machines.

    不接触密钥和数据库。 It has no keys and no database.
    """
    cluster = load_cluster()
    at = cluster.endpoint(address, settings().engine_certificate)
    cluster.run_scheduler(
        at, lambda where: screen.say(f"调度器 {where}", f"The scheduler is at {where}")
    )


def worker(address: AddressArgument) -> None:
    """在本机加入调度器，参与发卡；每个处理器核心运行一个。
    Join a scheduler and issue; one for each core.

    本机须有同一安装的密钥和数据库连接。 Needs this installation's keys and its database.
    """
    forbid_core_dumps()
    cluster = load_cluster()
    at = cluster.endpoint(address, settings().engine_certificate)
    with opened_site() as site:
        if site.store.writers_max == 1:
            raise EngineError(
                "engine_needs_postgresql",
                "多机发卡需要 PostgreSQL：SQLite 数据库只能由一个进程写入。",
                "Many machines need PostgreSQL: SQLite takes one writer at a time.",
            )
        cluster.run_worker(
            at,
            site,
            lambda where: screen.say(f"已加入 {address}", f"Joined; this worker is {where}"),
        )


def load_cluster() -> ModuleType:
    """`issuance.cluster`, where its package is installed. Raises EngineError."""
    try:
        from issuance import cluster  # noqa: PLC0415 - an extra, slow to import
    except ModuleNotFoundError as error:
        raise EngineError(
            "engine_not_installed",
            "未安装多机发卡组件：请安装 sscard[dask]。",
            "What issues by many machines is not installed: install sscard[dask].",
        ) from error
    return cluster
