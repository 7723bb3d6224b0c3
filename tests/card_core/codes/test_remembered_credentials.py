"""What a ring remembers of device credentials: it saves work, never a check.

The native core's own tests tell that the issuer's signature is not looked at again, when a table
comes and what makes room; here is what it means from outside.
"""

import threading
from typing import Any

import pytest
from raw_codes import (
    NOW,
    TERMINAL,
    N,
    RawCredential,
    RawOffline,
    RawOnline,
    at,
    code_keys,
    device_key,
    sign,
    text_of,
)

from card_core import business_types, codes
from card_core.codes import CodeKey, KeyPurpose, KeyRing, KeyState
from card_core.verdicts import Reason

ENTRY_BYTES = 320


def reason(text: str, keys: KeyRing) -> Reason:
    try:
        codes.check(
            text,
            keys=keys,
            now=at(NOW),
            business_type=business_types.get("01101"),
            terminal=TERMINAL,
            amount_fen=None,
        )
    except codes.RefusedError as refused:
        return refused.reason
    return Reason.ACCEPTED


def text(index: int, *, device: str = "device.a") -> str:
    """A code under the credential with this status index."""
    return RawOffline(RawCredential(status_index=index)).text(device=device)


def test_only_what_both_signatures_prove_is_remembered() -> None:
    keys = KeyRing(code_keys())
    good = RawOffline()
    forged = [
        text(1, device="device.b"),
        good.text(bytes(64)),
        RawOffline(credential_signature=bytes(64)).text(),
        RawOffline(credential_signature=sign("device.a", good.credential.message())).text(),
        RawOffline(RawCredential(device_key=device_key("device.b"))).text(),
        RawOnline().text(),
        "7406",
    ]
    for each in forged:
        reason(each, keys)
        assert (keys.remembered, keys.remembered_bytes) == (0, 0)
    assert reason(good.text(), keys) is Reason.ACCEPTED
    assert (keys.remembered, keys.remembered_bytes) == (1, ENTRY_BYTES)


@pytest.mark.parametrize("times", [1, 12], ids=["once", "often"])
def test_no_bit_of_a_code_may_change_once_its_credential_is_remembered(times: int) -> None:
    keys = KeyRing(code_keys())
    signed = RawOffline().signed()
    for _ in range(times):
        assert reason(text_of(signed, 489), keys) is Reason.ACCEPTED
    number = int.from_bytes(signed, "big")
    for bit in range(8 * len(signed)):
        changed = (number ^ 1 << bit).to_bytes(len(signed), "big")
        assert reason(text_of(changed, 489), keys) is not Reason.ACCEPTED, bit
    assert keys.remembered == 1


def test_another_signature_of_the_same_credential_is_checked_as_a_new_one() -> None:
    keys = KeyRing(code_keys())
    good = RawOffline()
    first = good.credential.signed()
    assert reason(RawOffline(credential_signature=first[-64:]).text(), keys) is Reason.ACCEPTED
    r, s = first[49:81], int.from_bytes(first[81:], "big")
    for other in (bytes(32) + first[81:], r + (N - s).to_bytes(32, "big"), first[81:] + r):
        altered = RawOffline(credential_signature=other).text()
        assert reason(altered, keys) is Reason.BAD_SIGNATURE
    assert keys.remembered == 1


@pytest.mark.parametrize("state", [KeyState.REVOKED, KeyState.PENDING])
def test_whoever_revokes_a_key_makes_a_ring_that_knows_nothing_of_it(state: KeyState) -> None:
    keys = code_keys()
    before = KeyRing(keys)
    good = text(1)
    assert reason(good, before) is Reason.ACCEPTED
    changed = [
        CodeKey(key.issuer, key.number, key.public_key, state, key.purpose)
        if (key.purpose, key.issuer, key.number) == (KeyPurpose.DEVICE_CREDENTIAL, 1, 1)
        else key
        for key in keys
    ]
    after = KeyRing(changed)
    assert after.remembered == 0
    assert reason(good, after) is Reason.KEY_NOT_ACTIVE
    gone = KeyRing([key for key in keys if key.purpose is KeyPurpose.CODE_SIGNING])
    assert reason(good, gone) is Reason.UNKNOWN_KEY


def test_the_same_number_with_another_key_behind_it_believes_nothing_of_the_old_one() -> None:
    good = text(1)
    assert reason(good, KeyRing(code_keys())) is Reason.ACCEPTED
    keys = {(key.purpose, key.issuer, key.number): key for key in code_keys()}
    other = keys[KeyPurpose.DEVICE_CREDENTIAL, 440, 1].public_key
    replaced = CodeKey(1, 1, other, KeyState.ACTIVE, KeyPurpose.DEVICE_CREDENTIAL)
    assert reason(good, KeyRing([replaced])) is Reason.BAD_SIGNATURE


def test_a_flood_of_forgeries_and_a_flood_of_the_genuine_stay_within_the_limit() -> None:
    keys = KeyRing(code_keys(), remembered_bytes_max=5 * ENTRY_BYTES)
    for index in range(8):
        assert reason(text(index), keys) is Reason.ACCEPTED
        assert keys.remembered == min(index + 1, 5)
        assert keys.remembered_bytes <= 5 * ENTRY_BYTES
    for index in range(100, 140):
        assert reason(text(index, device="device.b"), keys) is Reason.BAD_SIGNATURE
    assert (keys.remembered, keys.remembered_bytes) == (5, 5 * ENTRY_BYTES)


def test_a_ring_without_room_gives_the_same_answers() -> None:
    keys = KeyRing(code_keys(), remembered_bytes_max=0)
    for _ in range(10):
        assert reason(text(1), keys) is Reason.ACCEPTED
        assert reason(text(1, device="device.b"), keys) is Reason.BAD_SIGNATURE
    assert (keys.remembered, keys.remembered_bytes) == (0, 0)


def test_threads_that_share_a_ring_get_their_own_answers() -> None:
    keys = KeyRing(code_keys(), remembered_bytes_max=60_000)
    texts = {text(index): Reason.ACCEPTED for index in range(12)}
    texts |= {text(index, device="device.b"): Reason.BAD_SIGNATURE for index in range(12)}
    wrong: list[str] = []

    def scan() -> None:
        for _ in range(25):
            wrong.extend(each for each, answer in texts.items() if reason(each, keys) is not answer)

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 0 < keys.remembered_bytes <= 60_000


@pytest.mark.parametrize("limit", [-1, 1 << 64, "1", 1.0])
def test_a_limit_that_is_no_number_of_bytes_makes_no_ring(limit: Any) -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        KeyRing([], remembered_bytes_max=limit)
    assert caught.value.field == "remembered_bytes_max"
