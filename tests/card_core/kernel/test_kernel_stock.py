"""Taking over a bureau's card stock: what is released is what is made, and nothing is doubled."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from bureau import HOLDER_PASSWORD, Bureau
from sqlalchemy import select, update
from stock import import_stock, make_stock_card, released, take_over

from card_core.errors import (
    CardUnusableError,
    ContentChangedError,
    InvalidActError,
    NotFoundError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel.acts import stock as acts
from card_core.kernel.acts.batches import IssueChunk, ReleaseBatch
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    Evidence,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.stock import ImportStock, ReleaseStock, TakeOverChunk
from card_core.states import BatchKind, BatchState, CardState, ECardState
from card_core.store import audit, batches, cards, holders, schema, stock_cards
from card_core.store.batches import Batch
from card_core.store.cards import Card
from card_core.verdicts import Reason


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 4)


def batch_of(bureau: Bureau, stock_id: str) -> Batch:
    with bureau.store.read() as tx:
        batch = batches.get(tx, stock_id)
    assert batch is not None
    return batch


def card_of(bureau: Bureau, card_number: str) -> Card:
    with bureau.store.read() as tx:
        card = cards.find_by_card_number(tx, card_number)
    assert card is not None
    return card


def all_is_sound(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


def test_a_stock_becomes_cards_in_the_states_that_they_have(bureau: Bureau) -> None:
    states = list(CardState)
    stock = [make_stock_card(n, state=state) for n, state in enumerate(states)]
    imported = import_stock(bureau, *stock)
    assert (imported["accepted"], imported["refused"], imported["chunks"]) == (7, [], 2)
    assert batch_of(bureau, imported["stock_id"]).kind is BatchKind.STOCK
    assert bureau.approve(imported)["state"] == "released"
    taken = take_over(bureau, imported)
    assert [(one["taken"], one["refused"]) for one in taken] == [(4, 0), (3, 0)]
    batch = batch_of(bureau, imported["stock_id"])
    assert (batch.state, batch.accepted, batch.issued) == (BatchState.ISSUED, 7, 7)
    with bureau.store.read() as tx:
        for one in stock:
            card = cards.find_by_card_number(tx, one.card_number)
            holder = holders.find_by_number(tx, one.number.text)
            assert card is not None
            assert holder is not None
            assert (card.holder_id, card.state, card.region) == (holder.id, one.state, "440604")
            assert (card.issued_on, card.expires_on) == (date(2020, 5, 6), date(2030, 5, 6))
            assert (holder.name, holder.phone) == (one.name, one.phone)
            assert holder.birth_on == one.number.birth_on
            over = one.state is CardState.CANCELLED
            wanted = ECardState.CANCELLED if over else ECardState.NOT_ACTIVATED
            assert cards.ecard_of(tx, card.id).state is wanted
            content = stock_cards.content_of_card(tx, one.card_number)
            assert content is not None
            assert one.identification_code.encode() in content
    all_is_sound(bureau)


def test_e_cards_are_activated_on_the_cards_and_scanned_and_a_loss_counts(bureau: Bureau) -> None:
    normal, new = make_stock_card(1), make_stock_card(2, state=CardState.NOT_ACTIVATED)
    take_over(bureau, released(bureau, normal, new))
    bureau.perform(
        ActivateCard(card_of(bureau, new.card_number).id, Evidence.IDENTITY_DOCUMENT), bureau.maker
    )
    for one in (normal, new):
        card = card_of(bureau, one.card_number)
        bureau.perform(ActivateECard(card.id, bureau.hash(HOLDER_PASSWORD)), bureau.maker)
        text = bureau.minter.mint(card.holder_id).text
        assert bureau.scan(text)["reason"] == Reason.ACCEPTED
        before = bureau.minter.mint(card.holder_id).text
        bureau.perform(ReportTemporaryLoss(card.id), bureau.maker)
        assert bureau.scan(before)["reason"] == Reason.CARD_LOST


def test_a_loss_of_a_card_taken_over_is_pushed(bureau: Bureau) -> None:
    """Its first version is in use already: no copy of it outlives the answer to a loss."""
    pushed = []

    class Pusher:
        def push_card(self, ecard_id: int, version: int) -> None:
            pushed.append((ecard_id, version))

    take_over(bureau, released(bureau, make_stock_card(1)))
    card = card_of(bureau, make_stock_card(1).card_number)
    bureau.perform(ActivateECard(card.id, bureau.hash(HOLDER_PASSWORD)), bureau.maker)
    bureau.kernel.card_pusher = Pusher()
    try:
        bureau.perform(ReportTemporaryLoss(card.id), bureau.maker)
    finally:
        bureau.kernel.card_pusher = None
    with bureau.store.read() as tx:
        assert pushed == [(cards.ecard_of(tx, card.id).id, 4)]


def test_a_cancelled_card_mints_nothing(bureau: Bureau) -> None:
    take_over(bureau, released(bureau, make_stock_card(1, state=CardState.CANCELLED)))
    with pytest.raises(CardUnusableError):
        bureau.minter.mint(card_of(bureau, make_stock_card(1).card_number).holder_id)


def test_what_happens_between_release_and_taking_over_refuses_single_cards(
    bureau: Bureau,
) -> None:
    stock = [make_stock_card(n) for n in range(8)]
    imported = released(bureau, *stock)
    first = bureau.perform(TakeOverChunk(imported["stock_id"], 1), bureau.maker)
    assert first["taken"] == 4
    # Two people of the second chunk are in the base by now: one with another name.
    with bureau.store.write() as tx:
        from card_core.store import holder_base
        from card_core.store.holder_base import NewHolder

        people = [
            NewHolder(stock[5].number, "别名", ""),
            NewHolder(stock[6].number, stock[6].name, ""),
        ]
        ids = iter(["a" * 32, "b" * 32])
        there = holder_base.add_new(tx, people, lambda: next(ids), bureau.clock())
    second = bureau.perform(TakeOverChunk(imported["stock_id"], 2), bureau.maker)
    assert (second["taken"], second["refused"]) == (3, 1)
    again = bureau.perform(TakeOverChunk(imported["stock_id"], 2), bureau.maker)
    assert again == second
    batch = batch_of(bureau, imported["stock_id"])
    assert (batch.state, batch.issued, batch.accepted, batch.refused) == (
        BatchState.ISSUED,
        7,
        7,
        1,
    )
    with bureau.store.read() as tx:
        assert stock_cards.refusals(tx, batch.id, 10) == [(6, "name_differs")]
    assert card_of(bureau, stock[6].card_number).holder_id == there[stock[6].number.text]


def test_a_stock_waits_for_its_release_and_a_rejected_one_may_come_again(bureau: Bureau) -> None:
    stock = [make_stock_card(n) for n in range(3)]
    imported = import_stock(bureau, *stock)
    with pytest.raises(WrongStateError):
        take_over(bureau, imported)
    with pytest.raises(SamePersonError):
        bureau.approve(imported, bureau.maker)
    bureau.kernel.reject(imported["approval_id"], actor=bureau.checker, request_id="no")
    assert batch_of(bureau, imported["stock_id"]).state is BatchState.REJECTED
    with pytest.raises(WrongStateError):
        take_over(bureau, imported)
    assert import_stock(bureau, *stock)["accepted"] == 3


def test_a_stock_is_no_roster_and_a_roster_no_stock(bureau: Bureau) -> None:
    stock, roster = released(bureau, make_stock_card(1)), bureau.released_batch(1)
    root = batch_of(bureau, stock["stock_id"]).content_root
    with pytest.raises(NotFoundError):
        bureau.perform(IssueChunk(stock["stock_id"], 1), bureau.maker)
    with pytest.raises(NotFoundError):
        bureau.decide(ReleaseBatch(stock["stock_id"], root))
    with pytest.raises(NotFoundError):
        bureau.perform(TakeOverChunk(roster["batch_id"], 1), bureau.maker)
    with pytest.raises(NotFoundError):
        bureau.decide(ReleaseStock(roster["batch_id"], root))
    with bureau.store.read() as tx:
        assert stock["stock_id"] not in {one.id for one in batches.page(tx)}
        assert [one.id for one in batches.page(tx, kind=BatchKind.STOCK)] == [stock["stock_id"]]


def test_a_card_changed_after_the_release_is_never_made(bureau: Bureau) -> None:
    imported = released(bureau, *(make_stock_card(n) for n in range(5)))
    table = schema.stock_cards
    with bureau.store.write() as tx:
        rows = tx.connection.execute(
            select(table.c.id, table.c.content).order_by(table.c.position).limit(2)
        ).all()
        content = tx.cipher.open(table.name, "content", rows[0].id, rows[0].content)
        sealed = tx.cipher.seal(table.name, "content", rows[1].id, content)
        tx.connection.execute(update(table).where(table.c.id == rows[1].id).values(content=sealed))
    with pytest.raises(TamperedRowError):
        bureau.perform(TakeOverChunk(imported["stock_id"], 1), bureau.maker)
    root = batch_of(bureau, imported["stock_id"]).content_root
    other = import_stock(bureau, make_stock_card(20))
    with pytest.raises(ContentChangedError):
        bureau.decide(ReleaseStock(other["stock_id"], root))


def test_a_field_out_of_its_limits_is_refused() -> None:
    for make in (
        lambda: ImportStock("", bytes(32), (), 0),
        lambda: ImportStock("x", bytes(31), (), 0),
        lambda: ImportStock("x", bytes(32), (), -1),
        lambda: TakeOverChunk("0" * 32, 0),
        lambda: ReleaseStock("0" * 32, bytes(1)),
    ):
        with pytest.raises(InvalidActError):
            make()


def test_of_imports_of_one_stock_at_once_one_gets_it(bureau: Bureau) -> None:
    stock = [make_stock_card(n) for n in range(6)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: import_stock(bureau, *stock), range(4)))
    assert sorted(answer["accepted"] for answer in answers) == [0, 0, 0, 6]


def test_chunks_taken_over_all_at_once_are_taken_over_once(bureau: Bureau) -> None:
    stock = [make_stock_card(n) for n in range(14)]
    imported = released(bureau, *stock)
    numbers = [n for n in range(1, imported["chunks"] + 1) for _ in range(3)]

    def take(number: int) -> int:
        act = TakeOverChunk(imported["stock_id"], number)
        return int(bureau.perform(act, bureau.maker)["taken"])

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(take, numbers)) == 3 * 14
    batch = batch_of(bureau, imported["stock_id"])
    assert (batch.state, batch.issued) == (BatchState.ISSUED, 14)
    with bureau.store.read() as tx:
        made = cards.page(tx, batch_id=batch.id)
    assert len({card.holder_id for card in made}) == len(made) == 14
    all_is_sound(bureau)
