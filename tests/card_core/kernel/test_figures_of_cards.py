"""Figures of a made-up population, against a count of the test's own; and when things happened."""

import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bureau import Bureau, make_application
from filing import file, newcomer
from holder_records import correction
from sqlalchemy import select

from card_core.figures import NO_BANK, Dimension, Tally, figures
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
)
from card_core.kernel.acts.handing_over import HandOverCard
from card_core.kernel.acts.life_events import DecideLifeEvent
from card_core.kernel.acts.taking_in import BatchFilings
from card_core.life_events import LifeEvent
from card_core.store import card_dates, cards, holders
from card_core.store import figures as stored_figures
from card_core.store.card_dates import CardDate
from card_core.store.cards import Card
from card_core.store.schema import card_dates as dates_table

REGIONS, BANKS, MONTHS = ("440604", "440605"), ("102", "103", "104"), (4, 5)
DAY = 86_400


@dataclass
class Expected:
    """What the test itself did to a card."""

    region: str
    bank: str
    month: str
    handed_over: bool = False
    activated: bool = False
    ecard: bool = False
    cancelled: bool = False
    days: int | None = None


def issued(bureau: Bureau, region: str, bank: str, first: int, count: int) -> list[Card]:
    people = tuple(
        make_application(first + number)._replace(region=region, bank=bank)
        for number in range(count)
    )
    imported = bureau.import_roster(people)
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        return cards.page(tx, batch_id=imported["batch_id"])


def live(bureau: Bureau, card: Card, expected: Expected, number: int) -> None:
    """What becomes of the card, by its number; each step some days after the one before."""
    applied = bureau.clock()
    if number % 4:
        bureau.clock.advance(number % 7 * DAY)
        bureau.perform(HandOverCard(card.id), bureau.maker)
        expected.handed_over = True
        expected.days = (bureau.clock() - applied).days
    if number % 4 > 1:
        bureau.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
        expected.activated = True
    if number % 4 == 3:
        bureau.perform(ActivateECard(card.id, bureau.hash("274095")), bureau.maker)
        expected.ecard = True
    if number % 5 == 0:
        bureau.decide(CancelCard(card.id, CancelReason.DEATH))
        expected.cancelled = True
    bureau.clock.now = applied


def population(bureau: Bureau) -> list[Expected]:
    """A batch of each month, region and bank, each of another size. Times are late in the evening
    in UTC, when it is the next day in Shanghai."""
    found: list[Expected] = []
    serial = itertools.count(5000, 100)
    for month, region, bank in itertools.product(MONTHS, REGIONS, BANKS):
        bureau.clock.now = datetime(2026, month, 9, 20, 15, tzinfo=UTC)
        size = 4 if (region, bank) == ("440605", "104") else 8
        for card in issued(bureau, region, bank, next(serial), size):
            expected = Expected(region, bank, f"2026-{month:02}")
            live(bureau, card, expected, len(found))
            found.append(expected)
    return found


def read(bureau: Bureau) -> list[Tally]:
    with bureau.store.read() as tx:
        return stored_figures.tallies(tx)


def test_tallies_are_what_became_of_the_cards(bureau: Bureau) -> None:
    before = set(read(bureau))
    expected = Counter(
        (
            *(one.region, one.bank, one.month, one.handed_over, one.activated),
            *(one.ecard, one.cancelled, one.days),
        )
        for one in population(bureau)
    )
    counted: Counter[tuple[Any, ...]] = Counter()
    for one in read(bureau):
        if one not in before:
            assert not one.taken_over
            row = (one.region, one.bank, one.month, one.handed_over, one.activated)
            counted[(*row, one.ecard_activated, one.cancelled, one.days)] += one.count
    assert counted == expected
    assert sum(expected.values()) == 88


def test_figures_by_region_and_month_and_nothing_of_a_person(bureau: Bureau) -> None:
    people = population(bureau)
    found = figures(read(bureau), [Dimension.MONTH, Dimension.REGION])
    for row in found.rows:
        own = [one for one in people if (one.region, one.month) == (row.region, row.month)]
        done = row.counts
        if row.month in {one.month for one in people}:
            assert done.issued == len(own)
            assert done.handed_over == sum(one.handed_over for one in own)
            assert done.activated_rate == round(sum(one.activated for one in own) / len(own), 4)
            days = sorted(one.days for one in own if one.days is not None)
            assert done.days_median == days[(len(days) + 1) // 2 - 1]
    with bureau.store.read() as tx:
        everybody = cards.page(tx)
        names = {holders.identity_of(tx, one.holder_id).name for one in everybody}
        text = repr(found)
    assert not [one for one in names if one in text]
    assert not [one.card_number for one in everybody if one.card_number in text]


def test_a_life_event_notes_the_dates_of_its_parts(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(correction(bureau, person.holder_id, name="更正后"))
    bureau.clock.advance(2 * DAY)
    bureau.decide(DecideLifeEvent(LifeEvent.DEATH, person.card_id))
    with bureau.store.read() as tx:
        statement = select(dates_table).where(dates_table.c.card_id == person.card_id)
        row = tx.connection.execute(statement).one()
    today = (bureau.clock() + timedelta(hours=8)).date()
    assert row.cancelled_on == today
    assert row.activated_on == row.handed_over_on == row.ecard_activated_on
    assert row.activated_on == today - timedelta(days=2)


def test_a_date_that_is_noted_stays(bureau: Bureau) -> None:
    person = bureau.person()
    with bureau.store.write() as tx:
        for day in (2, 1):
            card_dates.note(tx, [person.card_id], CardDate.CANCELLED, date(2026, 4, day))
        row = tx.connection.execute(
            select(dates_table).where(dates_table.c.card_id == person.card_id)
        ).one()
    assert row.cancelled_on == date(2026, 4, 2)


def test_cards_that_nobody_noted_dates_of_count_by_their_states(bureau: Bureau) -> None:
    bureau.people(2)
    with bureau.store.write() as tx:
        tx.connection.execute(dates_table.delete())
    (found,) = {(one.handed_over, one.activated, one.days) for one in read(bureau)}
    assert found == (True, True, None)
    assert {one.bank for one in read(bureau)} == {"102"} != {NO_BANK}


def test_who_applied_alone_waited_from_that_day_on(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        others = Counter(one.days for one in stored_figures.tallies(tx))
    file(bureau, newcomer())
    bureau.clock.advance(3 * DAY)
    batch = bureau.perform(BatchFilings("window"), bureau.maker)
    bureau.approve(batch)
    bureau.perform(IssueChunk(batch["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        (card,) = cards.page(tx, batch_id=batch["batch_id"])
    bureau.clock.advance(4 * DAY)
    bureau.perform(HandOverCard(card.id), bureau.maker)
    with bureau.store.read() as tx:
        days = Counter(one.days for one in stored_figures.tallies(tx))
    assert days - others == {7: 1}
