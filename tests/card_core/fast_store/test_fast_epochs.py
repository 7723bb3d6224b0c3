"""The acts on the epoch, on both databases: one of many wins, and time never goes back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bureau import SYSTEM
from sqlalchemy import text

from card_core.errors import InvalidActError, TamperedRowError
from card_core.kernel import Act, Kernel
from card_core.kernel.acts.epochs import AHEAD_SECONDS, LEASE_SECONDS, CloseEpoch, GrantBuckets
from card_core.kernel.acts.epochs import OpenEpoch as Open
from card_core.kernel.acts.set_up import SetUpIssuer
from card_core.store import epochs
from card_core.store.epochs import Epoch, Node

NODE = Node("run1", "master1")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NAME = "0123456789abcdef"


@pytest.fixture
def do(kernel: Kernel) -> Callable[[Act], dict[str, Any]]:
    kernel.perform(SetUpIssuer(1, "GD", "发卡机构"), actor=SYSTEM, request_id="set-up")

    def perform(act: Act) -> dict[str, Any]:
        request_id = kernel.random_bytes(16).hex()
        return kernel.perform(act, actor=SYSTEM, request_id=request_id)

    return perform


def opening(number: int, *, not_after: datetime = LONG_AGO) -> Open:
    return Open(number, 1, NAME, (NODE,), int(time.time()) + 300, not_after)


def stored(kernel: Kernel) -> Epoch:
    with kernel.store.read() as tx:
        epoch = epochs.get(tx)
    assert epoch is not None
    return epoch


def test_an_epoch_opens_later_than_every_lease_on_the_one_before(
    kernel: Kernel, do: Callable[[Act], dict[str, Any]]
) -> None:
    assert do(CloseEpoch(0, 1, "first")) == {"number": 1, "closed": True}
    before = time.time()
    answer = do(opening(1))
    assert answer["opened"]
    assert before + LEASE_SECONDS + AHEAD_SECONDS <= answer["not_before"] < before + 6
    epoch = stored(kernel)
    assert (epoch.number, epoch.name, epoch.nodes) == (1, NAME, frozenset({NODE}))
    assert not do(opening(1))["opened"], "open already"
    assert do(CloseEpoch(1, 1, "doubt")) == {"number": 2, "closed": True}
    assert do(CloseEpoch(1, 1, "doubt")) == {"number": 2, "closed": False}
    assert do(CloseEpoch(2, 1, "doubt")) == {"number": 2, "closed": False}
    assert not stored(kernel).is_open
    assert stored(kernel).nodes == frozenset()
    assert not do(opening(1))["opened"], "another number"


def test_whatever_clocks_do_an_epoch_never_begins_before_the_one_before(
    kernel: Kernel, do: Callable[[Act], dict[str, Any]]
) -> None:
    do(CloseEpoch(0, 1, "first"))
    reached = datetime.now(UTC) + timedelta(hours=1)
    late = do(opening(1, not_after=reached))["not_before"]
    assert late >= reached.timestamp() + LEASE_SECONDS + AHEAD_SECONDS
    do(CloseEpoch(1, 1, "doubt"))
    assert do(opening(2))["not_before"] == late
    assert do(CloseEpoch(1, 1, "doubt")) == {"number": 2, "closed": False}
    assert stored(kernel).is_open, "a doubt about the epoch before closed this one"


def test_of_eight_at_once_one_closes_one_opens_and_one_is_granted(
    kernel: Kernel, do: Callable[[Act], dict[str, Any]]
) -> None:
    with ThreadPoolExecutor(8) as pool:

        def together(act: Act, word: str) -> int:
            return sum(answer[word] for answer in pool.map(do, [act] * 8))

        assert together(CloseEpoch(0, 1, "first"), "closed") == 1
        assert together(opening(1), "opened") == 1
        granted = stored(kernel).made_until
        assert together(GrantBuckets(1, granted, granted + 300), "granted") == 1
        assert stored(kernel).made_until == granted + 300
        assert together(CloseEpoch(1, 1, "doubt"), "closed") == 1
    assert stored(kernel).number == 2
    assert not do(GrantBuckets(1, granted + 300, granted + 600))["granted"]


def test_an_edited_row_gives_no_lease(kernel: Kernel, do: Callable[[Act], dict[str, Any]]) -> None:
    do(CloseEpoch(0, 1, "first"))
    do(opening(1))
    with kernel.store.write() as tx:
        tx.connection.execute(text("UPDATE fast_epochs SET not_before = 0"))
    with pytest.raises(TamperedRowError), kernel.store.read() as tx:
        epochs.get(tx)


def test_a_reader_s_time_is_not_later_than_what_it_sees(
    kernel: Kernel, do: Callable[[Act], dict[str, Any]]
) -> None:
    do(CloseEpoch(0, 1, "first"))
    do(opening(1))
    for number in range(1, 6):
        with kernel.store.read() as tx:
            read_at = epochs.database_time(tx)
            do(CloseEpoch(number, 1, "doubt"))
            closed_at = stored(kernel).closed_at
            if tx.connection.dialect.name == "postgresql":
                assert epochs.database_time(tx) == read_at, "the clock goes on within a snapshot"
            seen = epochs.get(tx)
        assert seen is not None
        assert seen.number == number + 1 or read_at <= closed_at
        do(opening(number + 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: CloseEpoch(-1, 1, "x"),
        lambda: CloseEpoch(0, 0, "x"),
        lambda: CloseEpoch(0, 1, "Not a word"),
        lambda: Open(1, 1, "short", (NODE,), 0, LONG_AGO),
        lambda: Open(1, 1, NAME, (), 0, LONG_AGO),
        lambda: Open(1, 1, NAME, (Node("'", ""),), 0, LONG_AGO),
        lambda: GrantBuckets(1, 100, 100),
        lambda: GrantBuckets(1, 0, 100_000),
    ],
)
def test_limits(make: Callable[[], Act]) -> None:
    with pytest.raises(InvalidActError):
        make()


def test_one_owner_at_a_time_holds_the_store_in_process(kernel: Kernel) -> None:
    stale = timedelta(seconds=60)
    assert kernel.hold_fast_store("a" * 32, stale_after=stale)
    assert not kernel.hold_fast_store("b" * 32, stale_after=stale)
    assert kernel.hold_fast_store("a" * 32, stale_after=stale)
    assert kernel.hold_fast_store("b" * 32, stale_after=timedelta(0)), "a dead owner's is taken"
    kernel.release_fast_store("a" * 32)
    assert not kernel.hold_fast_store("a" * 32, stale_after=stale)
    kernel.release_fast_store("b" * 32)
    assert kernel.hold_fast_store("a" * 32, stale_after=stale)
