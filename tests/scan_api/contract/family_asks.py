"""What is asked about families: shown e-cards, and wards. See `asks`."""

import itertools
from datetime import date, timedelta

from bureau import HOLDER_PASSWORD
from contract_town import Caller, Town
from filing import bound, taken, ward_of
from one_ask import Ask

from card_core.kernel.acts.cards import ReportTemporaryLoss
from card_core.kernel.acts.families import OfferECard

_numbers = itertools.count(1)


def offer_ecard(town: Town) -> Ask:
    return Ask(town.signed_in(town.bureau.person()), body={})


def take_ecard(town: Town) -> Ask:
    offered = town.bureau.perform(OfferECard(), town.bureau.person().actor)
    body = {"consent_code": offered["consent_code"], "relation": "parent"}
    return Ask(town.signed_in(town.bureau.person()), body=body)


def end_family_member(town: Town) -> Ask:
    caller, member_id = family_member(town)
    return Ask(caller, {"family_member_id": member_id})


def show_family_code(town: Town) -> Ask:
    caller, member_id = family_member(town)
    return Ask(caller, {"family_member_id": member_id}, {})


def family_member(town: Town) -> tuple[Caller, str]:
    """Somebody who shows a relative's e-card, and which."""
    parent, shower = town.bureau.people(2)
    offered = town.bureau.perform(OfferECard(), parent.actor)
    return town.signed_in(shower), taken(town.bureau, offered, shower)


def guardianship(town: Town, *, is_lost: bool = False) -> tuple[Caller, str]:
    """A guardian of a ward with a card, and which guardianship it is."""
    mother = town.bureau.person()
    ward = ward_of(town.bureau, mother, date(2021, 5, 1) + timedelta(next(_numbers)))
    bound_id = bound(town.bureau, ward, mother)
    if is_lost:
        town.bureau.perform(ReportTemporaryLoss(ward.card_id), mother.actor)
    return town.signed_in(mother), bound_id


def report_ward_loss(town: Town) -> Ask:
    caller, bound_id = guardianship(town)
    return Ask(caller, {"guardianship_id": bound_id}, {})


def withdraw_ward_loss(town: Town) -> Ask:
    caller, bound_id = guardianship(town, is_lost=True)
    return Ask(caller, {"guardianship_id": bound_id}, {"password": HOLDER_PASSWORD})
