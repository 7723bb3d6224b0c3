"""`sscard serve` and `sscard terminal`: real processes, real sockets, real signals."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from office import SSCARD, Office, refused

from scan_api.terminal import RequestRefusedError, TerminalClient, TerminalKey

SERIAL = "00000000000000a1"
ANSWER_SECONDS = 10
START_SECONDS_MAX = 180


@contextmanager
def started(office: Office, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command once it says its address; killed at the end if it is still there."""
    process = subprocess.Popen(
        [SSCARD, *arguments],
        env={**os.environ, **office.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(START_SECONDS_MAX, process.kill)
    with process:
        watchdog.start()
        try:
            found = None
            for line in process.stdout or ():
                if found := re.search(r"http://[0-9.:]+", line):
                    break
            assert found is not None, process.stderr and process.stderr.read()
            watchdog.cancel()
            yield process, found[0]
        finally:
            watchdog.cancel()
            process.kill()


def stop(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    return process.returncode, out + err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_service_serves_and_stops_cleanly(office: Office, number: int) -> None:
    with started(office, "serve", "--port", "0") as (process, url):
        with httpx2.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as http:
            assert http.get("/readyz").json() == {"status": "ready"}
            assert http.get("/healthz").status_code == 200
            assert "<html" in http.get("/").text
        code, said = stop(process, number)
    assert code == 0, said
    assert "服务已停止" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_told_and_nothing_is_started(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(office.run("serve", "--port", port), f"端口 {port} 已被", "in use")


def test_a_file_without_an_authority_of_peers_is_told_and_nothing_is_started(
    office: Office,
) -> None:
    for path in (office.folder / "nowhere.pem", office.file("empty.pem", "")):
        result = office.run("serve", "--port", "0", SSCARD_PEER_CA_FILE=str(path))
        refused(result, "无法读取，或其中没有", "holds no CA certificate")


def test_an_address_that_is_not_ours_is_told(office: Office) -> None:
    result = office.run("serve", "--host", "192.0.2.1", "--port", "0")
    refused(result, "不能在 192.0.2.1", "can't be served")


def test_the_log_has_a_line_for_each_request_without_what_was_asked(office: Office) -> None:
    with started(office, "serve", "--port", "0") as (process, url):
        httpx2.get(f"{url}/healthz?number=110101199003070054", trust_env=False)
        _, said = stop(process, signal.SIGTERM)
    assert '"route": "/healthz"' in said
    assert "110101" not in said


@pytest.fixture
def terminal(office: Office) -> list[str]:
    """The options for a terminal with a key."""
    passphrase = office.file("terminal.passphrase", "lantern quay")
    options = ["--folder", str(office.folder / "key"), "--passphrase-file", str(passphrase)]
    office.done("terminal", "init", "--serial", SERIAL, *options)
    return options


def test_a_terminal_key_is_shown_for_enrolment_and_never_made_twice(
    office: Office, terminal: list[str]
) -> None:
    key_files = {path: path.read_bytes() for path in Path(terminal[1]).iterdir()}
    refused(office.run("terminal", "init", *terminal), "已有终端密钥", "terminal key here already")
    assert {path: path.read_bytes() for path in Path(terminal[1]).iterdir()} == key_files
    other = [terminal[0], str(office.folder / "other"), *terminal[2:]]
    shown = office.done("terminal", "init", *other)
    assert re.search(r"Serial number +[0-9a-f]{16}\n", shown)
    assert re.search(r"Public key +0[23][0-9a-f]{64}\n", shown)


def prepared(office: Office) -> str:
    """An enrolment code for the terminal, let out by two people."""
    made = office.done(
        "institution", "designate", "P44060400001", "--name", "药房", operator="wang"
    )
    said = office.done(
        "terminal", "prepare", SERIAL, "--institution", "P44060400001", operator="wang"
    )
    for waiting in (made, said):
        approval = re.findall(r"\b[0-9a-f]{32}\b", waiting)[-1]
        office.done("approval", "approve", approval, "--yes", operator="li")
    return re.findall(r"(?:\w{5}-){3}\w{5}", said)[0]


def outcome_of(url: str, key: TerminalKey) -> str:
    """Whether the service knows this key, or why not."""
    with TerminalClient(url, key) as client:
        try:
            client.describe()
        except RequestRefusedError as error:
            return error.code
    return "known"


def test_a_terminal_enrols_itself_and_later_changes_its_key(
    office: Office, terminal: list[str]
) -> None:
    code = prepared(office)
    passphrase = Path(terminal[3]).read_bytes().rstrip(b"\n")
    with started(office, "serve", "--port", "0") as (process, url):
        asking = ["--service", url, *terminal]
        wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
        mistyped = office.run("terminal", "enrol", "--code", wrong, *asking)
        refused(mistyped, "终端未能登记", "not enrolled")
        assert "已登记" in office.done("terminal", "enrol", "--code", code.lower(), *asking)
        first = TerminalKey.open(Path(terminal[1]), passphrase=passphrase)
        with TerminalClient(url, first) as client:
            assert client.describe()["institution_code"] == "P44060400001"
        assert "旧密钥失效" in office.done("terminal", "rotate-key", *asking)
        second = TerminalKey.open(Path(terminal[1]), passphrase=passphrase)
        assert second.public_key != first.public_key
        for key in (first, second):
            with TerminalClient(url, key) as client:
                assert client.describe()["serial_number"] == SERIAL
        office.done("terminal", "revoke-key", SERIAL, operator="li")
        revoked_at = time.monotonic()
        for key in (first, second):
            while outcome_of(url, key) == "known":
                assert time.monotonic() - revoked_at < ANSWER_SECONDS
            assert outcome_of(url, key) == "not_authenticated"
        stop(process, signal.SIGTERM)


@pytest.mark.parametrize(
    ("what", "drawn", "ended"),
    [
        ("terminal", 'class="counter"', "扫码页面已停止"),
        ("channel", 'class="kiosk"', "服务渠道页面已停止"),
    ],
)
def test_a_machine_serves_its_page_and_stops_cleanly(
    office: Office, terminal: list[str], what: str, drawn: str, ended: str
) -> None:
    with started(office, what, "serve", "--port", "0", *terminal) as (process, url):
        assert drawn in httpx2.get(url, timeout=ANSWER_SECONDS, trust_env=False).text
        code, said = stop(process, signal.SIGINT)
    assert (code, "Traceback" in said) == (0, False)
    assert ended in said


def test_what_a_counter_needs_is_told(office: Office, terminal: list[str]) -> None:
    nowhere = ["--folder", str(office.folder / "none"), *terminal[2:]]
    refused(office.run("terminal", "serve", *nowhere), "终端密钥", "sscard terminal init")
    abroad = ("terminal", "serve", "--service", "http://example.org", *terminal)
    refused(office.run(*abroad), "必须是 https", "must be https")
    wrong = [*terminal[:3], str(office.file("wrong", "something else"))]
    refused(office.run("terminal", "serve", *wrong), "口令错误", "passphrase is wrong")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(office.run("terminal", "serve", "--port", port, *terminal), "已被其他", "in use")


@pytest.mark.parametrize("serial", ["xyz", "00", "0000000000000000"])
def test_a_serial_number_is_eight_bytes_and_not_zero(office: Office, serial: str) -> None:
    passphrase = str(office.file("terminal.passphrase", "lantern quay"))
    folder = str(office.folder / "key")
    result = office.run(
        "terminal", "init", "--serial", serial, "--folder", folder, "--passphrase-file", passphrase
    )
    refused(result, "十六进制", "hex")
    assert not (office.folder / "key").exists()
