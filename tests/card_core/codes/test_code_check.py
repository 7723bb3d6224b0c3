"""Checking: what is accepted, when, with which keys, and that nothing else ever is."""

import random
import threading
from typing import Any

import make_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_codes import (
    BOX,
    CODE_REASONS,
    DAY_END,
    NOW,
    TERMINAL,
    RawCredential,
    RawOffline,
    RawOnline,
    at,
    code_keys,
    key_name,
    private_key,
    text_of,
)

from card_core import business_types, codes
from card_core.codes import CheckedCode, CodeKey, KeyPurpose, KeyRing, KeyState
from card_core.errors import CardCoreError
from card_core.verdicts import Reason
from tests.stranger.verifier import verify as verify_as_a_stranger

REGISTRATION = business_types.get("01101")
SETTLEMENT = business_types.get("01301")
RING_OF_ALL = KeyRing(code_keys())
ONLINE = RawOnline().signed()
OFFLINE = RawOffline().signed()


def check(text: str, **changes: Any) -> CheckedCode:
    against: dict[str, Any] = {
        "keys": RING_OF_ALL,
        "now": at(NOW),
        "business_type": REGISTRATION,
        "terminal": TERMINAL,
        "amount_fen": None,
        **changes,
    }
    return codes.check(text, **against)


def reason(text: str, **changes: Any) -> Reason:
    """The reason of the verdict, ACCEPTED where it is accepted."""
    try:
        check(text, **changes)
    except codes.RefusedError as refused:
        return refused.reason
    return Reason.ACCEPTED


def text_of_any(data: bytes) -> str:
    return text_of(data, 249 if len(data) == 103 else 489)


@pytest.mark.parametrize("signed", [ONLINE, OFFLINE], ids=["online", "offline"])
def test_any_flipped_bit_is_refused(signed: bytes) -> None:
    assert reason(text_of_any(signed)) is Reason.ACCEPTED
    number = int.from_bytes(signed, "big")
    for bit in range(8 * len(signed)):
        flipped = (number ^ 1 << bit).to_bytes(len(signed), "big")
        assert reason(text_of_any(flipped)) is not Reason.ACCEPTED, bit


@pytest.mark.parametrize("signed", [ONLINE, OFFLINE], ids=["online", "offline"])
def test_any_changed_digit_is_refused(signed: bytes) -> None:
    text = text_of_any(signed)
    for place, digit in enumerate(text):
        other = str((int(digit) + 1 + place % 9) % 10)
        changed = text[:place] + other + text[place + 1 :]
        assert changed != text
        assert reason(changed) is not Reason.ACCEPTED, place


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("terminal", b""),
        ("terminal", bytes(7)),
        ("terminal", bytes(9)),
        ("terminal", "12345678"),
        ("amount_fen", -1),
        ("amount_fen", 1 << 64),
        ("amount_fen", 1.0),
    ],
)
def test_a_value_that_can_not_be_is_the_callers_fault_and_no_verdict(
    field: str, value: object
) -> None:
    for text in (RawOnline().text(), "no code"):
        with pytest.raises(codes.InvalidFieldError) as caught:
            check(text, **{field: value})
        assert caught.value.field == field


@pytest.mark.parametrize(
    "text", ["", "\ud800", "7406\udfff", "\0" * 253, "7" * 10_000_000, "٧" * 253, "😀" * 512]
)
def test_any_text_is_refused_and_none_breaks_the_check(text: str) -> None:
    assert reason(text) is Reason.MALFORMED


@pytest.mark.parametrize("thing", [None, b"7406", 7406, ["7406"]])
def test_what_is_no_text_is_a_type_error(thing: object) -> None:
    with pytest.raises(TypeError):
        check(thing)  # type: ignore[arg-type]


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary(min_size=103, max_size=103) | st.binary(min_size=203, max_size=203))
def test_random_bytes_are_refused(data: bytes) -> None:
    assert reason(text_of_any(data)) is not Reason.ACCEPTED
    head = bytes([0x11 if len(data) == 103 else 0x12])
    assert reason(text_of_any(head + data[1:])) is not Reason.ACCEPTED


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(max_size=600), st.integers(0, 10**489 - 1))
def test_random_text_and_random_digits_are_refused(text: str, number: int) -> None:
    assert reason(text) is Reason.MALFORMED
    assert reason(f"7406{number:0489}") is not Reason.ACCEPTED
    assert reason(f"7406{number % 10**249:0249}") is not Reason.ACCEPTED


def random_code(chance: random.Random) -> RawOnline | RawOffline:
    """A code whose fields are often at or beyond a limit, genuinely signed."""

    def scope() -> dict[str, Any]:
        return {
            "purpose_class": chance.choice([1, 1, 2, 2, 2, 3]),
            "purposes": chance.choice([0x01FF, 0x01FF, 0x0003, 0x0001, 0x0002, 0x0200]),
        }

    def head(kind: int) -> dict[str, Any]:
        return {
            "version_kind": chance.choice([kind] * 20 + [kind ^ 3, kind | 0x20]),
            "issuer": chance.choice([1, 1, 1, 440, 2]),
            "key_number": chance.choice([1, 1, 1, 1, 2, 3, 4, 7, 8]),
            "flags": chance.choice([0, 1, 4, 5, 8, 13, 2, 16]),
        }

    own: dict[str, Any] = {
        "minted_at": NOW + chance.choice([0, 0, 0, -30, -91, -66, 6, 31, -65, 5]),
        "terminal": chance.choice([bytes(8), TERMINAL, TERMINAL, b"elsewher"]),
        "amount_fen": chance.choice([0, 0, 500, 501]),
        **scope(),
    }
    if chance.random() < 0.5:
        return RawOnline(**head(0x11), **own)
    expires_at = DAY_END + chance.choice([0, 0, 0, 86_400, -86_400])
    credential = RawCredential(**head(0x12), **scope(), expires_at=expires_at)
    return RawOffline(credential, **own)


def test_core_and_stranger_agree_on_random_codes() -> None:
    chance = random.Random(7406)
    keys, known_types = make_vectors.ring_json(), make_vectors.business_types_json()
    outcomes = set()
    for _ in range(1500):
        code = random_code(chance)
        business_type = chance.choice([REGISTRATION, SETTLEMENT])
        text = code.text()
        verdict = verify_as_a_stranger(
            text,
            keys=keys,
            now=NOW,
            business_type=business_type.code,
            terminal=TERMINAL,
            amount_fen=500,
            business_types=known_types,
        )
        expected = Reason(verdict.get("reason", "accepted"))
        assert reason(text, business_type=business_type, amount_fen=500) is expected, code
        outcomes.add(expected)
    # Every signature is genuine here.
    assert outcomes == {Reason.ACCEPTED, *CODE_REASONS} - {Reason.BAD_SIGNATURE}


def test_a_checked_code_says_what_was_signed() -> None:
    checked = check(RawOnline(flags=0b1101, terminal=TERMINAL, purposes=0x0009).text())
    assert checked.kind is codes.CodeKind.ONLINE
    assert checked.purpose_class is codes.PurposeClass.ANY_USE
    assert checked.purposes == (
        business_types.Purpose.MEDICAL_IDENTIFY | business_types.Purpose.WORK_INJURY
    )
    assert checked.for_whom is codes.ForWhom.FAMILY
    assert checked.presence is codes.Presence.CHIP_AND_PIN
    assert (checked.terminal, checked.amount_fen, checked.box) == (TERMINAL, 0, BOX)
    offline = check(RawOffline().text())
    assert offline.kind is codes.CodeKind.OFFLINE
    assert offline.credential_expires_at == at(DAY_END)
    assert offline.box is None


def test_threads_share_a_ring_and_get_their_own_answers() -> None:
    good, late = RawOnline().text(), RawOnline(minted_at=NOW - 500).text()
    wrong: list[int] = []

    def scan(text: str, expected: Reason) -> None:
        wrong.extend(1 for _ in range(300) if reason(text) is not expected)

    pairs = [(good, Reason.ACCEPTED), (late, Reason.EXPIRED)] * 2
    threads = [threading.Thread(target=scan, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_refusal_repeats_nothing_of_the_code() -> None:
    for text in (RawOnline(issuer=2).text(), "7406" + "1234567890" * 3):
        with pytest.raises(codes.RefusedError) as caught:
            check(text)
        shown = f"{caught.value} {caught.value!r} {caught.value.message_zh}"
        assert not any(text[at : at + 6] in shown for at in range(len(text) - 5))
        assert isinstance(caught.value, CardCoreError)


def one_key(**changes: Any) -> CodeKey:
    public_key = private_key(key_name("code_signing", 1, 1)).public_key()
    fields = {"issuer": 1, "number": 1, "public_key": public_key, "state": KeyState.ACTIVE}
    return CodeKey(**{**fields, **changes})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (KeyState.PENDING, Reason.KEY_NOT_ACTIVE),
        (KeyState.ACTIVE, Reason.ACCEPTED),
        (KeyState.VERIFY_ONLY, Reason.ACCEPTED),
        (KeyState.REVOKED, Reason.KEY_NOT_ACTIVE),
    ],
)
def test_the_state_of_the_key_decides(state: KeyState, expected: Reason) -> None:
    assert reason(RawOnline().text(), keys=KeyRing([one_key(state=state)])) is expected


def test_a_key_serves_its_own_purpose_alone() -> None:
    """The same key and numbers, declared for credentials, verify no code; and the reverse."""
    for_credentials = KeyRing([one_key(purpose=KeyPurpose.DEVICE_CREDENTIAL)])
    assert reason(RawOnline().text(), keys=for_credentials) is Reason.UNKNOWN_KEY
    credential_key = private_key(key_name("device_credential", 1, 1)).public_key()
    for_codes = KeyRing([one_key(public_key=credential_key)])
    assert reason(RawOffline().text(), keys=for_codes) is Reason.UNKNOWN_KEY


def test_a_ring_takes_every_key_that_there_is_and_keeps_those_of_codes() -> None:
    ring = KeyRing(
        one_key(purpose=purpose, public_key=private_key(purpose).public_key())
        for purpose in KeyPurpose
    )
    assert len(ring) == 2


def test_an_empty_ring_knows_no_key() -> None:
    assert len(KeyRing([])) == 0
    assert reason(RawOnline().text(), keys=KeyRing([])) is Reason.UNKNOWN_KEY


def test_keys_that_sign_no_codes_take_no_place_in_a_ring() -> None:
    receipts = [
        one_key(number=n % 256, issuer=n // 256, purpose=KeyPurpose.RECEIPT) for n in range(600)
    ]
    ring = KeyRing([*receipts, one_key()])
    assert len(ring) == 1
    assert reason(RawOnline().text(), keys=ring) is Reason.ACCEPTED


@pytest.mark.parametrize(
    "keys",
    [
        [one_key(), one_key(state=KeyState.REVOKED)],
        [one_key(), one_key(number=2, purpose=KeyPurpose.DEVICE_CREDENTIAL)],
        [one_key(issuer=-1)],
        [one_key(issuer=65_536)],
        [one_key(number=256)],
        [one_key(number=1.0)],
        [one_key(state="retired")],
        [one_key(purpose="something_else")],
        [one_key(number=number % 256, issuer=number // 256) for number in range(513)],
    ],
    ids=["twice", "shared", "negative", "issuer", "number", "float", "state", "purpose", "many"],
)
def test_keys_that_make_no_ring_are_refused(keys: list[CodeKey]) -> None:
    with pytest.raises(codes.InvalidFieldError):
        KeyRing(iter(keys))
