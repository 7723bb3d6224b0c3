"""Merging two records of one person, and correcting key data: two people decide, a trace stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, SYSTEM, Bureau, Person, make_application, make_number
from phone import Phone

from card_core.errors import (
    AlreadyExistsError,
    CardCoreError,
    ContentChangedError,
    HolderRecordError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    RecordMergedError,
    SamePersonError,
    SignInRefusedError,
)
from card_core.kernel import Actor, ActorKind, DangerousAct
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.devices import RegisterDevice, TooManyDevicesError
from card_core.kernel.acts.holder_base import (
    CorrectHolder,
    HolderEvidence,
    MergeHolders,
    seen_digest,
)
from card_core.kernel.acts.sessions import SignIn
from card_core.sign_in import authenticate, sign_in_holder
from card_core.states import CardState, DeviceState
from card_core.store import audit, cards, credentials, holder_base, holder_changes, holders
from card_core.store.credentials import SubjectKind
from card_core.store.devices import Grade
from card_core.store.holder_changes import ChangeKind
from card_core.store.holder_trace import HolderTrace, trace_of
from card_core.verdicts import Reason
from crypto import sm3

EVIDENCE = HolderEvidence.IDENTITY_DOCUMENT


def merge_act(bureau: Bureau, stays: str, gone: str) -> MergeHolders:
    with bureau.store.read() as tx:
        pair = [holders.get(tx, one) for one in (stays, gone)]
        seen = seen_digest(tx, *(one for one in pair if one is not None))
    return MergeHolders(stays, gone, EVIDENCE, seen)


def correction(
    bureau: Bureau, holder_id: str, *, name: str | None = None, serial: int | None = None
) -> CorrectHolder:
    with bureau.store.read() as tx:
        holder = holders.get(tx, holder_id)
        assert holder is not None
        seen = seen_digest(tx, holder)
    number = None if serial is None else make_number(serial)
    return CorrectHolder(holder_id, name, number, HolderEvidence.POLICE_CERTIFICATE, seen)


def trace(bureau: Bureau, holder_id: str) -> HolderTrace:
    with bureau.store.read() as tx:
        return trace_of(tx, holder_id)


def found(bureau: Bureau, number: str) -> str | None:
    with bureau.store.read() as tx:
        return holders.find_id_by_number(tx, number)


def cancel(bureau: Bureau, person: Person) -> None:
    bureau.decide(CancelCard(person.card_id, CancelReason.MADE_IN_ERROR))


def all_is_sound(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


@dataclass(frozen=True)
class Twice:
    """One person under two records: the card of the one that will go is cancelled."""

    stays: Person
    gone: Person
    phone_id: str
    scan_ids: set[str]


@pytest.fixture
def twice(bureau: Bureau) -> Twice:
    stays, gone = bureau.people(2)
    phone, challenge = Phone(Grade.BROWSER), bytes(32)
    act = RegisterDevice(phone.grade, phone.public_key, challenge, phone.registers(challenge))
    phone_id = bureau.perform(act, gone.actor)["device_id"]
    scans = {
        bureau.scan(bureau.minter.mint(person.holder_id).text)["scan_id"]
        for person in (stays, gone)
    }
    cancel(bureau, gone)
    return Twice(stays, gone, phone_id, scans)


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
    act = SignIn(SubjectKind.HOLDER, index, gone, credential.version, True, bytes(32))
    bureau.decide(merge_act(bureau, twice.stays.holder_id, gone))
    assert bureau.perform(act, SYSTEM)["outcome"] == "refused"


def test_a_phone_that_is_registered_while_the_record_is_merged_does_not_stay(
    bureau: Bureau, twice: Twice
) -> None:
    """Whichever comes first: the merge removes it, or the holder is nobody by then."""
    proposed = bureau.kernel.propose(
        merge_act(bureau, twice.stays.holder_id, twice.gone.holder_id),
        actor=bureau.maker,
        request_id="merge",
    )

    def register(number: int) -> None:
        phone, challenge = Phone(Grade.BROWSER), number.to_bytes(32)
        proof = phone.registers(challenge)
        with suppress(NotAllowedError, TooManyDevicesError):
            act = RegisterDevice(phone.grade, phone.public_key, challenge, proof)
            bureau.perform(act, twice.gone.actor)

    with ThreadPoolExecutor(6) as threads:
        registering = [threads.submit(register, number) for number in range(5)]
        merging = threads.submit(bureau.approve, proposed)
        for one in (*registering, merging):
            one.result()
    whole = trace(bureau, twice.stays.holder_id)
    assert {one.state for one in whole.phones} == {DeviceState.REMOVED}


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


def test_a_correction_changes_what_is_found_and_leaves_a_trace(bureau: Bureau) -> None:
    person = bureau.person()
    token = sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=PEPPER).token
    act = correction(bureau, person.holder_id, name="新名", serial=5_000_001)
    with bureau.store.read() as tx:
        before = cards.get(tx, person.card_id)
    answer = bureau.decide(act)
    assert answer["changed"] == ["name", "number"]
    new = make_number(5_000_001)
    assert found(bureau, person.number) is None
    assert found(bureau, new.text) == person.holder_id
    with bureau.store.read() as tx:
        holder = holders.get(tx, person.holder_id)
        after = cards.get(tx, person.card_id)
        assert holder_base.merged_numbers(tx, [person.number]) == set()
    assert holder is not None
    assert (holder.name, holder.birth_on, holder.sex) == ("新名", new.birth_on, new.sex.value)
    assert before is not None
    assert after is not None
    # What is kept of the card elsewhere, the name with it, is out of date.
    assert (after.version, after.state) == (before.version + 1, CardState.NORMAL)
    with pytest.raises(CardCoreError):
        authenticate(bureau.kernel, token)
    sign_in_holder(bureau.kernel, new.text, HOLDER_PASSWORD, pepper=PEPPER)
    whole = trace(bureau, person.holder_id)
    (change,) = whole.changes
    assert change.content == {
        "before": {"name": person.name, "number": person.number},
        "after": {"name": "新名", "number": new.text},
    }
    assert len(whole.applications) == 1  # it stands under the old number
    assert bureau.scan(bureau.minter.mint(person.holder_id).text)["reason"] == Reason.ACCEPTED
    all_is_sound(bureau)


def test_the_number_of_a_merged_record_can_become_the_one_that_stays(
    bureau: Bureau, twice: Twice
) -> None:
    bureau.decide(merge_act(bureau, twice.stays.holder_id, twice.gone.holder_id))
    with bureau.store.read() as tx:
        holder = holders.get(tx, twice.stays.holder_id)
        assert holder is not None
        seen = seen_digest(tx, holder)
    taken = next(one for one in map(make_number, range(20)) if one.text == twice.gone.number)
    act = CorrectHolder(twice.stays.holder_id, None, taken, EVIDENCE, seen)
    other = bureau.person()
    with bureau.store.read() as tx:
        stranger = holders.get(tx, other.holder_id)
        assert stranger is not None
        theirs = CorrectHolder(other.holder_id, None, taken, EVIDENCE, seen_digest(tx, stranger))
    with pytest.raises(RecordMergedError):
        bureau.decide(theirs)
    bureau.decide(act)
    assert found(bureau, twice.gone.number) == twice.stays.holder_id
    bureau.decide(correction(bureau, twice.stays.holder_id, serial=5_000_002))
    with bureau.store.read() as tx:
        # Nobody is found by the number that the person has no more, nor is said to be.
        assert holder_base.merged_numbers(tx, [twice.gone.number]) == set()
    assert found(bureau, twice.gone.number) is None


Refusal = tuple[Callable[[Bureau, Person, Person], DangerousAct], type[CardCoreError]]
REFUSALS: dict[str, Refusal] = {
    "nothing_changes": (
        lambda b, one, _: correction(b, one.holder_id, name=one.name),
        InvalidActError,
    ),
    "number_of_another": (
        lambda b, one, other: CorrectHolder(
            one.holder_id,
            None,
            next(n for n in map(make_number, range(20)) if n.text == other.number),
            EVIDENCE,
            correction(b, one.holder_id).seen,
        ),
        AlreadyExistsError,
    ),
    "unknown_record": (
        lambda *_: CorrectHolder("f" * 32, "新名", None, EVIDENCE, bytes(32)),
        NotFoundError,
    ),
    "unknown_record_in_a_merge": (
        lambda _, one, __: MergeHolders(one.holder_id, "f" * 32, EVIDENCE, bytes(32)),
        NotFoundError,
    ),
    "not_what_was_seen": (
        lambda _, one, __: CorrectHolder(one.holder_id, "新名", None, EVIDENCE, bytes(32)),
        ContentChangedError,
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_correction_is_refused(bureau: Bureau, name: str) -> None:
    make, error = REFUSALS[name]
    one, other = bureau.people(2)
    act = make(bureau, one, other)
    with pytest.raises(error):
        bureau.decide(act)
    assert found(bureau, one.number) == one.holder_id


def test_a_name_that_is_none_is_refused_where_it_is_built() -> None:
    with pytest.raises(InvalidActError):
        CorrectHolder("f" * 32, "a\nb", None, EVIDENCE, bytes(32))


def test_a_number_is_not_corrected_while_an_application_for_it_is_under_way(
    bureau: Bureau,
) -> None:
    person = bureau.person()
    bureau.import_roster((make_application(5_000_003),))
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(correction(bureau, person.holder_id, serial=5_000_003))
    assert error.value.code == "application_open"


def test_who_proposed_does_not_approve_and_the_approver_sees_no_personal_data(
    bureau: Bureau,
) -> None:
    person = bureau.person()
    act = correction(bureau, person.holder_id, name="新名", serial=5_000_004)
    proposed = bureau.kernel.propose(act, actor=bureau.maker, request_id="correct")
    assert person.holder_id in proposed["summary"]
    for text in (person.name, person.number, "新名", make_number(5_000_004).text):
        assert text not in proposed["summary"]
        assert text not in repr(act)
    with pytest.raises(SamePersonError):
        bureau.approve(proposed, bureau.maker)
    with pytest.raises(NotAllowedError):
        bureau.approve(proposed, bureau.auditor)


def test_what_changed_since_it_was_proposed_is_not_what_was_approved(bureau: Bureau) -> None:
    person, gone = bureau.people(2)
    cancel(bureau, gone)
    acts = [
        correction(bureau, person.holder_id, name="甲名"),
        merge_act(bureau, person.holder_id, gone.holder_id),
    ]
    proposed = [bureau.kernel.propose(act, actor=bureau.maker, request_id=act.act) for act in acts]
    bureau.decide(correction(bureau, person.holder_id, name="乙名"))
    for one in proposed:
        with pytest.raises(ContentChangedError):
            bureau.approve(one)


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
