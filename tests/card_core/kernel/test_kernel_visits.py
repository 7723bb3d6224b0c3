"""Visits: one code opens one, its steps are scans, and nothing goes beyond its limits."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from bureau import Bureau, Clock, Person, SeededBytes, make_grants, receipt_keys
from sqlalchemy import update

from card_core import receipts
from card_core.codes import PurposeClass, RefusedError
from card_core.errors import InvalidActError, NotFoundError, TamperedRowError, WrongStateError
from card_core.kernel import Answer, BoxKeyWrap, Kernel
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.visits import EndVisit
from card_core.kernel.scan_requests import ScanRequest
from card_core.presented import Medium
from card_core.store import Store, audit, outbox, schema, visits
from card_core.store.institutions import Terminal
from card_core.verdicts import Reason
from card_core.visit_steps import VisitPresenter
from card_core.visits import VisitPolicy
from crypto import sm3

POLICY = VisitPolicy(hours=12, steps_max=5, consuming_max=3, amount_max_fen=10_000)


@pytest.fixture
def bureau(bureau: Bureau) -> Bureau:
    """With the limits of POLICY."""
    kernel = bureau.kernel
    limited = Kernel(
        kernel.store,
        clock=kernel.clock,
        random_bytes=kernel.random_bytes,
        box_key_wrap=kernel.box_key_wrap,
        grants=make_grants(kernel.store, kernel.clock, POLICY),
    )
    return bureau.on(limited, bureau.clock)


def register(bureau: Bureau, person: Person, business_type: str = "01101", **more: Any) -> Answer:
    text = bureau.minter.mint(person.holder_id, **more).text
    return bureau.scan(text, bureau.hospital, business_type)


def opened(bureau: Bureau, person: Person, business_type: str = "01101") -> str:
    token: str = register(bureau, person, business_type)["visit"]["token"]
    return token


def step_request(
    bureau: Bureau,
    token: str,
    step: str,
    business_type: str = "01301",
    amount_fen: int | None = 100,
    *,
    terminal: Terminal | None = None,
    **more: Any,
) -> ScanRequest:
    terminal = terminal or bureau.hospital
    tokens = make_grants(bureau.store, bureau.clock).visit_tokens
    presenter = VisitPresenter(bureau.store, tokens)
    presented = presenter.present(
        token,
        institution_id=terminal.institution_id,
        business_type=business_type,
        step=step,
        now=bureau.clock(),
    )
    return ScanRequest(
        terminal_id=terminal.id,
        institution_id=terminal.institution_id,
        business_type=business_type,
        shown_digest=sm3.digest(f"{token} {step}".encode()),
        amount_fen=amount_fen,
        presented=presented,
        **{"request_id": bureau.request_id(), **more},
    )


def take(bureau: Bureau, token: str, step: str, *more: Any, **named: Any) -> Answer:
    return bureau.record(step_request(bureau, token, step, *more, **named))


def refused(bureau: Bureau, token: str, *more: Any, **named: Any) -> Reason:
    """The reason against a step, wherever it is found."""
    try:
        return Reason(take(bureau, token, "refused", *more, **named)["reason"])
    except RefusedError as error:
        return error.reason


def visit_of(bureau: Bureau, person: Person) -> visits.Visit:
    with bureau.store.read() as tx:
        return visits.of_holder(tx, person.holder_id)[0]


def test_a_visit_carries_from_registration_to_settlement_and_dispensing(bureau: Bureau) -> None:
    person = bureau.person()
    registered = register(bureau, person)
    token = registered["visit"]["token"]
    settled = take(bureau, token, "bill 1")
    dispensed = take(bureau, token, "prescription 1", "01302", None)
    assert (settled["reason"], dispensed["reason"]) == ("accepted", "accepted")
    assert settled["medium"] == dispensed["medium"] == "visit_token"
    assert settled["holder"]["social_security_number"] == person.number
    assert dispensed["holder"]["view"] == "masked"
    assert settled["visit"] is None
    assert registered["pseudonym"] == settled["pseudonym"] == dispensed["pseudonym"]
    content = receipts.verify_receipt(
        receipts.from_text(settled["receipt"]), receipt_keys(bureau.store)
    )
    assert (content.medium.value, content.amount_fen) == ("visit_token", 100)
    visit = visit_of(bureau, person)
    assert (visit.steps, visit.consuming, visit.amount_fen) == (2, 2, 100)
    with bureau.store.read() as tx:
        events = outbox.page(tx, "scan")
        told = [one for event in events[-2:] for one in json.loads(event.payload)]
        audit.verify_chain(tx, "scan")
        audit.verify_rows(tx)
        audit.verify_scans(tx)
    assert [one["visit_id"] for one in told] == [visit.id, visit.id]


def test_each_step_is_taken_once_whoever_asks(bureau: Bureau) -> None:
    token = opened(bureau, bureau.person())
    first = step_request(bureau, token, "bill 1")
    answer = bureau.record(first)
    assert answer["reason"] == "accepted"
    assert bureau.record(first) == answer
    assert take(bureau, token, "bill 1")["reason"] == "already_used"
    assert take(bureau, token, "bill 1", "01302", None)["reason"] == "accepted"
    assert take(bureau, token, "bill 2")["reason"] == "accepted"


def test_steps_that_race_in_one_group_and_across_threads_are_taken_once(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person)
    group = [step_request(bureau, token, "bill 1") for _ in range(4)]
    results = [json.loads(one)["reason"] for one in bureau.kernel.record_scans(group)]  # type: ignore[arg-type]
    assert sorted(results) == ["accepted", *["already_used"] * 3]
    assert visit_of(bureau, person).consuming == 1
    with ThreadPoolExecutor(4) as pool:
        requests = [step_request(bureau, token, "bill 2") for _ in range(4)]
        reasons = list(pool.map(lambda one: bureau.record(one)["reason"], requests))
    assert sorted(reasons) == ["accepted", *["already_used"] * 3]
    assert (visit_of(bureau, person).consuming, visit_of(bureau, person).amount_fen) == (2, 200)


def test_a_visit_is_good_at_its_own_institution_alone_and_never_at_a_pharmacy(
    bureau: Bureau,
) -> None:
    token = opened(bureau, bureau.person())
    assert refused(bureau, token, terminal=bureau.pharmacy) is Reason.VISIT_NOT_HERE
    assert refused(bureau, token, "02121", terminal=bureau.pharmacy) is Reason.VISIT_NOT_HERE
    assert refused(bureau, "A" * 44) is Reason.VISIT_NOT_HERE
    text = bureau.minter.mint(bureau.person().holder_id).text
    assert bureau.scan(text, bureau.pharmacy, "02121")["visit"] is None


def test_a_step_outside_the_visits_business_types_is_refused(bureau: Bureau) -> None:
    token = opened(bureau, bureau.person())
    for business_type in ("01104", "01101", "01103", "91102"):
        assert refused(bureau, token, business_type) is Reason.STEP_NOT_IN_VISIT
    inpatient = opened(bureau, bureau.person(), "01102")
    assert take(bureau, inpatient, "deposit", "01104")["reason"] == "accepted"


def test_the_hours_end_a_visit_to_the_second(bureau: Bureau, clock: Clock) -> None:
    token = opened(bureau, bureau.person())
    clock.advance(12 * 3600 - 1)
    waiting = step_request(bureau, token, "waits in the queue")
    assert take(bureau, token, "just in time")["reason"] == "accepted"
    clock.advance(1)
    assert refused(bureau, token) is Reason.VISIT_ENDED
    assert bureau.record(waiting)["outcome"] == "refused"


def test_the_holder_ends_a_visit_at_once_and_nobody_else_does(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    token = opened(bureau, person)
    waiting = step_request(bureau, token, "waits in the queue")
    visit = visit_of(bureau, person)
    with pytest.raises(NotFoundError):
        bureau.perform(EndVisit(visit.id), other.actor)
    assert bureau.perform(EndVisit(visit.id), person.actor)["state"] == "ended"
    assert bureau.record(waiting)["reason"] == "visit_ended"
    assert refused(bureau, token) is Reason.VISIT_ENDED
    with pytest.raises(WrongStateError):
        bureau.perform(EndVisit(visit.id), person.actor)


def test_a_lost_card_stops_its_visits(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert refused(bureau, token) is Reason.CARD_LOST
    assert visit_of(bureau, person).steps == 0


def test_an_institution_can_not_go_beyond_the_limits_alone(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person)
    assert refused(bureau, token, "01301", 10_001) is Reason.VISIT_LIMIT_REACHED
    assert take(bureau, token, "bill 1", "01301", 9_999)["reason"] == "accepted"
    assert refused(bureau, token, "01301", 2) is Reason.VISIT_LIMIT_REACHED
    assert take(bureau, token, "bill 2", "01301", 1)["reason"] == "accepted"
    assert take(bureau, token, "medicine", "01302", None)["reason"] == "accepted"
    assert refused(bureau, token, "01302", None) is Reason.VISIT_LIMIT_REACHED
    # What only identifies goes on up to the number of steps.
    for step in ("report 1", "report 2"):
        assert take(bureau, token, step, "01303", None)["reason"] == "accepted"
    assert refused(bureau, token, "01303", None) is Reason.VISIT_LIMIT_REACHED
    visit = visit_of(bureau, person)
    assert (visit.steps, visit.consuming, visit.amount_fen) == (5, 3, 10_000)
    # The holder's own code is not bound by it.
    text = bureau.minter.mint(person.holder_id).text
    assert bureau.scan(text, bureau.hospital, "01302")["reason"] == "accepted"


def test_steps_of_one_group_share_the_limits(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person)
    group = [step_request(bureau, token, f"bill {n}", amount_fen=4_000) for n in range(4)]
    reasons = [json.loads(one)["reason"] for one in bureau.kernel.record_scans(group)]  # type: ignore[arg-type]
    assert reasons == ["accepted", "accepted", "visit_limit_reached", "visit_limit_reached"]
    assert visit_of(bureau, person).amount_fen == 8_000


def test_threads_share_the_limits(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person)
    requests = [step_request(bureau, token, f"bill {n}", amount_fen=4_000) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        reasons = list(pool.map(lambda one: bureau.record(one)["reason"], requests))
    assert sorted(reasons) == [*["accepted"] * 2, *["visit_limit_reached"] * 4]
    assert visit_of(bureau, person).amount_fen == 8_000


def test_money_without_an_amount_is_no_step(bureau: Bureau) -> None:
    token = opened(bureau, bureau.person())
    for amount in (None, 0):
        with pytest.raises(InvalidActError) as caught:
            step_request(bureau, token, "bill", "01301", amount)
        assert caught.value.field == "amount_fen"


def test_a_code_that_only_identifies_opens_no_visit(bureau: Bureau) -> None:
    person = bureau.person()
    code = bureau.minter.mint(person.holder_id, purpose_class=PurposeClass.IDENTIFY_ONLY)
    request = bureau.scan_request(code.text)
    assert request.presented is not None
    offline = request.presented._replace(medium=Medium.OFFLINE_CODE)
    registered = bureau.record(replace(request, presented=offline))
    assert registered["reason"] == "accepted"
    assert registered["visit"] is None


def test_a_step_opens_no_visit_or_a_visit_would_never_end(bureau: Bureau) -> None:
    person = bureau.person()
    token = opened(bureau, person, "01102")
    admitted = take(bureau, token, "admission", "01103", None)
    assert admitted["reason"] == "accepted"
    assert admitted["visit"] is None
    with bureau.store.read() as tx:
        assert len(visits.of_holder(tx, person.holder_id)) == 1


def test_a_refused_scan_opens_no_visit(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    assert bureau.scan(text)["visit"] is not None
    assert bureau.scan(text)["visit"] is None
    with bureau.store.read() as tx:
        assert len(visits.of_holder(tx, person.holder_id)) == 1


def test_a_visit_whose_limits_were_edited_serves_nobody_and_stops_no_other(
    bureau: Bureau, store: Store
) -> None:
    person, other = bureau.people(2)
    bad, good = opened(bureau, person), opened(bureau, other)
    group = [step_request(bureau, bad, "bill"), step_request(bureau, good, "bill")]
    visit = visit_of(bureau, person)
    with store.write() as tx:
        tx.connection.execute(
            update(schema.visits)
            .where(schema.visits.c.id == visit.id)
            .values(amount_max_fen=10_000_000)
        )
    spoiled, fine = bureau.kernel.record_scans(group)
    assert isinstance(spoiled, TamperedRowError)
    assert isinstance(fine, bytes)
    assert json.loads(fine)["reason"] == "accepted"


def test_a_kernel_without_grants_opens_no_visit(store: Store, bureau: Bureau) -> None:
    plain = Kernel(
        store,
        clock=bureau.clock,
        random_bytes=SeededBytes(b"plain"),
        box_key_wrap=BoxKeyWrap(bytes(range(16))),
    )
    answer = register(bureau.on(plain, bureau.clock), bureau.person())
    assert (answer["reason"], answer["visit"], answer["receipt"]) == ("accepted", None, None)
