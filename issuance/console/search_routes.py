"""Search that answers at once, by what is exact, and a holder's whole file.

A person is found by the full number alone, which comes in a body and never in an address: no list
of people can be leafed through.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from card_core import business_types
from card_core.errors import NotFoundError
from card_core.identity import (
    IdentityNumber,
    IdentityNumberError,
    mask_name,
    mask_number,
    mask_phone,
)
from card_core.kernel import Kernel
from card_core.kernel.permissions import Reading
from card_core.states import BatchKind
from card_core.store import (
    Reader,
    batches,
    cards,
    filings,
    holder_changes,
    holders,
    institutions,
)
from card_core.store.holder_trace import HolderTrace, trace_of
from card_core.store.holders import Holder
from issuance.console import search_models as models
from issuance.console.acts_on_holder import acts_on
from issuance.console.entry import PREFIX, Asked

HITS_MAX = 20
CARD_NUMBER_CHARACTERS = 9
RecordId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]


def routes(kernel: Kernel, question: object, repeatable: object) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["search"])

    @router.post("/searches", operation_id="search")
    def search(body: models.Search, asked: Annotated[Asked, repeatable]) -> models.Hits:
        """By number, id, code or name; nothing of it is kept. 查找。"""
        asked.check_reads(Reading.HOLDERS)
        text = body.text.strip()
        with kernel.store.read() as tx:
            found = [
                *_people(tx, text.upper()),
                *_records(tx, text.lower()),
                *_named(tx, text),
            ]
        return models.Hits(hits=found[:HITS_MAX])

    @router.get("/holders/{holder_id}", operation_id="getHolder")
    def get_holder(holder_id: RecordId, asked: Annotated[Asked, question]) -> models.HolderFile:
        """All of one person: cards, e-cards, applications, scans, phones, changes. 一人一档。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            stays = holder_changes.record_that_stays(tx, holder_id)
            holder = holders.get(tx, stays)
            if holder is None:
                raise NotFoundError("holder")
            return _file(tx, holder, trace_of(tx, stays))

    @router.get("/holders/{holder_id}/acts", operation_id="listActsOnHolder")
    def list_acts(
        holder_id: RecordId,
        asked: Annotated[Asked, question],
        before: Annotated[int | None, Query(ge=1)] = None,
    ) -> models.ActsOnHolder:
        """What was done to the person, the cards, the applications and the phones, from the audit
        log: who, when, what. 办理记录。"""
        asked.check_reads(Reading.HOLDERS)
        with kernel.store.read() as tx:
            stays = holder_changes.record_that_stays(tx, holder_id)
            holder = holders.get(tx, stays)
            if holder is None:
                raise NotFoundError("holder")
            return acts_on(tx, holder, trace_of(tx, stays), before)

    return router


def _people(tx: Reader, text: str) -> Iterator[models.Hit]:
    """Whose number it is, or whose card's."""
    holder_id = None
    try:
        holder_id = holders.find_id_by_number(tx, IdentityNumber(text).text)
    except IdentityNumberError:
        if len(text) == CARD_NUMBER_CHARACTERS:
            card = cards.find_by_card_number(tx, text)
            holder_id = None if card is None else card.holder_id
    if holder_id is None:
        return
    stays = holder_changes.record_that_stays(tx, holder_id)
    holder = holders.get(tx, stays)
    if holder is not None:
        title = f"{mask_name(holder.name)} {mask_number(holder.social_security_number)}"
        yield models.Hit(kind="holder", id=stays, title=title, detail="")


def _records(tx: Reader, text: str) -> Iterator[models.Hit]:
    """The batch or the application with this id."""
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        return
    batch = batches.get(tx, text)
    if batch is not None and batch.is_whole and batch.kind is BatchKind.ROSTER:
        yield models.Hit(kind="batch", id=text, title=batch.name, detail=batch.state)
    filing = filings.get(tx, text)
    if filing is not None:
        yield models.Hit(kind="application", id=text, title=text, detail=filing.state)


def _named(tx: Reader, text: str) -> Iterator[models.Hit]:
    """Institutions, and the newest batches, whose name or code has this in it."""
    wanted = text.casefold()
    for batch in batches.page(tx):
        if wanted in batch.name.casefold():
            yield models.Hit(kind="batch", id=batch.id, title=batch.name, detail=batch.state)
    exact = institutions.institution_by_code(tx, text.upper())
    there = [exact] if exact is not None else institutions.page(tx)
    for one in there:
        if one is exact or wanted in one.name.casefold():
            title = f"{one.name} {one.code}"
            yield models.Hit(kind="institution", id=one.code, title=title, detail=one.state)


def _file(tx: Reader, holder: Holder, trace: HolderTrace) -> models.HolderFile:
    number = holder.social_security_number
    return models.HolderFile(
        holder_id=holder.id,
        name=mask_name(holder.name),
        number=mask_number(number),
        phone=mask_phone(holder.phone),
        region=holder.region,
        birth_year=int(str(holder.birth_on)[:4]),
        merged=len(trace.record_ids) - 1,
        cards=[_card(tx, card) for card in trace.cards],
        applications=[
            *(
                models.ApplicationOfHolder(
                    application_id=one.id,
                    state=one.state,
                    kind=None,
                    filed_at=None,
                    batch_id=one.batch_id,
                )
                for one in trace.applications
            ),
            *(
                models.ApplicationOfHolder(
                    application_id=one.id,
                    state=one.state,
                    kind=one.kind,
                    filed_at=one.filed_at,
                    batch_id=one.batch_id,
                )
                for one in filings.of_holder(tx, holder.id, number)
            ),
        ],
        phones=[
            models.PhoneOfHolder(grade=one.grade, state=one.state, registered_at=one.registered_at)
            for one in trace.phones
        ],
        changes=[
            models.ChangeOfHolder(kind=one.kind, evidence=one.evidence, at=one.changed_at)
            for one in trace.changes
        ],
        scans=list(_scans(tx, trace)),
        acts=acts_on(tx, holder, trace, None),
    )


def _card(tx: Reader, card: cards.Card) -> models.CardOfHolder:
    return models.CardOfHolder(
        card_number=card.card_number,
        state=card.state,
        ecard_state=cards.ecard_of(tx, card.id).state,
        batch_id=card.batch_id,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
    )


def _scans(tx: Reader, trace: HolderTrace) -> Iterator[models.ScanOfHolder]:
    names: dict[str, str] = {}
    for one in trace.scans:
        if one.institution_id not in names:
            institution = institutions.get_institution(tx, one.institution_id)
            names[one.institution_id] = "" if institution is None else institution.name
        kind = business_types.get(one.business_type)
        yield models.ScanOfHolder(
            at=one.scanned_at,
            institution=names[one.institution_id],
            business_type_zh=kind.name_zh,
            business_type_en=kind.name_en,
            reason=one.reason,
        )
