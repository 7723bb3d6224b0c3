"""Applications made one by one, for tests of the kernel."""

from dataclasses import replace
from datetime import date
from typing import Any

from bureau import Bureau, Person, make_application, make_number

from card_core.application import Application, ApplicationKind
from card_core.applying import FilingEvidence, MakingMode
from card_core.kernel import Actor, Answer
from card_core.kernel.acts.filings import AcceptFiling, FileApplication
from card_core.kernel.applicants import as_known
from card_core.store import cards, filings, holders
from card_core.store.filings import Filing

DOCUMENT = FilingEvidence.IDENTITY_DOCUMENT
REGISTER = FilingEvidence.HOUSEHOLD_REGISTER
BATCH, AT_ONCE = MakingMode.BATCH, MakingMode.AT_ONCE
FIRST = 5_000_000


def newcomer(serial: int = 0) -> Application:
    return make_application(FIRST + serial)


def child(
    guardian: Person, serial: int = 0, born_on: date = date(2020, 5, 1)
) -> Application:
    """Somebody of five or so, with this guardian."""
    number = make_number(serial, born_on)
    adult = newcomer(serial)
    guardian_number = replace(adult, number=number).number.__class__(guardian.number)
    return replace(
        adult,
        number=number,
        name=f"小{adult.name}",
        sex=number.sex,
        birth_on=number.birth_on,
        guardian_name=guardian.name,
        guardian_number=guardian_number,
    )


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
