"""A private nginx for the tests, with the profile of deploy/nginx on ports of its own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import debian
from servers.ports import free_port

PROFILE = Path(__file__).parents[2] / "deploy" / "nginx"
START_SECONDS_MAX = 30
CONSEQUENCE = "the gateway was not tested"


@dataclass(frozen=True)
class Gateway:
    """A running gateway. folder: holds its certificates, its log and the service's socket."""

    port: int
    folder: Path

    @property
    def log(self) -> str:
        """What it has logged so far: it writes a line after the answer has left."""
        return (self.folder / "sscard.log").read_text()

    @property
    def passed_on(self) -> int:
        """How many requests the log says the service was given; the others' lines end in "-"."""
        return sum(line[-1].isdigit() for line in self.log.splitlines())


def program() -> str:
    """The path of nginx; installed first where it is absent."""
    if shutil.which("nginx", path=_path()) is None:
        debian.install("nginx-light", consequence=CONSEQUENCE)
    return shutil.which("nginx", path=_path()) or debian.unavailable(f"{CONSEQUENCE}: no nginx")


@contextmanager
def running(folder: Path) -> Iterator[Gateway]:
    """Serve `folder`/http.sock under the profile as it is, but for paths and the port."""
    command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    port = free_port()
    replaced = {
        "/etc/sscard/tls": str(folder),
        "/etc/nginx/sscard": str(folder),
        "/run/sscard": str(folder),
        "/var/log/nginx": str(folder),
        "listen 443": f"listen 127.0.0.1:{port}",
    }
    for path in PROFILE.iterdir():
        text = path.read_text()
        for ours, theirs in replaced.items():
            text = text.replace(ours, theirs)
        (folder / path.name).write_text(text)
    (folder / "nginx.conf").write_text(_main(folder))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _wait(process, port)
        yield Gateway(port, folder)
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS_MAX)


def _main(folder: Path) -> str:
    scratch = "".join(
        f"    {name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Workers of root would be another user, who may not reach pytest's folders.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}daemon off;\nworker_processes 1;\npid {folder / 'nginx.pid'};\n"
        f"error_log {folder / 'error.log'};\nevents {{ worker_connections 2048; }}\n"
        f"http {{\n{scratch}    include {folder}/sscard.conf;\n"
        f"    include {folder}/terminals.conf;\n}}\n"
    )


def _wait(process: "subprocess.Popen[str]", port: int) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(process.communicate()[1]) from None
            time.sleep(0.02)
        else:
            return


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
