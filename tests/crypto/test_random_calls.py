"""A native error never takes a process down: random calls of every entry, in one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 20_260_103
ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(__file__).with_name("random_calls.py")
MEMORY_GROWTH_MAX_KIB = 64 << 10
TIMEOUT_SECONDS = 600
# Entries that have nothing to answer, or nothing to refuse, whatever they are given.
NEVER_ANSWER = {"crypto.PrivateKey", "crypto.PublicKey", "pickle"}


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(100_000, id="100000 calls"),
        pytest.param(1_000_000, id="1000000 calls", marks=pytest.mark.long),
    ],
)
def test_the_process_stays_alive_and_raises_only_what_is_declared(count: int) -> None:
    print(f"seed {SEED}")
    child = subprocess.Popen(
        [sys.executable, PROGRAM, str(SEED), str(count)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        output, _ = child.communicate(timeout=TIMEOUT_SECONDS)
    finally:
        child.kill()
    assert child.returncode == 0, output
    figures = json.loads(output)
    print(figures)
    assert figures["pid"] == child.pid
    calls: dict[str, list[int]] = figures["calls"]
    assert sum(map(sum, calls.values())) == count
    # Generators that only ever reach a refusal would prove nothing.
    assert {name for name, (answered, _) in calls.items() if answered == 0} == NEVER_ANSWER
    takes_input = {name for name, (_, refused) in calls.items() if refused > 0}
    assert {"crypto.verify_batch", "card_core.check", "card_core.KeyRing"} <= takes_input
    assert figures["grown_kib"] < MEMORY_GROWTH_MAX_KIB
