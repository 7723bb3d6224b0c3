"""What happens beside the take-over of a stock, in a second transaction that really is open.

On PostgreSQL alone: SQLite takes one transaction that writes at a time.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from bureau import Bureau, make_application, make_number
from filing import file
from sqlalchemy import text
from stock import import_stock, make_stock_card, released, take_over

from card_core.application_errors import ApplicationRefusedError
from card_core.errors import HolderRecordError
from card_core.kernel import Answer, filing_checks
from card_core.kernel import kernel as kernel_module
from card_core.kernel.acts import stock as acts
from card_core.kernel.acts.batch_control import CancelBatch, PauseBatch, ResumeBatch
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.acts.holder_base import HolderEvidence, MergeHolders, seen_digest
from card_core.kernel.acts.stock import TakeOverChunk
from card_core.states import BatchState, CardState
from card_core.store import (
    applications,
    batches,
    cards,
    holder_base,
    holders,
    stock_cards,
)
from card_core.store.holders import Holder

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.02


@pytest.fixture(params=["postgresql"])
def databases(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("postgresql_databases")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 2)


@pytest.fixture(autouse=True)
def nothing_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who loses a race waits and looks again: many at work would lose more often than a few
    attempts are enough for."""
    monkeypatch.setattr(kernel_module, "ATTEMPTS_MAX", 1)


class Beside:
    """Does something in a second transaction while a first one is at a certain place."""

    def __init__(self, bureau: Bureau, threads: ThreadPoolExecutor) -> None:
        self._bureau = bureau
        self._threads = threads
        self.done: Future[Any] | None = None
        self.had_to_wait = False

    def run(self, work: Callable[[], Any]) -> None:
        """Go on once the work is done, or stands before a lock."""
        self.done = self._threads.submit(work)
        pause = threading.Event()
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            if self.done.done():
                return
            if self._is_waiting():
                self.had_to_wait = True
                return
            pause.wait(POLL_SECONDS)
        raise AssertionError("neither done nor waiting")

    def result(self) -> Any:
        assert self.done is not None
        return self.done.result(PATIENCE_SECONDS)

    def _is_waiting(self) -> bool:
        with self._bureau.store.read() as tx:
            found = tx.connection.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                    "AND datname = current_database()"
                )
            )
            return bool(found.scalar())


@pytest.fixture
def beside(bureau: Bureau) -> Any:
    with ThreadPoolExecutor(1) as threads:
        yield Beside(bureau, threads)


def at(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    work: Callable[[], None],
    *,
    after: bool = False,
) -> None:
    """Do `work` before, or after, the first call of a function of a module."""
    original, first = getattr(module, name), [True]

    def patched(*arguments: Any, **named: Any) -> Any:
        is_first, first[0] = first[0], False
        if is_first and not after:
            work()
        result = original(*arguments, **named)
        if is_first and after:
            work()
        return result

    monkeypatch.setattr(module, name, patched)


def next_chunk(bureau: Bureau, imported: Answer) -> Answer:
    return bureau.perform(TakeOverChunk(imported["stock_id"]), bureau.maker)


def holder_of(bureau: Bureau, number: str) -> Holder:
    with bureau.store.read() as tx:
        holder = holders.find_by_number(tx, number)
    assert holder is not None
    return holder


def holders_of_cards(bureau: Bureau, imported: Answer) -> list[str]:
    with bureau.store.read() as tx:
        return [card.holder_id for card in cards.page(tx, batch_id=imported["stock_id"])]


def test_chunks_go_side_by_side_and_nobody_waits(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    imported = released(bureau, *(make_stock_card(n) for n in range(4)))
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, holder_base, "add_new", work, after=True)
    first = next_chunk(bureau, imported)
    assert not beside.had_to_wait
    assert (first["chunk_number"], beside.result()["chunk_number"]) == (1, 2)
    last = next_chunk(bureau, imported)
    assert (last["chunk_number"], last["taken"], last["refused"]) == (None, 0, 0)
    with bureau.store.read() as tx:
        batch = batches.get(tx, imported["stock_id"])
    assert batch is not None
    assert (batch.state, batch.issued) == (BatchState.ISSUED, 4)


def test_a_person_of_two_chunks_gets_one_record_with_the_live_cards_phone(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    live = make_stock_card(1)
    theirs = {"number": live.number, "name": live.name, "state": CardState.CANCELLED}
    old, older = (make_stock_card(n, phone=f"1350000000{n}", **theirs) for n in (2, 3))
    imported = released(bureau, old, make_stock_card(4), live, older)
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, holder_base, "add_new", work, after=True)
    assert next_chunk(bureau, imported)["taken"] == 2
    assert beside.had_to_wait
    assert beside.result()["taken"] == 2
    found = holders_of_cards(bureau, imported)
    assert (len(found), len(set(found))) == (4, 2)
    assert holder_of(bureau, live.number.text).phone == live.phone


def test_of_two_stocks_that_came_in_at_once_the_first_has_the_person(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    mine = make_stock_card(1, state=CardState.CANCELLED)
    other = make_stock_card(2, number=mine.number, name="另一人", state=CardState.CANCELLED)

    def import_the_other() -> None:
        bureau.clock.advance(1)  # ids tell who came first
        beside.run(lambda: import_stock(bureau, other))

    at(monkeypatch, stock_cards, "add_all", import_the_other)
    first = import_stock(bureau, mine)
    second = beside.result()
    assert not beside.had_to_wait
    assert (first["accepted"], second["accepted"]) == (1, 1)
    for one in (first, second):
        bureau.approve(one)
    work = partial(beside.run, partial(next_chunk, bureau, second))
    at(monkeypatch, holder_base, "add_new", work)
    assert next_chunk(bureau, first)["taken"] == 1
    assert beside.result()["refused"] == 1
    assert holder_of(bureau, mine.number.text).name == mine.name


def test_a_card_of_another_stock_that_slips_between_the_questions_is_seen(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    person = bureau.person()
    bureau.decide(CancelCard(person.card_id, CancelReason.MADE_IN_ERROR))
    number = next(n for n in map(make_number, range(20)) if n.text == person.number)
    rows = [make_stock_card(n, number=number, name=person.name) for n in range(2)]

    def import_the_other() -> None:
        bureau.clock.advance(1)
        beside.run(partial(import_stock, bureau, rows[1]))

    at(monkeypatch, stock_cards, "add_all", import_the_other)
    stocks = [import_stock(bureau, rows[0]), beside.result()]
    for one in stocks:
        bureau.approve(one)
    work = partial(beside.run, partial(next_chunk, bureau, stocks[0]))
    at(monkeypatch, holder_base, "live_cards_of", work, after=True)
    assert next_chunk(bureau, stocks[1])["refused"] == 1
    assert beside.result()["taken"] == 1


def test_a_record_that_a_batch_makes_meanwhile_is_used(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    """A cancelled card of somebody whose new one is just being issued, under another name."""
    one, two = bureau.next_applications(2)
    roster = bureau.import_roster((one, two))
    bureau.approve(roster)
    cancelled = {"state": CardState.CANCELLED}
    imported = released(
        bureau,
        make_stock_card(1, number=one.number, name=one.name, **cancelled),
        make_stock_card(2, number=two.number, name="另一人", **cancelled),
    )
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, holders, "put_all", work, after=True)
    bureau.perform(IssueChunk(roster["batch_id"]), bureau.maker)
    assert beside.had_to_wait
    assert (beside.result()["taken"], beside.result()["refused"]) == (1, 1)
    assert holders_of_cards(bureau, imported) == [holder_of(bureau, one.number.text).id]
    with bureau.store.read() as tx:
        assert stock_cards.refusals(tx, imported["stock_id"], 10) == [(3, "name_differs")]


def test_a_roster_that_comes_while_the_card_is_taken_over_sees_one_or_the_other(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    person = make_application(4_300_000)
    imported = released(bureau, make_stock_card(1, number=person.number, name=person.name))
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, holders, "numbers_with_live_card", work, after=True)
    answer = bureau.import_roster((person,))
    assert beside.result()["taken"] == 1
    assert [one["code"] for one in answer["refused"]] == ["has_stock_card"]


def test_an_application_at_the_window_sees_one_or_the_other(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    person = make_application(4_300_000)
    imported = released(bureau, make_stock_card(1, number=person.number, name=person.name))
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, filing_checks, "look_up", work, after=True)
    with pytest.raises(ApplicationRefusedError) as refused:
        file(bureau, person)
    assert refused.value.code == "has_stock_card"
    assert beside.result()["taken"] == 1


def test_an_issued_card_that_slips_between_the_questions_is_seen(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    """A stock that came in beside the roster: its card is taken over while the roster's is made."""
    (person,) = bureau.next_applications(1)
    row = make_stock_card(1, number=person.number, name=person.name)
    work = partial(beside.run, partial(import_stock, bureau, row))
    at(monkeypatch, applications, "add_all", work)
    roster = bureau.import_roster((person,))
    imported = beside.result()
    assert imported["accepted"] == 1
    bureau.approve(roster)
    bureau.approve(imported)
    issue = partial(bureau.perform, IssueChunk(roster["batch_id"]), bureau.maker)
    work = partial(beside.run, issue)
    at(monkeypatch, applications, "numbers_with_open_one", work, after=True)
    assert next_chunk(bureau, imported)["refused"] == 1
    assert beside.result()["issued"] == 1


def test_a_merge_and_a_take_over_wait_for_each_other(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, beside: Beside
) -> None:
    person, gone = bureau.people(2)
    bureau.decide(CancelCard(gone.card_id, CancelReason.MADE_IN_ERROR))
    number = next(n for n in map(make_number, range(20)) if n.text == gone.number)
    with bureau.store.read() as tx:
        pair = [holders.get(tx, one.holder_id) for one in (person, gone)]
        seen = seen_digest(tx, *(one for one in pair if one is not None))
    merge = MergeHolders(person.holder_id, gone.holder_id, HolderEvidence.IDENTITY_DOCUMENT, seen)
    proposed = bureau.kernel.propose(merge, actor=bureau.maker, request_id="merge")
    imported = released(bureau, make_stock_card(1, number=number, name=gone.name))
    work = partial(beside.run, partial(next_chunk, bureau, imported))
    at(monkeypatch, holder_base, "live_cards_of", work, after=True)
    with pytest.raises(HolderRecordError) as refused:
        bureau.approve(proposed)
    assert refused.value.code == "stock_card_open"
    assert beside.had_to_wait
    assert beside.result()["taken"] == 1
    assert holders_of_cards(bureau, imported) == [gone.holder_id]


def test_a_paused_stock_hands_out_no_chunk_and_a_cancelled_one_comes_in_again(
    bureau: Bureau,
) -> None:
    stock = [make_stock_card(n) for n in range(6)]
    imported = released(bureau, *stock)
    stock_id = imported["stock_id"]
    assert next_chunk(bureau, imported)["taken"] == 2
    bureau.perform(PauseBatch(stock_id), bureau.maker)
    assert next_chunk(bureau, imported)["chunk_number"] is None
    bureau.perform(ResumeBatch(stock_id), bureau.maker)
    assert next_chunk(bureau, imported)["taken"] == 2
    cancelled = bureau.decide(CancelBatch(stock_id))
    assert (cancelled["issued"], cancelled["accepted"], cancelled["unused"]) == (4, 6, [])
    assert next_chunk(bureau, imported)["chunk_number"] is None
    again = import_stock(bureau, *stock)
    assert again["accepted"] == 2
    bureau.approve(again)
    assert [one["taken"] for one in take_over(bureau, again)] == [2]
