"""The audit log shows what was done to it, wherever and whatever it was."""

import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from bureau import Bureau, Clock
from falsifying import WAYS
from sqlalchemy import delete, insert, select, text, update

from card_core.errors import AuditChainError, TamperedRowError
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.store import Store, audit, audit_reading, guarded, holders
from card_core.store.audit import Event
from card_core.store.database import Transaction
from card_core.store.schema import audit_events, audit_heads, card_dates, cards, ecards, makings

EVENTS = 40
CHAIN = "bureau"


def event(number: int, clock: Clock) -> Event:
    return Event(
        at=clock() + timedelta(seconds=number),
        actor_kind="operator",
        actor_id=f"operator-{number % 3}",
        act="report_temporary_loss",
        subject=f"card/{number}",
        detail=json.dumps({"n": number, "rows": []}),
    )


@pytest.fixture
def chained(store: Store, clock: Clock) -> Store:
    """A chain of EVENTS events, and another one beside it."""
    with store.write() as tx:
        for number in range(EVENTS):
            audit.append(tx, CHAIN, event(number, clock))
        audit.append(tx, "scan", event(0, clock))
    return store


def events(tx: Transaction) -> list[dict[str, Any]]:
    found = tx.connection.execute(
        select(audit_events).where(audit_events.c.chain == CHAIN).order_by(audit_events.c.seq)
    )
    return [dict(row._mapping) for row in found]


def write_over(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    tx.connection.execute(delete(audit_events).where(audit_events.c.chain == CHAIN))
    if rows:
        tx.connection.execute(insert(audit_events), rows)


def test_an_untouched_chain_holds(chained: Store) -> None:
    with chained.read() as tx:
        assert audit.verify_chain(tx, CHAIN) == EVENTS
        assert audit.verify_chain(tx, "scan") == 1


@pytest.mark.parametrize("chain", audit.CHAINS)
def test_a_chain_that_is_gone_with_its_head_is_seen(bureau: Bureau, chain: str) -> None:
    with bureau.store.write() as tx:
        tx.connection.execute(delete(audit_events).where(audit_events.c.chain == chain))
        tx.connection.execute(delete(audit_heads).where(audit_heads.c.chain == chain))
    with bureau.store.read() as tx, pytest.raises(AuditChainError):
        audit.verify_chain(tx, chain)


@pytest.mark.parametrize("rounds", [220, pytest.param(2000, marks=pytest.mark.long)])
def test_every_falsified_log_is_seen(chained: Store, rounds: int) -> None:
    rng = random.Random(41)
    found: Counter[str] = Counter()
    for number in range(rounds):
        way = WAYS[number % len(WAYS)]
        with chained.write() as tx:
            before = events(tx)
            falsified = way([dict(row) for row in before], rng)
            assert falsified != before, way
            write_over(tx, falsified)
            with pytest.raises(AuditChainError) as seen:
                audit.verify_chain(tx, CHAIN)
            assert 1 <= seen.value.seq <= EVENTS + 1
            write_over(tx, before)
            assert audit.verify_chain(tx, CHAIN) == EVENTS
        found[way.__name__] += 1
    assert set(found) == {way.__name__ for way in WAYS}


def test_the_first_place_that_does_not_hold_is_named(chained: Store) -> None:
    with chained.write() as tx:
        tx.connection.execute(
            update(audit_events)
            .where(audit_events.c.chain == CHAIN, audit_events.c.seq == 17)
            .values(subject="card/other")
        )
        with pytest.raises(AuditChainError) as seen:
            audit.verify_chain(tx, CHAIN)
    assert (seen.value.chain, seen.value.seq) == (CHAIN, 17)


def test_a_tail_cut_with_its_head_moved_back_is_seen(chained: Store) -> None:
    with chained.write() as tx:
        rows = events(tx)
        write_over(tx, rows[:-3])
        tx.connection.execute(
            update(audit_heads)
            .where(audit_heads.c.chain == CHAIN)
            .values(seq=rows[-4]["seq"], link=rows[-4]["link"])
        )
        with pytest.raises(AuditChainError):
            audit.verify_chain(tx, CHAIN)


def test_a_chain_moved_to_another_name_is_seen(chained: Store) -> None:
    with chained.write() as tx:
        for table in (audit_events, audit_heads):
            tx.connection.execute(
                update(table).where(table.c.chain == "scan").values(chain="other")
            )
        with pytest.raises(AuditChainError):
            audit.verify_chain(tx, "other")


def test_a_log_without_its_head_is_seen_and_a_false_head_is_not_written_behind(
    chained: Store, clock: Clock
) -> None:
    with chained.write() as tx:
        tx.connection.execute(
            update(audit_heads).where(audit_heads.c.chain == CHAIN).values(seq=EVENTS - 1)
        )
        with pytest.raises(AuditChainError):
            audit.append(tx, CHAIN, event(EVENTS, clock))
        tx.connection.execute(delete(audit_heads).where(audit_heads.c.chain == CHAIN))
        with pytest.raises(AuditChainError):
            audit.verify_chain(tx, CHAIN)


def test_an_old_row_put_back_is_seen(bureau: Bureau) -> None:
    person = bureau.person()
    with bureau.store.read() as tx:
        normal = tx.connection.execute(select(cards).where(cards.c.id == person.card_id)).one()
        compared = audit.verify_rows(tx)
    assert compared > 30
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(cards).where(cards.c.id == person.card_id).values(**normal._mapping)
        )
    with bureau.store.read() as tx, pytest.raises(TamperedRowError) as seen:
        audit.verify_rows(tx)
    assert (seen.value.table, seen.value.row_id) == ("cards", person.card_id)


def test_a_changed_row_that_was_deleted_is_seen(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    with bureau.store.write() as tx:
        tx.connection.execute(delete(ecards))
        tx.connection.execute(delete(makings))
        tx.connection.execute(delete(card_dates))
        tx.connection.execute(delete(cards).where(cards.c.id == person.card_id))
    with bureau.store.read() as tx, pytest.raises(TamperedRowError):
        audit.verify_rows(tx)


def test_a_row_that_was_never_changed_and_is_deleted_is_seen(bureau: Bureau) -> None:
    gone = bureau.issued_cards(2)[0].id
    with bureau.store.write() as tx:
        tx.connection.execute(delete(ecards).where(ecards.c.card_id == gone))
        tx.connection.execute(delete(makings).where(makings.c.id == gone))
        tx.connection.execute(delete(cards).where(cards.c.id == gone))
    with bureau.store.read() as tx, pytest.raises(TamperedRowError) as seen:
        audit.verify_rows(tx)
    assert seen.value.table in {"cards", "ecards"}


def test_a_row_changed_past_the_log_is_seen(bureau: Bureau) -> None:
    """By somebody who has the row key and goes round the kernel."""
    person = bureau.person()
    with bureau.store.write() as tx:
        guarded.change(tx, cards, person.card_id, state="sealed")
    with bureau.store.read() as tx, pytest.raises(TamperedRowError):
        audit.verify_rows(tx)


def test_the_log_holds_no_personal_data(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.import_roster(bureau.next_applications(2))
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    with bureau.store.read() as tx:
        everything = repr(tx.connection.execute(select(audit_events)).all())
        holder = holders.get(tx, person.holder_id)
    assert holder is not None
    assert person.card_id in everything
    for personal in (person.number, person.name, person.sign_number, holder.phone, "测试"):
        assert personal not in everything


def test_what_is_about_one_subject_is_found_by_pages_and_by_an_index(
    chained: Store, clock: Clock
) -> None:
    with chained.write() as tx:
        for _ in range(3):
            audit.append(tx, CHAIN, event(7, clock))
    with chained.read() as tx:
        subjects = ["card/7", "card/9"]
        newest = audit_reading.about(tx, subjects, limit=3)
        assert [one.seq for one in newest] == [EVENTS + 3, EVENTS + 2, EVENTS + 1]
        older = audit_reading.about(tx, subjects, before=EVENTS + 1, limit=3)
        assert [(one.seq, one.subject) for one in older] == [(10, "card/9"), (8, "card/7")]
        assert [one.chain for one in audit_reading.about(tx, ["card/0"], limit=9)] == [CHAIN]
        statement = "SELECT * FROM audit_events WHERE chain = 'bureau' AND subject = 'card/7'"
        if tx.is_sqlite:
            plan = tx.connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
        else:
            tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = tx.connection.execute(text(f"EXPLAIN {statement}")).all()
    assert "subject_seq" in str(plan)
