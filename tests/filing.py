"""Applications made one by one, for tests of the kernel."""

from datetime import date
from typing import Any

from bureau import HOLDER_PASSWORD, Bureau, Person, make_application, make_number

from card_core.application import Application, ApplicationKind
from card_core.applying import FilingEvidence, MakingMode
from card_core.identity import IdentityNumber, Sex
from card_core.kernel import Actor, Answer
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import ActivateCard, ActivateECard, Evidence
from card_core.kernel.acts.families import TakeECard, offer_digest
from card_core.kernel.acts.filings import AcceptFiling, FileApplication
from card_core.kernel.acts.guardians import BindGuardian
from card_core.kernel.acts.taking_in import BatchFilings
from card_core.kernel.applicants import as_known
from card_core.store import cards, filings, holders
from card_core.store.family_members import Relation
from card_core.store.filings import Filing

DOCUMENT = FilingEvidence.IDENTITY_DOCUMENT
REGISTER = FilingEvidence.HOUSEHOLD_REGISTER
BATCH, AT_ONCE = MakingMode.BATCH, MakingMode.AT_ONCE
FIRST = 5_000_000


def newcomer(serial: int = 0) -> Application:
    return make_application(FIRST + serial)


def child(guardian: Person, serial: int = 0, born_on: date = date(2020, 5, 1)) -> Application:
    """Somebody of five or so, with this guardian."""
    number = make_number(serial, born_on)
    adult = newcomer(serial)
    return adult._replace(
        number=number,
        name=f"小{adult.name}",
        sex=number.sex,
        birth_on=number.birth_on,
        guardian_name=guardian.name,
        guardian_number=IdentityNumber(guardian.number),
    )


def child_fields(serial: int = 0) -> dict[str, str]:
    """A child as a guardian types it."""
    number = make_number(serial, date(2020, 5, 1))
    return {
        "name": "测试童",
        "certificate": "居民户口簿",
        "number": number.text,
        "sex": "男" if number.sex is Sex.MALE else "女",
        "ethnic_group": "汉族",
        "birth_on": number.birth_on.isoformat(),
        "phone": "13900001234",
        "address": "广东省佛山市禅城区测试路1号",
        "region": "440604",
        "bank": "102",
        "branch": "440604001",
    }


def next_card(bureau: Bureau, person: Person, kind: ApplicationKind) -> Application:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
        assert card is not None
        return as_known(tx, card, kind)


def file(
    bureau: Bureau,
    application: Application,
    mode: MakingMode = BATCH,
    actor: Actor | None = None,
    **shown: Any,
) -> Answer:
    """At the window, with the applicant's document, unless somebody else is named."""
    if actor is None:
        shown = {"evidence": DOCUMENT, **shown}
    return bureau.perform(FileApplication(application, mode, **shown), actor or bureau.maker)


def accepted(bureau: Bureau, application: Application, mode: MakingMode, **shown: Any) -> str:
    """The id of one that two people have seen."""
    filed = file(bureau, application, mode, **shown)
    bureau.perform(AcceptFiling(filed["filing_id"]), bureau.checker)
    return str(filed["filing_id"])


def filing(bureau: Bureau, filing_id: str) -> Filing:
    with bureau.store.read() as tx:
        found = filings.get(tx, filing_id)
    assert found is not None
    return found


def holder_id(bureau: Bureau, application: Application) -> str | None:
    with bureau.store.read() as tx:
        return holders.find_id_by_number(tx, application.number.text)


def ward_of(bureau: Bureau, guardian: Person, born_on: date = date(2020, 5, 1)) -> Person:
    """A child with a card and an active e-card, applied for by the guardian."""
    application = child(guardian, born_on=born_on)
    filed = file(bureau, application, BATCH, guardian.actor)
    bureau.perform(AcceptFiling(filed["filing_id"], REGISTER, "户 1"), bureau.checker)
    taken = bureau.perform(BatchFilings("儿童"), bureau.maker)
    bureau.approve(taken)
    bureau.perform(IssueChunk(taken["batch_id"], 1), bureau.maker)
    with bureau.store.read() as tx:
        (card,) = cards.page(tx, batch_id=taken["batch_id"])
    bureau.perform(ActivateCard(card.id, Evidence.GUARDIAN_DOCUMENT), bureau.maker)
    act = ActivateECard(card.id, bureau.hash(HOLDER_PASSWORD))
    sign_number = bureau.perform(act, bureau.maker)["sign_number"]
    number = application.number.text
    return Person(card.holder_id, number, application.name, card.id, sign_number)


def bound(bureau: Bureau, ward: Person, guardian: Person) -> str:
    act = BindGuardian(ward.holder_id, guardian.holder_id, REGISTER, "户 440604-1")
    return str(bureau.decide(act)["guardianship_id"])


def taken(bureau: Bureau, offer: Answer, by: Person, relation: Relation = Relation.PARENT) -> str:
    digest = offer_digest(bureau.store.cipher, offer["consent_code"])
    answer = bureau.perform(TakeECard(digest, relation), by.actor)
    return str(answer["family_member_id"])
