"""docs/lifecycle.md is what the tables say, and the tables are all there."""

from pathlib import Path

import pytest

from card_core import states
from card_core.life_events import LifeEvent
from issuance.cli import lifecycle_page
from issuance.cli.lifecycle_page import CARD_ACTS, ECARD_ACTS, MAKING_ACTS, page

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_is_what_the_tables_say() -> None:
    made = page()
    assert PAGE.read_text("utf-8") == made, (
        "python -m issuance.cli.lifecycle_page > docs/lifecycle.md"
    )


def test_every_step_and_every_event_is_shown() -> None:
    assert CARD_ACTS.keys() == states.CARD.keys()
    assert ECARD_ACTS.keys() == states.ECARD.keys()
    assert MAKING_ACTS.keys() == states.MAKING.keys()
    shown = page()
    assert all(f"`{event.value}`" in shown for event in LifeEvent)


def test_another_table_makes_another_page(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page()
    fewer = {**states.CARD, states.Step.SEAL: {}}
    monkeypatch.setattr(lifecycle_page, "CARD", fewer)
    assert page() != before
