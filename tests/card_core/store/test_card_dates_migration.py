"""What happened to cards before anybody noted dates is taken from the audit log."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from alembic import command
from bureau import make_application, make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select, text

from card_core.states import BatchState, CardState
from card_core.store import (
    Store,
    Transaction,
    approvals,
    audit,
    batches,
    cards,
    holders,
    migration,
    open_store,
)
from card_core.store.audit import Event
from card_core.store.batches import Batch
from card_core.store.cards import NewCard
from card_core.store.schema import card_dates

BEFORE = "0016"
# Late in the evening in UTC: in Shanghai it is the 3rd already.
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
BATCH = "b" * 32
CARDS = {name: name * 32 for name in "acdef"}


@pytest.fixture(params=["sqlite", "postgresql"])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database from before, with five people's cards and what the log says of four."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        url = server.url(server.create())
    store = open_store(url, cipher=make_cipher())
    with store._writing.begin() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    with store._writing.begin() as connection:
        tx = Transaction(connection, store.cipher, store.integrity, 0)
        ids = iter([f"{number}" * 32 for number in range(1, 6)])
        people = [make_application(number) for number in range(1, 6)]
        holder_ids = holders.put_all(tx, people, lambda count: list(islice(ids, count)), NOW)
        batch = Batch(BATCH, "b", BatchState.ISSUED, "m" * 32, 5, 0, 5, bytes(32), bytes(32), NOW)
        batches.add(tx, batch, [batches.Chunk(BATCH, 1, 5, bytes(32), None, None, None)])
        for number, (card_id, holder_id) in enumerate(
            zip(CARDS.values(), holder_ids, strict=True), 1
        ):
            state = CardState.CANCELLED if card_id[0] in "ef" else CardState.NORMAL
            add_card(tx, card_id, holder_id, number, state)
        for name, act, detail in (
            ("a", "hand_over_card", "{}"),
            ("a", "activate_card", "{}"),
            ("a", "activate_ecard", "{}"),
            ("c", "serve_life_event", '{"parts":[{"act":"activate_card"}],"rows":[],"made":{}}'),
            ("d", "report_formal_loss", "{}"),
            ("e", "activate_card", "{}"),
            ("e", "decide_life_event", '{"parts":[{"act":"cancel_card"}],"rows":[],"made":{}}'),
        ):
            at = NOW + timedelta(days=len(act))
            audit.append(
                tx, "bureau", Event(at, "operator", "o", act, f"card/{CARDS[name]}", detail)
            )
    yield store
    store.close()


def add_card(tx: Transaction, card_id: str, holder_id: str, number: int, state: CardState) -> None:
    day = date(2026, 3, 2)
    new = NewCard(
        card_id, holder_id, f"FS000000{number}", BATCH, 1, "440604", day, day, number, state
    )
    cards.add_all(tx, [new])


def day_of(act: str) -> date:
    return date(2026, 3, 3) + timedelta(days=len(act))


def test_dates_are_taken_from_the_log_once(old_store: Store) -> None:
    old_store.upgrade()
    with old_store.read() as tx:
        rows = tx.connection.execute(select(card_dates)).all()
        today = tx.connection.execute(
            text("SELECT date('now', '+8 hours')")
            if tx.is_sqlite
            else text("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text")
        ).scalar_one()
        # What is there stays sound under tables that have one column more.
        assert cards.get(tx, CARDS["a"]) is not None
        assert holders.get(tx, "1" * 32) is not None
        assert approvals.pending(tx) == []
        audit.verify_chain(tx, "bureau")
    activated = day_of("activate_card")
    assert {row.card_id[0]: tuple(row[1:]) for row in rows} == {
        "a": (activated, activated, day_of("activate_ecard"), None),
        "c": (day_of("serve_life_event"), day_of("serve_life_event"), None, None),
        "e": (activated, activated, None, day_of("decide_life_event")),
        "f": (None, None, None, date.fromisoformat(today)),
    }
