"""Everything of one person, from the record that stays: also what stands under merged records and
under numbers that the person had before."""

from collections.abc import Collection
from dataclasses import dataclass

from card_core.errors import NotFoundError
from card_core.store import applications, cards, devices, holder_changes, holders, scans
from card_core.store.applications import Filed
from card_core.store.cards import Card
from card_core.store.database import Reader
from card_core.store.devices import Device
from card_core.store.holder_changes import ChangeKind, HolderChange
from card_core.store.scans import Scan


@dataclass(frozen=True, slots=True, repr=False)
class HolderTrace:
    """record_ids: the record itself first. Of cards and applications there is a page, of scans the
    newest page; phones are all there, removed ones too."""

    record_ids: tuple[str, ...]
    changes: tuple[HolderChange, ...]
    cards: tuple[Card, ...]
    phones: tuple[Device, ...]
    scans: tuple[Scan, ...]
    applications: tuple[Filed, ...]


def trace_of(tx: Reader, holder_id: str) -> HolderTrace:
    """Raises NotFoundError; TamperedRowError where a row of the trace does not fit its HMAC."""
    holder = holders.get(tx, holder_id)
    if holder is None:
        raise NotFoundError("holder")
    record_ids = holder_changes.record_ids(tx, holder_id)
    changes = holder_changes.of_records(tx, record_ids)
    numbers = {holder.social_security_number, *_earlier_numbers(changes)}
    return HolderTrace(
        record_ids=tuple(record_ids),
        changes=tuple(changes),
        cards=tuple(cards.of_holders(tx, record_ids)),
        phones=tuple(devices.of_records(tx, record_ids)),
        scans=tuple(scans.of_holder(tx, holder_id)),
        applications=tuple(applications.of_numbers(tx, sorted(numbers))),
    )


def numbers_of(tx: Reader, record_ids: Collection[str]) -> set[str]:
    """All social security numbers that the person of these records has or had; those of records
    that were erased are nobody's. Raises TamperedRowError."""
    records = holders.get_all(tx, record_ids).values()
    changes = holder_changes.of_records(tx, record_ids)
    return {one.social_security_number for one in records} | set(_earlier_numbers(changes))


def _earlier_numbers(changes: list[HolderChange]) -> set[str]:
    found = set()
    for one in changes:
        content = one.content if one.kind is ChangeKind.MERGE else one.content["before"]
        if "number" in content:
            found.add(content["number"])
    return found
