"""Each card of a stock is compared with the holder base, other stocks and the rows before it."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
from bureau import Bureau, make_application, make_number
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from stock import import_stock, make_stock_card, released, take_over

from card_core.errors import (
    HolderRecordError,
)
from card_core.kernel import Answer
from card_core.kernel.acts import stock as acts
from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
)
from card_core.kernel.acts.holder_base import HolderEvidence, MergeHolders, seen_digest
from card_core.kernel.stock_reconciling import REFUSALS, reconcile
from card_core.states import CardState
from card_core.stock_card import StockCard
from card_core.store import applications, cards, holders, issuers, schema
from card_core.store.cards import Card
from crypto import sm3

# As long as somebody who should wait is given to go ahead instead.
OVERTAKING_SECONDS = 1


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 4)


def card_of(bureau: Bureau, card_number: str) -> Card:
    with bureau.store.read() as tx:
        card = cards.find_by_card_number(tx, card_number)
    assert card is not None
    return card


def codes(answer: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {one["row"]: one["code"] for one in answer["refused"]}


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


def test_a_number_that_a_released_batch_has_taken_is_taken(bureau: Bureau) -> None:
    batch = bureau.released_batch(2)
    with bureau.store.read() as tx:
        issuer = issuers.required(tx)
    last, free = (issuer.card_number(issuer.next_card_serial - less) for less in (1, 0))
    answer = import_stock(
        bureau, make_stock_card(1, card_number=last), make_stock_card(2, card_number=free)
    )
    assert codes(answer) == {2: "card_number_taken"}
    issued = bureau.perform(IssueChunk(batch["batch_id"], 1), bureau.maker)
    assert issued["issued"] == 2
    bureau.approve(answer)
    take_over(bureau, answer)
    assert [card_of(bureau, one).card_number for one in (last, free)] == [last, free]


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


def test_new_cards_never_get_a_number_that_a_stock_has(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        serial = tx.connection.execute(select(schema.issuers.c.next_card_serial)).scalar_one()
    stock = [
        make_stock_card(n, card_number=f"GD{serial + offset:07d}")
        for n, offset in enumerate((0, 1, 3, 7))
    ]
    imported = released(bureau, *stock)
    made = {card.card_number for card in bureau.issued_cards(4)}
    # A batch's numbers follow each other: the first four in a row that no stock has.
    assert made == {f"GD{serial + offset:07d}" for offset in (8, 9, 10, 11)}
    take_over(bureau, imported)
    (next_one,) = bureau.issued_cards(1)
    assert next_one.card_number == f"GD{serial + 12:07d}"
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


def test_a_stock_that_overtakes_a_roster_with_the_same_person_makes_no_second_card(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole take-over comes while the roster is being imported: it waits, and is refused."""
    person = make_application(4_300_000)
    row = make_stock_card(1, number=person.number, name=person.name)
    add_all = applications.add_all

    def import_and_take() -> list[Answer]:
        """SQLite lets nobody in before the roster is stored: the row is refused at once there."""
        imported = import_stock(bureau, row)
        if imported["stock_id"] is None:
            return []
        bureau.approve(imported)
        return take_over(bureau, imported)

    with ThreadPoolExecutor(1) as threads:
        taking = []

        def add_during_a_take_over(*arguments: Any) -> None:
            taking.append(threads.submit(import_and_take))
            wait(taking, timeout=OVERTAKING_SECONDS)
            add_all(*arguments)

        monkeypatch.setattr(applications, "add_all", add_during_a_take_over)
        imported = bureau.import_roster((person,))
        (one,) = taking
        taken = one.result()
    bureau.approve(imported)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    assert sum(answer["taken"] for answer in taken) == 0
    with bureau.store.read() as tx:
        assert cards.numbers_there(tx, [row.card_number]) == set()
        assert holders.numbers_with_live_card(tx, [person.number.text]) == {person.number.text}
