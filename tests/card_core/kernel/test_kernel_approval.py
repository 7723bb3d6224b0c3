"""Two people for dangerous acts: every way round that we could think of ends in a refusal."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from bureau import (
    OPERATOR_PASSWORD,
    SYSTEM,
    Bureau,
    Person,
    key_of,
    make_application,
    sign_in_as,
)
from sqlalchemy import delete, select, update

from card_core.errors import (
    AlreadyExistsError,
    ApprovalNeededError,
    CardCoreError,
    ContentChangedError,
    IdempotencyConflictError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import Actor, ActorKind, Answer
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportFormalLoss
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.kernel.acts.operators import (
    AddOperator,
    ChangeRoles,
    NewOperator,
    SuspendOperator,
)
from card_core.kernel.content import canonical_bytes, to_json
from card_core.sign_in import authenticate
from card_core.states import ApprovalState, CardState
from card_core.store import approvals, cards, guarded, schema
from card_core.store.operators import Role
from crypto import sm2

CANCEL = CancelReason.DEATH


def propose_cancel(bureau: Bureau, person: Person, maker: Actor | None = None) -> Answer:
    return bureau.kernel.propose(
        CancelCard(person.card_id, CANCEL),
        actor=maker or bureau.maker,
        request_id=bureau.request_id(),
    )


def card_state(bureau: Bureau, person: Person) -> CardState:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return card.state


def add_operator(bureau: Bureau, name: str, *roles: Role) -> Actor:
    hashed = bureau.hash(OPERATOR_PASSWORD)
    new = NewOperator(name, name, frozenset(roles), hashed, key_of(name))
    answer = bureau.decide(AddOperator(new), bureau.administrator, bureau.security)
    return Actor(ActorKind.OPERATOR, answer["operator_id"])


def test_another_person_approves_and_the_act_takes_effect(bureau: Bureau) -> None:
    person = bureau.person()
    proposed = propose_cancel(bureau, person)
    assert card_state(bureau, person) is CardState.NORMAL
    with bureau.store.read() as tx:
        waiting = approvals.pending(tx)
    assert [one.id for one in waiting] == [proposed["approval_id"]]
    assert waiting[0].content_hash == proposed["content_hash"]
    assert waiting[0].summary == proposed["summary"]
    assert "注销卡 GD" in proposed["summary"]
    assert bureau.approve(proposed)["card_state"] == "cancelled"
    with bureau.store.read() as tx:
        decided = approvals.get(tx, proposed["approval_id"])
        assert approvals.pending(tx) == []
    assert decided is not None
    assert decided.state is ApprovalState.APPLIED
    assert decided.checker_id == bureau.checker.id


# Each way round: what is tried before, who approves with which hash, and what stops it.

WayRound = Callable[[Bureau, Person], Answer]


def perform_at_once(bureau: Bureau, person: Person) -> Answer:
    return bureau.perform(CancelCard(person.card_id, CANCEL), bureau.maker)


def perform_as_the_system(bureau: Bureau, person: Person) -> Answer:
    return bureau.perform(CancelCard(person.card_id, CANCEL), SYSTEM)


def approve_oneself(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), bureau.maker)


def approve_oneself_in_a_second_session(bureau: Bureau, person: Person) -> Answer:
    both = add_operator(bureau, "both", Role.MAKER, Role.CHECKER)
    sessions = [sign_in_as(bureau.kernel, "both") for _ in range(2)]
    first, second = (authenticate(bureau.kernel, session.token) for session in sessions)
    assert first == second == both
    return bureau.approve(propose_cancel(bureau, person, first), second)


def propose_without_the_role(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person, bureau.checker), bureau.maker)


def approve_without_the_role(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), bureau.administrator)


def approve_as_the_auditor(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), bureau.auditor)


def approve_as_another_maker(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), add_operator(bureau, "m2", Role.MAKER))


def approve_as_the_holder(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), person.actor)


def approve_as_the_system(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve(propose_cancel(bureau, person), SYSTEM)


def approve_as_nobody(bureau: Bureau, person: Person) -> Answer:
    stranger = Actor(ActorKind.OPERATOR, "f" * 32)
    return bureau.approve(propose_cancel(bureau, person), stranger)


def approve_as_a_holder_with_an_operators_id(bureau: Bureau, person: Person) -> Answer:
    disguised = Actor(ActorKind.HOLDER, bureau.checker.id)
    return bureau.approve(propose_cancel(bureau, person), disguised)


def approve_after_being_suspended(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    bureau.decide(SuspendOperator("checker"), bureau.administrator, bureau.security)
    return bureau.approve(proposed)


def approve_what_a_suspended_maker_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    bureau.decide(SuspendOperator("maker"), bureau.administrator, bureau.security)
    return bureau.approve(proposed)


def approve_what_a_deleted_maker_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    with bureau.store.write() as tx:
        tx.connection.execute(
            delete(schema.operators).where(schema.operators.c.id == bureau.maker.id)
        )
    return bureau.approve(proposed)


def give_the_maker_the_checkers_role_in_the_database(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person, bureau.maker)
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(schema.operators)
            .where(schema.operators.c.id == bureau.administrator.id)
            .values(roles="administrator,checker")
        )
    return bureau.approve(proposed, bureau.administrator)


def approve_with_another_contents_hash(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    other = propose_cancel(bureau, bureau.person())
    return bureau.approve({**proposed, "content_hash": other["content_hash"]})


def approve_with_no_hash(bureau: Bureau, person: Person) -> Answer:
    return bureau.approve({**propose_cancel(bureau, person), "content_hash": ""})


def edit(bureau: Bureau, proposed: Answer, **values: object) -> None:
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(schema.approvals)
            .where(schema.approvals.c.id == proposed["approval_id"])
            .values(**values)
        )


def edit_the_content_after_it_was_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    other = propose_cancel(bureau, bureau.person())
    with bureau.store.read() as tx:
        content = tx.connection.execute(
            select(schema.approvals.c.content).where(schema.approvals.c.id == other["approval_id"])
        ).scalar_one()
    edit(bureau, proposed, content=content)
    return bureau.approve(proposed)


def edit_the_hash_after_it_was_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    other = propose_cancel(bureau, bureau.person())
    edit(bureau, proposed, content_hash=other["content_hash"])
    return bureau.approve({**proposed, "content_hash": other["content_hash"]})


def edit_the_maker_after_it_was_proposed(bureau: Bureau, person: Person) -> Answer:
    both = add_operator(bureau, "both", Role.MAKER, Role.CHECKER)
    proposed = propose_cancel(bureau, person, both)
    edit(bureau, proposed, maker_id=bureau.maker.id)
    return bureau.approve(proposed, both)


def edit_the_act_after_it_was_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = bureau.kernel.propose(
        SuspendOperator("auditor"), actor=bureau.administrator, request_id="suspend"
    )
    edit(bureau, proposed, act="cancel_card")
    return bureau.approve(proposed)


def edit_the_content_with_all_keys_at_hand(bureau: Bureau, person: Person) -> Answer:
    """Sealed and authenticated as it should be; only the hash that was shown tells."""
    proposed = propose_cancel(bureau, person)
    other = canonical_bytes(to_json(CancelCard(person.card_id, CancelReason.REPLACED)))
    approval_id = proposed["approval_id"]
    with bureau.store.write() as tx:
        sealed = tx.cipher.seal("approvals", "content", approval_id, other)
        guarded.change(tx, schema.approvals, approval_id, content=sealed)
    return bureau.approve(proposed)


def approve_what_was_rejected(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    bureau.kernel.reject(proposed["approval_id"], actor=bureau.checker, request_id="no")
    return bureau.approve(proposed)


def reopen_what_was_rejected_in_the_database(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    bureau.kernel.reject(proposed["approval_id"], actor=bureau.checker, request_id="no")
    edit(bureau, proposed, state="pending", version=1)
    return bureau.approve(proposed)


def approve_what_nobody_proposed(bureau: Bureau, person: Person) -> Answer:
    proposed = propose_cancel(bureau, person)
    return bureau.approve({**proposed, "approval_id": "0" * 32})


def use_an_old_approvals_request_id(bureau: Bureau, person: Person) -> Answer:
    first = propose_cancel(bureau, bureau.person())
    second = propose_cancel(bureau, person)
    for proposed in (first, second):
        answer = bureau.kernel.approve(
            proposed["approval_id"],
            content_hash=proposed["content_hash"],
            actor=bureau.checker,
            request_id="same",
        )
    return answer


@pytest.mark.parametrize(
    ("way_round", "stopped_by"),
    [
        (perform_at_once, ApprovalNeededError),
        (perform_as_the_system, ApprovalNeededError),
        (approve_oneself, SamePersonError),
        (approve_oneself_in_a_second_session, SamePersonError),
        (propose_without_the_role, NotAllowedError),
        (approve_without_the_role, NotAllowedError),
        (approve_as_the_auditor, NotAllowedError),
        (approve_as_another_maker, NotAllowedError),
        (approve_as_the_holder, NotAllowedError),
        (approve_as_the_system, NotAllowedError),
        (approve_as_nobody, NotAllowedError),
        (approve_as_a_holder_with_an_operators_id, NotAllowedError),
        (approve_after_being_suspended, NotAllowedError),
        (approve_what_a_suspended_maker_proposed, NotAllowedError),
        (approve_what_a_deleted_maker_proposed, NotAllowedError),
        (give_the_maker_the_checkers_role_in_the_database, TamperedRowError),
        (approve_with_another_contents_hash, ContentChangedError),
        (approve_with_no_hash, InvalidActError),
        (edit_the_content_after_it_was_proposed, TamperedRowError),
        (edit_the_hash_after_it_was_proposed, TamperedRowError),
        (edit_the_maker_after_it_was_proposed, TamperedRowError),
        (edit_the_act_after_it_was_proposed, TamperedRowError),
        (edit_the_content_with_all_keys_at_hand, ContentChangedError),
        (approve_what_was_rejected, WrongStateError),
        (reopen_what_was_rejected_in_the_database, TamperedRowError),
        (approve_what_nobody_proposed, NotFoundError),
        (use_an_old_approvals_request_id, IdempotencyConflictError),
    ],
)
def test_no_way_round_the_second_person(
    bureau: Bureau, way_round: WayRound, stopped_by: type[CardCoreError]
) -> None:
    person = bureau.person()
    with pytest.raises(stopped_by):
        way_round(bureau, person)
    assert card_state(bureau, person) is CardState.NORMAL


def test_an_approval_is_good_once(bureau: Bureau) -> None:
    person = bureau.person()
    proposed = propose_cancel(bureau, person)
    bureau.approve(proposed)
    with pytest.raises(WrongStateError):
        bureau.approve(proposed)


def test_an_approval_whose_time_has_passed_changes_nothing(bureau: Bureau) -> None:
    person = bureau.person()
    first, second = propose_cancel(bureau, person), propose_cancel(bureau, person)
    bureau.approve(first)
    with pytest.raises(WrongStateError):
        bureau.approve(second)
    with bureau.store.read() as tx:
        assert [one.id for one in approvals.pending(tx)] == [second["approval_id"]]


def test_of_checkers_who_approve_at_once_one_applies_it(bureau: Bureau) -> None:
    person = bureau.person()
    others = [add_operator(bureau, f"checker-{n}", Role.CHECKER) for n in range(7)]
    proposed = propose_cancel(bureau, person)

    def approve(checker: Actor) -> str:
        try:
            return str(bureau.approve(proposed, checker)["card_state"])
        except WrongStateError as error:
            return error.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(approve, [bureau.checker, *others]))
    assert outcomes == ["cancelled"] + ["wrong_state"] * 7


def test_rejecting_is_for_approvers_and_the_maker(bureau: Bureau) -> None:
    person = bureau.person()
    for actor in (bureau.checker, bureau.maker):
        proposed = propose_cancel(bureau, person)
        answer = bureau.kernel.reject(
            proposed["approval_id"], actor=actor, request_id=bureau.request_id()
        )
        assert answer["state"] == "rejected"
    proposed = propose_cancel(bureau, person)
    for actor in (bureau.administrator, bureau.auditor, person.actor, SYSTEM):
        with pytest.raises(NotAllowedError):
            bureau.kernel.reject(
                proposed["approval_id"], actor=actor, request_id=bureau.request_id()
            )


def test_an_act_that_may_be_proposed_in_vain_is_refused_when_it_is_proposed(
    bureau: Bureau,
) -> None:
    with pytest.raises(NotFoundError):
        bureau.kernel.propose(CancelCard("0" * 32, CANCEL), actor=bureau.maker, request_id="r")


def test_the_last_people_who_can_approve_each_other_stay(bureau: Bureau) -> None:
    bureau.decide(SuspendOperator("checker"), bureau.administrator, bureau.security)
    bureau.decide(SuspendOperator("deputy"), bureau.administrator, bureau.security)
    for last in ("administrator", "security"):
        for act in (SuspendOperator(last), ChangeRoles(last, frozenset({Role.MAKER}))):
            with pytest.raises(InvalidActError) as refused:
                bureau.decide(act, bureau.administrator, bureau.security)
            assert refused.value.field == "name"


def test_an_operators_name_is_given_once(bureau: Bureau) -> None:
    add_operator(bureau, "twin", Role.MAKER)
    with pytest.raises(AlreadyExistsError):
        add_operator(bureau, "twin", Role.CHECKER)


def test_whoever_is_suspended_does_nothing_any_more(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(SuspendOperator("maker"), bureau.administrator, bureau.security)
    with pytest.raises(NotAllowedError):
        bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)


def test_the_approver_reads_which_key_and_which_roles(bureau: Bureau) -> None:
    public_key = sm2.PrivateKey.generate().public_key()
    key = RegisterIssuerKey(9, 1, public_key.to_bytes(compressed=False))
    roles = frozenset({Role.MAKER, Role.CHECKER})
    new = NewOperator("somebody", "某某", roles, bureau.hash(OPERATOR_PASSWORD))
    with bureau.store.read() as tx:
        assert public_key.to_bytes(compressed=True).hex() in key.summary(tx)
        assert "somebody（checker, maker）" in AddOperator(new).summary(tx)
        with_key = replace(new, public_key=public_key.to_bytes(compressed=False))
        point = public_key.to_bytes(compressed=True).hex()
        assert f"somebody（checker, maker, SM2 {point}）" in AddOperator(with_key).summary(tx)


def test_what_is_proposed_is_kept_sealed(bureau: Bureau) -> None:
    applications = (make_application(1),)
    bureau.import_roster(applications)
    new = NewOperator("somebody", "某某", frozenset({Role.MAKER}), bureau.hash("a password"))
    bureau.kernel.propose(AddOperator(new), actor=bureau.administrator, request_id="add")
    with bureau.store.read() as tx:
        rows = tx.connection.execute(select(schema.approvals)).all()
    stored = b"|".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in rows
        for value in row
    )
    assert "某某".encode() not in stored
    assert new.password_hash.encode() not in stored
