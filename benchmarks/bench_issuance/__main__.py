"""`make bench-issuance`: I1 to I4 beside their yardsticks, and build/bench/bench-issuance.json.

python -m benchmarks.bench_issuance [--cards 10000 100000 1000000] [--only sqlite|postgresql]
"""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path

from benchmarks.bench_issuance import making, memory, stock, yardsticks
from benchmarks.bench_issuance.people import write_roster
from benchmarks.bench_scan import postgresql
from benchmarks.bench_scan.bureau import PASSPHRASE, Ground, founded
from benchmarks.report import PATH, Figure, machine
from benchmarks.report import write as write_figures
from card_core.store import batches
from issuance import engine
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.cli.roster import today_in_shanghai
from issuance.importing import opened_import
from issuance.roster import check_stream, open_roster
from issuance.settings import Settings

ISSUANCE_PATH = PATH.with_name("bench-issuance.json")
ROSTER_ROWS = 100_000
RESUME_CARDS = 20_000
POLL_SECONDS = 0.02
RESUME_SECONDS_MAX = 120.0


def roster_rate() -> dict[str, Figure]:
    """I1: rows read, normalised and validated, beside the same file read with no checks."""
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        path = Path(folder) / "roster.csv"
        write_roster(path, ROSTER_ROWS)
        began = time.perf_counter()
        with open_roster(path) as roster:
            report = check_stream(roster, today=today_in_shanghai(), take=lambda _: None)
        checked = ROSTER_ROWS / (time.perf_counter() - began)
        if len(report.accepted) != ROSTER_ROWS:
            raise RuntimeError(f"good rows were refused: {report.refused[:1]}")
        began = time.perf_counter()
        with path.open(encoding="gb18030", newline="") as file:
            rows = sum(1 for _ in csv.reader(file)) - 1
        read = rows / (time.perf_counter() - began)
    return {"I1": Figure(round(checked), "rows/s", {"read with no checks": round(read)})}


def released(ground: Ground, first: int, count: int) -> tuple[str, dict[str, Figure]]:
    """A batch of so many people, approved; how fast its roster came in and was released."""
    kernel, staff = ground.site.kernel, ground.staff
    with tempfile.TemporaryDirectory(prefix="sscard-bench-") as folder:
        path = Path(folder) / "roster.csv"
        write_roster(path, count, first)
        memory.forget()
        began = time.perf_counter()
        with opened_import(kernel, name=f"of {count}", actor=staff["maker"]) as importing:
            found = importing.take_file(path, today=today_in_shanghai())
            imported = importing.close(found)
        import_rate = count / (time.perf_counter() - began)
    if imported.batch_id is None or imported.accepted != count:
        raise RuntimeError(f"{imported.accepted} of {count} were accepted")
    with ground.site.store.read() as tx:
        batch = find_batch(tx, imported.batch_id)
        approval = release_approval(tx, batch)
    importing_memory = memory.most_mib(os.getpid())
    began = time.perf_counter()
    kernel.approve(
        approval.id,
        content_hash=approval.content_hash,
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    figures = {
        "import": Figure(round(import_rate), "rows/s"),
        "import.memory": Figure(round(importing_memory), "MiB"),
        "release": Figure(round(count / (time.perf_counter() - began)), "rows/s"),
    }
    return imported.batch_id, figures


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
    batch_id, figures = released(ground, first, count)
    memory.forget()
    with pool_for(ground, count) as pool:
        began = time.perf_counter()
        after = engine.issue(
            pool,
            ground.site.store,
            batch_id,
            actor=ground.staff["maker"],
            progress=lambda _done, _all: None,
        )
        times = {"issue": time.perf_counter() - began}
        if after.issued != count:
            raise RuntimeError(f"{after.issued} of {count} were issued")
        times |= making.made(pool, ground, batch_id, count)
        rate = count / (time.perf_counter() - began)
        figures |= {what: Figure(round(took, 2), "s") for what, took in times.items()}
        figures["issue.memory"] = Figure(round(memory.most_mib(os.getpid())), "MiB")
        for number, child in enumerate(memory.children(), 1):
            figures[f"worker{number}.memory"] = Figure(round(memory.most_mib(child)), "MiB")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        stored = (
            apart.submit(
                yardsticks.sqlite_inserts,
                Path(ground.environment["SSCARD_HOME"]) / "sscard.db",
                batch_id,
            )
            if url is None
            else apart.submit(yardsticks.postgresql_copy, url, batch_id)
        ).result()
    name = f"I2.{database}.{count}"
    only = "the same rows, stored" if url is None else "COPY of the same rows"
    return {
        name: Figure(round(rate), "cards/s", {only: round(stored)}),
        **{f"{name}.{what}": figure for what, figure in figures.items()},
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
            found = issue_rate(database, ground, url, first, size)
            for name, figure in found.items():
                show(name, figure)
            figures |= found
            first += size
        figures |= resume_seconds(database, ground, first)
        first += RESUME_CARDS
        # Last: a stock comes in as a whole, and what it leaves in this process would count above.
        for size in sizes:
            with pool_for(ground, size) as pool:
                found = stock.take_over_rate(database, ground, pool, first, size)
            for name, figure in found.items():
                show(name, figure)
            figures |= found
            first += size
    return figures


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
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
