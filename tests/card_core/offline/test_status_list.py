"""Status lists: against a plain array and a second reader; signed, updated, and tampered with."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from list_reader import read_body

from card_core.codes import CodeKey, KeyPurpose, KeyState
from card_core.status_list import (
    STATUS_LISTED_MAX,
    STATUS_POSITIONS_MAX,
    Age,
    CredentialState,
    HeldList,
    InvalidListError,
    ListHead,
    ListNotGenuineError,
    MalformedListError,
    OlderListError,
    StatusList,
    assemble_list,
    assemble_update,
    compose_changes,
    make_changes,
    open_list,
)
from crypto import sm2, sm3

SIZE = 5000
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DAY_ENDS_AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
KEY = sm2.PrivateKey.generate()
KEYS = [CodeKey(1, 1, KEY.public_key(), KeyState.ACTIVE, KeyPurpose.STATUS)]


def drawn(seed: int, one_in: int, size: int = SIZE) -> list[int]:
    source = random.Random(seed)
    return [source.randint(1, 3) if source.randrange(one_in) == 0 else 0 for _ in range(size)]


def list_of(states: list[int]) -> StatusList:
    return StatusList(len(states), [(i, state) for i, state in enumerate(states) if state])


def head_of(body: bytes, **changed: object) -> ListHead:
    head = ListHead(
        issuer=1,
        key_number=1,
        day_ends_at=DAY_ENDS_AT,
        version=1,
        issued_at=NOW,
        fresh_for_seconds=300,
        usable_for_seconds=86_400,
        size=SIZE,
        digest=sm3.digest(body),
    )
    return replace(head, **changed)  # type: ignore[arg-type]


def whole(states: list[int], **changed: object) -> bytes:
    body = list_of(states).encode()
    head = head_of(body, **changed)
    return assemble_list(head, KEY.sign(head.to_be_signed()), body)


def update(have: int, before: list[int], after: list[int], **changed: object) -> bytes:
    head = head_of(list_of(after).encode(), **changed)
    changes = list_of(before).changes_to(list_of(after))
    return assemble_update(have, head, KEY.sign(head.to_be_signed()), changes)


@pytest.mark.parametrize("one_in", [1, 2, 10, 1000, 10**9])
def test_a_second_reader_written_from_the_page_reads_the_same(one_in: int) -> None:
    states = drawn(one_in, one_in)
    listed = {i: state for i, state in enumerate(states) if state}
    made = list_of(states)
    assert read_body(SIZE, made.encode()) == listed
    assert [made.state(i) for i in range(SIZE)] == states
    assert made.listed == len(listed)
    later = drawn(one_in + 1, one_in)
    changed = {i: b for i, (a, b) in enumerate(zip(states, later, strict=True)) if a != b}
    changes = made.changes_to(list_of(later))
    assert read_body(SIZE, changes, states=(0, 1, 2, 3)) == changed
    assert make_changes(SIZE, changed.items()) == changes
    assert made.apply(changes) == list_of(later)


def test_the_example_of_the_page() -> None:
    body = StatusList(16, [(14, 2), (1, 2), (5, 2)]).encode()
    assert body.hex() == "0000000000000003000000005360"


def test_changes_that_follow_each_other_compose() -> None:
    steps = [drawn(seed, 20) for seed in range(6)]
    changes = [list_of(a).changes_to(list_of(b)) for a, b in pairwise(steps)]
    together = compose_changes(SIZE, changes)
    assert list_of(steps[0]).apply(together) == list_of(steps[-1])
    assert compose_changes(SIZE, []) == make_changes(SIZE, [])


def test_values_that_make_no_list_are_refused() -> None:
    for size, listed in [
        (0, []),
        (STATUS_POSITIONS_MAX + 1, []),
        (-1, []),
        (5, [(5, 1)]),
        (5, [(-1, 1)]),
        (5, [(1, 0)]),
        (5, [(1, 4)]),
        (5, [(1, 1), (1, 2)]),
        (STATUS_POSITIONS_MAX, ((i, 1) for i in range(STATUS_LISTED_MAX + 1))),
    ]:
        with pytest.raises(InvalidListError):
            StatusList(size, listed)
    small = StatusList(5, [])
    for index in (5, 1 << 30, 1 << 40, -1):
        with pytest.raises(InvalidListError):
            small.state(index)
    with pytest.raises(InvalidListError):
        small.changes_to(StatusList(6, []))


def test_a_terminal_opens_a_list_and_follows_its_updates() -> None:
    steps = [drawn(seed, 30) for seed in range(4)]
    held = open_list(whole(steps[0]), keys=KEYS)
    for version, (before, after) in enumerate(pairwise(steps), 2):
        held = open_list(update(version - 1, before, after, version=version), keys=KEYS, held=held)
        assert [held.state(i) for i in range(SIZE)] == after
    assert isinstance(held.state(0), CredentialState)
    kept = open_list(held.to_bytes(), keys=KEYS)
    assert kept == held
    assert held.to_bytes() == whole_signed(held)


def whole_signed(held: HeldList) -> bytes:
    return assemble_list(held.head, held.signature, held.statuses.encode())


def test_an_update_serves_only_the_version_that_it_starts_from() -> None:
    first, second, third = (drawn(seed, 30) for seed in range(3))
    held = open_list(whole(first), keys=KEYS)
    step = update(2, second, third, version=3)
    with pytest.raises(MalformedListError):
        open_list(step, keys=KEYS, held=held)
    with pytest.raises(MalformedListError):
        open_list(step, keys=KEYS)
    # The right number and the wrong list: the digest does not fit.
    lying = update(1, second, third, version=3)
    with pytest.raises(MalformedListError):
        open_list(lying, keys=KEYS, held=held)


def test_a_list_that_is_older_or_another_is_refused() -> None:
    states = drawn(1, 30)
    held = open_list(whole(states, version=5), keys=KEYS)
    assert open_list(held.to_bytes(), keys=KEYS, held=held) == held
    with pytest.raises(OlderListError):
        open_list(whole(states, version=4), keys=KEYS, held=held)
    for other in (
        whole(states, version=6, day_ends_at=DAY_ENDS_AT + timedelta(days=1)),
        whole(states, version=6, issuer=2),
    ):
        with pytest.raises(MalformedListError):
            open_list(other, keys=KEYS, held=held)


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": KeyPurpose.CODE_SIGNING},
        {"purpose": KeyPurpose.DEVICE_CREDENTIAL},
        {"state": KeyState.PENDING},
        {"state": KeyState.REVOKED},
        {"issuer": 2},
        {"number": 2},
        {"public_key": sm2.PrivateKey.generate().public_key()},
    ],
)
def test_only_a_status_key_in_force_verifies(changed: dict[str, object]) -> None:
    data = whole(drawn(1, 30))
    open_list(data, keys=[replace(KEYS[0], state=KeyState.VERIFY_ONLY)])
    with pytest.raises(ListNotGenuineError):
        open_list(data, keys=[replace(KEYS[0], **changed)])  # type: ignore[arg-type]
    with pytest.raises(ListNotGenuineError):
        open_list(data, keys=[])


def test_no_flipped_bit_and_no_cut_passes() -> None:
    before, after = drawn(1, 400), drawn(2, 400)
    held = open_list(whole(before), keys=KEYS)
    for data, holding in ((whole(before), None), (update(1, before, after, version=2), held)):
        open_list(data, keys=KEYS, held=holding)
        refusals = (MalformedListError, ListNotGenuineError, OlderListError)
        for bit in range(len(data) * 8):
            other = bytearray(data)
            other[bit // 8] ^= 0x80 >> bit % 8
            with pytest.raises(refusals):
                open_list(bytes(other), keys=KEYS, held=holding)
        for end in range(len(data)):
            with pytest.raises(refusals):
                open_list(data[:end], keys=KEYS, held=holding)
        with pytest.raises(refusals):
            open_list(data + b"\0", keys=KEYS, held=holding)


def test_random_bytes_never_make_more_than_they_hold() -> None:
    source = random.Random(7)
    for _ in range(20_000):
        body = source.randbytes(source.randrange(40))
        size = source.choice([1, 16, SIZE, STATUS_POSITIONS_MAX])
        try:
            read = StatusList.decode(size, body)
        except MalformedListError:
            continue
        assert read.encode() == body
        assert read.listed <= 8 * len(body)


def test_a_list_grows_stale_and_then_old() -> None:
    held = open_list(whole(drawn(1, 30)), keys=KEYS)
    assert held.age(NOW - timedelta(hours=1)) is Age.FRESH
    assert held.age(NOW + timedelta(seconds=300)) is Age.FRESH
    assert held.age(NOW + timedelta(seconds=301)) is Age.STALE
    assert held.age(NOW + timedelta(seconds=86_400)) is Age.STALE
    assert held.age(NOW + timedelta(seconds=86_401)) is Age.EXPIRED


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": 0},
        {"key_number": 256},
        {"version": 0},
        {"fresh_for_seconds": 0},
        {"fresh_for_seconds": 86_401},
        {"usable_for_seconds": 604_801},
        {"size": 0},
        {"digest": bytes(31)},
        {"issued_at": NOW.replace(microsecond=1)},
        {"day_ends_at": DAY_ENDS_AT.replace(tzinfo=None)},
    ],
)
def test_a_head_out_of_its_limits_is_not_made(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidListError):
        head_of(b"", **changed)


def test_the_head_is_laid_out_as_the_page_says() -> None:
    head = ListHead(
        0x0102,
        3,
        datetime.fromtimestamp(0x04050607, UTC),
        0x08090A0B,
        datetime.fromtimestamp(0x0C0D0E0F, UTC),
        0x10,
        0x11,
        0x12131415,
        bytes(range(32)),
    )
    expected = "130102030405060708090a0b0c0d0e0f000000100000001112131415"
    assert head.to_bytes().hex() == expected + bytes(range(32)).hex()
    assert ListHead.parse(head.to_bytes()) == head
    assert head.to_be_signed() == b"sscard/status-list/v1\n" + head.to_bytes()
