"""C1 to C4 and C8: SM2, SM3 and SM4 from Python, beside other libraries, for each back end.

    python -m benchmarks.bench_crypto

Prints the figures and writes them to build/bench/bench.json; README.md says how to read them.
"""

import json
import os
import subprocess
import sys

from benchmarks.report import Figure, machine, show, write
from crypto import sm2

TITLES = {
    "C1": "C1 verify, key kept",
    "C1.often": "C1 verify, key met often, by its bytes (KeptKeys)",
    "C1.table": "C1 building the table of a kept key",
    "C2": "C2 verify, key seen for the first time",
    "C2.compressed": "C2 the same, key compressed",
    "C3.kept": "C3 verify in a batch, key kept",
    "C3.different": "C3 verify in a batch, all keys different",
    "C4": "C4 sign",
    "C4.checked": "C4 sign, verified before it leaves",
    "C8.sm3": "C8 SM3 of 64 bytes",
    "C8.sm4": "C8 SM4, one block with its key",
    "C8.sm4-kept": "C8 SM4, one block under a kept key",
}


def measure(back_end: str) -> dict[str, Figure]:
    """Return the figures of one back end, measured in a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.back_end"],
        env={**os.environ, "SSCARD_SM2_BACKEND": back_end},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(answer.stdout)
    if told["back_end"] != back_end:
        raise RuntimeError(f"{told['back_end']} was measured, not {back_end}")
    return {name: Figure(**figure) for name, figure in told["figures"].items()}


def main() -> None:
    """Measure, print, write."""
    for name, value in machine().items():
        print(f"{name}: {value}")
    for back_end in sm2.available_backends():
        figures = measure(back_end)
        print(f"\n== back end: {back_end}")
        for name, title in TITLES.items():
            show(title, figures[name])
        write({f"{name}.{back_end}": figure for name, figure in figures.items()})


if __name__ == "__main__":
    main()
