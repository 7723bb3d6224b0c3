"""Figures over HTTP: for operators whose role reads them, the same as the command line gives."""

import csv
import io
import threading
from collections import Counter
from datetime import timedelta

import openpyxl
import pytest
from bureau import Bureau
from test_console import V1, Window, done

from card_core.figures import SMALL, Dimension, Tally, figures
from card_core.kernel.dates import SHANGHAI
from card_core.scan_figures import HOURS
from card_core.store import Reader
from card_core.store import figures as stored_figures
from issuance import figure_files
from issuance.console.counting import COUNTED_FOR, Counting
from issuance.console.figure_models import BureauFigures
from issuance.console.problems import ConsoleError


@pytest.fixture
def window(bureau: Bureau) -> Window:
    return Window(bureau)


def test_they_are_what_is_counted_and_stay_for_a_minute(window: Window) -> None:
    window.bureau.people(12)
    auditor, maker = window.sign_in("auditor"), window.sign_in("maker")
    found = done(auditor.get(f"{V1}/figures?by=month&by=region"))
    with window.bureau.store.read() as tx:
        expected = figures(stored_figures.tallies(tx), [Dimension.REGION, Dimension.MONTH])
    as_of = window.bureau.clock()
    assert found == BureauFigures.of(expected, as_of).model_dump(mode="json")
    window.bureau.issued_cards(1)
    assert done(maker.get(f"{V1}/figures"))["as_of"] == found["as_of"]
    window.bureau.clock.advance(COUNTED_FOR.total_seconds())
    later = done(maker.get(f"{V1}/figures"))
    assert later["as_of"] != found["as_of"]
    assert later["total"]["issued"] == found["total"]["issued"] + 1
    file_has_what_is_shown(window)


def file_has_what_is_shown(window: Window) -> None:
    maker = window.sign_in("maker")
    with window.bureau.store.read() as tx:
        expected = figures(stored_figures.tallies(tx), [Dimension.REGION])
    lines = list(figure_files.lines(expected))
    table = maker.get(f"{V1}/figures/file?by=region&format=csv")
    assert "attachment" in table.headers["content-disposition"]
    read = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert read[1:] == [["" if one is None else str(one) for one in line] for line in lines]
    book = maker.get(f"{V1}/figures/file?by=region")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content), read_only=True).active
    assert sheet is not None
    assert [list(line) for line in sheet.values][1:] == lines


def test_scans_are_counted_by_hour_and_by_reason_and_no_group_is_small(window: Window) -> None:
    bureau = window.bureau
    assert done(window.sign_in("auditor").get(f"{V1}/scan-figures"))["scans"] is None
    person = bureau.person()
    hours: Counter[str] = Counter()

    def scan(times: int, *, twice: bool = False) -> None:
        for _ in range(times):
            text = bureau.minter.mint(person.holder_id).text
            for _ in range(1 + twice):
                bureau.scan(text)
                hours[bureau.clock().astimezone(SHANGHAI).strftime("%Y-%m-%dT%H")] += 1
            bureau.clock.advance(1)

    scan(3)  # over a day ago, when the figures are asked for
    bureau.clock.advance(timedelta(hours=HOURS).total_seconds())
    hours.clear()
    scan(SMALL, twice=True)
    bureau.clock.advance(3600)
    scan(SMALL - 1)
    bureau.clock.advance(3600)
    scan(SMALL + 1)
    found = done(window.sign_in("auditor").get(f"{V1}/scan-figures"))
    first, small, third = sorted(hours)
    counts = {one["value"]: one["count"] for one in found["by_hour"]}
    # What is small goes with the next one, so that no difference tells it.
    assert counts == {first: hours[first], "other": hours[small] + hours[third]}
    assert (found["scans"], found["refused"]) == (hours.total(), SMALL)
    (reason,) = found["by_reason"]
    assert (reason["value"], reason["count"]) == ("already_used", SMALL)
    assert reason["text_zh"] != reason["text_en"]
    assert person.holder_id not in str(found)


def test_nobody_waits_for_a_count_that_is_under_way(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    count = stored_figures.tallies

    def slow(tx: Reader) -> list[Tally]:
        begun.set()
        assert may_end.wait(30)
        return count(tx)

    monkeypatch.setattr(stored_figures, "tallies", slow)
    counted = Counting(bureau.kernel, lambda tx, _: stored_figures.tallies(tx))
    counting = threading.Thread(target=counted.get)
    counting.start()
    assert begun.wait(30)
    with pytest.raises(ConsoleError) as told:
        counted.get()
    assert (told.value.status, told.value.code) == (503, "not_ready")
    may_end.set()
    counting.join(30)
    first = counted.get()
    begun.clear()
    may_end.clear()
    bureau.clock.advance(COUNTED_FOR.total_seconds())
    counting = threading.Thread(target=counted.get)
    counting.start()
    assert begun.wait(30)
    assert counted.get() is first
    may_end.set()
    counting.join(30)
    assert counted.get() is not first


def test_what_figures_are_not_broken_down_by_is_said(window: Window) -> None:
    told = window.sign_in("maker").get(f"{V1}/figures?by=holder")
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
