"""Where the fast store is: one address, read into a small dataclass.

    process:                                     in this process, the only one that scans
    redis://[user:password@]host[:port][/db]     one server
    unix:///path/of/socket                       one server on this machine
    redis+sentinel://[user:password@]host[:port],host[:port]/service[/db]
    redis+cluster://[user:password@]host[:port],host[:port]

rediss instead of redis: with TLS. After a question mark, joined by &: db, answer_ms (how long an
answer may take, 10 to 2000), ca_file (certificates to trust instead of the system's),
sentinel_password.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

ADDRESS_MAX = 2048
SERVERS_MAX = 32
DATABASES = 16
PORTS = {"sentinel": 26379}
PORT = 6379
ANSWER_MS = 100
ANSWER_MS_RANGE = range(10, 2001)
CONNECT_SECONDS = 1.0


class Mode(StrEnum):
    PROCESS = "process"
    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Address(NamedTuple):
    """A server. port: 0 where host is the path of a socket."""

    host: str
    port: int


class FastStoreAddressError(ValueError):
    """The address can't be read. It may hold a password, so no part of it is repeated."""

    message_zh = (
        "快速核销库地址无法识别，应为 process:、redis://主机:端口、unix:///路径、"
        "redis+sentinel://主机,主机/服务名 或 redis+cluster://主机,主机"
    )
    message_en = (
        "The address of the fast store can't be read; give process:, redis://host:port, "
        "unix:///path, redis+sentinel://host,host/service or redis+cluster://host,host"
    )

    def __init__(self) -> None:
        super().__init__(self.message_en)


@dataclass(frozen=True, slots=True)
class FastStoreConfig:
    """servers: the server, the sentinels, or some of the cluster. service: known to sentinels."""

    mode: Mode
    servers: tuple[Address, ...] = ()
    service: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)
    database: int = 0
    tls: bool = False
    ca_file: str | None = None
    answer_seconds: float = ANSWER_MS / 1000

    @classmethod
    def parse(cls, address: str) -> "FastStoreConfig":
        """Raises FastStoreAddressError."""
        if address == "process:":
            return cls(Mode.PROCESS)
        try:
            if len(address) > ADDRESS_MAX or not address.isprintable():
                raise FastStoreAddressError
            return _read(urlsplit(address))
        except ValueError:
            raise FastStoreAddressError from None


def _read(url: SplitResult) -> FastStoreConfig:
    """Raises ValueError for whatever is wrong."""
    options = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query)))
    kind, _, word = url.scheme.partition("+")
    if url.fragment or kind not in {"redis", "rediss", "unix"} or (kind == "unix" and word):
        raise ValueError
    mode = Mode(word) if word else Mode.SINGLE
    login, _, hosts = url.netloc.rpartition("@")
    username, _, password = login.partition(":")
    parts = [unquote(part) for part in url.path.split("/")[1:] if part]
    service = ""
    if kind == "unix":
        servers: tuple[Address, ...] = (Address(unquote(url.path), 0),)
        parts = []
        if hosts or len(url.path) < 2:
            raise ValueError
    else:
        servers = tuple(_address(host, PORTS.get(word, PORT)) for host in hosts.split(","))
    if mode is Mode.SENTINEL:
        service = parts.pop(0) if parts else ""
    database = int(options.pop("db", parts.pop() if parts else "0"))
    answer_ms = int(options.pop("answer_ms", str(ANSWER_MS)))
    config = FastStoreConfig(
        mode=mode,
        servers=servers,
        service=service,
        username=unquote(username) or None,
        password=unquote(password) or None,
        sentinel_password=options.pop("sentinel_password", None),
        database=database,
        tls=kind == "rediss",
        ca_file=options.pop("ca_file", None),
        answer_seconds=answer_ms / 1000,
    )
    _check(config, answer_ms, leftover=bool(options or parts))
    return config


def _address(text: str, port: int) -> Address:
    parsed = urlsplit(f"//{text}")
    if not parsed.hostname or parsed.path or parsed.query:
        raise ValueError
    return Address(parsed.hostname, port if parsed.port is None else parsed.port)


def _check(config: FastStoreConfig, answer_ms: int, *, leftover: bool) -> None:
    one = config.mode is Mode.SINGLE
    wrong = (
        leftover
        or config.mode is Mode.PROCESS
        or (one and len(config.servers) != 1)
        or len(config.servers) > SERVERS_MAX
        or (config.mode is Mode.SENTINEL) != bool(config.service)
        or answer_ms not in ANSWER_MS_RANGE
        or config.database not in range(1 if config.mode is Mode.CLUSTER else DATABASES)
    )
    if wrong:
        raise ValueError
