"""The life of a card and its e-card through the kernel, against the one table of transitions."""

import pytest
from bureau import SYSTEM, Bureau, Person
from sqlalchemy import select, update

from card_core import states
from card_core.card_policy import CardNumberKept
from card_core.errors import (
    InvalidActError,
    NotByPolicyError,
    NotFoundError,
    TamperedRowError,
    WrongStateError,
)
from card_core.kernel import Act, DangerousAct
from card_core.kernel.acts.card_locks import LockCard, SealCard, SealReason, UnlockCard, UnsealCard
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    LapseTemporaryLoss,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawFormalLoss,
    WithdrawTemporaryLoss,
)
from card_core.kernel.acts.ecards import CancelECard, ResumeECard, SuspendECard
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason, ReplaceCard
from card_core.kernel.sign_numbers import is_sign_number
from card_core.states import CardState, ECardState, Step
from card_core.store import cards, guarded, schema
from card_core.store.cards import Card, ECard


def act_of(step: Step, card_id: str) -> Act:
    acts: dict[Step, Act] = {
        Step.ACTIVATE: ActivateCard(card_id, Evidence.IDENTITY_DOCUMENT),
        Step.REPORT_TEMPORARY_LOSS: ReportTemporaryLoss(card_id),
        Step.WITHDRAW_TEMPORARY_LOSS: WithdrawTemporaryLoss(card_id),
        Step.LAPSE: LapseTemporaryLoss(card_id),
        Step.REPORT_FORMAL_LOSS: ReportFormalLoss(card_id),
        Step.WITHDRAW_FORMAL_LOSS: WithdrawFormalLoss(card_id),
        Step.LOCK: LockCard(card_id),
        Step.UNLOCK: UnlockCard(card_id, Evidence.IDENTITY_DOCUMENT),
        Step.SEAL: SealCard(card_id, SealReason.BY_ORDER),
        Step.UNSEAL: UnsealCard(card_id),
        Step.REPLACE: ReplaceCard(card_id, CardNumberKept.NEW),
        Step.EXCHANGE: ExchangeCard(card_id, ExchangeReason.DAMAGED, CardNumberKept.NEW),
        Step.CANCEL: CancelCard(card_id, CancelReason.DEATH),
    }
    return acts[step]


def ecard_act_of(bureau: Bureau, step: Step, card_id: str) -> Act:
    acts: dict[Step, Act] = {
        Step.ACTIVATE: ActivateECard(card_id, bureau.hash("274095")),
        Step.SUSPEND: SuspendECard(card_id),
        Step.RESUME: ResumeECard(card_id),
        Step.CANCEL: CancelECard(card_id),
    }
    return acts[step]


def do(bureau: Bureau, act: Act) -> dict[str, object]:
    if isinstance(act, DangerousAct):
        return bureau.decide(act)
    return bureau.perform(act, SYSTEM if isinstance(act, LapseTemporaryLoss) else bureau.maker)


def read(bureau: Bureau, person: Person) -> tuple[Card, ECard]:
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
        ecard = cards.ecard_of(tx, person.card_id)
    assert card is not None
    return card, ecard


def put_into(bureau: Bureau, person: Person, state: CardState) -> None:
    """Any state at once; a temporary loss has lapsed already."""
    lapses_at = bureau.clock() if state is CardState.TEMPORARY_LOSS else None
    with bureau.store.write() as tx:
        guarded.change(
            tx, schema.cards, person.card_id, state=state.value, loss_lapses_at=lapses_at
        )


def put_ecard_into(bureau: Bureau, person: Person, state: ECardState) -> None:
    ecard = read(bureau, person)[1]
    with bureau.store.write() as tx:
        guarded.change(tx, schema.ecards, ecard.id, state=state.value, sign_number=None)


def everything(bureau: Bureau) -> dict[str, list[object]]:
    """All that an act on a card may change, but for the proposals and what records them."""
    tables = (
        schema.cards,
        schema.ecards,
        schema.batches,
        schema.applications,
        schema.issuers,
        schema.sessions,
        schema.device_credentials,
    )
    with bureau.store.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.connection.execute(select(table))]
            for table in tables
        }


def allow_formal_losses_to_be_withdrawn(bureau: Bureau) -> None:
    policy = SetCardPolicy(15, True, CardNumberKept.NEW, CardNumberKept.NEW)
    bureau.decide(policy, bureau.administrator, bureau.security)


@pytest.mark.parametrize("step", sorted(states.CARD))
def test_a_step_leads_where_the_table_says_or_is_refused(bureau: Bureau, step: Step) -> None:
    allow_formal_losses_to_be_withdrawn(bureau)
    for state, person in zip(CardState, bureau.people(len(CardState)), strict=True):
        put_into(bureau, person, state)
        allowed = states.CARD[step].get(state)
        if allowed is None:
            before = everything(bureau)
            with pytest.raises(WrongStateError) as refused:
                do(bureau, act_of(step, person.card_id))
            assert refused.value.state is state
            assert everything(bureau) == before
        else:
            answer = do(bureau, act_of(step, person.card_id))
            assert answer["card_state"] == allowed.value
            assert read(bureau, person)[0].state is allowed


@pytest.mark.parametrize("step", sorted(states.ECARD))
def test_a_step_of_an_ecard_leads_where_both_tables_say(bureau: Bureau, step: Step) -> None:
    for card_state in CardState:
        for state, person in zip(ECardState, bureau.people(len(ECardState)), strict=True):
            put_into(bureau, person, card_state)
            put_ecard_into(bureau, person, state)
            after = states.ECARD[step].get(state)
            comes_into_use = after is ECardState.ACTIVE
            if (
                after is None
                or card_state is CardState.CANCELLED
                or (comes_into_use and card_state is not CardState.NORMAL)
            ):
                before = everything(bureau)
                with pytest.raises(WrongStateError):
                    do(bureau, ecard_act_of(bureau, step, person.card_id))
                assert everything(bureau) == before
            else:
                answer = do(bureau, ecard_act_of(bureau, step, person.card_id))
                assert answer["ecard_state"] == after.value
                assert read(bureau, person)[1].state is after


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


def test_a_card_is_cancelled_after_its_ecard_was(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.decide(CancelECard(person.card_id))
    bureau.decide(CancelCard(person.card_id, CancelReason.EMIGRATION))
    card, ecard = read(bureau, person)
    assert (card.state, ecard.state) == (CardState.CANCELLED, ECardState.CANCELLED)


def test_a_suspended_ecard_makes_no_code_and_its_card_stays_in_use(bureau: Bureau) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    bureau.perform(SuspendECard(person.card_id), person.actor)
    assert bureau.scan(text)["reason"] == "card_locked"
    assert read(bureau, person)[0].state is CardState.NORMAL
    bureau.perform(ResumeECard(person.card_id), bureau.maker)
    assert bureau.scan(text)["outcome"] == "accepted"


def test_an_ecard_keeps_its_own_state_through_what_befalls_its_card(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(SuspendECard(person.card_id), bureau.maker)
    bureau.perform(LockCard(person.card_id), bureau.maker)
    with pytest.raises(WrongStateError):
        bureau.perform(ResumeECard(person.card_id), bureau.maker)
    unlock = UnlockCard(person.card_id, Evidence.IDENTITY_DOCUMENT)
    bureau.perform(unlock, bureau.maker)
    assert read(bureau, person)[1].state is ECardState.SUSPENDED


def test_a_formal_loss_stays_where_the_policy_does_not_let_it_go(bureau: Bureau) -> None:
    person = bureau.person()
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    before = everything(bureau)
    with pytest.raises(NotByPolicyError):
        bureau.decide(WithdrawFormalLoss(person.card_id))
    assert everything(bureau) == before


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
