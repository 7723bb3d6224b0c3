"""Receipts of scans: who gets one, what it says, and what happens where none can be made."""

import json
from datetime import timedelta
from typing import Any

import pytest
from bureau import (
    ISSUER,
    KEY_NUMBER,
    RECEIPT_SIGNER,
    Bureau,
    Clock,
    MemoryKeys,
    make_grants,
    receipt_keys,
)
from sqlalchemy import delete, select, update

from card_core import receipts
from card_core.codes import KeyPurpose, KeyState, key_name
from card_core.codes.key_life import ACTIVATION_LEAD
from card_core.errors import TamperedRowError
from card_core.kernel import Kernel
from card_core.kernel.acts.issuer_keys import ActivateIssuerKey, RegisterIssuerKey
from card_core.receipts import InvalidReceiptError, ReceiptContent, ReceiptKey, ReceiptKind
from card_core.signing import NoSigningKeyError
from card_core.store import Store, Transaction, audit, guarded, issuers, scans, schema
from crypto import sm2
from crypto.keys import KeyProvider, Signer


def content_of(bureau: Bureau, answer: dict[str, Any]) -> ReceiptContent:
    return receipts.verify_receipt(
        receipts.from_text(answer["receipt"]), receipt_keys(bureau.store)
    )


class CountingSigner:
    """Counts the signatures of the receipt key."""

    def __init__(self) -> None:
        self.signed = 0

    @property
    def public_key(self) -> sm2.PublicKey:
        return RECEIPT_SIGNER.public_key

    def sign(self, message: bytes) -> bytes:
        self.signed += 1
        return RECEIPT_SIGNER.sign(message)


class OneKey(MemoryKeys):
    """Has one key that counts."""

    def __init__(self, counting: CountingSigner) -> None:
        super().__init__()
        self._counting = counting

    def signer(self, name: str) -> Signer:
        assert name == key_name(KeyPurpose.RECEIPT, ISSUER, KEY_NUMBER)
        return self._counting


def with_keys(bureau: Bureau, keys: KeyProvider) -> Bureau:
    """The bureau whose receipts are signed with these keys."""
    kernel = bureau.kernel
    other = Kernel(
        kernel.store,
        clock=kernel.clock,
        random_bytes=kernel.random_bytes,
        box_key_wrap=kernel.box_key_wrap,
        grants=make_grants(kernel.store, kernel.clock, keys=keys),
    )
    there = bureau.on(other, bureau.clock)
    there._requests = bureau._requests
    return there


def test_an_accepted_scan_has_a_receipt_that_says_what_was_recorded(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    answer = bureau.scan(
        text, bureau.pharmacy, "02121", amount_fen=4580, operator="0042", department="收费处"
    )
    content = content_of(bureau, answer)
    assert content.kind is ReceiptKind.SCAN
    assert content.scan_id == answer["scan_id"]
    assert content.at == bureau.clock()
    assert (content.business_type, content.amount_fen) == ("02121", 4580)
    assert content.institution_code == "P44060400002"
    assert content.terminal == bureau.pharmacy.serial_number
    assert content.medium.value == answer["medium"] == "online_code"
    assert content.pseudonym.hex() == answer["pseudonym"]
    salt = bytes.fromhex(answer["clerk_salt"])
    assert content.clerk == receipts.commit_to_clerk("0042", "收费处", salt)
    with bureau.store.read() as tx:
        scan = scans.get(tx, answer["scan_id"])
    assert scan is not None
    assert scan.receipt == receipts.from_text(answer["receipt"])


def test_a_receipt_holds_nothing_of_the_holder_and_no_clerks_name(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    answer = bureau.scan(text, bureau.pharmacy, "02121", operator="0042", department="till 3")
    data = receipts.from_text(answer["receipt"])
    for word in (person.number, person.name, person.sign_number, "0042", "till 3"):
        assert word.encode() not in data
    for row_id in (person.holder_id, person.card_id, bureau.pharmacy.id):
        assert bytes.fromhex(row_id) not in data


def test_the_same_holder_is_known_again_at_one_institution_and_not_at_another(
    bureau: Bureau,
) -> None:
    person, other = bureau.people(2)
    seen = {
        (one.holder_id, terminal.id): {
            bureau.scan(bureau.minter.mint(one.holder_id).text, terminal, business_type)[
                "pseudonym"
            ]
            for _ in range(2)
        }
        for one in (person, other)
        for terminal, business_type in ((bureau.hospital, "01101"), (bureau.pharmacy, "02121"))
    }
    assert all(len(pseudonyms) == 1 for pseudonyms in seen.values())
    assert len(set().union(*seen.values())) == 4


def test_a_refused_scan_has_no_receipt(bureau: Bureau) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    assert bureau.scan(text)["receipt"]
    refused = bureau.scan(text)
    assert [refused[one] for one in ("receipt", "pseudonym", "holder", "clerk_salt")] == [None] * 4
    with bureau.store.read() as tx:
        scan = scans.get(tx, refused["scan_id"])
    assert scan is not None
    assert scan.receipt is None


def test_a_group_costs_one_signature_and_each_receipt_verifies_by_itself(bureau: Bureau) -> None:
    counting = CountingSigner()
    bureau = with_keys(bureau, OneKey(counting))
    people = bureau.people(5)
    texts = [bureau.minter.mint(person.holder_id).text for person in people]
    group = [bureau.scan_request(text) for text in (*texts, texts[0])]
    answers = [json.loads(one) for one in bureau.kernel.record_scans(group)]  # type: ignore[arg-type]
    assert counting.signed == 1
    assert [one["outcome"] for one in answers] == [*["accepted"] * 5, "refused"]
    assert [content_of(bureau, one).scan_id for one in answers[:5]] == [
        one["scan_id"] for one in answers[:5]
    ]
    # A group of refused scans alone has nothing to sign.
    bureau.kernel.record_scans([bureau.scan_request(texts[0])])
    assert counting.signed == 1


def test_a_retry_gets_the_same_receipt(bureau: Bureau) -> None:
    request = bureau.scan_request(bureau.minter.mint(bureau.person().holder_id).text)
    first = bureau.kernel.record_scans([request])
    assert bureau.kernel.record_scans([request]) == first


def test_a_receipt_names_the_logs_head_before_it_and_shows_a_rewritten_log(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    with bureau.store.read() as tx:
        head = audit.head(tx, "scan")
    content = content_of(bureau, bureau.scan(bureau.minter.mint(person.holder_id).text))
    assert (content.audit_chain, content.audit_seq, content.audit_link) == ("scan", *head)
    with bureau.store.read() as tx:
        assert audit.head(tx, "scan")[0] == head[0] + 1


def test_without_an_active_receipt_key_nothing_is_recorded_or_spent(
    bureau: Bureau, store: Store, clock: Clock
) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    key_id = key_name(KeyPurpose.RECEIPT, ISSUER, KEY_NUMBER)
    for state, outcome in ((KeyState.REVOKED, None), (KeyState.ACTIVE, "accepted")):
        with store.write() as tx:
            guarded.change(tx, schema.issuer_keys, key_id, state=state.value)
        clock.advance(1)  # a signing key is known for a second
        if outcome is None:
            with pytest.raises(NoSigningKeyError):
                bureau.scan(text)
            with store.read() as tx:
                assert scans.count(tx) == 0
        else:
            assert bureau.scan(text)["outcome"] == outcome


def test_the_key_that_is_activated_signs_and_the_one_before_verifies_its_own(
    bureau: Bureau, clock: Clock
) -> None:
    keys = MemoryKeys()
    bureau = with_keys(bureau, keys)
    second = keys.make(key_name(KeyPurpose.RECEIPT, ISSUER, KEY_NUMBER + 1))
    point = second.public_key.to_bytes(compressed=True)
    before = bureau.scan(bureau.minter.mint(bureau.person().holder_id).text)
    by = (bureau.administrator, bureau.security)
    bureau.decide(RegisterIssuerKey(ISSUER, KEY_NUMBER + 1, point, KeyPurpose.RECEIPT), *by)
    bureau.decide(ActivateIssuerKey(KeyPurpose.RECEIPT, KEY_NUMBER + 1), *by)
    clock.advance(ACTIVATION_LEAD.total_seconds() + 1)
    after = bureau.scan(bureau.minter.mint(bureau.person().holder_id).text)
    assert content_of(bureau, after).key_number == KEY_NUMBER + 1
    assert content_of(bureau, before).key_number == KEY_NUMBER
    # Each key verifies what was signed in its time, and nothing else.
    with bureau.store.read() as tx:
        timed = [
            ReceiptKey.of(key)
            for key in issuers.keys(tx)
            if key.purpose is KeyPurpose.RECEIPT and key.issuer == ISSUER
        ]
    for answer in (before, after):
        receipts.verify_receipt(receipts.from_text(answer["receipt"]), timed)
    late = content_of(bureau, before)._replace(at=clock() + timedelta(minutes=2))
    (forged,) = receipts.make_receipts([late], RECEIPT_SIGNER)
    with pytest.raises(InvalidReceiptError):
        receipts.verify_receipt(forged, timed)


@pytest.mark.parametrize("edit", ["swap", "remove"])
def test_the_audit_sees_a_receipt_that_was_changed_in_the_database(
    bureau: Bureau, store: Store, edit: str
) -> None:
    people = bureau.people(2)
    answers = [bureau.scan(bureau.minter.mint(one.holder_id).text) for one in people]
    with store.read() as tx:
        audit.verify_scans(tx)
    other = receipts.from_text(answers[1]["receipt"]) if edit == "swap" else None
    with store.write() as tx:
        tx.connection.execute(
            update(schema.scans)
            .where(schema.scans.c.id == answers[0]["scan_id"])
            .values(receipt=other)
        )
    with store.read() as tx, pytest.raises(TamperedRowError):
        audit.verify_scans(tx)


def test_a_scan_is_not_lost_from_the_log_unseen(bureau: Bureau, store: Store) -> None:
    answer = bureau.scan(bureau.minter.mint(bureau.person().holder_id).text)
    with store.write() as tx:
        tx.connection.execute(delete(schema.scans).where(schema.scans.c.id == answer["scan_id"]))
    with store.read() as tx, pytest.raises(TamperedRowError):
        audit.verify_scans(tx)
    # The receipt in the drawer still proves that it was there.
    assert content_of(bureau, answer).scan_id == answer["scan_id"]


def test_a_holder_who_can_not_be_read_stops_no_other_and_loses_no_code(
    bureau: Bureau, store: Store
) -> None:
    spoiled, fine = bureau.people(2)
    texts = [bureau.minter.mint(person.holder_id).text for person in (spoiled, fine)]
    with store.write() as tx:
        right = tx.connection.execute(
            select(schema.holders.c.name).where(schema.holders.c.id == spoiled.holder_id)
        ).scalar_one()
        set_name(tx, spoiled.holder_id, bytes(len(right)))
    group = [bureau.scan_request(text) for text in texts]
    first, second = bureau.kernel.record_scans(group)
    assert isinstance(first, TamperedRowError)
    assert isinstance(second, bytes)
    assert json.loads(second)["outcome"] == "accepted"
    with store.write() as tx:
        set_name(tx, spoiled.holder_id, right)
    assert bureau.scan(texts[0])["reason"] == "accepted"


def set_name(tx: Transaction, holder_id: str, sealed: bytes) -> None:
    tx.connection.execute(
        update(schema.holders).where(schema.holders.c.id == holder_id).values(name=sealed)
    )
