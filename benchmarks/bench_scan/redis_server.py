"""A Redis of our own for one run, on a unix socket, and what a scan costs it.

It keeps nothing on disk and never evicts: what the service asks of the server of its fast store.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

START_SECONDS_MAX = 20
SETTINGS = {"port": "0", "save": "", "appendonly": "no", "maxmemory-policy": "noeviction"}
# Questions that the service asks for itself, now and then, whatever is scanned.
_HOUSEKEEPING = frozenset({"info", "ping", "config|get", "client|setinfo", "hello", "select"})


@dataclass(frozen=True)
class RedisServer:
    """path: of its socket."""

    path: Path

    @property
    def url(self) -> str:
        """As the service's setting takes it."""
        return f"unix://{self.path}"

    def calls(self) -> dict[str, int]:
        """How often each command was called since the server started, but for housekeeping and
        what scripts call themselves."""
        found: Any = self._client().info("commandstats")
        called = {name.removeprefix("cmdstat_"): row["calls"] for name, row in found.items()}
        return {name: number for name, number in called.items() if name not in _HOUSEKEEPING}

    def bytes_a_mark(self) -> float:
        """Of the memory of all buckets, what falls to each mark in them: keys and all."""
        client: Any = self._client()
        marks = size = 0
        for key in client.scan_iter(match="*:m:*", count=1000):
            fields = client.hlen(key) - 1  # one is the epoch's name
            if fields > 0:
                marks += fields
                size += client.memory_usage(key, samples=0)
        if not marks:
            raise RuntimeError("no code was spent in this server")
        return size / marks

    def _client(self) -> Any:
        return redis.Redis(unix_socket_path=str(self.path), socket_timeout=10)


def installed() -> bool:
    return shutil.which("redis-server") is not None


@contextmanager
def running() -> Iterator[RedisServer]:
    """Start it; it ends with the block. Raises RuntimeError if it does not start."""
    home = Path(tempfile.mkdtemp(prefix="sscard-bench-redis-"))
    server = RedisServer(home / "redis.sock")
    words = [word for name, value in SETTINGS.items() for word in (f"--{name}", value)]
    command = ["redis-server", "--unixsocket", str(server.path), "--dir", str(home), *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS_MAX
        while not server.path.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.02)
        yield server
    finally:
        process.terminate()
        process.wait(START_SECONDS_MAX)
        shutil.rmtree(home, ignore_errors=True)
