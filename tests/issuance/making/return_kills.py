"""Has a return file taken by processes that are killed (`killed_return`)."""

import json
import os
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("killed_return.py")
ROOT = Path(__file__).parents[3]


def take_and_kill(url: str, kind: str, file: Path, batch_id: str, rows: int = 0) -> int:
    """How many were killed before so many rows were taken; 0: before one came through."""
    done = subprocess.run(
        [sys.executable, WORKER, url, kind, file, batch_id, str(rows)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = json.loads(done.stdout)
    assert bool(rows) == (outcome["status"] != 0), done.stderr[-2000:]
    return int(outcome["kills"])
