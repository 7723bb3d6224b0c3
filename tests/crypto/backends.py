"""Runs a script on each back end of the native core that this processor has.

The back end is chosen once in a process, so each gets a child of its own. A script reads JSON from
its standard input and writes JSON, in which `backend` names the back end that really ran.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from crypto import sm2

AVAILABLE = tuple(sm2.available_backends())
TIMEOUT_SECONDS = 1800


def run_on(backend: str, script: str, given: object = None) -> Any:
    """What the script beside this file writes when it runs on the back end."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script))],
        env={**os.environ, "SSCARD_SM2_BACKEND": backend},
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    written = json.loads(done.stdout)
    assert written["backend"] == backend
    print(f"ran on {backend}: {script}")
    return written
