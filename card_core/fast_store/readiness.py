"""Why the fast store can't be used, for whoever runs the service."""

from dataclasses import dataclass
from enum import StrEnum


class Hindrance(StrEnum):
    """A stable word; `text_zh` and `text_en` say what is wrong and what to do."""

    STARTING = "starting"
    AWAY = "away"
    NO_LEASE = "no_lease"
    NOT_MASTER = "not_master"
    EVICTS = "evicts"
    FULL = "full"
    TAKEN = "taken"
    NEWER_PROGRAM = "newer_program"

    @property
    def text_zh(self) -> str:
        return _TEXTS[self].text_zh

    @property
    def text_en(self) -> str:
        return _TEXTS[self].text_en


@dataclass(frozen=True, slots=True)
class _Texts:
    text_zh: str
    text_en: str


_TEXTS = {
    Hindrance.STARTING: _Texts("快速核销库正在启动，请稍候", "The fast store is starting; wait"),
    Hindrance.AWAY: _Texts(
        "快速核销库无法连接或没有应答，请检查 Redis 服务和网络",
        "The fast store does not answer; check the Redis service and the network",
    ),
    Hindrance.NO_LEASE: _Texts(
        "无法从数据库续租快速核销库，请检查数据库",
        "The lease on the fast store could not be renewed; check the database",
    ),
    Hindrance.NOT_MASTER: _Texts(
        "所连接的 Redis 是只读副本，请连接主节点或改用哨兵、集群地址",
        "The Redis server is a replica; name the master, or use a sentinel or cluster address",
    ),
    Hindrance.EVICTS: _Texts(
        "Redis 的淘汰策略会丢失核销标记，请设置 maxmemory-policy noeviction",
        "Redis would evict marks of used codes; set maxmemory-policy noeviction",
    ),
    Hindrance.FULL: _Texts(
        "Redis 内存已满，无法写入核销标记，请调大 maxmemory",
        "Redis is full and takes no marks of used codes; raise maxmemory",
    ),
    Hindrance.TAKEN: _Texts(
        "进程内核销库已被另一个服务进程占用；多进程部署请配置 Redis",
        "Another process holds the store in process; configure Redis to run several",
    ),
    Hindrance.NEWER_PROGRAM: _Texts(
        "快速核销库由更新版本的程序使用，请升级本程序",
        "A newer program uses the fast store; upgrade this one",
    ),
}
