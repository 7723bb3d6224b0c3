"""A temporary loss lapses at its midnight, once, and no card that is in another state with it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from bureau import SYSTEM, Bureau, Clock, Person
from sqlalchemy import func, select, update

from card_core.card_policy import LOSS_DAYS, CardNumberKept
from card_core.errors import InvalidActError, TooEarlyError, WrongStateError
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    LapseTemporaryLoss,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.loss_lapsing import LossLapser
from card_core.states import CardState
from card_core.store import cards, schema
from card_core.store.cards import Card

# The clock of the tests begins on 2 March 2026 at 09:30 in China.
REPORTED = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LAPSES_AT = datetime(2026, 3, 17, 16, 0, tzinfo=UTC)  # the 17th of March at its 24th hour


def lapser_of(bureau: Bureau) -> LossLapser:
    return LossLapser(bureau.kernel, clock=bureau.clock)


def card_of(bureau: Bureau, person: Person) -> Card:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return card


def lose(bureau: Bureau, *people: Person) -> None:
    for person in people:
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)


def lapses_in_log(bureau: Bureau, person: Person) -> int:
    """How many events say that this card's loss lapsed."""
    with bureau.store.read() as tx:
        statement = select(func.count()).where(
            schema.audit_events.c.subject == f"card/{person.card_id}",
            schema.audit_events.c.act == LapseTemporaryLoss.act,
        )
        count: int = tx.connection.execute(statement).scalar_one()
    return count


def test_a_loss_lapses_at_the_end_of_its_last_day_and_not_before(
    bureau: Bureau, clock: Clock
) -> None:
    person = bureau.person()
    answer = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert answer["loss_lapses_at"] == LAPSES_AT.isoformat()
    clock.now = LAPSES_AT - timedelta(microseconds=1)
    assert lapser_of(bureau).round() == 0
    assert card_of(bureau, person).state is CardState.TEMPORARY_LOSS
    with pytest.raises(TooEarlyError):
        bureau.perform(LapseTemporaryLoss(person.card_id), SYSTEM)
    clock.now = LAPSES_AT
    assert lapser_of(bureau).round() == 1
    card = card_of(bureau, person)
    assert (card.state, card.loss_lapses_at) == (CardState.NORMAL, None)
    assert bureau.scan(bureau.minter.mint(person.holder_id).text)["outcome"] == "accepted"
    assert lapses_in_log(bureau, person) == 1


@pytest.mark.parametrize("days", LOSS_DAYS)
@pytest.mark.parametrize("hour", [0, 23])
def test_the_policy_says_after_how_many_days_and_the_first_does_not_count(
    bureau: Bureau, clock: Clock, days: int, hour: int
) -> None:
    act = SetCardPolicy(days, False, CardNumberKept.NEW, CardNumberKept.NEW)
    bureau.decide(act, bureau.administrator, bureau.security)
    person = bureau.person()
    clock.now = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour - 8)
    lose(bureau, person)
    end = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(days=days, hours=-8)
    assert card_of(bureau, person).loss_lapses_at == end


@pytest.mark.parametrize("days", [0, 7, 16])
def test_other_days_are_no_policy(days: int) -> None:
    with pytest.raises(InvalidActError):
        SetCardPolicy(days, False, CardNumberKept.NEW, CardNumberKept.NEW)


def test_a_loss_keeps_its_end_when_the_policy_changes(bureau: Bureau) -> None:
    person = bureau.person()
    lose(bureau, person)
    act = SetCardPolicy(5, False, CardNumberKept.NEW, CardNumberKept.NEW)
    bureau.decide(act, bureau.administrator, bureau.security)
    assert card_of(bureau, person).loss_lapses_at == LAPSES_AT


def test_a_loss_that_was_withdrawn_and_reported_anew_has_its_own_time(
    bureau: Bureau, clock: Clock
) -> None:
    person = bureau.person()
    lose(bureau, person)
    clock.now = LAPSES_AT - timedelta(hours=1)
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert card_of(bureau, person).loss_lapses_at is None
    lose(bureau, person)
    clock.now = LAPSES_AT
    with pytest.raises(TooEarlyError):
        bureau.perform(LapseTemporaryLoss(person.card_id), SYSTEM)
    assert lapser_of(bureau).round() == 0
    assert card_of(bureau, person).state is CardState.TEMPORARY_LOSS


def test_a_loss_made_formal_does_not_lapse(bureau: Bureau, clock: Clock) -> None:
    person = bureau.person()
    lose(bureau, person)
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    clock.now = LAPSES_AT + timedelta(days=400)
    with pytest.raises(WrongStateError):
        bureau.perform(LapseTemporaryLoss(person.card_id), SYSTEM)
    assert lapser_of(bureau).round() == 0
    assert card_of(bureau, person).state is CardState.FORMAL_LOSS


def test_a_loss_from_before_there_was_an_end_stays(bureau: Bureau, clock: Clock) -> None:
    person = bureau.person()
    with bureau.store.write() as tx:
        card = cards.get(tx, person.card_id)
        assert card is not None
        cards.set_state(tx, card, CardState.TEMPORARY_LOSS)
    clock.now = LAPSES_AT + timedelta(days=400)
    assert lapser_of(bureau).round() == 0
    with pytest.raises(TooEarlyError):
        bureau.perform(LapseTemporaryLoss(person.card_id), SYSTEM)


def test_of_jobs_that_run_at_once_one_lapses_each_loss(bureau: Bureau, clock: Clock) -> None:
    people, jobs = bureau.people(6), 4
    lose(bureau, *people)
    clock.now = LAPSES_AT
    start = threading.Barrier(jobs)

    def run(_: int) -> int:
        start.wait()
        return lapser_of(bureau).round()

    with ThreadPoolExecutor(jobs) as pool:
        counted = list(pool.map(run, range(jobs)))
    assert sum(counted) == len(people)
    for person in people:
        assert card_of(bureau, person).state is CardState.NORMAL
        assert lapses_in_log(bureau, person) == 1


def test_a_loss_made_formal_while_it_lapses_ends_formal(bureau: Bureau, clock: Clock) -> None:
    people = bureau.people(8)
    lose(bureau, *people)
    clock.now = LAPSES_AT
    start = threading.Barrier(2)

    def lapse() -> int:
        start.wait()
        return lapser_of(bureau).round()

    def report() -> None:
        start.wait()
        # From the other end, so that the two meet.
        for person in reversed(people):
            bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)

    with ThreadPoolExecutor(2) as pool:
        lapsing, reporting = pool.submit(lapse), pool.submit(report)
        lapsed = lapsing.result()
        reporting.result()
    # Whichever came first: a formal loss is possible from both states, and nothing undoes it.
    assert {card_of(bureau, person).state for person in people} == {CardState.FORMAL_LOSS}
    assert sum(lapses_in_log(bureau, person) for person in people) == lapsed
    assert lapser_of(bureau).round() == 0


def test_more_losses_than_a_page_all_lapse(
    bureau: Bureau, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("card_core.loss_lapsing.PAGE_SIZE_MAX", 3)
    people = bureau.people(7)
    lose(bureau, *people)
    clock.now = LAPSES_AT
    assert lapser_of(bureau).round() == len(people)


def test_a_row_that_was_tampered_with_stays_and_holds_up_no_other(
    bureau: Bureau, clock: Clock
) -> None:
    people = bureau.people(3)
    lose(bureau, *people)
    formal = people[0]
    bureau.perform(ReportFormalLoss(formal.card_id), bureau.maker)
    clock.now = LAPSES_AT
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(schema.cards)
            .where(schema.cards.c.id == formal.card_id)
            .values(state="temporary_loss", loss_lapses_at=LAPSES_AT)
        )
    assert lapser_of(bureau).round() == 2
