"""The main job as `make run` starts it: from a roster to an accepted scan, in a real process."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from qr_reading import the_code

SSCARD = Path(sys.executable).with_name("sscard")
SECONDS_MAX = 300


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SSCARD, "demo", "--folder", folder, *arguments],
        env={name: value for name, value in os.environ.items() if not name.startswith("SSCARD_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "demo"


@pytest.fixture(scope="module")
def interrupted(folder: Path) -> tuple[int, str]:
    """How `make run ONCE=1` ends, and what it says last, when it is told to stop on the way."""
    with demo(folder, "--once") as process:
        for line in process.stdout or ():
            if "The maker imports it" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest, _ = process.communicate(timeout=SECONDS_MAX)
    return process.returncode, rest


@pytest.fixture(scope="module")
def said(folder: Path, interrupted: tuple[int, str]) -> str:
    """What `make run ONCE=1` prints, where it was interrupted before."""
    with demo(folder, "--once") as process:
        out, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, out
    return out


def steps(said: str) -> list[str]:
    return [line for line in said.splitlines() if re.match(r" +[0-9]+ [✓✗] ", line)]


def test_every_step_is_ticked_and_timed(said: str) -> None:
    found = steps(said)
    assert [int(line.split()[0]) for line in found] == list(range(1, len(found) + 1))
    assert all(re.search(r"✓ .+ [0-9]+\.[0-9] ms", line) for line in found)
    assert f"All {len(found)} steps" in said


@pytest.mark.parametrize(
    "outcome",
    [
        "The pharmacy scans .* accepted",
        "The same code again .* refused: already_used",
        "One digit altered .* refused: bad_signature",
        "An expired code .* refused: expired",
        "Lost: a fresh code .* refused: card_lost",
        "The maker approves: refused .* same_person",
    ],
)
def test_each_outcome_is_shown(said: str, outcome: str) -> None:
    assert any(re.search(outcome, line) for line in steps(said)), said


def test_what_was_refused_is_shown_with_what_to_do(said: str, folder: Path) -> None:
    assert re.search(r"手机号码 .*The|手机号码 .*This is no mobile number", said)
    report = json.loads((folder / "roster-report.json").read_text())
    accepted, refused = len(report["accepted"]), len(report["refused"])
    # as the sample's people grow older, a few rows change sides
    assert accepted + refused == 600
    assert accepted > 540
    assert re.search(f"Checking the roster .* accepted {accepted}, 退回 refused {refused}", said)
    assert re.search(
        f"Issuing the cards .* {accepted} 张 cards, FS0000001 … FS0000{accepted}", said
    )


def test_the_picture_left_behind_holds_a_code(said: str, folder: Path) -> None:
    with Image.open(folder / "code.png") as image:
        found = the_code(image)
    assert re.fullmatch(r"7406[0-9]{249}", found.text)
    assert said.count("█") > 100


@pytest.fixture
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`make run`, once it says how to stop it."""
    process = demo(folder)
    watchdog = threading.Timer(SECONDS_MAX, process.kill)
    with process:
        watchdog.start()
        out = ""
        for line in process.stdout or ():
            out += line
            if "batch list" in line:
                break
        watchdog.cancel()
        try:
            yield process, out
        finally:
            process.kill()


def value(out: str, name: str) -> str:
    found = re.search(rf"{name} +(\S+)", out)
    assert found is not None, out
    return found[1]


def page_of(url: str) -> str:
    return httpx2.get(url, trust_env=False).text


def both_operators_enter_the_desk(desk: str, folder: Path, *, http_text: str) -> None:
    """By the command that the start page names, as a newcomer would."""
    for name in ("maker", "checker"):
        assert f"{folder / 'desk'} {name}" in http_text
        given = subprocess.run(
            [folder / "desk", name], capture_output=True, text=True, check=True
        ).stdout
        ticket = re.search(r"Ticket: (\S+)", given)
        assert ticket is not None, given
        with httpx2.Client(
            base_url=desk, headers={"Origin": desk.rstrip("/")}, trust_env=False
        ) as http:
            body = {"ticket": ticket[1]}
            assert http.post("/v1/operator/sign-ins/by-ticket", json=body).status_code == 201
            (waiting,) = http.get("/v1/operator/approvals").json()["approvals"]
            assert waiting["is_own"] is (name == "maker")


def test_it_stays_up_until_it_is_stopped_and_leaves_no_process(
    running: tuple[subprocess.Popen[str], str], folder: Path
) -> None:
    process, out = running
    start = value(out, "Start here")
    with httpx2.Client(
        base_url=start, headers={"Origin": start.rstrip("/")}, trust_env=False
    ) as http:
        assert value(out, "Counter") in http.get("/").text
        number = value(out, "Holder's number").partition("（")[0]
        body = {"social_security_number": number, "password": value(out, "Password")}
        assert http.post("/v1/holder/sign-ins", json=body).status_code == 201
        assert http.get("/v1/holder/card").json()["card_state"] == "normal"
        assert "<html" in httpx2.get(value(out, "Counter"), trust_env=False).text

    both_operators_enter_the_desk(value(out, "Desk"), folder, http_text=page_of(start))

    second = subprocess.run(
        [SSCARD, "demo", "--once", "--folder", folder], capture_output=True, text=True, check=False
    )
    assert (second.returncode, "Another demonstration" in second.stderr) == (1, True)

    listed = subprocess.run(
        [SSCARD, "batch", "list", "--operator", "maker"],
        env={
            **os.environ,
            "SSCARD_HOME": str(folder / "home"),
            "SSCARD_KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "issued" in listed.stdout, listed.stderr

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    assert "Stopped" in rest
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(start, trust_env=False)


def test_interrupted_on_the_way_it_ends_at_once(interrupted: tuple[int, str]) -> None:
    code, rest = interrupted
    assert code == 130, rest
    assert "Interrupted" in rest
    assert "Traceback" not in rest
