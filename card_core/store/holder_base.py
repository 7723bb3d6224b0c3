"""The holder base (持卡人员基础库) as a whole: streams of it, many found at once, key data changed.

Single holders are read by `holders`; what became of merged ones is in `holder_changes`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update

from card_core.errors import TamperedRowError
from card_core.identity import IdentityNumber, NumberKind
from card_core.states import CardState
from card_core.store import bulk, guarded
from card_core.store import holder_changes as holder_changes_of
from card_core.store.database import Lock, Reader, Transaction
from card_core.store.holders import index_of
from card_core.store.paging import PAGE_SIZE_MAX, check_limit
from card_core.store.schema import cards, holder_changes
from card_core.store.schema import holders as table

_LOCK = "holder_base"
_KEY_COLUMNS = ("social_security_number", "name", "birth_on", "phone")
_IN_MAX = 500


@dataclass(frozen=True, slots=True, repr=False)
class KeyData:
    """By what two records are told apart or found to be one person's."""

    id: str
    social_security_number: str
    name: str
    birth_on: date
    phone: str
    number_index: bytes


@dataclass(frozen=True, slots=True, repr=False)
class NewHolder:
    """A person of whom no more is known than a card of theirs tells. phone: may be empty."""

    number: IdentityNumber
    name: str
    phone: str


def lock(tx: Transaction, lock_: Lock) -> None:
    """OWN for what changes whose record is whose; SHARED for what relies on that to its end."""
    tx.lock(_LOCK, lock_)


def lock_record(tx: Transaction, holder_id: str, lock_: Lock) -> None:
    """OWN for a merge that takes the record away; SHARED for whatever its holder does."""
    tx.lock(f"holders/{holder_id}", lock_)


def page(tx: Reader, *, after: str = "", limit: int = PAGE_SIZE_MAX) -> list[KeyData]:
    """At most `limit` records that were not merged away or erased, with ids behind `after`."""
    statement = _standing().where(table.c.id > after).order_by(table.c.id)
    rows = tx.connection.execute(statement.limit(check_limit(limit)))
    return [_key_data(tx, row) for row in rows]


def page_by_index(tx: Reader, *, after: bytes = b"", limit: int = PAGE_SIZE_MAX) -> list[KeyData]:
    """As `page`, in the order of the blind indexes."""
    statement = _standing().where(table.c.number_index > after).order_by(table.c.number_index)
    rows = tx.connection.execute(statement.limit(check_limit(limit)))
    return [_key_data(tx, row) for row in rows]


def count(tx: Reader) -> int:
    """How many records there are, merged ones too."""
    found: int = tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
    return found


def find_many(tx: Reader, numbers: Sequence[str]) -> dict[str, KeyData]:
    """The holders with these social security numbers, by number. Raises TamperedRowError."""
    number_by_index = {index_of(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found = {}
    for at in range(0, len(indexes), _IN_MAX):
        wanted = table.c.number_index.in_(indexes[at : at + _IN_MAX])
        for row in tx.connection.execute(_columns().where(wanted)):
            one = _key_data(tx, row)
            if one.social_security_number != number_by_index[row.number_index]:
                raise TamperedRowError(table.name, one.id)
            found[one.social_security_number] = one
    return found


def merged_numbers(tx: Reader, numbers: Sequence[str]) -> set[str]:
    """Those of the numbers that find a merged record and nobody else."""
    number_by_index = {index_of(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found: set[str] = set()
    for at in range(0, len(indexes), _IN_MAX):
        merged = holder_changes_of.indexes_of_merged(tx, indexes[at : at + _IN_MAX])
        found |= {number_by_index[index] for index in merged}
    return found


def live_cards_of(tx: Reader, holder_ids: Collection[str]) -> set[str]:
    """Those of the holders who have a card that is not cancelled."""
    wanted = cards.c.state != CardState.CANCELLED.value
    statement = select(cards).where(bulk.among(tx, cards.c.holder_id, list(holder_ids)), wanted)
    return {row.holder_id for row in guarded.rows(tx, cards, statement)}


def states_of(tx: Reader, holder_ids: Collection[str]) -> dict[str, CardState]:
    """The state of each holder's live card, or CANCELLED where all are; no entry for no card."""
    rows, tampered = guarded.find_intact(tx, cards, "holder_id", list(holder_ids))()
    if tampered:
        raise TamperedRowError(cards.name, min(tampered))
    states: dict[str, CardState] = {}
    for row in rows:
        if states.get(row.holder_id, CardState.CANCELLED) is CardState.CANCELLED:
            states[row.holder_id] = CardState(row.state)
    return states


def add_new(
    tx: Transaction, new: Sequence[NewHolder], new_id: Callable[[], str], now: datetime
) -> dict[str, str]:
    """Make a record of each whose number finds nobody; the ids of those made, by number.

    Whoever makes a record of the same person at the same moment is waited for. Two who have
    several people in common don't wait for each other: the rows go in by their ids, which rise
    here as the numbers' indexes do. new_id: gives ids that rise.
    """
    by_index = {index_of(tx, one.number.text): one for one in new}
    rows = []
    for index in sorted(by_index):
        holder_id, one = new_id(), by_index[index]
        sealed = tx.cipher.seal_row(table.name, holder_id, _encoded(_plain(one)))
        row = {"id": holder_id, "number_index": index, "created_at": now}
        rows.append({**row, "region": one.number.region, **sealed})
    made = bulk.insert_new(tx, table, rows, ("id", "number_index"))()
    return {by_index[index].number.text: holder_id for holder_id, index in made}


def change_key_data(
    tx: Transaction, holder_id: str, *, name: str | None, number: IdentityNumber | None
) -> None:
    """Write what is given, the number with what it says; the old number finds nobody any more."""
    plain: dict[str, str] = {} if name is None else {"name": name}
    index: dict[str, Any] = {}
    if number is not None:
        plain |= {"social_security_number": number.text, "sex": number.sex.value}
        if number.kind is not NumberKind.FOREIGN_PERMANENT_OLD:  # its century is a guess
            plain["birth_on"] = number.birth_on.isoformat()
        index["number_index"] = index_of(tx, number.text)
    values = tx.cipher.seal_row(table.name, holder_id, _encoded(plain)) | index
    tx.connection.execute(update(table).where(table.c.id == holder_id).values(**values))


def release_number(tx: Transaction, holder_id: str) -> bytes:
    """Let a merged record's number find it no more; returns the index that did."""
    row = tx.connection.execute(select(table.c.number_index).where(table.c.id == holder_id)).one()
    gone = tx.cipher.blind_index("merged_holder", holder_id)
    tx.connection.execute(update(table).where(table.c.id == holder_id).values(number_index=gone))
    index: bytes = row.number_index
    return index


def _plain(one: NewHolder) -> dict[str, str]:
    return {
        "social_security_number": one.number.text,
        "name": one.name,
        "sex": one.number.sex.value,
        "birth_on": one.number.birth_on.isoformat(),
        "ethnic_group": "",
        "phone": one.phone,
        "address": "",
        "guardian_name": "",
        "guardian_number": "",
    }


def _encoded(plain: Mapping[str, str]) -> dict[str, bytes]:
    return {column: value.encode() for column, value in plain.items()}


def _columns() -> Any:
    return select(table.c.id, table.c.number_index, *(table.c[name] for name in _KEY_COLUMNS))


def _standing() -> Any:
    went = select(holder_changes.c.id).where(holder_changes.c.merged_id == table.c.id)
    return _columns().where(~went.exists(), table.c.erased_at.is_(None))


def _key_data(tx: Reader, row: Any) -> KeyData:
    number, name, birth_on, phone = (
        tx.cipher.open(table.name, column, row.id, getattr(row, column)).decode()
        for column in _KEY_COLUMNS
    )
    return KeyData(row.id, number, name, date.fromisoformat(birth_on), phone, row.number_index)
