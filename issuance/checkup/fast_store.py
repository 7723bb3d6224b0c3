"""The fast store: asked as a worker asks it, and nothing changed there."""

from collections.abc import Iterator

from card_core.errors import FastStoreError
from card_core.fast_store import FastStoreConfig, Hindrance, Mode, RedisServers
from issuance.checkup.finding import Finding, Grade, median_ms, timed
from issuance.settings import Settings

ABOUT = "快速核销库 Fast store"
TRIP = "快速核销库往返 Fast store, one round trip"
# Every code that only identifies waits for one.
TRIP_MS_MAX = 1.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def look(settings: Settings) -> Iterator[Finding]:
    config = settings.fast_store
    if config is None or config.mode is Mode.PROCESS:
        yield Finding(
            ABOUT,
            Grade.NOTE,
            "在服务进程内；多个工作进程须设 SSCARD_REDIS_URL in the service's process; "
            "several workers need SSCARD_REDIS_URL",
        )
        return
    servers = RedisServers(config)
    try:
        hindrance = servers.survey().hindrance
        taken = median_ms(servers.ping) if hindrance is not Hindrance.NOT_MASTER else None
    except FastStoreError:
        hindrance, taken = Hindrance.AWAY, None
    finally:
        servers.close()
    if hindrance is None:
        yield Finding(ABOUT, Grade.WELL, f"Redis（{config.mode}），可用 usable")
    else:
        yield Finding(ABOUT, Grade.BAD, f"{hindrance.text_zh} {hindrance.text_en}")
    if taken is not None:
        yield _trip(config, taken)


def _trip(config: FastStoreConfig, taken_ms: float) -> Finding:
    """All masters asked, one after the other."""
    (first, *_) = config.servers
    near = "Redis 应在同一机房 keep Redis near"
    found = timed(TRIP, taken_ms, TRIP_MS_MAX * len(config.servers), near)
    if first.port == 0:
        return Finding(TRIP, found.grade, f"{found.seen}，Unix 套接字 over a Unix socket")
    if config.mode is Mode.SINGLE and first.host in LOOPBACK and not config.tls:
        return Finding(
            TRIP,
            Grade.NOTE,
            f"{found.seen}，经 TCP；Redis 在本机，用 unix:///套接字路径 更快 over TCP; "
            "unix:///path is faster on the same machine",
        )
    return Finding(TRIP, found.grade, f"{found.seen}，经 TCP over TCP")
