"""A command that ends badly leaves no memory behind, and nobody of the same user reads it."""

import subprocess
import sys

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("Linux tells what a process may dump", allow_module_level=True)

# What the command left behind of itself: 3 is PR_GET_DUMPABLE.
ASKS = """
import ctypes, resource, sys
from issuance.cli import main
sys.argv = ["sscard", "--help"]
try:
    main()
except SystemExit as ended:
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    print(ended.code, resource.getrlimit(resource.RLIMIT_CORE), dumpable, file=sys.stderr)
"""


def test_a_command_dumps_no_core() -> None:
    done = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 (0, 0) 0"
