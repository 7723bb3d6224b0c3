"""Visits without a store: their limits, which scans open one, tokens, and what a step spends."""

import base64

import pytest

from card_core import business_types
from card_core.business_types import PLACES
from card_core.visits import (
    HOURS_MAX,
    OPENS,
    TOKEN_TEXT_MAX,
    InvalidVisitTokenError,
    VisitPolicy,
    VisitTokens,
    opens_visit,
    step_nonce,
)

KEY = bytes(range(32))
VISIT, HERE, THERE = "ab" * 16, "0" * 31 + "1", "0" * 31 + "2"


def test_only_a_hospitals_registration_opens_a_visit_and_a_pharmacy_never_has_one() -> None:
    opening = {"01101", "01102", "01103", "91101"}
    for one in business_types.ALL:
        for place in PLACES:
            opens = bool(opens_visit(one, place))
            assert opens == (one.code in opening and place == "hospital"), (one.code, place)
    for steps in OPENS.values():
        assert "02121" not in steps
        assert all(business_types.get(code).places == {"hospital"} for code in steps)


def test_a_step_never_opens_what_is_wider_than_the_visit_it_belongs_to() -> None:
    for steps in OPENS.values():
        for code in steps & set(OPENS):
            assert OPENS[code] <= steps


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": 0},
        {"hours": HOURS_MAX + 1},
        {"steps_max": 0},
        {"steps_max": 201},
        {"consuming_max": -1},
        {"consuming_max": 41},
        {"amount_max_fen": -1},
        {"amount_max_fen": 10_000_001},
    ],
)
def test_a_policy_beyond_the_caps_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="visit"):
        VisitPolicy(**wrong)
    VisitPolicy(hours=HOURS_MAX, steps_max=200, consuming_max=200, amount_max_fen=10_000_000)


def test_a_token_opens_at_its_own_institution_alone() -> None:
    token = VisitTokens(KEY).make(VISIT, HERE)
    assert len(token) == TOKEN_TEXT_MAX
    assert VisitTokens(KEY).open(token, HERE) == VISIT
    for tokens, institution in ((VisitTokens(KEY), THERE), (VisitTokens(bytes(32)), HERE)):
        with pytest.raises(InvalidVisitTokenError):
            tokens.open(token, institution)


def test_any_flipped_bit_of_a_token_is_refused() -> None:
    tokens = VisitTokens(KEY)
    data = base64.urlsafe_b64decode(tokens.make(VISIT, HERE))
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidVisitTokenError):
            tokens.open(base64.urlsafe_b64encode(changed).decode(), HERE)


@pytest.mark.parametrize("text", ["", "A" * 43, "A" * 45, "A" * 43 + "=", "é" * 44, "A" * 44])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidVisitTokenError):
        VisitTokens(KEY).open(text, HERE)


def test_a_token_shows_nothing_of_its_visit() -> None:
    data = base64.urlsafe_b64decode(VisitTokens(KEY).make(VISIT, HERE))
    visit = bytes.fromhex(VISIT)
    assert not any(visit[at : at + 3] in data for at in range(len(visit) - 2))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_token_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        VisitTokens(bytes(size))


def test_each_visit_business_type_and_step_spends_a_nonce_of_its_own() -> None:
    nonces = {
        step_nonce(visit, business_type, step)
        for visit in (VISIT, "cd" * 16)
        for business_type in ("01301", "01302")
        for step in ("1", "2", "11", "bill-1")
    }
    assert len(nonces) == 16
    assert {len(nonce) for nonce in nonces} == {8}
    assert step_nonce(VISIT, "01301", "1") == step_nonce(VISIT, "01301", "1")
