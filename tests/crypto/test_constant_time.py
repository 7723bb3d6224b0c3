"""No branch and no memory address depends on a secret: valgrind watches the native core.

The program `control-flow` of crypto/native/leaks marks keys, nonces, plaintexts and expected
tags as undefined bytes, and valgrind reports where one of them decides a jump or an address. It
hides ADX from a program that asks for it and runs it all the same, so the back end is forced, and
the program says which one ran. AVX-512 it does not run at all: of the back end "ifma" it watches
everything but the instructions, which are replaced by plain arithmetic.

Valgrind looks at the paths that ran. It does not know how long an instruction takes: a division
by a public number would pass, so the machine code is searched for divisions, too.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from servers import debian

import crypto._native
from benchmarks.leaks import ROOT, build
from crypto import sm2

CONSEQUENCE = "constant time was not checked"
REPORTED = 99
# What a client request is made of on x86-64: the rotations of rdi, then xchg rbx, rbx.
CLIENT_REQUEST = bytes.fromhex("48c1c703 48c1c70d 48c1c73d 48c1c733 4887db")

OPERATIONS = {
    "generate",
    "load",
    "load-refused",
    "sign",
    "sign-digest",
    "encrypt",
    "decrypt",
    "decrypt-refused",
    "sm4",
    "sm4-once",
    "sm4-card-keys",
    "sm4-wrapped-keys",
    "sm4-gcm",
    "sm4-gcm-refused",
    "hmac",
    "hmac-verify",
    "kdf",
}
PLANTED = ("branch", "load", "store", "comparison")

# Every place that tells a secret's consequence, and what the caller learns by it.
GIVEN_AWAY = {
    "hmac.rs verify": "whether the tag is right",
    "residue.rs from_bytes": "whether a key or a drawn nonce is below n",
    "sm2/encryption.rs decrypt": "whether the ciphertext is right",
    "sm2/encryption.rs encrypt_under": "C1; whether the key stream is all zeros: another nonce",
    "sm2/nonce.rs in_range": "whether a drawn nonce is 0: another one",
    "sm2/private_key.rs from_scalar": "the public key; whether a key is 0 or n-1",
    "sm2/private_key.rs sign_under": "r and s; whether one, or r + k, is 0: another nonce",
    "sm4/gcm.rs open": "whether the tag is right",
}

OF_LANES = {"lanes/mod.rs known": "whether k met a special case, as one in 2^250 may"}


@dataclass(frozen=True)
class Watched:
    """What one run under valgrind said."""

    code: int
    back_end: str
    # For each operation, whether its answer was right and how many errors valgrind had.
    operations: dict[str, tuple[str, int]]
    given_away: set[str]
    reports: str


@cache
def valgrind() -> str:
    """The path of valgrind; installs it first where it is absent and this process may."""
    if shutil.which("valgrind") is None:
        debian.install("valgrind", "libc6-dbg", consequence=CONSEQUENCE)
    return shutil.which("valgrind") or debian.unavailable(f"{CONSEQUENCE}: valgrind did not come")


def watch(program: Path, back_end: str, *names: str) -> Watched:
    done = subprocess.run(
        [valgrind(), "--quiet", f"--error-exitcode={REPORTED}", program, *names],
        env={**os.environ, "SSCARD_SM2_BACKEND": back_end},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    assert ["watched", "true"] in lines, done.stderr
    return Watched(
        done.returncode,
        next(values[0] for word, *values in lines if word == "backend"),
        {v[0]: (v[1], int(v[2])) for word, *v in lines if word == "operation"},
        {function_at(v[0], int(v[1])) for word, *v in lines if word == "given-away"},
        done.stderr,
    )


def function_at(file: str, line: int) -> str:
    """The file and the function that a line of the native core is in."""
    above = (ROOT / file).read_text().splitlines()[:line]
    names = (found[1] for text in reversed(above) if (found := re.search(r"\bfn (\w+)", text)))
    return f"{file.removeprefix('crypto/native/sm/src/')} {next(names)}"


@pytest.fixture(scope="module")
def program() -> Path:
    return build("control-flow")


@pytest.fixture(params=["portable", "adx", "ifma"])
def back_end(request: pytest.FixtureRequest) -> str:
    param: str = request.param
    needed = "adx" if param == "ifma" else param
    if needed not in sm2.available_backends():
        pytest.skip(f"this processor can't run the back end {needed}")
    return param


def test_no_secret_decides_a_branch_or_an_address(program: Path, back_end: str) -> None:
    watched = watch(program, back_end)
    print(f"{back_end}: {len(watched.operations)} operations")
    print("given away:", *sorted(watched.given_away), sep="\n  ")
    assert watched.code == 0, watched.reports
    assert watched.back_end == back_end
    assert watched.operations == dict.fromkeys(OPERATIONS, ("true", 0))
    assert watched.given_away == set(GIVEN_AWAY) | (set(OF_LANES) if back_end == "ifma" else set())


def test_every_planted_leak_is_reported(program: Path) -> None:
    watched = watch(program, "portable", *(f"planted-{leak}" for leak in PLANTED))
    assert watched.code == REPORTED
    for leak in PLANTED:
        answer, errors = watched.operations[f"planted-{leak}"]
        assert (answer, errors > 0) == ("true", True), leak
        assert f"planted::{leak}" in watched.reports


def test_no_instruction_divides(program: Path) -> None:
    # The time of a division depends on what is divided, on most processors.
    assert "division" in "".join(divisions(program, "control_flow7planted"))
    module = Path(crypto._native.__file__)
    assert functions(module, "sscard_sm"), "the module's functions have no names"
    assert divisions(module, "sscard_sm", "_native") == set()


def functions(binary: Path, crate: str) -> set[str]:
    """The functions of this crate, by their names for the linker."""
    return {name for name, _ in instructions(binary) if crate in name}


def divisions(binary: Path, *crates: str) -> set[str]:
    """The functions of these crates, by their names for the linker, that divide."""
    return {
        function
        for function, line in instructions(binary)
        if re.search(r"\t[us]?i?div[bwlq]?\b", line) and any(name in function for name in crates)
    }


def instructions(binary: Path) -> Iterator[tuple[str, str]]:
    """Each instruction with its function."""
    listing = subprocess.run(
        ["objdump", "--disassemble", "--no-show-raw-insn", binary],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    function = ""
    for line in listing.splitlines():
        if start := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            function = start[1]
        else:
            yield function, line


def test_the_delivered_module_makes_no_requests_to_valgrind(program: Path) -> None:
    if os.uname().machine == "x86_64":
        assert CLIENT_REQUEST in program.read_bytes()
    module = crypto._native.__file__
    assert CLIENT_REQUEST not in Path(module).read_bytes()


@pytest.mark.parametrize("package", ["sscard-sm-py", "sscard-codes-py"])
def test_what_inspects_is_in_nothing_that_is_delivered(package: str) -> None:
    assert features_of_the_core("sscard-sm-leaks", "--all-features") == (
        "emulation,inspection,secrecy-check"
    )
    assert features_of_the_core(package) == ""


def features_of_the_core(package: str, *options: str) -> str:
    """The features that a package opens in sscard-sm, with commas between."""
    command = ["cargo", "tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]
    listing = subprocess.run(
        [*command, "--package", package, "--edges", "normal", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = (line.partition("|") for line in listing.splitlines())
    return next(features for name, _, features in found if name.startswith("sscard-sm v"))
