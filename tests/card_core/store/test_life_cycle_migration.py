"""Cards that were there before the schema knew of lapses and kept numbers stay what they are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from alembic import command
from bureau import make_application, make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import delete

from card_core.errors import StoreConflictError
from card_core.states import BatchState, CardState
from card_core.store import (
    Store,
    Transaction,
    batches,
    cards,
    holders,
    migration,
    open_store,
    schema,
)
from card_core.store.batches import Batch
from card_core.store.cards import NewCard

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BATCH = "b" * 32
BEFORE = "0012"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database from before, with two people's cards."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        url = server.url(server.create())
    store = open_store(url, cipher=make_cipher())
    with store._writing.begin() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    # Past `Store.write`, which knows today's schema.
    with store._writing.begin() as connection:
        tx = Transaction(connection, store.cipher, store.integrity, 0)
        ids = iter(["1" * 32, "2" * 32])
        people = [make_application(1), make_application(2)]
        holders.put_all(tx, people, lambda count: list(islice(ids, count)), NOW)
        batch = Batch(BATCH, "b", BatchState.ISSUED, "m" * 32, 2, 0, 2, bytes(32), bytes(32), NOW)
        batches.add(tx, batch, [batches.Chunk(BATCH, 1, 2, bytes(32), None, None, None)])
        cards.add_all(tx, [new_card("a" * 32, "1" * 32, "FS0000001", 11)])
        cards.add_all(tx, [new_card("c" * 32, "2" * 32, "FS0000002", 12)])
    yield store
    store.close()


def new_card(card_id: str, holder_id: str, number: str, ecard_id: int) -> NewCard:
    day = date(2026, 3, 2)
    return NewCard(card_id, holder_id, number, BATCH, 1, "440604", day, day, ecard_id)


def test_the_rows_stay_sound_and_gain_no_end_of_a_loss(old_store: Store) -> None:
    assert not old_store.is_current()
    old_store.upgrade()
    assert old_store.is_current()
    with old_store.read() as tx:
        for card_id, number, ecard_id in (("a" * 32, "FS0000001", 11), ("c" * 32, "FS0000002", 12)):
            card = cards.get(tx, card_id)
            assert card is not None
            assert (card.card_number, card.loss_lapses_at) == (number, None)
            assert cards.ecard_of(tx, card_id).id == ecard_id


def succeed(store: Store, number: str) -> None:
    """Cancel the first person's card and make the next one, with this number."""
    with store.write() as tx:
        first = cards.get(tx, "a" * 32)
        assert first is not None
        cards.set_state(tx, first, CardState.CANCELLED)
        cards.add_all(tx, [new_card("d" * 32, "1" * 32, number, 13)])


def test_a_number_has_one_live_card_and_passes_on_when_that_is_cancelled(old_store: Store) -> None:
    old_store.upgrade()
    with pytest.raises(StoreConflictError):
        succeed(old_store, "FS0000002")  # the number of somebody else's live card
    succeed(old_store, "FS0000001")
    with old_store.read() as tx:
        found = cards.find_by_card_number(tx, "FS0000001")
    assert found is not None
    assert found.id == "d" * 32


@pytest.mark.parametrize("table", ["cards", "holders", "batches"])
def test_a_row_that_others_refer_to_still_can_not_be_deleted(old_store: Store, table: str) -> None:
    old_store.upgrade()
    with old_store.write() as tx:
        tx.connection.execute(delete(schema.batch_chunks))
    with pytest.raises(StoreConflictError), old_store.write() as tx:
        tx.connection.execute(delete(schema.metadata.tables[table]))
    with old_store.write() as tx:
        for one in (schema.ecards, schema.cards, schema.holders, schema.batches):
            assert tx.connection.execute(delete(one)).rowcount > 0
