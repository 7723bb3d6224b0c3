"""What the kernel does of scans that only identify: judge as in a group, record them afterwards."""

import json
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from bureau import Bureau, Person, receipt_keys
from servers.databases import PEOPLE
from sqlalchemy import delete, update

from card_core import business_types, receipts
from card_core.codes import PurposeClass
from card_core.errors import (
    CardPushError,
    ReplayedRequestError,
    StoreBusyError,
    TamperedRowError,
    WrongStateError,
)
from card_core.holder_views import HolderViews
from card_core.kernel import card_records, identified
from card_core.kernel.actors import RequestProof
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportFormalLoss,
    ReportTemporaryLoss,
)
from card_core.kernel.card_records import RECORD_BELIEVED, CardRecord
from card_core.kernel.content import canonical_bytes
from card_core.kernel.dates import SHANGHAI
from card_core.kernel.identified import IdentifiedScan
from card_core.kernel.scan_answers import GroupedScan, answer_of, pseudonym_and_salt, view_of
from card_core.kernel.scan_requests import ScanRequest
from card_core.states import CardState
from card_core.store import audit, cards, holders, institutions, scans
from card_core.store.schema import scans as table
from card_core.verdicts import Reason


def asked(bureau: Bureau, person: Person, **more: Any) -> ScanRequest:
    code = bureau.minter.mint(person.holder_id, purpose_class=PurposeClass.IDENTIFY_ONLY)
    return bureau.scan_request(code.text, **more)


def loaded(bureau: Bureau, request: ScanRequest) -> CardRecord:
    assert request.presented is not None
    assert request.presented.ecard_id is not None
    with bureau.store.read() as tx:
        views = identified.views_of(bureau.kernel.grants)
        record = card_records.load(tx, request.presented.ecard_id, views, bureau.clock())
    assert record is not None
    return record


def decided(
    bureau: Bureau, request: ScanRequest, reason: Reason = Reason.ACCEPTED
) -> IdentifiedScan:
    with bureau.store.write() as tx:
        places = {bureau.hospital.institution_id, bureau.pharmacy.institution_id}
        serving = institutions.serving(tx, {request.terminal_id}, places)()[request.terminal_id]
    return identified.decided(
        request,
        serving,
        reason,
        loaded(bureau, request) if reason is Reason.ACCEPTED else None,
        bureau.clock(),
        content=request.content(),
        digest=identified.request_digest(request, request.content()),
        cipher=bureau.store.cipher,
        grants=bureau.kernel.grants,
    )


def of_person(bureau: Bureau, person: Person) -> list[Any]:
    with bureau.store.read() as tx:
        return scans.of_holder(tx, person.holder_id)


def verify_log(bureau: Bureau) -> int:
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "scan")
        return audit.verify_scans(tx)


def test_the_group_never_accepts_such_a_code_and_spends_nothing(bureau: Bureau) -> None:
    person = bureau.person()
    request = asked(bureau, person)
    answer = bureau.record(request)
    assert (answer["outcome"], answer["reason"]) == ("refused", "show_new_code")
    assert (answer["holder"], answer["card_state"]) == (None, "normal")
    assert request.presented is not None
    as_any_use = request.presented._replace(purpose_class=PurposeClass.ANY_USE)
    again = replace(request, presented=as_any_use, request_id=bureau.request_id())
    assert bureau.record(again)["outcome"] == "accepted"


def test_the_group_says_of_a_lost_card_that_it_is_lost(bureau: Bureau) -> None:
    person = bureau.person()
    request = asked(bureau, person)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert bureau.record(request)["reason"] == "card_lost"


def test_the_same_request_has_the_same_scan_and_another_one_has_not(bureau: Bureau) -> None:
    person = bureau.person()
    request = asked(bureau, person, operator="7")
    one = decided(bureau, request)
    bureau.clock.advance(20)
    assert decided(bureau, replace(request, proof=None)).id == one.id
    others = [
        replace(request, request_id="another"),
        replace(request, operator="8"),
        replace(request, terminal_id=bureau.pharmacy.id),
        replace(request, shown_digest=bytes(32)),
    ]
    size = identified.TAG_SIZE_BYTES
    tags = {
        identified.request_digest(other, other.content())[:size] for other in [request, *others]
    }
    assert len(tags) == 1 + len(others)
    ids = {decided(bureau, other).id for other in others} | {one.id}
    assert len(ids) == 1 + len(others)
    assert decided(bureau, request, Reason.ALREADY_USED).id not in ids


def test_it_is_recorded_once_with_a_receipt(bureau: Bureau) -> None:
    person = bureau.person()
    first, second = (decided(bureau, asked(bureau, person)) for _ in range(2))
    assert bureau.kernel.record_identified([first, first]) == 1
    assert bureau.kernel.record_identified([second, first]) == 1
    assert bureau.kernel.record_identified([first, second]) == 0
    records = of_person(bureau, person)
    assert {one.id for one in records} == {first.id, second.id}
    keys = receipt_keys(bureau.store)
    for one in records:
        content = receipts.verify_receipt(one.receipt, keys)
        assert (content.scan_id, content.business_type) == (one.id, "01101")
    assert verify_log(bureau) == 2


def test_an_edit_or_a_loss_of_a_record_shows(bureau: Bureau) -> None:
    person = bureau.person()
    group = [decided(bureau, asked(bureau, person)) for _ in range(3)]
    bureau.kernel.record_identified(group)
    with bureau.store.write() as tx:
        there = table.c.id == group[1].id
        tx.connection.execute(update(table).where(there).values(business_type="01201"))
    with pytest.raises(TamperedRowError):
        verify_log(bureau)
    with bureau.store.write() as tx:
        tx.connection.execute(delete(table).where(there))
    with pytest.raises(TamperedRowError):
        verify_log(bureau)


def test_a_refused_scan_is_the_holders_to_see(bureau: Bureau) -> None:
    person = bureau.person()
    one = decided(bureau, asked(bureau, person), Reason.ALREADY_USED)
    bureau.kernel.record_identified([one])
    (record,) = of_person(bureau, person)
    assert (record.reason, record.card_id, record.receipt) == (
        Reason.ALREADY_USED,
        person.card_id,
        None,
    )


def test_a_retry_when_the_code_is_old_gets_the_first_answer(bureau: Bureau) -> None:
    request = asked(bureau, bureau.person())
    one = decided(bureau, request)
    bureau.kernel.record_identified([one])
    late = replace(request, presented=None, refusal=Reason.EXPIRED)
    (answer,) = bureau.kernel.record_scans([late])
    assert answer == one.answer


def test_a_request_id_that_was_answered_before_keeps_its_answer(bureau: Bureau) -> None:
    person = bureau.person()
    any_use = bureau.scan_request(bureau.minter.mint(person.holder_id).text, request_id="twice")
    (before,) = bureau.kernel.record_scans([any_use])
    one = decided(bureau, asked(bureau, person, request_id="twice"))
    assert bureau.kernel.record_identified([one]) == 1
    assert bureau.kernel.record_scans([any_use]) == [before]


def test_the_nonce_of_a_signed_request_is_spent_with_its_record(bureau: Bureau) -> None:
    proof = RequestProof(bytes(16), bureau.clock() + timedelta(seconds=300))
    request = asked(bureau, bureau.person(), proof=proof)
    bureau.kernel.record_identified([decided(bureau, request)])
    with pytest.raises(ReplayedRequestError):
        bureau.kernel.spend_proof(proof, actor=request.actor)


def test_the_answer_is_the_one_that_a_group_would_give(bureau: Bureau) -> None:
    """For every identifying business type and with or without a clerk, byte for byte."""
    person, grants = bureau.person(), bureau.kernel.grants
    assert grants is not None
    for business_type in (one.code for one in business_types.ALL if not one.consumes):
        for operator in ("", '7"'):
            request = asked(bureau, person, operator=operator)
            request = replace(request, business_type=business_type)
            one = decided(bureau, request)
            with bureau.store.read() as tx:
                scan = GroupedScan(request, id=one.id, reason=Reason.ACCEPTED)
                scan.card = cards.get(tx, person.card_id)
                scan.ecard = cards.get_ecard(tx, request.presented.ecard_id)
                wanted = {person.holder_id: grants.views.needs(business_type)}
                scan.facts = holders.facts_of(tx, wanted)[person.holder_id]
            now = bureau.clock()
            expected = answer_of(scan, now) | {"holder": view_of(scan, grants.views, now)}
            assert one.answer == canonical_bytes(expected | pseudonym_and_salt(scan, grants))
            refused = decided(bureau, request, Reason.ALREADY_USED)
            expected = answer_of(GroupedScan(request, id=refused.id, reason=refused.verdict), now)
            assert refused.answer == canonical_bytes(expected)


def test_a_record_opens_for_its_card_alone_and_not_for_long(bureau: Bureau) -> None:
    request = asked(bureau, bureau.person())
    record, ecard_id = loaded(bureau, request), request.presented.ecard_id
    cipher, now = bureau.store.cipher, bureau.clock()
    views = identified.views_of(bureau.kernel.grants)
    sealed = card_records.seal(cipher, ecard_id, record, views)
    assert card_records.open_(cipher, ecard_id, sealed, views, now) == record
    late = now + RECORD_BELIEVED + timedelta(seconds=60)
    for other_id, given, at in [
        (ecard_id + 1, sealed, now),
        (ecard_id, sealed[:-1] + bytes([sealed[-1] ^ 1]), now),
        (ecard_id, b"", now),
        (ecard_id, sealed, late),
        (ecard_id, sealed, now - timedelta(seconds=60)),
    ]:
        with pytest.raises(TamperedRowError):
            card_records.open_(cipher, other_id, given, views, at)
    number = json.loads(record.shown[views.place("01101")])["social_security_number"]
    assert number.encode() not in sealed


def test_a_record_of_another_day_or_under_other_views_is_read_anew(bureau: Bureau) -> None:
    request = asked(bureau, bureau.person())
    ecard_id, cipher = request.presented.ecard_id, bureau.store.cipher
    views, masked = HolderViews(), HolderViews(full_numbers_for=())
    bureau.clock.advance(86_400 - 60 - _seconds_of_day(bureau.clock()))
    record, now = loaded(bureau, request), bureau.clock()
    assert record.good_for_seconds(now) == 60
    sealed = card_records.seal(cipher, ecard_id, record, views)
    last, midnight = now + timedelta(seconds=59), now + timedelta(seconds=60)
    assert card_records.open_(cipher, ecard_id, sealed, views, last) == record
    assert card_records.open_(cipher, ecard_id, sealed, views, midnight) is None
    assert card_records.open_(cipher, ecard_id, sealed, masked, now) is None


def test_a_record_is_judged_as_its_rows_are_to_the_last_day(bureau: Bureau) -> None:
    person = bureau.person()
    request = asked(bureau, person)
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    assert identified.reason_of_record(request, loaded(bureau, request)) is None
    foreign = loaded(bureau, request)._replace(issuer=9)
    assert identified.reason_of_record(request, foreign) is Reason.UNKNOWN_CARD
    last_on = datetime.combine(card.expires_on, time(23, 59), SHANGHAI)
    bureau.clock.advance((last_on - bureau.clock()).total_seconds())
    assert identified.reason_of_record(request, loaded(bureau, request)) is None
    bureau.clock.advance(60)
    expired = loaded(bureau, request)
    assert identified.reason_of_record(request, expired) is Reason.CARD_EXPIRED


def test_a_record_of_a_lost_card_says_so(bureau: Bureau) -> None:
    person = bureau.person()
    request = asked(bureau, person)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    record = loaded(bureau, request)
    assert identified.reason_of_record(request, record) is Reason.CARD_LOST
    assert record.state is CardState.TEMPORARY_LOSS


def _seconds_of_day(now: datetime) -> float:
    local = now.astimezone(SHANGHAI)
    return (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


class Pusher:
    """Notes what it is told; fails as often as it is told to."""

    def __init__(self) -> None:
        self.pushed: list[tuple[int, int]] = []
        self.failures = 0

    def push_card(self, ecard_id: int, version: int) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreBusyError
        self.pushed.append((ecard_id, version))


@pytest.fixture
def pusher(bureau: Bureau) -> Pusher:
    bureau.kernel.card_pusher = found = Pusher()
    return found


def versions(bureau: Bureau, person: Person) -> tuple[int, int]:
    with bureau.store.read() as tx:
        card, ecard = cards.get(tx, person.card_id), cards.ecard_of(tx, person.card_id)
    assert card is not None
    return ecard.id, card.version + ecard.version


def test_a_card_that_was_never_usable_before_is_nobodys_to_forget(
    bureau: Bureau, pusher: Pusher
) -> None:
    bureau.people(PEOPLE + 1)
    assert pusher.pushed == []


def test_a_change_of_a_card_is_pushed_before_its_answer(bureau: Bureau, pusher: Pusher) -> None:
    person = bureau.person()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert pusher.pushed == [versions(bureau, person)]
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    assert pusher.pushed[1:] == [versions(bureau, person)]
    bureau.decide(CancelCard(person.card_id, CancelReason.DEATH))
    assert pusher.pushed[2:] == [versions(bureau, person)]


@pytest.mark.parametrize("same_id", [True, False])
def test_a_push_that_failed_is_made_by_the_retry(
    bureau: Bureau, pusher: Pusher, same_id: bool
) -> None:
    person = bureau.person()
    act = ReportTemporaryLoss(person.card_id)
    pusher.failures = 1
    with pytest.raises(CardPushError):
        bureau.perform(act, person.actor, "first")
    assert pusher.pushed == []
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    assert card.state is CardState.TEMPORARY_LOSS
    if same_id:
        assert bureau.perform(act, person.actor, "first")["card_state"] == "temporary_loss"
    else:
        with pytest.raises(WrongStateError):
            bureau.perform(act, person.actor, "second")
    assert pusher.pushed == [versions(bureau, person)]
