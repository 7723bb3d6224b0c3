"""Importing a roster: in one pass, in bounded memory, whole or not at all, and undone."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from office import ROSTERS, Office, refused
from sqlalchemy import func, select
from test_batches import TODAY, operator

from benchmarks.bench_issuance.people import write_roster
from card_core.errors import ImportUnderWayError, StoreBusyError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts import imports
from card_core.kernel.acts.imports import CloseImport, DropImport, ImportRows, OpenImport
from card_core.kernel.acts.operators import AddOperator, NewOperator
from card_core.states import BatchState
from card_core.store import batches, schema
from card_core.store.operators import Role
from issuance.batches import new_request_id as rid
from issuance.importing import Import, Imported, opened_import
from issuance.installation import Installation
from issuance.roster import RosterFileError, check_roster

LARGE = ROSTERS / "foshan-2000.csv"
MIB = 1024
# The command line, which leaves behind what Linux says of its process. The most memory by wait4
# would be that of the process that it was forked from.
AND_ITS_STATUS = """
import atexit, pathlib, sys
status = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: status.write_text(pathlib.Path("/proc/self/status").read_text()))
from issuance.cli import main
main()
"""


def import_it(site: Installation, path: Path = LARGE, actor: Actor | None = None) -> Imported:
    with opened_import(
        site.kernel, name="foshan", actor=actor or operator(site, "wang")
    ) as importing:
        return importing.close(importing.take_file(path, today=TODAY))


def begun(site: Installation, actor: Actor, path: Path = LARGE) -> Import:
    """An import that stored a portion, and whose process was then killed."""
    found = check_roster(path, today=TODAY)
    importing = Import(site.kernel, "foshan", actor)
    act = OpenImport("foshan", bytes.fromhex(found.digest_hex))
    importing.batch_id = site.kernel.perform(act, actor=actor, request_id=rid())["batch_id"]
    rows = ImportRows(str(importing.batch_id), found.applications[:700])
    site.kernel.perform(rows, actor=actor, request_id=rid())
    return importing


def stored(site: Installation) -> int:
    with site.store.read() as tx:
        statement = select(func.count()).select_from(schema.applications)
        return int(tx.connection.execute(statement).scalar_one())


def second_maker(site: Installation) -> Actor:
    person = NewOperator("zhao", "赵敏", frozenset({Role.MAKER}), "$x$1$00$00")
    admin = operator(site, "admin")
    proposed = site.kernel.propose(AddOperator(person), actor=admin, request_id=rid())
    content = {"content_hash": proposed["content_hash"], "request_id": rid()}
    site.kernel.approve(proposed["approval_id"], actor=operator(site, "security"), **content)
    return operator(site, "zhao")


def test_a_file_that_streams_in_makes_the_batch_that_it_would_have_made_whole(
    site: Installation,
) -> None:
    report = check_roster(LARGE, today=TODAY)
    imported = import_it(site)
    assert imported.accepted == len(report.applications) == stored(site)
    assert imported.refused == {}
    with site.store.read() as tx:
        (batch,) = batches.page(tx)
        ledger = batches.chunks(tx, batch.id)
    assert (batch.accepted, batch.refused) == (len(report.accepted), len(report.refused))
    assert [chunk.size for chunk in ledger[:-1]] == [500] * (len(ledger) - 1)
    assert batch.file_digest.hex() == report.digest_hex


def test_a_file_that_breaks_off_leaves_nothing(site: Installation, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(LARGE.read_bytes() + b'\r\n"never closed')
    with pytest.raises(RosterFileError):
        import_it(site, broken)
    assert stored(site) == 0
    with site.store.read() as tx:
        assert (batches.page(tx), batches.not_whole(tx)) == ([], [])
    assert import_it(site).accepted


def test_an_import_that_is_interrupted_takes_back_what_it_stored(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = Kernel.perform

    def interrupted(kernel: Kernel, act: object, **how: object) -> object:
        if isinstance(act, CloseImport):
            raise KeyboardInterrupt
        return perform(kernel, act, **how)  # type: ignore[arg-type]  # of the call that it stands for

    monkeypatch.setattr(Kernel, "perform", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_it(site)
    assert stored(site) == 0


def test_an_error_is_told_also_when_nothing_can_be_taken_back(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(importing: Import) -> None:
        raise StoreBusyError

    def interrupted(importing: Import, found: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Import, "drop", busy)
        patched.setattr(Import, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            import_it(site)
    assert stored(site)
    assert import_it(site).accepted == stored(site)


def test_an_import_whose_process_died_is_dropped_when_it_is_run_again(site: Installation) -> None:
    dead = begun(site, operator(site, "wang"))
    assert stored(site) == 700
    imported = import_it(site)
    assert imported.accepted == stored(site)
    assert imported.refused == {}
    with site.store.read() as tx:
        gone = batches.get(tx, str(dead.batch_id))
        assert batches.not_whole(tx) == []
    assert gone is not None
    assert gone.state is BatchState.DROPPED


def test_what_is_left_of_a_drop_that_died_goes_with_the_next_import(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang = operator(site, "wang")
    half = begun(site, wang)
    monkeypatch.setattr(imports, "DROPPED_ROWS", 300)
    site.kernel.perform(DropImport(str(half.batch_id)), actor=wang, request_id=rid())
    assert stored(site) == 400
    # Of whatever file: nobody is at it any more.
    other = import_it(site, ROSTERS / "foshan-600.xlsx")
    assert other.accepted == stored(site)


def test_ones_own_import_of_another_file_goes_on(site: Installation) -> None:
    wang = operator(site, "wang")
    under_way = begun(site, wang)
    import_it(site, ROSTERS / "foshan-600.xlsx")
    act = CloseImport(str(under_way.batch_id), 0)
    closed = site.kernel.perform(act, actor=wang, request_id=rid())
    assert closed["accepted"] == 700


def test_what_somebody_else_imports_is_left_alone_until_it_is_old(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    zhao = second_maker(site)
    begun(site, operator(site, "wang"))
    with pytest.raises(ImportUnderWayError):
        import_it(site, actor=zhao)
    assert stored(site) == 700
    clock = site.kernel.clock
    monkeypatch.setattr(site.kernel, "clock", lambda: clock() + timedelta(hours=2))
    imported = import_it(site, actor=zhao)
    assert imported.accepted == stored(site)


def test_an_import_is_undone_and_done_again(office: Office) -> None:
    command = ("roster", "import", str(LARGE))
    first = office.done(*command, operator="wang")
    undone = office.done("roster", "undo", "foshan-2000", operator="wang")
    assert "void" in undone
    refused(
        office.run("batch", "approve", "foshan-2000", "--yes", operator="li"),
        "没有待复核的放行申请",
        "no release of it waits",
    )
    refused(
        office.run("roster", "undo", "foshan-2000", operator="wang"),
        "没有待复核的放行申请",
        "no release of it waits",
    )
    again = office.done(*command, "--name", "again", operator="wang")
    count = [line.split()[0] for line in (first, again) if line]
    assert count[0] == count[1]
    office.done("batch", "approve", "again", "--yes", operator="li")
    refused(
        office.run("roster", "undo", "again", operator="wang"),
        "没有待复核的放行申请",
        "no release of it waits",
    )


def test_a_report_that_cannot_be_written_imports_nothing(
    office: Office, site: Installation
) -> None:
    command = ("roster", "import", str(LARGE), "--report", "/nowhere/at/all.json")
    assert office.run(*command, operator="wang").exit_code == 1
    assert stored(site) == 0


@pytest.mark.parametrize(
    ("rows", "most_mib"), [(20_000, 190), pytest.param(200_000, 230, marks=pytest.mark.long)]
)
def test_memory_does_not_grow_with_the_roster(
    office: Office, tmp_path: Path, rows: int, most_mib: int
) -> None:
    roster = tmp_path / "roster.csv"
    write_roster(roster, rows)
    status = tmp_path / "status"
    subprocess.run(
        [sys.executable, "-c", AND_ITS_STATUS, str(status), "roster", "import", str(roster)],
        env={**os.environ, **office.environment, "SSCARD_OPERATOR": "wang"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    most = re.search(r"^VmHWM:\s+([0-9]+) kB$", status.read_text(), re.MULTILINE)
    assert most
    # Held whole, each row took 9 KB.
    assert int(most[1]) / MIB < most_mib
