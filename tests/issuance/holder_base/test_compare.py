"""Comparing with another department's file: each difference once, nothing changed, memory flat."""

import csv
import io
import stat
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from bureau import Bureau, make_application, make_number
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from stock import make_stock_card, released, take_over

from card_core.application import Application
from card_core.kernel.acts.cards import CancelCard, CancelReason
from card_core.kernel.acts.holder_base import HolderEvidence, MergeHolders, seen_digest
from card_core.states import CardState
from card_core.store import holder_base, holders, schema
from issuance.errors import FileRefusedError
from issuance.holder_base import Kind, compare
from issuance.holder_base import sorting as runs
from issuance.roster import RosterFileError

Line = tuple[str, str, str, str]
TITLES = ("公民身份号码", "姓名", "手机号码", "AAZ502")


def people_here(bureau: Bureau) -> list[Application]:
    """Everybody who is in the holder base of the tests: cards in normal use."""
    with bureau.store.read() as tx:
        there = {one.social_security_number for one in holder_base.page(tx)}
    everybody = [one for one in map(make_application, range(40)) if one.number.text in there]
    assert len(everybody) == len(there)
    return everybody


def line_of(one: Application) -> Line:
    return one.number.text, one.name, one.phone, "1"


def write(path: Path, lines: Iterable[Iterable[str]], titles: Iterable[str] = TITLES) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([titles, *lines])
    path.write_bytes(text.getvalue().encode("gb18030"))
    return path


def differences(bureau: Bureau, file: Path) -> tuple[set[tuple[str, ...]], Counter[Kind]]:
    output = file.with_name("out.csv")
    counted = compare(bureau.store, file, output)
    rows = list(csv.reader(io.StringIO(output.read_bytes().decode("utf-8-sig"), newline="")))
    assert rows[0] == ["差异", "行号", "社会保障号码", "本库", "对方"]
    found = [tuple(row) for row in rows[1:]]
    assert len(found) == len(set(found)) == counted.total()
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert {path.name for path in file.parent.glob(".*")} == set()
    return set(found), counted


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RUN_ROWS", 3)


def test_the_same_people_are_no_difference(bureau: Bureau, tmp_path: Path) -> None:
    lines = [line_of(one) for one in reversed(people_here(bureau))]
    assert differences(bureau, write(tmp_path / "in.csv", lines)) == (set(), Counter())


def test_each_difference_is_told_by_field(bureau: Bureau, tmp_path: Path) -> None:
    people = people_here(bureau)
    missing, name, phone, state, blank, doubled, old = people[:7]
    stranger = make_application(7_000_000)
    old_number = old.number.text[:6] + old.number.text[8:17]
    lines = [
        (name.number.text, "=另名", name.phone, "1"),
        (phone.number.text, phone.name, "13900009999", "1"),
        (state.number.text, state.name, state.phone, "4"),
        (blank.number.text, blank.name, "", ""),
        line_of(doubled),
        line_of(doubled),
        (old_number, old.name, f"+86 {old.phone}", "正常"),
        line_of(stranger),
        ("44060419800101", "无此号", "", ""),
        *(line_of(one) for one in people[7:]),
    ]
    found, counted = differences(bureau, write(tmp_path / "in.csv", lines))
    assert found == {
        ("only_here", "", missing.number.text, missing.name, ""),
        ("name", "1", name.number.text, name.name, "'=另名"),
        ("phone", "2", phone.number.text, phone.phone, "13900009999"),
        ("state", "3", state.number.text, "1", "4"),
        ("twice_there", "6", doubled.number.text, "", doubled.name),
        ("only_there", "8", stranger.number.text, "", stranger.name),
        ("number_unusable", "9", "44060419800101", "", "无此号"),
    }
    assert counted.total() == 7


def test_nothing_is_changed(bureau: Bureau, tmp_path: Path) -> None:
    def everything() -> list[object]:
        with bureau.store.read() as tx:
            return [
                tx.connection.execute(select(table).order_by(table.c.id)).all()
                for table in (schema.holders, schema.cards, schema.approvals)
            ]

    before = everything()
    lines = [(make_number(7_000_000).text, "某人", "13900009999", "9")]
    differences(bureau, write(tmp_path / "in.csv", lines))
    assert everything() == before


def test_a_merged_record_is_told_from_nobody(bureau: Bureau, tmp_path: Path) -> None:
    person, gone = bureau.people(2)
    bureau.decide(CancelCard(gone.card_id, CancelReason.MADE_IN_ERROR))
    with bureau.store.read() as tx:
        pair = [holders.get(tx, one.holder_id) for one in (person, gone)]
        seen = seen_digest(tx, *(one for one in pair if one is not None))
    evidence = HolderEvidence.IDENTITY_DOCUMENT
    bureau.decide(MergeHolders(person.holder_id, gone.holder_id, evidence, seen))
    found, counted = differences(
        bureau, write(tmp_path / "in.csv", [(gone.number, gone.name, "", "")])
    )
    assert counted[Kind.MERGED_HERE] == 1
    assert ("merged_here", "1", gone.number, "", gone.name) in found
    assert counted[Kind.ONLY_THERE] == 0


def test_states_of_all_kinds_of_cards(bureau: Bureau, tmp_path: Path) -> None:
    stock = [make_stock_card(n, state=state) for n, state in enumerate(CardState)]
    take_over(bureau, released(bureau, *stock))
    same = [(one.number.text, one.name, "", one.state.aaz502 or "未启用") for one in stock]
    _, counted = differences(bureau, write(tmp_path / "in.csv", same))
    assert counted[Kind.STATE] == 0
    other = [(number, name, "", "1" if state != "1" else "2") for number, name, _, state in same]
    _, counted = differences(bureau, write(tmp_path / "in.csv", other))
    assert counted[Kind.STATE] == len(stock)


def test_phone_and_state_may_be_left_out(bureau: Bureau, tmp_path: Path) -> None:
    lines = [(one.number.text, one.name) for one in people_here(bureau)]
    file = write(tmp_path / "in.csv", lines, ("证件号码", "姓名"))
    assert differences(bureau, file) == (set(), Counter())
    with pytest.raises(RosterFileError):
        differences(bureau, write(tmp_path / "in.csv", lines, ("证件号码", "名字")))


def test_a_file_that_cannot_be_used_leaves_the_output_as_it_was(
    bureau: Bureau, tmp_path: Path
) -> None:
    output = tmp_path / "out.csv"
    output.write_text("before")
    (tmp_path / "in.csv").write_bytes('号码,姓名\n"'.encode())
    with pytest.raises(RosterFileError):
        compare(bureau.store, tmp_path / "in.csv", output)
    good = write(tmp_path / "good.csv", [("1", "x", "", "")])
    torn = tmp_path / "torn.csv"
    torn.write_bytes(good.read_bytes() + b'"x')
    with pytest.raises(RosterFileError):
        compare(bureau.store, torn, output)
    with pytest.raises(FileRefusedError):
        compare(bureau.store, good, tmp_path / "no such folder" / "out.csv")
    assert output.read_text() == "before"
    assert {one.name for one in tmp_path.iterdir()} >= {"in.csv", "out.csv"}
    assert not list(tmp_path.glob(".out.csv*"))


@given(picked=st.lists(st.integers(0, 12), max_size=20))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_everybody_is_told_once_or_agrees(
    bureau: Bureau, tmp_path: Path, picked: list[int]
) -> None:
    """However the file picks and repeats people: nobody is lost, here or there."""
    here = people_here(bureau)
    pool = [*here[:8], *(make_application(7_000_000 + n) for n in range(5))]
    lines = [line_of(pool[at]) for at in picked]
    _, counted = differences(bureau, write(tmp_path / "in.csv", [*lines, ("x", "x", "", "")]))
    there = {pool[at].number.text for at in picked}
    ours = {one.number.text for one in here}
    wanted = {
        Kind.ONLY_HERE: len(ours - there),
        Kind.ONLY_THERE: len(there - ours),
        Kind.TWICE_THERE: len(picked) - len(there),
        Kind.NUMBER_UNUSABLE: 1,
    }
    assert counted == Counter({kind: count for kind, count in wanted.items() if count})


def test_ten_times_the_rows_take_no_more_memory(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RUN_ROWS", 500)
    peaks = []
    for count in (600, 6000):
        lines = ((make_number(7_000_000 + n).text, "某人", "", "") for n in range(count))
        file = write(tmp_path / "in.csv", lines)
        compare(bureau.store, file, tmp_path / "out.csv")  # what is cached once is there
        tracemalloc.start()
        compare(bureau.store, file, tmp_path / "out.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # An open run has a buffer; the rows themselves would be ten times as much.
    assert peaks[1] < 2.5 * peaks[0], peaks
