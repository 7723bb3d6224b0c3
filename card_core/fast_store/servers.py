"""The Redis servers as a background thread sees them: who is master of what, and is it fit.

Everything here blocks, within time-outs, and nothing of it happens while a code is spent. The
client library does what it does well: logging in, TLS, sentinels, the slots of a cluster.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry
from redis.sentinel import Sentinel

from card_core.errors import FastStoreAwayError, FastStoreError, InDoubtError
from card_core.fast_store import layout, scripts
from card_core.fast_store.config import CONNECT_SECONDS, Address, FastStoreConfig, Mode
from card_core.fast_store.readiness import Hindrance
from card_core.store.epochs import Node

# Shorter than a lease by far: a silent server must not keep the next lease from being read.
ANSWER_SECONDS = 0.5
_SLOT_OF_SHARD = tuple(key_slot(layout.hash_tag(shard)) for shard in range(layout.SHARDS))


@dataclass(frozen=True, slots=True)
class Routes:
    """by_shard: which server holds each shard. nodes: who each server is."""

    by_shard: tuple[Address, ...]
    nodes: dict[Address, Node]


@dataclass(frozen=True, slots=True)
class Survey:
    """nodes: the masters that there are. hindrance: why they can't be used, None if they can."""

    nodes: frozenset[Node]
    hindrance: Hindrance | None = None


@dataclass(frozen=True, slots=True)
class _Inspected:
    node: Node
    is_master: bool
    policy: str
    is_full: bool


class RedisServers:
    """One thread's view of the servers. follow: told of new routes, from that thread."""

    def __init__(
        self, config: FastStoreConfig, *, follow: Callable[[Routes], None] | None = None
    ) -> None:
        self._config = config
        self._follow = follow
        self._clients: dict[Address, redis.Redis] = {}
        self._by_shard: tuple[Address, ...] = ()
        self._routes: Routes | None = None

    def survey(self) -> Survey:
        """Look at each master. Raises FastStoreAwayError where one of them does not answer."""
        found = self._inspect_all()
        if found is None:
            self._by_shard = ()
            found = self._inspect_all()
        if found is None:
            return Survey(frozenset(), Hindrance.NOT_MASTER)
        routes = Routes(self._by_shard, {address: one.node for address, one in found.items()})
        if routes != self._routes:
            self._routes = routes
            if self._follow is not None:
                self._follow(routes)
        nodes = frozenset(one.node for one in found.values())
        return Survey(nodes, _hindrance(found.values()))

    def ping(self) -> None:
        """Ask each master for nothing. Raises FastStoreAwayError."""
        for address in self._known().nodes:
            _asked(self._client(address).ping)

    def forget(self) -> None:
        """Have the next survey ask anew who is master of what."""
        self._by_shard = ()
        self._routes = None

    def make_buckets(self, name: str, since: int, until: int, *, now: float) -> None:
        """Make the buckets of an epoch that hold the seconds from `since` to `until`.

        now: Unix seconds of the database. Raises FastStoreAwayError; InDoubtError where one of
        them is there already, or a server is another than it was.
        """
        starts = layout.bucket_starts(since, until)
        epoch = name.encode()
        kept_ms = int((starts[0] + layout.BUCKET_SECONDS - now + layout.BUCKET_KEPT_SECONDS) * 1000)
        routes = self._known()
        for address in routes.nodes:
            mine = [shard for shard, where in enumerate(routes.by_shard) if where == address]
            pipe = self._client(address).pipeline(transaction=False)
            for shard in mine:
                keys = [layout.bucket_key(epoch, shard, start) for start in starts]
                pipe.eval(
                    scripts.MAKE.source,
                    len(keys),
                    *keys,
                    routes.nodes[address].mastership,
                    name,
                    kept_ms,
                    layout.BUCKET_SECONDS * 1000,
                )
            if any(answer != b"K" for answer in _asked(pipe.execute)):
                raise InDoubtError("buckets")

    def push(self, name: str, nodes: frozenset[Node], ecard_id: int, version: int) -> None:
        """Mark what an epoch knows of a card up to this version as out of date.

        Raises FastStoreAwayError; InDoubtError where the server is not one of the epoch's.
        """
        try:
            self._push(name, nodes, ecard_id, version)
        except FastStoreError:
            self.forget()  # another server may have taken over since the last push
            self._push(name, nodes, ecard_id, version)

    def _push(self, name: str, nodes: frozenset[Node], ecard_id: int, version: int) -> None:
        shard = layout.shard_of(ecard_id)
        routes = self._known()
        address = routes.by_shard[shard]
        node = routes.nodes[address]
        if node not in nodes:
            raise InDoubtError("node")
        client: Any = self._client(address)
        answer = _asked(
            lambda: client.eval(
                scripts.PUSH.source,
                1,
                layout.card_key(name.encode(), shard, ecard_id),
                node.mastership,
                version.to_bytes(8) + bytes([layout.STATE_UNKNOWN]),
                layout.RECORD_KEPT_SECONDS * 1000,
            )
        )
        if answer != b"K":
            raise InDoubtError("node")

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _known(self) -> Routes:
        if self._routes is None:
            self.survey()
        if self._routes is None:
            raise FastStoreAwayError("not_master")
        return self._routes

    def _inspect_all(self) -> dict[Address, _Inspected] | None:
        """None where the routes led to a server that is no master."""
        try:
            if not self._by_shard:
                self._by_shard = _asked(self._discover)
            found = {address: self._inspect(address) for address in sorted(set(self._by_shard))}
        except FastStoreAwayError:
            self._by_shard = ()
            raise
        return found if all(one.is_master for one in found.values()) else None

    def _discover(self) -> tuple[Address, ...]:
        """Who holds each shard, asked of sentinels or of the cluster."""
        config = self._config
        if config.mode is Mode.SENTINEL:
            more = {"password": config.sentinel_password} if config.sentinel_password else {}
            # redis-py declares no types for the constructor of Sentinel.
            sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
                [tuple(server) for server in config.servers],
                sentinel_kwargs={**self._options(login=False), **more},
            )
            host, port = sentinel.discover_master(config.service)
            return (Address(_text(host), port),) * layout.SHARDS
        if config.mode is Mode.CLUSTER:
            return self._slots()
        return config.servers * layout.SHARDS

    def _slots(self) -> tuple[Address, ...]:
        """Raises redis.RedisError where no server of the cluster tells all slots."""
        for server in dict.fromkeys((*self._clients, *self._config.servers)):
            try:
                client: Any = self._client(server)
                slots = client.execute_command("CLUSTER SLOTS")
            except redis.RedisError:
                continue
            # Each: first slot, last slot, its master as host and port and more, its replicas. A
            # server that does not know its own name leaves the host out.
            masters = {
                slot: Address(_text(master[0] or server.host), int(master[1]))
                for first, last, master, *_ in slots
                for slot in _SLOT_OF_SHARD
                if first <= slot <= last
            }
            if all(slot in masters for slot in _SLOT_OF_SHARD):
                return tuple(masters[slot] for slot in _SLOT_OF_SHARD)
        raise redis.ConnectionError

    def _inspect(self, address: Address) -> _Inspected:
        info = cast("dict[str, Any]", _asked(self._client(address).info))
        node = Node(str(info["run_id"]), str(info["master_replid"]))
        # 0: no limit of its own.
        limit = int(info["maxmemory"])
        return _Inspected(
            node,
            is_master=info["role"] == "master",
            policy=str(info["maxmemory_policy"]),
            is_full=0 < limit <= int(info["used_memory"]),
        )

    def _client(self, address: Address) -> redis.Redis:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._connected(address)
        return client

    def _connected(self, address: Address) -> redis.Redis:
        where: dict[str, Any] = (
            {"host": address.host, "port": address.port}
            if address.port
            else {"unix_socket_path": address.host}
        )
        return redis.Redis(**where, **self._options(login=True))

    def _options(self, *, login: bool) -> dict[str, Any]:
        config = self._config
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        if config.tls:
            options |= {"ssl": True, "ssl_ca_certs": config.ca_file}
        if login:
            options |= {
                "username": config.username,
                "password": config.password,
                "db": config.database,
            }
        return options


def _hindrance(found: Collection[_Inspected]) -> Hindrance | None:
    if any(one.policy != "noeviction" for one in found):
        return Hindrance.EVICTS
    return Hindrance.FULL if any(one.is_full for one in found) else None


def _asked(question: Callable[[], Any]) -> Any:
    """Turn the library's errors into ours; what they say may hold an address or more."""
    try:
        return question()
    except redis.RedisError as error:
        raise FastStoreAwayError(type(error).__name__) from error


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
