"""The life of a card and its e-card through the kernel, against the one table of transitions."""

import pytest
from bureau import Bureau, Person
from sqlalchemy import select, update

from card_core import states
from card_core.errors import InvalidActError, NotFoundError, TamperedRowError, WrongStateError
from card_core.kernel import Act, DangerousAct
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.sign_numbers import is_sign_number
from card_core.states import CardState, ECardState, Step
from card_core.store import cards, guarded, schema
from card_core.store.cards import Card, ECard

ACTS: dict[Step, type[Act]] = {
    Step.ACTIVATE: ActivateCard,
    Step.REPORT_TEMPORARY_LOSS: ReportTemporaryLoss,
    Step.WITHDRAW_TEMPORARY_LOSS: WithdrawTemporaryLoss,
    Step.REPORT_FORMAL_LOSS: ReportFormalLoss,
    Step.CANCEL: CancelCard,
}


def act_of(step: Step, card_id: str) -> Act:
    match step:
        case Step.ACTIVATE:
            return ActivateCard(card_id, Evidence.IDENTITY_DOCUMENT)
        case Step.CANCEL:
            return CancelCard(card_id, CancelReason.DEATH)
    return ACTS[step](card_id)  # type: ignore[call-arg]


def do(bureau: Bureau, act: Act) -> dict[str, object]:
    if isinstance(act, DangerousAct):
        return bureau.decide(act)
    return bureau.perform(act, bureau.maker)


def read(bureau: Bureau, person: Person) -> tuple[Card, ECard]:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
        ecard = cards.ecard_of(tx, person.card_id)
    assert card is not None
    return card, ecard


def put_into(bureau: Bureau, person: Person, state: CardState) -> None:
    """Any state, also those that no act leads to yet."""
    with bureau.store.write() as tx:
        guarded.change(tx, schema.cards, person.card_id, state=state.value)


@pytest.mark.parametrize("step", sorted(states.CARD))
def test_a_step_leads_where_the_table_says_or_is_refused(bureau: Bureau, step: Step) -> None:
    for state, person in zip(CardState, bureau.people(len(CardState)), strict=True):
        put_into(bureau, person, state)
        allowed = states.CARD[step].get(state)
        if allowed is None:
            with pytest.raises(WrongStateError) as refused:
                do(bureau, act_of(step, person.card_id))
            assert refused.value.state is state
            assert read(bureau, person)[0].state is state
        else:
            answer = do(bureau, act_of(step, person.card_id))
            assert answer["card_state"] == allowed.value
            assert read(bureau, person)[0].state is allowed


def test_a_new_card_is_activated_before_its_ecard(bureau: Bureau) -> None:
    (card,) = bureau.issued_cards(1)
    assert card.state is CardState.NOT_ACTIVATED
    activate = ActivateECard(card.id, bureau.hash("274095"))
    with pytest.raises(WrongStateError):
        bureau.perform(activate, bureau.maker)
    bureau.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
    answer = bureau.perform(activate, bureau.maker)
    assert answer["ecard_state"] == "active"
    with pytest.raises(WrongStateError):
        bureau.perform(activate, bureau.maker)


def test_sign_numbers_are_well_formed_and_all_different(bureau: Bureau) -> None:
    people = bureau.people(5)
    numbers = {person.sign_number for person in people}
    assert len(numbers) == 5
    assert all(is_sign_number(number) and number.startswith("00001") for number in numbers)
    assert all(read(bureau, person)[1].sign_number == person.sign_number for person in people)


@pytest.mark.parametrize("position", range(26))
def test_a_slip_in_a_sign_number_is_seen(position: int) -> None:
    number = "00001" + "31415926535897932384" + "6"
    right = next(
        number[:-1] + digit for digit in "0123456789" if is_sign_number(number[:-1] + digit)
    )
    for digit in "0123456789":
        slipped = right[:position] + digit + right[position + 1 :]
        assert is_sign_number(slipped) == (slipped == right)


def test_cancelling_a_card_cancels_its_ecard(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(CancelCard(person.card_id, CancelReason.EMIGRATION))
    card, ecard = read(bureau, person)
    assert (card.state, ecard.state) == (CardState.CANCELLED, ECardState.CANCELLED)
    with bureau.store.read() as tx:
        assert cards.live_card_of(tx, person.holder_id) is None


def test_a_loss_leaves_the_ecard_to_its_card(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    assert read(bureau, person)[1].state is ECardState.ACTIVE
    bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)
    assert read(bureau, person)[0].state is CardState.NORMAL


def test_a_holder_reports_no_formal_loss_over_the_app(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    with pytest.raises(WrongStateError):
        bureau.perform(WithdrawTemporaryLoss(person.card_id), person.actor)


@pytest.mark.parametrize("card_id", ["", "1", "g" * 32, "0" * 33, "0" * 31 + "\x00"])
def test_what_is_no_id_is_refused_before_the_database_sees_it(card_id: str) -> None:
    with pytest.raises(InvalidActError):
        ReportTemporaryLoss(card_id)


def test_an_unknown_card_is_not_found(bureau: Bureau) -> None:
    with pytest.raises(NotFoundError):
        bureau.perform(ReportTemporaryLoss("0" * 32), bureau.maker)


def test_a_state_flipped_in_the_database_is_not_believed(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    with bureau.store.write() as tx:
        tx.connection.execute(
            update(schema.cards).where(schema.cards.c.id == person.card_id).values(state="normal")
        )
    for attempt in (
        lambda: bureau.scan(text),
        lambda: bureau.minter.mint(person.holder_id),
        lambda: bureau.perform(ReportTemporaryLoss(person.card_id), person.actor),
    ):
        with pytest.raises(TamperedRowError):
            attempt()
    with bureau.store.read() as tx:
        assert tx.connection.execute(select(schema.scans)).first() is None
