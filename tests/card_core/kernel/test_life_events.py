"""Life events: made of acts, in one transaction, or not at all."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from bureau import Bureau, Clock, Person, make_number
from phone import registered_phone
from sqlalchemy import func, select

from card_core.application import Application
from card_core.errors import (
    ApplicantsRefusedError,
    CardUnusableError,
    InvalidActError,
    NotFoundError,
    StoreBusyError,
    WrongStateError,
)
from card_core.kernel.acts import life_events as life_acts
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.card_locks import LockCard, SealCard, SealReason
from card_core.kernel.acts.cards import ReportFormalLoss, ReportTemporaryLoss
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.acts.ecards import SuspendECard
from card_core.kernel.acts.life_events import (
    ApplyForLifeEvent,
    DecideLifeEvent,
    ServeLifeEvent,
)
from card_core.kernel.permissions import ACTS, RULES, is_dangerous
from card_core.life_events import APPLYING, SERVING, STAFF_MAX, LifeEvent, Part
from card_core.states import CardState, DeviceState, ECardState
from card_core.status_list import CredentialState
from card_core.store import cards, devices, schema
from card_core.store.cards import Card, ECard

SERVED = [event for event, one in SERVING.items() if not one.is_dangerous]
ADULTS = [LifeEvent.FIRST_JOB, LifeEvent.COMPANY_OPENED]


def pair(bureau: Bureau, card_id: str) -> tuple[Card, ECard]:
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
        assert card is not None
        return card, cards.ecard_of(tx, card_id)


def counts(bureau: Bureau) -> dict[str, int]:
    tables = (schema.applications, schema.batches, schema.approvals, schema.outbox)
    with bureau.store.read() as tx:
        return {
            table.name: tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def applying(event: LifeEvent, people: tuple[Application, ...]) -> ApplyForLifeEvent:
    return ApplyForLifeEvent(event, "名册", bytes(32), people)


def born(application: Application, born_on: date, serial: int) -> Application:
    """A person of that age, with a guardian."""
    number = make_number(serial, born_on)
    guardian = make_number(serial + 7_000)
    return application._replace(
        number=number, birth_on=number.birth_on, guardian_name="监护人", guardian_number=guardian
    )


def test_every_event_is_in_one_of_the_tables() -> None:
    assert set(APPLYING) | set(SERVING) == set(LifeEvent)
    assert not set(APPLYING) & set(SERVING)


def test_an_event_needs_as_many_people_as_the_acts_that_it_is_made_of() -> None:
    for event, serving in SERVING.items():
        rule = RULES[DecideLifeEvent if serving.is_dangerous else ServeLifeEvent]
        for parts in serving.parts.values():
            for part in parts:
                act = ACTS[part.value]
                assert rule.roles <= RULES[act].roles, (event, part)
                if is_dangerous(act):
                    assert serving.is_dangerous, (event, part)
                    assert rule.approvers <= RULES[act].approvers, (event, part)


@pytest.mark.parametrize("event", sorted(SERVED))
@pytest.mark.parametrize(
    ("befalls", "parts"),
    [
        (None, []),
        (ReportTemporaryLoss, ["withdraw_temporary_loss"]),
        (LockCard, ["unlock_card"]),
    ],
)
def test_working_for_oneself_or_retiring_brings_the_card_into_use(
    bureau: Bureau, event: LifeEvent, befalls: Callable[[str], Any] | None, parts: list[str]
) -> None:
    person = bureau.person()
    if befalls is not None:
        bureau.perform(befalls(person.card_id), bureau.maker)
    answer = bureau.perform(ServeLifeEvent(event, person.card_id), bureau.maker)
    assert answer == {
        "card_id": person.card_id,
        "event": event.value,
        "card_state": "normal",
        "parts": parts,
    }
    assert pair(bureau, person.card_id)[0].state is CardState.NORMAL


@pytest.mark.parametrize("event", sorted(SERVED))
def test_a_card_that_waits_is_activated(bureau: Bureau, event: LifeEvent) -> None:
    (card,) = bureau.issued_cards(1)
    answer = bureau.perform(ServeLifeEvent(event, card.id), bureau.maker)
    assert answer["parts"] == ["activate_card"]
    assert pair(bureau, card.id)[0].state is CardState.NORMAL


def test_a_state_that_an_event_has_no_parts_for_is_refused(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    before = counts(bureau)
    for event in SERVED:
        with pytest.raises(WrongStateError):
            bureau.perform(ServeLifeEvent(event, person.card_id), bureau.maker)
    assert counts(bureau) == before
    with pytest.raises(WrongStateError):
        bureau.decide(DecideLifeEvent(LifeEvent.LEFT_ARMY, person.card_id))
    assert pair(bureau, person.card_id)[0].state is CardState.FORMAL_LOSS


def test_leaving_the_army_unseals_the_card(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(SealCard(person.card_id, SealReason.ENLISTED))
    with pytest.raises(CardUnusableError):
        bureau.minter.mint(person.holder_id)
    answer = bureau.decide(DecideLifeEvent(LifeEvent.LEFT_ARMY, person.card_id))
    assert answer["parts"] == ["unseal_card"]
    assert bureau.scan(bureau.minter.mint(person.holder_id).text)["outcome"] == "accepted"


def test_death_ends_card_ecard_phones_and_credentials_in_one_event(bureau: Bureau) -> None:
    person = bureau.person()
    registered_phone(bureau, person, days=3)
    text = bureau.minter.mint(person.holder_id).text
    events = counts(bureau)["outbox"]
    proposed = bureau.kernel.propose(
        DecideLifeEvent(LifeEvent.DEATH, person.card_id),
        actor=bureau.maker,
        request_id=bureau.request_id(),
    )
    answer = bureau.approve(proposed)
    assert answer["parts"] == ["cancel_card", "remove_device"]
    card, ecard = pair(bureau, person.card_id)
    assert (card.state, ecard.state) == (CardState.CANCELLED, ECardState.CANCELLED)
    with bureau.store.read() as tx:
        assert devices.of_holder(tx, person.holder_id) == []
        statement = select(schema.device_credentials.c.state)
        assert set(tx.connection.execute(statement).scalars()) == {CredentialState.CANCELLED.value}
        last = select(schema.outbox).order_by(schema.outbox.c.seq.desc())
        event = tx.connection.execute(last.where(schema.outbox.c.chain == "bureau")).first()
    assert event is not None
    # One for the proposal and one for the whole event.
    assert counts(bureau)["outbox"] == events + 2
    payload = json.loads(event.payload)
    assert event.topic == "decide_life_event"
    assert (payload["event"], payload["maker_id"]) == ("death", bureau.maker.id)
    assert [part["act"] for part in payload["parts"]] == ["cancel_card", "remove_device"]
    assert bureau.scan(text)["reason"] == "card_cancelled"


@pytest.mark.parametrize("befalls", [None, ReportTemporaryLoss, ReportFormalLoss, SuspendECard])
def test_death_ends_a_card_in_whatever_state(
    bureau: Bureau, befalls: Callable[[str], Any] | None
) -> None:
    person = bureau.person()
    if befalls is not None:
        bureau.perform(befalls(person.card_id), bureau.maker)
    bureau.decide(DecideLifeEvent(LifeEvent.DEATH, person.card_id))
    card, ecard = pair(bureau, person.card_id)
    assert (card.state, ecard.state) == (CardState.CANCELLED, ECardState.CANCELLED)
    with pytest.raises(WrongStateError):
        bureau.decide(DecideLifeEvent(LifeEvent.DEATH, person.card_id))


def test_if_one_part_is_refused_none_of_them_has_happened(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    proposed = bureau.kernel.propose(
        DecideLifeEvent(LifeEvent.DEATH, person.card_id),
        actor=bureau.maker,
        request_id=bureau.request_id(),
    )

    def fail(*_: Any) -> None:
        raise StoreBusyError

    with monkeypatch.context() as patched:
        patched.setattr(RemoveDevice, "apply", fail)
        with pytest.raises(StoreBusyError):
            bureau.approve(proposed)
    card, ecard = pair(bureau, person.card_id)
    assert (card.state, ecard.state) == (CardState.NORMAL, ECardState.ACTIVE)
    with bureau.store.read() as tx:
        device = devices.get(tx, phone.device_id)
    assert device is not None
    assert device.state is DeviceState.ACTIVE
    bureau.approve(proposed)
    assert pair(bureau, person.card_id)[0].state is CardState.CANCELLED


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(bureau: Bureau) -> None:
    (card,) = bureau.issued_cards(1)
    act = ServeLifeEvent(LifeEvent.RETIREMENT, card.id)
    request_id = bureau.request_id()
    first = bureau.perform(act, bureau.maker, request_id)
    bureau.perform(ReportTemporaryLoss(card.id), bureau.maker)
    assert bureau.perform(act, bureau.maker, request_id) == first
    assert pair(bureau, card.id)[0].state is CardState.TEMPORARY_LOSS


def test_staff_apply_together_and_get_their_cards(bureau: Bureau) -> None:
    staff = bureau.next_applications(12)
    answer = bureau.perform(applying(LifeEvent.COMPANY_OPENED, staff), bureau.maker)
    assert (answer["event"], answer["accepted"], answer["refused"]) == ("company_opened", 12, [])
    bureau.approve(answer)
    bureau.perform(IssueChunk(answer["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        assert len(cards.page(tx, batch_id=answer["batch_id"])) == 12


def test_if_one_of_the_staff_may_not_apply_nobodys_application_is_open(bureau: Bureau) -> None:
    staff = bureau.next_applications(5)
    holder, waiting, *others = staff
    for early in (holder, waiting):
        answer = bureau.import_roster((early,))
        if early is holder:
            bureau.approve(answer)
            bureau.perform(IssueChunk(answer["batch_id"], 1), bureau.maker)
    before = counts(bureau)
    with pytest.raises(ApplicantsRefusedError) as refused:
        bureau.perform(applying(LifeEvent.COMPANY_OPENED, staff), bureau.maker)
    assert set(refused.value.refused) == {
        (holder.row, "has_live_card"),
        (waiting.row, "has_open_application"),
    }
    assert counts(bureau) == before
    answer = bureau.perform(applying(LifeEvent.COMPANY_OPENED, tuple(others)), bureau.maker)
    assert answer["accepted"] == len(others)


def test_a_newborn_applies_with_a_guardian(bureau: Bureau, clock: Clock) -> None:
    today = clock().date()
    (child,) = bureau.next_applications(1)
    with pytest.raises(InvalidActError):
        applying(LifeEvent.BIRTH, (child,))
    newborn = born(child, today - timedelta(days=9), 1)
    answer = bureau.perform(applying(LifeEvent.BIRTH, (newborn,)), bureau.maker)
    assert (answer["event"], answer["accepted"]) == ("birth", 1)


@pytest.mark.parametrize("event", ADULTS)
def test_nobody_is_employed_before_the_sixteenth_birthday(
    bureau: Bureau, clock: Clock, event: LifeEvent
) -> None:
    birthday = date(clock().year - 16, 3, 2)
    (person,) = bureau.next_applications(1)
    for born_on, serial in ((birthday + timedelta(days=1), 1), (birthday, 2)):
        act = applying(event, (born(person, born_on, serial),))
        if born_on > birthday:
            before = counts(bureau)
            with pytest.raises(InvalidActError):
                bureau.perform(act, bureau.maker)
            assert counts(bureau) == before
        else:
            assert bureau.perform(act, bureau.maker)["accepted"] == 1


@pytest.mark.parametrize(("event", "most"), [(LifeEvent.FIRST_JOB, 1), (LifeEvent.BIRTH, 5)])
def test_no_more_people_than_the_event_has(bureau: Bureau, event: LifeEvent, most: int) -> None:
    people = tuple(
        born(one, date(2000, 1, 1), serial)
        for serial, one in enumerate(bureau.next_applications(most + 1))
    )
    applying(event, people[:most])
    with pytest.raises(InvalidActError):
        applying(event, people)
    with pytest.raises(InvalidActError):
        applying(event, ())


def test_a_company_has_a_limit(bureau: Bureau) -> None:
    (person,) = bureau.next_applications(1)
    with pytest.raises(InvalidActError):
        applying(LifeEvent.COMPANY_OPENED, (person,) * (STAFF_MAX + 1))


def test_an_event_is_done_in_its_own_way_only(bureau: Bureau) -> None:
    person = bureau.person()
    (other,) = bureau.next_applications(1)
    for event in LifeEvent:
        if event not in APPLYING:
            with pytest.raises(InvalidActError):
                applying(event, (other,))
        if event not in SERVING or SERVING[event].is_dangerous:
            with pytest.raises(InvalidActError):
                ServeLifeEvent(event, person.card_id)
        if event not in SERVING or not SERVING[event].is_dangerous:
            with pytest.raises(InvalidActError):
                DecideLifeEvent(event, person.card_id)


def test_an_unknown_card_is_not_found(bureau: Bureau) -> None:
    with pytest.raises(NotFoundError):
        bureau.perform(ServeLifeEvent(LifeEvent.RETIREMENT, "0" * 32), bureau.maker)


def test_each_part_has_an_act(bureau: Bureau) -> None:
    person: Person = bureau.person()
    card = pair(bureau, person.card_id)[0]
    registered_phone(bureau, person, days=1)
    with bureau.store.read() as tx:
        for part in Part:
            (act,) = life_acts._acts_of(tx, part, card)
            assert act.act == part.value
