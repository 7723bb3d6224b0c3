"""A random walk over the life of cards, compared step by step with a small model.

The model is written from the rules alone: it knows states, who may do what, what a scan says and
what was spent, and shares no code with the kernel. Each run prints its seed in the test's name, and
counts how often each step and each outcome was met, so that a walk that no longer reaches something
fails.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from bureau import Bureau, Person

from card_core.errors import CardCoreError
from card_core.kernel import Actor, Answer
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
from card_core.kernel.acts.institutions import ReinstateTerminal, SuspendTerminal
from card_core.store import audit, cards
from card_core.store.cards import Card

# state -> step -> next state, as domain people write it.
LIFE = {
    "not_activated": {"activate": "normal", "cancel": "cancelled"},
    "normal": {"lose": "temporary_loss", "lose_for_good": "formal_loss", "cancel": "cancelled"},
    "temporary_loss": {"find": "normal", "lose_for_good": "formal_loss", "cancel": "cancelled"},
    "formal_loss": {"cancel": "cancelled"},
    "cancelled": {},
}
SCAN_REASON = {
    "not_activated": "card_not_active",
    "temporary_loss": "card_lost",
    "formal_loss": "card_lost",
    "cancelled": "card_cancelled",
}


@dataclass
class ModelCard:
    """What the model knows of one card."""

    card: Card
    state: str = "not_activated"
    has_ecard: bool = False
    codes: list[str] = field(default_factory=list)


@dataclass
class Walk:
    """The kernel on one side, the model on the other, and one random source."""

    bureau: Bureau
    random: random.Random
    cards: list[ModelCard]
    terminal_works: bool = True
    spent: set[str] = field(default_factory=set)
    met: Counter[str] = field(default_factory=Counter)

    def step(self) -> None:
        card = self.random.choice(self.cards)
        steps: list[Callable[[ModelCard], None]] = [
            self.activate,
            self.activate_ecard,
            self.lose,
            self.find,
            self.lose_for_good,
            self.cancel,
            self.mint,
            self.mint,
            self.scan,
            self.scan,
            self.scan,
            self.toggle_terminal,
        ]
        weights = [4, 4, 3, 3, 1, 1, 6, 6, 6, 6, 6, 1]
        (chosen,) = self.random.choices(steps, weights)
        chosen(card)

    def expect(self, name: str, outcome: str, act: Callable[[], Any]) -> Answer | None:
        """Do it, and compare what came of it: an error's code, a state or a reason."""
        answer: Answer | None = None
        try:
            answer = act()
        except CardCoreError as error:
            got = error.code
        else:
            got = answer.get("reason") or answer.get("card_state") or answer.get("state") or "done"
        assert got == outcome, (name, got, outcome)
        self.met[f"{name}: {outcome}"] += 1
        return answer

    def someone(self, card: ModelCard) -> Actor:
        """Any of those whom the model tells apart."""
        holder = Person(card.card.holder_id, "", "", card.card.id, "").actor
        other = self.random.choice(self.cards).card.holder_id
        stranger = Person(other, "", "", card.card.id, "").actor
        return self.random.choice(
            [self.bureau.maker, self.bureau.maker, holder, stranger, self.bureau.checker]
        )

    def take(self, card: ModelCard, step: str, actor: Actor, act: Any, holder_may: bool) -> None:
        """One step of the card's life by one person."""
        new = LIFE[card.state].get(step)
        if actor.kind == "holder" and holder_may:
            own = actor.id == card.card.holder_id
            outcome = "not_found" if not own else new or "wrong_state"
        elif actor == self.bureau.maker:
            outcome = new or "wrong_state"
        else:
            outcome = "not_allowed"
        if self.expect(step, outcome, lambda: self.bureau.perform(act, actor)) is not None:
            card.state = outcome

    def activate(self, card: ModelCard) -> None:
        act = ActivateCard(card.card.id, Evidence.IDENTITY_DOCUMENT)
        self.take(card, "activate", self.someone(card), act, holder_may=False)

    def lose(self, card: ModelCard) -> None:
        act = ReportTemporaryLoss(card.card.id)
        self.take(card, "lose", self.someone(card), act, holder_may=True)

    def find(self, card: ModelCard) -> None:
        act = WithdrawTemporaryLoss(card.card.id)
        self.take(card, "find", self.someone(card), act, holder_may=True)

    def lose_for_good(self, card: ModelCard) -> None:
        act = ReportFormalLoss(card.card.id)
        self.take(card, "lose_for_good", self.someone(card), act, holder_may=False)

    def activate_ecard(self, card: ModelCard) -> None:
        ready = card.state == "normal" and not card.has_ecard
        act = ActivateECard(card.card.id, "pbkdf2-hmac-sm3$1$00$00")
        outcome = "done" if ready else "wrong_state"
        maker = self.bureau.maker
        if self.expect("activate_ecard", outcome, lambda: self.bureau.perform(act, maker)):
            card.has_ecard = True

    def cancel(self, card: ModelCard) -> None:
        act = CancelCard(card.card.id, CancelReason.DEATH)
        proposed = self.bureau.kernel.propose(
            act, actor=self.bureau.maker, request_id=self.bureau.request_id()
        )
        checker = self.random.choice(
            [self.bureau.checker, self.bureau.maker, self.bureau.administrator]
        )
        outcome = {
            self.bureau.maker: "same_person",
            self.bureau.administrator: "not_allowed",
            self.bureau.checker: LIFE[card.state].get("cancel", "wrong_state"),
        }[checker]
        if self.expect("cancel", outcome, lambda: self.bureau.approve(proposed, checker)):
            card.state = outcome

    def usable(self, card: ModelCard) -> str | None:
        if card.state != "normal":
            return SCAN_REASON[card.state]
        return None if card.has_ecard else "card_not_active"

    def mint(self, card: ModelCard) -> None:
        holder_id = card.card.holder_id
        outcome = "done" if self.usable(card) is None else "card_unusable"

        def mint() -> Answer:
            return {"text": self.bureau.minter.mint(holder_id).text}

        minted = self.expect("mint", outcome, mint)
        if minted is not None:
            card.codes.append(minted["text"])

    def scan(self, card: ModelCard) -> None:
        if not card.codes:
            return
        text = self.random.choice(card.codes[-3:])
        used = "already_used" if text in self.spent else "accepted"
        outcome = (self.usable(card) or used) if self.terminal_works else "not_allowed"
        if self.expect("scan", outcome, lambda: self.bureau.scan(text)) and outcome == "accepted":
            self.spent.add(text)

    def toggle_terminal(self, _: ModelCard) -> None:
        serial = self.bureau.hospital.serial_number
        if self.terminal_works:
            suspend = SuspendTerminal(serial)
            self.expect(
                "terminal", "suspended", lambda: self.bureau.perform(suspend, self.bureau.maker)
            )
        else:
            self.expect("terminal", "active", lambda: self.bureau.decide(ReinstateTerminal(serial)))
        self.terminal_works = not self.terminal_works

    def compare(self) -> None:
        """The whole state, and the log of how it came about."""
        with self.bureau.store.read() as tx:
            for model in self.cards:
                card = cards.get(tx, model.card.id)
                assert card is not None
                assert card.state.value == model.state
                assert (cards.ecard_of(tx, card.id).sign_number is not None) == model.has_ecard
            for chain in audit.CHAINS:
                audit.verify_chain(tx, chain)
            audit.verify_rows(tx)


OUTCOMES = {
    "activate: normal",
    "activate: not_allowed",
    "activate: wrong_state",
    "activate_ecard: done",
    "activate_ecard: wrong_state",
    "cancel: cancelled",
    "cancel: not_allowed",
    "cancel: same_person",
    "find: normal",
    "find: not_allowed",
    "find: not_found",
    "find: wrong_state",
    "lose: not_allowed",
    "lose: not_found",
    "lose: temporary_loss",
    "lose: wrong_state",
    "lose_for_good: formal_loss",
    "lose_for_good: wrong_state",
    "mint: card_unusable",
    "mint: done",
    "scan: accepted",
    "scan: already_used",
    "scan: card_lost",
    "scan: not_allowed",
    "terminal: active",
    "terminal: suspended",
}


@pytest.mark.parametrize(
    ("seed", "steps", "people"),
    [
        (1, 1500, 40),
        *(pytest.param(seed, 4000, 100, marks=pytest.mark.long) for seed in range(2, 7)),
    ],
)
def test_the_kernel_and_the_model_agree(bureau: Bureau, seed: int, steps: int, people: int) -> None:
    walk = Walk(
        bureau,
        random.Random(seed),
        [ModelCard(card) for card in bureau.issued_cards(people)],
    )
    for number in range(1, steps + 1):
        walk.step()
        if number % 500 == 0 or number == steps:
            walk.compare()
    assert set(walk.met) >= OUTCOMES, OUTCOMES - set(walk.met)
    assert walk.met["scan: accepted"] == len(walk.spent)
