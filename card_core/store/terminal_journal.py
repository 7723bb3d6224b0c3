"""What a terminal did with no network, on disk before it is said: SQLite, synchronous FULL.

A database of the terminal's own, at the counter; the service's has nothing to do with it.

Three tables. `asked`: codes that were sent to the service, with what is known of them; one whose
outcome is unknown gets no yes here. `accepted`: what was accepted offline, each code once, until it
is handed in. `facts`: times. Codes stand in it as HMACs and, where they have to be handed in,
sealed: who has the disk alone learns nothing of whose they were.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from card_core.bundles import OfflinePolicy
from card_core.offline_records import OfflineRecord
from crypto import sm3, sm4

SECRET_SIZE: Final = 48
SEEN_KEPT_SECONDS: Final = 3 * 24 * 3600
_NONCE_SIZE = 12
_SCHEMA = """
CREATE TABLE IF NOT EXISTS asked(
  code BLOB PRIMARY KEY, request_id TEXT NOT NULL, settled INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS accepted(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT NOT NULL UNIQUE,
  code BLOB NOT NULL UNIQUE, credential BLOB, consumes INTEGER NOT NULL,
  amount_fen INTEGER NOT NULL, at REAL NOT NULL, sealed BLOB NOT NULL, signature BLOB NOT NULL,
  outcome TEXT);
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Seen(StrEnum):
    """What this terminal knows of a code. NOT_HERE is never "unused"."""

    NOT_HERE = "not_here"
    TAKEN = "taken"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class KeptTime:
    """offset_seconds: the service's time minus the machine's. highest: Unix seconds, 0 for none."""

    offset_seconds: float = 0.0
    highest: float = 0.0


class CapReachedError(Exception):
    """The issuer's policy lets this credential consume no more until records are handed in."""


class SeenBeforeError(Exception):
    """This terminal accepted the code before, or does not know whether the service did."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        super().__init__(seen.value)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One record, and the terminal's signature over it."""

    record: OfflineRecord
    signature: bytes


class Journal:
    """One terminal's; safe in many threads, and in one process at a time.

    secret: SECRET_SIZE bytes, from the terminal's key files. sign: with the terminal's key.
    """

    def __init__(self, path: Path, secret: bytes, sign: Callable[[bytes], bytes]) -> None:
        """Raises: sqlite3.Error."""
        self._gcm, self._mac_key = sm4.Gcm(secret[:16]), secret[16:]
        self._sign = sign
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        path.chmod(0o600)

    def close(self) -> None:
        self._db.close()

    # ---- codes that the service is asked about

    def begin_asking(self, identity: bytes, request_id: str, now: float) -> bool:
        """Note, before the question leaves, that this code may be spent from now on; False where
        it was asked about before, so that a question that did not leave clears no earlier doubt.

        Raises SeenBeforeError for one that was accepted here offline.
        """
        code = self._name(identity)
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM accepted WHERE code = ?", (code,)).fetchone():
                raise SeenBeforeError(Seen.TAKEN)
            made = db.execute(
                "INSERT OR IGNORE INTO asked VALUES(?, ?, 0, ?)", (code, request_id, now)
            )
            return made.rowcount == 1

    def settle_asking(self, identity: bytes, *, is_spent: bool) -> None:
        """The service answered, or was not reached: the code is spent, or as if never asked."""
        code = self._name(identity)
        with self._transaction() as db:
            if is_spent:
                db.execute("UPDATE asked SET settled = 1 WHERE code = ?", (code,))
            else:
                db.execute("DELETE FROM asked WHERE code = ? AND settled = 0", (code,))

    def is_asked_by(self, identity: bytes, request_id: str) -> bool:
        """Whether this very request was sent for the code and its outcome is unknown."""
        with self._lock:
            row = self._db.execute(
                "SELECT request_id FROM asked WHERE code = ? AND settled = 0",
                (self._name(identity),),
            ).fetchone()
        return row is not None and row[0] == request_id

    # ---- codes that are accepted with no network

    def find(self, request_id: str) -> Accepted | None:
        """What was accepted under this request id."""
        with self._lock:
            row = self._db.execute(
                "SELECT sealed, signature FROM accepted WHERE request_id = ?", (request_id,)
            ).fetchone()
        return None if row is None else Accepted(self._open(row[0]), row[1])

    def accept(
        self,
        identity: bytes,
        *,
        make: Callable[[int], OfflineRecord],
        credential: bytes | None,
        policy: OfflinePolicy | None,
    ) -> Accepted:
        """Remember a code as taken, sign its record and keep both; it is on disk when this returns.

        make: the record, for its sequence number. credential: the device key, what caps count.
        policy: of a scan that consumes; None for one that identifies.
        Raises SeenBeforeError, CapReachedError; nothing is kept then.
        """
        code = self._name(identity)
        owner = None if credential is None else self._name(credential)
        with self._transaction() as db:
            seen = self._seen(db, code)
            if seen is not Seen.NOT_HERE:
                raise SeenBeforeError(seen)
            record = make(self._next_sequence(db))
            if policy is not None:
                _check_caps(db, owner, record.amount_fen or 0, policy)
            signature = self._sign(record.to_be_signed())
            db.execute(
                "INSERT INTO accepted VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    record.sequence,
                    record.request_id,
                    code,
                    owner,
                    int(policy is not None),
                    record.amount_fen or 0,
                    record.scanned_at.timestamp(),
                    self._seal(record),
                    signature,
                ),
            )
        return Accepted(record, signature)

    # ---- handing in

    def pending(self, limit: int) -> list[Accepted]:
        """At most `limit` records that are not handed in, the first first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT sealed, signature FROM accepted WHERE outcome IS NULL"
                " ORDER BY sequence LIMIT ?",
                (limit,),
            ).fetchall()
        return [Accepted(self._open(sealed), signature) for sealed, signature in rows]

    def count_pending(self) -> int:
        with self._lock:
            row = self._db.execute("SELECT count(*) FROM accepted WHERE outcome IS NULL").fetchone()
        return int(row[0])

    def note_outcomes(self, outcomes: dict[str, str]) -> None:
        """What the service made of records, by request id: they count against no cap any more."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE accepted SET outcome = ? WHERE request_id = ? AND outcome IS NULL",
                [(outcome, request_id) for request_id, outcome in outcomes.items()],
            )

    def outcomes(self) -> dict[str, str]:
        """Of the records that were handed in and are still kept."""
        with self._lock:
            rows = self._db.execute(
                "SELECT request_id, outcome FROM accepted WHERE outcome IS NOT NULL"
            ).fetchall()
        return dict(rows)

    def drop_old(self, now: float) -> None:
        """Forget codes that nobody can show any more; never a record that is not handed in."""
        before = now - SEEN_KEPT_SECONDS
        with self._transaction() as db:
            db.execute("DELETE FROM asked WHERE at < ?", (before,))
            db.execute("DELETE FROM accepted WHERE outcome IS NOT NULL AND at < ?", (before,))

    # ---- time

    def keep_time(self, kept: KeptTime) -> None:
        with self._transaction() as db:
            for name, value in (("offset", kept.offset_seconds), ("highest", kept.highest)):
                db.execute("INSERT OR REPLACE INTO facts VALUES(?, ?)", (name, repr(value)))

    def kept_time(self) -> KeptTime:
        with self._lock:
            found = dict(self._db.execute("SELECT name, value FROM facts").fetchall())
        return KeptTime(float(found.get("offset", 0.0)), float(found.get("highest", 0.0)))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _seen(self, db: sqlite3.Connection, code: bytes) -> Seen:
        if db.execute("SELECT 1 FROM accepted WHERE code = ?", (code,)).fetchone():
            return Seen.TAKEN
        row = db.execute("SELECT settled FROM asked WHERE code = ?", (code,)).fetchone()
        if row is None:
            return Seen.NOT_HERE
        return Seen.TAKEN if row[0] else Seen.IN_DOUBT

    def _next_sequence(self, db: sqlite3.Connection) -> int:
        # Kept by SQLite beside the table: a number is not given out again after a sweep.
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'accepted'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def _name(self, identity: bytes) -> bytes:
        return sm3.hmac(self._mac_key, identity)

    def _seal(self, record: OfflineRecord) -> bytes:
        fields = {
            "terminal": record.terminal.hex(),
            "sequence": record.sequence,
            "scanned_at": int(record.scanned_at.timestamp()),
            "business_type": record.business_type,
            "amount_fen": record.amount_fen,
            "request_id": record.request_id,
            "code": record.code,
        }
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._gcm.encrypt(nonce, json.dumps(fields).encode())

    def _open(self, sealed: bytes) -> OfflineRecord:
        fields = json.loads(self._gcm.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:]))
        scanned_at = datetime.fromtimestamp(fields.pop("scanned_at"), UTC)
        terminal = bytes.fromhex(fields.pop("terminal"))
        return OfflineRecord(terminal=terminal, scanned_at=scanned_at, **fields)


def _check_caps(
    db: sqlite3.Connection, owner: bytes | None, amount_fen: int, policy: OfflinePolicy
) -> None:
    """Both caps hold with this scan in the sum. Raises CapReachedError."""
    count, amount = db.execute(
        "SELECT count(*), coalesce(sum(amount_fen), 0) FROM accepted"
        " WHERE credential = ? AND consumes = 1 AND outcome IS NULL",
        (owner,),
    ).fetchone()
    if count + 1 > policy.count_max or amount + amount_fen > policy.amount_fen_max:
        raise CapReachedError
