"""A batch that waits to be issued, on a PostgreSQL of its own, and what it is when it was."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.bench_issuance.people import applications
from benchmarks.bench_scan.bureau import Ground
from card_core.states import BatchState
from card_core.store import batches, cards
from card_core.store.batches import Batch
from card_core.store.cards import Card
from crypto import sm3
from issuance.batches import find_batch, new_request_id, release_approval
from issuance.importing import import_roster
from issuance.roster import WholeRoster

PATIENCE_SECONDS = 120
PEOPLE = 1900  # four chunks, the last one not full
_serials = itertools.count(0, PEOPLE)


@dataclass
class Released:
    """A released batch of several chunks, and where."""

    ground: Ground
    batch_id: str

    def cards(self) -> list[Card]:
        with self.ground.site.store.read() as tx:
            found = cards.page(tx, batch_id=self.batch_id)
            while more := cards.page(tx, batch_id=self.batch_id, after=found[-1].id):
                found += more
        return found

    def check_complete(self, after: Batch) -> None:
        """Each number of the batch once, in its chunk; each person one card."""
        assert (after.state, after.issued) == (BatchState.ISSUED, after.accepted)
        made = self.cards()
        first = after.first_card_serial
        assert first is not None
        serials = sorted(int(card.card_number[2:]) for card in made)
        assert serials == list(range(first, first + after.accepted))
        assert len({card.holder_id for card in made}) == after.accepted
        with self.ground.site.store.read() as tx:
            ledger = batches.chunks(tx, self.batch_id)
        assert [chunk.first_card_number for chunk in ledger] == [
            f"FS{first + at * 500:07d}" for at in range(len(ledger))
        ]


def waiting_for_locks(ground: Ground) -> int:
    """How many transactions stand before a lock."""
    with ground.site.store.read() as tx:
        found = tx.connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            )
        ).scalar()
    return int(found or 0)


def released_batch(ground: Ground) -> Released:
    """A batch of PEOPLE whom no other one has, imported and approved."""
    first = next(_serials)
    people = tuple(applications(first, PEOPLE))
    rows = [one.row for one in people]
    digest_hex = sm3.digest(b"%d" % first).hex()
    found = WholeRoster(rows, (), (), digest_hex, people)
    kernel, staff = ground.site.kernel, ground.staff
    imported = import_roster(kernel, found, name=f"from {first}", actor=staff["maker"])
    with ground.site.store.read() as tx:
        batch = find_batch(tx, str(imported.batch_id))
        approval = release_approval(tx, batch)
    kernel.approve(
        approval.id,
        content_hash=approval.content_hash,
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    return Released(ground, batch.id)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
