"""A service is killed between a holder's commit and its answer: the Idempotency-Key settles it.

The database itself holds the commit open, behind a lock that the test has: nothing depends on who
is faster.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import psycopg
import pytest
from request_keys import HEADER, new_key
from running_service import Running, serving, until

from benchmarks.bench_scan.bureau import HOLDER_PASSWORD, Ground
from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.store import cards, holders

PATIENCE_SECONDS = 20
RETRIES = 100
RETRIES_AT_A_TIME = 16
LOCK = 4712
LOSS = "/v1/holder/loss-reports"
FOUND = "/v1/holder/loss-withdrawals"
JSON = {"Content-Type": "application/json"}
TRIGGER = f"""
CREATE FUNCTION wait_for_loss() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold_loss AFTER UPDATE ON cards DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION wait_for_loss()
"""


@pytest.fixture
def database(ground: Ground) -> Iterator[psycopg.Connection]:
    with psycopg.connect(ground.environment["SSCARD_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(TRIGGER)
        yield connection
        connection.execute("DROP TRIGGER hold_loss ON cards; DROP FUNCTION wait_for_loss()")


def reports(database: psycopg.Connection) -> int:
    """How many losses were reported."""
    counted = database.execute(
        "SELECT count(*) FROM audit_events WHERE act = %s", (ReportTemporaryLoss.act,)
    ).fetchone()
    return 0 if counted is None else int(counted[0])


def waiting(database: psycopg.Connection) -> int:
    """How many transactions wait, at the gate or for the one that waits there."""
    counted = database.execute(
        "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    ).fetchone()
    return 0 if counted is None else int(counted[0])


@contextmanager
def caller(service: Running, cookies: httpx2.Cookies | None = None) -> Iterator[httpx2.Client]:
    origin = f"http://{service.address}"
    with httpx2.Client(
        base_url=origin,
        headers={"Origin": origin},
        cookies=cookies,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    ) as http:
        yield http


def number_of_somebody(ground: Ground) -> str:
    """Of the ground's people one whom no other journey uses: the last."""
    with ground.site.store.read() as tx:
        ecard = cards.get_ecard(tx, ground.ecards[-1])
        assert ecard is not None
        return holders.identity_of(tx, ecard.holder_id).social_security_number


def test_a_loss_report_whose_service_died_in_its_commit_is_settled_by_its_key(
    tmp_path: Path, ground: Ground, database: psycopg.Connection
) -> None:
    key, before = {HEADER: f'"{uuid4()}"'}, reports(database)
    folders = [tmp_path / "killed", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with (
        serving(folders[0], ground.environment) as killed,
        serving(folders[1], ground.environment) as other,
        caller(killed) as first,
    ):
        signed_in = {
            "social_security_number": number_of_somebody(ground),
            "password": HOLDER_PASSWORD,
        }
        first.post("/v1/holder/sign-ins", json=signed_in).raise_for_status()
        with (
            caller(other, first.cookies) as second,
            ThreadPoolExecutor(RETRIES_AT_A_TIME) as pool,
        ):
            database.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            lost = pool.submit(first.post, LOSS, json={}, headers=key)
            assert until(lambda: waiting(database) == 1, PATIENCE_SECONDS)
            killed.process.kill()
            assert isinstance(lost.exception(PATIENCE_SECONDS), httpx2.TransportError)
            # The first commit is still under way, and nobody is there to hear of it.
            assert reports(database) == before
            retry = pool.submit(second.post, LOSS, json={}, headers=key)
            assert until(lambda: waiting(database) == 2, PATIENCE_SECONDS)
            running = second.post(LOSS, json={}, headers=key)
            assert (running.status_code, running.json()["code"]) == (409, "request_running")
            database.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
            settled = retry.result(PATIENCE_SECONDS)
            assert settled.status_code == 200
            again = list(
                pool.map(lambda _: second.post(LOSS, json={}, headers=key), range(RETRIES))
            )
            assert {one.content for one in again if one.status_code == 200} == {settled.content}
            assert {one.status_code for one in again} <= {200, 409}
            reused = second.post(LOSS, content=b"{ }", headers=key | JSON)
            assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
            # Others who share the ground find each of its cards in use.
            found = {"password": HOLDER_PASSWORD}
            back = second.post(FOUND, json=found, headers={HEADER: new_key()})
            assert back.status_code == 200
        assert reports(database) == before + 1
        assert other.stop() == 0
