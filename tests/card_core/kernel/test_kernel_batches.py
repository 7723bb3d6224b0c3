"""From a roster to cards: what is approved is what is issued, each person once, no number lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from bureau import Bureau, make_application
from sqlalchemy import delete, func, insert, select, update

from card_core.application import Application
from card_core.errors import (
    ContentChangedError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    SamePersonError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import kernel
from card_core.kernel.acts import batches as acts
from card_core.kernel.acts.batches import ImportRoster, IssueChunk, ReleaseBatch
from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.dates import years_later
from card_core.states import BatchState, CardState, ECardState
from card_core.store import applications, batches, cards, guarded, holders, schema
from card_core.store.cards import Card
from card_core.store.issuers import CARD_SERIAL_MAX, CardNumbersUsedUpError
from crypto import sm3


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 4)


def state_of(bureau: Bureau, batch_id: str) -> BatchState:
    with bureau.store.read() as tx:
        batch = batches.get(tx, batch_id)
    assert batch is not None
    return batch.state


def cards_of(bureau: Bureau, batch_id: str) -> list[Card]:
    with bureau.store.read() as tx:
        return sorted(cards.page(tx, batch_id=batch_id), key=lambda card: card.card_number)


def issue_all(bureau: Bureau, batch_id: str, chunks: int) -> None:
    for number in range(1, chunks + 1):
        bureau.perform(IssueChunk(batch_id, number), bureau.maker)


def serials(found: list[Card]) -> list[int]:
    assert all(card.card_number[:2] == "GD" for card in found)
    return sorted(int(card.card_number[2:]) for card in found)


def next_serial(bureau: Bureau) -> int:
    with bureau.store.read() as tx:
        serial: int = tx.connection.execute(select(schema.issuers.c.next_card_serial)).scalar_one()
    return serial


def test_a_roster_becomes_cards_that_wait_to_be_activated(bureau: Bureau) -> None:
    people = bureau.next_applications(10)
    first = next_serial(bureau)
    imported = bureau.import_roster(people)
    assert (imported["accepted"], imported["refused"], imported["chunks"]) == (10, [], 3)
    assert state_of(bureau, imported["batch_id"]) is BatchState.IMPORTED
    assert bureau.approve(imported)["state"] == "released"
    issue_all(bureau, imported["batch_id"], imported["chunks"])
    assert state_of(bureau, imported["batch_id"]) is BatchState.ISSUED
    made = cards_of(bureau, imported["batch_id"])
    assert serials(made) == list(range(first, first + 10))
    with bureau.store.read() as tx:
        for card, person in zip(made, people, strict=True):
            holder = holders.find_by_number(tx, person.number.text)
            ecard = cards.ecard_of(tx, card.id)
            assert holder is not None
            assert (holder.id, holder.name, holder.phone) == (
                card.holder_id,
                person.name,
                person.phone,
            )
            assert card.state is CardState.NOT_ACTIVATED
            assert ecard.state is ECardState.NOT_ACTIVATED
            assert (card.issued_on, card.expires_on) == (date(2026, 3, 2), date(2036, 3, 2))
            assert 0 < ecard.id < 1 << 63


def test_people_who_have_a_card_or_applied_before_are_refused_by_row(bureau: Bureau) -> None:
    with_card, waiting, new = bureau.next_applications(3)
    imported = bureau.import_roster((with_card,))
    bureau.approve(imported)
    issue_all(bureau, imported["batch_id"], 1)
    bureau.import_roster((waiting,))
    rows = [one._replace(row=row) for row, one in enumerate((with_card, waiting, new, new), 11)]
    answer = bureau.import_roster(tuple(rows))
    assert answer["refused"] == [
        {"row": 11, "code": "has_live_card"},
        {"row": 12, "code": "has_open_application"},
        {"row": 14, "code": "twice_in_roster"},
    ]
    assert answer["accepted"] == 1


def test_a_roster_with_nobody_left_makes_no_batch(bureau: Bureau) -> None:
    people = bureau.next_applications(2)
    bureau.import_roster(people)
    again = bureau.import_roster(people)
    assert (again["batch_id"], again["approval_id"], again["accepted"]) == (None, None, 0)
    assert [one["code"] for one in again["refused"]] == ["has_open_application"] * 2
    with bureau.store.read() as tx:
        assert len(batches.page(tx)) == 2  # the prepared people's and this one's


def test_of_two_imports_of_the_same_people_at_once_one_gets_them(bureau: Bureau) -> None:
    people = bureau.next_applications(6)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(bureau.import_roster, [people] * 4))
    assert sorted(answer["accepted"] for answer in answers) == [0, 0, 0, 6]


def test_a_batch_is_not_issued_before_it_is_released(bureau: Bureau) -> None:
    imported = bureau.import_roster(bureau.next_applications(2))
    first = next_serial(bureau)
    with pytest.raises(WrongStateError):
        bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with pytest.raises(SamePersonError):
        bureau.approve(imported, bureau.maker)
    with pytest.raises(WrongStateError):
        bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    assert next_serial(bureau) == first


def test_a_rejected_batch_is_closed_and_its_people_may_apply_again(bureau: Bureau) -> None:
    people = bureau.next_applications(3)
    imported = bureau.import_roster(people)
    bureau.kernel.reject(imported["approval_id"], actor=bureau.checker, request_id="no")
    assert state_of(bureau, imported["batch_id"]) is BatchState.REJECTED
    with pytest.raises(WrongStateError):
        bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        batch = batches.get(tx, imported["batch_id"])
    assert batch is not None
    with pytest.raises(WrongStateError):
        bureau.decide(ReleaseBatch(batch.id, batch.content_root))
    assert bureau.import_roster(people)["accepted"] == 3


def test_a_chunk_that_ran_gives_its_answer_again_and_no_card(bureau: Bureau) -> None:
    imported = bureau.released_batch(6)
    act = IssueChunk(imported["batch_id"], 1)
    first = bureau.perform(act, bureau.maker)
    after = next_serial(bureau)
    assert bureau.perform(act, bureau.maker) == first
    assert first["issued"] == 4
    assert next_serial(bureau) == after
    assert len(cards_of(bureau, imported["batch_id"])) == 4


def test_chunks_issued_all_at_once_share_no_number_and_leave_no_gap(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None is undone and tried again.
    monkeypatch.setattr(kernel, "ATTEMPTS_MAX", 1)
    first = next_serial(bureau)
    imported = bureau.released_batch(30)
    numbers = [number for number in range(1, imported["chunks"] + 1) for _ in range(3)]

    def issue(number: int) -> int:
        answer = bureau.perform(IssueChunk(imported["batch_id"], number), bureau.maker)
        return int(answer["issued"])

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(issue, numbers)) == 90
    made = cards_of(bureau, imported["batch_id"])
    assert serials(made) == list(range(first, first + 30))
    assert len({card.holder_id for card in made}) == 30
    assert state_of(bureau, imported["batch_id"]) is BatchState.ISSUED


def test_a_batch_or_chunk_that_is_not_there_is_not_found(bureau: Bureau) -> None:
    imported = bureau.released_batch(2)
    for batch_id, number in (("0" * 32, 1), (imported["batch_id"], 2)):
        with pytest.raises(NotFoundError):
            bureau.perform(IssueChunk(batch_id, number), bureau.maker)
    with pytest.raises(InvalidActError):
        IssueChunk(imported["batch_id"], 0)


def test_whoever_had_a_card_that_was_cancelled_stays_the_same_holder(bureau: Bureau) -> None:
    (person,) = bureau.next_applications(1)

    def issue(application: Application) -> Card:
        imported = bureau.import_roster((application,))
        bureau.approve(imported)
        issue_all(bureau, imported["batch_id"], 1)
        (card,) = cards_of(bureau, imported["batch_id"])
        return card

    old = issue(person)
    bureau.decide(CancelCard(old.id, CancelReason.REPLACED))
    new = issue(person._replace(phone="13800000000"))
    assert new.holder_id == old.holder_id
    assert new.card_number != old.card_number
    with bureau.store.read() as tx:
        holder = holders.get(tx, new.holder_id)
        live = cards.live_card_of(tx, new.holder_id)
    assert holder is not None
    assert holder.phone == "13800000000"
    assert live == new


def test_the_last_card_number_is_the_last(bureau: Bureau) -> None:
    too_many = bureau.import_roster(bureau.next_applications(5))
    with bureau.store.write() as tx:
        guarded.change(tx, schema.issuers, "1", next_card_serial=CARD_SERIAL_MAX - 3)
    with pytest.raises(CardNumbersUsedUpError):
        bureau.approve(too_many)
    assert state_of(bureau, too_many["batch_id"]) is BatchState.IMPORTED
    imported = bureau.released_batch(4)
    answer = bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    assert answer["last_card_number"] == "GD9999999"


def test_chunks_are_handed_out_until_none_is_left(bureau: Bureau) -> None:
    imported = bureau.released_batch(10)
    act = IssueChunk(imported["batch_id"])
    answers = [bureau.perform(act, bureau.maker) for _ in range(imported["chunks"] + 1)]
    assert [one["chunk_number"] for one in answers] == [*range(1, imported["chunks"] + 1), None]
    assert sum(one["issued"] for one in answers) == 10


def test_a_batch_released_before_releases_took_numbers_is_issued(bureau: Bureau) -> None:
    imported = bureau.released_batch(6)
    with bureau.store.write() as tx:
        guarded.change(tx, schema.batches, imported["batch_id"], first_card_serial=None)
    first = next_serial(bureau)
    issue_all(bureau, imported["batch_id"], imported["chunks"])
    made = cards_of(bureau, imported["batch_id"])
    assert serials(made) == list(range(first, first + 6))


# Each way of changing an approved batch in the database; none of them is issued.

TABLE = schema.applications


def of_batch(batch_id: str) -> list[object]:
    return [TABLE.c.batch_id == batch_id]


def swap_two_people(tx: guarded.Transaction, batch_id: str) -> None:
    rows = tx.connection.execute(
        select(TABLE).where(*of_batch(batch_id)).order_by(TABLE.c.position)
    ).all()
    for row, position in ((rows[0], 999), (rows[1], 1), (rows[0], 2)):
        tx.connection.execute(update(TABLE).where(TABLE.c.id == row.id).values(position=position))


def remove_a_person(tx: guarded.Transaction, batch_id: str) -> None:
    tx.connection.execute(delete(TABLE).where(*of_batch(batch_id), TABLE.c.position == 2))


def withdraw_a_person(tx: guarded.Transaction, batch_id: str) -> None:
    tx.connection.execute(
        update(TABLE).where(*of_batch(batch_id), TABLE.c.position == 2).values(state="withdrawn")
    )


def replace_a_person(tx: guarded.Transaction, batch_id: str) -> None:
    row = tx.connection.execute(
        select(TABLE).where(*of_batch(batch_id), TABLE.c.position == 2)
    ).one()
    other = acts.canonical_bytes(acts.to_json(make_application(999)))
    sealed = tx.cipher.seal(TABLE.name, "content", row.id, other)
    tx.connection.execute(update(TABLE).where(TABLE.c.id == row.id).values(content=sealed))


def copy_a_persons_content(tx: guarded.Transaction, batch_id: str) -> None:
    rows = tx.connection.execute(
        select(TABLE).where(*of_batch(batch_id)).order_by(TABLE.c.position)
    ).all()
    tx.connection.execute(
        update(TABLE).where(TABLE.c.id == rows[0].id).values(content=rows[1].content)
    )


def add_a_person(tx: guarded.Transaction, batch_id: str) -> None:
    content = acts.canonical_bytes(acts.to_json(make_application(999)))
    new_id = "e" * 32
    tx.connection.execute(
        insert(TABLE).values(
            id=new_id,
            batch_id=batch_id,
            position=4,
            row=999,
            number_index=bytes(32),
            content=tx.cipher.seal(TABLE.name, "content", new_id, content),
            state="open",
        )
    )


def change_the_digest(tx: guarded.Transaction, batch_id: str) -> None:
    tx.connection.execute(
        update(schema.batch_chunks)
        .where(schema.batch_chunks.c.batch_id == batch_id)
        .values(digest=bytes(32))
    )


def change_the_root(tx: guarded.Transaction, batch_id: str) -> None:
    tx.connection.execute(
        update(schema.batches).where(schema.batches.c.id == batch_id).values(content_root=bytes(32))
    )


def replace_a_person_and_the_digest(tx: guarded.Transaction, batch_id: str) -> None:
    """By somebody who has the index key, too: only the root that was approved tells."""
    replace_a_person(tx, batch_id)
    contents = [content for _, content in applications.between(tx, batch_id, 1, acts.CHUNK_SIZE)]
    digest = tx.cipher.keyed_digest([b"chunk", batch_id.encode(), b"1", *contents])
    tx.connection.execute(
        update(schema.batch_chunks)
        .where(schema.batch_chunks.c.batch_id == batch_id)
        .values(digest=digest)
    )


def change_digest_and_root(tx: guarded.Transaction, batch_id: str) -> None:
    """By somebody who has the row key, too, and not the index key."""
    change_the_digest(tx, batch_id)
    guarded.change(tx, schema.batches, batch_id, content_root=sm3.digest(bytes(32)))


CHANGES = [
    swap_two_people,
    remove_a_person,
    withdraw_a_person,
    replace_a_person,
    copy_a_persons_content,
    add_a_person,
    change_the_digest,
    change_the_root,
    change_digest_and_root,
    replace_a_person_and_the_digest,
]


def test_a_batch_changed_after_its_approval_is_not_issued(bureau: Bureau) -> None:
    for change in CHANGES:
        batch_id = bureau.released_batch(3)["batch_id"]
        with bureau.store.write() as tx:
            change(tx, batch_id)
        with pytest.raises(TamperedRowError):
            bureau.perform(IssueChunk(batch_id, 1), bureau.maker)
        assert cards_of(bureau, batch_id) == [], change


def test_a_batch_changed_before_its_approval_is_not_released(bureau: Bureau) -> None:
    for change in CHANGES:
        imported = bureau.import_roster(bureau.next_applications(3))
        with bureau.store.write() as tx:
            change(tx, imported["batch_id"])
        with pytest.raises((TamperedRowError, ContentChangedError)):
            bureau.approve(imported)


def test_a_ledger_set_back_makes_no_second_card(bureau: Bureau) -> None:
    imported = bureau.released_batch(6)
    bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(schema.batch_chunks).values(
                issued_at=None, first_card_number=None, last_card_number=None
            )
        )
    with pytest.raises(TamperedRowError):
        bureau.perform(IssueChunk(imported["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        cards_per_holder = select(func.count()).select_from(schema.cards).group_by("holder_id")
        assert set(tx.connection.execute(cards_per_holder).scalars()) == {1}


def test_a_release_of_another_content_is_refused(bureau: Bureau) -> None:
    imported = bureau.import_roster(bureau.next_applications(2))
    with pytest.raises(ContentChangedError):
        bureau.decide(ReleaseBatch(imported["batch_id"], bytes(32)))


def test_a_roster_out_of_its_limits_is_refused() -> None:
    people = (make_application(1),)
    for name, digest, refused in (("", bytes(32), 0), ("名册", b"", 0), ("名册", bytes(32), -1)):
        with pytest.raises(InvalidActError):
            ImportRoster(name, digest, people, refused)


def test_only_a_maker_imports(bureau: Bureau) -> None:
    act = ImportRoster("名册", bytes(32), bureau.next_applications(1), 0)
    with pytest.raises(NotAllowedError):
        bureau.perform(act, bureau.checker)


def test_ten_years_from_a_leap_day_end_on_the_28th() -> None:
    assert years_later(date(2028, 2, 29), 10) == date(2038, 2, 28)
    assert years_later(date(2026, 3, 2), 10) == date(2036, 3, 2)


def test_a_card_is_issued_on_the_date_in_shanghai(bureau: Bureau) -> None:
    bureau.clock.now = bureau.clock.now.replace(hour=16, minute=0) - timedelta(seconds=1)
    (before,) = bureau.issued_cards(1)
    bureau.clock.advance(1)
    (after,) = bureau.issued_cards(1)
    assert (before.issued_on, after.issued_on) == (date(2026, 3, 2), date(2026, 3, 3))
