"""Sessions that operators opened with a password alone end with the upgrade; holders' stay."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from bureau import make_cipher
from servers.postgresql import PostgreSQLServer
from sqlalchemy import insert

from card_core.store import (
    Store,
    Transaction,
    migration,
    open_store,
    operator_factors,
    schema,
    sessions,
)
from card_core.store.credentials import SubjectKind
from card_core.store.guarded import values_with_mac

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BEFORE = "0013"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        url = server.url(server.create())
    store = open_store(url, cipher=make_cipher())
    with store._writing.begin() as connection:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    yield store
    store.close()


def test_operators_sign_in_anew(old_store: Store) -> None:
    ids = {kind: bytes([number]) * 32 for number, kind in enumerate(SubjectKind)}
    # Past `Store.write`, which knows today's schema.
    with old_store._writing.begin() as connection:
        tx = Transaction(connection, old_store.cipher, old_store.integrity, 0)
        for kind, digest in ids.items():
            opened = {"subject_kind": kind.value, "subject_id": "1" * 32, "created_at": NOW}
            lasting = {"last_seen_at": NOW, "expires_at": NOW + timedelta(hours=8)}
            # Without the columns that came since.
            row = values_with_mac(tx, schema.sessions, {"id": digest.hex(), **opened, **lasting})
            connection.execute(insert(schema.sessions).values(**row))
    old_store.upgrade()
    with old_store.read() as tx:
        assert sessions.find(tx, ids[SubjectKind.OPERATOR]) is None
        assert sessions.find(tx, ids[SubjectKind.HOLDER]) is not None
        assert operator_factors.get(tx, "1" * 32) is None
