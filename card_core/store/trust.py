"""The trust list that holds, and whose lists are taken; who scanned at another issuer's place."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from card_core.store import bulk, guarded
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.schema import peer_scans
from card_core.store.schema import trust as table
from card_core.trust import TrustedIssuer, TrustList, read_signed

_ROW = "holding"


@dataclass(frozen=True, slots=True)
class Trust:
    """authority: whose lists are taken, a compressed point; None: this bureau's own trust_list
    keys. edition: of the list that holds, 0 if none. document: as it was signed, empty if none."""

    authority: bytes | None
    edition: int
    document: bytes
    version: int = 0  # of the row


@dataclass(frozen=True, slots=True)
class PeerScan:
    """Who scanned, in the words of the issuer that asked. terminal: its serial number."""

    scan_id: str
    issuer: int
    institution_code: str
    institution_name: str
    terminal: bytes


def get(tx: Reader) -> Trust:
    """Raises TamperedRowError."""
    row = guarded.first(tx, table, select(table).where(table.c.id == _ROW))
    if row is None:
        return Trust(None, 0, b"")
    return Trust(row.authority, row.edition, row.document, row.version)


def put(tx: Transaction, trust: Trust) -> None:
    """The row's version is its own affair."""
    values = {
        "authority": trust.authority,
        "edition": trust.edition,
        "document": trust.document,
    }
    tx.lock("trust", Lock.OWN)
    if guarded.get(tx, table, _ROW) is None:
        guarded.add(tx, table, {"id": _ROW, **values})
    else:
        guarded.change(tx, table, _ROW, **values)


def holding(tx: Reader, now: datetime) -> TrustList | None:
    """The trust list that holds now; None where there is none or it has expired.

    Raises TamperedRowError.
    """
    return list_of(get(tx), now)


def list_of(trust: Trust, now: datetime) -> TrustList | None:
    """As `holding`, of what was read before."""
    if not trust.document:
        return None
    trust_list = read_signed(trust.document)
    return trust_list if now < trust_list.expires_at else None


def entries(tx: Reader, now: datetime) -> tuple[TrustedIssuer, ...]:
    """The other issuers that are trusted now, for the bundles that terminals carry."""
    trust_list = holding(tx, now)
    return () if trust_list is None else trust_list.issuers


def add_peer_scans(tx: Transaction, found: Sequence[PeerScan]) -> None:
    bulk.insert(tx, peer_scans, [asdict(one) for one in found])


def peer_scan(tx: Reader, scan_id: str) -> PeerScan | None:
    row = tx.connection.execute(select(peer_scans).where(peer_scans.c.scan_id == scan_id)).first()
    return None if row is None else PeerScan(*row)
