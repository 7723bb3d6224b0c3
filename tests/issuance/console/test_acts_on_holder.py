"""Every act in a holder's file: who, when and what, as the audit log has it."""

import re
from pathlib import Path

import pytest
from bureau import Bureau
from test_console import V1, Window, done

from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.permissions import ACTS
from issuance.console import acts_on_holder, pages

WORDS = Path(pages.__file__).with_name("static") / "act_words.js"


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def test_what_was_done_to_a_person_stands_in_the_file_by_pages(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts_on_holder, "ACTS_PAGE", 2)
    bureau, checker = window.bureau, window.sign_in("checker")
    person, other = bureau.people(2)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    bureau.clock.advance(1)
    bureau.perform(WithdrawTemporaryLoss(person.card_id), bureau.maker)
    bureau.perform(ReportTemporaryLoss(other.card_id), bureau.maker)
    place = f"{V1}/holders/{person.holder_id}"
    file = done(checker.get(place))
    acts, number = file["acts"], file["cards"][0]["card_number"]
    told = [(one["act"], one["actor_kind"], one["by"], one["card_number"]) for one in acts["acts"]]
    assert told == [
        ("withdraw_temporary_loss", "operator", "maker 同志", number),
        ("report_temporary_loss", "holder", None, number),
    ]
    assert acts["acts"][0]["at"] > acts["acts"][1]["at"]
    older = done(checker.get(f"{place}/acts?before={acts['next_before']}"))
    assert {one["act"] for one in older["acts"]} == {"activate_card", "activate_ecard"}
    assert person.name not in str(older)
    assert checker.get(f"{place}/acts?before=x").status_code == 422


def test_words_are_those_of_acts_that_there_are() -> None:
    words = re.findall(r"^  ([a-z_]+): t\(", WORDS.read_text(), re.MULTILINE)
    actors = {"holder", "terminal", "issuer", "system", "operator"}
    assert set(words) - actors <= set(ACTS)
    assert {"activate_card", "cancel_card", "correct_holder", "file_application"} <= set(words)
