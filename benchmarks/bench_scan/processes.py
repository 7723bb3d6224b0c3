"""The servers that are measured on one core, and the load generator on another."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOAD = ROOT / "target" / "release" / "sscard-load"
SSCARD = Path(sys.executable).with_name("sscard")
STOP_SECONDS_MAX = 20


def cores() -> tuple[int, int]:
    """Of the server and of the load; the same one where there is only one."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


@dataclass(frozen=True)
class Server:
    """A server that answers. address: as the load generator takes it."""

    process: subprocess.Popen[str]
    address: str

    def memory_mib(self) -> dict[str, float]:
        """Resident and proportional memory of the process now."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        found = dict(re.findall(r"^(Rss|Pss): +([0-9]+) kB", rollup, re.MULTILINE))
        return {name.lower(): round(int(kib) / 1024, 1) for name, kib in found.items()}


@contextmanager
def serving(*command: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server on the servers' core; it prints an address when it answers."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    os.sched_setaffinity(process.pid, {cores()[0]})
    with process:
        try:
            for line in process.stdout or ():
                if found := re.search(r"http://([0-9.]+:[0-9]+)", line):
                    yield Server(process, found[1])
                    break
            else:
                raise RuntimeError(f"{command} did not start")
        finally:
            process.terminate()
            process.wait(STOP_SECONDS_MAX)


def build_load() -> None:
    """Build the load generator, where it is not built yet."""
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--quiet", "--package", "sscard-load"],
        cwd=ROOT,
        check=True,
    )


def load(
    address: str,
    requests: Path,
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
    repeat: bool = False,
    sleeps: bool = False,
) -> dict[str, Any]:
    """One run of the load generator on the other core; what it found.

    sleeps: requests may go out a millisecond late, and the core is left to others meanwhile.
    """
    options = {"--to": address, "--requests": str(requests)}
    options |= {"--connections": str(connections), "--seconds": str(seconds)}
    options |= {"--rate": str(rate)} if rate else {}
    words = [word for option in options.items() for word in option]
    flags = [*(["--repeat"] if repeat else []), *(["--sleeps"] if sleeps else [])]
    process = subprocess.Popen([LOAD, *words, *flags], stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {cores()[1]})
    out, _ = process.communicate(timeout=seconds + 60)
    if process.returncode:
        raise RuntimeError("the load generator failed")
    found: dict[str, Any] = json.loads(out)
    return found
