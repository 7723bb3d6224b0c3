"""Receipts: what they prove to somebody who has the issuer's public keys and nothing else."""

import dataclasses
from datetime import datetime, timedelta

import pytest
import stranger
from hypothesis import given, settings
from hypothesis import strategies as st
from sample import AT, CountingSigner, content

from card_core.codes import ForWhom, KeyState, Presence
from card_core.presented import Medium
from card_core.receipts import (
    GROUP_MAX,
    NO_CLERK,
    NO_EVENT,
    NO_SCAN,
    RECEIPT_BYTES_MAX,
    RECEIPT_TEXT_MAX,
    InvalidContentError,
    InvalidReceiptError,
    ReceiptKind,
    commit_to_clerk,
    from_text,
    make_receipts,
    read_receipt,
    to_text,
    verify_receipt,
)
from card_core.receipts.content import encode
from crypto import sm2

SIGNER = CountingSigner()
KEY = SIGNER.as_key()
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 64]


@pytest.mark.parametrize("size", SIZES)
def test_each_receipt_of_a_group_verifies_and_says_what_it_was_made_of(size: int) -> None:
    contents = [content(serial) for serial in range(size)]
    receipts = make_receipts(contents, SIGNER)
    assert [verify_receipt(one, [KEY]) for one in receipts] == contents
    assert [verify_receipt(from_text(to_text(one)), [KEY]) for one in receipts] == contents


@pytest.mark.parametrize("size", [1, 2, 64])
def test_a_group_costs_one_signature_whatever_its_size(size: int) -> None:
    signer = CountingSigner()
    make_receipts([content(serial) for serial in range(size)], signer)
    assert signer.signed == 1


def test_the_largest_group_verifies_and_stays_within_the_stated_sizes() -> None:
    contents = [
        content(serial)._replace(institution_code="A" * 20, audit_chain="a" * 16)
        for serial in range(GROUP_MAX)
    ]
    receipts = make_receipts(contents, SIGNER)
    assert {len(one) for one in receipts} == {RECEIPT_BYTES_MAX}
    assert {len(to_text(one)) for one in receipts} == {RECEIPT_TEXT_MAX}
    for at in (0, 1, 2047, 2048, GROUP_MAX - 1):
        assert verify_receipt(receipts[at], [KEY]) == contents[at]
    with pytest.raises(InvalidContentError):
        make_receipts([*contents, content(0)], SIGNER)
    with pytest.raises(InvalidContentError):
        make_receipts([], SIGNER)


@pytest.mark.parametrize("size", [1, 2, 5, 7])
def test_a_stranger_who_has_only_the_page_verifies_and_reads_them(size: int) -> None:
    contents = [content(serial) for serial in range(size)]
    texts = [to_text(one) for one in make_receipts(contents, SIGNER)]
    public_key = SIGNER.public_key.to_bytes()
    other = CountingSigner().public_key.to_bytes()
    for text, made in zip(texts, contents, strict=True):
        assert stranger.verifies(text, public_key)
        assert not stranger.verifies(text, other)
        read = stranger.fields(text)
        assert read == {
            "kind": 1,
            "issuer": 7,
            "key_number": 3,
            "at_ms": int(made.at.timestamp() * 1000),
            "scan_id": made.scan_id,
            "original_scan_id": NO_SCAN,
            "business_type": made.business_type,
            "amount_fen": made.amount_fen,
            "medium": made.medium.value,
            "presence": made.presence.value,
            "for_whom": made.for_whom.value,
            "pseudonym": made.pseudonym.hex(),
            "clerk": made.clerk.hex(),
            "terminal": made.terminal.hex(),
            "audit_seq": made.audit_seq,
            "audit_link": made.audit_link.hex(),
            "audit_chain": made.audit_chain,
            "institution_code": made.institution_code,
        }


@pytest.mark.parametrize("size", [1, 5])
def test_any_flipped_bit_is_refused(size: int) -> None:
    receipts = make_receipts([content(serial) for serial in range(size)], SIGNER)
    receipt = receipts[-1]
    for at in range(len(receipt)):
        changed = bytearray(receipt)
        changed[at] ^= 1 << at % 8
        with pytest.raises(InvalidReceiptError):
            verify_receipt(bytes(changed), [KEY])


@pytest.mark.parametrize("size", [1, 5])
def test_a_cut_or_lengthened_receipt_is_refused(size: int) -> None:
    receipt = make_receipts([content(serial) for serial in range(size)], SIGNER)[0]
    for data in [*(receipt[:end] for end in range(len(receipt))), receipt + b"\0", b"\0" + receipt]:
        with pytest.raises(InvalidReceiptError):
            verify_receipt(data, [KEY])


def test_a_receipt_does_not_verify_in_the_place_of_another_of_its_group() -> None:
    receipts = [read_receipt(one) for one in make_receipts([content(n) for n in range(4)], SIGNER)]
    first, second = receipts[0], receipts[1]
    moved = dataclasses.replace(first, index=1, path=second.path)
    with pytest.raises(sm2.InvalidSignatureError):
        KEY.public_key.verify(moved.signature, moved.to_be_signed())
    KEY.public_key.verify(first.signature, first.to_be_signed())


def test_a_node_of_the_tree_does_not_pass_for_a_content_nor_a_group_for_a_single() -> None:
    """Both contexts and both hash prefixes are apart: the same signature serves one form alone."""
    group = make_receipts([content(0), content(1)], SIGNER)[0]
    head, size = group[:3], group[2]
    alone = bytes((1, 1, size)) + group[3 : 3 + size] + group[-64:]
    with pytest.raises(InvalidReceiptError):
        verify_receipt(alone, [KEY])
    single = make_receipts([content(0)], SIGNER)[0]
    grouped = bytes((1, 2, single[2])) + single[3:-64] + bytes((0, 0, 0, 1)) + single[-64:]
    assert head[:1] == single[:1]
    with pytest.raises(InvalidReceiptError):
        verify_receipt(grouped, [KEY])


@pytest.mark.parametrize("state", KeyState)
def test_a_key_that_ended_verifies_for_good_and_a_revoked_or_future_one_never(
    state: KeyState,
) -> None:
    receipt = make_receipts([content()], SIGNER)[0]
    key = SIGNER.as_key(state)
    if state in (KeyState.ACTIVE, KeyState.VERIFY_ONLY):
        assert verify_receipt(receipt, [key]) == content()
    else:
        with pytest.raises(InvalidReceiptError):
            verify_receipt(receipt, [key])


@pytest.mark.parametrize(
    ("starts", "ends", "believed"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(seconds=60), timedelta(seconds=-60), True),
        (timedelta(seconds=60, milliseconds=1), timedelta(0), False),
        (timedelta(0), timedelta(seconds=-60, milliseconds=-1), False),
    ],
)
def test_a_key_verifies_what_it_signed_in_its_time(
    starts: timedelta, ends: timedelta, believed: bool
) -> None:
    receipt = make_receipts([content()], SIGNER)[0]
    key = dataclasses.replace(
        SIGNER.as_key(KeyState.VERIFY_ONLY), active_from=AT + starts, active_until=AT + ends
    )
    if believed:
        assert verify_receipt(receipt, [key]) == content()
    else:
        with pytest.raises(InvalidReceiptError):
            verify_receipt(receipt, [key])


@pytest.mark.parametrize("other", [{"issuer": 8}, {"number": 4}])
def test_the_key_is_the_one_that_the_receipt_names(other: dict[str, int]) -> None:
    receipt = make_receipts([content()], SIGNER)[0]
    stranger_key = CountingSigner().as_key()
    assert verify_receipt(receipt, [dataclasses.replace(stranger_key, **other), KEY]) == content()
    for keys in ([], [dataclasses.replace(KEY, **other)], [stranger_key]):
        with pytest.raises(InvalidReceiptError):
            verify_receipt(receipt, keys)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": 65536},
        {"key_number": 256},
        {"at": datetime(2026, 3, 2, 1, 30)},  # noqa: DTZ001 - a time without a zone is the point
        {"scan_id": NO_SCAN},
        {"scan_id": "0" * 31},
        {"scan_id": "0a " * 10 + "0a"},
        {"scan_id": "A" * 32},
        {"original_scan_id": "1" * 32},
        {"kind": ReceiptKind.REFUND},
        {"business_type": "1301"},
        {"business_type": "０1301"},
        {"amount_fen": -1},
        {"amount_fen": 1 << 24},
        {"pseudonym": bytes(15)},
        {"clerk": bytes(33)},
        {"terminal": bytes(7)},
        {"institution_code": ""},
        {"institution_code": "A" * 21},
        {"institution_code": "机构"},
        {"audit_chain": ""},
        {"audit_chain": "a" * 17},
        {"audit_seq": -1},
        {"audit_link": b""},
        {"audit_link": bytes(32)},
        {"audit_seq": 0},
    ],
)
def test_a_content_out_of_its_limits_makes_no_receipt(wrong: dict[str, object]) -> None:
    signer = CountingSigner()
    with pytest.raises(InvalidContentError):
        make_receipts([content(), content()._replace(**wrong)], signer)
    with pytest.raises(InvalidContentError):
        make_receipts([content()._replace(**wrong)], signer)
    assert signer.signed == 0


def test_the_first_receipt_comes_before_any_audit_event() -> None:
    early = content()._replace(audit_seq=0, audit_link=NO_EVENT)
    assert verify_receipt(make_receipts([early], SIGNER)[0], [KEY]) == early


def test_every_kind_medium_grade_and_bearer_comes_back() -> None:
    for kind in ReceiptKind:
        original = NO_SCAN if kind is ReceiptKind.SCAN else "ab" * 16
        for medium in Medium:
            for presence in Presence:
                for for_whom in ForWhom:
                    made = content()._replace(
                        kind=kind,
                        original_scan_id=original,
                        medium=medium,
                        presence=presence,
                        for_whom=for_whom,
                    )
                    assert read_receipt(make_receipts([made], SIGNER)[0]).content == made


@given(st.binary(max_size=RECEIPT_BYTES_MAX + 8))
@settings(max_examples=300, deadline=None)
def test_no_bytes_do_anything_but_be_refused(data: bytes) -> None:
    with pytest.raises(InvalidReceiptError):
        verify_receipt(data, [KEY])


@given(st.integers(0, 190), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_what_is_read_has_one_spelling(at: int, patch: bytes) -> None:
    """Contents that were patched are refused, or are just what their own fields encode to."""
    receipt = make_receipts([content()], SIGNER)[0]
    size = receipt[2]
    inside = receipt[3 : 3 + size]
    patched = (inside[:at] + patch + inside[at + len(patch) :])[:size]
    try:
        read = read_receipt(receipt[:3] + patched + receipt[3 + size :])
    except InvalidReceiptError:
        return
    assert encode(read.content) == patched


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "A",
        "AAAA=",
        "AA A",
        "AA\nAA",
        "AA/A",
        "ＡＡＡＡ",
        "AB",
        "A" * (RECEIPT_TEXT_MAX + 1),
    ],
)
def test_a_text_has_one_spelling(text: str) -> None:
    with pytest.raises(InvalidReceiptError):
        from_text(text)


def test_the_commitment_opens_to_the_same_words_and_salt_alone() -> None:
    salt = bytes(range(16))
    committed = commit_to_clerk("0042", "收费处", salt)
    assert committed == commit_to_clerk("0042", "收费处", salt)
    others = [
        commit_to_clerk("0043", "收费处", salt),
        commit_to_clerk("0042", "药房", salt),
        commit_to_clerk("0042收", "费处", salt),
        commit_to_clerk("", "0042收费处", salt),
        commit_to_clerk("0042", "收费处", bytes(16)),
        NO_CLERK,
    ]
    assert len({committed, *others}) == 7
    assert commit_to_clerk("", "", salt) == NO_CLERK
    # By hand, from the page: context, salt, and each word behind its length in bytes.
    by_hand = b"sscard/receipt-clerk/v1\0" + salt + b"\x040042" + b"\x09" + "收费处".encode()
    assert committed == stranger.digest(by_hand)
    for operator, department, used in [
        ("a" * 256, "", salt),
        ("", "a" * 256, salt),
        ("a", "", salt[1:]),
    ]:
        with pytest.raises(InvalidContentError):
            commit_to_clerk(operator, department, used)
