"""Reversals: what was taken back never exceeds what was moved, whoever asks and however often."""

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bureau import Bureau, Clock, Person, receipt_keys, terminal_actor
from sqlalchemy import update

from card_core import receipts
from card_core.errors import (
    CardCoreError,
    IdempotencyConflictError,
    InvalidActError,
    NotFoundError,
    NotReversibleError,
    TamperedRowError,
)
from card_core.kernel import Answer
from card_core.kernel.acts.institutions import SuspendTerminal
from card_core.kernel.acts.reversals import ReverseScan
from card_core.receipts import NO_SCAN, ReceiptKind
from card_core.store import Store, audit, outbox, reversals, schema
from card_core.store.institutions import Terminal
from card_core.store.reversals import ReversalKind
from crypto import sm2

REFUND, RETURN, VOID = ReversalKind.REFUND, ReversalKind.RETURN, ReversalKind.VOID


def bought(bureau: Bureau, person: Person | None = None, amount_fen: int | None = 1000) -> str:
    text = bureau.minter.mint((person or bureau.person()).holder_id).text
    answer = bureau.scan(text, bureau.pharmacy, "02121", amount_fen=amount_fen)
    scan_id: str = answer["scan_id"]
    return scan_id


def reverse(
    bureau: Bureau,
    scan_id: str,
    kind: ReversalKind = REFUND,
    amount_fen: int | None = None,
    *,
    terminal: Terminal | None = None,
    request_id: str | None = None,
    **more: Any,
) -> Answer:
    act = ReverseScan(scan_id, kind, amount_fen, **more)
    return bureau.perform(act, terminal_actor(terminal or bureau.pharmacy), request_id)


def taken(bureau: Bureau, scan_id: str) -> list[Any]:
    with bureau.store.read() as tx:
        return [one.amount_fen for one in reversals.of_scan(tx, scan_id)]


def test_parts_are_refunded_up_to_what_was_paid_and_no_further(bureau: Bureau) -> None:
    scan_id = bought(bureau)
    assert reverse(bureau, scan_id, REFUND, 300)["left_fen"] == 700
    with pytest.raises(InvalidActError):
        reverse(bureau, scan_id, REFUND, 701)
    assert reverse(bureau, scan_id, RETURN, 700)["left_fen"] == 0
    for kind, amount in ((REFUND, 1), (RETURN, 1), (VOID, None)):
        with pytest.raises(NotReversibleError):
            reverse(bureau, scan_id, kind, amount)
    assert sorted(taken(bureau, scan_id)) == [300, 700]


def test_a_void_takes_all_of_it_once_and_only_where_nothing_went_back(bureau: Bureau) -> None:
    scan_id = bought(bureau)
    answer = reverse(bureau, scan_id, VOID)
    assert (answer["amount_fen"], answer["left_fen"]) == (1000, 0)
    for kind, amount in ((REFUND, 1), (RETURN, None), (VOID, None)):
        with pytest.raises(NotReversibleError):
            reverse(bureau, scan_id, kind, amount)
    partly = bought(bureau)
    reverse(bureau, partly, REFUND, 1)
    with pytest.raises(NotReversibleError):
        reverse(bureau, partly, VOID)
    assert taken(bureau, partly) == [1]


def test_medicine_without_money_is_returned_or_voided_once(bureau: Bureau) -> None:
    for kind in (RETURN, VOID):
        scan_id = bought(bureau, amount_fen=None)
        with pytest.raises(InvalidActError):
            reverse(bureau, scan_id, REFUND, 1)
        with pytest.raises(InvalidActError):
            reverse(bureau, scan_id, REFUND)
        answer = reverse(bureau, scan_id, kind)
        assert (answer["amount_fen"], answer["left_fen"]) == (None, None)
        with pytest.raises(NotReversibleError):
            reverse(bureau, scan_id, RETURN)
        assert taken(bureau, scan_id) == [None]


def test_a_voided_scan_does_not_make_its_code_good_again(bureau: Bureau) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    scan_id = bureau.scan(text, bureau.pharmacy, "02121", amount_fen=1000)["scan_id"]
    reverse(bureau, scan_id, VOID)
    assert bureau.scan(text, bureau.pharmacy, "02121", amount_fen=1000)["reason"] == "already_used"


def test_only_what_was_accepted_and_moved_something_is_taken_back(bureau: Bureau) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    registered = bureau.scan(text)["scan_id"]
    refused = bureau.scan(text, bureau.hospital, "01301", amount_fen=100)
    assert refused["reason"] == "already_used"
    for scan_id in (registered, refused["scan_id"]):
        for kind in (REFUND, RETURN, VOID):
            amount = None if kind is VOID else 1
            with pytest.raises(NotReversibleError):
                reverse(bureau, scan_id, kind, amount, terminal=bureau.hospital)


def test_another_institution_and_an_unknown_scan_are_told_the_same(bureau: Bureau) -> None:
    scan_id = bought(bureau)
    for target, terminal in ((scan_id, bureau.hospital), ("0" * 32, bureau.pharmacy)):
        with pytest.raises(NotFoundError) as caught:
            reverse(bureau, target, VOID, terminal=terminal)
        assert caught.value.thing == "scan"
    assert taken(bureau, scan_id) == []


def test_any_terminal_of_the_institution_takes_back_but_no_suspended_one(bureau: Bureau) -> None:
    scan_id = bought(bureau)
    public_key = sm2.PrivateKey.generate().public_key().to_bytes(compressed=True)
    other = bureau.enrol((0xD1).to_bytes(8), "P44060400002", public_key)
    assert reverse(bureau, scan_id, REFUND, 1, terminal=other)["left_fen"] == 999
    bureau.perform(SuspendTerminal(other.serial_number), bureau.administrator)
    with pytest.raises(CardCoreError):
        reverse(bureau, scan_id, REFUND, 1, terminal=other)
    assert taken(bureau, scan_id) == [1]


def test_the_period_ends_to_the_second(bureau: Bureau, clock: Clock) -> None:
    scan_id = bought(bureau)
    clock.advance(90 * 86400 - 1)
    assert reverse(bureau, scan_id, REFUND, 1)["left_fen"] == 999
    clock.advance(1)
    with pytest.raises(NotReversibleError):
        reverse(bureau, scan_id, REFUND, 1)


def test_a_retry_gets_the_same_answer_and_takes_nothing_more(bureau: Bureau) -> None:
    scan_id = bought(bureau)
    first = reverse(bureau, scan_id, REFUND, 400, request_id="refund-1")
    assert reverse(bureau, scan_id, REFUND, 400, request_id="refund-1") == first
    assert taken(bureau, scan_id) == [400]
    with pytest.raises(IdempotencyConflictError):
        reverse(bureau, scan_id, REFUND, 401, request_id="refund-1")


def test_refunds_that_race_never_exceed_what_was_paid(bureau: Bureau) -> None:
    scan_id = bought(bureau)

    def attempt(amount_fen: int) -> int:
        try:
            reverse(bureau, scan_id, REFUND, amount_fen)
        except (InvalidActError, NotReversibleError):
            return 0
        return amount_fen

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(attempt, [300] * 8))
    assert done == sum(one or 0 for one in taken(bureau, scan_id)) == 900


def test_whatever_is_asked_the_sums_hold(bureau: Bureau) -> None:
    """A random walk over kinds and amounts, against the rules written out once more."""
    drawn = random.Random(7)
    for _ in range(6):
        paid = drawn.randint(1, 500)
        scan_id, left, voided = bought(bureau, amount_fen=paid), paid, False
        for _ in range(12):
            kind = drawn.choice([REFUND, RETURN, VOID])
            amount = None if kind is VOID else drawn.randint(1, 300)
            if kind is VOID:
                allowed, back = left == paid and not voided, paid
            else:
                allowed, back = not voided and (amount or 0) <= left, amount or 0
            try:
                answer = reverse(bureau, scan_id, kind, amount)
            except (InvalidActError, NotReversibleError):
                assert not allowed
                continue
            assert allowed
            left -= back
            voided = voided or kind is VOID
            assert answer["left_fen"] == left >= 0
        assert sum(one or 0 for one in taken(bureau, scan_id)) == paid - left


def test_a_reversal_has_a_receipt_of_its_own_that_names_the_scan(bureau: Bureau) -> None:
    keys = receipt_keys(bureau.store)
    kinds = {REFUND: ReceiptKind.REFUND, RETURN: ReceiptKind.RETURN, VOID: ReceiptKind.VOID}
    for kind, of_receipt in kinds.items():
        scan_id = bought(bureau)
        amount = None if kind is VOID else 600
        answer = reverse(bureau, scan_id, kind, amount, operator="0042", department="till 3")
        content = receipts.verify_receipt(receipts.from_text(answer["receipt"]), keys)
        assert content.kind is of_receipt
        assert (content.scan_id, content.original_scan_id) == (answer["reversal_id"], scan_id)
        assert content.original_scan_id != NO_SCAN
        assert content.amount_fen == answer["amount_fen"] == (amount or 1000)
        assert (content.business_type, content.at) == ("02121", bureau.clock())
        salt = bytes.fromhex(answer["clerk_salt"])
        assert content.clerk == receipts.commit_to_clerk("0042", "till 3", salt)


def test_a_scans_amount_that_was_raised_in_the_database_is_not_refunded(
    bureau: Bureau, store: Store
) -> None:
    scan_id, other = bought(bureau), bought(bureau, amount_fen=90_000)
    with store.read() as tx:
        rich = tx.connection.execute(schema.scans.select().where(schema.scans.c.id == other)).one()
    for values in ({"amount_fen": 90_000}, {"amount_fen": 90_000, "receipt": rich.receipt}):
        with store.write() as tx:
            tx.connection.execute(
                update(schema.scans).where(schema.scans.c.id == scan_id).values(**values)
            )
        with pytest.raises(TamperedRowError):
            reverse(bureau, scan_id, REFUND, 50_000)
    assert taken(bureau, scan_id) == []


def test_the_log_counts_reversals_and_tells_of_them(bureau: Bureau, store: Store) -> None:
    person = bureau.person()
    scan_id = bought(bureau, person)
    answer = reverse(bureau, scan_id, REFUND, 1)
    with store.read() as tx:
        audit.verify_chain(tx, "scan")
        audit.verify_rows(tx)
        assert audit.verify_scans(tx) == 1
        event = outbox.page(tx, "scan")[-1]
    assert (event.topic, event.subject) == ("reverse_scan", f"card/{person.card_id}")
    assert answer["reversal_id"] in event.payload
    with store.write() as tx:
        tx.connection.execute(schema.reversals.delete())
    with store.read() as tx, pytest.raises(TamperedRowError):
        audit.verify_rows(tx)


def test_a_reversal_whose_amount_was_lowered_by_hand_stops_the_next_one(
    bureau: Bureau, store: Store
) -> None:
    scan_id = bought(bureau)
    reverse(bureau, scan_id, REFUND, 1000)
    with store.write() as tx:
        tx.connection.execute(update(schema.reversals).values(amount_fen=1))
    with pytest.raises(TamperedRowError):
        reverse(bureau, scan_id, REFUND, 999)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scan_id": "x"},
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 1 << 24},
        {"kind": VOID, "amount_fen": 1},
        {"operator": " 7"},
        {"department": "x" * 65},
    ],
)
def test_fields_out_of_their_limits_are_refused(wrong: dict[str, Any]) -> None:
    act = ReverseScan("0" * 32, REFUND, 1)
    with pytest.raises(InvalidActError):
        dataclasses.replace(act, **wrong)
