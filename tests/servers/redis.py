"""Private Redis servers for the tests: child processes on loopback, in directories of their own.

The binaries are Debian's; where they are absent and this process may, the package is installed.
The system's own service is never started or touched, and every server ends with its test.
"""

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from servers import debian
from servers.ports import free_port

START_TIMEOUT_SECONDS = 30
CONSEQUENCE = "the tests on Redis did not run"


def binary(name: str) -> str:
    """The path of redis-server and its kin; installs them first where they are absent."""
    found = shutil.which(name)
    if found is None:
        debian.install("redis-server", "redis-sentinel", consequence=CONSEQUENCE)
        found = shutil.which(name)
    if found is None:
        debian.unavailable(f"{CONSEQUENCE}: Debian's package brought no {name}")
    return found


class RedisServer:
    """One server, which can be killed, frozen and started again with what it kept on disk.

    settings: as in redis.conf. program: redis-server or redis-sentinel.
    """

    def __init__(
        self, home: Path, *settings: str, port: int = 0, program: str = "redis-server"
    ) -> None:
        self.home = home
        self.port = port or free_port()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {home}", "logfile log", *settings]
        # Sentinels and nodes of a cluster write into their configuration.
        (home / "redis.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [binary(self._program), self.home / "redis.conf"],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.wait_until(lambda: bool(self.client().ping()))

    def wait_until(self, holds: Any) -> None:
        """Poll until it holds; a server that is not there yet counts as no."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            with contextlib.suppress(redis.RedisError):
                if holds():
                    return
            if self._process is None or self._process.poll() is not None:
                log = (self.home / "log").read_text(errors="replace")
                raise AssertionError(f"{self._program} ended: {log[-800:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._program} is not what was waited for")
            time.sleep(0.01)

    def client(self) -> Any:
        return redis.Redis(port=self.port, protocol=2, socket_timeout=5)

    def kill(self) -> None:
        """As with kill -9: nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def replicate(self, port: int) -> None:
        """Become a replica of whoever listens there, and wait for the first copy."""
        self.client().replicaof("127.0.0.1", port)
        self.wait_until(lambda: self.client().info()["master_link_status"] == "up")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._signal(number)
            self._signal(signal.SIGCONT)
            try:
                self._process.wait(timeout=START_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


@contextlib.contextmanager
def running(*servers: RedisServer) -> Iterator[None]:
    """Start servers, and kill whatever is left of them at the end."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()


def make_sentinels(home: Path, master: RedisServer, count: int = 3) -> list[RedisServer]:
    """Sentinels that fail over to a replica within a second or two of the master's death."""
    return [
        RedisServer(
            home / f"sentinel-{number}",
            f"sentinel monitor codes 127.0.0.1 {master.port} {count // 2 + 1}",
            "sentinel down-after-milliseconds codes 500",
            "sentinel failover-timeout codes 3000",
            program="redis-sentinel",
        )
        for number in range(count)
    ]


def make_cluster(home: Path, primaries: int = 3) -> list[RedisServer]:
    """Nodes of a cluster with one replica for each primary; `join_cluster` makes them one."""
    nodes = []
    for number in range(2 * primaries):
        port = free_port()
        bus = free_port()
        nodes.append(
            RedisServer(
                home / f"node-{number}",
                "cluster-enabled yes",
                "cluster-node-timeout 1000",
                f"cluster-port {bus}",
                "repl-diskless-sync-delay 0",
                "save ''",
                port=port,
            )
        )
    return nodes


def join_cluster(nodes: list[RedisServer]) -> None:
    subprocess.run(
        [
            binary("redis-cli"),
            "--cluster",
            "create",
            *(node.address for node in nodes),
            "--cluster-replicas",
            "1",
            "--cluster-yes",
        ],
        check=True,
        capture_output=True,
        timeout=START_TIMEOUT_SECONDS,
    )
    for node in nodes:
        node.wait_until(lambda node=node: _is_joined(node.client()))


def _is_joined(client: Any) -> bool:
    """Whether a node knows all slots and, if it is a replica, has its first copy."""
    replication = client.info("replication")
    return (
        client.cluster("INFO")["cluster_state"] == "ok"
        and len(client.execute_command("CLUSTER SLOTS")) >= 3
        and replication.get("master_link_status", "up") == "up"
    )
