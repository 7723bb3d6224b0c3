"""Lists as they are published: versions only grow, and what changed is in the next one."""

import threading
from datetime import timedelta

import pytest
from bureau import ISSUER, SYSTEM, Bureau
from carrying import (
    Holding,
    prepare,
    today,
)
from phone import day_ends, publisher_of, registered_phone, status_signer
from sqlalchemy import select, update

from card_core.errors import (
    InvalidActError,
    NotFoundError,
    TamperedRowError,
)
from card_core.kernel.acts import devices as device_acts
from card_core.kernel.acts import status as status_acts
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.cards import WithdrawTemporaryLoss as Withdraw
from card_core.kernel.acts.devices import RemoveDevice
from card_core.kernel.acts.status import (
    PublishStatusList,
)
from card_core.kernel.days import days_carried, end_of_day
from card_core.status_list import CredentialState
from card_core.status_publishing import StatusPublisher
from card_core.store import audit
from card_core.store.devices import Grade
from card_core.store.schema import device_credentials
from card_core.store.schema import status_lists as status_list_table
from scan_api.bundles.answers import CarriedAnswers


def test_the_next_list_says_what_happened_to_cards_and_phones(bureau: Bureau) -> None:
    people = bureau.people(4)
    phones = [registered_phone(bureau, person, days=2) for person in people]
    publisher = publisher_of(bureau)
    publisher.round()
    holding, tomorrow = Holding(bureau), Holding(bureau, day_ends(bureau.clock(), 2)[1])
    assert [holding.state(phone) for phone in phones] == [CredentialState.GOOD] * 4
    bureau.perform(ReportTemporaryLoss(people[0].card_id), people[0].actor)
    bureau.decide(CancelCard(people[1].card_id, CancelReason.DEATH))
    bureau.perform(RemoveDevice(phones[2].device_id), people[2].actor)
    assert publisher.round() == 2
    for list_of_day in (holding, tomorrow):
        assert [list_of_day.state(phone) for phone in phones] == [
            CredentialState.SUSPENDED,
            CredentialState.CANCELLED,
            CredentialState.WITHDRAWN,
            CredentialState.GOOD,
        ]
    bureau.perform(Withdraw(people[0].card_id), people[0].actor)
    publisher.round()
    assert holding.state(phones[0]) is CredentialState.GOOD
    assert holding.held is not None
    assert holding.held.statuses.listed == 2
    assert holding.held.head.version == 3
    # The first answer is the whole list, later ones are updates.
    assert holding.got[0] == 0x13
    assert set(holding.got[1:]) == {0x14}


def test_a_terminal_that_is_some_versions_behind_gets_one_update(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    publisher = publisher_of(bureau)
    publisher.round()
    behind, ahead = Holding(bureau), Holding(bureau)
    behind.fetch()
    for act in (ReportTemporaryLoss, Withdraw, ReportTemporaryLoss):
        bureau.perform(act(person.card_id), person.actor)
        publisher.round()
        ahead.fetch()
    assert behind.state(phone) is CredentialState.SUSPENDED
    assert behind.got == [0x13, 0x14]
    assert behind.held == ahead.held
    assert behind.held == Holding(bureau).fetch()


def test_who_is_too_far_behind_gets_the_whole_list(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_acts, "VERSIONS_KEPT", 2)
    person = bureau.person()
    registered_phone(bureau, person, days=1)
    publisher = publisher_of(bureau)
    publisher.round()
    near, far = Holding(bureau), Holding(bureau)
    far.fetch()
    for act in (ReportTemporaryLoss, Withdraw, ReportTemporaryLoss):
        near.fetch()
        bureau.perform(act(person.card_id), person.actor)
        publisher.round()
    assert (near.fetch(), near.got[-1]) == (far.fetch(), 0x14)
    assert far.got == [0x13, 0x13]
    with bureau.store.read() as tx:
        kept = tx.connection.execute(
            select(status_list_table.c.list_version, status_list_table.c.body)
            .where(status_list_table.c.day_ends_at == near.day)
            .order_by(status_list_table.c.list_version)
        ).all()
    assert [(row.list_version, row.body is None) for row in kept] == [(3, True), (4, False)]


def test_a_version_from_the_future_gets_the_whole_list(bureau: Bureau) -> None:
    publisher_of(bureau).round()
    answers = CarriedAnswers(bureau.store)
    day = int(today(bureau).timestamp())
    assert answers.status_list(ISSUER, day, 99).data == answers.status_list(ISSUER, day, None).data
    assert answers.status_list(ISSUER, day, 1).data[0] == 0x14
    for issuer, end in ((ISSUER, day + 1), (2, day)):
        with pytest.raises(NotFoundError):
            answers.status_list(issuer, end, None)


def test_what_is_kept_is_never_older_than_what_was_published(bureau: Bureau) -> None:
    answers, publisher = CarriedAnswers(bureau.store), publisher_of(bureau)
    with pytest.raises(NotFoundError):
        answers.bundle(ISSUER)
    day = int(today(bureau).timestamp())
    for version in (1, 2, 3):
        publisher.round()
        assert answers.bundle(ISSUER).version == version
        assert answers.status_list(ISSUER, day, None).version == version
        bureau.clock.advance(1800)


def test_what_did_not_change_is_issued_anew_before_it_is_stale(bureau: Bureau) -> None:
    publisher, holding = publisher_of(bureau), Holding(bureau)
    assert publisher.round() == 3  # today's list, tomorrow's, the bundle
    first = holding.fetch()
    for _ in range(9):
        bureau.clock.advance(15)
        assert publisher.round() == 0
    bureau.clock.advance(15)
    assert publisher.round() == 2
    second = holding.fetch()
    assert (second.head.version, second.head.digest) == (2, first.head.digest)
    assert second.head.issued_at - first.head.issued_at == timedelta(seconds=150)
    assert holding.got == [0x13, 0x14]


def test_many_changes_go_out_in_several_versions_of_one_round(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_acts, "CHANGES_MAX", 2)
    publisher = publisher_of(bureau)
    publisher.round()
    people = bureau.people(5)
    phones = [registered_phone(bureau, person, days=1) for person in people]
    for person in people:
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert publisher.round() == 3
    holding = Holding(bureau)
    assert [holding.state(phone) for phone in phones] == [CredentialState.SUSPENDED] * 5
    assert holding.fetch().head.version == 4


def test_lists_compare_in_full_with_the_rows(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_acts, "POSITIONS", 64)
    monkeypatch.setattr(status_acts, "POSITIONS", 64)
    publisher, people = publisher_of(bureau), bureau.people(6)
    phones = [registered_phone(bureau, one, Grade.BROWSER, days=2) for one in people]
    holding = Holding(bureau)
    for person, phone in zip(people[::2], phones[1::2], strict=True):
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        bureau.perform(RemoveDevice(phone.device_id), bureau.maker)
        publisher.round()
        held = holding.fetch()
        with bureau.store.read() as tx:
            rows = tx.connection.execute(
                select(device_credentials).where(device_credentials.c.expires_at == holding.day)
            ).all()
        expected = [0] * 64
        for row in rows:
            expected[row.status_index] = row.state
        assert [held.state(index) for index in range(64)] == expected
    assert sorted(expected)[-6:] == [1, 1, 1, 3, 3, 3]


def test_versions_never_fall_with_several_workers(bureau: Bureau) -> None:
    people = bureau.people(6)
    phones = [registered_phone(bureau, person, days=1) for person in people]
    publishers = [publisher_of(bureau) for _ in range(3)]
    stop, faults = threading.Event(), []

    def work(publisher: StatusPublisher) -> None:
        try:
            while not stop.is_set():
                publisher.round()
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in publishers]
    publishers[0].round()
    for thread in threads:
        thread.start()
    holding = Holding(bureau)
    versions = [holding.fetch().head.version]
    for person in people:
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        versions.append(holding.fetch().head.version)
    stop.set()
    for thread in threads:
        thread.join()
    publishers[0].round()
    assert faults == []
    # `open_list` itself refuses a version that falls.
    assert versions == sorted(versions)
    assert [holding.state(phone) for phone in phones] == [CredentialState.SUSPENDED] * 6
    assert holding.fetch() == Holding(bureau).fetch()
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


def test_what_was_prepared_and_not_signed_is_signed_by_the_next(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    publisher, holding = publisher_of(bureau), Holding(bureau)
    publisher.round()
    holding.fetch()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    version, prepared = prepare(bureau)
    # Nobody sees it before it is signed, and whoever comes next signs the very same.
    assert holding.fetch().head.version == version - 1
    assert prepare(bureau) == (version, prepared)
    publisher.round()
    assert holding.state(phone) is CredentialState.SUSPENDED
    assert holding.fetch().head.to_be_signed() == prepared


def test_a_signature_that_does_not_hold_is_not_published(bureau: Bureau) -> None:
    version, prepared = prepare(bureau)
    good = status_signer(bureau).sign(prepared)
    for wrong in (bytes(64), bureau.keys.code_signing.sign(prepared), good[:32] + bytes(32)):
        with pytest.raises(InvalidActError):
            bureau.perform(PublishStatusList(ISSUER, today(bureau), version, wrong), SYSTEM)
    with pytest.raises(NotFoundError):
        bureau.perform(PublishStatusList(ISSUER, today(bureau), version + 1, good), SYSTEM)
    bureau.perform(PublishStatusList(ISSUER, today(bureau), version, good), SYSTEM)
    # Signed once, it stays as it is.
    bureau.perform(PublishStatusList(ISSUER, today(bureau), version, bytes(64)), SYSTEM)
    assert Holding(bureau).fetch().signature == good


def test_a_credential_unlisted_in_the_database_stops_the_list(bureau: Bureau) -> None:
    person = bureau.person()
    registered_phone(bureau, person, days=1)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    with bureau.store.write() as tx:
        tx.connection.execute(update(device_credentials).values(state=3))
    with pytest.raises(TamperedRowError):
        publisher_of(bureau).round()


def test_a_clock_that_was_set_back_makes_no_older_list(bureau: Bureau) -> None:
    publisher, holding = publisher_of(bureau), Holding(bureau)
    publisher.round()
    issued_at = holding.fetch().head.issued_at
    bureau.clock.advance(-3600)
    person = bureau.person()
    registered_phone(bureau, person, days=1)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    publisher.round()
    assert holding.fetch().head.version == 2
    assert holding.fetch().head.issued_at == issued_at


def test_the_days_carried_are_today_and_near_midnight_a_neighbour(bureau: Bureau) -> None:
    midnight = today(bureau)
    day = timedelta(days=1)
    for at, expected in (
        (timedelta(seconds=-1), [midnight, midnight + day]),
        (timedelta(hours=-6), [midnight, midnight + day]),
        (timedelta(hours=-6, seconds=-1), [midnight]),
        (timedelta(0), [midnight, midnight + day]),
        (timedelta(minutes=10, seconds=-1), [midnight, midnight + day]),
        (timedelta(minutes=10), [midnight + day]),
    ):
        assert days_carried(midnight + at) == expected, at
    assert end_of_day(midnight) == midnight + day
