"""`sscard serve --workers`: real processes that are killed, replaced, retired and counted."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from office import PASSPHRASE, Office, refused
from prometheus_client.parser import text_string_to_metric_families
from test_cli_serve import started, stop

DEADLINE_SECONDS = 180
T = TypeVar("T")


def until(look: Callable[[], T]) -> T:
    """What `look` gives as soon as it is something."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def workers_of(pid: int) -> list[int]:
    """The worker processes of a parent, as the system knows them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            about, command = path.read_text(), path.with_name("cmdline").read_bytes()
        except OSError:
            continue
        is_child = int(about.rpartition(")")[2].split()[1]) == pid
        if is_child and b"issuance.cli.worker" in command:
            found.append(int(path.parent.name))
    return found


def successor(parent: int, old: int) -> Callable[[], list[int]]:
    def look() -> list[int]:
        now = workers_of(parent)
        return now if len(now) == 1 and old not in now else []

    return look


def metrics_address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if found := re.search(r"(http://127\.0\.0\.1:[0-9]+)/metrics", line):
            return found[1]
    raise AssertionError("no address of the metrics was said")


def get(url: str, path: str) -> httpx2.Response:
    # A connection waits in the socket for as long as a worker takes to start.
    return httpx2.get(url + path, timeout=DEADLINE_SECONDS, trust_env=False)


def numbers(text: str) -> dict[str, float]:
    """Of each sample the name, and the sum over its labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found[one.name] = found.get(one.name, 0) + one.value
    return found


def test_a_worker_that_is_killed_is_replaced_and_its_numbers_are_kept(office: Office) -> None:
    with started(office, "serve", "--port", "0", "--workers", "1", "--metrics", "0") as (
        parent,
        url,
    ):
        at = metrics_address(parent)
        for _ in range(3):
            assert get(url, "/healthz").status_code == 200
        assert numbers(get(at, "/metrics").text)["sscard_requests_total"] == 3
        (old,) = workers_of(parent.pid)
        os.kill(old, signal.SIGKILL)
        until(successor(parent.pid, old))
        # Connections wait in the socket, which the parent holds.
        assert get(url, "/readyz").status_code == 200
        counted = until(lambda: numbers(get(at, "/metrics").text))
        assert counted["sscard_requests_total"] == 4
        assert counted["sscard_key_ring_age_seconds"] >= 0
        assert counted["sscard_resident_bytes"] > 1e6
        code, said = stop(parent, signal.SIGTERM)
    assert code == 0, said
    assert '"event": "worker_died"' in said
    assert "服务已停止" in said
    assert "worker_killed" not in said
    assert "Traceback" not in said


def test_a_hangup_replaces_the_worker_and_nobody_is_refused(office: Office) -> None:
    with started(office, "serve", "--port", "0", "--workers", "1") as (parent, url):
        for _ in range(2):
            (old,) = workers_of(parent.pid)
            parent.send_signal(signal.SIGHUP)
            until(lambda old=old: successor(parent.pid, old)())  # type: ignore[misc]
            assert get(url, "/readyz").status_code == 200
        code, said = stop(parent, signal.SIGINT)
    assert code == 0, said
    assert said.count('"event": "workers_replaced"') == 2
    assert "worker_died" not in said
    assert "worker_killed" not in said


def test_the_passphrase_is_on_no_command_line_and_in_no_environment(office: Office) -> None:
    with started(office, "serve", "--port", "0", "--workers", "1") as (parent, _):
        for pid in (parent.pid, *workers_of(parent.pid)):
            for name in ("cmdline", "environ"):
                try:
                    seen = Path(f"/proc/{pid}/{name}").read_bytes()
                except PermissionError:
                    continue  # a process that may not be dumped shows nothing to others
                assert PASSPHRASE.encode() not in seen
        assert len(workers_of(parent.pid)) == 1
        stop(parent, signal.SIGTERM)


def test_workers_end_when_their_parent_is_gone(office: Office) -> None:
    with started(office, "serve", "--port", "0", "--workers", "1") as (parent, _):
        (worker,) = workers_of(parent.pid)
        parent.kill()
        parent.wait()
        until(lambda: not Path(f"/proc/{worker}/cmdline").exists())


def test_what_keeps_a_worker_from_starting_is_told(office: Office) -> None:
    office.file("passphrase", "something else entirely\n")
    result = office.run("serve", "--port", "0", "--workers", "1")
    refused(result, "口令错误", "passphrase is wrong")


def test_several_workers_on_sqlite_are_refused(office: Office) -> None:
    result = office.run("serve", "--port", "0", "--workers", "2")
    refused(result, "须用 PostgreSQL", "needs PostgreSQL")


@pytest.fixture
def unix_path(office: Office) -> Iterator[Path]:
    path = office.folder / "s"
    assert len(str(path)) < 100
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("more", [[], ["--workers", "1"]])
def test_a_unix_socket_serves_a_proxy_of_its_group(
    office: Office, unix_path: Path, more: list[str]
) -> None:
    # One that a killed process left behind.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(unix_path))
    arguments = ("serve", "--uds", str(unix_path), "--metrics", "0", *more)
    with started(office, *arguments) as (parent, _):
        assert unix_path.stat().st_mode & 0o777 == 0o660
        transport = httpx2.HTTPTransport(uds=str(unix_path))
        with httpx2.Client(transport=transport, base_url="http://sscard") as http:
            assert http.get("/readyz").json() == {"status": "ready"}
        refused(office.run("serve", "--uds", str(unix_path)), "不能使用套接字", "can't be used")
        code, said = stop(parent, signal.SIGTERM)
    assert code == 0, said
    assert not unix_path.exists()


def test_the_numbers_are_for_this_machine_alone(office: Office) -> None:
    with started(office, "serve", "--port", "0", "--metrics", "0") as (process, url):
        at = metrics_address(process)
        assert get(url, "/metrics").status_code == 404
        assert get(at, "/elsewhere").status_code == 404
        evil = {"Host": "evil.example"}
        answer = httpx2.get(f"{at}/metrics", headers=evil, trust_env=False)
        assert answer.status_code == 404
        assert "sscard_requests_total" in get(at, "/metrics").text
        stop(process, signal.SIGTERM)
