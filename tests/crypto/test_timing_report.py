"""The report on time leaks: what it reads, how it judges, and that a leak shows in it."""

import pytest

from benchmarks.bench_timing import CERTAIN, CONTROL, FLOOR, Found, Report, meaning, measure
from benchmarks.leaks import build
from crypto import sm2

SAID = f"""backend portable
seed 7
target sign, d 1000 -1.250 -0.039528 0.99
target {FLOOR} 1000 0.5 0.015811 1
target {CONTROL} 1000 120.0 3.794733 0.5
"""


def test_what_the_program_says_is_read() -> None:
    report = Report.parse(SAID)
    assert (report.back_end, report.seed) == ("portable", "7")
    assert report.targets["sign, d"] == Found(1000, -1.25, -0.039528)
    figures = report.figures()
    assert set(figures) == {"timing.portable.sign, d"}
    assert figures["timing.portable.sign, d"].value == 1.25
    assert figures["timing.portable.sign, d"].yardsticks == {FLOOR: 0.5, CONTROL: 120.0}


@pytest.mark.parametrize(
    ("name", "t", "expected"),
    [
        ("sign, d", -4.4, "no difference seen"),
        ("sign, d", -4.6, "once more"),
        ("sign, d", -10.1, "DIFFERS"),
        (FLOOR, 10.1, "TOO NOISY"),
        (CONTROL, 10.1, "as it must"),
        (CONTROL, 9.9, "DOES NOT SHOW"),
    ],
)
def test_a_figure_is_judged(name: str, t: float, expected: str) -> None:
    assert expected in meaning(name, Found(1000, t, 0.0))


@pytest.mark.long
def test_a_leak_shows_and_every_operation_is_measured() -> None:
    """Not a test of time: the control's classes are hundreds of times their error apart."""
    program = build("timing")
    for back_end in sm2.available_backends():
        report = measure(program, back_end, ("samples", "4000"))
        assert report.back_end == back_end
        operations = {"sign, d", "sign, k", "decrypt, d", "decrypt, C3", "sm4, key", "hmac, tag"}
        assert set(report.targets) == operations | {FLOOR, CONTROL}
        assert all(found.samples >= 3000 for found in report.targets.values())
        assert abs(report.targets[CONTROL].t) > CERTAIN
