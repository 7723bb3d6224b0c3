"""Seals fields anew, and dies by SIGKILL at one place after another until one comes through.

python killed_resealer.py DATABASE_URL UNIX_SECONDS STRIDE    (places from one death to the next)
"""

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bureau import Clock
from field_versions import opened

from card_core.field_resealing import FieldResealer
from card_core.store import field_keys

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
from killed_worker import die_at, run_until_through

ROWS_A_STEP = 12


def run(url: str, now: datetime, stride: int, place: int) -> None:
    field_keys.ROWS_A_STEP = ROWS_A_STEP
    clock = Clock()
    clock.now = now
    with opened(url, clock) as kernel:
        resealer = FieldResealer(kernel)
        die_at(place * stride)
        while resealer.round():
            continue


if __name__ == "__main__":
    at = datetime.fromtimestamp(int(sys.argv[2]), UTC)
    run_until_through(partial(run, sys.argv[1], at, int(sys.argv[3])))
