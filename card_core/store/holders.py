"""Holders (持卡人): one row a person, every personal field sealed, found by blind index."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import compress
from typing import Any, NamedTuple

from sqlalchemy import select, update

from card_core.application import Application
from card_core.errors import TamperedRowError
from card_core.holder_views import HolderFacts
from card_core.states import CardState
from card_core.store import bulk
from card_core.store.database import Reader, Transaction
from card_core.store.schema import cards
from card_core.store.schema import holders as table

# Several hundred values fit one statement on both databases.
_IN_MAX = 500


@dataclass(frozen=True, slots=True, repr=False)
class Holder:
    """One person. ethnic_group: GB/T 3304 code, empty if none. The guardian is empty for adults."""

    id: str
    social_security_number: str
    name: str
    sex: str
    birth_on: date
    ethnic_group: str
    phone: str
    address: str
    region: str
    guardian_name: str
    guardian_number: str


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """What a scan may show of a holder."""

    name: str
    social_security_number: str


class ChipFacts(NamedTuple):
    """What a chip holds of its holder. birth_on: ISO 8601. ethnic_group: empty if none."""

    social_security_number: str
    name: str
    sex: str
    birth_on: str
    ethnic_group: str

    def __repr__(self) -> str:
        return "ChipFacts()"


_SEALED = (
    "social_security_number",
    "name",
    "sex",
    "birth_on",
    "ethnic_group",
    "phone",
    "address",
    "guardian_name",
    "guardian_number",
)

_ON_CHIPS = ("social_security_number", "name", "sex", "birth_on", "ethnic_group")
_FACTS = ("id", *(name for name in HolderFacts._fields if name in _SEALED))


def get(tx: Reader, holder_id: str) -> Holder | None:
    row = tx.connection.execute(select(table).where(table.c.id == holder_id)).first()
    return None if row is None else _record(tx, row)


def find_by_number(tx: Reader, social_security_number: str) -> Holder | None:
    """Raises TamperedRowError if the index leads to somebody else."""
    statement = select(table).where(table.c.number_index == index_of(tx, social_security_number))
    row = tx.connection.execute(statement).first()
    if row is None:
        return None
    holder = _record(tx, row)
    if holder.social_security_number != social_security_number:
        raise TamperedRowError(table.name, row.id)
    return holder


def find_id_by_number(tx: Reader, social_security_number: str) -> str | None:
    """As `find_by_number`, opening nothing but the number."""
    row = tx.connection.execute(
        select(table.c.id, table.c.social_security_number).where(
            table.c.number_index == index_of(tx, social_security_number)
        )
    ).first()
    if row is None:
        return None
    if _open(tx, row, "social_security_number") != social_security_number:
        raise TamperedRowError(table.name, row.id)
    holder_id: str = row.id
    return holder_id


def exists(tx: Reader, holder_id: str) -> bool:
    found = tx.connection.execute(select(table.c.id).where(table.c.id == holder_id)).first()
    return found is not None


def identity_of(tx: Reader, holder_id: str) -> Identity:
    """Name and number alone. Raises TamperedRowError if there is no such holder."""
    row = tx.connection.execute(
        select(table.c.id, table.c.name, table.c.social_security_number).where(
            table.c.id == holder_id
        )
    ).first()
    if row is None:
        raise TamperedRowError(table.name, holder_id)
    return Identity(_open(tx, row, "name"), _open(tx, row, "social_security_number"))


def chip_facts_of(tx: Reader, holder_ids: Collection[str]) -> dict[str, ChipFacts]:
    """By id, what is written into the cards of these holders. Raises TamperedRowError."""
    rows = bulk.find(tx, table, ("id", *_ON_CHIPS), "id", holder_ids)()
    if not rows:
        return {}
    ids, *columns = zip(*rows, strict=True)
    opened = tx.cipher.open_table(table.name, ids, dict(zip(_ON_CHIPS, columns, strict=True)))
    texts = (map(bytes.decode, column) for column in opened.values())
    return dict(zip(ids, map(ChipFacts, *texts), strict=True))


def get_all(tx: Reader, holder_ids: Collection[str]) -> dict[str, Holder]:
    """By id, these holders. Raises TamperedRowError."""
    found = bulk.find(tx, table, ("id", "region", *_SEALED), "id", holder_ids)()
    return {row.id: _record(tx, row) for row in found}


def facts_of(tx: Reader, wanted: Mapping[str, Collection[str]]) -> dict[str, HolderFacts]:
    """What is known of many holders, nothing opened but what is wanted of each.

    wanted: by holder id, names of HolderFacts; those that are no columns here stay empty. A holder
    who is not there, or of whom a wanted field does not open, is left out.
    """
    facts = {}
    for row in bulk.find(tx, table, _FACTS, "id", wanted)():
        with suppress(TamperedRowError):
            facts[row.id] = _facts(tx, row, wanted[row.id])
    return facts


def _facts(tx: Reader, row: Any, wanted: Collection[str]) -> HolderFacts:
    opened = _opened(tx, row, [name for name in wanted if name in _SEALED])
    birth_on = opened.pop("birth_on", None)
    return HolderFacts(
        **opened, birth_on=None if birth_on is None else date.fromisoformat(birth_on)
    )


def numbers_with_live_card(tx: Reader, numbers: Sequence[str]) -> set[str]:
    """Those of the social security numbers whose holder has a card that is not cancelled."""
    number_by_index = {index_of(tx, number): number for number in numbers}
    indexes = list(number_by_index)
    found: set[str] = set()
    for at in range(0, len(indexes), _IN_MAX):
        statement = (
            select(table.c.number_index)
            .join(cards, cards.c.holder_id == table.c.id)
            .where(
                bulk.among_indexes(tx, table.c.number_index, indexes[at : at + _IN_MAX]),
                cards.c.state != CardState.CANCELLED.value,
            )
        )
        found |= {number_by_index[row.number_index] for row in tx.connection.execute(statement)}
    return found


def put_all(
    tx: Transaction,
    applications: Sequence[Application],
    new_ids: Callable[[int], list[str]],
    now: datetime,
) -> list[str]:
    """Make or renew the holder of each application (at most 500); their ids, in that order.

    new_ids: as many new ids as it is asked for.
    """
    indexes = [index_of(tx, application.number.text) for application in applications]
    known = _known(tx, dict(zip(indexes, applications, strict=True)))
    fresh = iter(new_ids(len(applications) - len(known)))
    ids = [known[index] if index in known else next(fresh) for index in indexes]
    columns = _sealed_columns(tx, ids, applications)
    for at, index in enumerate(indexes):
        if index in known:
            values = {name: column[at] for name, column in columns.items()}
            tx.connection.execute(update(table).where(table.c.id == ids[at]).values(**values))
    is_new = [index not in known for index in indexes]
    rows: dict[str, list[Any]] = {
        "id": ids,
        "number_index": indexes,
        "created_at": [now] * len(ids),
        **columns,
    }
    bulk.load(tx, table, {name: list(compress(column, is_new)) for name, column in rows.items()})
    return ids


def _known(tx: Reader, wanted: Mapping[bytes, Application]) -> dict[bytes, str]:
    """The holders who are there already, by their blind index. Raises TamperedRowError."""
    columns = (table.c.number_index, table.c.id, table.c.social_security_number)
    statement = select(*columns).where(bulk.among_indexes(tx, table.c.number_index, wanted))
    known = {}
    for row in tx.connection.execute(statement):
        if _open(tx, row, "social_security_number") != wanted[row.number_index].number.text:
            # An index that was moved to another's row by hand must not give that row away.
            raise TamperedRowError(table.name, row.id)
        known[row.number_index] = row.id
    return known


def _sealed_columns(
    tx: Reader, holder_ids: Sequence[str], applications: Sequence[Application]
) -> dict[str, list[Any]]:
    plain = zip(*map(_plain, applications), strict=True)
    encoded = {
        name: list(map(str.encode, column)) for name, column in zip(_SEALED, plain, strict=True)
    }
    sealed = tx.cipher.seal_table(table.name, holder_ids, encoded)
    return {**sealed, "region": [application.region for application in applications]}


def _plain(application: Application) -> tuple[str, ...]:
    """What is sealed of an application, in the order of `_SEALED`."""
    guardian = application.guardian_number
    return (
        application.number.text,
        application.name,
        application.sex.value,
        application.birth_on.isoformat(),
        application.ethnic_code or "",
        application.phone,
        application.address,
        application.guardian_name or "",
        "" if guardian is None else guardian.text,
    )


def _record(tx: Reader, row: Any) -> Holder:
    opened = _opened(tx, row, _SEALED)
    birth_on = date.fromisoformat(opened.pop("birth_on"))
    return Holder(id=row.id, birth_on=birth_on, region=row.region, **opened)


def _open(tx: Reader, row: Any, column: str) -> str:
    return tx.cipher.open(table.name, column, row.id, getattr(row, column)).decode()


def _opened(tx: Reader, row: Any, columns: Collection[str]) -> dict[str, str]:
    sealed = {column: getattr(row, column) for column in columns}
    opened = tx.cipher.open_row(table.name, row.id, sealed)
    return {column: text.decode() for column, text in opened.items()}


def index_of(tx: Reader, number: str) -> bytes:
    """The blind index that a social security number is found by."""
    return tx.number_index(number)
