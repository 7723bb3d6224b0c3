"""The figures of all benchmarks, in build/bench/bench.json; those of time leaks in timing.json."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks import libcrypto

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
