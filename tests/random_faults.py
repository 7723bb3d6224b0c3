"""A random source that fails, is stuck or gives zeros: the system's own, seen through a shim.

The shim is a library that is loaded before all others and answers getrandom(2). What the fault is,
and the file whose appearance begins it, stand in the environment, so that one process can be
served well first and badly later.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

FAIL = "fail"
STUCK = "stuck"
ZERO = "zero"

_SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t getrandom(void *buffer, size_t size, unsigned int flags) {
    const char *fault = getenv("RANDOM_FAULT");
    const char *begins = getenv("RANDOM_FAULT_BEGINS");
    if (!fault || (begins && access(begins, F_OK) != 0))
        return syscall(SYS_getrandom, buffer, size, flags);
    if (strcmp(fault, "fail") == 0) {
        errno = EIO;
        return -1;
    }
    unsigned char *bytes = buffer;
    unsigned long long state = 88172645463325252ULL;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = strcmp(fault, "zero") == 0 ? 0 : (unsigned char)(state >> 24);
    }
    return size;
}
"""


@dataclass(frozen=True)
class FaultyRandomSource:
    """The built shim, and the environment that puts it before a process."""

    shim: Path

    @classmethod
    def build(cls, folder: Path) -> "FaultyRandomSource":
        """Compile it; whoever builds the native cores has a C compiler to link them with."""
        source, library = folder / "getrandom.c", folder / "getrandom.so"
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        return cls(library)

    def environment(self, fault: str, *, begins: Path | None = None) -> dict[str, str]:
        """begins: the fault waits until this file is there; None: it is there from the start.

        The seed of Python's own hashes is fixed, because Python does not start without either.
        """
        variables = {
            "LD_PRELOAD": str(self.shim),
            "RANDOM_FAULT": fault,
            "PYTHONHASHSEED": "1",
        }
        if begins is not None:
            variables["RANDOM_FAULT_BEGINS"] = str(begins)
        return {**os.environ, **variables}
