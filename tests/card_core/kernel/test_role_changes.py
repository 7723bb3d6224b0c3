"""Roles that exclude each other, and what neither a new role nor a second login gets round."""

from collections.abc import Callable
from itertools import combinations

import pytest
from bureau import Bureau, key_of, sign_in_as

from card_core.errors import (
    AlreadyExistsError,
    ApprovalNeededError,
    CardCoreError,
    ContentChangedError,
    InvalidActError,
    NotAllowedError,
    SamePersonError,
    SessionEndedError,
    WrongStateError,
)
from card_core.kernel import Actor, ActorKind, Answer
from card_core.kernel.acts.operators import (
    AddOperator,
    ChangeRoles,
    NewOperator,
    ResetOperator,
    SuspendOperator,
)
from card_core.sign_in import authenticate
from card_core.states import BatchState
from card_core.store import batches, operators
from card_core.store.operators import ALONE, Role


def become(bureau: Bureau, name: str, *roles: Role) -> None:
    bureau.decide(ChangeRoles(name, frozenset(roles)), bureau.administrator, bureau.security)


def imported(bureau: Bureau) -> Answer:
    return bureau.import_roster(bureau.next_applications(2))


def become_the_checker_of_ones_own(bureau: Bureau) -> Answer:
    proposed = imported(bureau)
    become(bureau, "maker", Role.CHECKER)
    return bureau.approve(proposed, bureau.maker)


def have_both_roles(bureau: Bureau) -> Answer:
    become(bureau, "maker", Role.MAKER, Role.CHECKER)
    return bureau.approve(imported(bureau), bureau.maker)


def approve_what_somebody_proposed_who_is_no_maker_any_more(bureau: Bureau) -> Answer:
    proposed = imported(bureau)
    become(bureau, "maker", Role.CHECKER)
    return bureau.approve(proposed, bureau.checker)


def approve_after_losing_the_role(bureau: Bureau) -> Answer:
    proposed = imported(bureau)
    become(bureau, "checker", Role.MAKER)
    return bureau.approve(proposed, bureau.checker)


def approve_another_batch(bureau: Bureau) -> Answer:
    shown, other = imported(bureau), imported(bureau)
    return bureau.approve({**other, "content_hash": shown["content_hash"]})


def approve_with_the_other_batchs_approval(bureau: Bureau) -> Answer:
    shown, other = imported(bureau), imported(bureau)
    bureau.kernel.reject(other["approval_id"], actor=bureau.checker, request_id="no")
    return bureau.approve({**shown, "approval_id": other["approval_id"]})


def have_a_second_login_with_ones_own_key(bureau: Bureau) -> Answer:
    new = NewOperator("maker2", "x", frozenset({Role.CHECKER}), bureau.hash("x"), key_of("maker"))
    return bureau.decide(AddOperator(new), bureau.administrator, bureau.security)


def give_oneself_a_role_alone(bureau: Bureau) -> Answer:
    return bureau.perform(ChangeRoles("maker", frozenset({Role.CHECKER})), bureau.maker)


def have_the_administrator_approve_ones_role(bureau: Bureau) -> Answer:
    act = ChangeRoles("administrator", frozenset({Role.CHECKER}))
    return bureau.decide(act, bureau.administrator, bureau.deputy)


def have_a_checker_approve_a_new_checker(bureau: Bureau) -> Answer:
    act = ChangeRoles("maker", frozenset({Role.CHECKER}))
    return bureau.decide(act, bureau.administrator, bureau.checker)


def propose_ones_own_roles_as_security(bureau: Bureau) -> Answer:
    act = ChangeRoles("maker", frozenset({Role.CHECKER}))
    return bureau.decide(act, bureau.security, bureau.security)


def reset_the_checker_alone(bureau: Bureau) -> Answer:
    return bureau.decide(
        ResetOperator("checker", bureau.hash("x")), bureau.administrator, bureau.administrator
    )


def use_a_session_of_the_role_before(bureau: Bureau) -> Answer:
    token = sign_in_as(bureau.kernel, "checker").token
    proposed = imported(bureau)
    become(bureau, "checker", Role.MAKER)
    return bureau.approve(proposed, authenticate(bureau.kernel, token))


def change_the_roles_of_who_is_suspended(bureau: Bureau) -> Answer:
    bureau.decide(SuspendOperator("checker"), bureau.administrator, bureau.security)
    act = ChangeRoles("checker", frozenset({Role.CHECKER}))
    return bureau.decide(act, bureau.administrator, bureau.security)


@pytest.mark.parametrize(
    ("way_round", "stopped_by"),
    [
        (become_the_checker_of_ones_own, SamePersonError),
        (have_both_roles, SamePersonError),
        (approve_what_somebody_proposed_who_is_no_maker_any_more, NotAllowedError),
        (approve_after_losing_the_role, NotAllowedError),
        (approve_another_batch, ContentChangedError),
        (approve_with_the_other_batchs_approval, WrongStateError),
        (have_a_second_login_with_ones_own_key, AlreadyExistsError),
        (give_oneself_a_role_alone, ApprovalNeededError),
        (have_the_administrator_approve_ones_role, NotAllowedError),
        (have_a_checker_approve_a_new_checker, NotAllowedError),
        (propose_ones_own_roles_as_security, NotAllowedError),
        (reset_the_checker_alone, SamePersonError),
        (use_a_session_of_the_role_before, SessionEndedError),
        (change_the_roles_of_who_is_suspended, WrongStateError),
    ],
)
def test_no_way_round_by_roles_or_logins(
    bureau: Bureau, way_round: Callable[[Bureau], Answer], stopped_by: type[CardCoreError]
) -> None:
    with pytest.raises(stopped_by):
        way_round(bureau)
    with bureau.store.read() as tx:
        assert not [one for one in batches.page(tx) if one.state is BatchState.RELEASED]
        assert operators.find_by_name(tx, "maker2") is None


def test_those_who_administer_do_nothing_else() -> None:
    for two in combinations(Role, 2):
        excluded = bool(ALONE & frozenset(two))
        for act in (
            lambda: ChangeRoles("maker", frozenset(two)),  # noqa: B023 - called at once
            lambda: NewOperator("n", "n", frozenset(two), "x"),  # noqa: B023 - called at once
        ):
            if excluded:
                with pytest.raises(InvalidActError) as refused:
                    act()
                assert refused.value.field == "roles"
            else:
                act()
    assert {Role.ADMINISTRATOR, Role.SECURITY, Role.AUDITOR} == ALONE


def test_a_new_role_is_in_force_at_once(bureau: Bureau) -> None:
    become(bureau, "auditor", Role.CHECKER)
    assert bureau.approve(imported(bureau), bureau.auditor)


def test_the_first_security_administrator_of_an_old_bureau_is_the_only_one_by_the_system(
    bureau: Bureau,
) -> None:
    """There is one here, so that the program alone adds none, nor anybody else."""
    system = Actor(ActorKind.SYSTEM, "founding")
    for roles in (frozenset({Role.SECURITY}), frozenset({Role.CHECKER})):
        new = NewOperator("other", "x", roles, bureau.hash("x"))
        with pytest.raises(ApprovalNeededError):
            bureau.perform(AddOperator(new), system)
