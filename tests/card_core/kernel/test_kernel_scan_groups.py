"""Scans that share a commit: each gets its own answer, and the group's evidence is exact."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from bureau import Bureau
from sqlalchemy import delete, insert, select, update

from card_core.errors import (
    CardCoreError,
    IdempotencyConflictError,
    NotAllowedError,
    ReplayedRequestError,
    StoreBusyError,
    TamperedRowError,
)
from card_core.kernel import RequestProof
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.scan_groups import GROUP_MAX
from card_core.kernel.scan_requests import ScanRequest
from card_core.store import audit, outbox, schema
from card_core.verdicts import Reason


def requests_for(bureau: Bureau, count: int) -> list[ScanRequest]:
    """A scan each of new codes of as many people."""
    people = bureau.people(count)
    return [bureau.scan_request(bureau.minter.mint(one.holder_id).text) for one in people]


def outcome(result: bytes | CardCoreError) -> str | type[CardCoreError]:
    return json.loads(result)["reason"] if isinstance(result, bytes) else type(result)


def proof(bureau: Bureau, nonce: bytes, seconds: int = 300) -> RequestProof:
    return RequestProof(nonce, bureau.clock() + timedelta(seconds=seconds))


def test_each_scan_of_a_mixed_group_gets_its_own_answer(bureau: Bureau) -> None:
    good, double, stranger, retried = requests_for(bureau, 4)
    lost_person = bureau.people(1)[0]
    lost = bureau.scan_request(bureau.minter.mint(lost_person.holder_id).text)
    bureau.perform(ReportTemporaryLoss(lost_person.card_id), lost_person.actor)
    earlier = bureau.record(retried)
    group = [
        (good, "accepted"),
        (double, "accepted"),
        (replace(double, request_id="other"), "already_used"),
        (lost, "card_lost"),
        (replace(stranger, terminal_id="0" * 32), NotAllowedError),
        (replace(stranger, business_type="02121"), NotAllowedError),
        (replace(good, presented=None, refusal=Reason.EXPIRED, request_id="late"), "expired"),
        (retried, "accepted"),
        (replace(retried, amount_fen=5), IdempotencyConflictError),
        (good, "accepted"),
        (replace(good, operator="柜员 9"), IdempotencyConflictError),
    ]
    results = bureau.kernel.record_scans([request for request, _ in group])
    assert [outcome(result) for result in results] == [expected for _, expected in group]
    assert isinstance(results[7], bytes)
    assert json.loads(results[7]) == earlier
    assert results[9] == results[0]
    with bureau.store.read() as tx:
        assert audit.verify_chain(tx, "scan") == 2
        assert audit.verify_scans(tx) == 6


def test_of_one_code_in_one_group_one_scan_is_accepted(bureau: Bureau) -> None:
    (request,) = requests_for(bureau, 1)
    group = [replace(request, request_id=f"r{number}") for number in range(64)]
    outcomes = [outcome(result) for result in bureau.kernel.record_scans(group)]
    assert sorted(outcomes) == ["accepted"] + ["already_used"] * 63


def test_a_proof_is_spent_once_within_a_group_and_behind_it(bureau: Bureau) -> None:
    one, two, three, four = (
        replace(request, proof=proof(bureau, bytes([1]) * 16))
        for request in requests_for(bureau, 4)
    )
    results = bureau.kernel.record_scans([one, two])
    assert [outcome(result) for result in results] == ["accepted", ReplayedRequestError]
    old = replace(four, proof=proof(bureau, bytes([2]) * 16, seconds=-1))
    results = bureau.kernel.record_scans([three, old])
    assert [outcome(result) for result in results] == [ReplayedRequestError] * 2


def test_a_proof_stays_spent_when_the_scan_is_not_allowed(bureau: Bureau) -> None:
    (request,) = requests_for(bureau, 1)
    proven = replace(request, proof=proof(bureau, bytes([3]) * 16))
    with pytest.raises(NotAllowedError):
        bureau.record(replace(proven, business_type="02121"))
    with pytest.raises(ReplayedRequestError):
        bureau.record(proven)


def test_a_card_row_that_was_changed_by_hand_stops_its_own_scan_alone(bureau: Bureau) -> None:
    people = bureau.people(3)
    group = [bureau.scan_request(bureau.minter.mint(one.holder_id).text) for one in people]
    with bureau.store.write() as tx:
        card, ecard = schema.cards, schema.ecards
        tx.connection.execute(
            update(card).where(card.c.id == people[0].card_id).values(region="110101")
        )
        tx.connection.execute(
            update(ecard).where(ecard.c.card_id == people[1].card_id).values(sign_number="x")
        )
    results = bureau.kernel.record_scans(group)
    assert [outcome(result) for result in results] == [
        TamperedRowError,
        TamperedRowError,
        "accepted",
    ]


def test_a_terminal_row_that_was_changed_by_hand_serves_nobody(bureau: Bureau) -> None:
    (request,) = requests_for(bureau, 1)
    with bureau.store.write() as tx:
        table = schema.institutions
        tx.connection.execute(
            update(table)
            .where(table.c.id == bureau.hospital.institution_id)
            .values(region="110101")
        )
    with pytest.raises(NotAllowedError):
        bureau.record(request)


def test_a_code_too_old_when_its_turn_comes_is_refused(bureau: Bureau) -> None:
    early, late = requests_for(bureau, 2)
    bureau.clock.advance(65.9)
    assert bureau.record(early)["reason"] == "accepted"
    bureau.clock.advance(0.1)
    assert bureau.record(late)["reason"] == "expired"


def test_groups_with_codes_and_request_ids_in_common_race(bureau: Bureau) -> None:
    requests = requests_for(bureau, 8)
    groups = []
    for number in range(8):
        turned = requests[number:] + requests[:number]
        own = [replace(one, request_id=f"{number}-{one.request_id}") for one in turned]
        groups.append(own + turned[::-1])
    start = threading.Barrier(len(groups))

    def record(group: list[ScanRequest]) -> list[str | type[CardCoreError]]:
        start.wait()
        return [outcome(result) for result in bureau.kernel.record_scans(group)]

    with ThreadPoolExecutor(len(groups)) as pool:
        outcomes = list(pool.map(record, groups))
    decided = [
        (one, result)
        for group, results in zip(groups, outcomes, strict=True)
        for one, result in zip(group, results, strict=True)
    ]
    for request in requests:
        # The same request went with every group: all of its retries have one answer.
        shared = {result for one, result in decided if one.request_id == request.request_id}
        assert len(shared) == 1
        others = [
            result
            for one, result in decided
            if one.shown_digest == request.shown_digest and one.request_id != request.request_id
        ]
        assert sorted([*others, *shared]) == ["accepted"] + ["already_used"] * len(groups)
    with bureau.store.read() as tx:
        assert audit.verify_scans(tx) == len(requests) * (len(groups) + 1)


def test_a_group_is_bounded(bureau: Bureau) -> None:
    (request,) = requests_for(bureau, 1)
    with pytest.raises(ValueError, match="at most"):
        bureau.kernel.record_scans([request] * (GROUP_MAX + 1))
    assert bureau.kernel.record_scans([]) == []


def test_the_outbox_tells_of_every_scan_of_a_group_without_personal_data(bureau: Bureau) -> None:
    people = bureau.people(2)
    group = [bureau.scan_request(bureau.minter.mint(one.holder_id).text) for one in people]
    bureau.kernel.record_scans(group)
    with bureau.store.read() as tx:
        (event,) = outbox.page(tx, "scan")
    told = json.loads(event.payload)
    assert [one["card_id"] for one in told] == [one.card_id for one in people]
    assert {one["reason"] for one in told} == {"accepted"}
    for person in people:
        assert person.name not in event.payload
        assert person.number not in event.payload


def test_any_edit_of_recorded_scans_is_found(bureau: Bureau) -> None:
    bureau.kernel.record_scans(requests_for(bureau, 3))
    table = schema.scans
    with bureau.store.read() as tx:
        assert audit.verify_scans(tx) == 3
        rows = tx.connection.execute(select(table).order_by(table.c.id)).all()
    first = dict(rows[0]._mapping)
    edits = [
        delete(table).where(table.c.id == first["id"]),
        insert(table).values(**first | {"id": "0" * 32}),
        insert(table).values(**first | {"id": first["id"][:-1] + "f"}),
        *(
            update(table).where(table.c.id == first["id"]).values({column: value})
            for column, value in {
                "business_type": "01301",
                "reason": "card_lost",
                "amount_fen": 1,
                "holder_id": None,
                "terminal_id": "0" * 32,
                "scanned_at": first["scanned_at"] + timedelta(microseconds=1),
                "medium": "chip_card",
                "presence": 3,
                "receipt": b"other",
            }.items()
        ),
    ]
    for edit in edits:
        with bureau.store.write() as tx:
            undone = tx.connection.begin_nested()
            tx.connection.execute(edit)
            with pytest.raises(TamperedRowError):
                audit.verify_scans(tx)
            undone.rollback()
    with bureau.store.read() as tx:
        assert audit.verify_scans(tx) == 3


def test_when_the_database_fails_nothing_is_recorded_and_all_may_be_tried_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = [
        replace(one, proof=proof(bureau, one.shown_digest[:16])) for one in requests_for(bureau, 3)
    ]

    def fail(*_: object) -> int:
        raise StoreBusyError

    with monkeypatch.context() as broken:
        broken.setattr(audit, "append", fail)
        with pytest.raises(StoreBusyError):
            bureau.kernel.record_scans(group)
    results = bureau.kernel.record_scans(group)
    assert [outcome(result) for result in results] == ["accepted"] * 3
