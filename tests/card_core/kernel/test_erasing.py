"""What is past its time goes, what others rely on stays, and the audit log stays whole."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bureau import (
    HOLDER_PASSWORD,
    PEPPER,
    SYSTEM,
    Bureau,
    Person,
    make_application,
    make_number,
)
from filing import bound, file, newcomer, ward_of
from holder_records import cancel, correction, make_twice, merge_act
from servers.databases import PEOPLE, Databases, SQLiteDatabases
from servers.postgresql import PostgreSQLServer
from sqlalchemy import Table, func, select
from stock import make_stock_card, released, take_over

from card_core.applying import FilingEvidence
from card_core.erasing import Eraser
from card_core.errors import (
    CardCoreError,
    InvalidActError,
    NotFoundError,
    RecordMergedError,
    SignInRefusedError,
)
from card_core.holder_errors import NotErasableError
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.families import ShowWard
from card_core.kernel.acts.filings import RefusalReason, RefuseFiling
from card_core.kernel.acts.guardians import BindGuardian
from card_core.kernel.acts.holder_exports import ExportHolder
from card_core.kernel.acts.retention import (
    EraseHolder,
    EraseLapsedHolder,
    ForgetApprovals,
    ForgetRefused,
    SetRetentionPolicy,
)
from card_core.retention_policy import ON_REQUEST_DAYS, RetentionPolicy
from card_core.sign_in import sign_in_holder
from card_core.states import BindingState, CardState
from card_core.store import (
    Store,
    approvals,
    audit,
    cards,
    credentials,
    family_members,
    guardianships,
    holder_base,
    holders,
    makings,
    retention_policies,
    stock_cards,
)
from card_core.store.credentials import SubjectKind
from card_core.store.holder_trace import trace_of
from card_core.store.makings import Chip
from card_core.store.schema import applications, metadata
from card_core.store.schema import approvals as approvals_table
from card_core.store.schema import holders as holders_table

DAY = 86_400
HALF_A_YEAR = ON_REQUEST_DAYS * DAY


def is_sound(bureau: Bureau) -> None:
    """As `sscard audit verify` looks."""
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
        audit.verify_scans(tx)


def number_index_of(bureau: Bureau, number: str) -> bytes:
    return bureau.store.cipher.blind_index("social_security_number", number)


def sealed_values(bureau: Bureau, person: Person) -> set[bytes]:
    """What leads to the person in any row of any table: sealed fields and blind indexes."""
    found = {number_index_of(bureau, person.number)}
    with bureau.store.read() as tx:
        row = tx.connection.execute(
            select(holders_table).where(holders_table.c.id == person.holder_id)
        ).one()
        found |= {value for value in row if isinstance(value, bytes)}
        found |= {
            content
            for content, index in tx.connection.execute(
                select(applications.c.content, applications.c.number_index)
            )
            if index in found
        }
    return found


def rows_with(bureau: Bureau, values: set[bytes]) -> list[str]:
    """The tables in which one of these values stands."""
    with bureau.store.read() as tx:
        return [
            table.name
            for table in metadata.sorted_tables
            for row in tx.connection.execute(select(table))
            if any(
                isinstance(value, bytes | memoryview) and bytes(value) in values for value in row
            )
        ]


def words_in(bureau: Bureau, words: list[str]) -> list[str]:
    """The tables in which one of these words can be read by whoever has the keys."""
    found = []
    with bureau.store.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.connection.execute(select(table)).mappings():
                for column, value in row.items():
                    text = opened(tx, table, column, row, value)
                    if any(word in text for word in words):
                        found.append(f"{table.name}.{column}")
    return found


def opened(tx: Any, table: Table, column: str, row: Any, value: Any) -> str:
    if isinstance(value, bytes | memoryview) and "id" in row:
        try:
            return str(tx.cipher.open(table.name, column, str(row["id"]), bytes(value)).decode())
        except (CardCoreError, UnicodeDecodeError):
            return ""
    return str(value)


def test_nothing_leads_to_an_erased_person_and_the_log_stays_whole(bureau: Bureau) -> None:
    person, other = bureau.people(2)
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    bureau.decide(correction(bureau, person.holder_id, name="金丝雀"))
    bureau.decide(correction(bureau, person.holder_id, serial=424242))
    new_number = make_number(424242).text
    values = sealed_values(bureau, replace(person, number=new_number))
    values |= sealed_values(bureau, person)
    with bureau.store.read() as tx:
        record = holders.get(tx, person.holder_id)
    assert record is not None
    words = [person.number, new_number, person.name, "金丝雀", record.phone, record.address]
    assert set(words_in(bureau, words)) >= {"holders.name", "holder_changes.content"}
    cancel(bureau, person)
    bureau.clock.advance(HALF_A_YEAR)
    answer = bureau.decide(EraseHolder(person.holder_id))
    assert (answer["records"], answer["changes"], answer["approvals"]) == (1, 2, 2)
    assert (answer["applications"], answer["makings"]) == (1, 1)
    assert rows_with(bureau, values) == []
    assert words_in(bureau, words) == []
    is_sound(bureau)
    with bureau.store.read() as tx:
        for number in (person.number, new_number):
            assert holders.find_id_by_number(tx, number) is None
        trace = trace_of(tx, person.holder_id)
        # What was scanned and the card's own number stay, with nobody behind them.
        assert (len(trace.scans), len(trace.cards)) == (1, 1)
        standing = {one.id for one in holder_base.page(tx)}
        kept = holders.identity_of(tx, other.holder_id)
    assert person.holder_id not in standing
    assert (kept.name, kept.social_security_number) == (other.name, other.number)
    with pytest.raises(SignInRefusedError):
        sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=PEPPER)
    with pytest.raises(NotFoundError):
        bureau.perform(ExportHolder(person.holder_id), bureau.maker)
    for again in (
        EraseHolder(person.holder_id),
        correction(bureau, person.holder_id, name="再来"),
        merge_act(bureau, other.holder_id, person.holder_id),
        BindGuardian(other.holder_id, person.holder_id, FilingEvidence.HOUSEHOLD_REGISTER, "户 1"),
    ):
        with pytest.raises(NotFoundError):
            bureau.decide(again)


def test_what_bank_maker_and_stock_said_goes_too_and_the_password(bureau: Bureau) -> None:
    person = bureau.person()
    # Four digits alone stand in many a digest.
    code, account = "440604D15600000500000001", "ending 8642"
    with bureau.store.write() as tx:
        making = makings.get(tx, person.card_id)
        assert making is not None
        chip = makings.sealed_chip(tx, person.card_id, Chip(code, "0" * 26))
        sealed = makings.sealed_account(tx, person.card_id, account)
        makings.change(tx, making, account=sealed, **chip)
    stock = make_stock_card(1, state=CardState.CANCELLED)
    take_over(bureau, released(bureau, stock))
    cancel(bureau, person)
    bureau.clock.advance(HALF_A_YEAR)
    words = [code, account, stock.name, stock.identification_code, stock.phone]
    assert set(words_in(bureau, words)) >= {
        "makings.chip",
        "makings.account",
        "stock_cards.content",
    }
    indexes = {code_index_of(bureau.store, one) for one in (code, stock.identification_code)}
    assert sorted(rows_with(bureau, indexes)) == ["makings", "stock_cards"]
    with bureau.store.read() as tx:
        from_stock = holders.find_id_by_number(tx, stock.number.text)
        assert credentials.get(tx, SubjectKind.HOLDER, person.holder_id) is not None
    assert from_stock is not None
    for holder_id in (person.holder_id, from_stock):
        bureau.decide(EraseHolder(holder_id))
    assert words_in(bureau, words) == []
    assert rows_with(bureau, indexes) == []
    with bureau.store.read() as tx:
        assert credentials.get(tx, SubjectKind.HOLDER, person.holder_id) is None
    is_sound(bureau)


def code_index_of(store: Store, code: str) -> bytes:
    with store.read() as tx:
        return stock_cards.code_index_of(tx, code)


def test_an_application_by_itself_and_a_childs_family_go_with_the_child(bureau: Bureau) -> None:
    guardian = bureau.person()
    ward = ward_of(bureau, guardian)
    guardianship_id = bound(bureau, ward, guardian)
    shown = bureau.perform(ShowWard(guardianship_id), guardian.actor)
    member_id = shown["family_member_id"]
    words = [ward.name, ward.number, "户 1", "户 440604-1"]
    assert set(words_in(bureau, words)) >= {
        "filings.content",
        "filings.evidence_reference",
        "guardianships.evidence_reference",
    }
    cancel(bureau, ward)
    bureau.clock.advance(HALF_A_YEAR)
    answer = bureau.decide(EraseHolder(ward.holder_id))
    assert (answer["filings"], answer["guardianships"]) == (1, 1)
    assert words_in(bureau, words) == []
    assert rows_with(bureau, {number_index_of(bureau, ward.number)}) == []
    with bureau.store.read() as tx:
        guardianship = guardianships.get(tx, guardianship_id)
        member = family_members.get(tx, member_id)
    assert guardianship is not None
    assert member is not None
    assert (guardianship.state, member.state) == (BindingState.ENDED, BindingState.ENDED)
    is_sound(bureau)


def test_a_person_is_erased_with_the_records_that_were_merged(bureau: Bureau) -> None:
    twice = make_twice(bureau)
    values = sealed_values(bureau, twice.gone) | sealed_values(bureau, twice.stays)
    bureau.decide(merge_act(bureau, twice.stays.holder_id, twice.gone.holder_id))
    cancel(bureau, twice.stays)
    bureau.clock.advance(HALF_A_YEAR)
    with pytest.raises(RecordMergedError):
        bureau.decide(EraseHolder(twice.gone.holder_id))
    assert bureau.decide(EraseHolder(twice.stays.holder_id))["records"] == 2
    assert rows_with(bureau, values) == []
    assert words_in(bureau, [twice.gone.name, twice.gone.number, twice.stays.number]) == []
    is_sound(bureau)


def test_a_person_applies_again_as_somebody_new(bureau: Bureau) -> None:
    person = bureau.people(PEOPLE + 1)[-1]
    cancel(bureau, person)
    bureau.clock.advance(HALF_A_YEAR)
    bureau.decide(EraseHolder(person.holder_id))
    again = make_application(1_000_000)
    assert again.number.text == person.number
    imported = bureau.import_roster((again,))
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        holder_id = holders.find_id_by_number(tx, person.number)
        (card,) = cards.page(tx, batch_id=imported["batch_id"])
    assert card.holder_id == holder_id != person.holder_id
    is_sound(bureau)


@pytest.mark.parametrize("seconds", [0, HALF_A_YEAR - DAY])
def test_not_before_its_time(bureau: Bureau, seconds: int) -> None:
    person = bureau.person()
    cancel(bureau, person)
    bureau.clock.advance(seconds)
    with pytest.raises(NotErasableError) as refused:
        bureau.decide(EraseHolder(person.holder_id))
    assert refused.value.code == "too_early"


def test_not_while_anything_is_under_way(bureau: Bureau) -> None:
    person = bureau.person()
    with pytest.raises(NotErasableError) as refused:
        bureau.decide(EraseHolder(person.holder_id))
    assert refused.value.code == "card_not_cancelled"
    bureau.kernel.propose(
        correction(bureau, person.holder_id, name="金丝雀"),
        actor=bureau.maker,
        request_id=bureau.request_id(),
    )
    cancel(bureau, person)
    bureau.clock.advance(HALF_A_YEAR)
    with pytest.raises(NotErasableError) as refused:
        bureau.decide(EraseHolder(person.holder_id))
    assert refused.value.code == "approval_pending"


def test_people_whose_time_is_over_are_erased_by_themselves_and_no_others(bureau: Bureau) -> None:
    policy = SetRetentionPolicy(3 * 365, 30, 183)
    bureau.decide(policy, bureau.administrator, bureau.security)
    long_gone, lately_gone, living = bureau.people(3)
    cancel(bureau, long_gone)
    bureau.clock.advance(30 * DAY)
    cancel(bureau, lately_gone)
    eraser = Eraser(bureau.kernel, clock=bureau.clock)
    eraser.round()
    bureau.clock.advance((3 * 365 - 29) * DAY)
    assert eraser.round()["people"] == 1
    assert eraser.round()["people"] == 0
    with bureau.store.read() as tx:
        names = [holders.identity_of(tx, one.holder_id).name for one in (long_gone, lately_gone)]
        assert names == ["", lately_gone.name]
        assert holders.identity_of(tx, living.holder_id).name == living.name
    with pytest.raises(NotErasableError):
        bureau.perform(EraseLapsedHolder(lately_gone.holder_id), SYSTEM)
    is_sound(bureau)


def test_rows_that_came_to_nothing_and_what_was_approved_go_in_time(bureau: Bureau) -> None:
    people = bureau.next_applications(3)
    imported = bureau.import_roster(people)
    bureau.kernel.reject(
        imported["approval_id"], actor=bureau.checker, request_id=bureau.request_id()
    )
    person = bureau.person()
    bureau.decide(correction(bureau, person.holder_id, name="金丝雀"))
    with bureau.store.read() as tx:
        before = tx.connection.execute(select(func.count()).select_from(applications)).scalar_one()
        (proposal,) = tx.connection.execute(
            select(approvals_table.c.id).where(approvals_table.c.act == "correct_holder")
        ).scalars()
        assert "金丝雀" in str(approvals.content_of(tx, proposal))
    bureau.clock.advance(364 * DAY)
    assert bureau.perform(ForgetRefused(), SYSTEM) == {"forgotten": 0}
    bureau.clock.advance(2 * DAY)
    assert bureau.perform(ForgetRefused(), SYSTEM) == {"forgotten": 3}
    assert bureau.perform(ForgetApprovals(), SYSTEM) == {"forgotten": 0}
    bureau.clock.advance(365 * DAY)
    assert bureau.perform(ForgetApprovals(), SYSTEM)["forgotten"] > 0
    assert bureau.perform(ForgetApprovals(), SYSTEM) == {"forgotten": 0}
    with bureau.store.read() as tx:
        after = tx.connection.execute(select(func.count()).select_from(applications)).scalar_one()
        assert approvals.content_of(tx, proposal) == {}
    assert after == before - 3
    is_sound(bureau)


def test_an_application_by_itself_that_was_refused_is_erased_in_time(bureau: Bureau) -> None:
    refused, waiting = newcomer(1), newcomer(2)
    filed = file(bureau, refused)
    file(bureau, waiting)
    act = RefuseFiling(filed["filing_id"], RefusalReason.EVIDENCE_MISSING)
    bureau.perform(act, bureau.checker)
    bureau.clock.advance(364 * DAY)
    assert bureau.perform(ForgetRefused(), SYSTEM) == {"forgotten": 0}
    bureau.clock.advance(2 * DAY)
    assert words_in(bureau, [refused.number.text]) == ["filings.content"]
    assert Eraser(bureau.kernel, clock=bureau.clock).round()["refused_rows"] == 1
    assert bureau.perform(ForgetRefused(), SYSTEM) == {"forgotten": 0}
    assert words_in(bureau, [refused.number.text]) == []
    assert words_in(bureau, [waiting.number.text]) == ["filings.content"]
    is_sound(bureau)


def test_periods_have_minima_and_the_policy_is_what_was_approved(bureau: Bureau) -> None:
    for days in ((3 * 365 - 1, 365, 730), (3650, 29, 730), (3650, 365, 182), (1095, 365, 1096)):
        with pytest.raises(InvalidActError):
            SetRetentionPolicy(*days)
        with pytest.raises(ValueError, match="_days"):
            RetentionPolicy(*days)
    with bureau.store.read() as tx:
        assert retention_policies.of(tx, bureau.issuer) == RetentionPolicy(3650, 365, 730)
    for days in ((1095, 30, 183), (4000, 40, 200)):
        bureau.decide(SetRetentionPolicy(*days), bureau.administrator, bureau.security)
        with bureau.store.read() as tx:
            assert retention_policies.of(tx, bureau.issuer) == RetentionPolicy(*days)
    is_sound(bureau)


REWRITTEN = "holders, applications, stock_cards, holder_changes, makings, approvals, credentials"
STATEMENTS = (f"VACUUM (FULL, ANALYZE) {REWRITTEN}", "VACUUM FULL pg_statistic")


def rewrite(
    request: pytest.FixtureRequest, databases: Databases, url: str, *, everything: bool = False
) -> None:
    """What docs/operations.md says, to have what was erased gone from the files."""
    if isinstance(databases, SQLiteDatabases):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(url, autocommit=True) as client:
        client.execute("VACUUM (FULL, ANALYZE)" if everything else STATEMENTS[0])
        client.execute(STATEMENTS[1])


def sample(databases: Databases, url: str) -> None:
    """PostgreSQL keeps samples of each column, by itself now and then."""
    if not isinstance(databases, SQLiteDatabases):
        with psycopg.connect(url, autocommit=True) as client:
            client.execute("ANALYZE")


def stored_bytes(request: pytest.FixtureRequest, databases: Databases, url: str) -> bytes:
    """What stands in the files; of PostgreSQL those of the database, without its log."""
    if isinstance(databases, SQLiteDatabases):
        path = Path(url.removeprefix("sqlite:///"))
        files = list(path.parent.glob(f"{path.name}*"))
    else:
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        server.checkpoint()
        files = server.files_of(url)
    return b"".join(file.read_bytes() for file in files if file.is_file())


def test_no_file_of_the_database_has_what_was_erased(
    request: pytest.FixtureRequest, bureau: Bureau, databases: Databases, database_url: str
) -> None:
    operations = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    assert all(statement in operations for statement in STATEMENTS)
    # What tests before this one left in a database that they share is no concern of it.
    rewrite(request, databases, database_url, everything=True)
    person = bureau.people(PEOPLE + 1)[-1]  # of whom the prepared copy has nothing
    values = sealed_values(bureau, person)
    cancel(bureau, person)
    bureau.clock.advance(HALF_A_YEAR)
    sample(databases, database_url)
    before = stored_bytes(request, databases, database_url)
    assert [value for value in values if value not in before] == []
    bureau.decide(EraseHolder(person.holder_id))
    rewrite(request, databases, database_url)
    after = stored_bytes(request, databases, database_url)
    assert [value for value in values if value in after] == []
