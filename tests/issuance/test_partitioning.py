"""Partitions of the months to come: made while the service runs, looked after by the doctor."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bureau import make_cipher
from office import PASSPHRASE, Office, first_people, make_office
from servers.postgresql import PostgreSQLServer
from test_cli_doctor import lines
from test_cli_serve import started, stop

from card_core.store import Store, audit, open_store, partitions
from card_core.store.audit import Event
from crypto.keys import sealing
from issuance.checkup import Grade, database
from issuance.cli.partitioning import partitioning
from issuance.founding import Bureau, found
from issuance.installation import utc_now

LATER = timedelta(days=100)


class Later:
    """A clock that is some months on."""

    def now(self) -> datetime:
        return utc_now() + LATER


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    return postgresql.url(postgresql.create())


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url, cipher=make_cipher())
    opened.upgrade()
    yield opened
    opened.close()


def told(office: Office, url: str) -> str:
    (line,) = lines(office.run("doctor", SSCARD_DATABASE_URL=url).stdout, "Partitions")
    return line


def test_a_serving_process_makes_the_months_to_come(store: Store) -> None:
    with store.read() as tx:
        assert partitions.lacking(tx, utc_now()) == []
        assert len(partitions.lacking(tx, Later().now())) > 2
    with partitioning(store, Later()):  # type: ignore[arg-type]
        pass  # the job runs once before its thread looks whether to stop
    with store.read() as tx:
        assert partitions.lacking(tx, Later().now()) == []


def test_the_doctor_tells_of_rows_in_no_month_and_of_months_that_are_lacking(
    office: Office, store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = told(office, url)
    assert line.startswith("正常 ok")
    assert "made for 2 months ahead" in line
    with store.write() as tx:
        event = Event(datetime(2199, 1, 1, tzinfo=UTC), "system", "x", "x", "x", "{}")
        audit.append(tx, "scan", event)
    line = told(office, url)
    assert line.startswith("提示 note")
    assert "audit_events_default: 1" in line
    assert "sscard upgrade" in line
    store.upgrade()
    assert told(office, url).startswith("正常 ok")
    monkeypatch.setattr(database, "utc_now", Later().now)
    lacking = database._partitions(store)
    assert lacking.grade is Grade.NOTE
    assert "lacking scans_20" in lacking.seen
    assert "sscard upgrade" in lacking.seen


@pytest.mark.parametrize("arguments", [(), ("--workers", "1")])
def test_the_service_makes_what_is_lacking(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
    local = make_office(tmp_path)
    office = Office(tmp_path, {**local.environment, "SSCARD_DATABASE_URL": url})
    bureau = Bureau(7, "FS", "Test bureau")
    found(office.settings, PASSPHRASE.encode(), bureau=bureau, people=first_people(office))
    store = open_store(url, cipher=make_cipher())
    *_, month = partitions._months(utc_now())
    last = f"scans_{month:%Y_%m}"
    with store.write() as tx:
        tx.run(f"DROP TABLE {last}")
    with store.read() as tx:
        assert partitions.lacking(tx, utc_now()) == [last]
    with started(office, "serve", "--port", "0", *arguments) as (process, _):
        code, said = stop(process, signal.SIGTERM)
    assert code == 0, said
    with store.read() as tx:
        assert partitions.lacking(tx, utc_now()) == []
    store.close()
