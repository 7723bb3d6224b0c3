"""Issues one batch of the installation that the environment names, as `sscard batch issue` does.

python -m benchmarks.bench_issuance.command BATCH_ID
"""

import sys

from issuance.cli.commands import app

if __name__ == "__main__":
    app(["batch", "issue", sys.argv[1], "--operator", "maker"])
