"""A secret that was used a thousand times and dropped is nowhere in the process's memory.

Programs that hold secrets stand still twice, while they hold one and after they dropped it, and
their memory is searched for 7 bytes in a row of any shape the secret takes. The first search must
find it.

What Python itself holds as bytes is the caller's: nobody can wipe it.
"""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from backends import EMULATION, each_back_end
from memory_search import (
    Observed,
    hmac_key,
    nonce,
    observe,
    private_key,
    search,
    shared_point,
    sm4_key,
    words,
)
from sm2_textbook import N

from benchmarks.leaks import build
from crypto import sm2

if not sys.platform.startswith("linux"):
    pytest.skip("another process's memory is read by /proc, on Linux", allow_module_level=True)

Traces = dict[bytes, str]


def traces_of_key(secret: bytes, made: dict[str, bytes]) -> Traces:
    """Those of d, of the last signature's nonce, of the last ciphertext's shared point."""
    d = int.from_bytes(secret, "big")
    traces = private_key(d)
    if "signature" in made:
        traces |= nonce(d, made["signature"])
    if "ciphertext" in made:
        traces |= shared_point(d, made["ciphertext"])
    return traces


def traces_of_plaintext(secret: bytes, made: dict[str, bytes]) -> Traces:
    receiver = int.from_bytes(made["receiver"], "big")
    return words("plaintext", secret) | shared_point(receiver, made["ciphertext"])


OPERATIONS: dict[str, Callable[[bytes, dict[str, bytes]], Traces]] = {
    "load": traces_of_key,
    "sign": traces_of_key,
    "sign-digest": traces_of_key,
    "decrypt": traces_of_key,
    "encrypt": traces_of_plaintext,
    "hmac": lambda secret, _: hmac_key("key", secret),
    "sm4": lambda secret, made: sm4_key("key", secret, made["round-keys"]),
}


@pytest.fixture(scope="module")
def program() -> Path:
    return build("memory", *EMULATION)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("back_end", each_back_end(emulated=True))
def test_a_dropped_secret_is_gone(program: Path, operation: str, back_end: str) -> None:
    secret = secrets.token_bytes(16 if operation == "sm4" else 32)
    observed = observe([program, operation], secret, SSCARD_SM2_BACKEND=back_end)
    assert_gone(observed, OPERATIONS[operation](secret, observed.made))


# The key is told by a fork of the process, so that the process itself never has it as bytes.
GENERATES = """
import os, sys
from pathlib import Path
from crypto import sm2

os.read(0, 64)
key = sm2.PrivateKey.generate()
if (child := os.fork()) == 0:
    Path(sys.argv[1]).write_bytes(key.to_bytes())
    os._exit(0)
os.waitpid(child, 0)
sealed = key.public_key().encrypt(b"plaintext")
for i in range(1000):
    assert key.decrypt(sealed) == b"plaintext"
    signature = key.sign(i.to_bytes(4))
os.write(1, b"alive\\n")
os.read(0, 1)
del key
os.write(1, b"dropped\\n")
os.read(0, 1)
print("signature", signature.hex())
print("ciphertext", sealed.hex())
"""


def test_a_key_that_python_dropped_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    observed = observe([sys.executable, "-c", GENERATES, path], bytes(32))
    assert_gone(observed, traces_of_key(path.read_bytes(), observed.made))


def assert_gone(observed: Observed, traces: Traces) -> None:
    sizes = {len(trace) for trace in traces}
    megabytes = sum(len(mapping.content) for mapping in observed.dropped) >> 20
    print(f"{len(traces)} traces of {sizes} bytes in {megabytes} MiB")
    assert search(observed.alive, traces) != []
    assert search(observed.dropped, traces) == []


def test_nothing_printed_shows_a_key() -> None:
    d = secrets.randbelow(N - 2) + 1
    secret = d.to_bytes(32, "big")
    key = sm2.PrivateKey.from_bytes(secret)
    shown = [repr(key), str(key), f"{key}", str(dir(key)), *map(str, errors_of(key, secret))]
    for form in (secret.hex(), str(d), repr(secret)[2:20], f"{d:x}"):
        assert form.lower() not in " ".join(shown).lower()


def errors_of(key: sm2.PrivateKey, secret: bytes) -> list[Exception]:
    """What a careless caller gets for using a key wrongly."""
    calls: list[Callable[[], object]] = [
        lambda: sm2.PrivateKey.from_bytes(secret + b"\0"),
        lambda: sm2.PrivateKey.from_bytes(b"\xff" * 16 + secret[:16]),
        lambda: key.sign(b"", b"i" * 8192),
        lambda: key.sign_digest(secret[:31]),
        lambda: key.decrypt(secret),
        key.__reduce__,
    ]
    errors: list[Exception] = []
    for call in calls:
        with pytest.raises((ValueError, TypeError, sm2.DecryptionError)) as caught:
            call()
        errors.append(caught.value)
    return errors
