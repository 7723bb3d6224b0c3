"""The bundle as it is published, and what becomes of lists and bundle when keys change."""

import pytest
from bureau import ISSUER, SYSTEM, Bureau
from carrying import (
    Holding,
    activate_second_key,
    keys_of,
    latest_bundle,
    prepare,
    raw_bundle,
    register_second_key,
    rotate,
    today,
)
from phone import publisher_of, registered_phone, status_signer, with_offline_keys
from trusting import document, entry, pin, take

from card_core.bundles import OfflinePolicy, assemble_bundle, open_bundle
from card_core.codes import KeyPurpose, KeyState
from card_core.errors import (
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    WrongStateError,
)
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.issuer_keys import (
    RevocationCause,
    RevokeIssuerKey,
)
from card_core.kernel.acts.status import (
    PrepareBundle,
    PrepareStatusList,
    PublishBundle,
    SetOfflinePolicy,
)
from card_core.signing import NoSigningKeyError
from card_core.status_list import CredentialState, ListNotGenuineError
from card_core.store import bundles


def test_a_new_key_finishes_what_the_old_one_left(bureau: Bureau) -> None:
    person = bureau.person()
    phone = registered_phone(bureau, person, days=1)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    prepare(bureau)
    bureau.perform(PrepareBundle(ISSUER, 1), SYSTEM)
    rotate(bureau)
    publisher_of(bureau).round()
    holding = Holding(bureau)
    assert holding.state(phone) is CredentialState.SUSPENDED
    assert (holding.fetch().head.version, holding.fetch().head.key_number) == (1, 2)
    assert latest_bundle(bureau).head.version == 1
    assert latest_bundle(bureau).head.key_number == 2


def test_a_key_that_is_not_there_signs_nothing(bureau: Bureau) -> None:
    with pytest.raises(NotFoundError):
        prepare(bureau, key_number=7)
    with pytest.raises(NotFoundError):
        bureau.perform(PrepareBundle(ISSUER, 7), SYSTEM)
    with pytest.raises(NotAllowedError):
        bureau.perform(PrepareStatusList(2, 1, today(bureau)), SYSTEM)
    with pytest.raises(InvalidActError):
        bureau.perform(PrepareStatusList(ISSUER, 1, bureau.clock()), SYSTEM)


def test_the_bundle_says_what_the_store_says_and_follows_it(bureau: Bureau) -> None:
    publisher = publisher_of(bureau)
    publisher.round()
    first = latest_bundle(bureau)
    assert {key.purpose for key in first.content.keys} == {
        KeyPurpose.CODE_SIGNING,
        KeyPurpose.DEVICE_CREDENTIAL,
        KeyPurpose.STATUS,
        KeyPurpose.RECEIPT,
    }
    assert first.content.policy == OfflinePolicy(consumes=False)
    assert [one.day_ends_at for one in first.content.status_lists] == [today(bureau)]
    assert publisher.round() == 0
    policy = SetOfflinePolicy(consumes=True, count_max=2, amount_fen_max=5000)
    bureau.decide(policy, bureau.administrator)
    assert publisher.round() == 1
    second = latest_bundle(bureau, first)
    assert second.head.version == 2
    assert second.content.policy == OfflinePolicy(True, 2, 5000)
    bureau.decide(SetOfflinePolicy(False, 0, 0), bureau.administrator)
    register_second_key(bureau)
    assert publisher.round() == 1
    second = latest_bundle(bureau, second)
    activate_second_key(bureau)
    assert publisher.round() == 1
    third = latest_bundle(bureau, second)
    assert third.content.policy == OfflinePolicy()
    found = [key for key in third.content.keys if key.purpose is KeyPurpose.STATUS]
    assert [(key.number, key.state) for key in found] == [
        (1, KeyState.VERIFY_ONLY),
        (2, KeyState.ACTIVE),
    ]
    # The new key signed it; who had only the bundle before, where it was pending, believes it.
    assert third.head.key_number == 2
    assert open_bundle(raw_bundle(bureau), keys=second.content.keys, held=second) == third


def test_what_a_revoked_key_signed_is_issued_anew_at_once(bureau: Bureau) -> None:
    publisher, holding = publisher_of(bureau), Holding(bureau)
    publisher.round()
    holding.fetch()
    rotate(bureau)
    # The content of the bundle changed, so that it goes out; the lists may still be believed.
    assert publisher.round() == 1
    revoke = RevokeIssuerKey(KeyPurpose.STATUS, 1, RevocationCause.LEAKED)
    bureau.decide(revoke, bureau.administrator)
    with pytest.raises(ListNotGenuineError):
        holding.fetch()
    assert publisher.round() == 3
    assert holding.fetch().head.key_number == 2
    states = {
        key.number: key.state
        for key in latest_bundle(bureau).content.keys
        if key.purpose is KeyPurpose.STATUS
    }
    assert states == {1: KeyState.REVOKED, 2: KeyState.ACTIVE}


def test_without_a_key_that_signs_nothing_is_published(bureau: Bureau) -> None:
    with_offline_keys(bureau)
    bureau.decide(RevokeIssuerKey(KeyPurpose.STATUS, 1, RevocationCause.LOST), bureau.administrator)
    with pytest.raises(NoSigningKeyError):
        publisher_of(bureau).round()
    with pytest.raises(WrongStateError):
        prepare(bureau)


def test_the_trust_list_that_holds_is_carried_as_it_was_signed(bureau: Bureau) -> None:
    publisher_of(bureau).round()
    assert latest_bundle(bureau).content.trust_lists == ()
    pin(bureau)
    signed = document(bureau.clock(), entry())
    take(bureau, signed)
    assert publisher_of(bureau).round() == 1
    assert latest_bundle(bureau).content.trust_lists == (signed,)


def test_a_bundle_whose_signature_does_not_hold_is_not_published(bureau: Bureau) -> None:
    with_offline_keys(bureau)
    prepared = bureau.perform(PrepareBundle(ISSUER, 1), SYSTEM)
    message = bytes.fromhex(prepared["to_be_signed"])
    with pytest.raises(InvalidActError):
        bureau.perform(PublishBundle(ISSUER, 1, bytes(64)), SYSTEM)
    with pytest.raises(NotFoundError):
        bureau.perform(PublishBundle(ISSUER, 2, status_signer(bureau).sign(message)), SYSTEM)
    with bureau.store.read() as tx:
        assert bundles.published(tx, ISSUER) is None
    good = status_signer(bureau).sign(message)
    bureau.perform(PublishBundle(ISSUER, 1, good), SYSTEM)
    opened = open_bundle(assemble_bundle(message, good), keys=keys_of(bureau))
    assert opened == latest_bundle(bureau)


@pytest.mark.parametrize(
    ("consumes", "count_max", "amount_fen_max"),
    [(True, 0, 5), (False, 1, 0), (False, 0, 5), (True, 1001, 5), (True, 1, 1 << 24)],
)
def test_a_policy_at_odds_with_itself_is_refused(
    consumes: bool, count_max: int, amount_fen_max: int
) -> None:
    with pytest.raises(InvalidActError):
        SetOfflinePolicy(consumes, count_max, amount_fen_max)
