"""`sscard serve` as a process of its own, for journeys with real load and real signals."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_scan import processes
from benchmarks.bench_scan.requests import Kind, Press, write

SSCARD = Path(sys.executable).with_name("sscard")
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 30


@dataclass(frozen=True)
class Running:
    """A service that answers. log_file: its standard error."""

    process: "subprocess.Popen[str]"
    address: str
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(STOP_SECONDS_MAX)

    def memory_mib(self) -> float:
        rollup = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+([0-9]+) kB", rollup, re.MULTILINE)
        assert found
        return int(found[1]) / 1024


@contextmanager
def serving(
    folder: Path, environment: Mapping[str, str], *options: str, command: str = "serve"
) -> Iterator[Running]:
    """Start it on a free port; killed at the end if it is still there. command: or `console`."""
    log_file = folder / ("service.log" if command == "serve" else f"{command}.log")
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [SSCARD, command, "--port", "0", *options],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    watchdog = threading.Timer(START_SECONDS_MAX, process.kill)
    watchdog.start()
    with process:
        try:
            found = None
            for line in process.stdout or ():
                if found := re.search(r"http://([0-9.:]+)", line):
                    break
            watchdog.cancel()
            assert found, log_file.read_text()
            yield Running(process, found[1], log_file)
        finally:
            watchdog.cancel()
            process.kill()


class Load:
    """Scans that are sent by the load generator, each with a code that nobody has seen."""

    def __init__(self, press: Press, folder: Path) -> None:
        self._press = press
        self._file = folder / "requests"
        processes.build_load()

    def run(
        self,
        service: Running,
        kind: Kind,
        *,
        connections: int,
        seconds: float,
        rate: float | None = None,
        at_most: int = 20_000,
    ) -> dict[str, Any]:
        """Without a rate: as fast as answers come, and at most so many.

        The generator sleeps where it can: awake it would take a core from the service.
        """
        count = int((rate or at_most / seconds) * seconds)
        write(self._press.requests(kind, min(count, at_most)), self._file)
        return processes.load(
            service.address,
            self._file,
            connections=connections,
            seconds=seconds,
            rate=rate,
            sleeps=True,
        )


def until(happened: Callable[[], object], seconds: float) -> bool:
    """Whether it happened in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
