"""The figures of all benchmarks, in build/bench/bench.json; those of time leaks in timing.json."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks import libcrypto
from crypto import sm2

PATH = Path(__file__).parent.parent / "build" / "bench" / "bench.json"
TIMING_PATH = PATH.with_name("timing.json")
LIBRARIES = ("cryptography", "tongsuopy", "gmssl-pyx", "gmssl")


@dataclass(frozen=True)
class Figure:
    """One measured value, and what else was measured in the same run."""

    value: float
    unit: str
    yardsticks: dict[str, float] = field(default_factory=dict)


def machine() -> dict[str, object]:
    """What was measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES}
        | {"libcrypto": _libcrypto_version()},
    }


def write(figures: dict[str, Figure], path: Path = PATH) -> None:
    """Put figures into the file, by id, beside those of other benchmarks."""
    known = json.loads(path.read_text())["figures"] if path.is_file() else {}
    known |= {name: asdict(figure) for name, figure in figures.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), "figures": known}, indent=1) + "\n")


def by_back_end(module: str, titles: Mapping[str, str]) -> None:
    """Measure under each back end that the processor has, print, write.

    module: prints what it measured as one line of JSON; runs in a process of its own each time.
    titles: of its figures, by id.
    """
    for name, value in machine().items():
        print(f"{name}: {value}")
    for back_end in sm2.available_backends():
        figures = _measure(module, back_end)
        print(f"\n== back end: {back_end}")
        for name, title in titles.items():
            show(title, figures[name])
        write({f"{name}.{back_end}": figure for name, figure in figures.items()})


def _measure(module: str, back_end: str) -> dict[str, Figure]:
    answer = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, "SSCARD_SM2_BACKEND": back_end},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(answer.stdout)
    if told["back_end"] != back_end:
        raise RuntimeError(f"{told['back_end']} was measured, not {back_end}")
    return {name: Figure(**figure) for name, figure in told["figures"].items()}


def tell(figures: Mapping[str, Figure]) -> None:
    """Print the figures of this process's back end for `by_back_end`."""
    told = {name: asdict(figure) for name, figure in figures.items()}
    print(json.dumps({"back_end": sm2.backend(), "figures": told}))


def show(title: str, figure: Figure) -> None:
    """Print a figure, its yardsticks, and how many times as long they take."""
    print(f"\n{title}")
    print(f"  {'sscard':<28}{figure.value:>10.2f} {figure.unit}")
    for name, value in sorted(figure.yardsticks.items(), key=lambda item: item[1]):
        print(f"  {name:<28}{value:>10.2f} {figure.unit}{value / figure.value:>9.2f}x")


def _libcrypto_version() -> str:
    try:
        text: bytes = libcrypto.load().OpenSSL_version(0)
    except OSError:
        return "not there"
    return text.decode()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith(("model name", "Hardware")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
