"""Whether times tell secrets apart: Welch's t for each operation and back end, as dudect does it.

    python -m benchmarks.bench_timing                      # 1.5 seconds for each operation
    python -m benchmarks.bench_timing --samples 1000000    # as before a release; takes minutes

The program `timing` of crypto/native/leaks measures two classes of secrets in turns, chosen at
random, on one core. This prints what it found and writes it to build/bench/timing.json. Nothing
fails on a time; README.md says how to read the figures.
"""

import argparse
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.leaks import build
from benchmarks.measure import pin_to_one_core
from benchmarks.report import TIMING_PATH, Figure, write
from crypto import sm2

SECONDS = "1.5"
FLOOR, CONTROL = "noise floor", "leaky control"
# dudect's own limits: 4.5 is worth a look, 10 is a difference without a doubt.
SUSPECT, CERTAIN = 4.5, 10.0


@dataclass(frozen=True)
class Found:
    """How far the times of two classes are apart, at the cut-off where they are farthest."""

    samples: int
    t: float
    tau: float


@dataclass(frozen=True)
class Report:
    """What one run of the program said."""

    back_end: str
    seed: str
    targets: dict[str, Found]

    @classmethod
    def parse(cls, text: str) -> "Report":
        """Read the program's lines: a word and its values."""
        facts, targets = {}, {}
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "target":
                name, samples, t, tau, _ = rest.rsplit(" ", 4)
                targets[name] = Found(int(samples), float(t), float(tau))
            else:
                facts[word] = rest
        return cls(facts["backend"], facts["seed"], targets)

    def figures(self) -> dict[str, Figure]:
        """The figures by id, each beside the floor and the control of its run."""
        marks = {name: round(abs(self.targets[name].t), 3) for name in (FLOOR, CONTROL)}
        return {
            f"timing.{self.back_end}.{name}": Figure(round(abs(found.t), 3), "|t|", marks)
            for name, found in self.targets.items()
            if name not in marks
        }


def measure(program: Path, back_end: str, limit: tuple[str, str]) -> Report:
    """Run the program on one back end. limit: "seconds" or "samples", and how many."""
    done = subprocess.run(
        [program, *limit],
        env={**os.environ, "SSCARD_SM2_BACKEND": back_end},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Report.parse(done.stdout)


def show(report: Report) -> None:
    """Print each target, and what its |t| means."""
    print(f"\nTiming, back end {report.back_end} (seed {report.seed})")
    for name, found in report.targets.items():
        print(
            f"  {name:<16}{found.samples:>9} samples  |t| {abs(found.t):>8.2f}"
            f"  tau {found.tau:>8.4f}  {meaning(name, found)}"
        )


def meaning(name: str, found: Found) -> str:
    """What a reader should take from a figure."""
    t = abs(found.t)
    if name == CONTROL:
        return "shows, as it must" if t > CERTAIN else "DOES NOT SHOW: this run says nothing"
    if t > CERTAIN:
        return "DIFFERS" if name != FLOOR else "TOO NOISY: this run says nothing"
    return "once more, with more samples" if t > SUSPECT else "no difference seen"


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether times tell secrets apart.")
    parser.add_argument("--samples", type=int, help="for each operation, instead of a time")
    samples = parser.parse_args().samples
    limit = ("seconds", SECONDS) if samples is None else ("samples", str(samples))
    program = build("timing")
    pin_to_one_core()
    figures: dict[str, Figure] = {}
    for back_end in sm2.available_backends():
        report = measure(program, back_end, limit)
        show(report)
        figures |= report.figures()
    write(figures, TIMING_PATH)


if __name__ == "__main__":
    main()
