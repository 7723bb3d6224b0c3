"""The kernel against a small model of a card's life, on random walks that hypothesis shrinks.

The model is written from the rules alone and shares no table with the program: what each step leads
to, when a loss lapses, what the policy lets be, what an event does. After each step the rows of
everything the person ever had are compared with it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from bureau import SYSTEM, Bureau
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from card_core.card_policy import CardNumberKept
from card_core.errors import CardCoreError, CardUnusableError
from card_core.kernel import Act, DangerousAct
from card_core.kernel.acts.batches import IssueChunk
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
from card_core.kernel.acts.life_events import DecideLifeEvent, ServeLifeEvent
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason, ReplaceCard
from card_core.life_events import LifeEvent
from card_core.loss_lapsing import LossLapser
from card_core.store import audit, cards
from card_core.store.schema import cards as cards_table

BEGIN = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ALIVE = ("not_activated", "normal", "temporary_loss", "formal_loss", "locked", "sealed")

# step -> state before -> state after, as domain people write it.
CARD_STEPS = {
    "activate": {"not_activated": "normal"},
    "lose": {"normal": "temporary_loss"},
    "find": {"temporary_loss": "normal"},
    "lose for good": dict.fromkeys(("normal", "temporary_loss", "locked"), "formal_loss"),
    "lock": {"normal": "locked"},
    "unlock": {"locked": "normal"},
    "seal": {"normal": "sealed"},
    "unseal": {"sealed": "normal"},
    "cancel": dict.fromkeys(ALIVE, "cancelled"),
}
ECARD_STEPS = {
    "activate": {"not_activated": "active"},
    "suspend": {"active": "suspended"},
    "resume": {"suspended": "active"},
    "cancel": dict.fromkeys(("not_activated", "active", "suspended"), "cancelled"),
}
INTO_USE = {
    "not_activated": "normal",
    "temporary_loss": "normal",
    "locked": "normal",
    "normal": "normal",
}
EVENTS = {
    LifeEvent.FLEXIBLE_WORK: INTO_USE,
    LifeEvent.RETIREMENT: INTO_USE,
    LifeEvent.LEFT_ARMY: {"sealed": "normal", "not_activated": "normal", "normal": "normal"},
    LifeEvent.DEATH: dict.fromkeys(ALIVE, "cancelled"),
}
NUMBERS = st.sampled_from(CardNumberKept)


class CardLife(RuleBasedStateMachine):
    """One person, from the first card on. `bureau` is set by the test."""

    bureau: ClassVar[Bureau]

    @initialize()
    def a_card_is_made(self) -> None:
        self.bureau.clock.now = BEGIN
        self.people = self.bureau.next_applications(1)
        self.ended: list[str] = []
        self.issue()
        self.set_policy(15, False, CardNumberKept.NEW, CardNumberKept.NEW)

    def issue(self) -> None:
        """A card from a roster of this one person."""
        imported = self.bureau.import_roster(self.people)
        self.bureau.approve(imported)
        self.bureau.perform(IssueChunk(imported["batch_id"], 1), self.bureau.maker)
        with self.bureau.store.read() as tx:
            (card,) = cards.page(tx, batch_id=imported["batch_id"])
        self.holder_id, self.card_id, self.number = card.holder_id, card.id, card.card_number
        self.state, self.ecard = "not_activated", "not_activated"
        self.lapses_at: datetime | None = None

    @rule()
    def the_person_applies_anew(self) -> None:
        if self.state == "cancelled":
            self.ended.append(self.card_id)
            self.issue()
            return
        answer = self.bureau.import_roster(self.people)
        assert [one["code"] for one in answer["refused"]] == ["has_live_card"]

    def do(self, act: Act) -> dict[str, Any] | str:
        """What came of it: the answer, or the error's code."""
        try:
            if isinstance(act, DangerousAct):
                if isinstance(act, SetCardPolicy):
                    return self.bureau.decide(act, self.bureau.administrator, self.bureau.security)
                return self.bureau.decide(act)
            actor = SYSTEM if isinstance(act, LapseTemporaryLoss) else self.bureau.maker
            return self.bureau.perform(act, actor)
        except CardCoreError as error:
            return error.code

    def move(self, act: Act, after: str | None, refusal: str = "wrong_state") -> bool:
        """Do it and compare: it leads to `after`, or is refused for the one reason."""
        outcome = self.do(act)
        if after is None:
            assert outcome == refusal, (act, self.state, outcome)
            return False
        assert not isinstance(outcome, str), (act, self.state, outcome)
        assert outcome["card_state"] == after
        if self.state != after or after == "temporary_loss":
            self.lapses_at = None
        self.state = after
        if after == "cancelled":
            self.ecard = "cancelled"
        return True

    @rule(days=st.sampled_from([5, 10, 15]), formal=st.booleans(), lost=NUMBERS, worn=NUMBERS)
    def set_policy(
        self, days: int, formal: bool, lost: CardNumberKept, worn: CardNumberKept
    ) -> None:
        assert not isinstance(self.do(SetCardPolicy(days, formal, lost, worn)), str)
        self.days, self.formal_may_go, self.on_lost, self.on_worn = days, formal, lost, worn

    @rule(step=st.sampled_from(sorted(CARD_STEPS)))
    def step_of_the_card(self, step: str) -> None:
        make: dict[str, Callable[[str], Act]] = {
            "activate": lambda one: ActivateCard(one, Evidence.IDENTITY_DOCUMENT),
            "lose": ReportTemporaryLoss,
            "find": WithdrawTemporaryLoss,
            "lose for good": ReportFormalLoss,
            "lock": LockCard,
            "unlock": lambda one: UnlockCard(one, Evidence.IDENTITY_DOCUMENT),
            "seal": lambda one: SealCard(one, SealReason.BY_ORDER),
            "unseal": UnsealCard,
            "cancel": lambda one: CancelCard(one, CancelReason.MOVED_AWAY),
        }
        after = CARD_STEPS[step].get(self.state)
        if self.move(make[step](self.card_id), after) and step == "lose":
            in_china = self.bureau.clock.now + timedelta(hours=8)
            midnight = in_china.replace(hour=0, minute=0, second=0, microsecond=0)
            self.lapses_at = midnight + timedelta(days=self.days + 1, hours=-8)

    @rule()
    def the_formal_loss_is_withdrawn(self) -> None:
        lost = self.state == "formal_loss"
        after = "normal" if lost and self.formal_may_go else None
        refusal = "not_by_policy" if lost else "wrong_state"
        self.move(WithdrawFormalLoss(self.card_id), after, refusal)

    @rule(hours=st.sampled_from([1, 20, 24, 5 * 24, 10 * 24]))
    def time_passes(self, hours: int) -> None:
        self.bureau.clock.advance(hours * 3600)

    @rule()
    def the_job_runs(self) -> None:
        LossLapser(self.bureau.kernel, clock=self.bureau.clock).round()
        if self.lapses_at is not None and self.bureau.clock.now >= self.lapses_at:
            self.state, self.lapses_at = "normal", None

    @rule()
    def somebody_lapses_the_loss(self) -> None:
        lost = self.state == "temporary_loss"
        due = self.lapses_at is not None and self.bureau.clock.now >= self.lapses_at
        refusal = "too_early" if lost else "wrong_state"
        self.move(LapseTemporaryLoss(self.card_id), "normal" if due else None, refusal)

    @rule(number=NUMBERS)
    def the_card_is_replaced(self, number: CardNumberKept) -> None:
        act = ReplaceCard(self.card_id, number)
        self.next_card(act, number, self.on_lost, may=self.state == "formal_loss")

    @rule(number=NUMBERS)
    def the_card_is_exchanged(self, number: CardNumberKept) -> None:
        act = ExchangeCard(self.card_id, ExchangeReason.OTHER, number)
        self.next_card(act, number, self.on_worn, may=self.state in {"normal", "locked"})

    def next_card(
        self, act: Act, number: CardNumberKept, policy: CardNumberKept, *, may: bool
    ) -> None:
        outcome = self.do(act)
        if not may:
            assert outcome == "wrong_state"
        elif number == "same" and policy == "new":
            assert outcome == "not_by_policy"
        else:
            assert not isinstance(outcome, str), outcome
            assert (outcome["new_card_number"] == self.number) == (number == "same")
            self.ended.append(self.card_id)
            self.card_id, self.number = outcome["new_card_id"], outcome["new_card_number"]
            self.state, self.ecard, self.lapses_at = "not_activated", "not_activated", None

    @rule(step=st.sampled_from(sorted(ECARD_STEPS)))
    def step_of_the_ecard(self, step: str) -> None:
        make: dict[str, Callable[[str], Act]] = {
            "activate": lambda one: ActivateECard(one, "pbkdf2-hmac-sm3$1$00$00"),
            "suspend": SuspendECard,
            "resume": ResumeECard,
            "cancel": CancelECard,
        }
        after = ECARD_STEPS[step].get(self.ecard)
        if (after == "active" and self.state != "normal") or self.state == "cancelled":
            after = None
        outcome = self.do(make[step](self.card_id))
        if after is None:
            assert outcome == "wrong_state", outcome
        else:
            assert not isinstance(outcome, str), outcome
            self.ecard = after

    @rule(event=st.sampled_from(sorted(EVENTS)))
    def something_happens_in_life(self, event: LifeEvent) -> None:
        is_decided = event in {LifeEvent.LEFT_ARMY, LifeEvent.DEATH}
        act: Act = (DecideLifeEvent if is_decided else ServeLifeEvent)(event, self.card_id)
        self.move(act, EVENTS[event].get(self.state))

    @rule()
    def a_code_is_shown(self) -> None:
        try:
            text = self.bureau.minter.mint(self.holder_id).text
        except CardUnusableError:
            shown = "unusable"
        else:
            shown = self.bureau.scan(text)["outcome"]
        usable = self.state == "normal" and self.ecard == "active"
        assert shown == ("accepted" if usable else "unusable")

    @invariant()
    def the_rows_say_what_the_model_says(self) -> None:
        if not hasattr(self, "ended"):
            return
        with self.bureau.store.read() as tx:
            statement = select(cards_table.c.id).where(cards_table.c.holder_id == self.holder_id)
            found = set(tx.connection.execute(statement).scalars())
            assert found == {self.card_id, *self.ended}
            card = cards.get(tx, self.card_id)
            assert card is not None
            ecard = cards.ecard_of(tx, self.card_id)
            assert (card.state, ecard.state) == (self.state, self.ecard)
            assert (card.card_number, card.loss_lapses_at) == (self.number, self.lapses_at)
            for card_id in self.ended:
                old = cards.get(tx, card_id)
                assert old is not None
                assert (old.state, cards.ecard_of(tx, card_id).state) == ("cancelled", "cancelled")


def test_the_kernel_and_the_model_of_a_cards_life_agree(bureau: Bureau) -> None:
    machine = type("CardLifeHere", (CardLife,), {"bureau": bureau})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            # To explain a failure takes minutes, and says little here.
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)
