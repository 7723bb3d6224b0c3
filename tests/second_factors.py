"""Operators with second factors of each kind, for tests."""

from bureau import PEPPER, Bureau, key_of, signing_key

from card_core.kernel import Actor
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.kernel.second_factor import STEP_SECONDS, dynamic_password
from card_core.sign_in import (
    Profile,
    Prover,
    authenticate,
    by_digits,
    by_key,
    enrol_operator,
    sign_in_operator,
)
from card_core.store.operator_factors import Factor, FactorKind
from card_core.store.operators import Role

NEW_PASSWORD = "Lantern 4 Estuary"
GIVEN = "Given 9 Ferry Slip"
SECRET = bytes(range(20))


def newcomer(bureau: Bureau, name: str = "newcomer") -> None:
    """An operator whose password somebody else chose, without a second factor."""
    hashed = bureau.hash(GIVEN)
    act = AddOperator(NewOperator(name, "新人", frozenset({Role.MAKER}), hashed))
    bureau.decide(act, bureau.administrator, bureau.security)


def enrol(
    bureau: Bureau,
    factor: Factor,
    prover: Prover,
    name: str = "newcomer",
    *,
    password: str = GIVEN,
    profile: Profile = Profile.SM,
) -> None:
    enrol_operator(
        bureau.kernel,
        name,
        password,
        new_password=NEW_PASSWORD,
        factor=factor,
        prover=prover,
        pepper=PEPPER,
        profile=profile,
    )


def own_key(name: str) -> tuple[Factor, Prover]:
    return Factor(FactorKind.SM2, key_of(name)), by_key(signing_key(name).sign)


def step_of(bureau: Bureau) -> int:
    return int(bureau.clock().timestamp()) // STEP_SECONDS


def digits(bureau: Bureau, steps_back: int = 0) -> str:
    return dynamic_password(SECRET, step_of(bureau) - steps_back).decode()


def with_dynamic_password(bureau: Bureau, name: str = "newcomer") -> None:
    """Enrolled under the standard profile; the password of the present step is used up by it."""
    newcomer(bureau, name)
    factor = Factor(FactorKind.DYNAMIC, secret=SECRET)
    enrol(bureau, factor, by_digits(digits(bureau)), name, profile=Profile.STANDARD)
    bureau.clock.advance(STEP_SECONDS)


def enter(bureau: Bureau, prover: Prover, profile: Profile = Profile.STANDARD) -> Actor:
    opened = sign_in_operator(
        bureau.kernel, "newcomer", NEW_PASSWORD, prover, pepper=PEPPER, profile=profile
    )
    return authenticate(bureau.kernel, opened.token)
