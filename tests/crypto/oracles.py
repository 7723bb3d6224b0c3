"""OpenSSL's libcrypto, where the system has it."""

import ctypes
import os

import pytest

from benchmarks import libcrypto


def load_libcrypto() -> ctypes.CDLL:
    """Skip the test in plain words where there is none; fail it where CI=true."""
    try:
        return libcrypto.load()
    except OSError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("OpenSSL did not run as an oracle: libcrypto.so.3 is not there")
