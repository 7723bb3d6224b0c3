"""No command leaves its memory on a disk: keys and passphrases would be in it."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Have this process write no core file, and on Linux let no process of the same user read it.

    The limit alone would not do: a core pattern that begins with a pipe gets the memory all the
    same. Children inherit the limit and, once they run another program, nothing else.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # It can fail only for an argument it does not know.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
