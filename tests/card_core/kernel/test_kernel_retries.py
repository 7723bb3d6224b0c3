"""A request id names one request: sent again it gets the same answer and does nothing."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from bureau import Bureau
from sqlalchemy import func, select

from card_core import codes
from card_core.errors import IdempotencyConflictError, InvalidActError, NotAllowedError
from card_core.kernel import Answer
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.scan_requests import ScanRequest
from card_core.states import CardState
from card_core.store import cards, schema
from card_core.verdicts import Reason
from crypto import sm3


def test_the_same_request_again_gets_the_same_bytes_and_does_nothing(bureau: Bureau) -> None:
    person = bureau.person()
    first = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "r")
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    again = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "r")
    assert json.dumps(again) == json.dumps(first)
    with bureau.store.read() as tx:
        row = tx.connection.execute(
            select(schema.cards.c.state).where(schema.cards.c.id == person.card_id)
        ).one()
    assert row.state == "normal"


def test_the_same_request_id_for_another_content_is_refused(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "r")
    with pytest.raises(IdempotencyConflictError):
        bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor, "r")


def test_request_ids_count_for_each_actor_apart(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    for person in (one, other):
        answer = bureau.perform(ReportTemporaryLoss(person.card_id), person.actor, "r")
        assert answer["card_id"] == person.card_id


def test_a_hundred_of_the_same_request_at_once_have_one_effect(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    request = bureau.scan_request(text, request_id="one-request")

    def send(_: int) -> Answer:
        return bureau.record(request)

    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(send, range(100)))
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert answers[0]["outcome"] == "accepted"
    with bureau.store.read() as tx:
        scans = tx.connection.execute(select(func.count()).select_from(schema.scans)).scalar()
    assert scans == 1


def test_a_scan_sent_again_after_its_code_expired_gets_its_first_answer(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    first = bureau.scan(text, request_id="scan-1")
    bureau.clock.advance(3600)
    with pytest.raises(codes.RefusedError) as refused:
        bureau.checked(text, bureau.hospital, "01101")
    retry = ScanRequest(
        bureau.hospital.id,
        bureau.hospital.institution_id,
        "scan-1",
        "01101",
        sm3.digest(text.encode()),
        refusal=refused.value.reason,
    )
    assert refused.value.reason is Reason.EXPIRED
    assert bureau.record(retry) == first


def test_another_code_under_the_same_request_id_is_refused(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.scan(bureau.minter.mint(person.holder_id).text, request_id="scan-1")
    with pytest.raises(IdempotencyConflictError):
        bureau.scan(bureau.minter.mint(person.holder_id).text, request_id="scan-1")


def test_who_may_act_no_more_gets_no_old_answer(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    bureau.scan(text, request_id="scan-1")
    bureau.perform(SuspendTerminal(bureau.hospital.serial_number), bureau.administrator)
    with pytest.raises(NotAllowedError):
        bureau.scan(text, request_id="scan-1")


@pytest.mark.parametrize("request_id", ["", "x" * 65, "空", "a\nb", "a\x00b", "\x7f"])
def test_a_request_id_out_of_its_limits_is_refused(bureau: Bureau, request_id: str) -> None:
    person = bureau.person()
    act = ReportTemporaryLoss(person.card_id)
    with pytest.raises(InvalidActError) as refused:
        bureau.kernel.perform(act, actor=person.actor, request_id=request_id)
    assert refused.value.field == "request_id"
    with bureau.store.read() as tx:
        assert cards.live_card_of(tx, person.holder_id).state is CardState.NORMAL


def test_what_is_kept_for_retries_shows_nobody(bureau: Bureau) -> None:
    person = bureau.person()
    answer = bureau.scan(bureau.minter.mint(person.holder_id).text)
    assert answer["holder"]["name"] == person.name
    with bureau.store.read() as tx:
        rows = tx.connection.execute(select(schema.answers)).all()
    stored = repr([tuple(row) for row in rows]).encode()
    kept = b"".join(row.answer for row in rows)
    for secret in (person.name, person.number):
        assert secret.encode() not in stored + kept
