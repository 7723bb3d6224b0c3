"""Rows as bytes: the native encoding is the definition below, for any row."""

import copy
import enum
import pickle
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from crypto import fields

Value = None | bool | int | str | bytes | date | datetime


def joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def encoded(value: Value) -> bytes:
    match value:
        case bool():
            return b"b1" if value else b"b0"
        case int():
            return b"i%d" % value
        case str():
            return b"s" + value.encode()
        case bytes():
            return b"x" + value
        case datetime():
            return b"t" + value.astimezone(UTC).isoformat(timespec="microseconds").encode()
        case date():
            return b"d" + value.isoformat().encode()
    raise TypeError


def defined(table: str, values: Mapping[str, Value]) -> bytes:
    present = sorted(name for name, value in values.items() if value is not None)
    pairs = (part for name in present for part in (name.encode(), encoded(values[name])))
    return joined([b"row", table.encode(), *pairs])


def sm3_digest(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ZONES = st.sampled_from([UTC, UTC, timezone(timedelta(hours=8)), timezone(timedelta(0))])
# Not at the ends of the calendar, which have no UTC.
FIRST, LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - the zone is drawn
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | TEXTS
    | st.binary(max_size=300)
    | st.dates()
    | st.datetimes(FIRST, LAST, timezones=ZONES)
)
ROWS = st.dictionaries(TEXTS, VALUES, max_size=20)


@given(TEXTS, ROWS)
def test_a_row_is_encoded_as_defined(table: str, row: dict[str, Value]) -> None:
    assert fields.encode(table, row) == defined(table, row)
    backwards = dict(reversed(row.items()))
    assert fields.encode(table, backwards) == defined(table, row)


@given(st.binary(max_size=200), TEXTS, ROWS)
def test_a_tag_is_the_hmac_of_the_row(key: bytes, table: str, row: dict[str, Value]) -> None:
    kept = fields.Key(key)
    block = (sm3_digest(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3_digest(bytes(byte ^ 0x36 for byte in block) + defined(table, row))
    expected = sm3_digest(bytes(byte ^ 0x5C for byte in block) + inner)
    assert kept.tag(table, row) == expected
    assert kept.tag(table, row) == expected


@given(TEXTS, st.lists(ROWS, max_size=5))
def test_a_digest_is_over_the_rows_behind_their_lengths(
    table: str, rows: list[dict[str, Value]]
) -> None:
    whole = joined(defined(table, row) for row in rows)
    assert fields.digest(table, rows) == sm3_digest(whole)


class Name(enum.StrEnum):
    SHORT = "s"


class Number(enum.IntEnum):
    SEVEN = 7


class Loud(int):
    def __repr__(self) -> str:
        return "loud"


def test_members_of_an_enumeration_are_their_values() -> None:
    row: dict[str, Value] = {"a": Name.SHORT, "b": Number.SEVEN, "c": Loud(2**80)}
    plain: dict[str, Value] = {"a": "s", "b": 7, "c": 2**80}
    assert fields.encode("t", row) == fields.encode("t", plain) == defined("t", plain)


def test_a_time_without_a_zone_is_local_as_python_has_it() -> None:
    naive = datetime(2026, 7, 1, 8, 0, 0, 5)  # noqa: DTZ001 - what is tested
    assert fields.encode("t", {"a": naive}) == defined("t", {"a": naive})


@pytest.mark.parametrize("wrong", [1.5, [], (), bytearray(b"a"), memoryview(b"a"), object()])
def test_other_types_are_refused(wrong: object) -> None:
    row = {"a": wrong}
    calls: list[Callable[[], object]] = [
        lambda: fields.encode("t", row),  # type: ignore[arg-type]
        lambda: fields.digest("t", [row]),  # type: ignore[list-item]
        lambda: fields.Key(b"key").tag("t", row),  # type: ignore[arg-type]
        lambda: fields.encode("t", wrong),  # type: ignore[arg-type]
        lambda: fields.encode("t", {wrong: 1} if wrong.__hash__ else [(wrong, 1)]),  # type: ignore[arg-type]
        lambda: fields.digest("t", [wrong]),  # type: ignore[list-item]
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


def test_text_that_is_no_unicode_is_refused() -> None:
    for row in ({"a": "\ud800"}, {"\ud800": 1}):
        with pytest.raises(UnicodeEncodeError):
            fields.encode("t", row)


def test_a_key_is_neither_shown_nor_copied() -> None:
    kept = fields.Key(b"sixteen letters!")
    assert "sixteen" not in repr(kept)
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            take(kept)
