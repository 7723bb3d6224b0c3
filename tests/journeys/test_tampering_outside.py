"""Somebody has the database and not the keys: rows flipped by hand, and old rows put back.

Nobody is served by such a row, it is reported, and everybody else is served all the while.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from installation import Installation
from outside import Terminal
from running_service import until
from sqlalchemy import Engine, Table, delete, insert, select, update

from benchmarks.bench_scan.bureau import HOSPITAL
from card_core.kernel import Act
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.institutions import (
    DesignateInstitution,
    SuspendInstitution,
    SuspendTerminal,
)
from card_core.kernel.acts.operators import AddOperator, NewOperator, SuspendOperator
from card_core.sign_in import by_key, hash_password, sign_in_operator
from card_core.store import schema
from card_core.store.operators import Role
from crypto import sm2
from issuance.batches import new_request_id
from issuance.installation import random_bytes

REPORTED_SECONDS_MAX = 5.0
WATCHED_SECONDS = 1.0
PASSWORD = "hornbeam quay 7"


@dataclass
class Intruder:
    """Writes into the database past the product, and puts back everything at the end."""

    engine: Engine

    def row(self, table: Table, **where: Any) -> dict[str, Any]:
        (name, value), *_ = where.items()
        with self.engine.connect() as connection:
            found = connection.execute(select(table).where(table.c[name] == value)).one()
        return dict(found._mapping)

    def put(self, table: Table, row: dict[str, Any]) -> None:
        """This row, whatever is there now."""
        with self.engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == row["id"]).values(row))

    def put_anew(self, table: Table, row: dict[str, Any]) -> None:
        """A row that is gone."""
        with self.engine.begin() as connection:
            connection.execute(insert(table).values(row))

    def remove(self, table: Table, row: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(table).where(table.c.id == row["id"]))


@pytest.fixture
def intruder(embedded: Installation) -> Iterator[Intruder]:
    with embedded.database() as engine:
        yield Intruder(engine)


@pytest.fixture
def clinic(embedded: Installation) -> Terminal:
    """A terminal of a hospital of its own; named anew for each test."""
    code = f"H440604{int.from_bytes(os.urandom(4)) % 90000 + 10000}"
    embedded.decide(DesignateInstitution(code, "门诊部", "hospital", "440604"))
    return embedded.terminal(code)


def perform(embedded: Installation, act: Act) -> None:
    ground = embedded.ground
    ground.site.kernel.perform(act, actor=ground.staff["maker"], request_id=new_request_id())


def readiness(embedded: Installation) -> str:
    connection = embedded.connect()
    status = str(connection.ask("GET", "/readyz").body["status"])
    connection.close()
    return status


def reported(embedded: Installation, table: str, row_id: str) -> bool:
    """Whether the service's log names the row, and whoever watches /readyz learns of it."""
    told = f'"table": "{table}", "row_id": "{row_id}"'
    return told in embedded.service.log and readiness(embedded) == "attention"


@pytest.mark.parametrize("how", ["flipped", "put back"])
def test_a_lost_card_stays_lost_whatever_its_row_says(
    embedded: Installation, intruder: Intruder, how: str
) -> None:
    person, terminal, table = embedded.person(), embedded.hospital, schema.cards
    holder = embedded.sign_in(person)
    codes = [holder.code() for _ in range(3)]
    codes.append(holder.code(purpose_class="identify_only"))
    old = intruder.row(table, id=person.card_id)
    # Reported at the bureau: another process of the installation than the one that scans.
    perform(embedded, ReportTemporaryLoss(person.card_id))
    lost = intruder.row(table, id=person.card_id)
    assert until(lambda: terminal.scan(codes[0]).word == "card_lost", REPORTED_SECONDS_MAX)
    intruder.put(table, lost | {"state": old["state"]} if how == "flipped" else old)
    # When the service has read the log of the other process's act, nobody believes the row.
    minted = lambda: holder.post("/v1/holder/codes").status  # noqa: E731
    assert until(lambda: minted() == 500, REPORTED_SECONDS_MAX)
    for code in codes[1:]:
        answer = terminal.scan(code)
        assert (answer.status, answer.word) == (500, "internal_error")
    # Other people are served.
    other = embedded.sign_in(embedded.person())
    assert terminal.scan(other.code()).word == "accepted"
    assert until(lambda: reported(embedded, "cards", person.card_id), REPORTED_SECONDS_MAX)
    if how == "put back":
        # Its HMAC fits; the log of all acts does not.
        audit = embedded.sscard("audit", "verify")
        assert audit.returncode == 1
        assert person.card_id in audit.stderr
    intruder.put(table, lost)
    assert terminal.scan(codes[1]).word == "card_lost"
    assert until(lambda: readiness(embedded) == "ready", REPORTED_SECONDS_MAX)


@pytest.mark.parametrize("how", ["flipped", "put back"])
@pytest.mark.parametrize("what", ["institutions", "terminals"])
def test_who_was_suspended_stays_so_whatever_the_row_says(
    embedded: Installation, intruder: Intruder, clinic: Terminal, what: str, how: str
) -> None:
    serial = bytes.fromhex(clinic.serial)
    terminal = intruder.row(schema.terminals, serial_number=serial)
    institution = intruder.row(schema.institutions, id=terminal["institution_id"])
    table, old = {
        "institutions": (schema.institutions, institution),
        "terminals": (schema.terminals, terminal),
    }[what]
    act = SuspendInstitution(institution["code"]) if what == "institutions" else None
    assert clinic.ask("GET", "/v1/terminal").status == 200
    perform(embedded, act or SuspendTerminal(serial))
    suspended = intruder.row(table, id=old["id"])
    refusals = {"institution_suspended", "terminal_suspended"}
    assert until(lambda: clinic.ask("GET", "/v1/terminal").status == 403, REPORTED_SECONDS_MAX)
    intruder.put(table, suspended | {"state": old["state"]} if how == "flipped" else old)
    # For long enough that every row was read again, nothing is served.
    holder = embedded.sign_in(embedded.person())
    seen = set()
    watched = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < watched:
        answer = clinic.scan(holder.code())
        assert answer.status in {401, 403, 429}
        seen.add(answer.word)
    assert seen <= refusals | {"not_authenticated", "too_many_failures"}
    assert until(lambda: reported(embedded, what, old["id"]), REPORTED_SECONDS_MAX)
    assert embedded.hospital.scan(holder.code()).word == "accepted"
    intruder.put(table, suspended)
    assert until(lambda: readiness(embedded) == "ready", REPORTED_SECONDS_MAX)
    assert until(lambda: clinic.ask("GET", "/v1/terminal").word in refusals, REPORTED_SECONDS_MAX)


def test_an_operators_role_is_not_taken_from_a_flipped_row(
    embedded: Installation, intruder: Intruder
) -> None:
    """A maker who makes himself an administrator in the database loses what he had, too."""
    sound = intruder.row(schema.operators, name="maker")
    intruder.put(schema.operators, sound | {"roles": "administrator,checker,maker"})
    refused = embedded.sscard("operator", "suspend", "checker", operator="maker")
    assert refused.returncode == 1
    assert "数据完整性校验失败" in refused.stderr
    assert "integrity check" in refused.stderr
    intruder.put(schema.operators, sound)
    assert embedded.hospital.ask("GET", "/v1/terminal").status == 200


def test_a_suspended_operator_does_not_come_back_with_an_old_row(
    embedded: Installation, intruder: Intruder
) -> None:
    site = embedded.ground.site
    key = sm2.PrivateKey.generate()
    point = key.public_key().to_bytes(compressed=True)
    hashed = hash_password(PASSWORD, pepper=site.pepper, random_bytes=random_bytes)
    embedded.decide(AddOperator(NewOperator("zhao", "赵", frozenset({Role.MAKER}), hashed, point)))
    opened = sign_in_operator(site.kernel, "zhao", PASSWORD, by_key(key.sign), pepper=site.pepper)
    site.home.keep_session("zhao", opened.token)
    old = intruder.row(schema.operators, name="zhao")
    session = intruder.row(schema.sessions, subject_id=old["id"])
    embedded.decide(SuspendOperator("zhao"))
    suspended = intruder.row(schema.operators, name="zhao")
    intruder.put(schema.operators, old)
    intruder.put_anew(schema.sessions, session)
    refused = embedded.sscard("institution", "suspend", HOSPITAL, operator="zhao")
    assert refused.returncode == 1
    assert "integrity check" in refused.stderr
    intruder.put(schema.operators, suspended)
    intruder.remove(schema.sessions, session)
