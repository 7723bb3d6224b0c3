"""Any change of a row that decides, made past the kernel, is seen before anything relies on it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from bureau import SYSTEM, Bureau, sign_in_as, terminal_actor
from card_making import card_issuer
from filing import bound, ward_of
from holder_records import correction
from phone import publisher_of, registered_phone
from sqlalchemy import Table, select, update
from trusting import document, entry, pin, take

from card_core.card_policy import CardNumberKept
from card_core.errors import SignInRefusedError, StoreConflictError, TamperedRowError
from card_core.kernel.acts.at_once import ReceiveBlanks
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.acts.epochs import CloseEpoch
from card_core.kernel.acts.families import ShowWard
from card_core.kernel.acts.offline_scans import RecordOfflineScans, Uploaded
from card_core.kernel.acts.printed_codes import PrintCode
from card_core.kernel.acts.retention import SetRetentionPolicy
from card_core.kernel.acts.reversals import ReverseScan
from card_core.kernel.acts.status import SetOfflinePolicy
from card_core.service_channels import ChannelKind
from card_core.store import field_keys, guarded, person_checks, restores
from card_core.store.field_keys import FieldKey, FieldKeyState
from card_core.store.person_checks import CheckPurpose, Claim, PersonCheck
from card_core.store.reversals import ReversalKind
from card_core.store.schema import GUARDED, cards, issuer_keys, issuers, sessions, sign_in_attempts
from crypto import sm2


def other_value(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1000  # no other row has it
        case str():
            return value[:-1] + ("x" if value[-1:] != "x" else "y")
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value + timedelta(days=1)
    raise TypeError(type(value))


@pytest.fixture
def full(bureau: Bureau) -> Bureau:
    """A bureau with a row in every table whose rows decide."""
    bureau.kernel.propose(
        CancelCard(bureau.person().card_id, CancelReason.DEATH), actor=bureau.maker, request_id="r"
    )
    sign_in_as(bureau.kernel, "maker")
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, "maker", "wrong")
    pin(bureau)
    take(bureau, document(bureau.clock(), entry()))
    registered_phone(bureau, bureau.person(), days=1)
    bureau.decide(SetOfflinePolicy(consumes=True, count_max=1, amount_fen_max=1), bureau.deputy)
    bureau.decide(SetCardPolicy(5, True, CardNumberKept.SAME, CardNumberKept.NEW), bureau.deputy)
    bureau.decide(correction(bureau, bureau.person().holder_id, name="新名"))
    bureau.decide(SetRetentionPolicy(3650, 365, 730), bureau.deputy)
    publisher_of(bureau).round()
    bureau.perform(CloseEpoch(0, 1, "first"), SYSTEM)
    text = bureau.minter.mint(bureau.person().holder_id).text
    scan = bureau.scan(text, bureau.pharmacy, "02121", amount_fen=5)
    undo = ReverseScan(scan["scan_id"], ReversalKind.REFUND, 1)
    bureau.perform(undo, terminal_actor(bureau.pharmacy))
    bureau.scan(bureau.minter.mint(bureau.person().holder_id).text)  # opens a visit
    take_twice_offline(bureau)
    card_issuer(bureau).ordered_batch(1)
    mother = bureau.person()
    bureau.perform(ShowWard(bound(bureau, ward_of(bureau, mother), mother)), mother.actor)
    bureau.decide(ReceiveBlanks("440604001", 1))
    print_a_code(bureau)
    with bureau.store.write() as tx:
        claim = Claim(mother.number, mother.name, "")
        now = bureau.clock()
        check = PersonCheck("0" * 64, CheckPurpose.NEW_PASSWORD, claim, "1", "simulated", now, now)
        person_checks.add(tx, replace(check, holder_id=mother.holder_id))
        check_value = tx.cipher.check_value(1)
        field_keys.add(tx, FieldKey(1, FieldKeyState.ACTIVE, check_value, now))
        restores.add(tx, now, now)
    return bureau


def print_a_code(bureau: Bureau) -> None:
    key = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    kiosk = bureau.enrol((0xC1).to_bytes(8), "H44060400001", key, channel=ChannelKind.KIOSK)
    holder = replace(bureau.person().actor, channel_id=kiosk.id)
    bureau.perform(PrintCode("0" * 64), holder)


def take_twice_offline(bureau: Bureau) -> None:
    """One code in two records of a terminal."""
    text = bureau.minter.mint(bureau.person().holder_id).text
    asked = bureau.scan_request(text)
    checked = bureau.checked(text, bureau.hospital, "01101")
    records = tuple(
        Uploaded(
            f"r{number}",
            number,
            bureau.clock(),
            "01101",
            100,
            asked.shown_digest,
            bytes(64),
            is_genuine=True,
            checked=checked,
            presented=asked.presented,
        )
        for number in (1, 2)
    )
    bureau.perform(RecordOfflineScans(records), terminal_actor(bureau.hospital))


def test_any_changed_column_of_any_row_that_decides_is_seen(full: Bureau) -> None:
    changed = 0
    for table in sorted(GUARDED, key=lambda one: one.name):
        with full.store.read() as tx:
            row = tx.connection.execute(select(table)).first()
            assert row is not None, table.name
            values = dict(row._mapping)
        for column, value in values.items():
            if value is None or column == "id":
                continue
            try:
                with full.store.write() as tx:
                    set_column(tx, table, values["id"], column, other_value(value))
            except StoreConflictError:
                assert table.c[column].foreign_keys, (
                    "the database itself refuses a broken reference"
                )
                continue
            with full.store.read() as tx, pytest.raises(TamperedRowError) as seen:
                guarded.get(tx, table, values["id"])
            assert seen.value.table == table.name
            with full.store.write() as tx:
                set_column(tx, table, values["id"], column, value)
                assert guarded.get(tx, table, values["id"]) is not None
            changed += 1
    assert changed > 60


def set_column(tx: Any, table: Table, row_id: Any, column: str, value: Any) -> None:
    tx.connection.execute(update(table).where(table.c.id == row_id).values({column: value}))


def test_a_row_renamed_to_another_id_is_seen(bureau: Bureau) -> None:
    sign_in_as(bureau.kernel, "maker")
    with bureau.store.write() as tx:
        tx.connection.execute(update(sessions).values(id="f" * 64))
        with pytest.raises(TamperedRowError):
            guarded.get(tx, sessions, "f" * 64)


def test_a_mac_of_another_row_does_not_fit(bureau: Bureau) -> None:
    with bureau.store.write() as tx:
        one, other = tx.connection.execute(select(cards).limit(2)).all()
        set_column(tx, cards, one.id, "mac", other.mac)
        with pytest.raises(TamperedRowError):
            guarded.get(tx, cards, one.id)


def test_a_lock_count_reset_in_the_database_is_seen(bureau: Bureau) -> None:
    with pytest.raises(SignInRefusedError):
        sign_in_as(bureau.kernel, "maker", "wrong")
    with bureau.store.write() as tx:
        tx.connection.execute(update(sign_in_attempts).values(failures=0))
    with pytest.raises(TamperedRowError):
        sign_in_as(bureau.kernel, "maker")


def test_a_change_counts_the_version_up(bureau: Bureau) -> None:
    with bureau.store.write() as tx:
        before = guarded.get(tx, issuers, "1")
        assert before is not None
        version = guarded.change(tx, issuers, "1", name="另一名称")
        after = guarded.get(tx, issuers, "1")
    assert after is not None
    assert version == before.version + 1 == after.version
    assert after.name == "另一名称"
    assert tx.changed == [("issuers", "1", version)]


def test_a_row_that_is_gone_is_not_changed(bureau: Bureau) -> None:
    with bureau.store.write() as tx, pytest.raises(StoreConflictError):
        guarded.change(tx, issuers, "2", name="无")


def test_adding_a_row_that_is_there_does_nothing(bureau: Bureau) -> None:
    with bureau.store.write() as tx:
        row = tx.connection.execute(select(issuers)).one()
        assert not guarded.add_if_absent(tx, issuers, dict(row._mapping) | {"name": "无"})
        assert tx.connection.execute(select(issuers)).one() == row


def test_only_a_transaction_that_writes_locks(bureau: Bureau) -> None:
    with bureau.store.read() as tx, pytest.raises(TypeError):
        guarded.get(tx, issuers, "1", guarded.Lock.OWN)


def test_a_key_exchanged_in_the_database_is_not_trusted(bureau: Bureau) -> None:
    strange = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    with bureau.store.write() as tx:
        tx.connection.execute(update(issuer_keys).values(public_key=strange))
    with pytest.raises(TamperedRowError):
        bureau.ring()
