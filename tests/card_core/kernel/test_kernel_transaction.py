"""One act is one transaction: state, audit event, outbox event and answer, or nothing."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from bureau import Bureau, Person
from sqlalchemy import func, select

from card_core.errors import (
    NotFoundError,
    ReplayedRequestError,
    StoreConflictError,
    WrongStateError,
)
from card_core.kernel import RequestProof
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.states import CardState
from card_core.store import answers, audit, cards, outbox, schema
from card_core.store.paging import PAGE_SIZE_MAX


class BrokenError(Exception):
    """What the tests break a transaction with."""


def counts(bureau: Bureau) -> dict[str, int]:
    """How many rows each table has."""
    with bureau.store.read() as tx:
        return {
            table.name: tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
        }


def card_state(bureau: Bureau, person: Person) -> CardState:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return card.state


def test_an_act_leaves_state_audit_event_outbox_event_and_answer(bureau: Bureau) -> None:
    person = bureau.person()
    before = counts(bureau)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    after = counts(bureau)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {"audit_events": 1, "outbox": 1, "answers": 1}
    assert card_state(bureau, person) is CardState.TEMPORARY_LOSS
    with bureau.store.read() as tx:
        event = outbox.page(tx, "bureau", after=before["outbox"])[-1]
    assert (event.topic, event.subject) == ("report_temporary_loss", f"card/{person.card_id}")
    assert event.seq == after["audit_events"]


def test_an_approved_act_is_recorded_by_its_own_word_with_both_people(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(CancelCard(person.card_id, CancelReason.DEATH))
    with bureau.store.read() as tx:
        row = tx.connection.execute(
            select(schema.audit_events).order_by(schema.audit_events.c.seq.desc())
        ).first()
    assert row is not None
    assert (row.act, row.subject) == ("cancel_card", f"card/{person.card_id}")
    assert row.actor_id == bureau.checker.id
    detail = json.loads(row.detail)
    assert (detail["maker_id"], detail["reason"]) == (bureau.maker.id, "death")
    assert ["cards", person.card_id, 3] in detail["rows"]


@pytest.mark.parametrize(
    ("module", "name"), [(audit, "append"), (outbox, "append"), (answers, "keep")]
)
def test_an_act_that_breaks_at_any_point_leaves_nothing(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    person = bureau.person()
    before = counts(bureau)

    def broken(*_: object, **__: object) -> NoReturn:
        raise BrokenError

    with monkeypatch.context() as patch:
        patch.setattr(module, name, broken)
        with pytest.raises(BrokenError):
            bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "same")
    assert counts(bureau) == before
    assert card_state(bureau, person) is CardState.NORMAL
    answer = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "same")
    assert answer["card_state"] == "temporary_loss"


def test_a_refused_act_leaves_nothing(bureau: Bureau) -> None:
    person = bureau.person()
    before = counts(bureau)
    with pytest.raises(WrongStateError):
        bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert counts(bureau) == before


def test_another_holders_card_is_as_good_as_none(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    with pytest.raises(NotFoundError):
        bureau.perform(ReportTemporaryLoss(one.card_id), other.actor)
    assert card_state(bureau, one) is CardState.NORMAL


def test_a_signed_request_outlives_a_conflict_that_is_tried_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, take, conflicts = bureau.person(), answers.take, iter([StoreConflictError()])

    def take_at_second_try(*arguments: Any) -> bytes | None:
        for conflict in conflicts:
            raise conflict
        return take(*arguments)

    monkeypatch.setattr(answers, "take", take_at_second_try)
    act = ReportTemporaryLoss(person.card_id)
    answer = bureau.kernel.perform(
        act, actor=person.actor, request_id="one", proof=proof_of(bureau)
    )
    assert answer["card_state"] == CardState.TEMPORARY_LOSS.value


def proof_of(bureau: Bureau, nonce: int = 1, seconds: int = 300) -> RequestProof:
    return RequestProof(nonce.to_bytes(16), bureau.clock() + timedelta(seconds=seconds))


def test_a_signed_request_is_good_once(bureau: Bureau) -> None:
    person = bureau.person()
    proof = proof_of(bureau)

    def report(request_id: str) -> object:
        act = ReportTemporaryLoss(person.card_id)
        return bureau.kernel.perform(act, actor=person.actor, request_id=request_id, proof=proof)

    report("one")
    for request_id in ("one", "two"):
        with pytest.raises(ReplayedRequestError):
            report(request_id)


def test_a_refused_request_has_spent_its_nonce_and_nothing_else(bureau: Bureau) -> None:
    person = bureau.person()
    proof = proof_of(bureau)
    act = WithdrawTemporaryLoss(person.card_id)
    before = counts(bureau)
    with pytest.raises(WrongStateError):
        bureau.kernel.perform(act, actor=person.actor, request_id="one", proof=proof)
    after = counts(bureau)
    assert {name for name in after if after[name] != before[name]} == {"proofs"}
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    with pytest.raises(ReplayedRequestError):
        bureau.kernel.perform(act, actor=person.actor, request_id="one", proof=proof)
    assert card_state(bureau, person) is CardState.TEMPORARY_LOSS


def test_a_nonce_counts_for_each_actor_apart(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    proof = proof_of(bureau)
    for person in (one, other):
        bureau.kernel.spend_proof(proof, actor=person.actor)
        with pytest.raises(ReplayedRequestError):
            bureau.kernel.spend_proof(proof, actor=person.actor)


def test_a_signed_request_that_is_too_old_is_refused(bureau: Bureau) -> None:
    person = bureau.person()
    proof = proof_of(bureau, seconds=10)
    bureau.clock.advance(10.5)
    with pytest.raises(ReplayedRequestError):
        bureau.kernel.spend_proof(proof, actor=person.actor)


def test_what_outlived_its_promise_is_swept_and_nothing_else(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.kernel.spend_proof(proof_of(bureau, 1, seconds=60), actor=person.actor)
    bureau.kernel.spend_proof(proof_of(bureau, 2, seconds=7200), actor=person.actor)
    before = counts(bureau)
    bureau.clock.advance(3600)
    swept = bureau.kernel.sweep()
    assert {name: count for name, count in swept.items() if count} == {"proofs": 1}
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "kept")
    bureau.clock.advance(24 * 3600 - 1800)
    swept = bureau.kernel.sweep()
    assert swept["answers"] == before["answers"]
    assert swept["proofs"] == 1
    answer = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "kept")
    assert answer["card_state"] == "temporary_loss"
    after = counts(bureau)
    assert {name for name in after if after[name] < before[name]} == {"answers", "proofs"}


def test_outbox_events_have_the_numbers_of_their_audit_events(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    bureau.scan(text)
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            events = outbox.page(tx, chain, limit=PAGE_SIZE_MAX)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert audit.verify_chain(tx, chain) == len(events)


def test_the_answer_is_read_from_what_is_stored(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    kept: list[bytes] = []
    keep: Callable[..., None] = answers.keep

    def spy(tx: Any, key: Any, answer: bytes) -> None:
        kept.append(answer)
        keep(tx, key, answer)

    monkeypatch.setattr(answers, "keep", spy)
    first = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "same")
    again = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "same")
    assert first == again
    assert len(kept) == 1
