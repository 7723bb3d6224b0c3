"""Bundles: what is put in comes out, and nothing that the issuer did not sign."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from card_core import business_types
from card_core.bundles import (
    Bundle,
    BundleHead,
    BundleNotGenuineError,
    CarriedList,
    Content,
    InvalidBundleError,
    MalformedBundleError,
    OfflinePolicy,
    OlderBundleError,
    assemble_bundle,
    bundle_to_be_signed,
    open_bundle,
)
from card_core.codes import CodeKey, KeyPurpose, KeyState
from crypto import sm2

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
KEY, NEXT_KEY, CREDENTIAL_KEY = (sm2.PrivateKey.generate() for _ in range(3))
STATUS = CodeKey(1, 1, KEY.public_key(), KeyState.ACTIVE, KeyPurpose.STATUS)
NEXT_STATUS = CodeKey(1, 2, NEXT_KEY.public_key(), KeyState.ACTIVE, KeyPurpose.STATUS)
CREDENTIAL = CodeKey(
    1, 1, CREDENTIAL_KEY.public_key(), KeyState.VERIFY_ONLY, KeyPurpose.DEVICE_CREDENTIAL
)
CONTENT = Content(
    keys=(STATUS, NEXT_STATUS, CREDENTIAL),
    business_types=business_types.ALL,
    policy=OfflinePolicy(consumes=True, count_max=3, amount_fen_max=20_000),
    status_lists=(CarriedList(1, datetime(2026, 3, 2, 16, tzinfo=UTC)),),
    trust_lists=(b"\x01signed elsewhere",),
)
HEAD = BundleHead(1, 1, 7, NOW, 3600, 604_800)


def signed(
    content: bytes = CONTENT.to_bytes(), head: BundleHead = HEAD, key: sm2.PrivateKey = KEY
) -> bytes:
    to_be_signed = bundle_to_be_signed(head, content)
    return assemble_bundle(to_be_signed, key.sign(to_be_signed))


def test_what_is_put_in_comes_out() -> None:
    assert open_bundle(signed(), keys=[STATUS]) == Bundle(HEAD, CONTENT)


def test_the_head_is_laid_out_as_the_page_says() -> None:
    head = BundleHead(0x0102, 3, 0x04050607, datetime.fromtimestamp(0x08090A0B, UTC), 12, 13)
    expected = "150102030405060708090a0b0000000c0000000d"
    assert (
        bundle_to_be_signed(head, b"{}") == b"sscard/bundle/v1\n" + bytes.fromhex(expected) + b"{}"
    )


def test_no_flipped_bit_and_no_cut_passes() -> None:
    small = Content((STATUS,), (), OfflinePolicy(), ())
    data = signed(small.to_bytes())
    held = open_bundle(data, keys=[STATUS])
    refusals = (MalformedBundleError, BundleNotGenuineError)
    for bit in range(len(data) * 8):
        other = bytearray(data)
        other[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises((*refusals, OlderBundleError)):
            open_bundle(bytes(other), keys=[STATUS], held=held)
    for end in range(len(data)):
        with pytest.raises(refusals):
            open_bundle(data[:end], keys=[STATUS])


def test_a_new_status_key_comes_in_under_the_one_before() -> None:
    held = open_bundle(signed(), keys=[STATUS])
    newer = signed(head=replace(HEAD, key_number=2, version=8), key=NEXT_KEY)
    with pytest.raises(BundleNotGenuineError):
        open_bundle(newer, keys=[STATUS], held=held)
    assert open_bundle(newer, keys=held.content.keys, held=held).head.version == 8


def test_a_key_that_was_announced_signs_the_next_bundle_if_that_says_so() -> None:
    pending = replace(NEXT_STATUS, state=KeyState.PENDING)
    head = replace(HEAD, key_number=2)
    active = signed(head=head, key=NEXT_KEY)
    assert open_bundle(active, keys=[pending]).content.keys[1].state is KeyState.ACTIVE
    for state in (KeyState.PENDING, KeyState.REVOKED):
        keys = (STATUS, replace(NEXT_STATUS, state=state), CREDENTIAL)
        content = replace(CONTENT, keys=keys).to_bytes()
        with pytest.raises(BundleNotGenuineError):
            open_bundle(signed(content, head, NEXT_KEY), keys=[pending])
    absent = replace(CONTENT, keys=(STATUS, CREDENTIAL)).to_bytes()
    with pytest.raises(BundleNotGenuineError):
        open_bundle(signed(absent, head, NEXT_KEY), keys=[pending])


def test_an_older_bundle_or_another_issuers_is_refused() -> None:
    held = open_bundle(signed(), keys=[STATUS])
    open_bundle(signed(), keys=[STATUS], held=held)
    with pytest.raises(OlderBundleError):
        open_bundle(signed(head=replace(HEAD, version=6)), keys=[STATUS], held=held)
    with pytest.raises(MalformedBundleError):
        open_bundle(signed(head=replace(HEAD, issuer=2)), keys=[STATUS], held=held)


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": KeyPurpose.CODE_SIGNING},
        {"state": KeyState.REVOKED},
        {"number": 3},
        {"issuer": 2},
    ],
)
def test_only_a_status_key_in_force_verifies(changed: dict[str, Any]) -> None:
    with pytest.raises(BundleNotGenuineError):
        open_bundle(signed(), keys=[replace(STATUS, **changed)])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("keys", {}),
        ("keys", [{}]),
        ("keys", [{"issuer": 1}] * 5000),
        ("keys", None),
        ("policy", {"consumes": 1, "count_max": 0, "amount_fen_max": 0}),
        ("policy", {"consumes": True, "count_max": 0, "amount_fen_max": 0}),
        ("policy", {"consumes": False, "count_max": 3, "amount_fen_max": 0}),
        ("policy", {"consumes": True, "count_max": 1, "amount_fen_max": True}),
        ("policy", {"consumes": True, "count_max": 1, "amount_fen_max": 1 << 24}),
        ("status_lists", [{"issuer": 1, "day_ends_at": 1.5}]),
        ("status_lists", [{"issuer": -1, "day_ends_at": 1}]),
        ("status_lists", [{"issuer": 1, "day_ends_at": 1 << 40}]),
        ("trust_lists", ["zz"]),
        ("trust_lists", [7]),
        ("business_types", [{"code": "１２３４５"}]),
    ],
)
def test_content_that_can_not_be_relied_on_is_refused_though_it_is_signed(
    member: str, value: object
) -> None:
    document = json.loads(CONTENT.to_bytes())
    with pytest.raises(MalformedBundleError):
        open_bundle(signed(json.dumps(document | {member: value}).encode()), keys=[STATUS])
    del document[member]
    with pytest.raises(MalformedBundleError):
        open_bundle(signed(json.dumps(document).encode()), keys=[STATUS])


@pytest.mark.parametrize("content", [b"x", b"[]", b"[" * 100_000, b"\xff", b'"a"', b"1e999"])
def test_what_is_no_such_document_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedBundleError):
        open_bundle(signed(content), keys=[STATUS])


def test_members_of_a_later_version_are_passed_over() -> None:
    document = json.loads(CONTENT.to_bytes()) | {"something_new": [1, 2]}
    opened = open_bundle(signed(json.dumps(document).encode()), keys=[STATUS])
    assert opened.content == CONTENT


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": 0},
        {"version": 0},
        {"fresh_for_seconds": 604_801},
        {"usable_for_seconds": 3_000_000},
        {"issued_at": NOW.replace(tzinfo=None)},
    ],
)
def test_a_head_out_of_its_limits_is_not_made(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidBundleError):
        replace(HEAD, **changed)
