"""The database: structure, what a commit is worth, distance, clock, workers, partitions."""

import os
from collections.abc import Iterator

from card_core.codes.key_life import CLOCKS_APART_SECONDS_MAX
from card_core.store import Store, epochs, partitions, server_settings
from issuance.checkup.finding import Finding, Grade, median_ms, timed, told
from issuance.errors import IssuanceError
from issuance.installation import open_database_unread, utc_now
from issuance.settings import Settings

# Slower than this and counters wait for the network, not for the service.
QUESTION_MS_MAX = 5.0
# What is not the service's: backups, monitoring, somebody who looks.
CONNECTIONS_SPARED = 5


def look(settings: Settings) -> Iterator[Finding]:
    structure = told("数据库 Database", lambda: _structure(settings))
    yield structure
    if structure.grade is Grade.BAD:
        return
    try:
        with open_database_unread(settings) as store:
            yield told("数据库持久性 Database, what a commit is worth", lambda: _durability(store))
            store.is_current()
            near = "数据库应在同一机房 keep the database near"
            taken = median_ms(store.is_current)
            yield timed("数据库应答 Database, one question", taken, QUESTION_MS_MAX, near)
            yield told("数据库时钟 Database clock", lambda: _clock(store))
            yield _workers(store)
            if not settings.database_url.startswith("sqlite"):
                yield _partitions(store)
    except Exception as error:  # noqa: BLE001 - it was there a moment ago; the rest is still looked at
        yield Finding("数据库 Database", Grade.BAD, type(error).__name__)


def _structure(settings: Settings) -> str:
    with open_database_unread(settings) as store:
        if not store.is_current():
            raise IssuanceError(
                "database_not_current",
                "结构与本程序不符，请运行 sscard upgrade",
                "structure doesn't fit this program; run sscard upgrade",
            )
    kind = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    return f"{kind}，可用且结构为最新 reachable and current"


def _durability(store: Store) -> str:
    with store.read() as tx:
        found = server_settings.read(tx)
    wrong = server_settings.not_durable(found)
    if wrong:
        settings = ", ".join(f"{name} = {found[name]}" for name in wrong)
        raise IssuanceError(
            "database_not_durable",
            f"{settings}：断电会丢失已答复的核验，请改为 on",
            "answered scans would be lost with the power; turn them on",
        )
    return ", ".join(f"{name} = {value}" for name, value in found.items() if value.isalpha())


def _clock(store: Store) -> str:
    with store.read() as tx:
        before = utc_now()
        database_at = epochs.database_time(tx)
    # A reader's time is that of its beginning.
    offset = (database_at - before).total_seconds()
    if abs(offset) > CLOCKS_APART_SECONDS_MAX:
        raise IssuanceError(
            "clocks_apart",
            f"与本机相差 {offset:+.0f} 秒，请两边都用 NTP 校时",
            f"{offset:+.0f} s from this machine's; set both by NTP",
        )
    return f"与本机相差 {offset:+.2f} s from this machine's"


def _workers(store: Store) -> Finding:
    """How many processes there is room for; each of them may open so many connections."""
    about = "工作进程 Workers"
    with store.read() as tx:
        found = server_settings.read(tx)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if "max_connections" not in found:
        seen = f"{cores} 个处理器核；SQLite 只供一个服务进程 cores; SQLite serves one process"
        return Finding(about, Grade.WELL, seen)
    most = int(found["max_connections"])
    free = most - int(found["superuser_reserved_connections"])
    room = (free - CONNECTIONS_SPARED) // server_settings.CONNECTIONS_PER_PROCESS
    zh = f"{cores} 个处理器核，max_connections = {most} 可容纳 {room} 个工作进程"
    seen = f"{zh} cores; room for {room} workers"
    if room >= cores:
        return Finding(about, Grade.WELL, seen)
    wanted = cores * server_settings.CONNECTIONS_PER_PROCESS + CONNECTIONS_SPARED + 3
    advice = f"；请设 max_connections = {wanted} set it, to use them all"
    return Finding(about, Grade.NOTE, seen + advice)


def _partitions(store: Store) -> Finding:
    """Whether the months to come have theirs, and nothing lies in the ones by default."""
    about = "按月分区 Partitions"
    with store.read() as tx:
        astray = partitions.rows_by_default(tx)
        lacking = partitions.lacking(tx, utc_now())
    if astray:
        rows = ", ".join(f"{name}_default: {count}" for name, count in astray.items())
        advice = (
            "未落入月份分区的记录有效，但应归位：请停止服务后运行 sscard upgrade "
            "they are sound; stop the service and run sscard upgrade, to put them into their months"
        )
        return Finding(about, Grade.NOTE, f"{rows}；{advice}")
    if lacking:
        advice = (
            "服务运行时会自动建立；否则请运行 sscard upgrade a running service makes them, "
            "sscard upgrade does too"
        )
        return Finding(about, Grade.NOTE, f"缺少 lacking {', '.join(lacking)}；{advice}")
    ahead = partitions.MONTHS_AHEAD
    return Finding(about, Grade.WELL, f"未来 {ahead} 个月已就绪 made for {ahead} months ahead")
