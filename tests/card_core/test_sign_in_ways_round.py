"""No way round an operator's password and second factor."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from bureau import (
    OPERATOR_PASSWORD,
    PEPPER,
    Bureau,
    key_of,
    sign_in_as,
    signing_key,
)
from second_factors import (
    GIVEN,
    SECRET,
    digits,
    enrol,
    enter,
    newcomer,
    own_key,
    with_dynamic_password,
)
from sqlalchemy import delete, update

from card_core.errors import (
    AlreadyExistsError,
    CardCoreError,
    FactorMissingError,
    InvalidActError,
    NotAllowedError,
    SessionEndedError,
    SignInLockedError,
    SignInRefusedError,
    TamperedRowError,
    WeakPasswordError,
)
from card_core.kernel.acts.operators import (
    ResetOperator,
    SuspendOperator,
)
from card_core.kernel.acts.own_access import PROVED_WITHIN, ChangePassword
from card_core.kernel.acts.sessions import FAILURES_MAX, SESSION_IDLE
from card_core.kernel.second_factor import STEP_SECONDS, Proof
from card_core.sign_in import (
    Profile,
    authenticate,
    by_digits,
    by_key,
    enrol_operator,
    sign_in_operator,
)
from card_core.sign_in.entering import token_digest
from card_core.store import schema
from card_core.store.operator_factors import Factor, FactorKind


@dataclass
class Recorder:
    """Signs as the maker does, and keeps what it saw."""

    seen: list[tuple[bytes, Proof]] = field(default_factory=list)

    def __call__(self, challenge: bytes) -> Proof:
        proof = by_key(signing_key("maker").sign)(challenge)
        self.seen.append((challenge, proof))
        return proof


# Each way round: what is tried, and what stops it.


def password_alone(bureau: Bureau) -> object:
    return sign_in_as(bureau.kernel, "maker", prover=lambda _: Proof(FactorKind.SM2, b""))


def key_alone(bureau: Bureau) -> object:
    return sign_in_as(bureau.kernel, "maker", "not the password")


def another_operators_key(bureau: Bureau) -> object:
    return sign_in_as(bureau.kernel, "maker", prover=by_key(signing_key("checker").sign))


def a_signature_seen_before(bureau: Bureau) -> object:
    recorder = Recorder()
    sign_in_as(bureau.kernel, "maker", prover=recorder)
    return sign_in_as(bureau.kernel, "maker", prover=lambda _: recorder.seen[0][1])


def a_signature_over_something_else(bureau: Bureau) -> object:
    sign = signing_key("maker").sign
    return sign_in_as(bureau.kernel, "maker", prover=lambda challenge: by_key(sign)(challenge[:-1]))


def a_signature_for_another_name(bureau: Bureau) -> object:
    """With the maker's key on the checker's challenge: a name is in what is signed."""
    return sign_in_as(bureau.kernel, "checker", prover=Recorder())


def digits_where_a_key_is_enrolled(bureau: Bureau) -> object:
    return sign_in_operator(
        bureau.kernel,
        "maker",
        OPERATOR_PASSWORD,
        by_digits(digits(bureau)),
        pepper=PEPPER,
        profile=Profile.STANDARD,
    )


def digits_under_the_sm_profile(bureau: Bureau) -> object:
    with_dynamic_password(bureau)
    return enter(bureau, by_digits(digits(bureau)), Profile.SM)


def the_same_digits_twice(bureau: Bureau) -> object:
    with_dynamic_password(bureau)
    enter(bureau, by_digits(digits(bureau)))
    return enter(bureau, by_digits(digits(bureau)))


def digits_of_a_step_before_the_used_one(bureau: Bureau) -> object:
    with_dynamic_password(bureau)
    enter(bureau, by_digits(digits(bureau)))
    return enter(bureau, by_digits(digits(bureau, 1)))


def digits_that_are_too_old(bureau: Bureau) -> object:
    with_dynamic_password(bureau)
    bureau.clock.advance(10 * STEP_SECONDS)
    return enter(bureau, by_digits(digits(bureau, 2)))


def digits_of_the_future(bureau: Bureau) -> object:
    with_dynamic_password(bureau)
    return enter(bureau, by_digits(digits(bureau, -1)))


def no_second_factor_enrolled(bureau: Bureau) -> object:
    newcomer(bureau)
    return sign_in_as(bureau.kernel, "newcomer", GIVEN)


def enrol_over_another_factor(bureau: Bureau) -> object:
    factor, prover = own_key("thief")
    return enrol(bureau, factor, prover, "maker", password=OPERATOR_PASSWORD)


def enrol_without_the_password(bureau: Bureau) -> object:
    newcomer(bureau)
    return enrol(bureau, *own_key("thief"), password="not the password")


def enrol_a_key_that_is_not_at_hand(bureau: Bureau) -> object:
    newcomer(bureau)
    factor, _ = own_key("absent")
    return enrol(bureau, factor, own_key("thief")[1])


def enrol_somebody_elses_key(bureau: Bureau) -> object:
    newcomer(bureau)
    return enrol(bureau, *own_key("maker"))


def enrol_a_dynamic_password_under_the_sm_profile(bureau: Bureau) -> object:
    newcomer(bureau)
    factor = Factor(FactorKind.DYNAMIC, secret=SECRET)
    return enrol(bureau, factor, by_digits(digits(bureau)))


def keep_the_given_password(bureau: Bureau) -> object:
    newcomer(bureau, "other")
    factor, prover = own_key("other")
    return enrol_operator(
        bureau.kernel,
        "other",
        GIVEN,
        new_password=GIVEN,
        factor=factor,
        prover=prover,
        pepper=PEPPER,
    )


def change_the_key_in_the_database(bureau: Bureau) -> object:
    with bureau.store.write() as tx:
        table = schema.operator_factors
        statement = update(table).where(table.c.id == bureau.maker.id)
        tx.connection.execute(statement.values(public_key=key_of("thief")))
    return sign_in_as(bureau.kernel, "maker", prover=by_key(signing_key("thief").sign))


def take_the_key_out_of_the_database(bureau: Bureau) -> object:
    with bureau.store.write() as tx:
        tx.connection.execute(delete(schema.operator_factors))
    factor, prover = own_key("thief")
    return enrol(bureau, factor, prover, "maker", password=OPERATOR_PASSWORD)


def guess_digits_after_five_failures(bureau: Bureau) -> object:
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInRefusedError):
            another_operators_key(bureau)
    return sign_in_as(bureau.kernel, "maker")


def an_idle_session(bureau: Bureau) -> object:
    opened = sign_in_as(bureau.kernel, "maker")
    bureau.clock.advance(SESSION_IDLE.total_seconds())
    return authenticate(bureau.kernel, opened.token)


def a_session_after_a_reset(bureau: Bureau) -> object:
    opened = sign_in_as(bureau.kernel, "maker")
    act = ResetOperator("maker", bureau.hash(GIVEN))
    bureau.decide(act, bureau.administrator, bureau.security)
    return authenticate(bureau.kernel, opened.token)


def the_old_key_after_a_reset(bureau: Bureau) -> object:
    act = ResetOperator("maker", bureau.hash(GIVEN))
    bureau.decide(act, bureau.administrator, bureau.security)
    return sign_in_as(bureau.kernel, "maker", GIVEN)


def sign_in_while_suspended(bureau: Bureau) -> object:
    bureau.decide(SuspendOperator("maker"), bureau.administrator, bureau.security)
    return sign_in_as(bureau.kernel, "maker")


def change_a_password_in_a_session_that_was_left(bureau: Bureau) -> object:
    opened = sign_in_as(bureau.kernel, "maker")
    bureau.clock.advance(PROVED_WITHIN.total_seconds() + 1)
    act = ChangePassword(token_digest(bureau.kernel, opened.token), bureau.hash(GIVEN))
    return bureau.perform(act, opened.actor)


def change_somebody_elses_password(bureau: Bureau) -> object:
    opened = sign_in_as(bureau.kernel, "maker")
    act = ChangePassword(token_digest(bureau.kernel, opened.token), bureau.hash(GIVEN))
    return bureau.perform(act, bureau.checker)


@pytest.mark.parametrize(
    ("way_round", "stopped_by"),
    [
        (password_alone, SignInRefusedError),
        (key_alone, SignInRefusedError),
        (another_operators_key, SignInRefusedError),
        (a_signature_seen_before, SignInRefusedError),
        (a_signature_over_something_else, SignInRefusedError),
        (a_signature_for_another_name, SignInRefusedError),
        (digits_where_a_key_is_enrolled, SignInRefusedError),
        (digits_under_the_sm_profile, SignInRefusedError),
        (the_same_digits_twice, SignInRefusedError),
        (digits_of_a_step_before_the_used_one, SignInRefusedError),
        (digits_that_are_too_old, SignInRefusedError),
        (digits_of_the_future, SignInRefusedError),
        (no_second_factor_enrolled, FactorMissingError),
        (enrol_over_another_factor, SignInRefusedError),
        (enrol_without_the_password, SignInRefusedError),
        (enrol_a_key_that_is_not_at_hand, InvalidActError),
        (enrol_somebody_elses_key, AlreadyExistsError),
        (enrol_a_dynamic_password_under_the_sm_profile, InvalidActError),
        (keep_the_given_password, WeakPasswordError),
        (change_the_key_in_the_database, TamperedRowError),
        (take_the_key_out_of_the_database, TamperedRowError),
        (guess_digits_after_five_failures, SignInLockedError),
        (an_idle_session, SessionEndedError),
        (a_session_after_a_reset, SessionEndedError),
        (the_old_key_after_a_reset, FactorMissingError),
        (sign_in_while_suspended, SignInRefusedError),
        (change_a_password_in_a_session_that_was_left, NotAllowedError),
        (change_somebody_elses_password, NotAllowedError),
    ],
)
def test_no_way_round_the_sign_in(
    bureau: Bureau, way_round: Callable[[Bureau], object], stopped_by: type[CardCoreError]
) -> None:
    with pytest.raises(stopped_by):
        way_round(bureau)
