"""The back ends of the native core, those that this processor has and the one done without it.

The back end is chosen once in a process, so each gets a child of its own. A script reads JSON from
its standard input and writes JSON, in which `backend` names the back end that really ran.

Where the processor lacks the instructions of "ifma", plain arithmetic can stand in for them: the
core is then built with the feature `emulation`, for tests alone.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from crypto import sm2

ROOT = Path(__file__).parents[2]
AVAILABLE = tuple(sm2.available_backends())
NAMES = ("portable", "adx", "ifma")
EMULATED = "ifma, emulated"
# What a program of Rust is built with, so that it can run "ifma" here; it stands on "adx".
EMULATION = () if "ifma" in AVAILABLE or "adx" not in AVAILABLE else ("sscard-sm/emulation",)
TIMEOUT_SECONDS = 1800


def each_back_end(*, emulated: bool) -> list[ParameterSet]:
    """The names as parameters of a test; one that can't run here is skipped, and says so.

    emulated: the test builds its program with EMULATION.
    """
    able = AVAILABLE + (("ifma",) if emulated and EMULATION else ())
    reason = "not run: this processor has no {}"
    return [
        pytest.param(
            name, marks=() if name in able else pytest.mark.skip(reason=reason.format(name))
        )
        for name in NAMES
    ]


def run_on(backend: str, script: str, given: object = None) -> Any:
    """What the script beside this file writes when it runs on the back end, or on EMULATED."""
    environment = {**os.environ, "SSCARD_SM2_BACKEND": backend}
    if backend == EMULATED:
        environment |= {"SSCARD_SM2_BACKEND": "ifma", "PYTHONPATH": str(emulated_core())}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script))],
        env=environment,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    written = json.loads(done.stdout)
    assert written["backend"] == environment["SSCARD_SM2_BACKEND"]
    print(f"ran on {backend}: {script}")
    return written


@cache
def emulated_core() -> Path:
    """A folder with the package `crypto`, its native core built with EMULATION."""
    target = ROOT / "target" / "emulated"
    command = ["cargo", "build", "--profile", "tested", "--locked", "--quiet"]
    options = ["--package", "sscard-sm-py", "--features", "sscard-sm/emulation"]
    subprocess.run(
        [*command, *options, "--target-dir", target],
        cwd=ROOT,
        env={**os.environ, "PYO3_BUILD_EXTENSION_MODULE": "1", "PYO3_PYTHON": sys.executable},
        check=True,
    )
    folder = target / "python"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        ROOT / "crypto", folder / "crypto", ignore=shutil.ignore_patterns("native", "*.so")
    )
    shutil.copy(target / "tested" / "lib_native.so", folder / "crypto" / "_native.abi3.so")
    return folder
