"""`make bench-issuance`: I1 to I3 beside their yardsticks, and build/bench/bench-issuance.json.

python -m benchmarks.bench_issuance [--cards 10000 100000] [--only sqlite|postgresql]
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bench_issuance import making, yardsticks
from benchmarks.bench_issuance.people import applications, write_roster
from benchmarks.bench_scan import postgresql
from benchmarks.bench_scan.bureau import PASSPHRASE, Ground, founded
from benchmarks.report import PATH, Figure, machine
from benchmarks.report import write as write_figures
from card_core.kernel.acts.batches import ImportRoster
from card_core.store import batches
from issuance import engine
from issuance.batches import new_request_id
from issuance.cli.roster import today_in_shanghai
from issuance.roster import check_roster
from issuance.settings import Settings

ISSUANCE_PATH = PATH.with_name("bench-issuance.json")
ROSTER_ROWS = 50_000
RESUME_CARDS = 20_000
POLL_SECONDS = 0.02
RESUME_SECONDS_MAX = 120.0
MEMORY_EVERY_SECONDS = 0.1


def roster_rate() -> dict[str, Figure]:
    """I1: rows read, normalised and validated, beside the same file read with no checks."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        path = Path(folder) / "roster.csv"
        write_roster(path, ROSTER_ROWS)
        began = time.perf_counter()
        report = check_roster(path, today=today_in_shanghai())
        checked = ROSTER_ROWS / (time.perf_counter() - began)
        if len(report.applications) != ROSTER_ROWS:
            raise RuntimeError(f"good rows were refused: {report.refused[:1]}")
        began = time.perf_counter()
        with path.open(encoding="gb18030", newline="") as file:
            rows = sum(1 for _ in csv.reader(file)) - 1
        read = rows / (time.perf_counter() - began)
    return {"I1": Figure(round(checked), "rows/s", {"read with no checks": round(read)})}


class Memory:
    """The most that this process and its children held at once, looked at now and then."""

    def __init__(self) -> None:
        self.most_mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(MEMORY_EVERY_SECONDS):
            family = [os.getpid(), *_children(os.getpid())]
            self.most_mib = max(self.most_mib, sum(map(_resident_mib, family)))


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _resident_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def released(ground: Ground, first: int, count: int) -> tuple[str, dict[str, float]]:
    """A batch of so many people, approved, and how long it took to import and to release it."""
    people = tuple(applications(first, count))
    kernel, staff = ground.site.kernel, ground.staff
    began = time.perf_counter()
    roster = ImportRoster(f"of {count}", bytes(32), people, 0)
    imported = kernel.perform(roster, actor=staff["maker"], request_id=new_request_id())
    between = time.perf_counter()
    kernel.approve(
        imported["approval_id"],
        content_hash=imported["content_hash"],
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    times = {"import": between - began, "release": time.perf_counter() - between}
    return str(imported["batch_id"]), times


@contextmanager
def pool_for(ground: Ground, count: int) -> Iterator[engine.Pool]:
    """As `sscard batch issue` has it; its processes are up before the clock runs."""
    workers = engine.workers_for(ground.site, -(-count // 500))
    if workers == 1:
        with engine.here(ground.site.kernel) as pool:
            yield pool
        return
    settings = Settings.from_environment(ground.environment)
    with engine.processes(settings, PASSPHRASE.encode(), workers) as pool:
        list(pool.executor.map(time.sleep, [1.0] * workers))
        yield pool


def issue_rate(
    database: str, ground: Ground, url: str | None, first: int, count: int
) -> dict[str, Figure]:
    """I2 for one size of batch: from approved applications to a maker file with a signed record of
    each card, and its parts: cards numbered and stored; records with keys, prepared and signed;
    the file."""
    batch_id, times = released(ground, first, count)
    with pool_for(ground, count) as pool, Memory() as memory:
        began = time.perf_counter()
        after = engine.issue(
            pool,
            ground.site.store,
            batch_id,
            actor=ground.staff["maker"],
            progress=lambda _done, _all: None,
        )
        times["issue"] = time.perf_counter() - began
        if after.issued != count:
            raise RuntimeError(f"{after.issued} of {count} were issued")
        times |= making.made(pool, ground, batch_id, count)
        rate = count / (time.perf_counter() - began)
    stored = (
        yardsticks.sqlite_inserts(Path(ground.environment["SSCARD_HOME"]) / "sscard.db", batch_id)
        if url is None
        else yardsticks.postgresql_copy(url, batch_id)
    )
    name = f"I2.{database}.{count}"
    only = "the same rows, stored" if url is None else "COPY of the same rows"
    return {
        name: Figure(round(rate), "cards/s", {only: round(stored)}),
        f"{name}.memory": Figure(round(memory.most_mib), "MiB"),
        **{f"{name}.{what}": Figure(round(count / took), "rows/s") for what, took in times.items()},
    }


def resume_seconds(database: str, ground: Ground, first: int) -> dict[str, Figure]:
    """I3: from the start of the command after kill -9 to the next chunk's cards."""
    batch_id, _ = released(ground, first, RESUME_CARDS)
    command = (sys.executable, "-m", "benchmarks.bench_issuance.command", batch_id)

    def issued() -> int:
        with ground.site.store.read() as tx:
            return sum(one.size for one in batches.chunks(tx, batch_id) if one.is_issued)

    def until_more_than(cards: int) -> float:
        began = time.monotonic()
        while issued() <= cards:
            if time.monotonic() - began > RESUME_SECONDS_MAX:
                raise RuntimeError("nothing is issued")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    with subprocess.Popen(command, env=ground.environment, start_new_session=True) as killed:
        until_more_than(0)
        os.killpg(killed.pid, signal.SIGKILL)
    before = issued()
    with subprocess.Popen(command, env=ground.environment, start_new_session=True) as again:
        seconds = until_more_than(before)
    if again.returncode or issued() != RESUME_CARDS:
        raise RuntimeError("the batch was not issued to its end")
    return {f"I3.{database}": Figure(round(seconds, 2), "s")}


@contextmanager
def ground_on(database: str) -> Iterator[tuple[Ground, str | None]]:
    with ExitStack() as stack:
        url = None
        if database == "postgresql":
            where = postgresql.binaries()
            if where is None:
                raise RuntimeError("PostgreSQL is needed, and is not installed")
            url = stack.enter_context(postgresql.running(where))
        yield stack.enter_context(founded(url, ecards=0)), url


def show(name: str, figure: Figure) -> None:
    """Print a figure and its yardsticks, and which part of each yardstick it is."""
    print(f"\n{name}: {figure.value:.2f} {figure.unit}")
    for text, value in figure.yardsticks.items():
        print(f"  {text:<32}{value:>12.2f} {figure.unit}{figure.value / value:>9.3f} of it")


def measure(database: str, sizes: list[int]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    with ground_on(database) as (ground, url):
        making.register_maker(ground)
        first = 0
        for size in sizes:
            figures |= issue_rate(database, ground, url, first, size)
            first += size
        figures |= resume_seconds(database, ground, first)
    return figures


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    for name, value in machine().items():
        print(f"{name}: {value}")
    figures = roster_rate()
    for database in ("sqlite", "postgresql"):
        if options.only in (None, database):
            figures |= measure(database, options.cards)
    for name, figure in figures.items():
        show(name, figure)
    write_figures(figures, ISSUANCE_PATH)


if __name__ == "__main__":
    main()
