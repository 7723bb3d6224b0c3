"""Times: each second around every bound of both kinds of codes, and what a time may be."""

import itertools
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from raw_codes import (
    DAY_END,
    NOW,
    TERMINAL,
    RawCredential,
    RawOffline,
    RawOnline,
    at,
    code_keys,
)

from card_core import business_types, codes
from card_core.codes import CheckedCode, KeyRing
from card_core.verdicts import Reason

A, EARLY, LATE = Reason.ACCEPTED, Reason.NOT_YET_VALID, Reason.EXPIRED
DAY_EARLY, DAY_LATE = Reason.CREDENTIAL_NOT_YET_VALID, Reason.CREDENTIAL_EXPIRED

# Seconds after the code was minted; the answer to an online code, and to an offline one whose
# credential's day is from 57 600 s before to 28 800 s after.
GRID = {
    -(10**9): (EARLY, DAY_EARLY),
    -86_400: (EARLY, DAY_EARLY),
    -57_632: (EARLY, DAY_EARLY),
    -57_631: (EARLY, DAY_EARLY),
    -57_630: (EARLY, EARLY),
    -57_629: (EARLY, EARLY),
    -3_600: (EARLY, EARLY),
    -91: (EARLY, EARLY),
    -66: (EARLY, EARLY),
    -61: (EARLY, EARLY),
    -60: (EARLY, EARLY),
    -32: (EARLY, EARLY),
    -31: (EARLY, EARLY),
    -30: (EARLY, A),
    -29: (EARLY, A),
    -7: (EARLY, A),
    -6: (EARLY, A),
    -5: (A, A),
    -4: (A, A),
    -1: (A, A),
    0: (A, A),
    1: (A, A),
    4: (A, A),
    5: (A, A),
    6: (A, A),
    29: (A, A),
    30: (A, A),
    31: (A, A),
    59: (A, A),
    60: (A, A),
    61: (A, A),
    64: (A, A),
    65: (A, A),
    66: (LATE, A),
    67: (LATE, A),
    89: (LATE, A),
    90: (LATE, A),
    91: (LATE, LATE),
    92: (LATE, LATE),
    120: (LATE, LATE),
    3_600: (LATE, LATE),
    28_829: (LATE, LATE),
    28_830: (LATE, LATE),
    28_831: (LATE, DAY_LATE),
    28_832: (LATE, DAY_LATE),
    86_400: (LATE, DAY_LATE),
    10**9: (LATE, DAY_LATE),
}

RING = KeyRing(code_keys())
FORGETFUL = KeyRing(code_keys(), remembered_bytes_max=0)


def check(text: str, now: datetime, keys: KeyRing = RING) -> CheckedCode:
    against: dict[str, Any] = {"terminal": TERMINAL, "amount_fen": None}
    business_type = business_types.get("01101")
    return codes.check(text, keys=keys, now=now, business_type=business_type, **against)


def reason(text: str, now: datetime, keys: KeyRing = RING) -> Reason:
    try:
        check(text, now, keys)
    except codes.RefusedError as refused:
        return refused.reason
    return Reason.ACCEPTED


@pytest.mark.parametrize("keys", [RING, FORGETFUL], ids=["remembering", "forgetful"])
@pytest.mark.parametrize("late", GRID)
def test_each_second_has_its_answer(late: int, keys: KeyRing) -> None:
    online, offline = RawOnline().text(), RawOffline().text()
    for fraction in (0, 1, 999_999):
        now = at(NOW + late) + timedelta(microseconds=fraction)
        assert (reason(online, now, keys), reason(offline, now, keys)) == GRID[late]


def test_the_grid_has_forty_points_and_both_sides_of_each_bound() -> None:
    assert len(GRID) >= 40
    seconds = sorted(GRID)
    for kind in (0, 1):
        for before, after in itertools.pairwise(seconds):
            if GRID[before][kind] is not GRID[after][kind]:
                assert after - before == 1, (kind, before, after)


def test_the_credentials_day_is_exact_to_the_second() -> None:
    for late in [*range(-86_440, -86_420), *range(20, 41)]:
        now = DAY_END + late
        outcome = reason(RawOffline(minted_at=now).text(), at(now))
        if late < -86_430:
            assert outcome is DAY_EARLY, late
        elif late > 30:
            assert outcome is DAY_LATE, late
        else:
            assert outcome is A, late


def test_a_credential_that_is_remembered_grows_old_all_the_same() -> None:
    keys = KeyRing(code_keys())
    last = RawOffline(minted_at=DAY_END + 30).text()
    for _ in range(10):
        assert reason(last, at(DAY_END + 30), keys) is A
    assert keys.remembered == 1
    assert reason(last, at(DAY_END + 31), keys) is DAY_LATE
    assert reason(last, at(DAY_END - 86_431), keys) is DAY_EARLY


@pytest.mark.parametrize("minted_at", [0, 2**32 - 1])
def test_the_first_and_the_last_second_that_four_bytes_hold(minted_at: int) -> None:
    text = RawOnline(minted_at=minted_at).text()
    answers = {late: reason(text, at(minted_at + late)) for late in (-6, -5, 0, 65, 66)}
    assert answers == {-6: EARLY, -5: A, 0: A, 65: A, 66: LATE}
    assert check(text, at(minted_at)).minted_at == at(minted_at)
    credential = RawCredential(expires_at=minted_at)
    text = RawOffline(credential, minted_at=minted_at).text()
    answers = {late: reason(text, at(minted_at + late)) for late in (-31, -30, 30, 31)}
    assert answers == {-31: EARLY, -30: A, 30: A, 31: DAY_LATE}


def test_the_zone_of_the_time_makes_no_difference() -> None:
    text, last = RawOnline().text(), at(NOW + 65)
    shanghai = timezone(timedelta(hours=8))
    assert reason(text, last.astimezone(shanghai)) is A
    assert reason(text, (last + timedelta(seconds=1)).astimezone(shanghai)) is LATE
    assert check(text, last.astimezone(shanghai)).minted_at == at(NOW)
    assert check(text, last).minted_at.tzinfo is UTC


def test_a_time_without_a_zone_is_the_callers_fault() -> None:
    with pytest.raises(codes.InvalidFieldError) as caught:
        check(RawOnline().text(), datetime(2027, 1, 15, 8))  # noqa: DTZ001 - the fault
    assert caught.value.field == "now"
