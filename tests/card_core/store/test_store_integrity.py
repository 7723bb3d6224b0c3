"""What a process knows of the rows that decide: an old row put back is refused, a new one never."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bureau import Bureau, Person
from sqlalchemy import select, update

from card_core.errors import AuditChainError, TamperedRowError
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.states import CardState
from card_core.store import FieldCipher, Store, audit, cards, open_store, schema
from card_core.store.integrity import NOTED_MAX, Integrity


@pytest.fixture
def person(bureau: Bureau) -> Person:
    return bureau.person()


@pytest.fixture
def beside(bureau: Bureau, database_url: str, cipher: FieldCipher) -> Iterator[Store]:
    """What another process has of the same database."""
    assert bureau
    opened = open_store(database_url, cipher=cipher)
    yield opened
    opened.close()


def row_of(store: Store, card_id: str) -> dict[str, Any]:
    with store.read() as tx:
        table = schema.cards
        row = tx.connection.execute(select(table).where(table.c.id == card_id)).one()
        return dict(row._mapping)


def put(store: Store, row: dict[str, Any]) -> None:
    """Past the product, as whoever has the database does it."""
    with store.write() as tx:
        tx.connection.execute(update(schema.cards).where(schema.cards.c.id == row["id"]), row)


def state_in(store: Store, card_id: str) -> CardState:
    with store.read() as tx:
        card = cards.get(tx, card_id)
    assert card
    return card.state


def lose(bureau: Bureau, person: Person) -> None:
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)


def follow(store: Store, after: int | None = None) -> int:
    with store.read() as tx:
        return audit.follow(tx, after)


def test_whoever_made_the_change_refuses_the_old_row_at_once(
    bureau: Bureau, person: Person
) -> None:
    old = row_of(bureau.store, person.card_id)
    lose(bureau, person)
    lost = row_of(bureau.store, person.card_id)
    put(bureau.store, old)
    with pytest.raises(TamperedRowError):
        state_in(bureau.store, person.card_id)
    assert bureau.store.integrity.tampered_rows() == 1
    put(bureau.store, lost)
    assert state_in(bureau.store, person.card_id) is CardState.TEMPORARY_LOSS
    assert bureau.store.integrity.tampered_rows() == 0


def test_every_other_process_refuses_it_when_it_has_read_the_log(
    bureau: Bureau, person: Person, beside: Store
) -> None:
    read = follow(beside)
    old = row_of(bureau.store, person.card_id)
    lose(bureau, person)
    put(bureau.store, old)
    assert state_in(beside, person.card_id) is CardState.NORMAL
    follow(beside, read)
    with pytest.raises(TamperedRowError):
        state_in(beside, person.card_id)


def test_a_process_that_starts_later_refuses_it_too(
    bureau: Bureau, person: Person, beside: Store
) -> None:
    old = row_of(bureau.store, person.card_id)
    lose(bureau, person)
    put(bureau.store, old)
    follow(beside)
    with pytest.raises(TamperedRowError):
        state_in(beside, person.card_id)


def test_a_transaction_that_began_before_a_change_may_read_what_was_true_then(
    bureau: Bureau, person: Person, beside: Store
) -> None:
    with beside.read() as tx:
        assert cards.get(tx, bureau.person().card_id)  # from here on it sees one moment
        lose(bureau, person)
        follow(beside)
        card = cards.get(tx, person.card_id)
        assert card
        assert card.state is CardState.NORMAL
    assert state_in(beside, person.card_id) is CardState.TEMPORARY_LOSS


def test_changes_under_way_are_never_taken_for_old_rows(
    bureau: Bureau, person: Person, beside: Store
) -> None:
    done = threading.Event()

    def read() -> int:
        count = 0
        while not done.is_set():
            state_in(beside, person.card_id)
            count += 1
        return count

    def read_log() -> None:
        after = None
        while not done.is_set():
            after = follow(beside, after)

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        following = threads.submit(read_log)
        try:
            for _ in range(15):
                lose(bureau, person)
                bureau.perform(WithdrawTemporaryLoss(person.card_id), bureau.maker)
        finally:
            done.set()
        assert min(one.result() for one in readers) > 0
        following.result()
    assert beside.integrity.tampered_rows() == 0


def test_a_log_that_was_cut_short_is_told_until_it_is_whole(bureau: Bureau, person: Person) -> None:
    store, heads = bureau.store, schema.audit_heads

    def head() -> dict[str, Any]:
        with store.read() as tx:
            statement = select(heads).where(heads.c.chain == audit.FOLLOWED)
            return dict(tx.connection.execute(statement).one()._mapping)

    def put_head(row: dict[str, Any]) -> None:
        with store.write() as tx:
            tx.connection.execute(update(heads).where(heads.c.chain == audit.FOLLOWED), row)

    before = head()
    lose(bureau, person)
    after, read = head(), follow(store)
    put_head(before)
    with pytest.raises(AuditChainError):
        follow(store, read)
    assert store.integrity.tampered_rows() == 1
    put_head(after)
    follow(store, read)
    assert store.integrity.tampered_rows() == 0


def test_what_is_noted_is_bounded_and_the_oldest_goes_first() -> None:
    integrity = Integrity()
    integrity.note([("cards", "first", 2)])
    integrity.note([("cards", str(number), 2) for number in range(NOTED_MAX)])
    assert not integrity.is_older("cards", "first", 1, integrity.edition)
    assert integrity.is_older("cards", "0", 1, integrity.edition)
    assert not integrity.is_older("cards", "0", 2, integrity.edition)
