"""A released stock of several chunks, many of whose people have cards in two, and what is to come
of it: the same whoever takes it over."""

import itertools
from dataclasses import dataclass
from typing import Any

from stock import make_stock_card

from benchmarks.bench_scan.bureau import Ground
from card_core.kernel.acts.stock import ImportStock
from card_core.states import BatchState, CardState, ECardState
from card_core.stock_card import StockCard
from card_core.store import audit, batches, cards, holder_base, holders, stock_cards
from card_core.store.batches import Batch
from card_core.store.cards import Card
from card_core.store.holder_base import NewHolder
from issuance.batches import new_request_id
from issuance.installation import utc_now

ROWS = 1900  # four chunks, the last one not full
PEOPLE = 1200
RENAMED = (3, 700, 1199)  # people who are known by another name when it is taken over
_serials = itertools.count(0, ROWS)


def stock_rows(first: int) -> list[StockCard]:
    """Everybody's first card, then, far from it, the second one that more than half have: either
    may be the live one, and either may say no phone."""
    with_two = {second_owner(at) for at in range(PEOPLE, ROWS)}
    rows = []
    for at in range(ROWS):
        person = at if at < PEOPLE else second_owner(at)
        owner = make_stock_card(first + person)
        is_live = person not in with_two or (at < PEOPLE) is bool(person % 2)
        changes: dict[str, Any] = {"row": at + 1, "number": owner.number, "name": owner.name}
        changes["state"] = CardState.NORMAL if is_live else CardState.CANCELLED
        if person % 3 == (0 if is_live else 1):
            changes["phone"] = ""
        rows.append(make_stock_card(first + at, **changes))
    return rows


def second_owner(at: int) -> int:
    return at * 577 % PEOPLE  # 577 and 1200 have no factor in common: nobody has three


@dataclass
class ReleasedStock:
    ground: Ground
    batch_id: str
    rows: list[StockCard]

    def check_complete(self, after: Batch) -> None:
        """Each card once, in its state, with its person's one record; those renamed refused."""
        renamed = {self.rows[person].number.text for person in RENAMED}
        good = [one for one in self.rows if one.number.text not in renamed]
        assert (after.state, after.issued, after.accepted) == (
            BatchState.ISSUED,
            len(good),
            len(good),
        )
        with self.ground.site.store.read() as tx:
            made: list[Card] = []
            while page := cards.page(tx, batch_id=after.id, after=made[-1].id if made else ""):
                made += page
            people = holders.get_all(tx, {card.holder_id for card in made})
            refusals = stock_cards.refusals(tx, after.id, ROWS)
            assert all(chunk.is_issued for chunk in batches.chunks(tx, after.id))
            for chain in audit.CHAINS:
                audit.verify_chain(tx, chain)
            audit.verify_rows(tx)
            ecards = cards.pairs_of(tx, [card.id for card in made])().by_card_id
        found = {}
        for card in made:
            person, ecard = people[card.holder_id], ecards[card.id][1]
            found[card.card_number] = (
                person.social_security_number, person.name, person.phone, card.state, ecard.state
            )  # fmt: skip
        assert len(made) == len(found)
        assert len(people) == len({one.number.text for one in good})
        phones = phones_of(self.rows)
        assert found == {
            one.card_number: (
                one.number.text,
                one.name,
                phones[one.number.text],
                one.state,
                ECardState.NOT_ACTIVATED if one.is_live else ECardState.CANCELLED,
            )
            for one in good
        }
        assert refusals == [
            (one.row, "name_differs") for one in self.rows if one.number.text in renamed
        ]


def phones_of(rows: list[StockCard]) -> dict[str, str]:
    """The live card's, or else the other's."""
    phones = {one.number.text: one.phone for one in rows if not one.is_live}
    for one in rows:
        if one.is_live:
            phones[one.number.text] = one.phone or phones.get(one.number.text, "")
    return phones


def released_stock(ground: Ground) -> ReleasedStock:
    """A stock of cards and people that no other one has, imported, approved, and met by people who
    came in since."""
    rows = stock_rows(next(_serials))
    kernel, staff = ground.site.kernel, ground.staff
    act = ImportStock(f"from {rows[0].card_number}", bytes(32), tuple(rows), 0)
    imported = kernel.perform(act, actor=staff["maker"], request_id=new_request_id())
    assert imported["refused"] == []
    kernel.approve(
        imported["approval_id"],
        content_hash=imported["content_hash"],
        actor=staff["checker"],
        request_id=new_request_id(),
    )
    others = [NewHolder(rows[person].number, "另一人", "") for person in RENAMED]
    with ground.site.store.write() as tx:
        holder_base.add_new(tx, others, iter(_ids()).__next__, utc_now())
    return ReleasedStock(ground, str(imported["stock_id"]), rows)


def _ids() -> list[str]:
    return sorted(new_request_id() for _ in RENAMED)
