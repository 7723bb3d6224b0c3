"""Making: what is laid out is what is checked, and what no code can carry is refused."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_codes import (
    BOX,
    BOX_KEY,
    DAY_END,
    NOW,
    TERMINAL,
    RawCredential,
    RawOffline,
    RawOnline,
    at,
    code_keys,
    device_key,
    key_name,
    private_key,
)

from card_core import codes
from card_core.business_types import ALL_PURPOSES, BusinessType, HolderView, Purpose
from card_core.codes import (
    DeviceCredential,
    ForWhom,
    OfflineCode,
    OnlineCode,
    Presence,
    PurposeClass,
)
from crypto import sm2, sm3

RING = codes.KeyRing(code_keys())
SIGNATURE = bytes(range(64))
CODE_KEY = private_key(key_name("code_signing", 1, 1))
CREDENTIAL_KEY = private_key(key_name("device_credential", 1, 1))
DEVICE_KEY = private_key("device.a")

ONLINE = OnlineCode(
    issuer=1,
    key_number=1,
    minted_at=at(NOW),
    purpose_class=PurposeClass.ANY_USE,
    purposes=ALL_PURPOSES,
    box=BOX,
)
CREDENTIAL = DeviceCredential(
    issuer=1,
    key_number=1,
    expires_at=at(DAY_END),
    purpose_class=PurposeClass.IDENTIFY_ONLY,
    purposes=ALL_PURPOSES,
    status_index=5,
    device_key=device_key("device.a"),
)
OFFLINE = OfflineCode(
    credential=codes.assemble_credential(CREDENTIAL.to_be_signed(), SIGNATURE),
    minted_at=at(NOW),
    purpose_class=PurposeClass.IDENTIFY_ONLY,
    purposes=ALL_PURPOSES,
    nonce=bytes(8),
)

purposes = st.integers(1, ALL_PURPOSES.value).map(Purpose)
bindings = st.one_of(
    st.just((bytes(8), 0)),
    st.tuples(st.binary(min_size=8, max_size=8).filter(any), st.integers(0, codes.AMOUNT_FEN_MAX)),
)
seconds = st.integers(0, 2**32 - 1).map(at)


def signed(code: OnlineCode | OfflineCode, key: sm2.PrivateKey) -> str:
    message = code.to_be_signed()
    return codes.assemble(message, key.sign(message))


def asking_for(purpose: Purpose) -> BusinessType:
    """A business type that asks for this purpose and consumes nothing."""
    return BusinessType("00000", "", "", frozenset(), purpose, False, HolderView.YES_NO)


def check(text: str, code: OnlineCode | OfflineCode) -> codes.CheckedCode:
    """Check the code where and when it is good."""
    return codes.check(
        text,
        keys=RING,
        now=code.minted_at,
        business_type=asking_for(next(iter(code.purposes))),
        terminal=code.terminal,
        amount_fen=code.amount_fen or None,
    )


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    minted_at=seconds,
    purpose_class=st.sampled_from(PurposeClass),
    purposes=purposes,
    for_whom=st.sampled_from(ForWhom),
    presence=st.sampled_from(Presence),
    binding=bindings,
    box=st.binary(min_size=16, max_size=16),
)
def test_a_checked_online_code_says_what_was_put_in(
    binding: tuple[bytes, int], **fields: Any
) -> None:
    terminal, amount_fen = binding
    code = replace(ONLINE, terminal=terminal, amount_fen=amount_fen, **fields)
    text = signed(code, CODE_KEY)
    checked = check(text, code)
    assert len(text) == 253
    for name in OnlineCode.__slots__:
        assert getattr(checked, name) == getattr(code, name), name


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    expires_at=st.integers(86_400, 2**32 - 1).map(at),
    early=st.integers(0, 86_400),
    purposes=purposes,
    for_whom=st.sampled_from(ForWhom),
    presence=st.sampled_from(Presence),
    status_index=st.integers(0, 2**32 - 1),
    binding=bindings,
    nonce=st.binary(min_size=8, max_size=8),
)
def test_a_checked_offline_code_says_what_was_put_in(
    expires_at: datetime,
    early: int,
    binding: tuple[bytes, int],
    nonce: bytes,
    purposes: Purpose,
    **fields: Any,
) -> None:
    credential = replace(CREDENTIAL, expires_at=expires_at, purposes=purposes, **fields)
    message = credential.to_be_signed()
    terminal, amount_fen = binding
    code = OfflineCode(
        credential=codes.assemble_credential(message, CREDENTIAL_KEY.sign(message)),
        minted_at=expires_at - timedelta(seconds=early),
        purpose_class=PurposeClass.IDENTIFY_ONLY,
        purposes=purposes,
        nonce=nonce,
        terminal=terminal,
        amount_fen=amount_fen,
    )
    text = signed(code, DEVICE_KEY)
    checked = check(text, code)
    assert len(text) == 493
    assert checked.credential_expires_at == expires_at
    for name in ("for_whom", "presence", "status_index", "device_key"):
        assert getattr(checked, name) == getattr(credential, name), name
    for name in ("minted_at", "purpose_class", "purposes", "nonce", "terminal", "amount_fen"):
        assert getattr(checked, name) == getattr(code, name), name


def test_the_core_lays_out_the_same_bytes_as_one_does_by_hand() -> None:
    raw = RawOnline(flags=0b0101, terminal=TERMINAL, amount_fen=77)
    code = replace(
        ONLINE,
        for_whom=ForWhom.FAMILY,
        presence=Presence.BOUND_PHONE,
        terminal=TERMINAL,
        amount_fen=77,
    )
    assert code.to_be_signed() == raw.message()
    assert codes.assemble(raw.message(), SIGNATURE) == raw.text(SIGNATURE)
    raw_credential = RawCredential(flags=0, status_index=5)
    assert CREDENTIAL.to_be_signed() == raw_credential.message()
    raw_offline = RawOffline(raw_credential, nonce=bytes(8), credential_signature=SIGNATURE)
    assert OFFLINE.credential == raw_credential.signed(SIGNATURE)
    assert codes.assemble(OFFLINE.to_be_signed(), SIGNATURE) == raw_offline.text(SIGNATURE)


BAD_FIELDS: dict[str, list[object]] = {
    "issuer": [-1, 65_536, 1 << 80, "1", None, 1.0],
    "key_number": [-1, 256],
    "minted_at": [at(-1), at(2**32), datetime(2027, 1, 1)],  # noqa: DTZ001 - the fault
    "expires_at": [at(-1), at(2**32), datetime(2027, 1, 1)],  # noqa: DTZ001 - the fault
    "purpose_class": [0, 3, 256],
    "purposes": [Purpose(0)],
    "for_whom": [-1, 2, 3],
    "presence": [-1, 4],
    "terminal": [b"", bytes(7), bytes(9), "terminal"],
    "amount_fen": [-1, 1, codes.AMOUNT_FEN_MAX + 1],
    "box": [b"", bytes(15), bytes(17)],
    "nonce": [b"", bytes(7), bytes(9)],
    "status_index": [-1, 2**32],
    "device_key": [b"", bytes(33), b"\x04" + bytes(64), b"\x02" + b"\xff" * 32],
    "credential": [b"", bytes(113), OFFLINE.credential[:-1], OFFLINE.credential + b"\0"],
}


@pytest.mark.parametrize(
    ("code", "field", "value"),
    [
        pytest.param(code, field, value, id=f"{type(code).__name__}-{field}-{number}")
        for code in (ONLINE, CREDENTIAL, OFFLINE)
        for field in code.__slots__
        for number, value in enumerate(BAD_FIELDS[field])
    ],
)
def test_a_field_that_no_code_can_carry_is_refused_by_name(
    code: OnlineCode | DeviceCredential | OfflineCode, field: str, value: Any
) -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        replace(code, **{field: value}).to_be_signed()
    assert field in caught.value.field
    assert field in caught.value.message_zh
    assert isinstance(caught.value, ValueError)


def test_an_amount_is_bound_only_together_with_a_terminal() -> None:
    bound = replace(ONLINE, terminal=TERMINAL, amount_fen=codes.AMOUNT_FEN_MAX)
    assert check(signed(bound, CODE_KEY), bound).amount_fen == codes.AMOUNT_FEN_MAX
    with pytest.raises(codes.InvalidFieldError):
        replace(bound, terminal=codes.ANY_TERMINAL).to_be_signed()


def test_a_fraction_of_a_second_is_dropped() -> None:
    late = replace(ONLINE, minted_at=at(NOW) + timedelta(microseconds=999_999))
    assert late.to_be_signed() == ONLINE.to_be_signed()


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65), "s" * 64])
def test_a_signature_has_64_bytes(signature: Any) -> None:
    for assemble, message in (
        (codes.assemble, ONLINE.to_be_signed()),
        (codes.assemble_credential, CREDENTIAL.to_be_signed()),
    ):
        with pytest.raises(codes.InvalidFieldError) as caught:
            assemble(message, signature)
        assert caught.value.field == "signature"


def test_nothing_is_assembled_that_is_not_laid_out_here() -> None:
    online, credential = ONLINE.to_be_signed(), CREDENTIAL.to_be_signed()
    bad = [b"", online[1:], online[:-1], online + b"\0", credential, SIGNATURE]
    bad.append(online.replace(b"v1\n\x11", b"v1\n\x21"))
    for message in bad:
        with pytest.raises(codes.InvalidFieldError):
            codes.assemble(message, SIGNATURE)
    for message in (b"", online, credential[:-1], OFFLINE.to_be_signed()):
        with pytest.raises(codes.InvalidFieldError):
            codes.assemble_credential(message, SIGNATURE)


def test_a_box_opens_to_what_was_sealed_and_under_its_own_key_alone() -> None:
    for ecard_id in (0, 1, 2**63 - 1, 2**64 - 1):
        box = codes.seal_box(BOX_KEY, ecard_id, b"nonce..8")
        assert codes.open_box(BOX_KEY, box) == (ecard_id, b"nonce..8")
        assert codes.open_box(bytes(16), box) != (ecard_id, b"nonce..8")


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("box_key", (bytes(15), 1, bytes(8))),
        ("ecard_id", (BOX_KEY, -1, bytes(8))),
        ("ecard_id", (BOX_KEY, 2**64, bytes(8))),
        ("nonce", (BOX_KEY, 1, bytes(7))),
    ],
)
def test_what_can_not_be_sealed_is_refused(field: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        codes.seal_box(*arguments)
    assert caught.value.field == field


def test_what_can_not_be_opened_is_refused() -> None:
    for key, box in ((bytes(17), BOX), (BOX_KEY, bytes(15)), (BOX_KEY, bytes(17))):
        with pytest.raises(codes.InvalidFieldError):
            codes.open_box(key, box)


def test_codes_of_one_holder_have_nothing_in_common_but_the_head() -> None:
    """Same length, and no run of eight bytes behind the flags that two of them share."""
    seen: set[bytes] = set()
    for number in range(300):
        box = codes.seal_box(BOX_KEY, 4711, sm3.digest(number.to_bytes(4, "big"))[:8])
        text = signed(replace(ONLINE, box=box, minted_at=at(NOW + number)), CODE_KEY)
        assert len(text) == 253
        data = int(text[4:]).to_bytes(103, "big")[23:]
        runs = {data[start : start + 8] for start in range(len(data) - 7)}
        assert not runs & seen
        seen |= runs
