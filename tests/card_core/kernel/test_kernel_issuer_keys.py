"""The life of an issuer's key through the kernel: two people, the table, the times, the events."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from bureau import ISSUER, KEY_NUMBER, SYSTEM, Bureau
from hypothesis import given
from hypothesis import strategies as st

from card_core import codes
from card_core.codes import CodeKey, KeyPurpose, KeyState, key_life, key_name
from card_core.codes.key_life import ACTIVATION_LEAD, OVERLAP, RING_AGE_SECONDS_MAX
from card_core.errors import (
    AlreadyExistsError,
    ApprovalNeededError,
    CardUnusableError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    TooEarlyError,
    WrongStateError,
)
from card_core.kernel.acts.issuer_keys import (
    ActivateIssuerKey,
    EndIssuerKey,
    RegisterIssuerKey,
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.signing import NoSigningKeyError, SigningKeys
from card_core.store import issuers, outbox
from card_core.verdicts import Reason
from crypto import sm2

CODES = KeyPurpose.CODE_SIGNING
SECOND = timedelta(seconds=1)
BEGINNING = datetime(2026, 3, 2, tzinfo=UTC)


def prepare(bureau: Bureau, number: int, purpose: KeyPurpose = CODES) -> None:
    signer = bureau.keys.make(key_name(purpose, ISSUER, number))
    point = signer.public_key.to_bytes(compressed=True)
    bureau.decide(
        RegisterIssuerKey(ISSUER, number, point, purpose), bureau.administrator, bureau.security
    )


def decide(bureau: Bureau, act: ActivateIssuerKey | EndIssuerKey | RevokeIssuerKey) -> None:
    bureau.decide(act, bureau.administrator, bureau.security)


def key(bureau: Bureau, number: int, purpose: KeyPurpose = CODES) -> CodeKey:
    with bureau.store.read() as tx:
        found = issuers.get_key(tx, ISSUER, number, purpose)
    assert found is not None
    return found


def number_of(bureau: Bureau, text: str) -> int:
    return bureau.checked(text, bureau.hospital, "01101").key_number


@pytest.mark.parametrize("purpose", KeyPurpose)
def test_a_key_goes_from_pending_to_the_end_for_every_purpose(
    bureau: Bureau, purpose: KeyPurpose
) -> None:
    first, second = (KEY_NUMBER, 2) if purpose is CODES else (2, 3)
    if purpose is not CODES:
        prepare(bureau, first, purpose)
        decide(bureau, ActivateIssuerKey(purpose, first))
        bureau.clock.now += ACTIVATION_LEAD
    prepare(bureau, second, purpose)
    signing = SigningKeys(bureau.store, bureau.keys, issuer=ISSUER, clock=bureau.clock)
    assert key(bureau, second, purpose).state is KeyState.PENDING
    assert signing.current(purpose).number == first
    decide(bureau, ActivateIssuerKey(purpose, second))
    assert key(bureau, first, purpose).state is KeyState.VERIFY_ONLY
    assert key(bureau, second, purpose).state is KeyState.ACTIVE
    bureau.clock.now += ACTIVATION_LEAD - SECOND
    assert signing.current(purpose).number == first
    bureau.clock.advance(1)
    assert signing.current(purpose).number == second
    with pytest.raises(TooEarlyError):
        decide(bureau, EndIssuerKey(purpose, first))
    bureau.clock.now += OVERLAP[purpose]
    with pytest.raises(TooEarlyError) as refused:
        decide(bureau, EndIssuerKey(purpose, first))
    assert refused.value.possible_at == bureau.clock.now
    assert f"{bureau.clock.now:%H:%M:%S}" in refused.value.message_zh
    bureau.clock.advance(1)
    decide(bureau, EndIssuerKey(purpose, first))
    assert key(bureau, first, purpose).state is KeyState.REVOKED
    with pytest.raises(WrongStateError):
        decide(bureau, EndIssuerKey(purpose, first))


def test_codes_follow_the_key_and_none_is_refused_on_the_way(bureau: Bureau) -> None:
    person = bureau.person()
    prepare(bureau, 2)
    before = bureau.minter.mint(person.holder_id).text
    decide(bureau, ActivateIssuerKey(CODES, 2))
    seen = []
    for _ in range(int(ACTIVATION_LEAD / SECOND) + 3):
        text = bureau.minter.mint(person.holder_id).text
        seen.append(number_of(bureau, text))
        assert bureau.scan(text)["outcome"] == "accepted"
        bureau.clock.advance(1)
    assert seen == [KEY_NUMBER] * 10 + [2] * 3
    assert bureau.scan(before)["outcome"] == "accepted"


def test_the_lead_is_longer_than_any_ring_may_be_old_and_the_overlap_than_any_code() -> None:
    """Why no good code is refused: who hasn't heard of the key answers nothing when it signs."""
    assert timedelta(seconds=RING_AGE_SECONDS_MAX) < ACTIVATION_LEAD
    usable = timedelta(seconds=codes.CODE_LIFE_SECONDS + codes.ONLINE_SKEW_SECONDS)
    assert usable < OVERLAP[CODES] <= usable + SECOND
    credential = timedelta(days=7, seconds=codes.CREDENTIAL_LIFE_SECONDS)
    assert OVERLAP[KeyPurpose.DEVICE_CREDENTIAL] > credential + usable
    assert set(OVERLAP) == set(KeyPurpose)


def test_an_activation_can_be_planned_and_is_never_sooner_than_everybody_can_know(
    bureau: Bureau,
) -> None:
    prepare(bureau, 2)
    now = bureau.clock()
    with pytest.raises(InvalidActError):
        decide(bureau, ActivateIssuerKey(CODES, 2, now + timedelta(days=32)))
    with pytest.raises(InvalidActError):
        ActivateIssuerKey(CODES, 2, now.replace(tzinfo=None))
    planned = now + timedelta(hours=6)
    decide(bureau, ActivateIssuerKey(CODES, 2, planned))
    assert (key(bureau, 1).signs_until, key(bureau, 2).signs_from) == (planned, planned)
    prepare(bureau, 3)
    with pytest.raises(TooEarlyError):
        decide(bureau, ActivateIssuerKey(CODES, 3))
    bureau.clock.now = planned
    decide(bureau, ActivateIssuerKey(CODES, 3, now))
    assert key(bureau, 3).signs_from == planned + ACTIVATION_LEAD


def test_a_revoked_key_signs_and_verifies_nothing_from_the_commit_on(bureau: Bureau) -> None:
    person = bureau.person()
    prepare(bureau, 2)
    text = bureau.minter.mint(person.holder_id).text
    decide(bureau, RevokeIssuerKey(CODES, 1, RevocationCause.LEAKED, successor=2))
    with pytest.raises(codes.RefusedError) as refused:
        number_of(bureau, text)
    assert refused.value.reason is Reason.KEY_NOT_ACTIVE
    with pytest.raises(CardUnusableError):
        bureau.minter.mint(person.holder_id)
    bureau.clock.now += ACTIVATION_LEAD
    assert number_of(bureau, bureau.minter.mint(person.holder_id).text) == 2
    with pytest.raises(WrongStateError):
        decide(bureau, RevokeIssuerKey(CODES, 1, RevocationCause.LEAKED))
    with pytest.raises(WrongStateError):
        decide(bureau, ActivateIssuerKey(CODES, 1))


def test_a_successor_takes_no_place_that_is_held(bureau: Bureau) -> None:
    prepare(bureau, 2)
    prepare(bureau, 3)
    with pytest.raises(InvalidActError):
        decide(bureau, RevokeIssuerKey(CODES, 2, RevocationCause.LOST, successor=3))
    with pytest.raises(NotFoundError):
        decide(bureau, RevokeIssuerKey(CODES, 1, RevocationCause.LOST, successor=9))
    assert [key(bureau, number).state.value for number in (1, 2, 3)] == [
        "active",
        "pending",
        "pending",
    ]


def test_no_key_is_registered_twice_or_for_two_purposes_or_for_somebody_else(
    bureau: Bureau,
) -> None:
    point = bureau.keys.code_signing.public_key.to_bytes(compressed=True)
    with pytest.raises(AlreadyExistsError):
        bureau.decide(
            RegisterIssuerKey(ISSUER, 9, point, KeyPurpose.STATUS),
            bureau.administrator,
            bureau.security,
        )
    fresh = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    for act, error in (
        (RegisterIssuerKey(ISSUER, KEY_NUMBER, fresh), AlreadyExistsError),
        (RegisterIssuerKey(ISSUER + 1, 1, fresh), NotAllowedError),
    ):
        with pytest.raises(error):
            bureau.decide(act, bureau.administrator, bureau.security)


def test_the_system_registers_only_the_first_key_of_a_purpose(bureau: Bureau) -> None:
    for number in (1, 2):
        point = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
        act = RegisterIssuerKey(ISSUER, number, point, KeyPurpose.STATUS)
        if number == 1:
            assert bureau.perform(act, SYSTEM)["state"] == "active"
        else:
            with pytest.raises(ApprovalNeededError):
                bureau.perform(act, SYSTEM)


def test_each_step_leaves_an_event_for_whoever_listens(bureau: Bureau) -> None:
    prepare(bureau, 2)
    decide(bureau, RevokeIssuerKey(CODES, 2, RevocationCause.PRECAUTION))
    events, after = [], 0
    with bureau.store.read() as tx:
        while page := outbox.page(tx, "bureau", after=after):
            events += [one for one in page if one.subject == "issuer_key/code_signing.1.2"]
            after = page[-1].seq
    assert [event.topic for event in events] == ["register_issuer_key", "revoke_issuer_key"]
    told = json.loads(events[-1].payload)
    assert (told["state"], told["cause"]) == ("revoked", "precaution")


def test_without_a_key_nothing_signs(bureau: Bureau) -> None:
    signing = SigningKeys(bureau.store, bureau.keys, issuer=ISSUER, clock=bureau.clock)
    with pytest.raises(NoSigningKeyError):
        signing.current(KeyPurpose.PEER)


@given(
    st.lists(st.integers(0, 600), min_size=0, max_size=6, unique=True).map(sorted),
    st.integers(-50, 700),
)
def test_at_every_instant_one_key_signs(starts: list[int], at_seconds: int) -> None:
    """However the hours of the activations lie, one key signs, and it is the last one begun."""
    public_key = sm2.PrivateKey.generate().public_key()
    edges = [None, *(BEGINNING + timedelta(seconds=start) for start in starts), None]
    keys = [
        CodeKey(
            1,
            number,
            public_key,
            KeyState.VERIFY_ONLY if until else KeyState.ACTIVE,
            CODES,
            since,
            until,
        )
        for number, (since, until) in enumerate(itertools.pairwise(edges))
    ]
    now = BEGINNING + timedelta(seconds=at_seconds)
    found = key_life.signing_key(keys, 1, CODES, now)
    assert found is not None
    assert found.number == sum(start <= at_seconds for start in starts)
    assert [one.number for one in keys if key_life.signs_at(one, now)] == [found.number]
