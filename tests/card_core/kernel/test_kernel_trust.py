"""Which trust list holds: by two people, from one authority, never an older one."""

from datetime import timedelta

import pytest
from bureau import ISSUER, Bureau, MemorySigner
from trusting import PROVINCE, document, entry, key, pin, take

from card_core.codes import KeyPurpose, key_name
from card_core.errors import AlreadyExistsError, ApprovalNeededError, InvalidActError
from card_core.kernel.acts.issuer_keys import RegisterIssuerKey
from card_core.kernel.acts.trust import ImportTrustList, PinTrustAuthority
from card_core.store import audit, trust
from card_core.trust import DOCUMENT_BYTES_MAX, TrustList, TrustListRefusedError
from crypto import sm2

STRANGER = MemorySigner(sm2.PrivateKey.generate())


def holding(bureau: Bureau) -> TrustList | None:
    with bureau.store.read() as tx:
        return trust.holding(tx, bureau.clock())


def why(bureau: Bureau, signed: bytes) -> str:
    with pytest.raises(TrustListRefusedError) as refused:
        take(bureau, signed)
    return refused.value.why


def test_a_list_of_the_authority_holds_until_it_expires(bureau: Bureau) -> None:
    pin(bureau)
    now = bureau.clock()
    take(bureau, document(now, entry(2, keys=(key(),)), days=3))
    found = holding(bureau)
    assert found is not None
    assert (found.edition, [one.number for one in found.issuers]) == (1, [2])
    with bureau.store.read() as tx:
        assert trust.entries(tx, now) == found.issuers
        assert trust.entries(tx, now + timedelta(days=3)) == ()
    bureau.clock.now += timedelta(days=3) - timedelta(seconds=1)
    assert holding(bureau) is not None
    bureau.clock.advance(1)
    assert holding(bureau) is None


def test_what_is_refused_changes_nothing(bureau: Bureau) -> None:
    pin(bureau)
    now = bureau.clock()
    first = document(now, entry(), edition=5)
    take(bureau, first)
    ours = key(bureau.keys.code_signing)
    refusals = {
        "bad_signature": document(now, entry(), edition=6, signer=STRANGER),
        "old_edition": document(now, entry(3), edition=5),
        "expired": document(now - timedelta(days=31), entry(), edition=6),
        "not_yet_valid": document(now + timedelta(minutes=6), entry(), edition=6),
        "malformed": b"{}",
    }
    assert {word: why(bureau, signed) for word, signed in refusals.items()} == {
        word: word for word in refusals
    }
    assert why(bureau, first) == "old_edition"
    assert why(bureau, document(now, entry(ISSUER), edition=6)) == "names_us"
    assert why(bureau, document(now, entry(3, keys=(ours,)), edition=6)) == "names_us"
    found = holding(bureau)
    assert found is not None
    assert (found.edition, found.issuers[0].number) == (5, 2)


def test_a_list_that_became_old_while_it_waited_is_refused(bureau: Bureau) -> None:
    pin(bureau)
    older, newer = (document(bureau.clock(), entry(), edition=edition) for edition in (1, 2))
    waiting = bureau.kernel.propose(
        ImportTrustList(older), actor=bureau.administrator, request_id="older"
    )
    take(bureau, newer)
    with pytest.raises(TrustListRefusedError) as refused:
        bureau.approve(waiting, bureau.security)
    assert refused.value.why == "old_edition"


def test_without_a_pinned_authority_only_our_own_lists_are_taken(bureau: Bureau) -> None:
    now = bureau.clock()
    assert why(bureau, document(now, entry())) == "bad_signature"
    own = bureau.keys.make(key_name(KeyPurpose.TRUST_LIST, ISSUER, 1))
    point = own.public_key.to_bytes(compressed=True)
    act = RegisterIssuerKey(ISSUER, 1, point, KeyPurpose.TRUST_LIST)
    bureau.decide(act, bureau.administrator, bureau.security)
    assert why(bureau, document(now, entry(), signer=own)) == "bad_signature"


def test_another_authority_ends_the_list_of_the_first(bureau: Bureau) -> None:
    pin(bureau)
    with pytest.raises(AlreadyExistsError):
        pin(bureau)
    take(bureau, document(bureau.clock(), entry(), edition=9))
    pin(bureau, STRANGER)
    assert holding(bureau) is None
    assert why(bureau, document(bureau.clock(), entry(), edition=10)) == "bad_signature"
    take(bureau, document(bureau.clock(), entry(), signer=STRANGER))
    assert holding(bureau) is not None


def test_trust_takes_two_people_and_the_approver_reads_what_it_is(bureau: Bureau) -> None:
    point = PROVINCE.public_key.to_bytes(compressed=True)
    for act in (PinTrustAuthority(point), PinTrustAuthority(None)):
        with pytest.raises(ApprovalNeededError):
            bureau.perform(act, bureau.administrator)
    pin(bureau)
    act = ImportTrustList(document(bureau.clock(), entry(2)))
    with bureau.store.read() as tx:
        summary = act.summary(tx)
        assert point.hex() in PinTrustAuthority(point).summary(tx)
    assert "2 邻市社保卡中心" in summary
    assert "edition 1 of 1 issuers" in summary
    with pytest.raises(InvalidActError):
        ImportTrustList(bytes(DOCUMENT_BYTES_MAX + 1))


def test_the_log_knows_every_version_of_the_trust_row(bureau: Bureau) -> None:
    pin(bureau)
    take(bureau, document(bureau.clock(), entry()))
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        assert audit.verify_rows(tx)
        assert trust.get(tx).version == 2
