"""What somebody sends who has no session: each body good once, of a person of its own."""

from typing import Any

from bureau import HOLDER_PASSWORD, Person
from contract_town import Town
from person_checks import OTHER_PASSWORD, begun, claim_of, collected, forgetful, passed
from scan_service import ScanService

from card_core.store import credentials
from card_core.store.credentials import SubjectKind


def claim(town: Town) -> dict[str, Any]:
    return claim_of(collected(town.bureau))


def begun_check(town: Town) -> dict[str, Any]:
    return dict(begun(unhurried(town), claim(town)))


def activation(town: Town) -> dict[str, Any]:
    return {"ticket": passed(unhurried(town), claim(town)), "new_password": HOLDER_PASSWORD}


def reset(town: Town) -> dict[str, Any]:
    ticket = passed(unhurried(town), forgetful(town.bureau.person()))
    return {"ticket": ticket, "new_password": OTHER_PASSWORD}


def unhurried(town: Town) -> ScanService:
    """One address begins thirty checks a minute."""
    town.bureau.clock.advance(3)
    return town.service


def give_password(town: Town, person: Person, password: str) -> None:
    """The person's from now on; sessions stay."""
    with town.bureau.store.write() as tx:
        hashed, now = town.bureau.hash(password), town.bureau.clock()
        credentials.put(tx, SubjectKind.HOLDER, person.holder_id, hashed, now)
