"""`make bench-scan`: S1 to S6 beside their yardsticks, and build/bench/bench-scan.json.

    python -m benchmarks.bench_scan [--rounds 3] [--seconds 2] [--only sqlite|postgresql]

All contenders run at once, each on the servers' core, and have their turns one after the other;
README.md says how to read the figures.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_scan import commits, postgresql, redis_server
from benchmarks.bench_scan.bureau import founded
from benchmarks.bench_scan.processes import SSCARD, Server, build_load, load, serving
from benchmarks.bench_scan.requests import CONSUME, IDENTIFY, Kind, Press, write
from benchmarks.report import PATH, Figure, machine
from benchmarks.report import write as write_figures
from card_core.store import scans

SCAN_PATH = PATH.with_name("bench-scan.json")
CONNECTIONS = (8, 64)
# Codes live 60 s; no more are made than are used while they do.
REQUESTS_MAX = 30_000
YARDSTICKS = {"typed": "FastAPI, typed endpoint, empty", "bare": "ASGI alone, empty"}
PART = 1 / 3
REFUSED_MAX = 0.05
RECORDED_SECONDS_MAX = 30.0
SETTLE_SECONDS = 5.0
NAMES = {
    "postgresql": {
        "rate": "S1",
        "times": "S2",
        "consume": "S3",
        "consume times": "S2c",
        "memory": "S5",
    },
    "sqlite": {
        "rate": "S4.identify",
        "times": "S4.identify.open",
        "consume": "S4.consume",
        "consume times": "S4.consume.open",
        "memory": "S4.memory",
    },
}
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
    redis: redis_server.RedisServer | None = None
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
            sleeps=kind is CONSUME,
        )
        # Where the service is slower than its queue is patient some hear 503, and on a machine that
        # stands still for a moment some are asked for a new code. Neither counts in a rate.
        good = found["sent"] - found["statuses"].get("503", 0)
        if found["accepted"] < good * (1 - REFUSED_MAX):
            raise RuntimeError(f"good codes were not accepted: {found}")
        found["good_rate"] *= found["accepted"] / max(1, good)
        self.needed = max(self.needed, int(found["rate"] * self.seconds * 1.3))
        return found

    def other(
        self, name: str, connections: int, rate: float | None = None, *, sleeps: bool = False
    ) -> dict[str, Any]:
        """One run against a yardstick, with the requests that the service got last."""
        return load(
            self.others[name].address,
            self.folder / "scans",
            connections=connections,
            seconds=self.seconds,
            rate=rate,
            repeat=True,
            sleeps=sleeps,
        )


@contextmanager
def on(database: str, seconds: float) -> Iterator[tuple[Field, str | None]]:
    """The service over an installation on this database, and the yardsticks beside it.

    PostgreSQL has Redis beside it on a unix socket; SQLite stands for the embedded default, whose
    fast store is within the process.
    """
    with ExitStack() as stack:
        url = server = None
        if database == "postgresql":
            where = postgresql.binaries()
            if where is None or not redis_server.installed():
                raise RuntimeError("PostgreSQL and Redis are needed, and one is not installed")
            url = stack.enter_context(postgresql.running(where))
            server = stack.enter_context(redis_server.running())
        site = founded(url, SSCARD_REDIS_URL=server.url) if server else founded()
        ground = stack.enter_context(site)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sscard-bench-")))
        command = (SSCARD, "serve", "--port", "0")
        service = stack.enter_context(serving(*command, environment=ground.environment))
        others = {
            name: stack.enter_context(
                serving(sys.executable, "-m", "benchmarks.bench_scan.yardsticks", name)
            )
            for name in YARDSTICKS
        }
        yield Field(database, Press(ground), service, others, folder, seconds, server), url


def measure(field: Field, url: str | None, rounds: int) -> dict[str, Figure]:
    """Rates, interleaved; then latencies at a third of them; then memory."""
    samples: Samples = defaultdict(list)
    # The first run of each kind loads cards and plans statements. The service's fast store takes no
    # code that was minted before it was ready, and a code is made in the second of its scan.
    time.sleep(SETTLE_SECONDS)
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
    figures = _figures(field.database, median, memory)
    figures[f"{NAMES[field.database]['rate']}.recorded"] = _recorded(field)
    if field.redis is not None:
        figures |= _round_trips(field, field.redis)
    return figures


def _recorded(field: Field) -> Figure:
    """How long after the last answer of a full run every scan of it is on record."""
    store = field.press.store

    def count() -> int:
        with store.read() as tx:
            return scans.count(tx)

    before = count()
    found = field.scan(IDENTIFY, max(CONNECTIONS))
    ended = time.monotonic()
    while count() < before + found["accepted"]:
        if time.monotonic() - ended > RECORDED_SECONDS_MAX:
            raise RuntimeError("scans that were accepted are not on record")
        time.sleep(0.005)
    return Figure(round(time.monotonic() - ended, 3), "s", {"promised": 1.0})


def _round_trips(field: Field, server: redis_server.RedisServer) -> dict[str, Figure]:
    """Commands that identifying scans of cards that are loaded send, and memory of a spent code."""
    before = server.calls()
    found = field.scan(IDENTIFY, max(CONNECTIONS))
    after = server.calls()
    sent = {name: number - before.get(name, 0) for name, number in after.items()}
    scripts = sent.get("evalsha", 0)
    return {
        "S6": Figure(round(scripts / found["accepted"], 4), "EVALSHA a scan", {"goal": 1.0}),
        "S6.bytes": Figure(round(server.bytes_a_mark(), 1), "bytes a spent code", {"goal": 70.0}),
    }


def _latencies(
    field: Field, kind: Kind, rate: float, rounds: int, median: dict[str, float]
) -> None:
    found: Samples = defaultdict(list)
    for _ in range(rounds):
        runs = {kind.name: field.scan(kind, max(CONNECTIONS), rate)}
        others, sleeps = field.others, kind is CONSUME
        runs |= {name: field.other(name, max(CONNECTIONS), rate, sleeps=sleeps) for name in others}
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
    names = NAMES[database]
    for connections in CONNECTIONS:
        empty = {text: median[f"{name}.{connections}"] for name, text in YARDSTICKS.items()}
        figures[f"{names['rate']}.{connections}"] = Figure(
            round(median[f"identify.{connections}"], 1), "scans/s", empty
        )
        figures[f"{names['consume']}.{connections}"] = Figure(
            round(median[f"consume.{connections}"], 1), "scans/s", {one_row: median["commits"]}
        )
    figures[f"{names['consume']}.64.p99"] = Figure(round(median["consume.64.p99"], 2), "ms")
    for kind, name in ((IDENTIFY, names["times"]), (CONSUME, names["consume times"])):
        for part in ("p50", "p99", "p999"):
            beside = {
                text: round(median[f"{kind.name}.open.{other}.{part}"], 3)
                for other, text in YARDSTICKS.items()
            }
            value = round(median[f"{kind.name}.open.{kind.name}.{part}"], 3)
            figures[f"{name}.{part}"] = Figure(value, "ms", beside)
        rate = round(median[f"{kind.name}.open.rate"], 1)
        figures[f"{name}.rate"] = Figure(rate, "scans/s")
    figures[names["memory"]] = Figure(memory["rss"], "MiB", {"of which its own": memory["pss"]})
    return figures


def show(name: str, figure: Figure) -> None:
    """Print a figure and its yardsticks, and which part of each yardstick it is."""
    print(f"\n{name}: {figure.value:.2f} {figure.unit}")
    for text, value in figure.yardsticks.items():
        print(f"  {text:<32}{value:>12.2f} {figure.unit}{figure.value / value:>9.3f} of it")


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
