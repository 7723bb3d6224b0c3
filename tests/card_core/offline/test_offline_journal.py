"""The terminal's own memory on disk: killed anywhere, it has what it has said."""

import os
import subprocess
import sys
from pathlib import Path

import killed_terminal
import pytest
from killed_terminal import AT, KEY, SECRET, name_of, record

from card_core.bundles import OfflinePolicy
from card_core.store.terminal_journal import (
    CapReachedError,
    Journal,
    KeptTime,
    Seen,
    SeenBeforeError,
)
from crypto import sm4


def opened(path: Path) -> Journal:
    return Journal(path, SECRET, KEY.sign)


def killed_after(path: Path, first: int, accepted: int) -> list[int]:
    """What a process said that it accepted, before it was killed with the next under way."""
    command = [sys.executable, killed_terminal.__file__, str(path), str(first)]
    environment = {**os.environ, "PYTHONPATH": str(Path(killed_terminal.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(accepted)]
        process.kill()
        said += [int(line) for line in process.stdout.read().split()]
    return said


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
def test_killed_anywhere_it_remembers_all_that_it_accepted(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "journal.db"
    said: list[int] = []
    first = 0
    for kill in range(kills):
        said += killed_after(path, first, 1 + kill % 7)
        first = said[-1] + 1
        with_one_more = opened(path)
        kept = {one.record.request_id for one in with_one_more.pending(10_000)}
        assert {f"r{number}" for number in said} <= kept
        # The one that was under way may be there or not; the next process goes on behind it.
        first += f"r{first}" in kept
        with_one_more.close()
    journal = opened(path)
    records = journal.pending(10_000)
    assert [one.record.sequence for one in records] == list(range(1, len(records) + 1))
    for one in records:
        KEY.public_key().verify(one.signature, one.record.to_be_signed())
    for number in said:
        with pytest.raises(SeenBeforeError) as seen:
            journal.accept(
                name_of(number),
                make=lambda sequence: record(10**6, sequence),
                credential=None,
                policy=None,
            )
        assert seen.value.seen is Seen.TAKEN
    assert journal.pending(10_000) == records


def test_a_power_cut_loses_nothing_either(tmp_path: Path) -> None:
    journal = opened(tmp_path / "journal.db")
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_caps_count_each_credential_by_itself(tmp_path: Path) -> None:
    journal = opened(tmp_path / "journal.db")
    policy = OfflinePolicy(consumes=True, count_max=2, amount_fen_max=0)

    def take(number: int, credential: bytes) -> None:
        journal.accept(
            name_of(number),
            make=lambda sequence: record(number, sequence),
            credential=credential,
            policy=policy,
        )

    take(1, b"one")
    take(2, b"one")
    with pytest.raises(CapReachedError):
        take(3, b"one")
    take(4, b"other")
    journal.note_outcomes({"r1": "confirmed"})
    take(3, b"one")
    with pytest.raises(CapReachedError):
        take(5, b"one")


def test_a_number_is_not_given_again_and_nothing_unsent_is_forgotten(tmp_path: Path) -> None:
    journal = opened(tmp_path / "journal.db")
    for number in range(3):
        journal.accept(
            name_of(number),
            make=lambda sequence, number=number: record(number, sequence),  # type: ignore[misc]
            credential=None,
            policy=None,
        )
    journal.note_outcomes({"r2": "confirmed", "r1": "double"})
    journal.drop_old(AT.timestamp() + 30 * 86_400)
    assert [one.record.request_id for one in journal.pending(10)] == ["r0"]
    made = journal.accept(
        name_of(9), make=lambda sequence: record(9, sequence), credential=None, policy=None
    )
    assert made.record.sequence == 4


def test_another_key_reads_nothing_of_it(tmp_path: Path) -> None:
    journal = opened(tmp_path / "journal.db")
    journal.accept(
        name_of(1), make=lambda sequence: record(1, sequence), credential=None, policy=None
    )
    journal.keep_time(KeptTime(-74.5, 1_772_416_800.25))
    journal.close()
    stranger = Journal(tmp_path / "journal.db", bytes(48), KEY.sign)
    with pytest.raises(sm4.DecryptionError):
        stranger.pending(1)
    assert opened(tmp_path / "journal.db").kept_time() == KeptTime(-74.5, 1_772_416_800.25)
