"""The fuzz targets without their engine: the corpus, and inputs from a fixed seed.

The targets themselves are in tests/fuzz; `make fuzz` runs them with the engine.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backends import EMULATION, each_back_end

SEED = 20_260_104
ROOT = Path(__file__).parent.parent.parent
FUZZ = ROOT / "tests" / "fuzz"
MANIFEST = FUZZ / "Cargo.toml"
CORPUS = FUZZ / "corpus"
TARGET_DIR = ROOT / "target" / "fuzz"
HANG_US = 1_000_000
MEMORY_BYTES = 1 << 30
TIMEOUT_SECONDS = 300

TARGETS = sorted(file.stem for file in CORPUS.glob("*.hex"))
# Inputs in a smoke run; a target that verifies several signatures an input has fewer.
RUNS = {"verify": 1500, "verify_batch": 500, "verify_digest": 1500, "sign": 1500, "decrypt": 2000}
RUNS_OTHERWISE = 5_000
# On the other back ends, what touches the curve or has a back end of its own.
RUNS_ELSEWHERE = {"point": 1000, "verify": 1000, "verify_digest": 1000, "decrypt": 1000}
RUNS_ELSEWHERE |= {"sign": 500, "symmetric": 1000}


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.fixture(scope="module")
def smoke() -> Path:
    """The program that runs targets, built for this run."""
    subprocess.run(
        [
            *("cargo", "build", "--release", "--locked", "--quiet", "--bin", "smoke"),
            *("--manifest-path", MANIFEST, "--target-dir", TARGET_DIR),
            *(f"--features={feature}" for feature in EMULATION),
        ],
        check=True,
    )
    return TARGET_DIR / "release" / "smoke"


def run(
    smoke: Path, name: str, runs: int, corpus: Path, backend: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if backend:
        environment["SSCARD_SM2_BACKEND"] = backend
    return subprocess.run(
        [smoke, name, str(SEED), str(runs), corpus],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        preexec_fn=limited,
        check=False,
    )


def figures(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return dict(json.loads(done.stdout))


def test_every_target_has_a_corpus(smoke: Path) -> None:
    listing = subprocess.run([smoke, "list"], capture_output=True, text=True, check=True)
    assert sorted(listing.stdout.split()) == TARGETS
    assert len(TARGETS) >= 8
    assert all((CORPUS / f"{name}.hex").stat().st_size > 0 for name in TARGETS)
    assert sum(file.stat().st_size for file in CORPUS.iterdir()) < 200_000


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_gets_another_answer_than_the_textbooks(smoke: Path, name: str) -> None:
    runs = RUNS.get(name, RUNS_OTHERWISE)
    seen = figures(run(smoke, name, runs, CORPUS / f"{name}.hex"))
    assert seen["executions"] == seen["corpus"] + runs
    assert seen["slowest_us"] < HANG_US
    # A generator that reaches the first refusal only would prove nothing.
    assert {stage for stage, count in seen["reached"].items() if count == 0} == set()


@pytest.mark.parametrize("name", sorted(RUNS_ELSEWHERE))
@pytest.mark.parametrize("backend", each_back_end(emulated=True))
def test_every_back_end_gives_the_textbooks_answers(smoke: Path, name: str, backend: str) -> None:
    runs = RUNS_ELSEWHERE[name]
    seen = figures(run(smoke, name, runs, CORPUS / f"{name}.hex", backend))
    assert seen["backend"] == backend
    assert seen["executions"] == seen["corpus"] + runs


def test_a_fault_is_found_and_its_input_printed(smoke: Path, tmp_path: Path) -> None:
    near = tmp_path / "near.hex"
    near.write_text("3003020105\n")
    done = run(smoke, "planted", 10_000, near)
    assert done.returncode == 1
    assert "the planted fault" in done.stderr
    found = bytes.fromhex(done.stdout.rsplit(": ", 1)[1])
    again = tmp_path / "again.hex"
    again.write_text(f"{found.hex()}\n")
    assert run(smoke, "planted", 0, again).returncode == 1
    assert run(smoke, "planted", 0, near).returncode == 0


@pytest.mark.long
def test_the_textbook_agrees_with_itself() -> None:
    test = ("cargo", "test", "--release", "--locked", "--quiet", "--lib")
    where = ("--manifest-path", MANIFEST, "--target-dir", TARGET_DIR)
    subprocess.run([*test, *where], check=True)


@pytest.mark.long
def test_the_engine_finds_the_planted_fault_and_keeps_its_input() -> None:
    findings = ROOT / "build" / "fuzz" / "findings"
    for file in findings.glob("planted-*"):
        file.unlink()
    done = subprocess.run(
        [sys.executable, FUZZ / "run.py", "--seconds", "60", "planted"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS + 600,
        check=False,
    )
    assert done.returncode == 1
    assert "the planted fault" in done.stdout
    kept = list(findings.glob("planted-*"))
    assert kept
    for file in kept:
        file.unlink()
