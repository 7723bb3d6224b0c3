"""SQLite under a power loss: what was acknowledged is there, and the file is sound.

The harness shows losses with the settings that don't keep the promise, so it can see them.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from bureau import BOX_WRAP_KEY, Bureau, Clock, SeededBytes, make_cipher, make_grants
from power_loss import Disk, driver
from servers.databases import SQLiteDatabases
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from card_core.errors import StoreError
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.store import Store, audit, open_store, outbox

# Writes and syncs of the acts of one run; the power goes at one of them.
PLACES = 450
ACTS_MAX = 12


@dataclass
class Told:
    """What somebody has heard before the power went."""

    acts: list[int] = field(default_factory=list)  # numbers of their events
    scans: list[str] = field(default_factory=list)


@dataclass
class Found:
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0
    cut_off: int = 0

    def __iadd__(self, other: "Found") -> "Found":
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def kernel_on(store: Store, clock: Clock) -> Kernel:
    return Kernel(
        store,
        clock=clock,
        random_bytes=SeededBytes(b"power"),
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )


def work(bureau: Bureau, told: Told) -> None:
    """Acts and scans, one after the other, each noted when its answer is there."""
    person = bureau.person()
    for number in range(ACTS_MAX // 3):
        for act in (ReportTemporaryLoss, WithdrawTemporaryLoss):
            bureau.perform(act(person.card_id), person.actor)
            with bureau.store.read() as tx:
                told.acts.append(outbox.last(tx, "bureau"))
        code = bureau.minter.mint(person.holder_id).text
        told.scans.append(bureau.scan(code)["scan_id"])
        bureau.clock.advance(number)


def crash(
    databases: SQLiteDatabases, folder: Path, seed: int, patch: pytest.MonkeyPatch, mode: str
) -> Found:
    """One run until the power goes, and what is found when it is back."""
    rng, told, clock = Random(seed), Told(), Clock()
    folder.mkdir()
    url = databases.fresh(folder, with_bureau=True)
    disk = Disk(f"disk-{mode}-{seed}", dies_at=rng.randrange(PLACES))
    with driver(disk, synchronous=mode) as module, patch.context() as patched:
        patched.setattr(SQLiteDialect_pysqlite, "import_dbapi", lambda: module)
        store = open_store(url, cipher=make_cipher())
        with suppress(StoreError):
            work(databases.bureau.on(kernel_on(store, clock), clock), told)
        disk.is_dead = True
        store.close()
    for path, content in disk.after_power_loss(rng):
        Path(path).write_bytes(content)
    Path(f"{folder}/bureau.db-shm").unlink(missing_ok=True)
    return look(url, told)


def look(url: str, told: Told) -> Found:
    """With the product's own engine, on the files that were left."""
    found = Found(acknowledged=len(told.acts) + len(told.scans))
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        try:
            (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError:
            sound = "no"
    connection.close()
    if sound != "ok":
        return Found(found.acknowledged, found.acknowledged, corrupt=1)
    store = open_store(url, cipher=make_cipher())
    with store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        last = outbox.last(tx, "bureau")
        there = {
            one
            for one in told.scans
            if tx.run("SELECT 1 FROM scans WHERE id = ?", (one,)).fetchone()
        }
        audit.verify_rows(tx)
        audit.verify_scans(tx)
    store.close()
    found.lost = sum(seq > last for seq in told.acts) + len(told.scans) - len(there)
    found.cut_off = int(found.acknowledged < ACTS_MAX)
    return found


@pytest.fixture
def run(
    sqlite_databases: SQLiteDatabases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, str], Found]:
    def many(seeds: int, mode: str) -> Found:
        total = Found()
        for seed in range(seeds):
            total += crash(sqlite_databases, tmp_path / f"{mode}-{seed}", seed, monkeypatch, mode)
        return total

    return many


@pytest.mark.parametrize("seeds", [15, pytest.param(1000, marks=pytest.mark.long)])
def test_nothing_that_was_acknowledged_is_lost(
    run: Callable[[int, str], Found], seeds: int
) -> None:
    found = run(seeds, "FULL")
    assert found.acknowledged > 3 * seeds, found
    # The power went in the middle of the work mostly.
    assert found.cut_off > 0.6 * seeds, found
    assert (found.lost, found.corrupt) == (0, 0)


@pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
def test_the_harness_sees_the_losses_of_other_settings(
    run: Callable[[int, str], Found], mode: str
) -> None:
    assert run(12, mode).lost > 12
