"""Every way in which Redis is known to forget, each as a server that is asked to do it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from servers.redis import RedisServer, running
from stream_proxy import StreamProxy

# As Debian's redis.conf has it.
SNAPSHOTS = "save 3600 1 300 100 60 10000"


def _nothing() -> None:
    return


@dataclass(frozen=True)
class Loss:
    """url: of a server that runs. begin: to be called before what will be forgotten is written.
    lose: forgets; a server answers at the address when it returns.
    """

    url: str
    lose: Callable[[], None]
    begin: Callable[[], None] = _nothing


class FailOver:
    """A master, a replica fed through a proxy, and an address that moves from one to the other."""

    def __init__(self, home: Path, *settings: str) -> None:
        at_once = "repl-diskless-sync-delay 0"
        self.master = RedisServer(home / "master", "save ''", at_once, *settings)
        self.replica = RedisServer(home / "replica", "save ''")

    def promote(self, address: StreamProxy) -> None:
        self.replica.client().replicaof("NO", "ONE")
        address.lead_to(self.replica.port)


@contextmanager
def killed(home: Path, *settings: str) -> Iterator[Loss]:
    """kill -9, and a new start with what it kept."""
    server = RedisServer(home / "redis", *settings)

    def lose() -> None:
        server.kill()
        server.start()

    with running(server):
        yield Loss(server.url, lose)


@contextmanager
def flushed(home: Path) -> Iterator[Loss]:
    server = RedisServer(home / "redis", "save ''")
    with running(server):
        yield Loss(server.url, lambda: server.client().flushall())


@contextmanager
def evicted(home: Path, policy: str) -> Iterator[Loss]:
    """The policy is set at run time, evicts, and is set back before anybody may have seen it."""
    server = RedisServer(home / "redis", "save ''")

    def lose() -> None:
        client = server.client()
        marked = _buckets_with_marks(client)
        assert marked, "there is nothing to forget"
        client.config_set("maxmemory-policy", policy)
        memory = client.info()["used_memory"]
        # What was used last goes last: it takes some squeezing.
        while client.exists(*marked) == len(marked):
            memory -= 50_000
            client.config_set("maxmemory", memory)
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")

    with running(server):
        yield Loss(server.url, lose)


def _buckets_with_marks(client: Any) -> list[bytes]:
    buckets = list(client.scan_iter("sscard:*:m:*", count=1000))
    pipe = client.pipeline(transaction=False)
    for bucket in buckets:
        pipe.hlen(bucket)
    # One field is the epoch's name.
    return [bucket for bucket, size in zip(buckets, pipe.execute(), strict=True) if size > 1]


@contextmanager
def failed_over(home: Path, *settings: str, waits: bool = False) -> Iterator[Loss]:
    """The stream to the replica is cut, and then the replica takes over.

    waits: whether somebody asks with WAIT before that, and hears that no replica has it.
    """
    pair = FailOver(home, *settings)
    with running(pair.master, pair.replica), StreamProxy.running(pair.master.port) as stream:
        pair.replica.replicate(stream.port)
        with StreamProxy.running(pair.master.port) as address:

            def lose() -> None:
                if waits:
                    client = pair.master.client()
                    client.set("written", 1)
                    assert client.wait(1, 20) == 0, "the stream is not cut"
                pair.promote(address)

            yield Loss(f"redis://127.0.0.1:{address.port}", lose, stream.swallow)


# min-replicas with Redis' own lag: until it is over the master takes what no replica has.
LOSSES: dict[str, Callable[[Path], AbstractContextManager[Loss]]] = {
    "killed": lambda home: killed(home, SNAPSHOTS),
    "aof-everysec": lambda home: killed(home, "appendonly yes", "appendfsync everysec", "save ''"),
    "aof-always": lambda home: killed(home, "appendonly yes", "appendfsync always", "save ''"),
    "fail-over": failed_over,
    "min-replicas": lambda home: failed_over(home, "min-replicas-to-write 1"),
    "wait": partial(failed_over, waits=True),
    "flushall": flushed,
    "volatile-lru": partial(evicted, policy="volatile-lru"),
    "allkeys-lru": partial(evicted, policy="allkeys-lru"),
    "volatile-ttl": partial(evicted, policy="volatile-ttl"),
}
