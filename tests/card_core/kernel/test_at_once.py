"""Made at once (即时制卡): from an accepted application to a card in hand at one visit."""

import pytest
from bureau import HOLDER_PASSWORD, Bureau
from card_making import MAKER, CardIssuer, card_issuer
from filing import AT_ONCE, BATCH, accepted, file, newcomer, next_card

from card_core.application import ApplicationKind
from card_core.application_errors import NoBlankCardsError
from card_core.errors import ContentChangedError, InvalidActError, WrongStateError
from card_core.kernel import Answer
from card_core.kernel.acts.at_once import OrderAtOnce, ReceiveBlanks, SpoilBlanks, SpoilReason
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportFormalLoss,
)
from card_core.kernel.acts.handing_over import HandOverCard, ReworkCards
from card_core.kernel.acts.maker_returns import (
    CardReturned,
    CloseMakerReturn,
    OpenMakerReturn,
    TakeMakerReturn,
)
from card_core.kernel.acts.making import WithdrawOrder
from card_core.kernel.acts.taking_in import IssueAtOnce
from card_core.states import CardState, MakingState, OrderState
from card_core.store import audit, blank_cards, cards, making_orders, makings
from card_core.store.makings import Chip, Making

BRANCH = "440604001"
CHIP = Chip("440604D15600000500000001", "3B6D00000081544A4D864F59A1")


@pytest.fixture
def device(bureau: Bureau) -> CardIssuer:
    """A branch's device, and three blank cards beside it."""
    issuer = card_issuer(bureau)
    bureau.decide(ReceiveBlanks(BRANCH, 3))
    return issuer


def counts(bureau: Bureau) -> tuple[int, int, int, int]:
    """On hand, in the device, used, spoiled; together what was received."""
    with bureau.store.read() as tx:
        found = blank_cards.of(tx, BRANCH)
    places = (found.on_hand, found.in_device, found.used, found.spoiled)
    assert sum(places) == found.received
    return places


def issued(bureau: Bureau, serial: int = 0) -> Answer:
    filing_id = accepted(bureau, newcomer(serial), AT_ONCE)
    return bureau.perform(IssueAtOnce(filing_id), bureau.maker)


def making_of(bureau: Bureau, card_id: str) -> Making:
    with bureau.store.read() as tx:
        found = makings.get(tx, card_id)
    assert found is not None
    return found


def sent_to_device(device: CardIssuer, card_id: str) -> str:
    """The id of the order whose record the device has."""
    order = device.bureau.perform(OrderAtOnce(card_id, MAKER), device.bureau.maker)
    device.prepare(order["order_id"])
    with device.bureau.store.read() as tx:
        (chunk,) = making_orders.chunks(tx, order["order_id"])
        found = making_orders.get(tx, order["order_id"])
    assert found is not None
    assert chunk.root is not None
    message = device.personaliser.to_be_signed(
        issuer=found.issuer,
        key_number=found.key_number,
        order_id=found.id,
        chunk=chunk.number,
        size=chunk.size,
        root=chunk.root,
    )
    device.sign(order["order_id"], 1, message)
    device.send(order["order_id"])
    return str(order["order_id"])


def answered(
    bureau: Bureau, order_id: str, card_number: str, chip: Chip | None, digest: bytes = bytes(32)
) -> Answer:
    """What came of the one row, and the order's state."""
    outcome = CardReturned(1, card_number, chip, None if chip else "01")
    bureau.perform(OpenMakerReturn(order_id, digest), bureau.maker)
    taken = bureau.perform(TakeMakerReturn(order_id, digest, (outcome,)), bureau.maker)
    return taken | bureau.perform(CloseMakerReturn(order_id, digest), bureau.maker)


def test_from_an_accepted_application_to_a_scan_at_one_visit(device: CardIssuer) -> None:
    bureau = device.bureau
    made = issued(bureau)
    assert making_of(bureau, made["card_id"]).state.code == "41"
    with pytest.raises(WrongStateError):  # there is no card yet that could be handed out
        bureau.perform(ActivateCard(made["card_id"], Evidence.IDENTITY_DOCUMENT), bureau.maker)
    order_id = sent_to_device(device, made["card_id"])
    assert making_of(bureau, made["card_id"]).state.code == "42"
    assert counts(bureau) == (2, 1, 0, 0)
    answer = answered(bureau, order_id, made["card_number"], CHIP)
    assert (answer["made"], answer["state"]) == (1, OrderState.ANSWERED)
    making = making_of(bureau, made["card_id"])
    assert (making.state, making.state.code) == (MakingState.MADE_AT_ONCE, "45")
    assert counts(bureau) == (2, 0, 1, 0)
    bureau.perform(ActivateCard(made["card_id"], Evidence.IDENTITY_DOCUMENT), bureau.maker)
    assert making_of(bureau, made["card_id"]).state is MakingState.HANDED_OVER
    hashed = bureau.hash(HOLDER_PASSWORD)
    bureau.perform(ActivateECard(made["card_id"], hashed), bureau.maker)
    with bureau.store.read() as tx:
        card = cards.get(tx, made["card_id"])
        assert card is not None
        assert makings.chip_of(tx, making) == CHIP
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)
    assert bureau.scan(bureau.minter.mint(card.holder_id).text)["outcome"] == "accepted"


def test_what_the_device_spoils_is_made_anew_under_the_same_number(device: CardIssuer) -> None:
    bureau = device.bureau
    made = issued(bureau)
    answered(bureau, sent_to_device(device, made["card_id"]), made["card_number"], None)
    assert making_of(bureau, made["card_id"]).state.code == "85"
    assert counts(bureau) == (2, 0, 0, 1)
    bureau.perform(ReworkCards(made["batch_id"]), bureau.maker)
    assert making_of(bureau, made["card_id"]).state is MakingState.AWAITING_DEVICE
    again = sent_to_device(device, made["card_id"])
    answered(bureau, again, made["card_number"], CHIP, bytes([1]) * 32)
    assert making_of(bureau, made["card_id"]).state is MakingState.MADE_AT_ONCE
    assert counts(bureau) == (1, 0, 1, 1)
    known = answered(bureau, again, made["card_number"], CHIP, bytes([2]) * 32)
    assert (known["known"], counts(bureau)) == (1, (1, 0, 1, 1))
    assert bureau.perform(HandOverCard(made["card_id"]), bureau.maker)["making_state"] == (
        "handed_over"
    )


@pytest.mark.parametrize("is_prepared", [False, True])
def test_an_order_that_is_withdrawn_gives_its_blank_back(
    device: CardIssuer, is_prepared: bool
) -> None:
    bureau = device.bureau
    made = issued(bureau)
    order = bureau.perform(OrderAtOnce(made["card_id"], MAKER), bureau.maker)
    if is_prepared:
        device.prepare(order["order_id"])
    with pytest.raises(WrongStateError):  # one order of a card at a time
        bureau.perform(OrderAtOnce(made["card_id"], MAKER), bureau.maker)
    assert counts(bureau) == (2, 1, 0, 0)
    bureau.perform(WithdrawOrder(order["order_id"]), bureau.maker)
    assert counts(bureau) == (3, 0, 0, 0)
    assert making_of(bureau, made["card_id"]).state is MakingState.AWAITING_DEVICE
    sent_to_device(device, made["card_id"])
    assert counts(bureau) == (2, 1, 0, 0)


def test_without_a_blank_nothing_is_ordered(device: CardIssuer) -> None:
    bureau = device.bureau
    for serial in range(3):
        bureau.perform(OrderAtOnce(issued(bureau, serial)["card_id"], MAKER), bureau.maker)
    last = issued(bureau, 3)["card_id"]
    with pytest.raises(NoBlankCardsError):
        bureau.perform(OrderAtOnce(last, MAKER), bureau.maker)
    assert counts(bureau) == (0, 3, 0, 0)
    assert making_of(bureau, last).state is MakingState.AWAITING_DEVICE


def test_blanks_are_written_off_by_two_people_who_saw_the_same_count(device: CardIssuer) -> None:
    bureau = device.bureau
    assert bureau.decide(SpoilBlanks(BRANCH, 2, SpoilReason.DAMAGED, 3))["on_hand"] == 1
    assert counts(bureau) == (1, 0, 0, 2)
    with pytest.raises(ContentChangedError):
        bureau.decide(SpoilBlanks(BRANCH, 1, SpoilReason.MISSING, 3))
    with pytest.raises(NoBlankCardsError):
        bureau.decide(SpoilBlanks(BRANCH, 2, SpoilReason.MISSING, 1))
    assert counts(bureau) == (1, 0, 0, 2)


def test_an_exchange_at_once_ends_the_old_card(device: CardIssuer) -> None:
    bureau = device.bureau
    person, lost = bureau.people(2)
    bureau.perform(ReportFormalLoss(lost.card_id), bureau.maker)
    for one, kind in ((person, ApplicationKind.EXCHANGE), (lost, ApplicationKind.REPLACEMENT)):
        filing_id = accepted(bureau, next_card(bureau, one, kind), AT_ONCE)
        made = bureau.perform(IssueAtOnce(filing_id), bureau.maker)
        with bureau.store.read() as tx:
            old, new = cards.get(tx, one.card_id), cards.get(tx, made["card_id"])
        assert old is not None
        assert new is not None
        assert (old.state, new.state) == (CardState.CANCELLED, CardState.NOT_ACTIVATED)
        assert (new.holder_id, new.card_number) == (old.holder_id, made["card_number"])


def test_only_what_two_people_accepted_to_be_made_at_once_is(device: CardIssuer) -> None:
    bureau = device.bureau
    filed = file(bureau, newcomer(), AT_ONCE)["filing_id"]
    with pytest.raises(WrongStateError):
        bureau.perform(IssueAtOnce(filed), bureau.maker)
    by_batch = file(bureau, newcomer(1), BATCH)["filing_id"]
    with pytest.raises(InvalidActError):
        bureau.perform(IssueAtOnce(by_batch), bureau.maker)
    made = issued(bureau, 2)
    bureau.decide(CancelCard(made["card_id"], CancelReason.MADE_IN_ERROR))
    with pytest.raises(WrongStateError):  # nor a card that was cancelled before it was made
        bureau.perform(OrderAtOnce(made["card_id"], MAKER), bureau.maker)
    assert counts(bureau) == (3, 0, 0, 0)


def test_a_card_of_a_roster_does_not_go_to_the_device(device: CardIssuer) -> None:
    batch_id = device.issued_batch(1)
    (making,) = device.makings(batch_id)
    with pytest.raises(WrongStateError):
        device.bureau.perform(OrderAtOnce(making.card_id, MAKER), device.bureau.maker)
    assert counts(device.bureau) == (3, 0, 0, 0)
