"""The two sample clients, written by docs/integration.md alone, against a sandbox that runs.

Neither shares a line or a library with the project. Every kind of sandbox code is scanned, so that
this also shows that each code is what the sandbox says it is.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bureau import receipt_keys as own_keys
from servers.debian import install, unavailable

from card_core.receipts import write_key_file
from issuance.sandbox import Kind, Place
from tests.stranger.sandbox_service import Front, SandboxService, running_sandbox

SAMPLES = Path(__file__).parents[2] / "scan_api" / "samples"
PYTHON_CLIENT = SAMPLES / "python" / "sscard_client.py"
BOUNCY_CASTLE = Path("/usr/share/java/bcprov.jar")
SCAN_SECONDS_MAX = 120
PATIENCE_SECONDS = 60
VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "wire.json").read_text("ascii")
)


@dataclass(frozen=True)
class Client:
    """One sample client at one enrolled terminal. command: how it is started."""

    command: list[str]
    folder: Path
    serial: str

    def run(self, what: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.command, what, "--folder", str(self.folder), *arguments],
            cwd=self.folder.parent,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            timeout=SCAN_SECONDS_MAX,
            check=False,
        )

    def scan(self, *arguments: str) -> tuple[list[dict[str, Any]], str]:
        """The answers, and what was said beside them."""
        done = self.run("scan", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def moved_to(self, url: str) -> None:
        """From now on this terminal asks there."""
        file = self.folder / "terminal.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"service": url}))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxService]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def receipt_keys(sandbox: SandboxService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bureau hands out, as `sscard receipt keys` does."""
    path = tmp_path_factory.mktemp("keys") / "receipt-keys.json"
    path.write_bytes(write_key_file(own_keys(sandbox.sandbox.site.store)))
    return path


@pytest.fixture(scope="module", params=["python", "java"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if request.param == "python":
        return [sys.executable, "-I", str(PYTHON_CLIENT)]
    return built_java(tmp_path_factory.mktemp("java"))


def built_java(out: Path) -> list[str]:
    """The Java client, compiled, and how it is started."""
    if shutil.which("javac") is None or not BOUNCY_CASTLE.exists():
        install(
            "default-jdk-headless", "libbcprov-java", consequence="the Java client is not tested"
        )
    javac = shutil.which("javac") or unavailable("the Java client is not tested: no javac")
    sources = sorted(str(path) for path in (SAMPLES / "java").glob("*.java"))
    options = ["-Xlint:all,-path,-deprecation", "-Werror", "-encoding", "UTF-8", "--release", "17"]
    built = subprocess.run(
        [javac, *options, "-cp", str(BOUNCY_CASTLE), "-d", str(out), *sources],
        capture_output=True,
        text=True,
        timeout=SCAN_SECONDS_MAX,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    java = str(Path(javac).with_name("java"))
    quick = ["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dfile.encoding=UTF-8"]
    quick += ["-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8"]
    return [java, *quick, "-cp", f"{out}:{BOUNCY_CASTLE}", "Client"]


@pytest.fixture(scope="module")
def clients(
    command: list[str], sandbox: SandboxService, tmp_path_factory: pytest.TempPathFactory
) -> dict[Place, Client]:
    """One terminal at each place, enrolled by the client itself."""
    found = {}
    for at, place in enumerate(Place):
        serial = f"5a{at:02}{'01' if 'java' in command[0] else '02'}0000000001"
        client = Client(command, tmp_path_factory.mktemp("terminal") / "keys", serial)
        code = sandbox.enrolment_code(serial, place)
        enrolled = client.run(
            "enrol", "--service", f"http://{sandbox.address}", "--serial", serial, "--code", code
        )
        assert enrolled.returncode == 0, enrolled.stderr
        assert "已登记。Enrolled." in enrolled.stdout
        assert (client.folder / "terminal.json").stat().st_mode & 0o077 == 0
        found[place] = client
    return found


@pytest.fixture
def pharmacy(clients: dict[Place, Client]) -> Client:
    return clients[Place.PHARMACY]


def test_it_learns_who_it_is_by_a_token(pharmacy: Client) -> None:
    told = pharmacy.run("terminal")
    assert told.returncode == 0, told.stderr
    assert f"serial_number: {pharmacy.serial}" in told.stdout
    assert "institution_kind: pharmacy" in told.stdout
    assert "02121" in told.stdout


def test_every_kind_of_code_is_answered_as_the_sandbox_says_where_money_moves(
    pharmacy: Client, sandbox: SandboxService, receipt_keys: Path
) -> None:
    made = sandbox.codes()
    answers, said = pharmacy.scan(
        "--business-type",
        "02121",
        "--amount-fen",
        "2350",
        "--twice",
        "--receipt-keys",
        str(receipt_keys),
        *(one.text for one in made),
    )
    assert {one.kind: answer["reason"] for one, answer in zip(made, answers, strict=True)} == {
        one.kind: one.consuming.value for one in made
    }
    # Each was asked twice under one request_id, and nothing was spent twice.
    assert said.count("答复相同 same answer") == len(Kind)
    accepted = [answer for answer in answers if answer["outcome"] == "accepted"]
    assert said.count("凭据有效 receipt valid") == len(accepted) == 2


def test_every_kind_of_code_is_answered_as_the_sandbox_says_where_nothing_moves(
    clients: dict[Place, Client], sandbox: SandboxService
) -> None:
    hospital = clients[Place.HOSPITAL]

    def asked(*kinds: Kind) -> dict[Kind, tuple[str, str]]:
        """Of each kind what the service said, and what the sandbox had said."""
        made = sandbox.codes(*kinds)
        answers, _ = hospital.scan("--business-type", "01101", *(one.text for one in made))
        return {
            one.kind: (answer["reason"], one.identifying.value)
            for one, answer in zip(made, answers, strict=True)
        }

    found = asked()
    # A loss that is reported past the running service closes its fast store for some seconds.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found[Kind.IDENTIFY_ONLY][0] == "show_new_code" and time.monotonic() < deadline:
        found |= asked(Kind.IDENTIFY_ONLY)
    assert set(found) == set(Kind)
    assert all(said == announced for said, announced in found.values()), found


def test_people_read_the_verdict_in_both_languages(
    pharmacy: Client, sandbox: SandboxService
) -> None:
    (expired,) = sandbox.codes(Kind.EXPIRED)
    shown = pharmacy.run("scan", "--business-type", "02121", expired.text).stdout
    assert "拒绝 refused expired" in shown
    assert "动态码已过期 The code has expired" in shown
    assert "请持卡人刷新动态码后重新扫描" in shown


def test_a_lost_answer_is_asked_for_again_and_the_code_is_spent_once(
    pharmacy: Client, sandbox: SandboxService
) -> None:
    (good,) = sandbox.codes(Kind.GOOD)
    with Front(sandbox.address) as front:
        pharmacy.moved_to(front.url)
        front.plan = ["lose", "lose"]
        (answer,), _ = pharmacy.scan("--business-type", "02121", good.text)
    pharmacy.moved_to(f"http://{sandbox.address}")
    assert answer["outcome"] == "accepted"
    assert len(front.seen) == 3
    assert len({body for _, body in front.seen}) == 1
    assert len({signed for signed, _ in front.seen}) == 3


def test_where_no_answer_comes_at_all_nobody_is_accepted(
    pharmacy: Client, sandbox: SandboxService
) -> None:
    (good,) = sandbox.codes(Kind.GOOD)
    with Front(sandbox.address) as front:
        pharmacy.moved_to(front.url)
        front.plan = ["lose"] * 3
        done = pharmacy.run("scan", "--business-type", "02121", good.text)
    pharmacy.moved_to(f"http://{sandbox.address}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "用同一 request_id 再问" in done.stderr


def test_a_clock_that_is_off_is_named_and_learnt(pharmacy: Client, sandbox: SandboxService) -> None:
    """What stands in front names a time of its own; the service then corrects it."""
    (good,) = sandbox.codes(Kind.GOOD)
    wrong = int(time.time()) - 5000
    with Front(sandbox.address, server_time=wrong) as front:
        pharmacy.moved_to(front.url)
        front.plan = ["clock"]
        (answer,), said = pharmacy.scan("--business-type", "02121", good.text)
    pharmacy.moved_to(f"http://{sandbox.address}")
    assert answer["outcome"] == "accepted"
    assert re.search(r"本终端快 500\d 秒。This terminal is 500\d s fast\.", said)
    assert len(front.seen) == 3
    signed_at = int(re.findall(r'time="([0-9]+)"', front.seen[1][0])[0])
    assert wrong <= signed_at <= wrong + 60


@pytest.mark.parametrize("spoiled", ["key", pytest.param("state", marks=pytest.mark.long)])
def test_a_verdict_whose_receipt_no_believed_key_signed_is_not_relied_on(
    pharmacy: Client, sandbox: SandboxService, receipt_keys: Path, tmp_path: Path, spoiled: str
) -> None:
    keys = json.loads(receipt_keys.read_text())
    (key,) = keys["keys"]
    key |= (
        {"public_key": VECTORS["stranger"]["public_key"]}
        if spoiled == "key"
        else {"state": "revoked"}
    )
    other = tmp_path / "other-keys.json"
    other.write_text(json.dumps(keys))
    (good,) = sandbox.codes(Kind.GOOD)
    done = pharmacy.run("scan", "--business-type", "02121", "--receipt-keys", str(other), good.text)
    assert (done.returncode, done.stdout) == (1, "")
    assert "不予采信" in done.stderr


def test_the_clients_share_nothing_with_the_project() -> None:
    tree = ast.parse(PYTHON_CLIENT.read_text())
    roots = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else map(_name, node.names))
        if name
    }
    assert roots - sys.stdlib_module_names == {"gmssl_pyx"}
    imports = {
        line.split()[1]
        for path in (SAMPLES / "java").glob("*.java")
        for line in path.read_text().splitlines()
        if line.startswith("import ")
    }
    assert all(name.startswith(("java.", "org.bouncycastle.")) for name in imports)


def _name(alias: ast.alias) -> str:
    return alias.name


def test_the_python_client_signs_the_bytes_of_the_wire_vectors() -> None:
    namespace: dict[str, Any] = {"__name__": "sscard_client"}
    source = compile(PYTHON_CLIENT.read_text(), str(PYTHON_CLIENT), "exec")
    exec(source, namespace)  # noqa: S102 - a script of ours, in no package
    for one in VECTORS["signed_requests"]:
        if one["code"] is None:
            _, method, target, at, nonce, *_ = one["to_be_signed"].split("\n")
            made = namespace["request_bytes"](method, target, at, nonce, one["body"].encode())
            assert made == one["to_be_signed"].encode()
