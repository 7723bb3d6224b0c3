"""Acts on the records of holders, as two people make them, and what is found afterwards."""

from dataclasses import dataclass

from bureau import Bureau, Person, make_number
from phone import Phone

from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.acts.devices import RegisterDevice
from card_core.kernel.acts.holder_base import (
    CorrectHolder,
    HolderEvidence,
    MergeHolders,
    seen_digest,
)
from card_core.store import audit, holders
from card_core.store.devices import Grade
from card_core.store.holder_trace import HolderTrace, trace_of

EVIDENCE = HolderEvidence.IDENTITY_DOCUMENT


def merge_act(bureau: Bureau, stays: str, gone: str) -> MergeHolders:
    with bureau.store.read() as tx:
        pair = [holders.get(tx, one) for one in (stays, gone)]
        seen = seen_digest(tx, *(one for one in pair if one is not None))
    return MergeHolders(stays, gone, EVIDENCE, seen)


def correction(
    bureau: Bureau, holder_id: str, *, name: str | None = None, serial: int | None = None
) -> CorrectHolder:
    with bureau.store.read() as tx:
        holder = holders.get(tx, holder_id)
        assert holder is not None
        seen = seen_digest(tx, holder)
    number = None if serial is None else make_number(serial)
    return CorrectHolder(holder_id, name, number, HolderEvidence.POLICE_CERTIFICATE, seen)


def trace(bureau: Bureau, holder_id: str) -> HolderTrace:
    with bureau.store.read() as tx:
        return trace_of(tx, holder_id)


def found(bureau: Bureau, number: str) -> str | None:
    with bureau.store.read() as tx:
        return holders.find_id_by_number(tx, number)


def cancel(bureau: Bureau, person: Person) -> None:
    bureau.decide(CancelCard(person.card_id, CancelReason.MADE_IN_ERROR))


def all_is_sound(bureau: Bureau) -> None:
    with bureau.store.read() as tx:
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


@dataclass(frozen=True)
class Twice:
    """One person under two records: the card of the one that will go is cancelled."""

    stays: Person
    gone: Person
    phone_id: str
    scan_ids: set[str]


def make_twice(bureau: Bureau) -> Twice:
    stays, gone = bureau.people(2)
    phone, challenge = Phone(Grade.BROWSER), bytes(32)
    act = RegisterDevice(phone.grade, phone.public_key, challenge, phone.registers(challenge))
    phone_id = bureau.perform(act, gone.actor)["device_id"]
    scans = {
        bureau.scan(bureau.minter.mint(person.holder_id).text)["scan_id"]
        for person in (stays, gone)
    }
    cancel(bureau, gone)
    return Twice(stays, gone, phone_id, scans)
