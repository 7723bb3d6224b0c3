"""What is ended takes effect everywhere: institutions, terminals and cards on four real workers."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from installation import Installation, Person, connections_to_each
from outside import PATIENCE_SECONDS, Connection, Holder, Terminal
from racing import Line
from running_service import until

from card_core.kernel.acts.cards import WithdrawTemporaryLoss
from card_core.kernel.acts.institutions import DesignateInstitution
from issuance.batches import new_request_id

SUSPENDED_SECONDS_MAX = 1.0
WATCHED_SECONDS = 1.5
PAUSE_SECONDS = 0.01


@pytest.fixture
def clinic(town: Installation) -> Terminal:
    """A terminal of a hospital of its own."""
    code = f"H440604{int.from_bytes(os.urandom(4)) % 90000 + 10000}"
    town.decide(DesignateInstitution(code, "门诊部", "hospital", "440604"))
    return town.terminal(code)


def last_served(
    terminal: Terminal, connections: list[Connection], command: Callable[[], object]
) -> list[float]:
    """For each connection when its last good answer came, in seconds from the command's return."""
    returned = threading.Event()
    times: list[float] = []

    def poll(connection: Connection) -> tuple[float, str]:
        served = 0.0
        while True:
            over = returned.is_set() and time.monotonic() > times[0] + WATCHED_SECONDS
            answer = terminal.ask("GET", "/v1/terminal", by=connection)
            if answer.status == 200:
                served = time.monotonic()
            if over:
                return served, answer.word if answer.status != 200 else "served"
            threading.Event().wait(PAUSE_SECONDS)

    with ThreadPoolExecutor(len(connections)) as threads:
        polling = [threads.submit(poll, one) for one in connections]
        try:
            command()
        finally:
            times.append(time.monotonic())
            returned.set()
        found = [one.result() for one in polling]
    assert "served" not in {word for _, word in found}, found
    assert all(served > 0 for served, _ in found), "a worker never served before"
    return [served - times[0] for served, _ in found]


@pytest.mark.alone
@pytest.mark.parametrize("what", ["institution", "terminal"])
def test_a_suspension_is_in_force_on_every_worker_within_a_second(
    town: Installation, clinic: Terminal, what: str
) -> None:
    connections = [one for (one,) in connections_to_each(town.service)]
    # A terminal that was enrolled just now is known to each worker within a second.
    for connection in connections:
        assert until(partial(is_served, clinic, connection), PATIENCE_SECONDS)
    code = clinic.ask("GET", "/v1/terminal").body["institution_code"]
    named = {"institution": code, "terminal": clinic.serial}[what]
    holder = town.sign_in(town.person())
    assert clinic.scan(holder.code(), by=connections[0]).word == "accepted"
    found = last_served(
        clinic, connections, lambda: town.command(what, "suspend", named, operator="maker")
    )
    print(f"{what}: last served after the command's return, s:", [round(one, 3) for one in found])
    assert max(found) < SUSPENDED_SECONDS_MAX, found
    unspent = holder.code()
    for connection in connections:
        # A worker that a busy machine kept from reading says 503 meanwhile, and no yes.
        refused = partial(is_refused, clinic, unspent, connection, f"{what}_suspended")
        assert until(refused, PATIENCE_SECONDS)
    # It spent nothing: another institution takes the code.
    assert town.hospital.scan(unspent).word == "accepted"


def is_served(terminal: Terminal, by: Connection) -> bool:
    return terminal.ask("GET", "/v1/terminal", by=by).status == 200


def is_refused(terminal: Terminal, code: str, by: Connection, word: str) -> bool:
    answer = terminal.scan(code, by=by)
    assert answer.status in {403, 503}, answer
    return answer.word == word


def lose_and_scan(
    town: Installation, person: Person, holder: Holder, lines: list[Line]
) -> Counter[str]:
    """Report the loss at one worker; on its answer scan fresh codes on all of them at once."""
    requests = []
    for at, line in enumerate(lines):
        truth: dict[str, Any] = {"purpose_class": ["any_use", "identify_only"][at % 2]}
        requests.append(line.request(code=holder.code(**truth), business_type="01101"))
    reported = holder.report_loss()
    for line, request in zip(lines, requests, strict=True):
        line.write(request)
    assert reported.status == 200, reported
    found = Counter(line.read() for line in lines)
    ground = town.ground
    ground.site.kernel.perform(
        WithdrawTemporaryLoss(person.card_id),
        actor=ground.staff["maker"],
        request_id=new_request_id(),
    )
    return found


def check_losses(town: Installation, reports: int) -> None:
    person = town.person()
    holder = town.sign_in(person)
    answers: Counter[str] = Counter()
    # Two lines to each worker: one for each truth.
    lines = [
        Line(town.hospital, one) for two in connections_to_each(town.service, 2) for one in two
    ]
    for _ in range(reports):
        # What each worker and the fast store remember of the card is good, and fresh.
        warm = [
            line.request(code=holder.code(purpose_class="identify_only"), business_type="01101")
            for line in lines[::2]
        ]
        for line, request in zip(lines[::2], warm, strict=True):
            line.write(request)
        warmed = Counter(line.read() for line in lines[::2])
        assert warmed["card_lost"] == 0, warmed
        answers += lose_and_scan(town, person, holder, lines)
    for line in lines:
        line.close()
    print(f"scans after the answer of a report of loss: {dict(answers)}")
    assert answers["accepted"] == 0
    assert set(answers) <= {"card_lost", "show_new_code"}, answers
    assert answers["card_lost"] > reports * len(lines) / 2


def test_from_the_answer_to_a_report_of_loss_on_no_worker_accepts(town: Installation) -> None:
    check_losses(town, 13)


@pytest.mark.long
def test_in_ten_thousand_scans_after_a_report_of_loss_none_is_accepted(town: Installation) -> None:
    check_losses(town, 1250)
