"""The audit log: chains of events, each linked to the one before by a keyed HMAC-SM3.

    link(n) = HMAC-SM3(audit key, link(n-1), chain, n, every field of event n)

The head row of a chain holds the last number and link under an HMAC of its own. So an edit, a
deletion, a swap, or an event put in shows at the first link that does not fit, and a tail that was
cut shows at the head, unless somebody kept an older head row and puts that back too: only
what is kept outside the database can show that.

Each event also notes which rows that decide it changed, and to which version. `verify_rows`
compares the last version noted with the row's own, which shows an old row put back.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Row, Select, Table, select

from card_core.checkpoint import Head
from card_core.errors import (
    AuditChainError,
    AuditRewrittenError,
    StoreConflictError,
    TamperedRowError,
)
from card_core.store import bulk, guarded, scans
from card_core.store.cipher import same
from card_core.store.database import Reader, Transaction
from card_core.store.schema import AUDITED, audit_events, audit_heads

CHAINS = ("bureau", "scan")
# Of everything but scans: whose rows are followed.
FOLLOWED = "bureau"
FOLLOWED_AT_FIRST = 20_000
FIRST_LINK = bytes(32)
ROWS_AT_ONCE = 1000
RAW_ROWS_AT_ONCE = 5000

# By whether it is SQLite, whose places for values are written in another way.
_HEAD = {
    mark == "?": f"SELECT seq, link, mac FROM audit_heads WHERE chain = {mark}"  # noqa: S608 - a place
    for mark in ("?", "%s")
}
_SET_HEAD = {
    mark == "?": f"UPDATE audit_heads SET seq = {mark}, link = {mark}, mac = {mark} "  # noqa: S608 - places
    f"WHERE chain = {mark}"
    for mark in ("?", "%s")
}

# The time in the form of a link's text, by the database itself.
_AT = {
    True: "replace(at, ' ', 'T') || '+00:00'",
    False: """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')""",
}
_RAW_EVENTS = {
    is_sqlite: f"SELECT seq, {at}, actor_kind, actor_id, act, subject, detail, link "  # noqa: S608 - places
    f"FROM audit_events WHERE chain = {mark} AND seq >= {mark} ORDER BY seq LIMIT {mark}"
    for (is_sqlite, at), mark in zip(_AT.items(), ("?", "%s"), strict=True)
}


@dataclass(frozen=True, slots=True)
class Event:
    """detail: JSON text with no personal data; `rows` in it lists [table, row id, version]."""

    at: datetime
    actor_kind: str
    actor_id: str
    act: str
    subject: str
    detail: str


def append(tx: Transaction, chain: str, event: Event) -> int:
    """Add an event at the end of a chain and return its number, from 1.

    The chain's head is locked from here to the commit, so this comes last in a transaction.
    Raises AuditChainError if the head itself was changed.
    """
    seq, link = _lock_head(tx, chain)
    seq += 1
    link = _link(tx, link, chain, seq, event)
    row = {
        "chain": chain,
        "seq": seq,
        "at": event.at,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "act": event.act,
        "subject": event.subject,
        "detail": event.detail,
        "link": link,
    }
    bulk.insert(tx, audit_events, [row])
    tx.run(_SET_HEAD[tx.is_sqlite], (seq, link, tx.cipher.audit_head_mac(chain, seq, link), chain))
    return seq


def begin(tx: Transaction) -> None:
    """Make the head of every chain, once, so that a chain that is gone is seen to be gone."""
    for chain in CHAINS:
        _lock_head(tx, chain)


def head(tx: Reader, chain: str) -> tuple[int, bytes]:
    """The last committed event's number and link, without a lock; 0 and FIRST_LINK for none.

    Raises AuditChainError if the head itself was changed.
    """
    return _checked_head(tx, chain, tx.run(_HEAD[tx.is_sqlite], (chain,)).fetchone())


def began_at(tx: Reader, chain: str) -> datetime | None:
    """When the chain's first event was; None before it."""
    statement = select(audit_events.c.at).where(
        audit_events.c.chain == chain, audit_events.c.seq == 1
    )
    at: datetime | None = tx.connection.execute(statement).scalar()
    return at


def changes(tx: Reader, chain: str, first: int, last: int) -> list[tuple[str, str, int]]:
    """The rows that decide which the events from `first` to `last` changed: table, id, version."""
    statement = select(audit_events.c.detail).where(
        audit_events.c.chain == chain, audit_events.c.seq.between(first, last)
    )
    details = tx.connection.execute(statement.order_by(audit_events.c.seq)).scalars()
    return [
        (table, row, version) for one in details for table, row, version in json.loads(one)["rows"]
    ]


def follow(tx: Reader, after: int | None) -> int:
    """Note the versions of rows that the log has learnt of, and return its last number.

    after: what the last call returned; None for the first one of a process, which goes back
    FOLLOWED_AT_FIRST events. Raises AuditChainError for a log that is shorter than it was, or whose
    head was changed; that counts as a tampered row (`Integrity.tampered_rows`) until it is over.
    """
    last = _followed_head(tx, after or 0)
    if after is None:
        after = max(0, last - FOLLOWED_AT_FIRST)
    if after == last:
        return last
    seq, columns = audit_events.c.seq, (audit_events.c.seq, audit_events.c.detail)
    statement = select(*columns).where(audit_events.c.chain == FOLLOWED, seq > after)
    changes = [
        (table, row_id, version)
        for row in _paged(tx, statement, seq)
        for table, row_id, version in json.loads(row.detail)["rows"]
    ]
    tx.integrity.note(changes)
    return last


def _followed_head(tx: Reader, after: int) -> int:
    last = -1
    try:
        last, _ = head(tx, FOLLOWED)
    finally:
        tx.integrity.tell(audit_heads.name, FOLLOWED, is_sound=last >= after)
    if last < after:
        raise AuditChainError(FOLLOWED, last + 1)
    return last


def holds(tx: Reader, chain: str, head: Head) -> bool:
    """Whether the chain's event of this number has this link: nothing was rewritten up to it."""
    if head.seq == 0:
        return chain in CHAINS
    statement = select(audit_events.c.link).where(
        audit_events.c.chain == chain, audit_events.c.seq == head.seq
    )
    link: bytes | None = tx.connection.execute(statement).scalar()
    return link is not None and same(link, head.link)


def verify_chain(
    tx: Reader, chain: str, signed: Mapping[int, Collection[bytes]] | None = None
) -> int:
    """Walk a chain from its first event to its head, and return the number of events.

    signed: links that were signed outside the database, by the number of their event.
    Raises AuditChainError with the first number at which it does not hold; AuditRewrittenError
    where it holds in itself and was signed otherwise.
    """
    signed = signed or {}
    seq, link = 0, FIRST_LINK
    for kept_seq, at, kind, actor, act, subject, detail, kept_link in _raw_events(tx, chain):
        seq += 1
        text = _text(chain, seq, at, kind, actor, act, subject, detail)
        link = tx.cipher.audit_link(link, text.encode())
        if kept_seq != seq or not same(link, kept_link):
            raise AuditChainError(chain, seq)
        if seq in signed and not all(same(link, one) for one in signed[seq]):
            raise AuditRewrittenError(chain, seq)
    found = tx.run(_HEAD[tx.is_sqlite], (chain,)).fetchone()
    if found is None:
        raise AuditChainError(chain, 1)
    head_seq, head_link, head_mac = found
    mac = tx.cipher.audit_head_mac(chain, head_seq, head_link)
    if head_seq != seq or not same(head_link, link) or not same(head_mac, mac):
        raise AuditChainError(chain, seq + 1)
    if signed and max(signed) > seq:
        raise AuditRewrittenError(chain, max(signed))
    return seq


def verify_rows(tx: Reader) -> int:
    """Compare the rows that decide with the log: how many were made, and each one's last version.

    To be called after `verify_chain` of every chain. Returns the number of rows compared.
    Raises TamperedRowError for an old row put back, a row changed past the log, or a table that
    has lost rows; the id is empty where only their number tells.
    """
    noted: dict[tuple[str, str], int] = {}
    made: Counter[str] = Counter()
    for chain in CHAINS:
        for *_, text, _link_kept in _raw_events(tx, chain):
            detail = json.loads(text)
            made.update(detail["made"])
            for table, row_id, version in detail["rows"]:
                noted[table, row_id] = max(version, noted.get((table, row_id), 1))
    compared = 0
    for table in sorted(AUDITED, key=lambda one: one.name):
        for row_id, version in _versions(tx, table):
            if version != noted.pop((table.name, row_id), 1):
                raise TamperedRowError(table.name, row_id)
            compared += 1
            made[table.name] -= 1
    for table, row_id in noted:
        raise TamperedRowError(table, row_id)
    for table, missing in made.items():
        if missing:
            raise TamperedRowError(table, "")
    return compared


def verify_scans(tx: Reader) -> int:
    """Compare the records of scans with the digests in the log; how many scans there are.

    To be called after `verify_chain` of the scans' chain. Raises TamperedRowError with the first
    group that has an edited, missing or added scan; without an id where a scan is in no group.
    """
    compared = 0
    for row in _events(tx, "scan"):
        detail = json.loads(row.detail)
        if "digest" in detail:
            shared = row.subject.removeprefix("scans/")
            found = (
                scans.digest_of(tx, detail["ids"])
                if "ids" in detail
                else scans.digest_of_group(tx, shared)
            )
            if found != (detail["scans"], detail["digest"]):
                raise TamperedRowError("scans", shared)
            compared += detail["scans"]
    if scans.count(tx) != compared:
        raise TamperedRowError("scans", "")
    return compared


def _lock_head(tx: Transaction, chain: str) -> tuple[int, bytes]:
    # On SQLite one transaction writes at a time, and its head is its own.
    statement = _HEAD[True] if tx.is_sqlite else f"{_HEAD[False]} FOR UPDATE"
    head = tx.run(statement, (chain,)).fetchone()
    if head is None:
        mac = tx.cipher.audit_head_mac(chain, 0, FIRST_LINK)
        start = {"chain": chain, "seq": 0, "link": FIRST_LINK, "mac": mac}
        bulk.insert_new(tx, audit_heads, [start], ("chain",))()
        head = tx.run(statement, (chain,)).fetchone()
    if head is None:
        raise StoreConflictError
    return _checked_head(tx, chain, head)


def _checked_head(
    tx: Reader, chain: str, row: tuple[int, bytes, bytes] | None
) -> tuple[int, bytes]:
    if row is None:
        return 0, FIRST_LINK
    seq, link, mac = row
    if not same(mac, tx.cipher.audit_head_mac(chain, seq, link)):
        raise AuditChainError(chain, seq)
    return seq, link


def _events(tx: Reader, chain: str) -> Iterator[Row[Any]]:
    """Every event of a chain with its number and its link, some rows in memory at a time."""
    statement = select(audit_events).where(audit_events.c.chain == chain)
    return _paged(tx, statement, audit_events.c.seq)


def _raw_events(tx: Reader, chain: str) -> Iterator[tuple[Any, ...]]:
    """As `_events`, as the driver has them, with the time as `_text` wants it: three times as fast,
    of which an auditor's million events make a quarter of a minute.

    Each page begins with the last event of the one before: one more with its number, which another
    partition's key would not refuse, comes too, and does not fit.
    """
    statement = _RAW_EVENTS[tx.is_sqlite]
    page = tx.run(statement, (chain, -1, RAW_ROWS_AT_ONCE)).fetchall()
    while page:
        yield from page
        page = tx.run(statement, (chain, page[-1][0], RAW_ROWS_AT_ONCE)).fetchall()[1:]


def _versions(tx: Reader, table: Table) -> Iterator[tuple[str, int]]:
    for row in _paged(tx, select(table), table.c.id):
        guarded.check(tx, table, row)
        yield str(row.id), row.version


def _paged(tx: Reader, statement: Select[Any], key: Column[Any]) -> Iterator[Row[Any]]:
    page = tx.connection.execute(statement.order_by(key).limit(ROWS_AT_ONCE)).all()
    while page:
        yield from page
        behind = statement.where(key > getattr(page[-1], key.name))
        page = tx.connection.execute(behind.order_by(key).limit(ROWS_AT_ONCE)).all()


def _link(tx: Reader, before: bytes, chain: str, seq: int, event: Any) -> bytes:
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    kind, actor, act, subject = event.actor_kind, event.actor_id, event.act, event.subject
    text = _text(chain, seq, at, kind, actor, act, subject, event.detail)
    return tx.cipher.audit_link(before, text.encode())


def _text(  # noqa: PLR0917 - the columns in their order, called a million times
    chain: str, seq: int, at: str, kind: str, actor: str, act: str, subject: str, detail: str
) -> str:
    """The lengths stand before the texts, so that no two events give the same bytes. Written out
    rather than looped over: an auditor's million events go through here one by one.

    at: in UTC, as 2026-07-01T08:00:00.000000+00:00.
    """
    lengths = f"{len(chain)},{len(kind)},{len(actor)},{len(act)},{len(subject)},{len(detail)}"
    return f"{seq};{at};{lengths};{chain}{kind}{actor}{act}{subject}{detail}"
