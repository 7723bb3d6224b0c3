"""The holders of a sandbox: made up, with cards and e-cards that were issued and activated.

They are born in 1901: the numbers are well-formed, and nobody alive has one of them.
"""

import secrets
from dataclasses import dataclass
from datetime import date

from card_core.application import Application, ApplicationKind
from card_core.identity import IdentityNumber, Sex, check_character
from card_core.kernel.acts.batches import ImportRoster
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    Evidence,
    ReportTemporaryLoss,
)
from card_core.sign_in import hash_password
from card_core.states import BatchState, CardState, ECardState
from card_core.store import batches, cards, holders
from card_core.store.batches import Batch
from card_core.store.cards import Card
from crypto import sm3
from issuance import engine
from issuance.batches import release_approval
from issuance.errors import BatchError
from issuance.installation import random_bytes
from issuance.sandbox.staff import Sandbox

BATCH_NAME = "sandbox"
REGION = "440604"
# The one whose card stays good; the one whose card is lost; the one with a phone.
NAMES = ("沙箱甲", "沙箱乙", "沙箱丙")
_BORN_ON = date(1901, 1, 1)
_FIRST_SEQUENCE = 901


@dataclass(frozen=True, slots=True)
class Holder:
    """A made-up holder with a card and an e-card that were activated."""

    id: str
    card_id: str


@dataclass(frozen=True, slots=True)
class People:
    usual: Holder
    lost: Holder
    with_phone: Holder


def find_people(sandbox: Sandbox) -> People:
    """The holders; made first where they are missing, and what was interrupted is finished.

    From then on no card changes any more: a service that runs beside is not disturbed.
    Raises KernelError, StoreError.
    """
    found = _active(sandbox)
    if len(found) < len(NAMES):
        _make(sandbox)
        found = _active(sandbox)
    people = People(*found)
    with sandbox.site.store.read() as tx:
        card = cards.get(tx, people.lost.card_id)
    if card is not None and card.state is CardState.NORMAL:
        sandbox.perform(ReportTemporaryLoss(card.id))
    return people


def _active(sandbox: Sandbox) -> list[Holder]:
    """Those who are there with an active e-card, in the order of NAMES."""
    found = []
    with sandbox.site.store.read() as tx:
        for application in _applications():
            holder_id = holders.find_id_by_number(tx, application.number.text)
            card = None if holder_id is None else cards.live_card_of(tx, holder_id)
            if holder_id and card and cards.ecard_of(tx, card.id).state is ECardState.ACTIVE:
                found.append(Holder(holder_id, card.id))
    return found


def _make(sandbox: Sandbox) -> None:
    """From a roster to cards in use, each step unless it was done before."""
    site = sandbox.site
    batch = _batch(sandbox)
    if batch is None:
        digest = sm3.digest(BATCH_NAME.encode())
        sandbox.perform(ImportRoster(BATCH_NAME, digest, _applications(), 0))
        batch = _batch(sandbox)
    if batch is None:
        raise BatchError(
            "sandbox_batch_missing",
            "沙箱批次不存在。请另建一个沙箱。",
            "The sandbox's batch is not there. Make another sandbox.",
        )
    if batch.state is BatchState.IMPORTED:
        with site.store.read() as tx:
            approval = release_approval(tx, batch)
        sandbox.approve({"approval_id": approval.id, "content_hash": approval.content_hash})
    with engine.here(site.kernel) as pool:
        engine.issue(pool, site.store, batch.id, actor=sandbox.maker, progress=lambda *_: None)
    with site.store.read() as tx:
        issued = cards.page(tx, batch_id=batch.id)
    for card in issued:
        _activate(sandbox, card)


def _batch(sandbox: Sandbox) -> Batch | None:
    with sandbox.site.store.read() as tx:
        return next((one for one in batches.page(tx) if one.name == BATCH_NAME), None)


def _activate(sandbox: Sandbox, card: Card) -> None:
    if card.state is CardState.NOT_ACTIVATED:
        sandbox.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT))
    with sandbox.site.store.read() as tx:
        ecard = cards.ecard_of(tx, card.id)
    if ecard.state is ECardState.NOT_ACTIVATED:
        # Thrown away: nobody signs in as a made-up holder.
        password = secrets.token_urlsafe(16)
        site = sandbox.site
        hashed = hash_password(
            password, pepper=site.pepper, random_bytes=random_bytes, profile=site.profile
        )
        sandbox.perform(ActivateECard(card.id, hashed))


def _applications() -> tuple[Application, ...]:
    return tuple(_application(at, name) for at, name in enumerate(NAMES))


def _application(at: int, name: str) -> Application:
    body = f"{REGION}{_BORN_ON:%Y%m%d}{_FIRST_SEQUENCE + at:03d}"
    number = IdentityNumber(body + check_character(body))
    return Application(
        row=at + 1,
        number=number,
        name=name,
        sex=Sex(number.sex),
        birth_on=number.birth_on,
        ethnic_code="01",
        phone="13800000000",
        address="沙箱",
        region=REGION,
        kind=ApplicationKind.NEW,
        bank="102",
        branch="440604001",
        guardian_name=None,
        guardian_number=None,
    )
