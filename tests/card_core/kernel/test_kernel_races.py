"""Many at once: a code is accepted once, and a loss that was answered is final."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
from bureau import Bureau, Person

from card_core.errors import CardCoreError, NotAllowedError, WrongStateError
from card_core.kernel import Actor, ActorKind, Answer
from card_core.kernel.acts.cards import ReportTemporaryLoss, WithdrawTemporaryLoss
from card_core.kernel.acts.institutions import SuspendInstitution, SuspendTerminal
from card_core.kernel.acts.operators import AddOperator, NewOperator, SuspendOperator
from card_core.kernel.scan_requests import ScanRequest
from card_core.store import audit, cards, scans
from card_core.store.institutions import Terminal
from card_core.store.operators import Role
from card_core.verdicts import Reason

THREADS = 64
PATIENCE_SECONDS = 60  # longer means that whoever should come has failed


def scan_together(bureau: Bureau, texts: list[str], threads: int = THREADS) -> list[Counter[str]]:
    """Each text by `threads` at once, half at the hospital and half at the pharmacy."""
    places = (bureau.hospital, "01101"), (bureau.pharmacy, "02121")
    requests = {
        (text, terminal.id): bureau.scan_request(text, terminal, business_type)
        for text in texts
        for terminal, business_type in places
    }
    start = threading.Barrier(threads)

    def scan(number: int) -> list[str]:
        terminal: Terminal = places[number % 2][0]
        start.wait()
        return [reason(requests[text, terminal.id]) for text in texts]

    def reason(request: ScanRequest) -> str:
        own = replace(request, request_id=bureau.request_id())
        return str(bureau.record(own)["reason"])

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(scan, range(threads)))
    return [Counter(column) for column in zip(*outcomes, strict=True)]


def test_of_64_scans_at_two_institutions_one_is_accepted(bureau: Bureau) -> None:
    people = bureau.people(4)
    texts = [bureau.minter.mint(person.holder_id).text for person in people]
    for counted in scan_together(bureau, texts):
        assert counted == {Reason.ACCEPTED: 1, Reason.ALREADY_USED: THREADS - 1}
    with bureau.store.read() as tx:
        for person in people:
            recorded = Counter(scan.reason for scan in scans.of_holder(tx, person.holder_id))
            assert recorded == {Reason.ACCEPTED: 1, Reason.ALREADY_USED: THREADS - 1}
        assert audit.verify_chain(tx, "scan") == THREADS * len(people)


@pytest.mark.long
def test_of_64_scans_of_250_codes_one_each_is_accepted(bureau: Bureau) -> None:
    people = bureau.people(8)
    texts = [bureau.minter.mint(people[n % 8].holder_id).text for n in range(250)]
    for counted in scan_together(bureau, texts):
        assert counted == {Reason.ACCEPTED: 1, Reason.ALREADY_USED: THREADS - 1}


def test_after_a_loss_is_answered_no_code_is_accepted(bureau: Bureau) -> None:
    person = bureau.person()
    scanners = 8
    # Each scanner goes on until it has scanned three codes that were begun after the loss.
    requests = [
        [bureau.scan_request(bureau.minter.mint(person.holder_id).text) for _ in range(40)]
        for _ in range(scanners)
    ]
    some_scanned, reported = threading.Semaphore(0), threading.Event()

    def scan(own: list[ScanRequest]) -> list[tuple[bool, str]]:
        seen: list[tuple[bool, str]] = []
        for request in own:
            after = reported.is_set()
            answer = bureau.record(request)
            seen.append((after, answer["reason"]))
            some_scanned.release()
            if sum(late for late, _ in seen) == 3:
                break
        return seen

    def report() -> None:
        for _ in range(scanners):
            assert some_scanned.acquire(timeout=PATIENCE_SECONDS)
        bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
        reported.set()

    with ThreadPoolExecutor(scanners + 1) as pool:
        reporting = pool.submit(report)
        seen = [outcome for outcomes in pool.map(scan, requests) for outcome in outcomes]
        reporting.result()
    late = [reason for after, reason in seen if after]
    assert len(late) == 3 * scanners
    assert set(late) == {Reason.CARD_LOST}
    assert {reason for after, reason in seen if not after} >= {Reason.ACCEPTED}


def test_a_busy_terminal_can_be_suspended(bureau: Bureau) -> None:
    people = bureau.people(8)
    scanned, suspended = threading.Semaphore(0), threading.Event()

    def scan_on(person: Person) -> int:
        count = 0
        while not suspended.is_set():
            try:
                bureau.scan(bureau.minter.mint(person.holder_id).text)
            except NotAllowedError:
                return count
            count += 1
            scanned.release()
        return count

    def suspend() -> None:
        try:
            for _ in people:
                assert scanned.acquire(timeout=PATIENCE_SECONDS)
            bureau.perform(SuspendTerminal(bureau.hospital.serial_number), bureau.maker)
        finally:
            suspended.set()

    with ThreadPoolExecutor(len(people) + 1) as pool:
        suspending = pool.submit(suspend)
        counts = list(pool.map(scan_on, people))
        suspending.result()
    with pytest.raises(NotAllowedError):
        bureau.scan(bureau.minter.mint(people[0].holder_id).text)
    assert sum(counts) >= len(people)


class Paused:
    """Stops the first act that gets as far as its audit event, until it is told to go on.

    By then it has read all it decides by and written all it changes, and has not committed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        append, first = audit.append, iter([True])

        def pause(*arguments: Any) -> int:
            if next(first, False):
                self.reached.set()
                self.go_on.wait(timeout=30)
            return append(*arguments)

        monkeypatch.setattr(audit, "append", pause)


def finish_in_order(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], Answer], then: Callable[[], Answer]
) -> list[str]:
    """Stop `first` before its commit, start `then`, and say in which order they came through:
    `then` comes before the other one only where it did not wait for its commit."""
    paused = Paused(monkeypatch)

    def run(name: str, act: Callable[[], Answer]) -> str:
        try:
            answer = act()
        except CardCoreError as error:
            return f"{name}: {error.code}"
        return f"{name}: {answer.get('reason') or 'done'}"

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(run, "first", first)
        paused.reached.wait(timeout=30)
        waiting = pool.submit(run, "then", then)
        # Without the lock it comes through at once; with it, this is the only wait there is.
        wait([waiting], timeout=0.3)
        order = [waiting, running] if waiting.done() else [running, waiting]
        paused.go_on.set()
        return [one.result() for one in order]


def test_a_loss_waits_for_the_scan_that_saw_the_card_in_use(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    text = bureau.minter.mint(person.holder_id).text
    loss = ReportTemporaryLoss(person.card_id)
    order = finish_in_order(
        monkeypatch, lambda: bureau.scan(text), lambda: bureau.perform(loss, person.actor)
    )
    assert order == ["first: accepted", "then: done"]


@pytest.mark.parametrize("stops", ["terminal", "institution"])
def test_a_suspension_waits_for_the_scan_that_saw_the_terminal_at_work(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, stops: str
) -> None:
    text = bureau.minter.mint(bureau.person().holder_id).text
    act = (
        SuspendTerminal(bureau.hospital.serial_number)
        if stops == "terminal"
        else SuspendInstitution("H44060400001")
    )
    order = finish_in_order(
        monkeypatch, lambda: bureau.scan(text), lambda: bureau.perform(act, bureau.maker)
    )
    assert order == ["first: accepted", "then: done"]


def test_a_suspension_waits_for_the_act_that_saw_the_operator_active(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = bureau.person()
    proposed = bureau.kernel.propose(
        SuspendOperator("maker"), actor=bureau.administrator, request_id="suspend"
    )
    loss = ReportTemporaryLoss(person.card_id)
    order = finish_in_order(
        monkeypatch,
        lambda: bureau.perform(loss, bureau.maker),
        lambda: bureau.approve(proposed, bureau.security),
    )
    assert order == ["first: done", "then: done"]


def test_of_two_suspensions_at_once_the_second_sees_who_is_left(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second would suspend its own approver, and leave nobody who approves."""
    new = NewOperator("second", "second", frozenset({Role.SECURITY}), bureau.hash("x"))
    added = bureau.decide(AddOperator(new), bureau.administrator, bureau.security)
    second = Actor(ActorKind.OPERATOR, added["operator_id"])
    first = bureau.kernel.propose(
        SuspendOperator("security"), actor=bureau.administrator, request_id="first"
    )
    then = bureau.kernel.propose(SuspendOperator("second"), actor=bureau.deputy, request_id="then")
    order = finish_in_order(
        monkeypatch,
        lambda: bureau.approve(first, second),
        lambda: bureau.approve(then, second),
    )
    assert order == ["first: done", "then: invalid_act"]


def test_of_losses_and_withdrawals_at_once_each_step_is_taken_once(bureau: Bureau) -> None:
    person = bureau.person()

    def alternate(number: int) -> str:
        act = ReportTemporaryLoss if number % 2 == 0 else WithdrawTemporaryLoss
        try:
            return str(bureau.perform(act(person.card_id), person.actor)["card_state"])
        except WrongStateError:
            return "refused"

    with ThreadPoolExecutor(16) as pool:
        outcomes = Counter(pool.map(alternate, range(64)))
    lost, found = outcomes["temporary_loss"], outcomes["normal"]
    assert lost >= 1
    assert lost - found in {0, 1}
    assert states_noted(bureau, person) == lost + found


def states_noted(bureau: Bureau, person: Person) -> int:
    """How many changes of the card the version of its row tells of, its activation aside."""
    with bureau.store.read() as tx:
        card = cards.get(tx, person.card_id)
    assert card is not None
    return card.version - 2
