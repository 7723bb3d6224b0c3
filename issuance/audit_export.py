"""The audit log as a file for whoever audits: JSON lines, and no personal data.

The first line names the format and how many events of each chain follow. Every other line is one
event: chain, seq, at (RFC 3339, UTC), actor_kind, actor_id, act, subject, detail (an object), link
(hex). Actors and subjects are row ids of this installation; what was typed at a sign-in is a keyed
digest. The links are keyed: `sscard audit verify` checks them where the keys are.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

from card_core.store import Reader, Store, audit, audit_reading
from card_core.store.audit_reading import LoggedEvent
from crypto import sm3
from issuance.files import PRIVATE, whole_file

FORMAT = "sscard audit export, version 1"


def export_log(store: Store, path: Path) -> tuple[int, bytes]:
    """Write the log as it is now; how many events, and the SM3 digest of the file.

    Raises FileRefusedError, AuditChainError, StoreError.
    """
    digest, lines = sm3.Hash(), 0
    with store.read() as tx, whole_file(path, mode=PRIVATE) as file:
        for entry in _entries(tx):
            line = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode() + b"\n"
            digest.update(line)
            file.write(line)
            lines += 1
    return lines - 1, digest.digest()


def _entries(tx: Reader) -> Iterator[dict[str, Any]]:
    counts = {chain: audit.head(tx, chain)[0] for chain in audit.CHAINS}
    yield {"format": FORMAT, "events": counts}
    for chain, count in counts.items():
        for event in audit_reading.events(tx, chain, until=count):
            yield _entry(event)


def _entry(event: LoggedEvent) -> dict[str, Any]:
    return {
        "chain": event.chain,
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat(),
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "act": event.act,
        "subject": event.subject,
        "detail": json.loads(event.detail),
        "link": event.link.hex(),
    }
