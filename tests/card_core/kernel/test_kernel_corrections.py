"""Correcting name and number: two people decide, a trace stays."""

from collections.abc import Callable

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, Bureau, Person, make_application, make_number
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
)
from card_core.kernel import DangerousAct
from card_core.kernel.acts.holder_base import (
    CorrectHolder,
    MergeHolders,
    seen_digest,
)
from card_core.sign_in import authenticate, sign_in_holder
from card_core.states import CardState
from card_core.store import cards, holder_base, holders
from card_core.verdicts import Reason


@pytest.fixture
def twice(bureau: Bureau) -> Twice:
    return make_twice(bureau)


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
