"""The most memory that a process has held, as Linux counts it (VmHWM)."""

import os
from pathlib import Path


def forget() -> None:
    """Count anew from what this process holds now."""
    Path("/proc/self/clear_refs").write_text("5")


def most_mib(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the process {process} has no memory")


def children() -> list[int]:
    """The processes that this one started and that are there."""
    own = os.getpid()
    found = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    workers = []
    for child in map(int, found):
        words = Path(f"/proc/{child}/cmdline").read_text()
        if "spawn_main" in words:  # of a pool, and not a server
            workers.append(child)
    return workers
