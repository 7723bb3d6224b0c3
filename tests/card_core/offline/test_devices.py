"""Phones and their credentials: who gets them, how many, and what becomes of them."""

import contextlib
import threading
from collections import Counter
from datetime import timedelta

import pytest
from bureau import Bureau, Person
from phone import (
    CHALLENGE,
    Phone,
    credential_issuer_of,
    day_ends,
    fetch,
    publisher_of,
    registered_phone,
    reissued,
)
from sqlalchemy import select, update

from card_core import codes
from card_core.codes import CodeKind, Presence, PurposeClass
from card_core.errors import (
    AlreadyExistsError,
    CardCoreError,
    CardUnusableError,
    IdempotencyConflictError,
    InvalidActError,
    NotFoundError,
    StoreConflictError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import Act
from card_core.kernel.acts import devices as device_acts
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.devices import (
    DEVICES_MAX,
    REGISTRATIONS_MAX,
    IssueDeviceCredentials,
    RegisterDevice,
    RemoveDevice,
    TooManyDevicesError,
)
from card_core.kernel.offline_codes import present_offline_code
from card_core.presented import Medium, Presented
from card_core.status_list import CredentialState
from card_core.store import cards, devices
from card_core.store.devices import Grade
from card_core.store.schema import device_credentials
from card_core.verdicts import Reason


def register(bureau: Bureau, person: Person, phone: Phone) -> str:
    act = RegisterDevice(phone.grade, phone.public_key, CHALLENGE, phone.registers(CHALLENGE))
    device_id: str = bureau.perform(act, person.actor)["device_id"]
    phone.device_id = device_id
    return device_id


def states(bureau: Bureau, phone: Phone) -> Counter[CredentialState]:
    with bureau.store.read() as tx:
        statement = select(device_credentials.c.state).where(
            device_credentials.c.device_id == phone.device_id
        )
        return Counter(CredentialState(one) for one in tx.connection.execute(statement).scalars())


def present(bureau: Bureau, text: str) -> Presented | Reason:
    checked = bureau.checked(text, bureau.hospital, "01101")
    with bureau.store.read() as tx:
        return present_offline_code(tx, checked)


@pytest.mark.parametrize(
    ("grade", "presence", "most"),
    [
        (Grade.APP, Presence.BOUND_PHONE, PurposeClass.ANY_USE),
        (Grade.BROWSER, Presence.PLAIN, PurposeClass.IDENTIFY_ONLY),
    ],
)
def test_a_phone_mints_codes_for_seven_days_that_lead_to_its_holder(
    bureau: Bureau, grade: Grade, presence: Presence, most: PurposeClass
) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, grade, days=7)
    for day in day_ends(bureau.clock(), 7):
        assert len(phone.credentials[day]) == 113
        checked = bureau.checked(phone.show(bureau.clock()), bureau.hospital, "01101")
        assert (checked.kind, checked.presence) == (CodeKind.OFFLINE, presence)
        assert checked.credential_expires_at == day
        found = present(bureau, phone.show(bureau.clock()))
        assert isinstance(found, Presented)
        assert found.medium is Medium.OFFLINE_CODE
        assert found.ecard_id == ecard_id(bureau, person)
        assert found.usable_until == bureau.clock() + timedelta(seconds=91)
        assert (found.presence, found.purpose_class) == (presence, PurposeClass.IDENTIFY_ONLY)
        bureau.clock.advance(24 * 3600)
    assert phone.credentials[day_ends(bureau.clock() - timedelta(days=1), 1)[0]][8] == most


def ecard_id(bureau: Bureau, person: Person) -> int:
    with bureau.store.read() as tx:
        return cards.ecard_of(tx, person.card_id).id


def test_a_browsers_code_for_any_use_is_refused(bureau: Bureau) -> None:
    phone = registered_phone(bureau, bureau.person(), Grade.BROWSER, days=1)
    text = phone.show(bureau.clock(), purpose_class=PurposeClass.ANY_USE)
    with pytest.raises(codes.RefusedError) as refused:
        bureau.checked(text, bureau.hospital, "01101")
    assert refused.value.reason is Reason.PURPOSE_MISMATCH


def test_offline_codes_are_scanned_and_spent_like_others(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    text = phone.show(bureau.clock())
    found = present(bureau, text)
    assert isinstance(found, Presented)
    first = bureau.record(bureau.scan_request(text, presented=found, refusal=None))
    second = bureau.record(bureau.scan_request(text, presented=found, refusal=None))
    assert [first["reason"], second["reason"]] == ["accepted", "already_used"]
    assert first["holder"]["name"] == person.name


def test_a_position_is_never_given_twice(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_acts, "POSITIONS", 16)
    people = bureau.people(4)
    for person in people:
        registered_phone(bureau, person, days=3)
    with bureau.store.read() as tx:
        rows = tx.connection.execute(select(device_credentials)).all()
    places = [(row.expires_at, row.status_index) for row in rows]
    assert len(places) == len(set(places)) == 12
    assert all(0 <= index < 16 for _, index in places)


def test_the_same_request_gets_the_same_credentials(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    days = day_ends(bureau.clock(), 4)[1:]

    def ask(request_id: str) -> list[bytes]:
        keys, signature = phone.asks_for(phone.device_id, CHALLENGE, days)
        issued = credential_issuer_of(bureau).issue(
            person.actor,
            phone.device_id,
            challenge=CHALLENGE,
            keys=keys,
            signature=signature,
            request_id=request_id,
        )
        return [one.credential for one in issued]

    assert ask("one") == ask("one")
    with pytest.raises(AlreadyExistsError):
        ask("two")
    phone.keys.clear()
    with pytest.raises(IdempotencyConflictError):
        ask("one")
    assert states(bureau, phone) == {CredentialState.GOOD: 4}


def test_only_days_that_are_near_and_end_at_midnight(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    days = day_ends(bureau.clock(), 10)
    yesterday = days[0] - timedelta(days=1)
    for wrong in (
        [yesterday],
        [days[8]],
        [days[1] + timedelta(hours=1)],
        [days[1] + timedelta(microseconds=1)],
        [days[2], days[1]],
        [],
        days[:9],
    ):
        with pytest.raises(InvalidActError):
            fetch(bureau, person, phone, wrong)
    fetch(bureau, person, phone, days[1:8])


def test_no_credential_reaches_beyond_the_card(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    # To the morning of the card's last day, in Shanghai.
    bureau.clock.now = bureau.clock.now.replace(
        year=card.expires_on.year, month=card.expires_on.month, day=card.expires_on.day
    )
    today, tomorrow = day_ends(bureau.clock(), 2)
    with pytest.raises(CardUnusableError) as unusable:
        fetch(bureau, person, phone, [tomorrow])
    assert unusable.value.reason is Reason.CARD_EXPIRED
    fetch(bureau, person, phone, [today])


def test_whoever_does_not_hold_the_keys_gets_nothing(bureau: Bureau) -> None:
    person, phone, other = bureau.person(), Phone(), Phone()
    proof = phone.registers(CHALLENGE)
    for grade, public_key, challenge, signature in (
        (Grade.BROWSER, phone.public_key, CHALLENGE, proof),
        (Grade.APP, other.public_key, CHALLENGE, proof),
        (Grade.APP, phone.public_key, bytes(32), proof),
        (Grade.APP, phone.public_key, CHALLENGE, other.registers(CHALLENGE)),
        (Grade.APP, phone.public_key, CHALLENGE, bytes(64)),
        (Grade.APP, phone.public_key, CHALLENGE, proof[:-1]),
        (Grade.APP, phone.public_key, CHALLENGE[:-1], proof),
        (Grade.APP, phone.key.public_key().to_bytes(), CHALLENGE, proof),
        (Grade.APP, b"\x02" + bytes(32), CHALLENGE, proof),
    ):
        with pytest.raises(InvalidActError):
            RegisterDevice(grade, public_key, challenge, signature)
    device_id = register(bureau, person, phone)
    days = day_ends(bureau.clock(), 2)
    keys, signature = phone.asks_for(device_id, CHALLENGE, days)
    foreign_keys, foreign_signature = Phone().asks_for(device_id, CHALLENGE, days)
    crossed = (keys[0], type(keys[1])(days[1], keys[1].public_key, keys[0].signature))
    for given, proved, challenge in (
        (keys, foreign_signature, CHALLENGE),
        (foreign_keys, signature, CHALLENGE),
        ((keys[0], foreign_keys[1]), signature, CHALLENGE),
        (crossed, signature, CHALLENGE),
        (keys[:1], signature, CHALLENGE),
        (keys, signature, bytes(32)),
    ):
        with pytest.raises(InvalidActError):
            IssueDeviceCredentials(device_id, phone.public_key, challenge, given, proved, 1)
    IssueDeviceCredentials(device_id, phone.public_key, CHALLENGE, keys, signature, 1)


def test_a_key_serves_one_day_and_one_phone(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    phone = registered_phone(bureau, person, days=1)
    with pytest.raises(AlreadyExistsError):
        register(bureau, other, Phone(key=phone.key))
    today, tomorrow = day_ends(bureau.clock(), 2)
    again = Phone(keys={today: phone.keys[today], tomorrow: phone.keys[today]})
    register(bureau, person, again)
    with pytest.raises(InvalidActError):
        fetch(bureau, person, again, [today, tomorrow])


def test_a_holder_has_few_phones_and_does_not_register_for_ever(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    for made in range(REGISTRATIONS_MAX):
        device_id = register(bureau, person, Phone(Grade.BROWSER))
        if made >= DEVICES_MAX - 1:
            with pytest.raises(TooManyDevicesError):
                register(bureau, person, Phone(Grade.BROWSER))
            bureau.perform(RemoveDevice(device_id), person.actor)
    with pytest.raises(TooManyDevicesError):
        register(bureau, person, Phone())
    register(bureau, other, Phone())
    bureau.clock.advance(30 * 24 * 3600 + 1)
    register(bureau, person, Phone())


def test_registrations_at_once_do_not_pass_the_limit(bureau: Bureau) -> None:
    person = bureau.person()
    outcomes: list[str] = []

    def work() -> None:
        try:
            register(bureau, person, Phone(Grade.BROWSER))
        except CardCoreError as error:
            outcomes.append(error.code)
        else:
            outcomes.append("registered")

    threads = [threading.Thread(target=work) for _ in range(DEVICES_MAX + 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == {"registered": DEVICES_MAX, "too_many_devices": 3}


def test_another_holders_phone_is_as_good_as_none(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    phone = registered_phone(bureau, person, days=1)
    with pytest.raises(NotFoundError):
        fetch(bureau, other, phone, day_ends(bureau.clock(), 3)[2:])
    keys, signature = phone.asks_for(phone.device_id, CHALLENGE, day_ends(bureau.clock(), 3)[2:])
    act_of_other: Act = IssueDeviceCredentials(
        phone.device_id, phone.public_key, CHALLENGE, keys, signature, 1
    )
    with pytest.raises(NotFoundError):
        bureau.perform(act_of_other, other.actor)
    with pytest.raises(NotFoundError):
        bureau.perform(RemoveDevice(phone.device_id), other.actor)
    with bureau.store.read() as tx:
        assert devices.of_holder(tx, other.holder_id) == []
    bureau.perform(RemoveDevice(phone.device_id), bureau.maker)


def test_a_removed_phone_is_withdrawn_and_gets_nothing_more(bureau: Bureau) -> None:
    person = bureau.person()
    phone, kept = (registered_phone(bureau, person, days=2) for _ in range(2))
    text = phone.show(bureau.clock())
    bureau.perform(RemoveDevice(phone.device_id), person.actor)
    assert states(bureau, phone) == {CredentialState.WITHDRAWN: 2}
    assert states(bureau, kept) == {CredentialState.GOOD: 2}
    assert present(bureau, text) is Reason.CREDENTIAL_WITHDRAWN
    assert isinstance(present(bureau, kept.show(bureau.clock())), Presented)
    with pytest.raises(NotFoundError):
        fetch(bureau, person, phone, day_ends(bureau.clock(), 4)[3:])
    with pytest.raises(WrongStateError):
        bureau.perform(RemoveDevice(phone.device_id), person.actor)
    # A loss that is taken back does not bring it back.
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert states(bureau, phone) == {CredentialState.WITHDRAWN: 2}


def test_credentials_follow_the_card_in_the_same_act(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    phones = [registered_phone(bureau, person, days=2) for _ in range(2)]
    bystander = registered_phone(bureau, other, days=2)

    def all_are(state: CredentialState) -> bool:
        return all(states(bureau, phone) == {state: 2} for phone in phones)

    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert all_are(CredentialState.SUSPENDED)
    for phone in phones:
        with pytest.raises(CardUnusableError):
            fetch(bureau, person, phone, day_ends(bureau.clock(), 4)[3:])
    # What is scanned is told by the card, which knows more.
    found = present(bureau, phones[0].show(bureau.clock()))
    assert isinstance(found, Presented)
    scanned = bureau.record(
        bureau.scan_request(phones[0].show(bureau.clock()), presented=found, refusal=None)
    )
    assert scanned["reason"] == "card_lost"
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert all_are(CredentialState.GOOD)
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    assert all_are(CredentialState.SUSPENDED)
    bureau.decide(CancelCard(person.card_id, CancelReason.DEATH))
    assert all_are(CredentialState.CANCELLED)
    bureau.perform(RemoveDevice(phones[0].device_id), person.actor)
    assert all_are(CredentialState.CANCELLED)
    assert states(bureau, bystander) == {CredentialState.GOOD: 2}


def test_a_loss_and_a_fetch_at_once_leave_no_good_credential(bureau: Bureau) -> None:
    for person in bureau.people(4):
        phone = Phone()
        register(bureau, person, phone)
        barrier = threading.Barrier(2)

        def ask(person: Person, phone: Phone, barrier: threading.Barrier) -> None:
            barrier.wait()
            with contextlib.suppress(CardUnusableError):
                fetch(bureau, person, phone, day_ends(bureau.clock(), 7))

        thread = threading.Thread(target=ask, args=(person, phone, barrier))
        thread.start()
        barrier.wait()
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        thread.join()
        assert not states(bureau, phone)[CredentialState.GOOD]


def test_a_credential_flipped_back_in_the_database_is_not_believed(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    text = phone.show(bureau.clock())
    bureau.perform(RemoveDevice(phone.device_id), person.actor)
    with bureau.store.write() as tx:
        tx.connection.execute(update(device_credentials).values(state=0))
    with pytest.raises(TamperedRowError):
        present(bureau, text)


def test_a_code_under_a_row_that_is_not_there_is_nobodys(bureau: Bureau) -> None:
    phone = registered_phone(bureau, bureau.person(), days=1)
    text = phone.show(bureau.clock())
    with bureau.store.write() as tx:
        tx.connection.execute(device_credentials.delete())
    assert present(bureau, text) is Reason.UNKNOWN_CARD


def test_an_online_code_is_no_offline_code(bureau: Bureau) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    with pytest.raises(ValueError, match="offline"):
        present(bureau, text)


def test_a_phone_goes_on_with_the_holders_next_card(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=2)
    bureau.decide(CancelCard(person.card_id, CancelReason.REPLACED))
    again = reissued(bureau, person)
    assert again.holder_id == person.holder_id
    fetch(bureau, again, phone, day_ends(bureau.clock(), 2))
    assert states(bureau, phone) == {CredentialState.CANCELLED: 2, CredentialState.GOOD: 2}
    found = present(bureau, phone.show(bureau.clock()))
    assert isinstance(found, Presented)
    assert found.ecard_id == ecard_id(bureau, again)


def test_a_row_that_somebody_else_was_faster_with_is_a_conflict(bureau: Bureau) -> None:
    person = bureau.person()
    registered_phone(bureau, person, days=2)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    day = int(day_ends(bureau.clock(), 1)[0].timestamp())
    with bureau.store.write() as tx:
        rows = devices.to_be_listed(tx, 1, day, limit=10)
        assert len(rows) == 1
        other = update(device_credentials).where(device_credentials.c.id == rows[0].id)
        tx.connection.execute(other.values(version=rows[0].version + 1))
        with pytest.raises(StoreConflictError):
            devices.set_listed(tx, rows)


def test_what_is_past_is_swept(bureau: Bureau) -> None:
    phone = registered_phone(bureau, bureau.person(), days=3)
    publisher_of(bureau).round()
    bureau.clock.now = day_ends(bureau.clock(), 1)[0] + timedelta(days=2, seconds=-1)
    assert bureau.kernel.sweep()["device_credentials"] == 0
    bureau.clock.advance(2)
    swept = bureau.kernel.sweep()
    assert (swept["device_credentials"], swept["status_lists"]) == (1, 1)
    assert sum(states(bureau, phone).values()) == 2
