"""Many rows at once: what goes in is what comes out, whatever it looks like."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bureau import Bureau
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from card_core._native import copy_rows
from card_core.errors import StoreConflictError
from card_core.kernel.dates import SHANGHAI
from card_core.store import Lock, bulk
from card_core.store.bulk import array_text
from card_core.store.schema import answers, spent

STRANGE = [
    "",
    "NULL",
    "null",
    "a,b",
    "{}",
    '"',
    "\\",
    '\\"',
    " ",
    "'",
    "\n",
    "%s",
    "中文",
    "x" * 60,
]
AT = datetime(2026, 7, 1, 8, 0, 0, 5, tzinfo=UTC)
Y2K = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def rows_of(strange: str) -> dict[str, object]:
    return {
        "actor_kind": "terminal",
        "actor_id": "t",
        "request_id": strange,
        "content_digest": strange.encode(),
        "answer": None if strange == "NULL" else bytes(range(256)),
        "at": AT,
    }


def test_values_of_any_look_go_in_and_are_found_again(bureau: Bureau) -> None:
    rows = [rows_of(strange) for strange in STRANGE]
    with bureau.store.write() as tx:
        bulk.insert(tx, answers, rows)
        key, columns = ("actor_kind", "actor_id", "request_id"), tuple(rows[0])
        wanted = [("terminal", "t", strange) for strange in STRANGE[::2]]
        wanted += [("terminal", "other", strange) for strange in STRANGE]
        found = bulk.find_keys(tx, answers, columns, key, wanted)()
        assert {row.request_id for row in found} == set(STRANGE[::2])
        for some in (STRANGE, STRANGE[1::2], []):
            by_value = select(answers).where(bulk.among(tx, answers.c.request_id, some))
            among = {row.request_id for row in tx.connection.execute(by_value)}
            got = bulk.find(tx, answers, columns, "request_id", some)()
            assert {row.request_id for row in got} & set(STRANGE) == set(some) == among
            for row in got:
                assert row._asdict() in rows


def test_questions_that_go_together_get_the_answers_of_questions_alone(bureau: Bureau) -> None:
    """Under one clock each: what is read behind a lock or an insert sees it."""
    rows = [rows_of(strange) for strange in STRANGE]
    columns = tuple(rows[0])
    with bureau.store.write() as tx:
        with tx.together():
            tx.lock_all(["answers/a", "answers/b"], Lock.SHARED)
            bulk.insert(tx, answers, rows[:2])
            before = bulk.find(tx, answers, columns, "request_id", STRANGE)
            new = bulk.insert_new(tx, answers, rows, ("request_id",))
            after = bulk.find(tx, answers, columns, "request_id", STRANGE)
        assert {row.request_id for row in after()} == set(STRANGE)
        assert {row.request_id for row in before()} == set(STRANGE[:2])
        assert new() == {(strange,) for strange in STRANGE[2:]}


def test_an_error_among_them_undoes_the_transaction(bureau: Bureau) -> None:
    rows = [rows_of("twice"), rows_of("twice")]

    def insert_all() -> None:
        with bureau.store.write() as tx, tx.together():
            bulk.insert(tx, answers, [rows_of("once")])
            bulk.insert(tx, answers, rows)

    with pytest.raises(StoreConflictError):
        insert_all()
    with bureau.store.read() as tx:
        assert bulk.find(tx, answers, ("request_id",), "request_id", ["once", "twice"])() == []


def test_of_rows_that_are_there_already_none_goes_in_again(bureau: Bureau) -> None:
    def row(number: int, scan: str) -> dict[str, object]:
        key = {"holder_id": "h" * 32, "minted_at": 2**40, "nonce": number.to_bytes(8)}
        return {**key, "scan_id": scan * 32}

    with bureau.store.write() as tx:
        first = [row(number, "a") for number in range(0, 1100, 2)]
        assert len(bulk.insert_new(tx, spent, first, ("nonce",))()) == 550
        again = [row(number, "b") for number in range(1100)]
        inserted = bulk.insert_new(tx, spent, again, ("nonce", "scan_id"))()
        odd = {(number.to_bytes(8), "b" * 32) for number in range(1, 1100, 2)}
        assert inserted == odd
        mine = select(spent).where(bulk.among(tx, spent.c.minted_at, [2**40, -1]))
        assert len(tx.connection.execute(mine).all()) == 1100


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("text", [], "{}"),
        ("text", ["a", None, 'b"\\'], '{"a",NULL,"b\\"\\\\"}'),
        ("bytea", [b"\x00\xff", b""], '{"\\\\x00ff","\\\\x"}'),
        ("bigint", [-(2**63), None, 0], "{-9223372036854775808,NULL,0}"),
        ("timestamptz", [AT], '{"2026-07-01T08:00:00.000005+00:00"}'),
        ("date", [AT.date()], "{2026-07-01}"),
        ("boolean", [True, False, None], "{t,f,NULL}"),
    ],
)
def test_arrays_are_written_as_postgresql_reads_them(
    kind: str, values: list[object], text: str
) -> None:
    assert array_text(kind, values) == text


def written(kind: str, value: object) -> str:
    """An element as PostgreSQL's manual has it (8.15.2, 8.4.1), the short way."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value)[0].lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return f'"\\\\x{value.hex()}"'
        case date():
            return f'"{value}"'.replace(" ", "T") if isinstance(value, datetime) else str(value)
    return str(value)


KINDS = {
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    "bytea": st.binary(max_size=40),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
    "date": st.dates(),
    "boolean": st.booleans(),
}


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_an_array_of_anything_is_written_as_defined(data: st.DataObject, kind: str) -> None:
    few = data.draw(st.lists(st.none() | KINDS[kind], max_size=4))
    values = data.draw(st.lists(st.sampled_from(few), max_size=12)) if few else []
    assert array_text(kind, values) == f"{{{','.join(written(kind, one) for one in values)}}}"


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("text", b"bytes", TypeError),
        ("bytea", "text", TypeError),
        ("bigint", "1", TypeError),
        ("bigint", 2**63, OverflowError),
        ("boolean", 1, TypeError),
        ("point", 1, ValueError),
    ],
)
def test_what_does_not_go_with_the_type_is_refused(
    kind: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        array_text(kind, [value])


def test_an_instant_without_a_zone_is_refused(bureau: Bureau) -> None:
    naive = {**rows_of("naive"), "at": AT.replace(tzinfo=None)}
    with pytest.raises(Exception, match="time zone"), bureau.store.write() as tx:
        bulk.insert(tx, answers, [naive])
    with pytest.raises(Exception, match="time zone"), bureau.store.write() as tx:
        bulk.load(tx, answers, {name: [value] for name, value in naive.items()})


def test_rows_loaded_column_by_column_come_back_as_they_went_in(bureau: Bureau) -> None:
    """Among them what a text form would have to escape, NULLs, and values that are one object."""
    content = [strange.encode() if strange else None for strange in STRANGE]
    columns = {
        "actor_kind": ["terminal"] * len(STRANGE),
        "actor_id": ["loaded"] * len(STRANGE),
        "request_id": STRANGE,
        "content_digest": [bytes([at, 0, 255]) for at in range(len(STRANGE))],
        "answer": content,
        "at": [AT, AT, datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC)]
        + [AT.astimezone(SHANGHAI)] * (len(STRANGE) - 3),
    }
    with bureau.store.write() as tx:
        bulk.load(tx, answers, columns)
        bulk.load(tx, answers, {name: [] for name in columns})
    with bureau.store.read() as tx:
        wanted = select(*(answers.c[name] for name in columns)).where(
            answers.c.actor_id == "loaded"
        )
        found = {tuple(row) for row in tx.connection.execute(wanted)}
    assert found == set(zip(*columns.values(), strict=True))


def test_of_rows_loaded_twice_none_is_stored(bureau: Bureau) -> None:
    once = {name: [value] for name, value in {**rows_of("twice"), "at": AT}.items()}
    with bureau.store.write() as tx:
        bulk.load(tx, answers, once)
    with pytest.raises(StoreConflictError), bureau.store.write() as tx:
        bulk.load(tx, answers, {name: [*values, *values] for name, values in once.items()})


COPIED = {
    "text": str.encode,
    "bytea": bytes,
    "bigint": lambda value: value.to_bytes(8, signed=True),
    "integer": lambda value: value.to_bytes(4, signed=True),
    "timestamptz": lambda value: ((value - Y2K) // MICROSECOND).to_bytes(8, signed=True),
    "date": lambda value: (value - Y2K.date()).days.to_bytes(4, signed=True),
    "boolean": lambda value: bytes([value]),
}


def copied(kind: str, value: object) -> bytes:
    """A field as PostgreSQL's page on COPY has it: its length and itself, -1 for NULL."""
    if value is None:
        return b"\xff" * 4
    text = COPIED[kind](value)  # type: ignore[operator] - each kind has values of its own
    return len(text).to_bytes(4) + text


@given(st.data(), st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
def test_rows_for_copy_are_written_as_defined(data: st.DataObject, kinds: list[str]) -> None:
    few = [data.draw(st.lists(st.none() | KINDS[kind], min_size=1, max_size=3)) for kind in kinds]
    rows = data.draw(st.lists(st.tuples(*map(st.sampled_from, few)), max_size=6))
    columns = [[row[at] for row in rows] for at in range(len(kinds))]
    expected = b"".join(len(kinds).to_bytes(2) + b"".join(map(copied, kinds, row)) for row in rows)
    written = copy_rows(kinds, columns)
    assert written == b"PGCOPY\n\xff\r\n\0" + bytes(8) + expected + b"\xff\xff"


@pytest.mark.parametrize(
    ("kinds", "columns", "error"),
    [
        (["text"], [[b"bytes"]], TypeError),
        (["bytea"], [["text"]], TypeError),
        (["integer"], [[2**31]], OverflowError),
        (["bigint"], [[2**63]], OverflowError),
        (["boolean"], [[1]], TypeError),
        (["point"], [[1]], ValueError),
        (["text", "text"], [["a"]], ValueError),
        (["text", "text"], [["a"], ["a", "b"]], ValueError),
    ],
)
def test_what_is_no_table_of_its_types_is_refused(
    kinds: list[str], columns: list[list[object]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        copy_rows(kinds, columns)
