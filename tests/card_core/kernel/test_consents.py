"""Consent is an act: given and withdrawn by the holder alone, and what rested on it ends."""

import pytest
from bureau import Bureau, Person
from filing import bound, taken, ward_of
from holder_records import cancel
from phone import registered_phone

from card_core.data_uses import RULES, DataUse, Ground
from card_core.errors import InvalidActError, TamperedRowError
from card_core.kernel.acts.consents import SetConsent
from card_core.kernel.acts.families import OfferECard, ShowWard
from card_core.kernel.acts.retention import EraseHolder
from card_core.kernel.acts.scan_reports import ReportScan
from card_core.retention_policy import ON_REQUEST_DAYS
from card_core.states import BindingState, DeviceState
from card_core.store import audit, consents, devices, family_members, scan_reports, schema
from card_core.store.consents import ConsentState
from card_core.store.holder_export import export


def stands(bureau: Bureau, person: Person) -> dict[str, str]:
    with bureau.store.read() as tx:
        found = consents.of_records(tx, [person.holder_id])
    return {one.data_use.value: one.state.value for one in found}


def say(bureau: Bureau, person: Person, data_use: DataUse, *, given: bool) -> int:
    answer = bureau.perform(SetConsent(data_use, given), person.actor)
    return int(answer["ended"])


def test_what_is_offered_or_bound_is_consented_to_and_ends_with_the_consent(
    bureau: Bureau,
) -> None:
    mother, daughter = bureau.people(2)
    child = ward_of(bureau, mother)
    bureau.perform(ShowWard(bound(bureau, child, mother)), mother.actor)
    member = taken(bureau, bureau.perform(OfferECard(), mother.actor), daughter)
    bureau.perform(OfferECard(), mother.actor)
    phone = registered_phone(bureau, mother, days=1)
    assert stands(bureau, mother) == {"family_showing": "given", "offline_phone": "given"}

    assert say(bureau, mother, DataUse.FAMILY_SHOWING, given=False) == 2
    assert say(bureau, mother, DataUse.OFFLINE_PHONE, given=False) == 1
    assert say(bureau, mother, DataUse.OFFLINE_PHONE, given=False) == 0
    with bureau.store.read() as tx:
        ended, device = family_members.get(tx, member), devices.get(tx, phone.device_id)
        # The ward's e-card rests on the guardianship, not on the mother's consent.
        wards = family_members.shown_by(tx, mother.holder_id)
    assert ended is not None
    assert device is not None
    assert (ended.state, device.state) == (BindingState.ENDED, DeviceState.REMOVED)
    assert [one.holder_id for one in wards] == [child.holder_id]
    assert stands(bureau, mother) == {"family_showing": "withdrawn", "offline_phone": "withdrawn"}
    assert stands(bureau, daughter) == {}

    bureau.perform(OfferECard(), mother.actor)
    assert stands(bureau, mother)["family_showing"] == "given"


@pytest.mark.parametrize("data_use", [one for one in DataUse if RULES[one].ground != "consent"])
def test_what_rests_on_no_consent_is_not_asked_for(data_use: DataUse) -> None:
    with pytest.raises(InvalidActError):
        SetConsent(data_use, given=False)
    assert RULES[data_use].ground is not Ground.CONSENT


def test_consents_and_reports_are_the_persons_to_take_out_and_to_have_erased(
    bureau: Bureau,
) -> None:
    person = bureau.person()
    scan = bureau.scan(bureau.minter.mint(person.holder_id).text)
    bureau.perform(ReportScan(scan["scan_id"]), person.actor)
    say(bureau, person, DataUse.SCAN_MESSAGES, given=True)
    with bureau.store.read() as tx:
        taken_out = export(tx, person.holder_id)
    assert [(one["data_use"], one["state"]) for one in taken_out["consents"]] == [
        ("scan_messages", "given")
    ]
    assert [one["reported_at"] for one in taken_out["scans"]] == [bureau.clock().isoformat()]

    cancel(bureau, person)
    bureau.clock.advance((ON_REQUEST_DAYS + 1) * 86_400)
    answer = bureau.decide(EraseHolder(person.holder_id))
    assert (answer["consents"], answer["scan_reports"]) == (1, 1)
    assert stands(bureau, person) == {"scan_messages": ConsentState.WITHDRAWN.value}
    with bureau.store.read() as tx:
        assert scan_reports.get(tx, scan["scan_id"]) is None
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)


def test_a_consent_that_was_written_in_by_hand_is_none(bureau: Bureau) -> None:
    person = bureau.person()
    say(bureau, person, DataUse.SCAN_MESSAGES, given=False)
    with bureau.store.write() as tx:
        tx.connection.execute(schema.consents.update().values(state="given"))
    with pytest.raises(TamperedRowError):
        stands(bureau, person)
