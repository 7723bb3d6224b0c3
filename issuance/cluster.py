"""The engine over many machines: dask.distributed, for the tasks that processes of one machine do.

A scheduler (`sscard engine-scheduler`) hands out tasks, workers (`sscard engine-worker`) on any
machine that reaches scheduler and database do them, and whoever issues a batch is their client.
Each worker opens the installation by itself, with its own home and passphrase: a task holds a
batch's id and who asked for it, never a key, and what comes back is a receipt, never a row.

Each of these ports runs what it is sent. So it is on this machine's loopback, or it takes nobody
but holders of a certificate from the engine's own authority; anything else is refused
(`endpoint`).

The package `distributed` is an extra, sscard[dask], and takes half a second to import: this module
is imported where it is asked for.
"""

import asyncio
import ipaddress
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import dask
from distributed import Client, Scheduler, Worker
from distributed.scheduler import KilledWorker
from distributed.security import Security

from issuance import engine
from issuance.engine import Pool
from issuance.errors import EngineError
from issuance.installation import Installation
from issuance.settings import EngineCertificate

CONNECT_SECONDS: Final = 20
# A worker that doesn't come within these gives up, and so does one that has lost its scheduler.
JOIN_SECONDS: Final = 60
# How many workers in a row may die of one task before it is no longer given to others.
DEATHS_MAX: Final = 3

_SETTINGS: Final = {
    # Pages and numbers of the nodes would stand on a port of their own without TLS.
    "distributed.worker.http.routes": [],
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.allowed-failures": DEATHS_MAX,
    "distributed.admin.log-format": "%(levelname)s %(name)s",
}
_NO_PAGES: Final = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a scheduler is, or is to be, and how whoever comes there is known."""

    scheme: str
    host: str
    port: int
    security: Security

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def endpoint(address: str, certificate: EngineCertificate | None) -> Endpoint:
    """Read "tcp://127.0.0.1:8786" or "tls://host:8786".

    tcp is for addresses of the loopback alone, given as numbers; tls needs a certificate, its key
    and the authority that all of the engine's certificates are from. Raises EngineError.
    """
    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in {"tcp", "tls"} or not host or not port or parts.path:
        raise EngineError(
            "engine_address_unusable",
            "调度器地址应写作 tls://主机:端口，或本机的 tcp://127.0.0.1:端口。",
            "Give the scheduler's address as tls://host:port, or tcp://127.0.0.1:port on this "
            "machine.",
        )
    if parts.scheme == "tcp":
        if not _is_loopback(host):
            raise EngineError(
                "engine_address_unsafe",
                "不加密的 tcp:// 只能用于本机回环地址（127.0.0.1）：该端口会运行收到的任何内容。"
                "跨机器请用 tls:// 并配置证书。",
                "tcp:// without encryption is for this machine's 127.0.0.1 alone: the port runs "
                "whatever it is sent. Between machines use tls:// with certificates.",
            )
        return Endpoint("tcp", host, port, Security(require_encryption=False))
    if certificate is None:
        raise EngineError(
            "engine_certificate_missing",
            "tls:// 需要证书：请设置 SSCARD_ENGINE_CA_FILE、SSCARD_ENGINE_CERTIFICATE_FILE 和 "
            "SSCARD_ENGINE_KEY_FILE。",
            "tls:// needs a certificate: set SSCARD_ENGINE_CA_FILE, SSCARD_ENGINE_CERTIFICATE_FILE "
            "and SSCARD_ENGINE_KEY_FILE.",
        )
    return Endpoint("tls", host, port, _security(certificate))


def _security(certificate: EngineCertificate) -> Security:
    """One certificate for whatever a node is; the other side's is asked for, always."""
    roles = ("client", "scheduler", "worker")
    files = {f"tls_{role}_cert": str(certificate.certificate_file) for role in roles}
    files |= {f"tls_{role}_key": str(certificate.key_file) for role in roles}
    security = Security(require_encryption=True, tls_ca_file=str(certificate.ca_file), **files)
    try:
        security.get_listen_args("scheduler")
    except OSError as error:  # ssl's errors are of that kind, too
        raise EngineError(
            "engine_certificate_unusable",
            "引擎的证书、私钥或CA文件无法使用，请检查这三个文件及其权限。",
            "The engine's certificate, key or authority can't be used; check the three files and "
            "their permissions.",
        ) from error
    return security


def _is_loopback(host: str) -> bool:
    """A name could be led elsewhere: numbers only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run_scheduler(at: Endpoint, ready: Callable[[str], None]) -> None:
    """Hand out tasks until SIGTERM or SIGINT. ready: called with the address once it listens.

    Raises EngineError where the address can't be listened at.
    """

    async def serve() -> None:
        scheduler = Scheduler(
            host=at.host,
            port=at.port,
            protocol=at.scheme,
            security=at.security,
            dashboard=False,
            dashboard_address=_NO_PAGES,
        )
        await _until_told(scheduler, ready)

    _run(serve(), at)


def run_worker(at: Endpoint, site: Installation, ready: Callable[[str], None]) -> None:
    """Do a scheduler's tasks in this process until SIGTERM, SIGINT or until the scheduler is gone.

    ready: called with the worker's address once it has joined. Raises EngineError where no
    scheduler is reached within JOIN_SECONDS.
    """

    async def serve(folder: str) -> None:
        worker = Worker(
            at.address,
            nthreads=1,
            security=at.security,
            # Peers reach it where it reaches the scheduler; on loopback it stays there.
            host=at.host if at.scheme == "tcp" else None,
            dashboard=False,
            dashboard_address=_NO_PAGES,
            local_directory=folder,
            memory_limit=0,  # receipts take none
            death_timeout=JOIN_SECONDS,
        )
        await _until_told(worker, ready)

    with tempfile.TemporaryDirectory(prefix="sscard-engine-") as folder, engine.opened(site.kernel):
        _run(serve(folder), at)


async def _until_told(node: Any, ready: Callable[[str], None]) -> None:
    """node: a scheduler or a worker, not started yet."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    async with node:
        ready(node.address)
        ended = asyncio.ensure_future(node.finished())
        stopped = asyncio.ensure_future(told.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)


def _run(serving: Awaitable[None], at: Endpoint) -> None:
    with dask.config.set(_SETTINGS):
        try:
            asyncio.run(_awaited(serving))
        except OSError as error:
            raise _unreachable(at) from error


async def _awaited(serving: Awaitable[None]) -> None:
    await serving


@contextmanager
def cluster(at: Endpoint) -> Iterator[Pool]:
    """The workers of a scheduler. Raises EngineError where it isn't reached or has none."""
    with dask.config.set(_SETTINGS):
        try:
            client = Client(
                at.address,
                security=at.security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                name="sscard",
            )
        except OSError as error:
            raise _unreachable(at) from error
        with client:
            if not _workers(client):
                raise EngineError(
                    "engine_without_workers",
                    "调度器下没有工作进程。请先在各机器运行 sscard engine-worker。",
                    "The scheduler has no workers. First start sscard engine-worker on each "
                    "machine.",
                )
            # Equal tasks are not one task: each takes another chunk.
            with client.get_executor(pure=False) as executor:
                yield Pool(
                    executor,
                    lambda: _workers(client),
                    failures=(KilledWorker, CancelledError, OSError),
                )


def _workers(client: Client) -> int:
    """How many there are; 0 also when the scheduler is gone."""
    if client.status != "running":
        return 0
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _unreachable(at: Endpoint) -> EngineError:
    return EngineError(
        "engine_unreachable",
        f"无法连接或监听 {at.address}：请检查调度器是否运行、端口是否可用、"
        "双方证书是否出自同一CA。",
        f"{at.address} can't be reached or listened at: check that the scheduler runs, the port is "
        "free, and both sides' certificates are from one authority.",
    )
