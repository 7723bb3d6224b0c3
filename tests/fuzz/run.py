"""Fuzzes the native core: builds the targets with their engine and runs one after the other.

    python tests/fuzz/run.py [--seconds 60] [--keep] [TARGET ...]

Prints what each run did: inputs executed and the processor time they took, branches of the core
covered, memory, the slowest input, and how often each stage was reached. Ends with 1 when an
input crashed a target, took more than a second or more memory than there should be, or when a
stage was never reached. Such an input is kept under build/fuzz/findings, and the corpus that grew
under build/fuzz/corpus.

--keep merges what grew into the committed corpus: a small set that covers the same.
"""

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COMMITTED = HERE / "corpus"
GROWN = ROOT / "build" / "fuzz" / "corpus"
FINDINGS = ROOT / "build" / "fuzz" / "findings"
LOGS = ROOT / "build" / "fuzz" / "logs"
BINARIES = ROOT / "target" / "fuzz-engine" / "release"

HANG_SECONDS = 1
MEMORY_MIB = 512
INPUT_BYTES_MAX = 700
COMMITTED_BYTES_MAX = 14_000
ENGINE_OVERTIME_SECONDS = 120


@dataclass(frozen=True)
class Run:
    """What one run of a target did."""

    executions: int
    covered: int
    peak_mib: int
    slowest_seconds: int
    cpu_seconds: float
    reached: dict[str, int]
    failed: bool


def build() -> None:
    """Build the targets: the core with the engine's counters, the engine in C++."""
    compiler = os.environ.get("CXX", "c++")
    if shutil.which(compiler) is None:
        sys.exit(f"a C++ compiler is needed for the engine and {compiler} was not found")
    subprocess.run(
        [
            *("cargo", "build", "--quiet", "--release", "--locked"),
            *("--manifest-path", HERE / "Cargo.toml", "--target-dir", BINARIES.parent),
            *("--features", "engine", "--bin", "fuzz"),
        ],
        env={**os.environ, "RUSTC_WRAPPER": str(HERE / "instrumented-rustc")},
        check=True,
    )


def names() -> list[str]:
    """The names of all targets, each of which has a corpus."""
    return sorted(file.stem for file in COMMITTED.glob("*.hex"))


def engine(name: str, *arguments: str | Path, timeout: int | None = None) -> tuple[bool, str]:
    """Run the engine on a target; whether it went well, and what it said."""
    try:
        done = subprocess.run(
            [BINARIES / "fuzz", *arguments],
            env={**os.environ, "SSCARD_FUZZ_TARGET": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return False, (error.stdout or b"").decode(errors="replace")
    return done.returncode == 0, done.stdout.decode(errors="replace")


def committed(name: str) -> Path:
    """The corpus of a target in the repository: one input a line, in hexadecimal digits."""
    return COMMITTED / f"{name}.hex"


def sow(name: str) -> Path:
    """Put the committed corpus among what grew in earlier runs."""
    folder = GROWN / name
    folder.mkdir(parents=True, exist_ok=True)
    if committed(name).exists():
        for line in committed(name).read_text().splitlines():
            data = bytes.fromhex(line)
            (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    return folder


def fuzz(name: str, seconds: int) -> Run:
    """Run one target for so long, or until it fails."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    went_well, log = engine(
        name,
        sow(name),
        f"-max_total_time={seconds}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={INPUT_BYTES_MAX}",
        "-len_control=0",
        "-print_final_stats=1",
        f"-artifact_prefix={FINDINGS}/{name}-",
        timeout=seconds + ENGINE_OVERTIME_SECONDS,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (LOGS / f"{name}.txt").write_text(log)
    reached = re.search(r"^reached: (\{.*\})$", log, re.MULTILINE)
    return Run(
        executions=figure(log, r"number_of_executed_units: +(\d+)"),
        covered=figure(log, r"cov: (\d+)"),
        peak_mib=figure(log, r"peak_rss_mb: +(\d+)"),
        slowest_seconds=figure(log, r"slowest_unit_time_sec: +(\d+)"),
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        reached=json.loads(reached[1]) if reached else {},
        failed=not went_well or reached is None,
    )


def figure(log: str, pattern: str) -> int:
    """The last number of this kind in a log; 0 if there is none."""
    return int([0, *re.findall(pattern, log)][-1])


def report(name: str, run: Run) -> bool:
    """Print a run's figures; whether it was as it should be."""
    print(
        f"{name:16}{run.executions:>10} inputs in {run.cpu_seconds:.0f} s of processor time,"
        f" {run.covered} branches, {run.peak_mib} MiB, slowest {run.slowest_seconds} s"
    )
    for stage, count in run.reached.items():
        print(f"    {count:>12} {stage}")
    missing = [stage for stage, count in run.reached.items() if count == 0]
    if missing:
        print(f"    NEVER REACHED: {', '.join(missing)}")
    if run.failed:
        print(f"    FAILED; the input is kept in {FINDINGS.relative_to(ROOT)}; the log ends:")
        log = (LOGS / f"{name}.txt").read_text()
        marks = r"^.*(?:panicked.*\n.*|left:.*|right:.*|ERROR.*|Test unit.*)$"
        print(re.sub(r"(?m)^", "    ", "\n".join(re.findall(marks, log, re.MULTILINE))))
    sys.stdout.flush()
    return not run.failed and not missing and run.executions > 0


def keep(name: str) -> None:
    """Write the smallest set that covers what the grown corpus covers into the repository."""
    small = GROWN.parent / "small" / name
    shutil.rmtree(small, ignore_errors=True)
    small.mkdir(parents=True)
    went_well, log = engine(name, "-set_cover_merge=1", small, GROWN / name)
    if not went_well:
        sys.exit(log)
    lines = sorted((file.read_bytes().hex() for file in small.iterdir()), key=lambda x: (len(x), x))
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) < COMMITTED_BYTES_MAX:
            kept.append(line)
    COMMITTED.mkdir(exist_ok=True)
    committed(name).write_text("".join(f"{line}\n" for line in kept))
    print(f"{name:16}{len(kept)} of {len(lines)} inputs kept")


def main() -> int:
    """Fuzz the targets that were asked for, or all."""
    parser = argparse.ArgumentParser(description="Fuzz the native core.")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--keep", action="store_true", help="merge into the committed corpus")
    parser.add_argument("target", nargs="*", help="all by default")
    asked = parser.parse_args()
    build()
    all_well = True
    for name in asked.target or names():
        all_well &= report(name, fuzz(name, asked.seconds))
        if asked.keep:
            keep(name)
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
