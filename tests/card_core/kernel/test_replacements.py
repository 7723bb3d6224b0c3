"""Replacement and exchange: the old card ends as the next one is made, with a number by policy."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bureau import HOLDER_PASSWORD, Bureau, Person, make_number
from holder_records import correction
from sqlalchemy import select
from stock import make_stock_card, released, take_over

from card_core.card_policy import CardNumberKept
from card_core.errors import CardCoreError, NotByPolicyError, WrongStateError
from card_core.kernel.act import DangerousAct
from card_core.kernel.acts.card_locks import LockCard
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence, ReportFormalLoss
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason, ReplaceCard
from card_core.states import BatchState, CardState, ECardState
from card_core.store import applications, batches, cards, holders, schema
from card_core.store.cards import Card, ECard

NEW, SAME = CardNumberKept.NEW, CardNumberKept.SAME


def lost(bureau: Bureau) -> Person:
    person = bureau.person()
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    return person


def set_policy(bureau: Bureau, on_replacement: CardNumberKept, on_exchange: CardNumberKept) -> None:
    act = SetCardPolicy(15, False, on_replacement, on_exchange)
    bureau.decide(act, bureau.administrator, bureau.security)


def pair(bureau: Bureau, card_id: str) -> tuple[Card, ECard]:
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
        assert card is not None
        return card, cards.ecard_of(tx, card_id)


def exchange(card_id: str, number: CardNumberKept = NEW) -> ExchangeCard:
    return ExchangeCard(card_id, ExchangeReason.DAMAGED, number)


def card_rows(bureau: Bureau) -> list[Any]:
    with bureau.store.read() as tx:
        return [
            tuple(row)
            for table in (schema.cards, schema.ecards, schema.batches, schema.issuers)
            for row in tx.connection.execute(select(table))
        ]


def test_a_lost_card_is_replaced_by_one_with_a_new_number(bureau: Bureau) -> None:
    person = lost(bureau)
    old_number = pair(bureau, person.card_id)[0].card_number
    answer = bureau.decide(ReplaceCard(person.card_id, NEW))
    old, old_ecard = pair(bureau, person.card_id)
    new, new_ecard = pair(bureau, answer["new_card_id"])
    assert (old.state, old_ecard.state) == (CardState.CANCELLED, ECardState.CANCELLED)
    assert (new.state, new_ecard.state) == (CardState.NOT_ACTIVATED, ECardState.NOT_ACTIVATED)
    assert new.card_number == answer["new_card_number"] != old_number
    assert (new.holder_id, new.region, new.issuer) == (old.holder_id, old.region, old.issuer)
    with bureau.store.read() as tx:
        batch = batches.get(tx, new.batch_id)
        assert batch is not None
        assert (batch.state, batch.accepted, batch.issued) == (BatchState.ISSUED, 1, 1)
        assert cards.live_card_of(tx, person.holder_id) == new


def test_the_next_card_serves_once_it_is_handed_out(bureau: Bureau) -> None:
    person = bureau.person()
    old_code = bureau.minter.mint(person.holder_id).text
    new_id = bureau.decide(exchange(person.card_id))["new_card_id"]
    assert bureau.scan(old_code)["reason"] == "card_cancelled"
    with pytest.raises(CardCoreError):
        bureau.minter.mint(person.holder_id)
    bureau.perform(ActivateCard(new_id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
    bureau.perform(ActivateECard(new_id, bureau.hash(HOLDER_PASSWORD)), bureau.maker)
    assert bureau.scan(bureau.minter.mint(person.holder_id).text)["outcome"] == "accepted"
    # And it can be exchanged in its turn.
    third = bureau.decide(exchange(new_id))["new_card_id"]
    assert pair(bureau, new_id)[0].state is CardState.CANCELLED
    assert pair(bureau, third)[0].state is CardState.NOT_ACTIVATED


def test_the_same_number_where_the_policy_says_so(bureau: Bureau) -> None:
    set_policy(bureau, SAME, SAME)
    for act in (ReplaceCard(lost(bureau).card_id, SAME), exchange(bureau.person().card_id, SAME)):
        number = pair(bureau, act.card_id)[0].card_number
        answer = bureau.decide(act)
        assert answer["new_card_number"] == number
        with bureau.store.read() as tx:
            found = cards.find_by_card_number(tx, number)
        assert found is not None
        assert found.id == answer["new_card_id"] != act.card_id


def test_a_new_number_is_possible_under_either_policy(bureau: Bureau) -> None:
    set_policy(bureau, SAME, SAME)
    person = bureau.person()
    number = pair(bureau, person.card_id)[0].card_number
    assert bureau.decide(exchange(person.card_id))["new_card_number"] != number


@pytest.mark.parametrize(("on_replacement", "on_exchange"), [(NEW, SAME), (SAME, NEW), (NEW, NEW)])
def test_the_same_number_against_the_policy_is_refused_and_changes_nothing(
    bureau: Bureau, on_replacement: CardNumberKept, on_exchange: CardNumberKept
) -> None:
    set_policy(bureau, on_replacement, on_exchange)
    acts: list[tuple[DangerousAct, CardNumberKept]] = [
        (ReplaceCard(lost(bureau).card_id, SAME), on_replacement),
        (exchange(bureau.person().card_id, SAME), on_exchange),
    ]
    for act, policy in acts:
        if policy is SAME:
            continue
        before = card_rows(bureau)
        with pytest.raises(NotByPolicyError):
            bureau.decide(act)
        assert card_rows(bureau) == before


def test_a_locked_card_is_exchanged_and_no_lost_one(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(LockCard(person.card_id), bureau.maker)
    bureau.decide(exchange(person.card_id))
    with pytest.raises(WrongStateError):
        bureau.decide(exchange(lost(bureau).card_id))


def test_of_two_replacements_approved_at_once_one_makes_a_card(bureau: Bureau) -> None:
    person = lost(bureau)
    proposed = [
        bureau.kernel.propose(
            ReplaceCard(person.card_id, NEW), actor=bureau.maker, request_id=bureau.request_id()
        )
        for _ in range(4)
    ]
    start = threading.Barrier(len(proposed))

    def approve(one: dict[str, Any]) -> str:
        start.wait()
        try:
            bureau.approve(one)
        except WrongStateError as error:
            return error.state.value
        return "done"

    with ThreadPoolExecutor(len(proposed)) as pool:
        outcomes = sorted(pool.map(approve, proposed))
    assert outcomes == ["cancelled"] * 3 + ["done"]
    with bureau.store.read() as tx:
        statement = select(schema.cards.c.state).where(schema.cards.c.holder_id == person.holder_id)
        found = sorted(tx.connection.execute(statement).scalars())
    assert found == ["cancelled", "not_activated"]


def test_the_log_names_both_cards_and_nobody(bureau: Bureau) -> None:
    person = lost(bureau)
    answer = bureau.decide(ReplaceCard(person.card_id, NEW))
    with bureau.store.read() as tx:
        statement = select(schema.outbox.c.payload).where(schema.outbox.c.topic == "replace_card")
        (payload,) = tx.connection.execute(statement).scalars()
    content = json.loads(payload)
    assert content["card_id"] == person.card_id
    assert content["new_card_id"] == answer["new_card_id"]
    assert person.number not in payload
    assert person.name not in payload


def test_a_card_that_was_taken_over_is_replaced_by_what_the_holder_base_knows(
    bureau: Bureau,
) -> None:
    stock_card = make_stock_card(1)
    take_over(bureau, released(bureau, stock_card))
    with bureau.store.read() as tx:
        card = cards.find_by_card_number(tx, stock_card.card_number)
    assert card is not None
    bureau.perform(ReportFormalLoss(card.id), bureau.maker)
    answer = bureau.decide(ReplaceCard(card.id, NEW))
    new, _ = pair(bureau, answer["new_card_id"])
    assert (new.holder_id, new.region) == (card.holder_id, card.region)
    with bureau.store.read() as tx:
        holder = holders.get(tx, card.holder_id)
        content = applications.of_person(tx, new.batch_id, stock_card.number.text)
    assert holder is not None
    assert (holder.name, holder.phone) == (stock_card.name, stock_card.phone)
    assert holder.birth_on == stock_card.number.birth_on
    assert content is not None
    assert (json.loads(content)["bank"], json.loads(content)["branch"]) == (stock_card.bank, "")


def test_the_next_card_is_of_the_holder_as_corrected(bureau: Bureau) -> None:
    person = bureau.person()
    number = make_number(2_345_678)
    bureau.decide(correction(bureau, person.holder_id, name="新名", serial=2_345_678))
    answer = bureau.decide(exchange(person.card_id))
    with bureau.store.read() as tx:
        holder = holders.get(tx, person.holder_id)
        content = applications.of_person(tx, answer_batch(bureau, answer), number.text)
    assert holder is not None
    assert (holder.name, holder.social_security_number) == ("新名", number.text)
    assert content is not None
    assert json.loads(content)["branch"] == "440604001"


def answer_batch(bureau: Bureau, answer: dict[str, Any]) -> str:
    return pair(bureau, answer["new_card_id"])[0].batch_id
