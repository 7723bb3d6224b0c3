"""Sealed fields open where they were sealed and nowhere else; indexes and HMACs mix nothing up."""

import itertools
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from bureau import SeededBytes, make_cipher
from field_versions import cipher_with

from card_core.errors import TamperedRowError
from card_core.store import FieldCipher

PLACE = ("holders", "name", "0" * 32)
TEXT = "王小明".encode()


def keys(**other: bytes) -> dict[str, bytes]:
    return {
        "field_key": bytes([1]) * 16,
        "index_key": bytes([2]) * 32,
        "row_key": bytes([3]) * 32,
        "audit_key": bytes([4]) * 32,
        **other,
    }


def make(**other: bytes) -> FieldCipher:
    return FieldCipher(**keys(**other), random_bytes=SeededBytes(b"nonces"))


def test_a_sealed_field_opens_where_it_was_sealed() -> None:
    cipher = make()
    sealed = cipher.seal(*PLACE, TEXT)
    assert cipher.open(*PLACE, sealed) == TEXT
    assert TEXT not in sealed
    assert len(sealed) == 1 + 12 + len(TEXT) + 16


def test_fields_sealed_together_are_those_sealed_alone_under_nonces_drawn_at_once() -> None:
    """The same bytes as one by one, each nonce in its turn; each opens in its row alone."""
    draws: list[int] = []

    def draw(size: int) -> bytes:
        draws.append(size)
        return bytes(range(size))

    cipher = FieldCipher(**keys(), random_bytes=draw)
    rows = [(f"{number:032}", TEXT * number) for number in range(5)]
    ids = [row_id for row_id, _ in rows]
    plain = {"name": [text for _, text in rows], "phone": [text[::-1] for _, text in rows]}
    sealed = cipher.seal_table("holders", ids, plain)
    assert draws == [2 * 5 * 12]
    places = [(name, at) for name in plain for at in range(5)]
    for number, (name, at) in enumerate(places):
        one, text = sealed[name][at], plain[name][at]
        nonce = bytes(range(number * 12, (number + 1) * 12))
        alone = FieldCipher(**keys(), random_bytes=lambda _, nonce=nonce: nonce)
        assert one == alone.seal("holders", name, ids[at], text)
        assert cipher.open("holders", name, ids[at], one) == text
        with pytest.raises(TamperedRowError):
            cipher.open("holders", name, "f" * 32, one)
    assert cipher.open_table("holders", ids, sealed) == plain
    assert cipher.seal_table("holders", [], {"name": []}) == {"name": []}
    assert cipher.open_table("holders", [], {"name": []}) == {"name": []}


def test_fields_of_many_rows_open_in_their_places_alone() -> None:
    cipher = make()
    ids = [f"{number:032}" for number in range(3)]
    sealed = cipher.seal_table("holders", ids, {"name": [TEXT] * 3, "phone": [TEXT] * 3})
    swapped = [*sealed["name"][:1], *sealed["name"][:0:-1]]
    flipped = bytearray(sealed["phone"][1])
    flipped[-1] ^= 1
    for table, columns, where in (
        ("holders", {**sealed, "name": swapped}, ids[1]),
        ("holders", {"name": sealed["phone"], "phone": sealed["name"]}, ids[0]),
        ("holders", {**sealed, "phone": [sealed["phone"][0], bytes(flipped), b""]}, ids[1]),
        ("holders", {**sealed, "phone": [*sealed["phone"][:2], b""]}, ids[2]),
        ("operators", sealed, ids[0]),
    ):
        with pytest.raises(TamperedRowError) as refused:
            cipher.open_table(table, ids, columns)
        assert refused.value.row_id == where


def test_many_rows_have_the_macs_of_each_alone() -> None:
    cipher = make()
    names = ("id", "version", "reason", "at")
    rows = [(f"{at:032}", at, None if at % 2 else "r", date(2026, 1, 1)) for at in range(5)]
    alone = [cipher.row_mac("makings", dict(zip(names, row, strict=True))) for row in rows]
    assert cipher.row_macs("makings", names, rows) == alone
    assert cipher.row_macs("cards", names, rows) != alone
    assert cipher.row_macs("makings", names, []) == []


ROW = {"name": TEXT, "phone": b"13800000000", "guardian_name": b""}


def test_the_fields_of_a_row_are_sealed_together_as_each_alone() -> None:
    cipher = make()
    together = cipher.seal_row("holders", "0" * 32, ROW)
    assert {
        name: cipher.open("holders", name, "0" * 32, one) for name, one in together.items()
    } == ROW
    alone = {name: cipher.seal("holders", name, "0" * 32, text) for name, text in ROW.items()}
    assert cipher.open_row("holders", "0" * 32, alone) == ROW
    assert cipher.open_row("holders", "0" * 32, {}) == {}
    # no nonce comes twice
    nonces = [one[1:13] for one in [*together.values(), *alone.values()]]
    assert len(set(nonces)) == len(nonces)


def test_the_fields_of_a_row_open_in_their_places_alone() -> None:
    cipher = make()
    sealed = cipher.seal_row("holders", "0" * 32, ROW)
    swapped = sealed | {"name": sealed["phone"], "phone": sealed["name"]}
    cut = sealed | {"phone": b""}
    for table, row, fields in (
        ("holders", "0" * 32, swapped),
        ("holders", "0" * 32, cut),
        ("holders", "1" * 32, sealed),
        ("operators", "0" * 32, sealed),
    ):
        with pytest.raises(TamperedRowError):
            cipher.open_row(table, row, fields)


def test_a_row_sealed_under_several_versions_of_the_key_opens() -> None:
    cipher = cipher_with()
    sealed = cipher.seal_row("holders", "0" * 32, ROW)
    cipher.seal_under(2)
    sealed |= cipher.seal_row("holders", "0" * 32, {"phone": ROW["phone"]})
    assert {one[0] for one in sealed.values()} == {1, 2}
    assert cipher.open_row("holders", "0" * 32, sealed) == ROW
    with pytest.raises(TamperedRowError):
        cipher_with({1: bytes([1]) * 16}).open_row("holders", "0" * 32, sealed)


def test_any_flipped_bit_of_a_sealed_field_is_refused() -> None:
    cipher = make()
    sealed = cipher.seal(*PLACE, TEXT)
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TamperedRowError):
            cipher.open(*PLACE, bytes(flipped))


def test_any_cut_of_a_sealed_field_is_refused() -> None:
    cipher = make()
    sealed = cipher.seal(*PLACE, TEXT)
    for size in range(len(sealed)):
        with pytest.raises(TamperedRowError):
            cipher.open(*PLACE, sealed[:size])


@pytest.mark.parametrize(
    "place",
    [
        ("operators", "name", "0" * 32),
        ("holders", "phone", "0" * 32),
        ("holders", "name", "1" + "0" * 31),
        ("holder", "sname", "0" * 32),
    ],
)
def test_a_field_copied_elsewhere_does_not_open(place: tuple[str, str, str]) -> None:
    cipher = make()
    with pytest.raises(TamperedRowError):
        cipher.open(*place, cipher.seal(*PLACE, TEXT))


def test_another_key_opens_nothing() -> None:
    sealed = make().seal(*PLACE, TEXT)
    with pytest.raises(TamperedRowError):
        make(field_key=bytes([9]) * 16).open(*PLACE, sealed)


def test_no_nonce_comes_twice() -> None:
    cipher = make_cipher()
    nonces = {cipher.seal(*PLACE, TEXT)[1:13] for _ in range(2000)}
    assert len(nonces) == 2000


@pytest.mark.parametrize("name", ["field_key", "index_key", "row_key", "audit_key"])
def test_a_key_of_another_size_is_refused(name: str) -> None:
    for size in (0, 15, 24, 33):
        with pytest.raises(ValueError, match="bytes"):
            make(**{name: bytes(size)})


def test_equal_values_have_equal_indexes_for_one_purpose_and_key() -> None:
    cipher = make()
    index = cipher.blind_index("social_security_number", "440604198001011008")
    assert index == make().blind_index("social_security_number", "440604198001011008")
    others = {
        cipher.blind_index("social_security_number", "440604198001011009"),
        cipher.blind_index("sign_in.holder", "440604198001011008"),
        make(index_key=bytes([9]) * 32).blind_index("social_security_number", "440604198001011008"),
        cipher.blind_index("social_security_number4", "40604198001011008"),
    }
    assert index not in others
    assert len(others) == 4


def test_digests_tell_parts_and_their_order_apart() -> None:
    cipher = make()
    lists = [[b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"c", b"ab"], [b"ab", b"c", b""], []]
    assert len({cipher.keyed_digest(parts) for parts in lists}) == len(lists)


def test_a_rows_mac_tells_tables_columns_types_and_values_apart() -> None:
    cipher = make()
    at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    rows = [
        {"a": 1, "b": None},
        {"a": "1"},
        {"a": b"1"},
        {"a": True},
        {"b": 1},
        {"a": 1, "b": ""},
        {"a": 1, "b": 0},
        {"a": at},
        {"a": at + timedelta(microseconds=1)},
        {"a": date(2026, 3, 2)},
    ]
    macs = [cipher.row_mac("cards", row) for row in rows] + [cipher.row_mac("ecards", rows[0])]
    for one, other in itertools.combinations(macs, 2):
        assert one != other


def test_a_rows_mac_is_the_same_for_the_same_instant_and_without_what_is_absent() -> None:
    cipher = make()
    at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    shanghai = at.astimezone(timezone(timedelta(hours=8)))
    assert cipher.row_mac("cards", {"a": at}) == cipher.row_mac("cards", {"a": shanghai, "z": None})
