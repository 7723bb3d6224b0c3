"""Signing in: the same answer for whoever is unknown, a lock that no race goes round, sessions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bureau import (
    HOLDER_PASSWORD,
    OPERATOR_PASSWORD,
    PEPPER,
    Bureau,
    Person,
    SeededBytes,
    make_application,
    sign_in_as,
)
from sqlalchemy import delete, select, update

from card_core.errors import (
    CardCoreError,
    NotAllowedError,
    SessionEndedError,
    SignInLockedError,
    SignInRefusedError,
    TamperedRowError,
    WeakPasswordError,
)
from card_core.identity import IdentityNumber
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportFormalLoss,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.operators import SuspendOperator
from card_core.sign_in import (
    SignedIn,
    authenticate,
    check_new_operator_password,
    check_new_password,
    hash_password,
    passwords,
    sign_in_holder,
    sign_out,
)
from card_core.store import credentials, guarded, holders, schema
from card_core.store.credentials import SubjectKind
from card_core.store.holders import Holder
from crypto import sm3

UNKNOWN = "440604197001011234"

HOLDER = Holder(
    id="0" * 32,
    social_security_number="440604198001012537",
    name="测试",
    sex="1",
    birth_on=date(1980, 1, 1),
    ethnic_group="01",
    phone="13925864710",
    address="",
    region="440604",
    guardian_name="",
    guardian_number="",
)


def enter(bureau: Bureau, number: str, password: str = HOLDER_PASSWORD) -> SignedIn:
    return sign_in_holder(bureau.kernel, number, password, pepper=PEPPER)


def outcome(bureau: Bureau, number: str, password: str) -> str:
    try:
        enter(bureau, number, password)
    except CardCoreError as error:
        return error.code
    return "signed_in"


def test_a_holder_signs_in_acts_and_signs_out(bureau: Bureau) -> None:
    person = bureau.person()
    opened = enter(bureau, person.number)
    assert opened.actor == person.actor
    assert opened.expires_at == bureau.clock() + timedelta(hours=12)
    assert authenticate(bureau.kernel, opened.token) == person.actor
    bureau.perform(ReportTemporaryLoss(person.card_id), authenticate(bureau.kernel, opened.token))
    sign_out(bureau.kernel, opened.token)
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, opened.token)
    sign_out(bureau.kernel, opened.token)


def test_a_formal_loss_and_a_cancelled_card_end_every_session(bureau: Bureau) -> None:
    for end in (
        lambda card_id: bureau.perform(ReportFormalLoss(card_id), bureau.maker),
        lambda card_id: bureau.decide(CancelCard(card_id, CancelReason.REPLACED)),
    ):
        person, other = bureau.people(2)
        opened, others = enter(bureau, person.number), enter(bureau, other.number)
        end(person.card_id)
        with pytest.raises(SessionEndedError):
            authenticate(bureau.kernel, opened.token)
        assert authenticate(bureau.kernel, others.token) == other.actor


def test_a_number_is_taken_as_people_type_it(bureau: Bureau) -> None:
    person = bureau.person()
    assert enter(bureau, f"  {person.number.lower()} ").actor == person.actor


def test_an_operator_signs_in_by_name(bureau: Bureau) -> None:
    opened = sign_in_as(bureau.kernel, "Maker ")
    assert opened.actor == bureau.maker
    assert opened.expires_at == bureau.clock() + timedelta(hours=8)
    assert authenticate(bureau.kernel, opened.token) == bureau.maker


@pytest.mark.parametrize("number", [UNKNOWN, "", "x" * 500, "a\x00b", "\ud800", "' OR 1=1 --"])
def test_unknown_people_and_wrong_passwords_get_one_answer(bureau: Bureau, number: str) -> None:
    person = bureau.person()
    refusals = []
    for who, password in ((number, HOLDER_PASSWORD), (person.number, "\ud800wrong")):
        with pytest.raises(SignInRefusedError) as refused:
            enter(bureau, who, password)
        refusals.append((type(refused.value), str(refused.value), vars(refused.value)))
    assert refusals[0] == refusals[1]


def test_unknown_people_are_locked_like_known_ones(bureau: Bureau) -> None:
    person = bureau.person()
    for number in (person.number, UNKNOWN):
        answers = [outcome(bureau, number, "000000") for _ in range(7)]
        assert answers == ["sign_in_refused"] * 5 + ["sign_in_locked"] * 2
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "sign_in_locked"


def test_the_lock_ends_after_a_quarter_of_an_hour_and_then_counts_anew(bureau: Bureau) -> None:
    person = bureau.person()
    for _ in range(5):
        outcome(bureau, person.number, "000000")
    with pytest.raises(SignInLockedError) as locked:
        enter(bureau, person.number)
    assert locked.value.locked_until == bureau.clock() + timedelta(minutes=15)
    bureau.clock.advance(15 * 60 - 1)
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "sign_in_locked"
    bureau.clock.advance(1)
    answers = [outcome(bureau, person.number, "000000") for _ in range(4)]
    assert answers == ["sign_in_refused"] * 4
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "signed_in"


def test_a_success_before_the_fifth_failure_sets_the_count_back(bureau: Bureau) -> None:
    person = bureau.person()
    for _ in range(3):
        answers = [outcome(bureau, person.number, "000000") for _ in range(4)]
        assert answers == ["sign_in_refused"] * 4
        assert outcome(bureau, person.number, HOLDER_PASSWORD) == "signed_in"


def test_one_persons_lock_is_nobody_elses(bureau: Bureau) -> None:
    one, other = bureau.people(2)
    for _ in range(6):
        outcome(bureau, one.number, "000000")
    assert outcome(bureau, other.number, HOLDER_PASSWORD) == "signed_in"


@pytest.mark.parametrize("known", [True, False])
def test_of_a_hundred_guesses_at_once_five_are_answered(bureau: Bureau, known: bool) -> None:
    number = bureau.person().number if known else UNKNOWN
    guesses = [f"{guess:06d}" for guess in range(100)]
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda guess: outcome(bureau, number, guess), guesses))
    assert answers.count("sign_in_refused") == 5
    assert answers.count("sign_in_locked") == 95


def test_the_right_guess_is_no_way_round_the_lock(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is done before the lock and judged after it: the worst that a race can do."""
    person = bureau.person()
    derive = passwords._derive

    def fail_meanwhile(*arguments: object) -> bytes:
        monkeypatch.setattr(passwords, "_derive", derive)
        assert [outcome(bureau, person.number, "000000") for _ in range(5)] == (
            ["sign_in_refused"] * 5
        )
        return derive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(passwords, "_derive", fail_meanwhile)
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "sign_in_locked"


def test_a_password_changed_while_it_was_being_checked_counts_as_wrong(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    derive = passwords._derive

    def change_meanwhile(*arguments: object) -> bytes:
        monkeypatch.setattr(passwords, "_derive", derive)
        new, kind = bureau.hash(HOLDER_PASSWORD), SubjectKind.HOLDER
        with bureau.store.write() as tx:
            credentials.put(tx, kind, person.holder_id, new, bureau.clock())
        return derive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(passwords, "_derive", change_meanwhile)
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "sign_in_refused"


def test_an_unknown_person_costs_the_same_work(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    with bureau.store.write() as tx:
        hashed = hash_password("x", pepper=PEPPER, random_bytes=SeededBytes(b"salt"))
        credentials.put(tx, SubjectKind.HOLDER, person.holder_id, hashed, bureau.clock())
    derived: list[int] = []
    derive = passwords._derive

    def count(password: str, pepper: bytes, salt: bytes, iterations: int) -> bytes:
        derived.append(iterations)
        return derive(password, pepper, salt, iterations)

    monkeypatch.setattr(passwords, "_derive", count)
    for number in (person.number, UNKNOWN):
        assert outcome(bureau, number, "wrong") == "sign_in_refused"
    assert derived == [passwords.ITERATIONS] * 2


def test_a_session_ends_when_it_is_idle(bureau: Bureau) -> None:
    person = bureau.person()
    token = enter(bureau, person.number).token
    for _ in range(4):
        bureau.clock.advance(29 * 60)
        assert authenticate(bureau.kernel, token) == person.actor
    bureau.clock.advance(30 * 60)
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, token)


def test_a_session_in_use_ends_at_its_end(bureau: Bureau) -> None:
    person = bureau.person()
    token = enter(bureau, person.number).token
    for _ in range(12 * 60 // 20 - 1):
        bureau.clock.advance(20 * 60)
        authenticate(bureau.kernel, token)
    bureau.clock.advance(20 * 60)
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, token)
    assert bureau.kernel.sweep()["sessions"] == 0
    bureau.clock.advance(1)
    assert bureau.kernel.sweep()["sessions"] == 1


def test_a_suspended_operators_sessions_are_over(bureau: Bureau) -> None:
    opened = sign_in_as(bureau.kernel, "maker")
    bureau.decide(SuspendOperator("maker"), bureau.administrator, bureau.security)
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, opened.token)
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, "maker")


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "\x00", "\ud800"])
def test_no_session_has_a_made_up_token(bureau: Bureau, token: str) -> None:
    with pytest.raises(SessionEndedError):
        authenticate(bureau.kernel, token)


def test_tokens_and_passwords_are_not_stored(bureau: Bureau) -> None:
    person = bureau.person()
    token = enter(bureau, person.number).token
    with bureau.store.read() as tx:
        rows = [
            tx.connection.execute(select(table)).all()
            for table in (schema.sessions, schema.credentials, schema.answers, schema.audit_events)
        ]
    stored = repr(rows)
    assert token not in stored
    assert "pbkdf2" not in stored


def test_a_password_copied_to_another_person_is_refused(bureau: Bureau) -> None:
    """By somebody with the database and the row key, who knows the password behind the copy."""
    thief, victim = bureau.people(2)
    table = schema.credentials
    with bureau.store.write() as tx:
        known = tx.connection.execute(
            select(table.c.password_hash).where(table.c.id == f"holder/{thief.holder_id}")
        ).scalar_one()
        guarded.change(tx, table, f"holder/{victim.holder_id}", password_hash=known)
    with pytest.raises(TamperedRowError):
        enter(bureau, victim.number)


def test_a_number_that_leads_to_another_person_is_refused(bureau: Bureau) -> None:
    """The blind index is not authenticated by itself; the sealed number behind it is."""
    thief, victim = bureau.people(2)
    table = schema.holders
    with bureau.store.write() as tx:
        index = tx.connection.execute(
            select(table.c.number_index).where(table.c.id == victim.holder_id)
        ).scalar_one()
        tx.connection.execute(
            update(table).where(table.c.id == victim.holder_id).values(number_index=bytes(32))
        )
        tx.connection.execute(
            update(table).where(table.c.id == thief.holder_id).values(number_index=index)
        )
    with pytest.raises(TamperedRowError):
        enter(bureau, victim.number)
    with bureau.store.read() as tx, pytest.raises(TamperedRowError):
        holders.find_by_number(tx, victim.number)
    application = make_application(1)._replace(number=IdentityNumber(victim.number))
    with bureau.store.write() as tx, pytest.raises(TamperedRowError):
        holders.put_all(tx, [application], lambda count: ["new"] * count, bureau.clock())


def test_a_session_made_another_persons_in_the_database_is_refused(bureau: Bureau) -> None:
    thief, victim = bureau.people(2)
    token = enter(bureau, thief.number).token
    with bureau.store.write() as tx:
        tx.connection.execute(update(schema.sessions).values(subject_id=victim.holder_id))
    with pytest.raises(TamperedRowError):
        authenticate(bureau.kernel, token)


def test_another_pepper_opens_nothing(bureau: Bureau) -> None:
    person = bureau.person()
    with pytest.raises(SignInRefusedError):
        sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=bytes(32))


def test_a_holder_without_an_ecard_has_no_password(bureau: Bureau) -> None:
    person = bureau.person()
    with bureau.store.write() as tx:
        tx.connection.execute(delete(schema.credentials))
    assert outcome(bureau, person.number, HOLDER_PASSWORD) == "sign_in_refused"


def test_a_holder_is_no_operator(bureau: Bureau) -> None:
    person: Person = bureau.person()
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, person.number, HOLDER_PASSWORD)
    with pytest.raises(SignInRefusedError):
        enter(bureau, "maker", OPERATOR_PASSWORD)
    actor = authenticate(bureau.kernel, enter(bureau, person.number).token)
    with pytest.raises(NotAllowedError):
        bureau.decide(SuspendOperator("auditor"), actor, bureau.security)


def test_the_hash_is_pbkdf2_with_hmac_sm3_of_the_peppered_password() -> None:
    """Against the definition in RFC 8018, 5.2, written out for one block."""
    stored = hash_password("274095", pepper=PEPPER, random_bytes=bytes, iterations=3)
    name, iterations, salt, derived = stored.split("$")
    assert (name, iterations, salt) == ("pbkdf2-hmac-sm3", "3", bytes(16).hex())
    key = sm3.hmac(PEPPER, b"274095")
    block = sm3.hmac(key, bytes(16) + (1).to_bytes(4))
    result = int.from_bytes(block)
    for _ in range(2):
        block = sm3.hmac(key, block)
        result ^= int.from_bytes(block)
    assert derived == result.to_bytes(32).hex()


@pytest.mark.parametrize("password", ["274095", "918273", "100200"])
def test_a_password_that_nobody_tries_first_is_taken(password: str) -> None:
    check_new_password(password, HOLDER)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "12345",
        "1234567",
        "abcdef",
        "１２３７９５",
        "123456",
        "987654",
        "890123",
        "111111",
        "121212",
        "369369",
        "198001",  # of the number
        "800101",
        "258647",  # of the phone
    ],
)
def test_a_password_that_a_finder_tries_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_new_password(password, HOLDER)


def test_a_password_from_the_guardians_number_is_refused() -> None:
    child = replace(HOLDER, guardian_number="440604195503072715")
    check_new_password("503072", HOLDER)
    with pytest.raises(WeakPasswordError):
        check_new_password("503072", child)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "maker-12345678",
        "password1234",
        "123456789012",
        "210987654321",
        "Qwertyuiop123",
        "Admin@123456",
    ],
)
def test_a_weak_operators_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_new_operator_password(password, "maker")
    check_new_operator_password(OPERATOR_PASSWORD, "maker")


def test_the_clock_is_passed_in(bureau: Bureau) -> None:
    bureau.clock.now = datetime(2040, 1, 1, tzinfo=UTC)
    opened = enter(bureau, bureau.person().number)
    assert opened.expires_at == datetime(2040, 1, 1, 12, tzinfo=UTC)
