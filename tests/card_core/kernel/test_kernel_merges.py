"""Merging two records of one person: two people decide, a trace stays."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, SYSTEM, Bureau, make_application
from holder_records import (
    EVIDENCE,
    Twice,
    all_is_sound,
    cancel,
    correction,
    found,
    make_twice,
    merge_act,
    trace,
)
from phone import Phone

from card_core.errors import (
    CardCoreError,
    HolderRecordError,
    NotAllowedError,
    NotFoundError,
    RecordMergedError,
    SignInRefusedError,
)
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.devices import RegisterDevice
from card_core.kernel.acts.sessions import SignIn
from card_core.sign_in import authenticate, sign_in_holder
from card_core.states import DeviceState
from card_core.store import (
    Transaction,
    cards,
    credentials,
    devices,
    holder_base,
    holder_changes,
    holders,
)
from card_core.store.credentials import SubjectKind
from card_core.store.devices import Device, Grade
from card_core.store.holder_changes import ChangeKind
from card_core.verdicts import Reason
from crypto import sm3

# As long as somebody who should wait is given to go ahead instead.
OVERTAKING_SECONDS = 1


@pytest.fixture
def twice(bureau: Bureau) -> Twice:
    return make_twice(bureau)


def test_everything_of_a_merged_record_is_found_under_the_one_that_stays(
    bureau: Bureau, twice: Twice
) -> None:
    stays, gone = twice.stays, twice.gone
    before = {len(trace(bureau, one.holder_id).applications) for one in (stays, gone)}
    answer = bureau.decide(merge_act(bureau, stays.holder_id, gone.holder_id))
    assert (answer["holder_id"], answer["merged_id"]) == (stays.holder_id, gone.holder_id)
    whole = trace(bureau, stays.holder_id)
    assert whole.record_ids == (stays.holder_id, gone.holder_id)
    assert {card.id for card in whole.cards} == {stays.card_id, gone.card_id}
    assert {scan.id for scan in whole.scans} == twice.scan_ids
    assert [(one.id, one.state) for one in whole.phones] == [(twice.phone_id, DeviceState.REMOVED)]
    assert before == {1}
    assert len(whole.applications) == 2
    (change,) = whole.changes
    assert (change.kind, change.merged_id) == (ChangeKind.MERGE, gone.holder_id)
    assert change.content == {"number": gone.number, "name": gone.name}
    assert (change.evidence, change.checker_id) == (EVIDENCE.value, bureau.checker.id)
    all_is_sound(bureau)


def test_a_merged_record_refuses_use_and_says_where_it_went(bureau: Bureau, twice: Twice) -> None:
    stays, gone = twice.stays, twice.gone
    token = sign_in_holder(bureau.kernel, gone.number, HOLDER_PASSWORD, pepper=PEPPER).token
    bureau.decide(merge_act(bureau, stays.holder_id, gone.holder_id))
    assert found(bureau, gone.number) is None
    assert found(bureau, stays.number) == stays.holder_id
    with pytest.raises(CardCoreError):
        authenticate(bureau.kernel, token)
    with pytest.raises(SignInRefusedError):
        sign_in_holder(bureau.kernel, gone.number, HOLDER_PASSWORD, pepper=PEPPER)
    with pytest.raises(NotAllowedError):
        bureau.perform(ReportTemporaryLoss(stays.card_id), gone.actor)
    other = bureau.person()
    for act in (
        merge_act(bureau, other.holder_id, gone.holder_id),
        merge_act(bureau, gone.holder_id, other.holder_id),
        correction(bureau, gone.holder_id, name="另一个名"),
    ):
        with pytest.raises(RecordMergedError) as error:
            bureau.decide(act)
        assert error.value.into == stays.holder_id
    with bureau.store.read() as tx:
        assert holder_base.merged_numbers(tx, [gone.number, other.number]) == {gone.number}
        assert gone.holder_id not in {one.id for one in holder_base.page(tx)}


def test_who_signs_in_while_the_record_is_merged_gets_no_session(
    bureau: Bureau, twice: Twice
) -> None:
    """The number was looked for, and the password compared, before the merge was done."""
    gone = twice.gone.holder_id
    with bureau.store.read() as tx:
        credential = credentials.get(tx, SubjectKind.HOLDER, gone)
        index = tx.cipher.blind_index("sign_in.holder", twice.gone.number)
    assert credential is not None
    act = SignIn(SubjectKind.HOLDER, index, gone, credential.digest, True, bytes(32))
    bureau.decide(merge_act(bureau, twice.stays.holder_id, gone))
    assert bureau.perform(act, SYSTEM)["outcome"] == "refused"


def test_a_phone_that_is_registered_while_the_record_is_merged_does_not_stay(
    bureau: Bureau, twice: Twice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merge comes while the registration is under way: it waits for it, and removes it."""
    proposed = bureau.kernel.propose(
        merge_act(bureau, twice.stays.holder_id, twice.gone.holder_id),
        actor=bureau.maker,
        request_id="merge",
    )
    phone, challenge = Phone(Grade.BROWSER), bytes([1]) * 32
    act = RegisterDevice(phone.grade, phone.public_key, challenge, phone.registers(challenge))
    add = devices.add
    with ThreadPoolExecutor(1) as threads:
        merging = []

        def add_during_a_merge(tx: Transaction, new: Device) -> None:
            merging.append(threads.submit(bureau.approve, proposed))
            wait(merging, timeout=OVERTAKING_SECONDS)
            add(tx, new)

        monkeypatch.setattr(devices, "add", add_during_a_merge)
        bureau.perform(act, twice.gone.actor)
        (one,) = merging
        one.result()
    whole = trace(bureau, twice.stays.holder_id)
    assert [one.state for one in whole.phones] == [DeviceState.REMOVED] * 2


def test_nobody_applies_under_the_number_of_a_merged_record(bureau: Bureau) -> None:
    (kept,) = bureau.issued_cards(1)
    again = make_application(4_000_001)
    imported = bureau.import_roster((again,))
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    gone = found(bureau, again.number.text)
    assert gone is not None
    with bureau.store.read() as tx:
        card = cards.live_card_of(tx, gone)
    assert card is not None
    bureau.decide(CancelCard(card.id, CancelReason.MADE_IN_ERROR))
    bureau.decide(merge_act(bureau, kept.holder_id, gone))
    act = ImportRoster("名册", sm3.digest(b"roster"), (again,), 0)
    answer = bureau.perform(act, bureau.maker)
    assert [one["code"] for one in answer["refused"]] == ["record_merged"]


def test_two_live_cards_are_never_merged_and_the_order_follows_the_card(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(merge_act(bureau, one.holder_id, other.holder_id))
    assert error.value.code == "two_live_cards"
    assert "sscard card cancel" in error.value.message_zh
    cancel(bureau, one)
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(merge_act(bureau, one.holder_id, other.holder_id))
    assert error.value.code == "live_card_goes"
    bureau.decide(merge_act(bureau, other.holder_id, one.holder_id))
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(merge_act(bureau, other.holder_id, other.holder_id))
    assert error.value.code == "same_record"


def test_a_card_that_is_issued_between_proposal_and_approval_stops_the_merge(
    bureau: Bureau,
) -> None:
    stays, gone = bureau.people(2)
    cancel(bureau, gone)
    act = merge_act(bureau, stays.holder_id, gone.holder_id)
    proposed = bureau.kernel.propose(act, actor=bureau.maker, request_id="merge")
    with bureau.store.read() as tx:
        holder = holders.get(tx, gone.holder_id)
    assert holder is not None
    # The person of the record that is to go applies once more.
    numbers = {make_application(n).number.text: make_application(n) for n in range(20)}
    imported = bureau.import_roster((numbers[gone.number],))
    with pytest.raises(HolderRecordError) as error:
        bureau.approve(proposed)
    assert error.value.code == "application_open"
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with pytest.raises(HolderRecordError) as error:
        bureau.approve(proposed)
    assert error.value.code == "two_live_cards"


def test_merges_follow_each_other(bureau: Bureau) -> None:
    first, second, third = bureau.people(3)
    for one in (first, second):
        cancel(bureau, one)
    bureau.decide(merge_act(bureau, second.holder_id, first.holder_id))
    bureau.decide(merge_act(bureau, third.holder_id, second.holder_id))
    whole = trace(bureau, third.holder_id)
    assert set(whole.record_ids) == {one.holder_id for one in (first, second, third)}
    assert {card.id for card in whole.cards} == {one.card_id for one in (first, second, third)}
    assert [one.kind for one in whole.changes] == [ChangeKind.MERGE] * 2
    with bureau.store.read() as tx:
        assert holder_changes.record_that_stays(tx, first.holder_id) == third.holder_id


def test_of_two_merges_at_once_one_is_done(bureau: Bureau) -> None:
    one, other, third = bureau.people(3)
    for person in (one, other, third):
        cancel(bureau, person)
    ways = [(one, other), (other, one), (one, other), (third, other)]
    proposed = [
        bureau.kernel.propose(
            merge_act(bureau, stays.holder_id, gone.holder_id),
            actor=bureau.maker,
            request_id=f"merge-{number}",
        )
        for number, (stays, gone) in enumerate(ways)
    ]

    def approve(one: dict[str, str]) -> str:
        try:
            return str(bureau.approve(one)["merged_id"])
        except RecordMergedError:
            return "merged"

    with ThreadPoolExecutor(len(ways)) as threads:
        outcomes = list(threads.map(approve, proposed))
    gone_ids = [outcome for outcome in outcomes if outcome != "merged"]
    # Each record went at most once, and none of them into one that had gone.
    assert len(gone_ids) == len(set(gone_ids)) >= 1
    with bureau.store.read() as tx:
        standing = {p.holder_id for p in (one, other, third)} - set(gone_ids)
        assert standing
        for person in (one, other, third):
            assert holder_changes.record_that_stays(tx, person.holder_id) in standing
    all_is_sound(bureau)


def test_a_merge_disturbs_no_scan_of_the_record_that_stays(bureau: Bureau) -> None:
    stays, gone = bureau.people(2)
    late = bureau.scan_request(bureau.minter.mint(gone.holder_id).text)
    cancel(bureau, gone)
    requests = [bureau.scan_request(bureau.minter.mint(stays.holder_id).text) for _ in range(12)]
    proposed = bureau.kernel.propose(
        merge_act(bureau, stays.holder_id, gone.holder_id), actor=bureau.maker, request_id="merge"
    )
    with ThreadPoolExecutor(8) as threads:
        merging = threads.submit(bureau.approve, proposed)
        reasons = list(threads.map(lambda one: bureau.record(one)["reason"], requests * 2))
        merging.result()
    # The same requests again get the same answers; each code was spent once.
    assert reasons == [Reason.ACCEPTED] * 24
    assert bureau.record(late)["reason"] == Reason.CARD_CANCELLED
    whole = trace(bureau, stays.holder_id)
    assert len(whole.scans) == 13
    all_is_sound(bureau)


def test_a_holder_of_no_record_is_nobody(bureau: Bureau) -> None:
    with pytest.raises(NotFoundError):
        trace(bureau, "f" * 32)
    with pytest.raises(NotAllowedError):
        bureau.perform(ReportTemporaryLoss("f" * 32), Actor(ActorKind.HOLDER, "f" * 32))
