"""The real command, killed with SIGKILL while it issues, and run again: nothing lost or doubled."""

import os
import signal
import subprocess

from office import ROSTERS, SSCARD, Office

from card_core.states import BatchState, CardState
from card_core.store import Reader, audit, batches, cards
from issuance.installation import Installation

CARDS_LEAST = 1500  # three chunks and more


def run_until(
    office: Office, mark: str, *arguments: str, send: int = signal.SIGKILL
) -> tuple[int, str]:
    """Start the command and end it as soon as `mark` is shown; its exit code, what it said."""
    process = subprocess.Popen(
        [SSCARD, *arguments],
        env={**os.environ, **office.environment, "SSCARD_OPERATOR": "wang"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        said = ""
        for line in process.stderr or ():
            said += line
            if mark in line:
                process.send_signal(send)
                break
        rest = process.stderr.read() if process.stderr else ""
    return process.returncode, said + rest


def all_cards(tx: Reader, batch_id: str) -> list[cards.Card]:
    found, after = [], ""
    while page := cards.page(tx, batch_id=batch_id, after=after):
        found += page
        after = page[-1].id
    return found


def test_killed_while_issuing_and_run_again_each_person_has_one_card(
    office: Office, site: Installation
) -> None:
    office.done("roster", "import", str(ROSTERS / "foshan-2000.csv"), operator="wang")
    office.done("batch", "approve", "foshan-2000", "--yes", operator="li")
    with site.store.read() as tx:
        batch = batches.page(tx)[0]
        ledger = batches.chunks(tx, batch.id)
    assert batch.accepted >= CARDS_LEAST
    # each run dies at the next number that is shown, with the chunk behind it under way and
    # another one to come
    marks = [sum(chunk.size for chunk in ledger[:count]) for count in range(len(ledger) - 1)]
    for mark in marks:
        code, said = run_until(office, f" {mark}/{batch.accepted}", "batch", "issue", batch.id)
        assert code == -signal.SIGKILL, said
        with site.store.read() as tx:
            issued = sum(chunk.size for chunk in batches.chunks(tx, batch.id) if chunk.is_issued)
            assert len(all_cards(tx, batch.id)) == issued
        assert mark <= issued < batch.accepted
    office.done("batch", "issue", batch.id, operator="wang")

    with site.store.read() as tx:
        made = all_cards(tx, batch.id)
        after = batches.get(tx, batch.id)
        for chain in audit.CHAINS:
            audit.verify_chain(tx, chain)
        audit.verify_rows(tx)
    serials = sorted(int(card.card_number[2:]) for card in made)
    assert serials == list(range(1, batch.accepted + 1))
    assert len({card.holder_id for card in made}) == batch.accepted
    assert {card.state for card in made} == {CardState.NOT_ACTIVATED}
    assert after is not None
    assert (after.state, after.issued) == (BatchState.ISSUED, batch.accepted)


def test_killed_while_importing_there_is_a_whole_batch_or_none(
    office: Office, site: Installation
) -> None:
    roster = str(ROSTERS / "foshan-2000.csv")
    for mark in ("Importing 1000/", "Importing 2000/"):
        code, said = run_until(office, mark, "roster", "import", roster)
        assert code == -signal.SIGKILL, said
        with site.store.read() as tx:
            for batch in batches.page(tx):
                sizes = [chunk.size for chunk in batches.chunks(tx, batch.id)]
                assert sum(sizes) == batch.accepted >= CARDS_LEAST
    again = office.run("roster", "import", roster, operator="wang")
    with site.store.read() as tx:
        (batch,) = batches.page(tx)
        assert batches.not_whole(tx) == []
        assert sum(chunk.size for chunk in batches.chunks(tx, batch.id)) == batch.accepted
        audit.verify_rows(tx)
    # Where the last one that was killed had come to its end, everybody is applying already.
    assert (again.exit_code == 0) is (batch.id in again.stdout), again.output
    assert batch.accepted >= CARDS_LEAST
    office.done("batch", "approve", batch.id, "--yes", operator="li")


def test_interrupted_while_issuing_it_says_so_and_goes_on_when_run_again(office: Office) -> None:
    office.done("roster", "import", str(ROSTERS / "foshan-2000.csv"), operator="wang")
    office.done("batch", "approve", "foshan-2000", "--yes", operator="li")
    command = ("batch", "issue", "foshan-2000")
    code, said = run_until(office, " 500/", *command, send=signal.SIGINT)
    assert code == 130, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    again = office.run(*command, operator="wang")
    assert again.exit_code == 0, again.output
    assert " 0/" not in again.stderr
