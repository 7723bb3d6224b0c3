"""The native core of codes has its own copy of the SM core, and refuses by its own self-tests."""

import subprocess
import sys
from pathlib import Path

from random_faults import STUCK, ZERO, FaultyRandomSource

from card_core import codes

PROGRAM = """
from card_core import codes
def attempt(call):
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
    else:
        print("done")
attempt(codes.require_operational)
attempt(lambda: codes.KeyRing(()))
"""


def test_it_is_operational_here() -> None:
    codes.require_operational()
    assert len(codes.KeyRing(())) == 0


def test_no_key_ring_is_made_after_a_failed_self_test(tmp_path: Path) -> None:
    faulty = FaultyRandomSource.build(tmp_path)
    said = {}
    # This copy draws nothing after its start-up test, which a stuck source passes.
    for fault in (STUCK, ZERO):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=faulty.environment(fault),
            capture_output=True,
            text=True,
            check=True,
        )
        said[fault] = done.stdout.split()
    assert said == {STUCK: ["done", "done"], ZERO: ["SelfTestError", "SelfTestError"]}
