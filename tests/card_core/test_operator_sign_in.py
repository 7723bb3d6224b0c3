"""Operators sign in with a password and a second factor, and change them."""

from datetime import timedelta

import pytest
from bureau import (
    OPERATOR_PASSWORD,
    PEPPER,
    Bureau,
    sign_in_as,
    signing_key,
)
from second_factors import (
    GIVEN,
    NEW_PASSWORD,
    SECRET,
    digits,
    enrol,
    enter,
    newcomer,
    own_key,
    with_dynamic_password,
)

from card_core.errors import (
    CardCoreError,
    InvalidActError,
    SessionEndedError,
    SignInLockedError,
    SignInRefusedError,
    WeakPasswordError,
)
from card_core.kernel import ActorKind
from card_core.kernel.acts.operators import (
    ResetOperator,
)
from card_core.kernel.acts.sessions import FAILURES_MAX, LOCK_MINUTES
from card_core.kernel.second_factor import STEP_SECONDS, dynamic_password
from card_core.sign_in import (
    Profile,
    authenticate,
    by_digits,
    by_key,
    change_password,
    hash_password,
    sign_in_operator,
)
from card_core.store import operator_factors, schema
from crypto import sm2


def test_a_lock_ends_after_its_time(bureau: Bureau) -> None:
    wrong = by_key(sm2.PrivateKey.generate().sign)
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInRefusedError):
            sign_in_as(bureau.kernel, "maker", prover=wrong)
    with pytest.raises(SignInLockedError):
        sign_in_as(bureau.kernel, "maker")
    bureau.clock.advance(LOCK_MINUTES * 60)
    assert sign_in_as(bureau.kernel, "maker").actor == bureau.maker


def test_wrong_name_password_and_second_factor_are_one_answer(bureau: Bureau) -> None:
    wrong = by_key(sm2.PrivateKey.generate().sign)
    refusals = []
    for name, password, prover in (
        ("maker", "not the password", None),
        ("maker", OPERATOR_PASSWORD, wrong),
        ("nobody", OPERATOR_PASSWORD, None),
    ):
        with pytest.raises(SignInRefusedError) as refused:
            sign_in_as(bureau.kernel, name, password, prover)
        refusals.append((type(refused.value), vars(refused.value)))
    assert refusals[0] == refusals[1] == refusals[2]


def test_who_has_enrolled_signs_in_with_the_password_they_chose(bureau: Bureau) -> None:
    newcomer(bureau)
    enrol(bureau, *own_key("newcomer"))
    opened = sign_in_as(bureau.kernel, "newcomer", NEW_PASSWORD)
    assert opened.actor.kind is ActorKind.OPERATOR
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, "newcomer", GIVEN)


def test_a_dynamic_password_is_good_in_its_step_and_the_next(bureau: Bureau) -> None:
    with_dynamic_password(bureau)
    last = digits(bureau)
    bureau.clock.advance(STEP_SECONDS)
    actor = enter(bureau, by_digits(last[:3] + " " + last[3:]))
    assert enter(bureau, by_digits(digits(bureau))) == actor


def test_dynamic_passwords_are_those_of_rfc_6238() -> None:
    """Appendix B: the last six of the eight digits, SHA-1."""
    secret = b"12345678901234567890"
    for seconds, expected in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert dynamic_password(secret, seconds // STEP_SECONDS).decode() == expected


def test_what_is_no_dynamic_password_is_said_to_be_none() -> None:
    for text in ("", "12345", "1234567", "12345a", "１２３４５６"):
        with pytest.raises(InvalidActError):
            by_digits(text)


def test_a_password_is_changed_with_both_factors_and_ends_every_session(bureau: Bureau) -> None:
    opened = sign_in_as(bureau.kernel, "maker")
    prover = by_key(signing_key("maker").sign)
    for password, shown, error in (
        ("wrong", prover, SignInRefusedError),
        (OPERATOR_PASSWORD, by_key(sm2.PrivateKey.generate().sign), SignInRefusedError),
    ):
        with pytest.raises(error):
            change_password(
                bureau.kernel,
                "maker",
                password,
                new_password=NEW_PASSWORD,
                prover=shown,
                pepper=PEPPER,
            )
    for weak in (OPERATOR_PASSWORD, "short", "maker maker maker"):
        with pytest.raises(WeakPasswordError):
            change_password(
                bureau.kernel,
                "maker",
                OPERATOR_PASSWORD,
                new_password=weak,
                prover=prover,
                pepper=PEPPER,
            )
    assert authenticate(bureau.kernel, opened.token) == bureau.maker
    change_password(
        bureau.kernel,
        "maker",
        OPERATOR_PASSWORD,
        new_password=NEW_PASSWORD,
        prover=prover,
        pepper=PEPPER,
    )
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, opened.token)
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, "maker")
    assert sign_in_as(bureau.kernel, "maker", NEW_PASSWORD).actor == bureau.maker


def test_a_second_factor_is_kept_sealed(bureau: Bureau) -> None:
    with_dynamic_password(bureau)
    with bureau.store.read() as tx:
        rows = tx.connection.execute(schema.operator_factors.select()).all()
        stored = [bytes(row.secret) for row in rows if row.secret is not None]
        opened = [operator_factors.get(tx, row.id) for row in rows]
    assert len(stored) == 1
    assert SECRET not in stored[0]
    assert SECRET in {one.secret for one in opened if one is not None}


def test_each_profile_has_its_hash(bureau: Bureau) -> None:
    newcomer(bureau)
    for profile, algorithm in ((Profile.SM, "pbkdf2-hmac-sm3"), (Profile.STANDARD, "argon2id")):
        stored = hash_password(
            GIVEN, pepper=PEPPER, random_bytes=bureau.kernel.random_bytes, profile=profile
        )
        assert stored.split("$")[0] == algorithm
        hashed = replace_password(bureau, stored)
        assert hashed == stored
        outcomes = [
            outcome_of(bureau, password, profile) for password in (GIVEN, GIVEN[:-1], GIVEN + "x")
        ]
        # The password is right: what is missing is the second factor.
        assert outcomes == ["factor_missing", "sign_in_refused", "sign_in_refused"]
    assert outcome_of(bureau, GIVEN, Profile.SM) == "sign_in_refused"


def replace_password(bureau: Bureau, stored: str) -> str:
    act = ResetOperator("newcomer", stored)
    bureau.decide(act, bureau.administrator, bureau.security)
    return stored


def outcome_of(bureau: Bureau, password: str, profile: Profile) -> str:
    try:
        sign_in_operator(
            bureau.kernel,
            "newcomer",
            password,
            by_key(signing_key("newcomer").sign),
            pepper=PEPPER,
            profile=profile,
        )
    except CardCoreError as error:
        return error.code
    return "signed_in"


def test_a_session_lasts_eight_hours_in_use(bureau: Bureau) -> None:
    opened = sign_in_as(bureau.kernel, "maker")
    assert opened.expires_at == bureau.clock() + timedelta(hours=8)
