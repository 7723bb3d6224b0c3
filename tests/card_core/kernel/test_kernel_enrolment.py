"""A terminal comes to its key by a code that two people let out, and by nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bureau import SYSTEM, Bureau, terminal_actor
from sqlalchemy import select

from card_core.errors import (
    AlreadyExistsError,
    ApprovalNeededError,
    CardCoreError,
    ContentChangedError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import Answer, enrolment_codes
from card_core.kernel.acts.enrolment import (
    CODE_LIFE,
    FAILURES_MAX,
    KEY_OVERLAP,
    EnrolTerminal,
    PrepareEnrolment,
    RevokeTerminalKeys,
    RotateTerminalKey,
    WithdrawEnrolment,
)
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.acts.operators import SuspendOperator
from card_core.kernel.enrolment_codes import EnrolmentCode
from card_core.states import ServiceState
from card_core.store import audit, institutions, schema
from card_core.store.institutions import Terminal
from crypto import sm2

SERIAL = bytes.fromhex("00000000000000e7")
HOSPITAL, PHARMACY = "H44060400001", "P44060400002"


def new_key() -> bytes:
    return sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)


def prepare(bureau: Bureau, code: EnrolmentCode, institution: str = PHARMACY) -> PrepareEnrolment:
    digest = code.digest(bureau.store.cipher, SERIAL)
    return PrepareEnrolment(SERIAL, institution, code.name, digest)


def make_code(bureau: Bureau) -> EnrolmentCode:
    return enrolment_codes.make(bureau.kernel.random_bytes)


def bring(bureau: Bureau, code: EnrolmentCode, key: bytes, serial_number: bytes = SERIAL) -> Answer:
    digest = code.digest(bureau.store.cipher, serial_number)
    return bureau.perform(EnrolTerminal(serial_number, code.name, digest, key), SYSTEM)


def terminal_of(bureau: Bureau, serial_number: bytes = SERIAL) -> Terminal | None:
    with bureau.store.read() as tx:
        return institutions.terminal_by_serial(tx, serial_number)


def enrolled(bureau: Bureau, key: bytes) -> Terminal:
    return bureau.enrol(SERIAL, PHARMACY, key)


def mistyped(code: EnrolmentCode) -> EnrolmentCode:
    """The right name, and one character of the rest wrong."""
    return EnrolmentCode(code.text[:-1] + ("2" if code.text[-1] != "2" else "3"))


def test_a_code_lets_a_terminal_in_with_the_key_that_it_brings(bureau: Bureau) -> None:
    code, key = bureau.enrolment_code(SERIAL, PHARMACY), new_key()
    assert terminal_of(bureau) is None
    assert bring(bureau, code, key)["outcome"] == "enrolled"
    terminal = terminal_of(bureau)
    assert terminal is not None
    assert (terminal.public_key, terminal.state) == (key, ServiceState.ACTIVE)
    assert terminal.institution_id == bureau.pharmacy.institution_id
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


def test_the_same_again_is_the_same_and_another_key_is_refused(bureau: Bureau) -> None:
    code, key = bureau.enrolment_code(SERIAL, PHARMACY), new_key()
    first = bring(bureau, code, key)
    assert bring(bureau, code, key) == first
    assert bring(bureau, code, new_key())["outcome"] == "refused"
    assert terminal_of(bureau).public_key == key
    bureau.perform(RevokeTerminalKeys(SERIAL), bureau.checker)
    assert bring(bureau, code, key)["outcome"] == "refused"


def test_of_keys_that_race_for_one_code_exactly_one_gets_in(bureau: Bureau) -> None:
    code = bureau.enrolment_code(SERIAL, PHARMACY)
    keys = [new_key() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda key: bring(bureau, code, key)["outcome"], keys))
    assert sorted(outcomes) == ["enrolled"] + ["refused"] * 5
    assert terminal_of(bureau).public_key == keys[outcomes.index("enrolled")]


def test_a_few_wrong_tries_end_the_code(bureau: Bureau) -> None:
    code = bureau.enrolment_code(SERIAL, PHARMACY)
    for _ in range(FAILURES_MAX - 1):
        assert bring(bureau, mistyped(code), new_key())["outcome"] == "refused"
    assert bring(bureau, code, new_key())["outcome"] == "enrolled"

    second = bureau.enrolment_code(SERIAL, PHARMACY)
    for _ in range(FAILURES_MAX):
        assert bring(bureau, mistyped(second), new_key())["outcome"] == "refused"
    assert bring(bureau, second, new_key())["outcome"] == "refused"


def test_guesses_at_another_name_do_not_count_against_a_code(bureau: Bureau) -> None:
    code = bureau.enrolment_code(SERIAL, PHARMACY)
    other = EnrolmentCode("00000" + code.text[5:])
    for _ in range(2 * FAILURES_MAX):
        with pytest.raises(NotFoundError):
            bring(bureau, other, new_key())
    assert bring(bureau, code, new_key())["outcome"] == "enrolled"


def test_a_code_is_good_for_a_day_from_the_approval_on(bureau: Bureau) -> None:
    code = make_code(bureau)
    proposed = bureau.kernel.propose(
        prepare(bureau, code), actor=bureau.maker, request_id=bureau.request_id()
    )
    bureau.clock.advance(3 * 86_400)
    bureau.approve(proposed)
    bureau.clock.advance(CODE_LIFE.total_seconds())
    assert bring(bureau, code, new_key())["outcome"] == "refused"
    again = bureau.enrolment_code(SERIAL, PHARMACY)
    bureau.clock.advance(CODE_LIFE.total_seconds() - 1)
    assert bring(bureau, again, new_key())["outcome"] == "enrolled"


def test_a_code_is_for_one_serial_number(bureau: Bureau) -> None:
    code = bureau.enrolment_code(SERIAL, PHARMACY)
    with pytest.raises(NotFoundError):
        bring(bureau, code, new_key(), bureau.hospital.serial_number)


def test_a_later_code_ends_the_earlier_one_and_a_withdrawal_ends_both(bureau: Bureau) -> None:
    first = bureau.enrolment_code(SERIAL, PHARMACY)
    second = bureau.enrolment_code(SERIAL, PHARMACY)
    assert bring(bureau, first, new_key())["outcome"] == "refused"
    assert bureau.perform(WithdrawEnrolment(SERIAL), bureau.checker) == {"ended": 1}
    assert bring(bureau, second, new_key())["outcome"] == "refused"
    with pytest.raises(NotFoundError):
        bureau.perform(WithdrawEnrolment(SERIAL), bureau.checker)
    assert terminal_of(bureau) is None


def test_enrolling_anew_ends_every_earlier_key_and_reinstates_nobody(bureau: Bureau) -> None:
    before = enrolled(bureau, new_key())
    bureau.perform(SuspendTerminal(SERIAL), bureau.maker)
    key = new_key()
    assert bring(bureau, bureau.enrolment_code(SERIAL, PHARMACY), key)["outcome"] == "enrolled"
    after = terminal_of(bureau)
    assert (after.id, after.public_key, after.previous_key) == (before.id, key, None)
    assert after.state is ServiceState.SUSPENDED


def test_an_enrolled_terminal_can_not_be_moved_to_another_institution(bureau: Bureau) -> None:
    enrolled(bureau, new_key())
    with pytest.raises(AlreadyExistsError):
        bureau.decide(prepare(bureau, make_code(bureau), HOSPITAL))


def test_the_code_itself_is_nowhere_in_the_database(bureau: Bureau) -> None:
    code = bureau.enrolment_code(SERIAL, PHARMACY)
    bring(bureau, code, new_key())
    secret = code.text[5:]
    with bureau.store.read() as tx:
        for table in schema.metadata.sorted_tables:
            for row in tx.connection.execute(select(table)):
                for value in row:
                    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    assert secret not in text, table.name


# Ways round the second person.

WayRound = Callable[[Bureau, EnrolmentCode], object]


def alone(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.perform(prepare(bureau, code), bureau.administrator)


def as_the_system(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.perform(prepare(bureau, code), SYSTEM)


def approved_by_its_maker(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), bureau.administrator, bureau.administrator)


def proposed_by_a_checker(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), bureau.checker, bureau.administrator)


def approved_by_a_maker(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), bureau.administrator, bureau.maker)


def approved_by_the_auditor(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), checker=bureau.auditor)


def proposed_by_a_terminal(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), terminal_actor(bureau.pharmacy))


def approved_by_a_terminal(bureau: Bureau, code: EnrolmentCode) -> object:
    return bureau.decide(prepare(bureau, code), checker=terminal_actor(bureau.pharmacy))


def another_content_approved(bureau: Bureau, code: EnrolmentCode) -> object:
    proposed = bureau.kernel.propose(
        prepare(bureau, code), actor=bureau.maker, request_id=bureau.request_id()
    )
    other = bureau.kernel.propose(
        prepare(bureau, make_code(bureau)), actor=bureau.maker, request_id=bureau.request_id()
    )
    return bureau.approve({**proposed, "content_hash": other["content_hash"]})


def approved_after_its_rejection(bureau: Bureau, code: EnrolmentCode) -> object:
    proposed = bureau.kernel.propose(
        prepare(bureau, code), actor=bureau.maker, request_id=bureau.request_id()
    )
    bureau.kernel.reject(
        proposed["approval_id"], actor=bureau.checker, request_id=bureau.request_id()
    )
    return bureau.approve(proposed)


def approved_when_the_maker_is_gone(bureau: Bureau, code: EnrolmentCode) -> object:
    proposed = bureau.kernel.propose(
        prepare(bureau, code), actor=bureau.maker, request_id=bureau.request_id()
    )
    bureau.decide(SuspendOperator("maker"), bureau.administrator, bureau.security)
    return bureau.approve(proposed)


def used_before_the_approval(bureau: Bureau, code: EnrolmentCode) -> object:
    bureau.kernel.propose(prepare(bureau, code), actor=bureau.maker, request_id=bureau.request_id())
    return bring(bureau, code, new_key())


def digest_changed_in_the_database(bureau: Bureau, code: EnrolmentCode) -> object:
    bureau.enrolment_code(SERIAL, PHARMACY)
    table = schema.enrolments
    with bureau.store.write() as tx:
        digest = code.digest(bureau.store.cipher, SERIAL)
        tx.connection.execute(table.update().values(code_name=code.name, code_digest=digest))
    return bring(bureau, code, new_key())


def time_extended_in_the_database(bureau: Bureau, code: EnrolmentCode) -> object:
    bureau.decide(prepare(bureau, code))
    bureau.clock.advance(2 * CODE_LIFE.total_seconds())
    with bureau.store.write() as tx:
        later = bureau.clock() + timedelta(days=1)
        tx.connection.execute(schema.enrolments.update().values(ends_at=later))
    return bring(bureau, code, new_key())


WAYS_ROUND: dict[WayRound, type[CardCoreError]] = {
    alone: ApprovalNeededError,
    as_the_system: ApprovalNeededError,
    approved_by_its_maker: SamePersonError,
    proposed_by_a_checker: NotAllowedError,
    approved_by_a_maker: NotAllowedError,
    approved_by_the_auditor: NotAllowedError,
    proposed_by_a_terminal: NotAllowedError,
    approved_by_a_terminal: NotAllowedError,
    another_content_approved: ContentChangedError,
    approved_after_its_rejection: WrongStateError,
    approved_when_the_maker_is_gone: NotAllowedError,
    used_before_the_approval: NotFoundError,
    digest_changed_in_the_database: TamperedRowError,
    time_extended_in_the_database: TamperedRowError,
}


@pytest.mark.parametrize("way", WAYS_ROUND, ids=lambda way: way.__name__)
def test_no_way_round_the_second_person_lets_a_terminal_in(bureau: Bureau, way: WayRound) -> None:
    code = make_code(bureau)
    with pytest.raises(WAYS_ROUND[way]):
        way(bureau, code)
    assert terminal_of(bureau) is None


# The next key.


def rotate(bureau: Bureau, terminal: Terminal, key: bytes, signed_by: bytes) -> Answer:
    return bureau.perform(RotateTerminalKey(key, signed_by), terminal_actor(terminal))


def test_the_present_key_vouches_for_the_next_and_both_are_good_for_a_day(bureau: Bureau) -> None:
    first, second = new_key(), new_key()
    terminal = enrolled(bureau, first)
    answer = rotate(bureau, terminal, second, first)
    rotated = terminal_of(bureau)
    assert (rotated.public_key, rotated.previous_key) == (second, first)
    assert rotated.key_ends_at is None
    assert rotated.previous_key_ends_at == bureau.clock() + KEY_OVERLAP
    assert answer["previous_key_ends_at"] == rotated.previous_key_ends_at.isoformat()
    # The answer was lost, and the terminal asks again with the key that it still uses.
    assert rotate(bureau, terminal, second, first) == answer
    assert terminal_of(bureau) == rotated


def test_the_previous_key_vouches_for_nothing_any_more(bureau: Bureau) -> None:
    first, second = new_key(), new_key()
    terminal = enrolled(bureau, first)
    rotate(bureau, terminal, second, first)
    with pytest.raises(NotAllowedError):
        rotate(bureau, terminal, new_key(), first)
    third = new_key()
    rotate(bureau, terminal, third, second)
    assert (terminal_of(bureau).public_key, terminal_of(bureau).previous_key) == (third, second)


@pytest.mark.parametrize("which", [0, 1])
def test_an_old_key_is_no_next_key(bureau: Bureau, which: int) -> None:
    keys = [new_key(), new_key(), new_key()]
    terminal = enrolled(bureau, keys[0])
    rotate(bureau, terminal, keys[1], keys[0])
    if which == 1:
        assert rotate(bureau, terminal, keys[1], keys[1])["previous_key_ends_at"]
        return
    with pytest.raises(InvalidActError):
        rotate(bureau, terminal, keys[0], keys[1])


def test_a_revoked_key_gives_itself_no_successor(bureau: Bureau) -> None:
    key = new_key()
    terminal = enrolled(bureau, key)
    bureau.perform(RevokeTerminalKeys(SERIAL), bureau.maker)
    ended = terminal_of(bureau)
    assert ended.key_ends_at == bureau.clock()
    with pytest.raises(NotAllowedError):
        rotate(bureau, terminal, new_key(), key)
    assert terminal_of(bureau) == ended


def test_revoking_ends_both_keys_of_an_overlap(bureau: Bureau) -> None:
    first, second = new_key(), new_key()
    terminal = enrolled(bureau, first)
    rotate(bureau, terminal, second, first)
    bureau.perform(RevokeTerminalKeys(SERIAL), bureau.maker)
    ended = terminal_of(bureau)
    assert (ended.key_ends_at, ended.previous_key) == (bureau.clock(), None)


def test_a_suspended_terminal_brings_no_next_key(bureau: Bureau) -> None:
    key = new_key()
    terminal = enrolled(bureau, key)
    bureau.perform(SuspendTerminal(SERIAL), bureau.maker)
    with pytest.raises(NotAllowedError):
        rotate(bureau, terminal, new_key(), key)


@pytest.mark.parametrize(
    "typed",
    [
        "7KQMX-2VTNC-9RZ4D-WH3SP",
        "7kqmx2vtnc9rz4dwh3sp",
        " 7KQMX 2VTNC 9RZ4D WH3SP ",
        "7KQMX2VTNC9RZ4DWH3SP",
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert str(enrolment_codes.parse(typed)) == "7KQMX-2VTNC-9RZ4D-WH3SP"


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert enrolment_codes.parse("OOOOO-IIIII-LLLLL-ooooo").text == "0" * 5 + "1" * 10 + "0" * 5


@pytest.mark.parametrize("typed", ["", "7KQMX", "7KQMX-2VTNC-9RZ4D-WH3SU", "七" * 20, "0" * 21])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(InvalidActError):
        enrolment_codes.parse(typed)


def test_codes_use_every_letter_and_do_not_repeat(bureau: Bureau) -> None:
    codes = [make_code(bureau).text for _ in range(500)]
    assert len({code[:5] for code in codes}) > 490
    assert len(set("".join(codes))) == 32
    for at in range(20):
        assert len({code[at] for code in codes}) == 32
