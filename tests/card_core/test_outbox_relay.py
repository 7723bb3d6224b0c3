"""Handing on the outbox: positions, failures, sweeping, and the fast store as a consumer."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from bureau import Bureau

from card_core.errors import CardPushError, StoreBusyError
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.sweeping import EVENTS_KEPT
from card_core.outbox_relay import CardPushes, Relay
from card_core.store import cards, outbox
from card_core.store.outbox import Event


class Listener:
    """Takes events until it is told to fail."""

    def __init__(self, *, begins_at_end: bool = False) -> None:
        self.begins_at_end = begins_at_end
        self.seen: list[tuple[str, int]] = []
        self.fails = False

    def take(self, events: Sequence[Event]) -> None:
        self.seen += [(event.chain, event.seq) for event in events]
        if self.fails:
            raise StoreBusyError


class Pusher:
    def __init__(self) -> None:
        self.pushed: list[tuple[int, int]] = []
        self.fails = False

    def push_card(self, ecard_id: int, version: int) -> None:
        if self.fails:
            raise StoreBusyError
        self.pushed.append((ecard_id, version))


def last(bureau: Bureau, chain: str = "bureau") -> int:
    with bureau.store.read() as tx:
        return outbox.last(tx, chain)


def test_all_pages_come_in_order_and_once_where_nothing_fails(bureau: Bureau) -> None:
    listener = Listener()
    relay = Relay(bureau.kernel, "one", listener, chains=("bureau",))
    person = bureau.person()
    for _ in range(110):
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    count = last(bureau)
    assert relay.round() == count > 200
    assert listener.seen == [("bureau", seq) for seq in range(1, count + 1)]
    assert relay.round() == 0
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    # Another relay goes on where this one was.
    other = Listener()
    assert Relay(bureau.kernel, "one", other, chains=("bureau",)).round() == 1
    assert other.seen == [("bureau", count + 1)]


def test_what_was_not_taken_comes_again_and_other_chains_go_on(bureau: Bureau) -> None:
    bureau.scan(bureau.minter.mint(bureau.person().holder_id).text)

    class OneChain(Listener):
        def take(self, events: Sequence[Event]) -> None:
            self.fails = events[0].chain == "bureau" and len(self.seen) < 400
            super().take(events)

    listener = OneChain()
    relay = Relay(bureau.kernel, "one", listener)
    with pytest.raises(StoreBusyError):
        relay.round()
    assert ("scan", 1) in listener.seen
    with bureau.store.read() as tx:
        at = {one.chain: one.seq for one in outbox.all_positions(tx)}
    assert at == {"bureau": 0, "scan": last(bureau, "scan")}
    with pytest.raises(StoreBusyError):
        relay.round()
    assert listener.seen.count(("bureau", 1)) == 2


def test_a_slower_relay_moves_no_position_back(bureau: Bureau) -> None:
    bureau.kernel.advance_outbox("one", "bureau", 5)
    bureau.kernel.advance_outbox("one", "bureau", 3)
    with bureau.store.read() as tx:
        assert outbox.position(tx, "one", "bureau") == 5


def test_a_consumer_that_needs_no_past_begins_at_the_end(bureau: Bureau) -> None:
    listener, person = Listener(begins_at_end=True), bureau.person()
    relay = Relay(bureau.kernel, "one", listener, chains=("bureau",))
    assert relay.round() == 0
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert relay.round() == 1
    assert listener.seen == [("bureau", last(bureau))]


def test_events_go_when_all_have_taken_them_and_not_before(bureau: Bureau) -> None:
    relays = {name: Relay(bureau.kernel, name, Listener()) for name in ("one", "two")}
    relays["one"].round()
    bureau.kernel.advance_outbox("two", "bureau", 0)
    bureau.kernel.advance_outbox("two", "scan", 0)
    bureau.clock.advance((EVENTS_KEPT + timedelta(days=1)).total_seconds())
    assert bureau.kernel.sweep()["outbox"] == 0
    bureau.kernel.advance_outbox("two", "bureau", 4)
    assert bureau.kernel.sweep()["outbox"] == 4
    assert bureau.kernel.forget_consumer("two") == 2
    count = last(bureau)
    assert bureau.kernel.sweep()["outbox"] == count - 5
    assert last(bureau) == count  # the last one stays
    assert bureau.kernel.forget_consumer("two") == 0


def test_the_fast_store_hears_of_a_change_whose_process_died_before_it_told(
    bureau: Bureau,
) -> None:
    person, pusher = bureau.person(), Pusher()
    relay = Relay(bureau.kernel, "fast_store", CardPushes(bureau.kernel), chains=("bureau",))
    relay.round()
    # Nobody is told by the act itself.
    assert bureau.kernel.card_pusher is None
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    bureau.kernel.card_pusher = pusher
    pusher.fails = True
    with pytest.raises(CardPushError):
        relay.round()
    pusher.fails = False
    assert relay.round() == 1
    with bureau.store.read() as tx:
        card, ecard = cards.get(tx, person.card_id), cards.ecard_of(tx, person.card_id)
    assert card is not None
    assert pusher.pushed == [(ecard.id, card.version + ecard.version)]
