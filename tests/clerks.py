"""Clerks at service channels, where these stand, and the cards that wait there, for tests."""

import secrets
from dataclasses import dataclass

from bureau import OPERATOR_PASSWORD, Bureau, key_of
from card_making import card_issuer
from filing import newcomer

from card_core.identity import Sex
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.handing_over import DispatchCards
from card_core.kernel.acts.institutions import DesignateInstitution
from card_core.kernel.acts.maker_returns import (
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.store import cards, holders, making_orders
from card_core.store.cards import Card
from card_core.store.makings import Chip
from card_core.store.operators import Role
from issuance.making.preparing import sign_chunks

CLERK = "zhou"
# The branch that applications of the tests name, and another one.
BRANCH, OTHER_BRANCH = "440604001", "440604002"


def clerk_of(bureau: Bureau, name: str = CLERK) -> Actor:
    """A new operator who is a clerk and nothing else, with a key of their own."""
    password_hash = bureau.hash(OPERATOR_PASSWORD)
    new = NewOperator(name, "周经办", frozenset({Role.CLERK}), password_hash, key_of(name))
    added = bureau.decide(AddOperator(new), bureau.administrator, bureau.security)
    return Actor(ActorKind.OPERATOR, added["operator_id"])


def bank_branch(bureau: Bureau, code: str = BRANCH) -> None:
    bureau.decide(DesignateInstitution(code, f"银行网点{code[-1]}", "bank", "440604"))


@dataclass(frozen=True)
class Waiting:
    """A card that waits for its holder, and what stands in their document."""

    card: Card
    number: str
    name: str


def cards_at_branch(bureau: Bureau, count: int) -> list[Waiting]:
    """Cards of new people that were made and dispatched to BRANCH. Once for a bureau."""
    issuer = card_issuer(bureau)
    batch_id, order_id = issuer.ordered_batch(count)
    while issuer.prepare(order_id)["prepared"]:
        pass
    with bureau.store.read() as tx:
        order, chunks = making_orders.get(tx, order_id), making_orders.chunks(tx, order_id)
        makings = issuer.makings(batch_id)
        made = cards.get_all(tx, [one.card_id for one in makings])
    if order is None:
        raise LookupError("the order that was just made is gone")
    sign_chunks(bureau.kernel, order, chunks, actor=bureau.maker)
    issuer.send(order_id)
    digest = bytes(32)
    rows = tuple(
        CardReturned(at, made[one.card_id].card_number, _chip(at), None)
        for at, one in enumerate(makings, 1)
    )
    for act in (
        OpenMakerReturn(order_id, digest),
        TakeMakerReturn(order_id, digest, rows),
        CloseMakerReturn(order_id, digest),
        DispatchCards(batch_id, BRANCH),
    ):
        bureau.perform(act, bureau.maker)
    return [waiting(bureau, made[one.card_id]) for one in makings]


def waiting(bureau: Bureau, card: Card) -> Waiting:
    with bureau.store.read() as tx:
        holder = holders.identity_of(tx, card.holder_id)
    return Waiting(card, holder.social_security_number, holder.name)


def adult_fields(serial: int) -> dict[str, str]:
    """Somebody who has no card, as a clerk types it."""
    found = newcomer(serial)
    return {
        "name": found.name,
        "certificate": "居民身份证",
        "number": found.number.text,
        "sex": "男" if found.sex is Sex.MALE else "女",
        "ethnic_group": "汉族",
        "birth_on": found.birth_on.isoformat(),
        "phone": "13900001234",
        "address": "广东省佛山市禅城区测试路1号",
        "region": "440604",
        "bank": "102",
        "branch": BRANCH,
    }


def new_attempt() -> str:
    return secrets.token_urlsafe(32)


def _chip(number: int) -> Chip:
    return Chip(f"440604D156000005{number:08X}", f"{number:026X}")
