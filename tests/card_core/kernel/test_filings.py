"""Applications one by one: who may apply for what, who checks it, and how it goes on."""

import threading
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

import pytest
from bureau import HOLDER_PASSWORD, Bureau, Person
from filing import (
    AT_ONCE,
    BATCH,
    REGISTER,
    accepted,
    child,
    file,
    filing,
    holder_id,
    newcomer,
    next_card,
    ward_of,
)
from holder_records import correction, merge_act
from sqlalchemy import select

from card_core.application import ApplicationKind
from card_core.application_errors import ApplicationRefusedError
from card_core.applying import RefusalReason, refusal
from card_core.card_policy import CardNumberKept
from card_core.errors import (
    AlreadyExistsError,
    CardCoreError,
    HolderRecordError,
    InvalidActError,
    NotAllowedError,
    NotFoundError,
    SamePersonError,
    WrongStateError,
)
from card_core.kernel import approvals
from card_core.kernel.act import DangerousAct, Scene
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.card_locks import LockCard
from card_core.kernel.acts.card_policies import SetCardPolicy
from card_core.kernel.acts.cards import (
    ActivateCard,
    ActivateECard,
    CancelCard,
    CancelReason,
    Evidence,
    ReportFormalLoss,
    ReportTemporaryLoss,
    WithdrawFormalLoss,
)
from card_core.kernel.acts.filings import (
    AcceptFiling,
    FileApplication,
    RefuseFiling,
    WithdrawFiling,
)
from card_core.kernel.acts.operators import ChangeRoles
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason
from card_core.kernel.acts.taking_in import BatchFilings
from card_core.kernel.applicants import as_known
from card_core.states import CARD, CardState, FilingState, MakingState, Step
from card_core.store import audit, cards, makings, schema
from card_core.store.approvals import Approval
from card_core.store.cards import Card
from card_core.store.operators import Role

NEW, REPLACEMENT, EXCHANGE = ApplicationKind


def lost(bureau: Bureau) -> Person:
    person = bureau.person()
    bureau.perform(ReportFormalLoss(person.card_id), bureau.maker)
    return person


def state_of(bureau: Bureau, card_id: str) -> CardState:
    with bureau.store.read() as tx:
        card = cards.get(tx, card_id)
    assert card is not None
    return card.state


def code_of(bureau: Bureau, person: Person, kind: ApplicationKind) -> str | None:
    """Why this person may not file for this; None if they may, and then it is withdrawn."""
    try:
        filed = file(bureau, next_card(bureau, person, kind), AT_ONCE)
    except ApplicationRefusedError as error:
        return error.code
    bureau.perform(WithdrawFiling(filed["filing_id"]), bureau.maker)
    return None


def issued(bureau: Bureau, batch_id: str) -> list[Card]:
    bureau.perform(IssueChunk(batch_id, 1), bureau.maker)
    with bureau.store.read() as tx:
        return cards.page(tx, batch_id=batch_id)


def test_from_the_window_to_an_accepted_scan(bureau: Bureau) -> None:
    application = newcomer()
    filed = file(bureau, application)
    assert filed["state"] == "accepted"  # the release of its batch is the second look
    assert holder_id(bureau, application) is None
    taken = bureau.perform(BatchFilings("窗口三月二日"), bureau.maker)
    assert (taken["accepted"], taken["refused"], taken["chunks"]) == (1, [], 1)
    assert filing(bureau, filed["filing_id"]).state is FilingState.TAKEN_IN
    assert filing(bureau, filed["filing_id"]).batch_id == taken["batch_id"]
    bureau.approve(taken)
    (card,) = issued(bureau, taken["batch_id"])
    with bureau.store.read() as tx:
        making = makings.get(tx, card.id)
    assert making is not None
    assert (making.state, making.branch) == (MakingState.AWAITING_BANK, application.branch)
    bureau.perform(ActivateCard(card.id, Evidence.IDENTITY_DOCUMENT), bureau.maker)
    bureau.perform(ActivateECard(card.id, bureau.hash(HOLDER_PASSWORD)), bureau.maker)
    assert bureau.scan(bureau.minter.mint(card.holder_id).text)["outcome"] == "accepted"
    with bureau.store.read() as tx:
        audit.verify_chain(tx, "bureau")
        audit.verify_rows(tx)


def test_who_may_apply_for_which_card(bureau: Bureau) -> None:
    normal, for_a_while, locked, gone = bureau.people(4)
    formal = lost(bureau)
    bureau.perform(ReportTemporaryLoss(for_a_while.card_id), bureau.maker)
    bureau.perform(LockCard(locked.card_id), bureau.maker)
    bureau.decide(CancelCard(gone.card_id, CancelReason.MOVED_AWAY))
    wanted = {
        normal: ("has_live_card", "not_lost", None),
        for_a_while: ("temporary_loss", "temporary_loss", "temporary_loss"),
        formal: ("formal_loss", None, "formal_loss"),
        locked: ("card_locked", "card_locked", None),
        gone: (None, "no_live_card", "no_live_card"),
    }
    for person, codes in wanted.items():
        assert tuple(code_of(bureau, person, kind) for kind in ApplicationKind) == codes


def test_the_rules_and_the_state_machine_say_the_same() -> None:
    for kind, step in ((REPLACEMENT, Step.REPLACE), (EXCHANGE, Step.EXCHANGE)):
        for state in CardState:
            assert (refusal(kind, state) is None) == (state in CARD[step]), (kind, state)
    assert [state for state in CardState if refusal(NEW, state) is None] == [CardState.CANCELLED]


def test_a_card_that_waits_to_be_collected_is_collected(bureau: Bureau) -> None:
    (card,) = bureau.issued_cards(1)
    with bureau.store.read() as tx:
        application = as_known(tx, card, NEW)
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, application)
    assert error.value.code == "card_not_collected"


def test_one_application_a_person_in_rosters_and_at_windows(bureau: Bureau) -> None:
    (in_roster,) = bureau.next_applications(1)
    bureau.import_roster((in_roster,))
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, in_roster)
    assert error.value.code == "has_open_application"
    alone = newcomer()
    filed = file(bureau, alone)
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, alone)
    assert error.value.code == "has_open_application"
    assert bureau.import_roster((alone,))["refused"] == [
        {"row": alone.row, "code": "has_open_application"}
    ]
    bureau.perform(WithdrawFiling(filed["filing_id"]), bureau.maker)
    assert bureau.import_roster((alone,))["accepted"] == 1


def test_of_windows_that_file_one_person_at_once_one_does(bureau: Bureau) -> None:
    application, start = newcomer(), threading.Barrier(4)

    def attempt(_: int) -> str:
        start.wait()
        try:
            return str(file(bureau, application)["state"])
        except ApplicationRefusedError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["accepted"] + ["has_open_application"] * 3


def test_another_name_than_in_the_holder_base_is_not_written_over(bureau: Bureau) -> None:
    person = lost(bureau)
    application = next_card(bureau, person, REPLACEMENT)._replace(name="别人")
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, application)
    assert error.value.code == "name_differs"


def test_what_another_person_checks(bureau: Bureau) -> None:
    guardian = bureau.person()
    assert file(bureau, newcomer(1), AT_ONCE)["state"] == "filed"
    shown = {"evidence": REGISTER, "reference": "户 440604-1"}
    assert file(bureau, child(guardian), **shown)["state"] == "filed"
    replacing = file(bureau, next_card(bureau, lost(bureau), REPLACEMENT))
    assert replacing["state"] == "filed"
    assert bureau.perform(BatchFilings("窗口"), bureau.maker)["batch_id"] is None
    with pytest.raises(NotAllowedError):
        bureau.perform(AcceptFiling(replacing["filing_id"]), bureau.maker)
    assert bureau.perform(AcceptFiling(replacing["filing_id"]), bureau.checker)["state"] == (
        "accepted"
    )
    with pytest.raises(WrongStateError):
        bureau.perform(AcceptFiling(replacing["filing_id"]), bureau.checker)


def test_a_child_comes_with_a_guardian_and_what_shows_it(bureau: Bureau) -> None:
    application = child(bureau.person())
    alone = application._replace(guardian_name=None, guardian_number=None)
    for wrong, shown in (
        (alone, {"evidence": REGISTER, "reference": "户 1"}),
        (application, {}),
        (application, {"evidence": REGISTER}),
    ):
        with pytest.raises(ApplicationRefusedError) as error:
            file(bureau, wrong, **shown)
        assert error.value.code == "guardian_missing"
    filed = file(bureau, application, evidence=REGISTER, reference="户 440604-1")
    found = filing(bureau, filed["filing_id"])
    assert (found.state, found.evidence) == (FilingState.FILED, REGISTER)


def test_a_holder_applies_for_the_own_card_and_for_a_child(bureau: Bureau) -> None:
    parent, other = bureau.people(2)
    filed = file(bureau, child(parent), BATCH, parent.actor)
    assert filed["state"] == "filed"
    with pytest.raises(NotAllowedError):
        file(bureau, child(other, 1), BATCH, parent.actor)
    with pytest.raises(NotAllowedError):
        file(bureau, next_card(bureau, other, EXCHANGE), AT_ONCE, parent.actor)
    with pytest.raises(NotAllowedError):
        file(bureau, newcomer(), BATCH, parent.actor)
    own = file(bureau, next_card(bureau, parent, EXCHANGE), AT_ONCE, parent.actor)
    # Whoever checks it has seen something, of a child what shows the guardian.
    with pytest.raises(InvalidActError):
        bureau.perform(AcceptFiling(own["filing_id"]), bureau.checker)
    with pytest.raises(ApplicationRefusedError):
        bureau.perform(AcceptFiling(filed["filing_id"], REGISTER), bureau.checker)
    done = bureau.perform(AcceptFiling(filed["filing_id"], REGISTER, "户 1"), bureau.checker)
    assert done["state"] == "accepted"
    # Nobody takes back what is another's.
    with pytest.raises(NotFoundError):
        bureau.perform(WithdrawFiling(filed["filing_id"]), other.actor)
    assert bureau.perform(WithdrawFiling(own["filing_id"]), parent.actor)["state"] == "withdrawn"


def test_whoever_says_to_be_a_guardian_learns_nothing_of_a_child(bureau: Bureau) -> None:
    """A child with a card, a number with another name, an application of the right guardian's: all
    are filed, as for a child whom nobody knows. What stands against one is told to whoever accepts
    it, before whom the documents lie."""
    guardian, stranger = bureau.people(2)
    ward_of(bureau, guardian)
    with_card = child(stranger)
    rightful = file(bureau, child(guardian, 1), BATCH, guardian.actor)
    bureau.perform(AcceptFiling(rightful["filing_id"], REGISTER, "户 1"), bureau.checker)
    other = bureau.person()
    for asked, by, code in (
        (with_card, stranger, "has_live_card"),
        (child(other)._replace(name="别人"), other, "name_differs"),
        (child(stranger, 1), stranger, "has_open_application"),
    ):
        filed = file(bureau, asked, BATCH, by.actor)
        assert filed["state"] == "filed"
        with pytest.raises(ApplicationRefusedError) as error:
            bureau.perform(AcceptFiling(filed["filing_id"], REGISTER, "户 1"), bureau.checker)
        assert error.value.code == code
        bureau.perform(
            RefuseFiling(filed["filing_id"], RefusalReason.NOT_THE_GUARDIAN), bureau.checker
        )
    # At the window the reason is told.
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, with_card, evidence=REGISTER, reference="户 1")
    assert error.value.code == "has_live_card"


def test_a_holder_has_a_few_open_applications_at_most(bureau: Bureau) -> None:
    parent = bureau.person()
    for serial in range(5):
        file(bureau, child(parent, serial), BATCH, parent.actor)
    with pytest.raises(InvalidActError):
        file(bureau, child(parent, 5), BATCH, parent.actor)


def test_one_that_is_refused_may_apply_again(bureau: Bureau) -> None:
    filed = file(bureau, newcomer(), AT_ONCE)
    act = RefuseFiling(filed["filing_id"], RefusalReason.DATA_WRONG)
    assert bureau.perform(act, bureau.checker)["state"] == "refused"
    assert filing(bureau, filed["filing_id"]).refusal == "data_wrong"
    assert file(bureau, newcomer(), AT_ONCE)["state"] == "filed"


def test_a_replacement_by_batch_ends_the_lost_card(bureau: Bureau) -> None:
    person = lost(bureau)
    accepted(bureau, next_card(bureau, person, REPLACEMENT), BATCH)
    taken = bureau.perform(BatchFilings("补卡"), bureau.maker)
    assert state_of(bureau, person.card_id) is CardState.CANCELLED
    bureau.approve(taken)
    (card,) = issued(bureau, taken["batch_id"])
    assert card.holder_id == person.holder_id
    assert card.state is CardState.NOT_ACTIVATED


def test_one_whose_card_was_found_meanwhile_is_left_out(bureau: Bureau) -> None:
    policy = SetCardPolicy(15, True, CardNumberKept.NEW, CardNumberKept.NEW)
    bureau.decide(policy, bureau.administrator, bureau.security)
    person = lost(bureau)
    filing_id = accepted(bureau, next_card(bureau, person, REPLACEMENT), BATCH)
    file(bureau, newcomer())
    bureau.decide(WithdrawFormalLoss(person.card_id))
    taken = bureau.perform(BatchFilings("窗口"), bureau.maker)
    assert (taken["accepted"], taken["refused"]) == (1, [{"row": 1, "code": "not_lost"}])
    assert state_of(bureau, person.card_id) is CardState.NORMAL
    assert filing(bureau, filing_id).state is FilingState.REFUSED


def test_an_exchange_by_batch_is_refused(bureau: Bureau) -> None:
    with pytest.raises(ApplicationRefusedError) as error:
        file(bureau, next_card(bureau, bureau.person(), EXCHANGE), BATCH)
    assert error.value.code == "exchange_at_once"


def test_nobody_accepts_what_they_entered(bureau: Bureau) -> None:
    filed = file(bureau, newcomer(), AT_ONCE)
    both = ChangeRoles("maker", frozenset({Role.MAKER, Role.CHECKER}))
    bureau.decide(both, bureau.administrator, bureau.security)
    with pytest.raises(SamePersonError):
        bureau.perform(AcceptFiling(filed["filing_id"]), bureau.maker)


def test_the_log_has_no_personal_data(bureau: Bureau) -> None:
    application = child(bureau.person())
    filed = file(bureau, application, evidence=REGISTER, reference="户口簿 440604-777")
    bureau.perform(AcceptFiling(filed["filing_id"]), bureau.checker)
    with bureau.store.read() as tx:
        payloads = "".join(tx.connection.execute(select(schema.outbox.c.payload)).scalars())
        row = tx.connection.execute(select(schema.filings)).one()
    for secret in (application.name, application.number.text, "440604-777"):
        assert secret not in payloads
        assert secret.encode() not in row.content + row.evidence_reference


def test_a_retry_files_nothing_twice(bureau: Bureau) -> None:
    act = FileApplication(newcomer(), BATCH, REGISTER)
    first = bureau.perform(act, bureau.maker, "the-key")
    assert bureau.perform(act, bureau.maker, "the-key") == first
    other = FileApplication(newcomer(1), BATCH, REGISTER)
    with pytest.raises(CardCoreError):
        bureau.perform(other, bureau.maker, "the-key")


def test_nobodys_number_changes_and_no_record_goes_while_an_application_is_open(
    bureau: Bureau,
) -> None:
    person, other = bureau.people(2)
    filed = file(bureau, next_card(bureau, person, EXCHANGE), AT_ONCE)
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(correction(bureau, person.holder_id, serial=7_654_321))
    assert error.value.code == "application_open"
    bureau.decide(CancelCard(person.card_id, CancelReason.MADE_IN_ERROR))
    with pytest.raises(HolderRecordError) as error:
        bureau.decide(merge_act(bureau, other.holder_id, person.holder_id))
    assert error.value.code == "application_open"
    # And it goes on no more, since there is no card to exchange.
    with pytest.raises(ApplicationRefusedError) as refused:
        bureau.perform(AcceptFiling(filed["filing_id"]), bureau.checker)
    assert refused.value.code == "no_live_card"


def test_a_counter_that_exchanges_a_card_knows_of_an_open_application(bureau: Bureau) -> None:
    person = bureau.person()
    file(bureau, next_card(bureau, person, EXCHANGE), AT_ONCE)
    with pytest.raises(AlreadyExistsError):
        bureau.decide(ExchangeCard(person.card_id, ExchangeReason.DAMAGED, CardNumberKept.NEW))
    assert state_of(bureau, person.card_id) is CardState.NORMAL


def test_a_roster_and_a_window_that_meet_leave_one_application(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The roster's rows are stored and not committed when the window asks."""
    application, stored, goes_on = newcomer(), threading.Event(), threading.Event()
    propose = approvals.propose

    def wait(scene: Scene, act: DangerousAct) -> Approval:
        stored.set()
        assert goes_on.wait(30)
        return propose(scene, act)

    monkeypatch.setattr(approvals, "propose", wait)
    with ThreadPoolExecutor(2) as pool:
        roster = pool.submit(bureau.import_roster, (application,))
        assert stored.wait(30)
        window = pool.submit(file, bureau, application)
        # It is done at once where nothing keeps it waiting.
        futures.wait([window], timeout=1)
        goes_on.set()
        assert roster.result()["accepted"] == 1
        with pytest.raises(ApplicationRefusedError) as error:
            window.result()
    assert error.value.code == "has_open_application"
