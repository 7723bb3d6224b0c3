"""`make bench-scan`: S1 to S5 beside their yardsticks, and build/bench/bench-scan.json.

    python -m benchmarks.bench_scan [--rounds 3] [--seconds 2] [--only sqlite|postgresql]

All contenders run at once, each on the servers' core, and have their turns one after the other;
README.md says how to read the figures.
"""

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_scan import commits, postgresql
from benchmarks.bench_scan.bureau import founded
from benchmarks.bench_scan.processes import SSCARD, Server, build_load, load, serving
from benchmarks.bench_scan.requests import CONSUME, IDENTIFY, Kind, Press, write
from benchmarks.report import PATH, Figure, machine
from benchmarks.report import write as write_figures

SCAN_PATH = PATH.with_name("bench-scan.json")
CONNECTIONS = (8, 64)
# Codes live 60 s; no more are made than are used while they do.
REQUESTS_MAX = 30_000
YARDSTICKS = {"typed": "FastAPI, typed endpoint, empty", "bare": "ASGI alone, empty"}
PART = 1 / 3
Samples = dict[str, list[float]]


@dataclass
class Field:
    """Everything that runs during one comparison."""

    database: str
    press: Press
    service: Server
    others: Mapping[str, Server]
    folder: Path
    seconds: float
    needed: int = 300

    def scan(self, kind: Kind, connections: int, rate: float | None = None) -> dict[str, Any]:
        """One run against the service, with codes that nobody has seen."""
        wanted = int((rate or self.needed / self.seconds) * self.seconds * 1.5) + connections
        requests = write(
            self.press.requests(kind, min(wanted, REQUESTS_MAX)), self.folder / "scans"
        )
        found = load(
            self.service.address,
            requests,
            connections=connections,
            seconds=self.seconds,
            rate=rate,
        )
        # Where the service is slower than its queue is patient some hear 503; nobody else may.
        answered = found["accepted"] + found["statuses"].get("503", 0)
        if answered != found["sent"]:
            raise RuntimeError(f"a good code was not accepted: {found}")
        self.needed = max(self.needed, int(found["rate"] * self.seconds * 1.3))
        return found

    def other(self, name: str, connections: int, rate: float | None = None) -> dict[str, Any]:
        """One run against a yardstick, with the requests that the service got last."""
        return load(
            self.others[name].address,
            self.folder / "scans",
            connections=connections,
            seconds=self.seconds,
            rate=rate,
            repeat=True,
        )


@contextmanager
def on(database: str, seconds: float) -> Iterator[tuple[Field, str | None]]:
    """The service over an installation on this database, and the yardsticks beside it."""
    with ExitStack() as stack:
        url = None
        if database == "postgresql":
            where = postgresql.binaries()
            if where is None:
                raise RuntimeError("PostgreSQL is not installed")
            url = stack.enter_context(postgresql.running(where))
        ground = stack.enter_context(founded(url))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-bench-")))
        command = (SSCARD, "serve", "--port", "0")
        service = stack.enter_context(serving(*command, environment=ground.environment))
        others = {
            name: stack.enter_context(
                serving(sys.executable, "-m", "benchmarks.bench_scan.yardsticks", name)
            )
            for name in YARDSTICKS
        }
        yield Field(database, Press(ground), service, others, folder, seconds), url


def measure(field: Field, url: str | None, rounds: int) -> dict[str, Figure]:
    """Rates, interleaved; then latencies at a third of them; then memory."""
    samples: Samples = defaultdict(list)
    for kind in (IDENTIFY, CONSUME):
        field.scan(kind, max(CONNECTIONS))
    for _ in range(rounds):
        for connections in CONNECTIONS:
            for kind in (IDENTIFY, CONSUME):
                found = field.scan(kind, connections)
                samples[f"{kind.name}.{connections}"].append(found["good_rate"])
                samples[f"{kind.name}.{connections}.p99"].append(found["good"]["p99_us"] / 1000)
            for name in field.others:
                samples[f"{name}.{connections}"].append(field.other(name, connections)["rate"])
        samples["commits"].append(_commits(field.database, url, field.seconds))
    median = {name: statistics.median(values) for name, values in samples.items()}
    for kind in (IDENTIFY, CONSUME):
        _latencies(field, kind, median[f"{kind.name}.64"] * PART, rounds, median)
    memory = field.service.memory_mib()
    return _figures(field.database, median, memory)


def _latencies(
    field: Field, kind: Kind, rate: float, rounds: int, median: dict[str, float]
) -> None:
    found: Samples = defaultdict(list)
    for _ in range(rounds):
        runs = {kind.name: field.scan(kind, max(CONNECTIONS), rate)}
        runs |= {name: field.other(name, max(CONNECTIONS), rate) for name in field.others}
        for name, run in runs.items():
            for part in ("p50", "p99", "p999"):
                found[f"{kind.name}.open.{name}.{part}"].append(run["good"][f"{part}_us"] / 1000)
    median |= {name: statistics.median(values) for name, values in found.items()}
    median[f"{kind.name}.open.rate"] = rate


def _commits(database: str, url: str | None, seconds: float) -> float:
    if url is None:
        return commits.sqlite_commits(seconds)
    return commits.postgresql_commits(url, seconds)


def _figures(
    database: str, median: Mapping[str, float], memory: Mapping[str, float]
) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    one_row = f"{database}, commits of one row"
    for connections in CONNECTIONS:
        empty = {text: median[f"{name}.{connections}"] for name, text in YARDSTICKS.items()}
        figures[f"S1.{connections}.{database}"] = Figure(
            round(median[f"identify.{connections}"], 1), "scans/s", empty
        )
        figures[f"{_consume(database)}.{connections}"] = Figure(
            round(median[f"consume.{connections}"], 1), "scans/s", {one_row: median["commits"]}
        )
    figures[f"{_consume(database)}.64.p99"] = Figure(round(median["consume.64.p99"], 2), "ms")
    for kind, name in ((IDENTIFY, "S2"), (CONSUME, "S2c")):
        for part in ("p50", "p99", "p999"):
            beside = {
                text: round(median[f"{kind.name}.open.{other}.{part}"], 3)
                for other, text in YARDSTICKS.items()
            }
            value = round(median[f"{kind.name}.open.{kind.name}.{part}"], 3)
            figures[f"{name}.{part}.{database}"] = Figure(value, "ms", beside)
        rate = round(median[f"{kind.name}.open.rate"], 1)
        figures[f"{name}.rate.{database}"] = Figure(rate, "scans/s")
    figures[f"S5.{database}"] = Figure(memory["rss"], "MiB", {"of which its own": memory["pss"]})
    return figures


def show(name: str, figure: Figure) -> None:
    """Print a figure and its yardsticks, and which part of each yardstick it is."""
    print(f"\n{name}: {figure.value:.2f} {figure.unit}")
    for text, value in figure.yardsticks.items():
        print(f"  {text:<32}{value:>12.2f} {figure.unit}{figure.value / value:>9.3f} of it")


def _consume(database: str) -> str:
    return "S3" if database == "postgresql" else "S4.consume"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    build_load()
    for name, value in machine().items():
        print(f"{name}: {value}")
    for database in ("sqlite", "postgresql"):
        if options.only in (None, database):
            print(f"\n== {database}")
            with on(database, options.seconds) as (field, url):
                figures = measure(field, url, options.rounds)
            for name, figure in figures.items():
                show(name, figure)
            write_figures(figures, SCAN_PATH)


if __name__ == "__main__":
    main()
