"""Taking over a bureau's card stock: what is released is what is made, and nothing is doubled."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from bureau import HOLDER_PASSWORD, Bureau, make_application, make_number
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from stock import import_stock, make_stock_card, released, take_over

from card_core.errors import (
    CardUnusableError,
    ContentChangedError,
    HolderRecordError,
    InvalidActError,
    NotFoundError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel.acts import stock as acts
from card_core.kernel.acts.batches import ImportRoster, IssueChunk, ReleaseBatch
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.holder_base import HolderEvidence, MergeHolders, seen_digest
from card_core.kernel.acts.stock import ImportStock, ReleaseStock, TakeOverChunk
from card_core.kernel.stock_reconciling import REFUSALS, reconcile
from card_core.states import BatchKind, BatchState, CardState, ECardState
from card_core.stock_card import StockCard
from card_core.store import audit, batches, cards, holders, schema, stock_cards
from card_core.store.batches import Batch
from card_core.store.cards import Card
from card_core.verdicts import Reason
from crypto import sm3


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


def codes(answer: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {one["row"]: one["code"] for one in answer["refused"]}


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


def test_each_row_is_reconciled_with_the_holder_base(bureau: Bureau) -> None:
    person = bureau.person()
    phone = make_application(0).phone
    applicants = bureau.next_applications(1)
    bureau.import_roster(applicants)
    waiting = make_stock_card(50)
    import_stock(bureau, waiting)
    old = make_stock_card(60)
    take_over(bureau, released(bureau, old))
    number = next(n for n in map(make_number, range(20)) if n.text == person.number)
    own = card_of_person(bureau, person.card_id)
    rows = [
        make_stock_card(0),
        # an earlier card of somebody known, who has a live one: only a cancelled card comes in
        make_stock_card(1, number=number, name=person.name, state=CardState.CANCELLED, phone=""),
        make_stock_card(2, number=number, name=person.name),
        make_stock_card(3, number=number, name="另一人", state=CardState.CANCELLED),
        make_stock_card(4, card_number=own.card_number),
        make_stock_card(5, number=applicants[0].number, name=applicants[0].name),
        make_stock_card(6, number=waiting.number, name=waiting.name),
        replace(waiting, row=8),
        replace(old, row=9),
        make_stock_card(9, card_number=old.card_number),
        make_stock_card(10, identification_code=old.identification_code),
        make_stock_card(0, row=12, card_number="ZS9999999"),
        make_stock_card(12, card_number=make_stock_card(0).card_number),
        make_stock_card(13, number=make_stock_card(0).number, name=make_stock_card(0).name),
        make_stock_card(14, number=make_stock_card(0).number, name="改名"),
        make_stock_card(15, phone=""),
        make_stock_card(16, number=waiting.number, name="别名", state=CardState.CANCELLED),
    ]
    answer = import_stock(bureau, *rows)
    assert codes(answer) == {
        3: "has_live_card",
        4: "name_differs",
        5: "card_number_taken",
        6: "has_open_application",
        7: "has_stock_card",
        8: "already_in_stock",
        9: "already_in_stock",
        10: "card_number_taken",
        11: "identification_code_taken",
        12: "identification_code_twice",
        13: "card_number_twice",
        14: "person_twice",
        15: "name_differs_in_file",
        17: "has_stock_card",
    }
    assert (answer["accepted"], answer["known_people"]) == (3, 1)
    assert answer["phone_differs"] == []
    assert phone  # the holder base keeps its own


def card_of_person(bureau: Bureau, card_id: str) -> Card:
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
    assert card is not None
    return card


def test_another_phone_is_noted_and_ours_stays(bureau: Bureau) -> None:
    person = bureau.person()
    number = next(n for n in map(make_number, range(20)) if n.text == person.number)
    row = make_stock_card(1, number=number, name=person.name, state=CardState.CANCELLED)
    imported = import_stock(bureau, row)
    assert imported["phone_differs"] == [2]
    with bureau.store.read() as tx:
        before = holders.get(tx, person.holder_id)
    bureau.approve(imported)
    take_over(bureau, imported)
    with bureau.store.read() as tx:
        assert holders.get(tx, person.holder_id) == before
    assert card_of(bureau, row.card_number).holder_id == person.holder_id


def test_two_cards_of_a_new_person_make_one_record(bureau: Bureau) -> None:
    live = make_stock_card(1)
    old = make_stock_card(
        2, number=live.number, name=live.name, state=CardState.CANCELLED, phone=""
    )
    far = [make_stock_card(n) for n in range(10, 13)]
    late = make_stock_card(
        3, number=live.number, name=live.name, state=CardState.CANCELLED, phone=""
    )
    take_over(bureau, released(bureau, old, live, *far, late))
    ids = {card_of(bureau, one.card_number).holder_id for one in (live, old, late)}
    assert len(ids) == 1
    with bureau.store.read() as tx:
        holder = holders.get(tx, ids.pop())
    assert holder is not None
    assert holder.phone == live.phone


def test_the_same_stock_twice_makes_no_second_one(bureau: Bureau) -> None:
    stock = [make_stock_card(n) for n in range(6)]
    imported = released(bureau, *stock)
    again = import_stock(bureau, *stock)
    assert (again["stock_id"], again["approval_id"], again["accepted"]) == (None, None, 0)
    assert set(codes(again).values()) == {"already_in_stock"}
    take_over(bureau, imported)
    assert set(codes(import_stock(bureau, *stock)).values()) == {"already_in_stock"}


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
        holder_base.add_all(tx, people, lambda: next(ids), bureau.clock())
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
    assert card_of(bureau, stock[6].card_number).holder_id == "b" * 32


def test_new_cards_never_get_a_number_that_a_stock_has(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        serial = tx.connection.execute(select(schema.issuers.c.next_card_serial)).scalar_one()
    stock = [
        make_stock_card(n, card_number=f"GD{serial + offset:07d}")
        for n, offset in enumerate((0, 1, 3, 7))
    ]
    imported = released(bureau, *stock)
    made = {card.card_number for card in bureau.issued_cards(4)}
    assert made == {f"GD{serial + offset:07d}" for offset in (2, 4, 5, 6)}
    take_over(bureau, imported)
    (next_one,) = bureau.issued_cards(1)
    assert next_one.card_number == f"GD{serial + 8:07d}"
    assert codes(import_stock(bureau, make_stock_card(9, card_number=next_one.card_number))) == {
        10: "card_number_taken"
    }


def test_who_has_a_card_in_a_stock_does_not_apply_and_is_not_merged(bureau: Bureau) -> None:
    one = make_application(4_100_001)
    import_stock(bureau, make_stock_card(1, number=one.number, name=one.name))
    act = ImportRoster("名册", sm3.digest(b"roster"), (one,), 0)
    assert codes(bureau.perform(act, bureau.maker)) == {one.row: "has_stock_card"}
    person, gone = bureau.people(2)
    bureau.decide(CancelCard(gone.card_id, CancelReason.MADE_IN_ERROR))
    number = next(n for n in map(make_number, range(20)) if n.text == gone.number)
    import_stock(
        bureau, make_stock_card(2, number=number, name=gone.name, state=CardState.CANCELLED)
    )
    with bureau.store.read() as tx:
        pair = [holders.get(tx, p.holder_id) for p in (person, gone)]
        seen = seen_digest(tx, *(p for p in pair if p is not None))
    merge = MergeHolders(person.holder_id, gone.holder_id, HolderEvidence.IDENTITY_DOCUMENT, seen)
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(merge)
    assert error.value.code == "stock_card_open"


def test_a_card_of_a_merged_record_is_not_taken_over(bureau: Bureau) -> None:
    person, gone = bureau.people(2)
    bureau.decide(CancelCard(gone.card_id, CancelReason.MADE_IN_ERROR))
    with bureau.store.read() as tx:
        pair = [holders.get(tx, p.holder_id) for p in (person, gone)]
        seen = seen_digest(tx, *(p for p in pair if p is not None))
    bureau.decide(
        MergeHolders(person.holder_id, gone.holder_id, HolderEvidence.IDENTITY_DOCUMENT, seen)
    )
    number = next(n for n in map(make_number, range(20)) if n.text == gone.number)
    row = make_stock_card(1, number=number, name=gone.name)
    assert codes(import_stock(bureau, row)) == {2: "record_merged"}


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


ROWS = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.sampled_from(list(CardState))
    ),
    max_size=12,
)


@given(rows=ROWS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_accepted_can_be_made(
    bureau: Bureau, rows: list[tuple[int, int, int, CardState]]
) -> None:
    """However people, card numbers and chips are mixed: good rows break no rule of the tables."""
    stock = [
        make_stock_card(
            number,
            row=at,
            state=state,
            number=make_stock_card(person).number,
            name=make_stock_card(person).name,
            identification_code=make_stock_card(chip).identification_code,
        )
        for at, (person, number, chip, state) in enumerate(rows, 1)
    ]
    with bureau.store.read() as tx:
        found = list(reconcile(tx, stock))
    good: list[StockCard] = [one.card for one in found if one.refusal is None]
    assert {one.refusal for one in found} <= {None, *REFUSALS}
    assert len({one.card_number for one in good}) == len(good)
    assert len({one.identification_code for one in good}) == len(good)
    live = [one.number.text for one in good if one.is_live]
    assert len(set(live)) == len(live)
    # Everything that was left out shares something with what was kept, and nothing is lost.
    assert len(found) == len(stock)
    assert not stock or good
