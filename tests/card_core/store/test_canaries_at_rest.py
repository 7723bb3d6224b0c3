"""Names, numbers and phones stand nowhere in clear: database, journal, backup, events, log.

The promise counts 1 000 people; the service's own logs, metrics and answers, and Redis, are
searched in `scan_api/contract/test_canaries.py`.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from bureau import Bureau, make_application
from canaries import found_in, search
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select

from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.store import FieldCipher, backup, outbox
from card_core.store.schema import audit_events
from crypto import sm3

# So that no other test's people are meant, and a fragment is enough to be found by.
FIRST = 700_000


def issue(bureau: Bureau, count: int) -> set[str]:
    """Roster, cards, e-cards, a scan; what stands for these people and for nobody else."""
    people = tuple(make_application(FIRST + serial) for serial in range(count))
    imported = bureau.perform(
        ImportRoster("名册", sm3.digest(b"canaries"), people, 0), bureau.maker
    )
    bureau.approve(imported)
    for number in range(1, imported["chunks"] + 1):
        bureau.perform(IssueChunk(imported["batch_id"], number), bureau.maker)
    return {text for one in people for text in (one.number.text, one.name, one.phone, one.address)}


def kept_files(
    database_url: str, folder: Path, request: pytest.FixtureRequest
) -> tuple[list[Path], Path]:
    """What the database has on the disk, its journal with it, and all that a backup holds."""
    copy = folder / "copy"
    backup.take(database_url, copy)
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        return [path, path.with_name(path.name + "-wal")], copy
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    server.checkpoint()
    files = [*server.files_of(database_url), *(server.home / "data" / "pg_wal").glob("0*")]
    # The dump is compressed; what it holds is what comes out of it.
    told = folder / "told"
    subprocess.run(["pg_restore", f"--file={told}", copy], check=True, timeout=120)
    return files, told


@pytest.mark.parametrize("people", [10, pytest.param(1000, marks=pytest.mark.long)])
def test_nobody_stands_in_clear_in_what_is_kept(
    bureau: Bureau, database_url: str, tmp_path: Path, people: int, request: pytest.FixtureRequest
) -> None:
    canaries = issue(bureau, people)
    assert len(canaries) == 4 * people
    files, backed_up = kept_files(database_url, tmp_path, request)
    assert b"batch_chunks" in b"".join(one.read_bytes() for one in (files[0], backed_up))
    assert search(canaries, [*files, backed_up]) == set()
    with bureau.store.read() as tx:
        log = repr(tx.connection.execute(select(audit_events)).all())
        last = outbox.last(tx, "bureau")
        events = [
            json.dumps([one.subject, one.payload], ensure_ascii=False)
            for start in range(0, last, 200)
            for one in outbox.page(tx, "bureau", after=start)
        ]
    assert found_in(canaries, log.encode(), "".join(events).encode()) == set()


def test_one_value_that_was_not_sealed_is_found(
    bureau: Bureau,
    database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seal_table = FieldCipher.seal_table
    left_open: list[bytes] = []

    def bypassed(
        cipher: FieldCipher,
        table: str,
        row_ids: Sequence[str],
        columns: Mapping[str, Sequence[bytes]],
    ) -> dict[str, list[bytes]]:
        sealed = seal_table(cipher, table, row_ids, columns)
        if not left_open and table == "applications" and "content" in columns:
            left_open.append(columns["content"][0])
            sealed["content"][0] = left_open[0]
        return sealed

    monkeypatch.setattr(FieldCipher, "seal_table", bypassed)
    people = tuple(make_application(FIRST + serial) for serial in range(2))
    bureau.perform(ImportRoster("名册", sm3.digest(b"open"), people, 0), bureau.maker)
    assert left_open
    files, backed_up = kept_files(database_url, tmp_path, request)
    one, other = ({who.number.text, who.name, who.phone, who.address} for who in people)
    for place in ([*files], [backed_up]):
        found = {hit.canary for hit in search(one | other, place)}
        assert found in (one, other)
