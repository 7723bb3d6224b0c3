"""A service is killed between a commit and its answers: the same request id settles what happened.

The database itself holds the commit open, behind a lock that the test has: nothing depends on who
is faster. Another service on the same database is asked then, before the commit is through and
after it.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from caller import Answer, Caller
from running_service import serving, until

from benchmarks.bench_scan.bureau import Ground
from benchmarks.bench_scan.requests import CONSUME, Press

PATIENCE_SECONDS = 20
RETRIES = 100
LOCK = 4711
# Waits inside COMMIT, when everything is written and nothing is committed yet.
TRIGGER = f"""
CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold_commit AFTER INSERT ON spent DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION wait_for_test()
"""


class CommitGate:
    """Commits that spend codes wait before it while it is shut."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def shut(self) -> None:
        self._connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))

    def open(self) -> None:
        self._connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))

    def waiting(self) -> int:
        """How many transactions wait, at the gate or for one that waits there."""
        row = self._connection.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ).fetchone()
        return 0 if row is None else int(row[0])

    def records_of(self, scan_id: str) -> int:
        row = self._connection.execute(
            "SELECT count(*) FROM spent WHERE scan_id = %s", (scan_id,)
        ).fetchone()
        return 0 if row is None else int(row[0])


@pytest.fixture
def gate(ground: Ground) -> Iterator[CommitGate]:
    with psycopg.connect(ground.environment["SSCARD_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(TRIGGER)
        yield CommitGate(connection)
        connection.execute("DROP TRIGGER hold_commit ON spent; DROP FUNCTION wait_for_test()")


@contextmanager
def asked(requests: list[bytes], caller: Caller) -> Iterator[Callable[[], list[Answer | None]]]:
    """All of them at once; what it yields waits for the answers."""
    with ThreadPoolExecutor(len(requests)) as pool:
        start = threading.Barrier(len(requests))

        def send(request: bytes) -> Answer | None:
            start.wait()
            return caller.send(request)

        sent = [pool.submit(send, one) for one in requests]
        yield lambda: [one.result() for one in sent]


def test_a_scan_whose_worker_died_in_its_commit_is_settled_by_the_same_request(
    tmp_path: Path, ground: Ground, gate: CommitGate
) -> None:
    press = Press(ground)
    (code,) = press.codes(CONSUME, 1)
    terminal, request_id = ground.terminals[0], os.urandom(12).hex()

    def requests() -> list[bytes]:
        """The same request, signed anew each time."""
        return [
            press.request(CONSUME, code, terminal, request_id=request_id) for _ in range(RETRIES)
        ]

    folders = [tmp_path / "killed", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with (
        serving(folders[0], ground.environment) as killed,
        serving(folders[1], ground.environment) as other,
    ):
        first, second = Caller(killed.address), Caller(other.address)
        gate.shut()
        with asked(requests(), first) as answers:
            assert until(lambda: gate.waiting() == 1, PATIENCE_SECONDS)
            killed.process.kill()
            assert answers() == [None] * RETRIES
        # The first commit is still under way, and nobody is there to hear of it.
        with asked(requests(), second) as answers:
            assert until(lambda: gate.waiting() == 2, PATIENCE_SECONDS)
            gate.open()
            settled = answers()
        told = Counter("none" if one is None else one.reason for one in settled)
        assert told == {"accepted": RETRIES}
        later = second.send_all(requests())
        bodies = {one.body for one in [*settled, *later] if one is not None}
        assert len(bodies) == 1
        assert settled[0] is not None
        assert gate.records_of(settled[0].verdict["scan_id"]) == 1
        neighbour = press.request(CONSUME, code, ground.neighbours[0])
        elsewhere = second.send(neighbour)
        assert elsewhere is not None
        assert elsewhere.reason == "already_used"
        assert other.stop() == 0
