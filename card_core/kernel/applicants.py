"""Applicants who are known: what is written into the application for a holder's next card."""

import json

from card_core.application import Application, ApplicationKind
from card_core.errors import TamperedRowError
from card_core.identity import IdentityNumber, Sex
from card_core.kernel.content import from_json
from card_core.stock_card import StockCard
from card_core.store import Reader, applications, holders, makings, stock_cards
from card_core.store.cards import Card


def as_known(tx: Reader, card: Card, kind: ApplicationKind) -> Application:
    """The holder of a card as the holder base has them now, corrections with them.

    Bank and branch are those of the card: from its making or its application, or, where it was
    taken over and has neither, the bank from its stock and no branch. Raises TamperedRowError.
    """
    holder = holders.get(tx, card.holder_id)
    if holder is None:
        raise TamperedRowError("holders", card.holder_id)
    number = IdentityNumber(holder.social_security_number)
    bank, branch = _where(tx, card, number)
    guardian = holder.guardian_number
    return Application(
        row=1,
        number=number,
        name=holder.name,
        sex=Sex(holder.sex),
        birth_on=holder.birth_on,
        ethnic_code=holder.ethnic_group or None,
        phone=holder.phone,
        address=holder.address,
        region=holder.region,
        kind=kind,
        bank=bank,
        branch=branch,
        guardian_name=holder.guardian_name or None,
        guardian_number=IdentityNumber(guardian) if guardian else None,
    )


def _where(tx: Reader, card: Card, number: IdentityNumber) -> tuple[str, str]:
    making = makings.get(tx, card.id)
    if making is not None:
        return making.bank, making.branch
    content = applications.of_person(tx, card.batch_id, number.text)
    if content is not None:
        application = from_json(Application, json.loads(content))
        return application.bank, application.branch
    content = stock_cards.content_of_card(tx, card.card_number)
    if content is not None:
        return from_json(StockCard, json.loads(content)).bank, ""
    return "", ""
