"""Acts between a card's number and its holder's hand: what is bound, refused, and done once."""

from dataclasses import replace

import pytest
from bureau import Bureau
from card_making import MAKER, CardIssuer, card_issuer
from sqlalchemy import func, select, update

from card_core.codes import KeyPurpose
from card_core.errors import (
    ContentChangedError,
    InvalidActError,
    NotAllowedError,
    ReturnRefusedError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel.acts import making as acts
from card_core.kernel.acts.banking import (
    AccountReturned,
    CloseBankReturn,
    OpenBankReturn,
    SendToBank,
    TakeBankReturn,
)
from card_core.kernel.acts.cards import ActivateCard, CancelCard, CancelReason, Evidence
from card_core.kernel.acts.handing_over import DispatchCards, HandOverCard, ReworkCards
from card_core.kernel.acts.issuer_keys import RevocationCause, RevokeIssuerKey
from card_core.kernel.acts.maker_returns import (
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.kernel.acts.makers import ChangeMakerKey, RegisterMaker, SuspendMaker
from card_core.kernel.acts.making import OrderMaking, WithdrawOrder
from card_core.signing import NoSigningKeyError
from card_core.states import MakingState, OrderState
from card_core.store import cards, making_orders, makings, schema
from card_core.store.making_orders import OrderChunk
from card_core.store.makings import Chip, Making
from crypto import sm2
from issuance.card_files import ChunkPlace, prepare_chunk
from issuance.making.personalising import split_records
from issuance.making.preparing import sign_chunks

BANK = "102"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "ORDER_CHUNK_SIZE", 2)


@pytest.fixture
def issuer(bureau: Bureau) -> CardIssuer:
    return card_issuer(bureau)


def ledger(issuer: CardIssuer, order_id: str) -> list[OrderChunk]:
    with issuer.bureau.store.read() as tx:
        return making_orders.chunks(tx, order_id)


def to_be_signed(issuer: CardIssuer, order_id: str, number: int) -> bytes:
    """From what stands in the ledger."""
    with issuer.bureau.store.read() as tx:
        chunk = making_orders.chunk(tx, order_id, number)
        assert chunk
        content = making_orders.records_of(tx, chunk)
    assert content
    return prepare_chunk(ChunkPlace(1, 1, order_id, number), split_records(content)).to_be_signed


def sent(issuer: CardIssuer, order_id: str) -> None:
    """All chunks prepared, signed, and the file written."""
    for chunk in ledger(issuer, order_id):
        issuer.prepare(order_id, chunk.number)
        issuer.sign(order_id, chunk.number, to_be_signed(issuer, order_id, chunk.number))
    issuer.send(order_id)


def number_of(issuer: CardIssuer, making: Making) -> str:
    with issuer.bureau.store.read() as tx:
        card = cards.get(tx, making.card_id)
    assert card
    return card.card_number


def chip(serial: int) -> Chip:
    return Chip(f"440604D156000005{serial:08X}", f"{serial:026X}")


def returned(issuer: CardIssuer, found: list[Making], **failed: str) -> tuple[CardReturned, ...]:
    """All of an order made, but those whose record `f<number>` has a reason."""
    outcomes = []
    for one in found:
        number = one.record_number
        assert number
        reason = failed.get(f"f{number}")
        made = None if reason else chip(number)
        outcomes.append(CardReturned(number, number_of(issuer, one), made, reason))
    return tuple(outcomes)


def take(issuer: CardIssuer, order_id: str, outcomes: tuple[CardReturned, ...]) -> dict[str, int]:
    """All of a return at once; what came of its rows, and the order's state."""
    perform, maker = issuer.bureau.perform, issuer.bureau.maker
    perform(OpenMakerReturn(order_id, bytes(32)), maker)
    taken = perform(TakeMakerReturn(order_id, bytes(32), outcomes), maker)
    closed = perform(CloseMakerReturn(order_id, bytes(32)), maker)
    return taken | {"state": closed["state"]}


def states(issuer: CardIssuer, batch_id: str) -> list[str]:
    return [one.state.code for one in issuer.makings(batch_id)]


def test_who_gets_holders_data_takes_two_people(issuer: CardIssuer) -> None:
    bureau = issuer.bureau
    point = sm2.PrivateKey.generate().public_key().to_bytes()
    for act in (RegisterMaker("M02", "另一卡商", point), ChangeMakerKey(MAKER, point)):
        proposed = bureau.kernel.propose(act, actor=bureau.administrator, request_id=act.act)
        with pytest.raises(SamePersonError):
            bureau.approve(proposed, bureau.administrator)
    order = OrderMaking(issuer.issued_batch(1), MAKER, 1, skips_bank=True)
    with pytest.raises(NotAllowedError):
        bureau.approve(
            bureau.kernel.propose(order, actor=bureau.maker, request_id="o"), bureau.administrator
        )


def test_a_chunk_prepared_again_changes_nothing_and_has_the_same_bytes(
    issuer: CardIssuer,
) -> None:
    batch_id, order_id = issuer.ordered_batch(5)
    assert [chunk.size for chunk in ledger(issuer, order_id)] == [2, 2, 1]
    first = issuer.prepare(order_id, 2)
    message, before = to_be_signed(issuer, order_id, 2), issuer.makings(batch_id)
    assert issuer.prepare(order_id, 2) == first
    assert to_be_signed(issuer, order_id, 2) == message
    assert issuer.makings(batch_id) == before
    # withdrawn and ordered anew, the same cards have the same keys and elements
    issuer.bureau.perform(WithdrawOrder(order_id), issuer.bureau.maker)
    assert states(issuer, batch_id) == ["21", "21", "23", "23", "21"]
    again = issuer.order(batch_id, 2, skips_bank=False)
    issuer.prepare(again)
    with issuer.bureau.store.read() as tx:
        (chunk,) = making_orders.chunks(tx, again)
        content = making_orders.records_of(tx, chunk)
    assert content
    old = [record[5:] for record in split_records(content)]
    assert len(old) == 2
    assert [number for _, number in place_of(issuer, batch_id)] == [1, 2]


def place_of(issuer: CardIssuer, batch_id: str) -> list[tuple[int, int]]:
    found = [one for one in issuer.makings(batch_id) if one.state is MakingState.AT_MAKER]
    return [(one.position, one.record_number or 0) for one in found]


def test_the_first_signature_is_kept_and_only_the_orders_key_signs(issuer: CardIssuer) -> None:
    _, order_id = issuer.ordered_batch(2)
    with pytest.raises(WrongStateError):
        issuer.sign(order_id, 1, b"nothing is written down yet")
    issuer.prepare(order_id)
    with pytest.raises(InvalidActError):
        issuer.sign(order_id, 1, b"something else")
    message = to_be_signed(issuer, order_id, 1)
    assert issuer.sign(order_id, 1, message)["kept"] == 1
    (kept,) = ledger(issuer, order_id)
    assert issuer.sign(order_id, 1, message)["kept"] == 0
    assert ledger(issuer, order_id) == [kept]


def test_nothing_of_an_order_that_was_withdrawn_is_signed(issuer: CardIssuer) -> None:
    _, order_id = issuer.ordered_batch(2)
    issuer.prepare(order_id)
    message = to_be_signed(issuer, order_id, 1)
    issuer.bureau.perform(WithdrawOrder(order_id), issuer.bureau.maker)
    with pytest.raises(WrongStateError):
        issuer.sign(order_id, 1, message)
    with pytest.raises(WrongStateError):
        issuer.send(order_id)


def test_no_file_is_noted_before_every_chunk_is_signed(issuer: CardIssuer) -> None:
    _, order_id = issuer.ordered_batch(3)
    issuer.prepare(order_id, 1)
    issuer.sign(order_id, 1, to_be_signed(issuer, order_id, 1))
    with pytest.raises(WrongStateError):
        issuer.send(order_id)


def test_nothing_leaves_under_a_key_that_was_revoked(issuer: CardIssuer) -> None:
    batch_id, order_id = issuer.ordered_batch(1)
    issuer.prepare(order_id)
    message = to_be_signed(issuer, order_id, 1)
    issuer.sign(order_id, 1, message)
    revoke = RevokeIssuerKey(KeyPurpose.CARD_ISSUING, 1, RevocationCause.LEAKED)
    issuer.bureau.decide(revoke, issuer.bureau.administrator)
    for again in (lambda: issuer.sign(order_id, 1, message), lambda: issuer.send(order_id)):
        with pytest.raises(NoSigningKeyError):
            again()
    issuer.bureau.perform(WithdrawOrder(order_id), issuer.bureau.maker)
    assert states(issuer, batch_id) == ["23"]


def test_cards_of_an_order_stay_as_they_are_until_it_is_prepared(issuer: CardIssuer) -> None:
    batch_id, order_id = issuer.ordered_batch(2)
    bureau, (first, _) = issuer.bureau, issuer.makings(batch_id)
    for act in (
        ActivateCard(first.card_id, Evidence.IDENTITY_DOCUMENT),
        HandOverCard(first.card_id),
        SendToBank(batch_id, BANK, 2, bytes(32)),
    ):
        with pytest.raises(WrongStateError):
            bureau.perform(act, bureau.maker)
    with pytest.raises(WrongStateError):
        issuer.order(batch_id, 2)
    issuer.prepare(order_id)
    with pytest.raises(WrongStateError):
        bureau.perform(ActivateCard(first.card_id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
    assert states(issuer, batch_id) == ["24", "24"]


def test_an_approval_is_for_as_many_cards_as_were_read(issuer: CardIssuer) -> None:
    bureau, batch_id = issuer.bureau, issuer.issued_batch(2)
    act = OrderMaking(batch_id, MAKER, 2, skips_bank=True)
    proposed = bureau.kernel.propose(act, actor=bureau.maker, request_id="o")
    gone = issuer.makings(batch_id)[0].card_id
    bureau.decide(CancelCard(gone, CancelReason.MADE_IN_ERROR))
    with pytest.raises(ContentChangedError):
        bureau.approve(proposed)
    assert issuer.order(batch_id, 1)


def test_a_suspended_maker_gets_nothing(issuer: CardIssuer) -> None:
    bureau = issuer.bureau
    batch_id, order_id = issuer.ordered_batch(1)
    issuer.prepare(order_id)
    issuer.sign(order_id, 1, to_be_signed(issuer, order_id, 1))
    bureau.perform(SuspendMaker(MAKER), bureau.checker)
    with pytest.raises(WrongStateError):
        issuer.send(order_id)
    other = issuer.issued_batch(1)
    with pytest.raises(WrongStateError):
        issuer.order(other, 1)
    assert states(issuer, batch_id) == ["24"]


def test_a_card_made_at_the_counter_is_handed_over_as_it_is(issuer: CardIssuer) -> None:
    bureau, batch_id = issuer.bureau, issuer.issued_batch(2)
    first, second = issuer.makings(batch_id)
    bureau.perform(ActivateCard(first.card_id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
    bureau.perform(ActivateCard(second.card_id, Evidence.EMPLOYER_COLLECTS), bureau.maker)
    assert states(issuer, batch_id) == ["32", "33"]


def test_a_return_that_does_not_fit_changes_nothing(issuer: CardIssuer) -> None:
    batch_id, order_id = issuer.ordered_batch(4)
    sent(issuer, order_id)
    good = returned(issuer, issuer.makings(batch_id), f3="01")
    wrong = {
        "other_card": replace(good[3], card_number="GD9999999"),
        "other_region": replace(good[3], chip=Chip("110101" + "D" * 18, "0" * 26)),
        "code_taken": replace(good[3], chip=good[0].chip),
        "unknown": replace(good[3], number=5),
    }
    for reason, last in wrong.items():
        with pytest.raises(ReturnRefusedError) as caught:
            take(issuer, order_id, (*good[:3], last))
        assert (caught.value.reason, caught.value.number) == (reason, last.number)
    assert states(issuer, batch_id) == ["24"] * 4

    assert take(issuer, order_id, good[:2])["made"] == 2
    answer = take(issuer, order_id, good)
    assert (answer["made"], answer["failed"], answer["known"]) == (1, 1, 2)
    assert answer["state"] == OrderState.ANSWERED
    assert states(issuer, batch_id) == ["25", "25", "85", "25"]
    with pytest.raises(ReturnRefusedError) as caught:
        take(issuer, order_id, (replace(good[0], chip=None, reason="99"),))
    assert caught.value.reason == "other_outcome"
    with issuer.bureau.store.read() as tx:
        assert makings.chip_of(tx, issuer.makings(batch_id)[1]) == chip(2)
        kept = tx.connection.execute(select(schema.making_chunks.c.content)).scalars()
        assert set(kept) == {None}


def test_a_late_return_for_a_card_in_another_order_is_refused(issuer: CardIssuer) -> None:
    batch_id, order_id = issuer.ordered_batch(2)
    sent(issuer, order_id)
    late = returned(issuer, issuer.makings(batch_id))[:1]
    take(issuer, order_id, returned(issuer, issuer.makings(batch_id), f1="01", f2="02"))
    issuer.bureau.perform(ReworkCards(batch_id), issuer.bureau.maker)
    with pytest.raises(ReturnRefusedError) as caught:
        take(issuer, order_id, late)
    assert caught.value.reason == "not_waiting"
    issuer.order(batch_id, 2, skips_bank=False)
    assert states(issuer, batch_id) == ["23", "23"]


def test_a_banks_return_is_taken_once_and_whole(issuer: CardIssuer) -> None:
    bureau, batch_id = issuer.bureau, issuer.issued_batch(3)
    found = issuer.makings(batch_id)
    outcomes = [
        AccountReturned(one.position, number_of(issuer, one), f"{one.position:04d}", None)
        for one in found
    ]
    outcomes[1] = replace(outcomes[1], last_digits=None, reason="08")

    def returns(*some: AccountReturned, bank: str = BANK) -> dict[str, int]:
        bureau.perform(OpenBankReturn(batch_id, BANK, bytes(32)), bureau.maker)
        try:
            return take(*some, bank=bank)
        finally:
            bureau.perform(CloseBankReturn(batch_id, BANK, bytes(32)), bureau.maker)

    def take(*some: AccountReturned, bank: str) -> dict[str, int]:
        return bureau.perform(TakeBankReturn(batch_id, bank, bytes(32), some), bureau.maker)

    with pytest.raises(ReturnRefusedError) as caught:
        returns(*outcomes)
    assert caught.value.reason == "not_waiting"
    with pytest.raises(ContentChangedError):
        bureau.perform(SendToBank(batch_id, BANK, 2, bytes(32)), bureau.maker)
    for _ in range(2):  # lost on its way, and written again
        assert bureau.perform(SendToBank(batch_id, BANK, 3, bytes(32)), bureau.maker)["sent"] == 3
    with pytest.raises(ContentChangedError):
        returns(*outcomes, bank="103")
    with pytest.raises(ReturnRefusedError):
        returns(*outcomes[:2], replace(outcomes[2], card_number="GD9999999"))
    assert states(issuer, batch_id) == ["22"] * 3
    for counts in ((2, 1, 0), (0, 0, 3)):
        answer = returns(*outcomes)
        assert (answer["opened"], answer["failed"], answer["known"]) == counts
    assert states(issuer, batch_id) == ["23", "80", "23"]
    for other in (replace(outcomes[0], last_digits="9999"), replace(outcomes[1], reason="01")):
        with pytest.raises(ReturnRefusedError) as caught:
            returns(other)
        assert caught.value.reason == "other_outcome"
    bureau.perform(ReworkCards(batch_id), bureau.maker)
    assert states(issuer, batch_id) == ["23", "21", "23"]


def test_only_what_is_made_goes_to_its_own_branch(issuer: CardIssuer) -> None:
    bureau = issuer.bureau
    batch_id, order_id = issuer.ordered_batch(2)
    sent(issuer, order_id)
    take(issuer, order_id, returned(issuer, issuer.makings(batch_id), f2="01"))
    branch = issuer.makings(batch_id)[0].branch
    for place, count in (("999", 0), (branch, 1), (branch, 0)):
        done = bureau.perform(DispatchCards(batch_id, place), bureau.maker)
        assert done["dispatched"] == count
    assert states(issuer, batch_id) == ["31", "85"]


@pytest.mark.parametrize(("table", "column"), [("makings", "branch"), ("cards", "region")])
def test_a_card_whose_row_was_changed_by_hand_is_not_prepared(
    issuer: CardIssuer, table: str, column: str
) -> None:
    batch_id, order_id = issuer.ordered_batch(2)
    rows = schema.metadata.tables[table]
    with issuer.bureau.store.write() as tx:
        last = select(func.max(rows.c.id)).where(rows.c.batch_id == batch_id).scalar_subquery()
        tx.connection.execute(update(rows).where(rows.c.id == last).values({column: "440699"}))
    with pytest.raises(TamperedRowError):
        issuer.prepare(order_id)


@pytest.mark.parametrize("column", ["positions", "first_number", "root", "content"])
def test_a_ledger_that_was_changed_by_hand_is_not_signed(issuer: CardIssuer, column: str) -> None:
    _, order_id = issuer.ordered_batch(2)
    issuer.prepare(order_id)
    table = schema.making_chunks
    with issuer.bureau.store.write() as tx:
        value = tx.connection.execute(select(table.c[column])).scalar_one()
        other = value + 1 if isinstance(value, int) else value[:-1] + bytes([value[-1] ^ 1])
        tx.connection.execute(update(table).values({column: other}))
    with pytest.raises(TamperedRowError):
        sign_what_is_prepared(issuer, order_id)


def sign_what_is_prepared(issuer: CardIssuer, order_id: str) -> None:
    with issuer.bureau.store.read() as tx:
        order, chunks = making_orders.get(tx, order_id), making_orders.chunks(tx, order_id)
    assert order
    sign_chunks(issuer.bureau.kernel, order, chunks, actor=issuer.bureau.maker)
