"""A roster that comes in by portions: whole or not there, and what is left of it goes again."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bureau import Bureau
from sqlalchemy import delete, func, select, update

from card_core.application import Application
from card_core.errors import (
    ContentChangedError,
    IdempotencyConflictError,
    ImportUnderWayError,
    InvalidActError,
    NotAllowedError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import Actor, ActorKind, Answer
from card_core.kernel.acts import batches as acts
from card_core.kernel.acts import imports
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.imports import CloseImport, DropImport, ImportRows, OpenImport
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.states import BatchState
from card_core.store import audit, batches, cards, schema
from card_core.store.batches import Batch
from card_core.store.operators import Role
from crypto import sm3

DIGEST = sm3.digest(b"roster")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "CHUNK_SIZE", 4)


def opened(bureau: Bureau, actor: Actor | None = None, digest: bytes = DIGEST) -> str:
    answer = bureau.perform(OpenImport("名册", digest), actor or bureau.maker)
    return str(answer["batch_id"])


def take(bureau: Bureau, batch_id: str, people: tuple[Application, ...]) -> Answer:
    return bureau.perform(ImportRows(batch_id, people), bureau.maker)


def close(bureau: Bureau, batch_id: str, refused: int = 0) -> Answer:
    return bureau.perform(CloseImport(batch_id, refused), bureau.maker)


def get(bureau: Bureau, batch_id: str) -> Batch:
    with bureau.store.read() as tx:
        batch = batches.get(tx, batch_id)
    assert batch is not None
    return batch


def stored(bureau: Bureau, batch_id: str) -> int:
    table = schema.applications
    with bureau.store.read() as tx:
        statement = select(func.count()).where(table.c.batch_id == batch_id)
        return int(tx.connection.execute(statement).scalar_one())


def second_maker(bureau: Bureau) -> Actor:
    person = NewOperator("zhao", "zhao", frozenset({Role.MAKER}), bureau.hash("long enough words"))
    answer = bureau.decide(AddOperator(person), bureau.administrator, bureau.security)
    return Actor(ActorKind.OPERATOR, answer["operator_id"])


def test_portions_of_any_size_are_the_batch_that_one_act_would_have_made(bureau: Bureau) -> None:
    people = bureau.next_applications(23)
    batch_id = opened(bureau)
    cuts = [0, 1, 3, 7, 8, 16, 17, 23]
    for first, last in itertools.pairwise(cuts):
        assert take(bureau, batch_id, people[first:last])["accepted"] == last - first
    closed = close(bureau, batch_id, 5)
    assert (closed["batch_id"], closed["accepted"], closed["chunks"]) == (batch_id, 23, 6)
    batch = get(bureau, batch_id)
    assert (batch.state, batch.accepted, batch.refused) == (BatchState.IMPORTED, 23, 5)
    with bureau.store.read() as tx:
        assert [chunk.size for chunk in batches.chunks(tx, batch_id)] == [4, 4, 4, 4, 4, 3]
    bureau.approve(closed)
    issued = [bureau.perform(IssueChunk(batch_id), bureau.maker)["issued"] for _ in range(6)]
    assert sum(issued) == 23
    with bureau.store.read() as tx:
        numbers = {card.card_number for card in cards.page(tx, batch_id=batch_id)}
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)
    assert len(numbers) == 23


def test_nobody_sees_a_batch_before_it_is_closed(bureau: Bureau) -> None:
    batch_id = opened(bureau)
    take(bureau, batch_id, bureau.next_applications(5))
    with bureau.store.read() as tx:
        assert batch_id not in {one.id for one in batches.page(tx)}
        assert [one.id for one in batches.not_whole(tx)] == [batch_id]
    with pytest.raises(WrongStateError):
        bureau.perform(IssueChunk(batch_id, 1), bureau.maker)
    close(bureau, batch_id)
    with bureau.store.read() as tx:
        assert batch_id in {one.id for one in batches.page(tx)}
        assert batches.not_whole(tx) == []
    with pytest.raises(WrongStateError):
        take(bureau, batch_id, bureau.next_applications(1))
    with pytest.raises(WrongStateError):
        close(bureau, batch_id)


def test_rows_are_refused_for_what_was_before_and_for_other_portions(bureau: Bureau) -> None:
    waiting, twice, new = bureau.next_applications(3)
    bureau.import_roster((waiting,))
    batch_id = opened(bureau)
    take(bureau, batch_id, (twice,))
    rows = [one._replace(row=row) for row, one in enumerate((waiting, twice, new, new), 11)]
    assert take(bureau, batch_id, tuple(rows))["refused"] == [
        {"row": 11, "code": "has_open_application"},
        {"row": 12, "code": "twice_in_roster"},
        {"row": 14, "code": "twice_in_roster"},
    ]
    assert close(bureau, batch_id, 2)["accepted"] == 2
    assert get(bureau, batch_id).refused == 5


def test_a_portion_that_comes_again_is_known_by_its_rows(bureau: Bureau) -> None:
    one, other = bureau.next_applications(2)
    batch_id = opened(bureau)
    answer = bureau.perform(ImportRows(batch_id, (one,)), bureau.maker, "portion-1")
    assert bureau.perform(ImportRows(batch_id, (one,)), bureau.maker, "portion-1") == answer
    for rows in ((other,), (one, other), (one._replace(phone=other.phone),)):
        with pytest.raises(IdempotencyConflictError):
            bureau.perform(ImportRows(batch_id, rows), bureau.maker, "portion-1")
    assert stored(bureau, batch_id) == 1


def test_an_import_of_which_nothing_is_left_is_no_batch(bureau: Bureau) -> None:
    people = bureau.next_applications(2)
    bureau.import_roster(people)
    batch_id = opened(bureau)
    assert take(bureau, batch_id, people)["accepted"] == 0
    closed = close(bureau, batch_id)
    assert (closed["batch_id"], closed["approval_id"]) == (None, None)
    assert get(bureau, batch_id).state is BatchState.DROPPED
    with bureau.store.read() as tx:
        assert batches.not_whole(tx) == []


def test_a_dropped_import_leaves_nobody_applying(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "DROPPED_ROWS", 4)
    people = bureau.next_applications(10)
    batch_id = opened(bureau)
    take(bureau, batch_id, people)
    left = []
    for _ in range(3):
        left.append(bureau.perform(DropImport(batch_id), bureau.maker)["rows_left"])
        # From the first act on nothing is added to it any more.
        with pytest.raises(WrongStateError):
            take(bureau, batch_id, bureau.next_applications(1))
    assert left == [6, 2, 0]
    assert stored(bureau, batch_id) == 0
    with bureau.store.read() as tx:
        assert batches.chunks(tx, batch_id) == []
        assert batches.not_whole(tx) == []
    assert bureau.import_roster(people)["accepted"] == 10


def test_a_closed_import_is_not_dropped(bureau: Bureau) -> None:
    imported = bureau.import_roster(bureau.next_applications(2))
    with pytest.raises(WrongStateError):
        bureau.perform(DropImport(imported["batch_id"]), bureau.maker)
    assert stored(bureau, imported["batch_id"]) == 2


def test_an_import_is_its_makers_until_it_is_old(bureau: Bureau) -> None:
    other = second_maker(bureau)
    batch_id = opened(bureau)
    take(bureau, batch_id, bureau.next_applications(3))
    for act in (ImportRows(batch_id, bureau.next_applications(1)), CloseImport(batch_id, 0)):
        with pytest.raises(NotAllowedError):
            bureau.perform(act, other)
    with pytest.raises(ImportUnderWayError):
        bureau.perform(DropImport(batch_id), other)
    assert stored(bureau, batch_id) == 3
    bureau.clock.advance(timedelta(hours=1).total_seconds())
    assert bureau.perform(DropImport(batch_id), other)["rows_left"] == 0


def test_one_file_is_imported_by_one_at_a_time(bureau: Bureau) -> None:
    def open_it(_: int) -> str | None:
        try:
            return opened(bureau)
        except ImportUnderWayError:
            return None

    with ThreadPoolExecutor(4) as threads:
        found = [one for one in threads.map(open_it, range(4)) if one]
    assert len(found) == 1
    assert opened(bureau, digest=sm3.digest(b"another")) != found[0]
    bureau.perform(DropImport(found[0]), bureau.maker)
    assert opened(bureau) != found[0]


def test_two_imports_side_by_side_share_nobody(bureau: Bureau) -> None:
    people = bureau.next_applications(24)
    ids = [opened(bureau, digest=sm3.digest(bytes([at]))) for at in range(2)]

    def import_all(batch_id: str) -> int:
        portions = [people[first : first + 3] for first in range(0, len(people), 3)]
        if batch_id == ids[1]:
            portions.reverse()
        return sum(take(bureau, batch_id, portion)["accepted"] for portion in portions)

    with ThreadPoolExecutor(2) as threads:
        accepted = list(threads.map(import_all, ids))
    assert sum(accepted) == 24
    assert [stored(bureau, one) for one in ids] == accepted


def test_an_import_has_no_more_rows_than_a_roster(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts.limits, "ROSTER_ROWS_MAX", 5)
    batch_id = opened(bureau)
    take(bureau, batch_id, bureau.next_applications(3))
    with pytest.raises(InvalidActError):
        take(bureau, batch_id, bureau.next_applications(3))
    assert stored(bureau, batch_id) == 3


def test_what_was_stored_and_changed_since_is_not_built_upon(bureau: Bureau) -> None:
    table, ledger = schema.applications, schema.batch_chunks
    for change in (
        delete(table).where(table.c.position == 2),
        update(table).where(table.c.position == 2).values(position=90),
        update(ledger).values(digest=bytes(32)),
        update(ledger).values(size=2),
    ):
        batch_id = opened(bureau, digest=sm3.digest(str(change).encode() + bytes(8)))
        take(bureau, batch_id, bureau.next_applications(3))
        with bureau.store.write() as tx:
            mine = change.table.c.batch_id == batch_id
            tx.connection.execute(change.where(mine))
        with pytest.raises(TamperedRowError):
            take(bureau, batch_id, bureau.next_applications(2))


def test_a_ledger_that_lost_a_chunk_is_not_closed(bureau: Bureau) -> None:
    batch_id = opened(bureau)
    take(bureau, batch_id, bureau.next_applications(8))
    ledger = schema.batch_chunks
    with bureau.store.write() as tx:
        mine = (ledger.c.batch_id == batch_id, ledger.c.number == 1)
        tx.connection.execute(delete(ledger).where(*mine))
    with pytest.raises(TamperedRowError):
        close(bureau, batch_id)


def test_what_is_approved_is_what_was_closed(bureau: Bureau) -> None:
    batch_id = opened(bureau)
    take(bureau, batch_id, bureau.next_applications(6))
    closed = close(bureau, batch_id)
    ledger = schema.batch_chunks
    with bureau.store.write() as tx:
        mine = (ledger.c.batch_id == batch_id, ledger.c.number == 2)
        tx.connection.execute(update(ledger).where(*mine).values(digest=bytes(32)))
    with pytest.raises((ContentChangedError, TamperedRowError)):
        bureau.approve(closed)
    assert get(bureau, batch_id).state is BatchState.IMPORTED
