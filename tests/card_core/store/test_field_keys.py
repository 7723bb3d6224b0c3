"""Rotation of the field key while the service works: nothing is lost, and the old key may go."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, SYSTEM, Bureau
from field_versions import KEYS, cipher_with, kernel_on, opened, versions_at_rest

from card_core.errors import (
    FieldKeyDiffersError,
    FieldKeyInUseError,
    InvalidActError,
    NotFoundError,
    TamperedRowError,
    TooEarlyError,
    WrongStateError,
)
from card_core.field_resealing import FieldResealer
from card_core.kernel.acts.field_keys import (
    DESTROY_AFTER,
    RESEAL_AFTER,
    ActivateFieldKey,
    DestroyFieldKey,
    ResealFields,
)
from card_core.kernel.acts.holder_base import CorrectHolder, HolderEvidence, seen_digest
from card_core.sign_in import entering, sign_in_holder
from card_core.store import FieldCipher, Store, audit, field_keys, holders, open_store, operators
from card_core.store import scans as stored_scans
from card_core.store.cipher import table_key
from card_core.store.database import FIELD_KEY_AGE_SECONDS
from card_core.store.schema import metadata

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
LOCKED_DAYS = timedelta(hours=25)


class Ticks:
    """A monotonic clock that is told to move on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """In the place of the usual one: with three versions of the key at hand."""
    made = open_store(database_url, cipher=cipher_with())
    yield made
    made.close()


def check_value(version: int) -> bytes:
    return cipher_with().check_value(version)


def activate(bureau: Bureau, version: int = 2) -> None:
    bureau.decide(ActivateFieldKey(version, check_value(version)), bureau.administrator)
    bureau.store._field_key_known_at = float("-inf")


def reseal_all(bureau: Bureau) -> int:
    bureau.clock.advance(RESEAL_AFTER.total_seconds())
    total, resealer = 0, FieldResealer(bureau.kernel)
    while done := resealer.round():
        total += done
    return total


def people_of(store: Store, ids: list[str]) -> list[Any]:
    with store.read() as tx:
        return [holders.get(tx, one) for one in ids]


def test_a_whole_rotation(bureau: Bureau, database_url: str) -> None:
    people = bureau.people(3)
    ids = [person.holder_id for person in people]
    code = bureau.minter.mint(people[0].holder_id).text
    scan_id = bureau.scan(code, operator="0042", department="till 3")["scan_id"]
    before = people_of(bureau.store, ids)
    activate(bureau)
    # What is there opens; what is new is under the second version.
    assert people_of(bureau.store, ids) == before
    new = bureau._new_people(1)[0]
    assert versions_at_rest(bureau.store)["holders.name"] == {1, 2}
    with pytest.raises(TooEarlyError):
        bureau.perform(ResealFields("holders"), SYSTEM)
    assert FieldResealer(bureau.kernel).round() == 0
    assert reseal_all(bureau) > 10
    bureau.clock.advance(LOCKED_DAYS.total_seconds())
    bureau.kernel.sweep()
    bureau.decide(DestroyFieldKey(1), bureau.administrator)
    assert {one for numbers in versions_at_rest(bureau.store).values() for one in numbers} == {
        1,
        2,
    }
    at_rest = versions_at_rest(bureau.store)
    assert at_rest.pop("scans.operator") == at_rest.pop("scans.department") == {1}
    assert set().union(*at_rest.values()) == {2}
    # With the first version gone for good, and the key of the one table that is never rewritten.
    tables = {(1, "scans"): table_key(KEYS[1], "scans")}
    with opened(database_url, bureau.clock, cipher_with({2: KEYS[2]}, tables)) as kernel:
        assert people_of(kernel.store, ids) == before
        assert people_of(kernel.store, [new.holder_id])[0].name == new.name
        with kernel.store.read() as tx:
            for chain in audit.CHAINS:
                audit.verify_chain(tx, chain)
            audit.verify_rows(tx)
            audit.verify_scans(tx)
            found = stored_scans.get(tx, scan_id)
            assert found is not None
            assert (found.operator, found.department) == ("0042", "till 3")
            assert operators.get(tx, bureau.maker.id) is not None


def test_a_right_password_is_right_while_its_row_is_sealed_anew(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    real, sealed = entering.passwords.matches, []

    def slow(*given: Any) -> bool:
        """Takes as long as a rotation."""
        activate(bureau)
        sealed.append(reseal_all(bureau))
        return real(*given)

    monkeypatch.setattr(entering.passwords, "matches", slow)
    signed_in = sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=PEPPER)
    assert signed_in.actor.id == person.holder_id
    assert sealed[0] > 0


def test_a_version_in_use_is_not_destroyed(bureau: Bureau) -> None:
    destroy = DestroyFieldKey(1)
    with pytest.raises(NotFoundError):
        bureau.decide(destroy, bureau.administrator)
    activate(bureau)
    with pytest.raises(TooEarlyError):
        bureau.decide(destroy, bureau.administrator)
    with pytest.raises(WrongStateError):
        bureau.decide(DestroyFieldKey(2), bureau.administrator)
    bureau.clock.advance(DESTROY_AFTER.total_seconds())
    with pytest.raises(FieldKeyInUseError) as seen:
        bureau.decide(destroy, bureau.administrator)
    assert seen.value.table == "holders"
    reseal_all(bureau)
    with pytest.raises(FieldKeyInUseError) as seen:
        bureau.decide(destroy, bureau.administrator)
    assert seen.value.table == "answers"
    # Nor is another version begun, while one is on its way out.
    with pytest.raises(WrongStateError):
        activate(bureau, 3)


def test_another_key_of_the_version_seals_nothing(bureau: Bureau, database_url: str) -> None:
    for act in (ActivateFieldKey(3, check_value(3)), ActivateFieldKey(2, check_value(3))):
        with pytest.raises(InvalidActError):
            bureau.decide(act, bureau.administrator)
    activate(bureau)
    person = bureau._new_people(1)[0]
    # Of machines that never got the key's file, or have one of their own.
    for cipher in (cipher_with({1: KEYS[1]}), cipher_with({1: KEYS[1], 2: KEYS[3]})):
        with opened(database_url, bureau.clock, cipher) as kernel:
            with pytest.raises(FieldKeyDiffersError), kernel.store.write():
                pytest.fail("it began to write")
            with kernel.store.read() as tx, pytest.raises(TamperedRowError):
                holders.get(tx, person.holder_id)


def test_a_process_follows_within_its_two_seconds(bureau: Bureau, database_url: str) -> None:
    ticks, cipher = Ticks(), cipher_with()
    made = open_store(database_url, cipher=cipher)
    late = Store(made._engine, cipher, monotonic=ticks)
    with late.write() as tx:
        assert sealed_under(tx.cipher) == 1
    activate(bureau)
    ticks.now += FIELD_KEY_AGE_SECONDS - 0.1
    with late.write() as tx:
        assert sealed_under(tx.cipher) == 1
    ticks.now += 0.1
    with late.write() as tx:
        assert sealed_under(tx.cipher) == 2
    made.close()


def sealed_under(cipher: FieldCipher) -> int:
    return cipher.seal("holders", "name", "x", b"x")[0]


def test_what_a_late_process_wrote_is_found_and_sealed_anew(
    bureau: Bureau, database_url: str
) -> None:
    activate(bureau)
    reseal_all(bureau)
    with opened(database_url, bureau.clock) as late:
        person = bureau.person()
        with late.store.write() as tx:
            tx.cipher.seal_under(1)
            act = {"name": tx.cipher.seal("holders", "name", person.holder_id, b"late")}
            table = holders.table
            tx.connection.execute(table.update().where(table.c.id == person.holder_id).values(act))
    assert versions_at_rest(bureau.store)["holders.name"] == {1, 2}
    resealer = FieldResealer(bureau.kernel)
    while resealer.round():
        continue
    assert versions_at_rest(bureau.store)["holders.name"] == {2}


@pytest.mark.parametrize(
    ("people", "stride", "kills_least"),
    [(4, 5, 5), pytest.param(100, 1, 100, marks=pytest.mark.long)],
)
def test_killed_anywhere_it_goes_on_while_others_work(
    bureau: Bureau, database_url: str, people: int, stride: int, kills_least: int
) -> None:
    known = bureau.people(people)
    ids = [person.holder_id for person in known]
    before = people_of(bureau.store, ids)
    activate(bureau)
    bureau.clock.advance(RESEAL_AFTER.total_seconds())
    process = subprocess.Popen(
        [
            sys.executable,
            HERE / "killed_resealer.py",
            database_url,
            str(int(bureau.clock().timestamp()) + 1),
            str(stride),
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    # The service goes on: people are served, and a name is corrected while its row is on its way.
    corrected = 0
    while process.poll() is None:
        one = known[corrected % len(known)]
        name = f"更正{chr(0x4E00 + corrected)}"
        with bureau.store.read() as tx:
            seen = seen_digest(tx, holders.get(tx, one.holder_id))
        evidence = HolderEvidence.POLICE_CERTIFICATE
        bureau.decide(CorrectHolder(one.holder_id, name, None, evidence, seen))
        assert bureau.scan(bureau.minter.mint(one.holder_id).text)["outcome"] == "accepted"
        assert people_of(bureau.store, [one.holder_id])[0].name == name
        corrected += 1
    assert corrected > 0
    outcome = json.loads(process.stdout.read()) if process.stdout else {}
    assert outcome["status"] == 0
    assert outcome["kills"] >= kills_least
    found = versions_at_rest(bureau.store)
    assert set().union(*(found[f"holders.{column}"] for column in ("name", "phone"))) == {2}
    after = people_of(bureau.store, ids)
    assert [one.phone for one in after] == [one.phone for one in before]
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


def test_every_sealed_column_has_its_way(bureau: Bureau) -> None:
    """The schema's own remarks are the list: a column that is sealed and not named would keep the
    old key alive for ever, or die with it."""
    told = set()
    for path in (ROOT / "card_core/store/schema").glob("*.py"):
        table = ""
        for line in path.read_text().splitlines():
            if found := re.fullmatch(r'    "(\w+)",', line):
                table = found[1] if found[1] in metadata.tables else table
            if found := re.match(r'    Column\("(\w+)".*# (?:sealed|.*: sealed)', line):
                told.add((table, found[1]))
    every = {**field_keys.RESEALED, **field_keys.EXPIRING, **field_keys.KEPT}
    named = {(str(table.name), column) for table, columns in every.items() for column in columns}
    assert told == named
    assert kernel_on(bureau.store, bureau.clock)
