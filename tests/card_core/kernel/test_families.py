"""Guardians, and e-cards that family members show: whose, by what right, until when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bureau import Bureau
from filing import REGISTER, bound, taken, ward_of
from holder_records import correction

from card_core.application_errors import FamilyError
from card_core.applying import FilingEvidence
from card_core.card_policy import CardNumberKept
from card_core.errors import (
    AlreadyExistsError,
    CardUnusableError,
    InvalidActError,
    NotFoundError,
    WrongStateError,
)
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    CancelCard,
    CancelReason,
    ReportTemporaryLoss,
)
from card_core.kernel.acts.families import (
    EndFamilyMember,
    OfferECard,
    ShowWard,
)
from card_core.kernel.acts.guardians import BindGuardian, EndGuardianship
from card_core.states import BindingState
from card_core.store import family_members, guardianships, schema
from card_core.store.family_members import Relation
from card_core.store.holder_export import export


def test_an_adult_consents_and_the_relative_shows_the_e_card(bureau: Bureau) -> None:
    parent, daughter, stranger = bureau.people(3)
    offer = bureau.perform(OfferECard(), parent.actor)
    member_id = taken(bureau, offer, daughter)
    assert member_id == offer["family_member_id"]
    minted = bureau.minter.mint_for_family(daughter.holder_id, member_id)
    scanned = bureau.scan(minted.text)
    assert (scanned["outcome"], scanned["for_whom"]) == ("accepted", "family")
    own = bureau.scan(bureau.minter.mint(parent.holder_id).text)
    assert own["for_whom"] == "self"
    for nobody in (stranger.holder_id, parent.holder_id):
        with pytest.raises(NotFoundError):
            bureau.minter.mint_for_family(nobody, member_id)
    with bureau.store.read() as tx:
        (shown,) = family_members.shown_by(tx, daughter.holder_id)
        assert shown.relation is Relation.PARENT
        assert family_members.showing(tx, parent.holder_id) == [shown]


def test_a_consent_code_is_good_once_and_for_a_day(bureau: Bureau) -> None:
    parent, daughter, son = bureau.people(3)
    offer = bureau.perform(OfferECard(), parent.actor)
    with pytest.raises(InvalidActError):
        taken(bureau, offer, parent)
    taken(bureau, offer, daughter)
    with pytest.raises(NotFoundError):
        taken(bureau, offer, son)
    late = bureau.perform(OfferECard(), parent.actor)
    bureau.clock.advance(timedelta(days=1).total_seconds())
    with pytest.raises(NotFoundError):
        taken(bureau, late, son)
    again = bureau.perform(OfferECard(), parent.actor)
    with pytest.raises(AlreadyExistsError):
        taken(bureau, again, daughter)
    bureau.perform(EndFamilyMember(again["family_member_id"]), parent.actor)
    with pytest.raises(NotFoundError):
        taken(bureau, again, son)


def test_a_few_offers_wait_at_most(bureau: Bureau) -> None:
    parent = bureau.person()
    for _ in range(3):
        bureau.perform(OfferECard(), parent.actor)
    with pytest.raises(FamilyError) as error:
        bureau.perform(OfferECard(), parent.actor)
    assert error.value.code == "too_many_offers"


@pytest.mark.parametrize("who", ["parent", "daughter", "maker"])
def test_each_side_ends_it_and_no_code_is_made_any_more(bureau: Bureau, who: str) -> None:
    parent, daughter, stranger = bureau.people(3)
    member_id = taken(bureau, bureau.perform(OfferECard(), parent.actor), daughter)
    with pytest.raises(NotFoundError):
        bureau.perform(EndFamilyMember(member_id), stranger.actor)
    actors = {"parent": parent.actor, "daughter": daughter.actor, "maker": bureau.maker}
    assert bureau.perform(EndFamilyMember(member_id), actors[who])["state"] == "ended"
    with pytest.raises(FamilyError) as error:
        bureau.minter.mint_for_family(daughter.holder_id, member_id)
    assert error.value.code == "family_ended"
    with pytest.raises(WrongStateError):
        bureau.perform(EndFamilyMember(member_id), parent.actor)


def test_no_more_members_than_the_policy_allows(bureau: Bureau) -> None:
    new = CardNumberKept.NEW
    bureau.decide(SetCardPolicy(15, False, new, new, 1), bureau.administrator, bureau.security)
    shower, first, second = bureau.people(3)
    member_id = taken(bureau, bureau.perform(OfferECard(), first.actor), shower)
    offer = bureau.perform(OfferECard(), second.actor)
    with pytest.raises(FamilyError) as error:
        taken(bureau, offer, shower)
    assert error.value.code == "too_many_members"
    bureau.perform(EndFamilyMember(member_id), shower.actor)
    taken(bureau, offer, shower)


def test_a_lost_card_on_either_side_shows_nothing(bureau: Bureau) -> None:
    parent, daughter = bureau.people(2)
    member_id = taken(bureau, bureau.perform(OfferECard(), parent.actor), daughter)
    bureau.perform(ReportTemporaryLoss(parent.card_id), parent.actor)
    with pytest.raises(CardUnusableError):
        bureau.minter.mint_for_family(daughter.holder_id, member_id)
    with pytest.raises(FamilyError) as error:
        bureau.perform(OfferECard(), parent.actor)
    assert error.value.code == "ecard_unusable"
    other, son = bureau.people(2)
    member_id = taken(bureau, bureau.perform(OfferECard(), other.actor), son)
    bureau.perform(ReportTemporaryLoss(son.card_id), son.actor)
    with pytest.raises(CardUnusableError):
        bureau.minter.mint_for_family(son.holder_id, member_id)


def test_a_guardian_shows_the_ward_until_the_sixteenth_birthday(bureau: Bureau) -> None:
    mother, stranger = bureau.people(2)
    ward = ward_of(bureau, mother, date(2010, 3, 4))  # sixteen in two days
    guardianship_id = bound(bureau, ward, mother)
    with pytest.raises(NotFoundError):
        bureau.perform(ShowWard(guardianship_id), stranger.actor)
    member_id = bureau.perform(ShowWard(guardianship_id), mother.actor)["family_member_id"]
    minted = bureau.minter.mint_for_family(mother.holder_id, member_id)
    assert bureau.scan(minted.text)["for_whom"] == "family"
    with pytest.raises(FamilyError) as error:  # a child consents to nothing
        bureau.perform(OfferECard(), ward.actor)
    assert error.value.code == "under_age"
    # The day begins in Shanghai.
    bureau.clock.now = datetime(2026, 3, 3, 15, 59, 59, tzinfo=UTC)
    bureau.minter.mint_for_family(mother.holder_id, member_id)
    bureau.clock.now = datetime(2026, 3, 3, 16, 0, 0, tzinfo=UTC)
    with pytest.raises(FamilyError) as error:
        bureau.minter.mint_for_family(mother.holder_id, member_id)
    assert error.value.code == "family_ended"
    with pytest.raises(NotFoundError):
        bureau.perform(ShowWard(guardianship_id), mother.actor)
    # Now it is the holder's own consent that counts.
    offer = bureau.perform(OfferECard(), ward.actor)
    bureau.perform(EndFamilyMember(member_id), ward.actor)
    again = taken(bureau, offer, mother, Relation.CHILD)
    assert bureau.minter.mint_for_family(mother.holder_id, again).text


def test_what_rests_on_a_guardianship_ends_with_it(bureau: Bureau) -> None:
    mother, stranger = bureau.people(2)
    ward = ward_of(bureau, mother)
    guardianship_id = bound(bureau, ward, mother)
    with pytest.raises(AlreadyExistsError):
        bound(bureau, ward, mother)
    member_id = bureau.perform(ShowWard(guardianship_id), mother.actor)["family_member_id"]
    for nobody in (stranger, ward):
        with pytest.raises(NotFoundError):
            bureau.perform(EndGuardianship(guardianship_id), nobody.actor)
    assert bureau.perform(EndGuardianship(guardianship_id), mother.actor)["state"] == "ended"
    with bureau.store.read() as tx:
        member = family_members.get(tx, member_id)
    assert member is not None
    assert member.state is BindingState.ENDED
    bound(bureau, ward, mother)


def test_only_an_adult_is_bound_and_only_to_a_child(bureau: Bureau) -> None:
    mother, adult = bureau.people(2)
    ward = ward_of(bureau, mother)
    for ward_id, guardian_id, code in (
        (adult.holder_id, mother.holder_id, "not_a_minor"),
        (ward.holder_id, ward.holder_id, "guardian_not_adult"),
    ):
        with pytest.raises(FamilyError) as error:
            bureau.decide(BindGuardian(ward_id, guardian_id, REGISTER, "户 1"))
        assert error.value.code == code
    with pytest.raises(InvalidActError):
        BindGuardian(ward.holder_id, mother.holder_id, FilingEvidence.IDENTITY_DOCUMENT, "1")


def test_death_ends_what_was_shown_on_both_sides(bureau: Bureau) -> None:
    mother, father = bureau.people(2)
    ward = ward_of(bureau, mother)
    guardianship_id = bound(bureau, ward, mother)
    bureau.perform(ShowWard(guardianship_id), mother.actor)
    taken(bureau, bureau.perform(OfferECard(), mother.actor), father, Relation.SPOUSE)
    bureau.decide(CancelCard(mother.card_id, CancelReason.DEATH))
    with bureau.store.read() as tx:
        assert family_members.showing(tx, mother.holder_id) == []
        assert family_members.shown_by(tx, mother.holder_id) == []
        (found,) = guardianships.of_holder(tx, ward.holder_id)
    assert found.state is BindingState.ENDED


def test_the_code_is_in_no_table(bureau: Bureau) -> None:
    parent = bureau.person()
    code = bureau.perform(OfferECard(), parent.actor)["consent_code"].replace("-", "")
    with bureau.store.read() as tx:
        for table in (schema.family_members, schema.outbox, schema.audit_events):
            for row in tx.connection.execute(table.select()):
                assert code not in str(tuple(row)).replace("-", "")


def test_a_persons_export_says_what_is_shown_and_applied_for(bureau: Bureau) -> None:
    mother, father = bureau.people(2)
    ward = ward_of(bureau, mother)
    bound(bureau, ward, mother)
    taken(bureau, bureau.perform(OfferECard(), mother.actor), father, Relation.SPOUSE)
    with bureau.store.read() as tx:
        mothers = export(tx, mother.holder_id)
        fathers = export(tx, father.holder_id)
    assert [(one["kind"], one["state"]) for one in mothers["filings"]] == [("new", "taken_in")]
    assert [one["as"] for one in mothers["guardianships"]] == ["guardian"]
    assert [one["as"] for one in mothers["family_members"]] == ["holder"]
    assert [one["as"] for one in fathers["family_members"]] == ["shower"]
    assert ward.name not in str(mothers)
    assert mother.name not in str(fathers)


def test_a_ward_whose_number_is_corrected_is_bound_anew(bureau: Bureau) -> None:
    mother = bureau.person()
    ward = ward_of(bureau, mother)
    guardianship_id = bound(bureau, ward, mother)
    member_id = bureau.perform(ShowWard(guardianship_id), mother.actor)["family_member_id"]
    bureau.decide(correction(bureau, ward.holder_id, name="小名"))
    assert bureau.minter.mint_for_family(mother.holder_id, member_id).text
    bureau.decide(correction(bureau, ward.holder_id, serial=7_111_222))
    with pytest.raises(FamilyError):
        bureau.minter.mint_for_family(mother.holder_id, member_id)
    with bureau.store.read() as tx:
        (found,) = guardianships.of_holder(tx, mother.holder_id)
    assert found.state is BindingState.ENDED
