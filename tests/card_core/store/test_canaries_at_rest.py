"""Names, numbers and phones stand nowhere in clear: database, journal, backup, events, log.

The promise counts 1 000 people; the service's own logs, metrics and answers, and Redis, are
searched in `scan_api/contract/test_canaries.py`.
"""

import json
import subprocess
from pathlib import Path

import pytest
from bureau import Bureau, make_application
from servers.postgresql import PostgreSQLServer
from sqlalchemy import select

from card_core.kernel.acts.batches import ImportRoster, IssueChunk
from card_core.store import backup, outbox
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


def hits(canaries: set[str], *contents: bytes) -> set[str]:
    """In any of the encodings in which a text is written, as it is or in hex."""
    found = set()
    joined = b"\0".join(contents)
    for canary in canaries:
        for encoding in ("utf-8", "utf-16-le", "gb18030"):
            data = canary.encode(encoding)
            if data in joined or data.hex().encode() in joined:
                found.add(canary)
    return found


@pytest.mark.parametrize("people", [10, pytest.param(1000, marks=pytest.mark.long)])
def test_nobody_stands_in_clear_in_what_is_kept(
    bureau: Bureau, database_url: str, tmp_path: Path, people: int, request: pytest.FixtureRequest
) -> None:
    canaries = issue(bureau, people)
    assert len(canaries) == 4 * people
    copy = tmp_path / "copy"
    backup.take(database_url, copy)
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        files = [path, path.with_name(path.name + "-wal"), copy]
        contents = [file.read_bytes() for file in files]
        assert b"batch_chunks" in contents[0] + contents[2]
    else:
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        server.checkpoint()
        files = [*server.files_of(database_url), *(server.home / "data" / "pg_wal").glob("0*")]
        # The dump is compressed; what it holds is what comes out of it.
        told = subprocess.run(
            ["pg_restore", "--file=-", copy], capture_output=True, check=True, timeout=120
        )
        contents = [file.read_bytes() for file in files] + [told.stdout]
        assert b"batch_chunks" in told.stdout
    assert hits(canaries, *contents) == set()
    with bureau.store.read() as tx:
        log = repr(tx.connection.execute(select(audit_events)).all())
        last = outbox.last(tx, "bureau")
        events = [
            json.dumps([one.subject, one.payload], ensure_ascii=False)
            for start in range(0, last, 200)
            for one in outbox.page(tx, "bureau", after=start)
        ]
    assert hits(canaries, log.encode(), "".join(events).encode()) == set()
    # The search finds what is there.
    assert hits(canaries, b"x" + min(canaries).encode() + b"x")
