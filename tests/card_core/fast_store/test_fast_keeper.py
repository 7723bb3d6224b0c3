"""The keeper alone, turn by turn, over marks that are only imagined and a database that is real."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fast_rig import sqlite_kernel
from sqlalchemy import select, update

from card_core.errors import FastStoreAwayError
from card_core.fast_store import Hindrance, layout
from card_core.fast_store.keeper import ACTOR, Keeper
from card_core.fast_store.lease import Lease
from card_core.fast_store.servers import Survey
from card_core.kernel import Kernel
from card_core.kernel.acts.epochs import LEASE_SECONDS, CloseEpoch
from card_core.store import Reader, epochs, schema
from card_core.store.epochs import Epoch, Node

NODE = Node("run1", "master1")


class ImaginedMarks:
    def __init__(self) -> None:
        self.nodes = frozenset({NODE})
        self.hindrance: Hindrance | None = None
        self.away = False
        self.made: list[tuple[str, int, int]] = []

    def survey(self) -> Survey:
        if self.away:
            raise FastStoreAwayError("imagined")
        return Survey(self.nodes, self.hindrance)

    def forget(self) -> None:
        pass

    def make_buckets(self, name: str, since: int, until: int, *, now: float) -> None:
        if self.away:
            raise FastStoreAwayError("imagined")
        self.made.append((name, since, until))

    def close(self) -> None:
        pass


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return sqlite_kernel(tmp_path)


@pytest.fixture
def marks() -> ImaginedMarks:
    return ImaginedMarks()


def settle(keeper: Keeper) -> Lease | None:
    """Turn until there is nothing left to do at once; at most ten times."""
    for _ in range(10):
        if not keeper.turn():
            break
    return keeper.lease


def keeper_on(kernel: Kernel, marks: ImaginedMarks) -> Keeper:
    return Keeper(kernel, marks, monotonic=time.monotonic)


def stored(kernel: Kernel) -> Epoch:
    with kernel.store.read() as tx:
        epoch = epochs.get(tx)
    assert epoch is not None
    return epoch


def test_the_first_buckets_are_made_before_the_epoch_is_open(
    kernel: Kernel, marks: ImaginedMarks
) -> None:
    lease = settle(keeper_on(kernel, marks))
    assert lease is not None
    ((name, since, until),) = marks.made
    assert name.encode() == lease.name
    assert since <= lease.not_before < until == lease.made_until


def test_two_keepers_in_doubt_at_once_agree_on_one_new_epoch(
    kernel: Kernel, marks: ImaginedMarks
) -> None:
    one, other = keeper_on(kernel, marks), keeper_on(kernel, marks)
    first = settle(one)
    assert first is not None
    settle(other)
    for keeper in (one, other):
        keeper.doubt(first.number, "bucket")
        assert keeper.lease is None
    for _ in range(6):
        one.turn()
        other.turn()
    assert one.lease is not None
    assert other.lease is not None
    assert one.lease.number == other.lease.number == first.number + 1
    assert one.lease.name == other.lease.name != first.name


def test_another_server_is_another_epoch(kernel: Kernel, marks: ImaginedMarks) -> None:
    keeper = keeper_on(kernel, marks)
    first = settle(keeper)
    marks.nodes = frozenset({Node("run1", "master2")})
    second = settle(keeper)
    assert first is not None
    assert second is not None
    assert second.number == first.number + 1
    assert second.nodes == marks.nodes


@pytest.mark.parametrize("hindrance", [Hindrance.EVICTS])
def test_an_evicting_server_closes_the_epoch_and_opens_none(
    kernel: Kernel, marks: ImaginedMarks, hindrance: Hindrance
) -> None:
    keeper = keeper_on(kernel, marks)
    settle(keeper)
    marks.hindrance = hindrance
    assert settle(keeper) is None
    assert keeper.hindrance is hindrance
    assert not stored(kernel).is_open


@pytest.mark.parametrize("hindrance", [Hindrance.TAKEN, Hindrance.NOT_MASTER])
def test_a_worker_led_to_the_wrong_place_does_not_disturb_the_others(
    kernel: Kernel, marks: ImaginedMarks, hindrance: Hindrance
) -> None:
    settle(keeper_on(kernel, marks))
    elsewhere = ImaginedMarks()
    elsewhere.hindrance = hindrance
    settle(keeper_on(kernel, elsewhere))
    assert stored(kernel).is_open


def test_a_server_that_is_away_for_a_while_closes_nothing(
    kernel: Kernel, marks: ImaginedMarks
) -> None:
    keeper = keeper_on(kernel, marks)
    first = settle(keeper)
    marks.away = True
    settle(keeper)
    assert keeper.hindrance is Hindrance.AWAY
    marks.away = False
    again = settle(keeper)
    assert first is not None
    assert again is not None
    assert again.number == first.number


def test_a_lease_counts_from_before_the_row_was_read(
    kernel: Kernel, marks: ImaginedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = [100.0]
    keeper = Keeper(kernel, marks, monotonic=lambda: ticks[0])
    settle(keeper)
    slow = epochs.get

    def slowly(tx: Reader) -> Epoch | None:
        ticks[0] += 1.5
        return slow(tx)

    monkeypatch.setattr(epochs, "get", slowly)
    began = ticks[0]
    keeper.turn()
    assert keeper.lease is not None
    assert keeper.lease.ends_at == began + LEASE_SECONDS


def test_more_buckets_are_asked_for_in_time_and_made_by_whom_is_granted_them(
    kernel: Kernel, marks: ImaginedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ImaginedMarks()
    one, other = keeper_on(kernel, marks), keeper_on(kernel, others)
    settle(one)
    settle(other)
    shift(monkeypatch, timedelta(seconds=layout.MADE_AHEAD_SECONDS / 2 + 10))
    until = stored(kernel).made_until
    for keeper in (one, other, one, other):
        settle(keeper)
    assert stored(kernel).made_until == until + layout.MADE_AHEAD_SECONDS
    ranges = [made for made in marks.made + others.made if made[1] == until]
    assert len(ranges) == 1


def test_a_grant_that_can_not_be_used_ends_the_epoch(
    kernel: Kernel, marks: ImaginedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_on(kernel, marks)
    first = settle(keeper)
    assert first is not None
    shift(monkeypatch, timedelta(seconds=layout.MADE_AHEAD_SECONDS / 2 + 10))

    def fail(*_: object, **__: object) -> None:
        raise FastStoreAwayError("imagined")

    make = marks.make_buckets
    monkeypatch.setattr(marks, "make_buckets", fail)
    settle(keeper)
    assert keeper.lease is None
    monkeypatch.setattr(marks, "make_buckets", make)
    second = settle(keeper)
    assert second is not None
    assert second.number == first.number + 1


def test_buckets_that_ran_out_while_nobody_was_there_end_the_epoch(
    kernel: Kernel, marks: ImaginedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(keeper_on(kernel, marks))
    first = stored(kernel)
    shift(monkeypatch, timedelta(hours=1))
    settle(keeper_on(kernel, marks))
    second = stored(kernel)
    assert second.is_open
    assert (second.number, second.name) != (first.number, first.name)
    assert second.made_until > first.made_until + 3000


def test_a_database_clock_set_back_begins_the_next_epoch_behind_all_that_was_taken(
    kernel: Kernel, marks: ImaginedMarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_on(kernel, marks)
    shift(monkeypatch, timedelta(minutes=10))
    settle(keeper)
    keeper.turn()
    monkeypatch.undo()
    reached = time.time() + 600
    settle(keeper)
    epoch = stored(kernel)
    assert epoch.not_before > reached
    number = epoch.number
    settle(keeper)
    assert stored(kernel).number == number, "one new epoch is enough"


def test_a_row_that_went_back_is_not_believed(kernel: Kernel, marks: ImaginedMarks) -> None:
    """As after a fail-over of the database that lost a commit, or a backup played back."""
    keeper = keeper_on(kernel, marks)
    first = settle(keeper)
    assert first is not None
    with kernel.store.write() as tx:
        old = dict(tx.connection.execute(select(schema.fast_epochs)).one()._mapping)
    keeper.doubt(first.number, "bucket")
    settle(keeper)
    with kernel.store.write() as tx:
        tx.connection.execute(update(schema.fast_epochs).values(**old))
    keeper.turn()
    assert keeper.lease is None
    again = settle(keeper)
    assert again is not None
    assert again.name != first.name


@pytest.mark.parametrize(("their", "ours_opens"), [(0, True), (1, False)])
def test_programs_that_cut_keys_differently_never_share_an_epoch(
    kernel: Kernel,
    marks: ImaginedMarks,
    monkeypatch: pytest.MonkeyPatch,
    their: int,
    ours_opens: bool,
) -> None:
    monkeypatch.setattr(layout, "LAYOUT", 7 + their)
    settle(keeper_on(kernel, marks))
    monkeypatch.setattr(layout, "LAYOUT", 8 - their)
    keeper = keeper_on(kernel, marks)
    lease = settle(keeper)
    assert (lease is not None) is ours_opens
    assert stored(kernel).layout == 8
    if not ours_opens:
        assert keeper.hindrance is Hindrance.NEWER_PROGRAM


def test_covers_is_exact_at_its_edges() -> None:
    epoch = Epoch(1, 1, "0" * 16, frozenset({NODE}), 1000, 1300, datetime.now(UTC))
    lease = Lease.of(epoch, read_at=50.0, database_at=1100.0)
    now = 51.0  # so the database's time is 1101
    assert lease.ends_at == 52.0
    grid = {1034: False, 1035: False, 1036: True, 1101: True, 1102: True, 1103: False}
    assert {minted_at: lease.covers(minted_at, now) for minted_at in grid} == grid
    early = Lease.of(epoch, read_at=50.0, database_at=1001.5)
    assert [early.covers(minted_at, 50.0) for minted_at in (999, 1000)] == [False, True]
    late = Lease.of(epoch, read_at=50.0, database_at=1299.0)
    assert [late.covers(minted_at, 50.0) for minted_at in (1299, 1300)] == [True, False]


def test_closing_by_somebody_else_ends_the_lease(kernel: Kernel, marks: ImaginedMarks) -> None:
    keeper = keeper_on(kernel, marks)
    first = settle(keeper)
    assert first is not None
    kernel.perform(CloseEpoch(first.number, layout.LAYOUT, "tests"), actor=ACTOR, request_id="x")
    marks.away = True
    settle(keeper)
    assert keeper.lease is None


def shift(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set the database's clock."""
    true = epochs.database_time

    def shifted(tx: Reader) -> datetime:
        return true(tx) + by

    monkeypatch.setattr(epochs, "database_time", shifted)
