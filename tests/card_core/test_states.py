"""The tables of transitions: complete, without a way out of the end, and as the docs show them.

Cards and e-cards are shown by docs/lifecycle.md, which is made of the tables.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from card_core import states
from card_core.codes import key_life
from card_core.errors import WrongStateError
from card_core.states import CardState, ECardState, Step

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0004-kernel.md"
TABLES: dict[str, Mapping[Step, Mapping[StrEnum, StrEnum]]] = {
    "card": states.CARD,  # type: ignore[dict-item]
    "e-card": states.ECARD,  # type: ignore[dict-item]
    "batch": states.BATCH,  # type: ignore[dict-item]
    "application": states.FILING,  # type: ignore[dict-item]
    "guardianship, family member": states.BINDING,  # type: ignore[dict-item]
    "approval": states.APPROVAL,  # type: ignore[dict-item]
    "visit": states.VISIT,  # type: ignore[dict-item]
    "operator, institution, terminal": states.SERVICE,  # type: ignore[dict-item]
    "issuer key": key_life.KEY,  # type: ignore[dict-item]
}
SHOWN = TABLES.keys() - {"card", "e-card"}


def test_states_have_the_ministrys_codes() -> None:
    codes = {state.value: state.aaz502 for state in CardState}
    assert codes == {
        "not_activated": None,
        "sealed": "0",
        "normal": "1",
        "formal_loss": "2",
        "locked": "3",
        "temporary_loss": "4",
        "cancelled": "9",
    }


def test_a_step_that_the_table_has_leads_on() -> None:
    state = states.after(states.CARD, "card", CardState.NORMAL, Step.REPORT_TEMPORARY_LOSS)
    assert state is CardState.TEMPORARY_LOSS


@pytest.mark.parametrize("thing", TABLES)
def test_a_step_that_the_table_lacks_is_refused_with_the_state(thing: str) -> None:
    table = TABLES[thing]
    kinds = {type(state) for row in table.values() for state in row}
    refused = 0
    for step in Step:
        for state in (state for kind in kinds for state in kind):
            if state in table.get(step, {}):
                continue
            with pytest.raises(WrongStateError) as error:
                states.after(table, thing, state, step)
            assert (error.value.thing, error.value.state) == (thing, state)
            refused += 1
    assert refused


def test_cancelled_is_the_end() -> None:
    assert all(CardState.CANCELLED not in row for row in states.CARD.values())
    assert all(ECardState.CANCELLED not in row for row in states.ECARD.values())


def test_a_formal_loss_ends_by_its_withdrawal_or_with_the_card() -> None:
    leading_on = {step for step, row in states.CARD.items() if CardState.FORMAL_LOSS in row}
    assert leading_on == {Step.WITHDRAW_FORMAL_LOSS, Step.REPLACE, Step.CANCEL}


def test_only_unlocking_brings_a_locked_card_back_into_use() -> None:
    back = {
        step for step, row in states.CARD.items() if row.get(CardState.LOCKED) is CardState.NORMAL
    }
    assert back == {Step.UNLOCK}
    # Nor by way of a loss that is withdrawn or lapses.
    assert CardState.LOCKED not in states.CARD[Step.REPORT_TEMPORARY_LOSS]


@pytest.mark.parametrize("card_state", CardState)
@pytest.mark.parametrize("ecard_state", ECardState)
def test_an_ecard_amounts_to_no_more_than_its_card_allows(
    card_state: CardState, ecard_state: ECardState
) -> None:
    amounts_to = states.ecard_amounts_to(card_state, ecard_state)
    in_effect = card_state is CardState.NORMAL and ecard_state is ECardState.ACTIVE
    assert (amounts_to is ECardState.ACTIVE) == in_effect
    ended = card_state is CardState.CANCELLED or ecard_state is ECardState.CANCELLED
    assert (amounts_to is ECardState.CANCELLED) == ended


@pytest.mark.parametrize("card_state", CardState)
@pytest.mark.parametrize(
    ("ecard_state", "step"),
    [(ECardState.NOT_ACTIVATED, Step.ACTIVATE), (ECardState.SUSPENDED, Step.RESUME)],
)
def test_an_ecard_comes_into_use_only_while_its_card_is(
    card_state: CardState, ecard_state: ECardState, step: Step
) -> None:
    if card_state is CardState.NORMAL:
        assert states.after_of_ecard(card_state, ecard_state, step) is ECardState.ACTIVE
        return
    with pytest.raises(WrongStateError) as error:
        states.after_of_ecard(card_state, ecard_state, step)
    assert (error.value.thing, error.value.state) == ("card", card_state)


def test_an_ecard_does_nothing_under_a_cancelled_card() -> None:
    with pytest.raises(WrongStateError):
        states.after_of_ecard(CardState.CANCELLED, ECardState.ACTIVE, Step.SUSPEND)


def test_the_decision_record_shows_the_tables_as_they_are() -> None:
    shown = {
        (thing.strip(), step.strip(), before.strip(), after.strip())
        for thing, step, before, after in re.findall(
            r"^\| ([^|]+) \| `([^|`]+)` \| `([^|`]+)` \| `([^|`]+)` \|$",
            DECISION.read_text("utf-8"),
            re.MULTILINE,
        )
    }
    actual = {
        (thing, step.value, before.value, after.value)
        for thing, table in TABLES.items()
        if thing in SHOWN
        for step, row in table.items()
        for before, after in row.items()
    }
    assert shown == actual
