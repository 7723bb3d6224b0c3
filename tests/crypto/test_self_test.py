"""Self-tests: they pass here, and when one fails everything is refused.

The error state lasts as long as its process, so each fault is planted in a child.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from backends import EMULATION, ROOT
from random_faults import FAIL, STUCK, ZERO, FaultyRandomSource

from crypto import SelfTestError, random_source, self_test

CALLS = Path(__file__).with_name("error_state_calls.py")


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> FaultyRandomSource:
    return FaultyRandomSource.build(tmp_path_factory.mktemp("random"))


def child(program: str, environment: dict[str, str] | None = None) -> list[str]:
    """What a Python program prints, by words."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# With the instructions `cargo test` itself runs the lanes, and without adx nothing can stand in for
# them. Long, because all of the core is compiled for it once more.
@pytest.mark.long
@pytest.mark.skipif(not EMULATION, reason="not run: has the instructions, or lacks adx")
def test_the_core_s_own_tests_pass_on_the_lanes_by_plain_arithmetic() -> None:
    # Among them: whichever product of the lanes comes out wrong, the known answers notice.
    command = ["cargo", "test", "--profile", "tested", "--locked", "--quiet"]
    options = ["--package", "sscard-sm", "--features", *EMULATION]
    target = ROOT / "target" / "emulated"
    done = subprocess.run(
        [*command, *options, "--target-dir", target, "--", "--nocapture"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "not run: the lanes" not in done.stdout + done.stderr


# Prints the name of the error that each call raises, or "done".
TRY = """
from pathlib import Path
from crypto import random_source, self_test, sm2
def attempt(call):
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
    else:
        print("done")
def failed():
    print(",".join(one.name for one in self_test.run() if not one.passed))
"""


def test_all_self_tests_pass_here() -> None:
    results = self_test.run()
    assert [one.name for one in results if not one.passed] == []
    assert {one.name for one in results} == set(self_test.NAMES_ZH)
    self_test.require_operational()


def test_everything_refuses_in_the_error_state() -> None:
    done = subprocess.run(
        [sys.executable, CALLS],
        env={**os.environ, "PYTHONPATH": str(CALLS.parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found.pop("calls") >= 31
    assert found == {"refused_before": [], "answered": [], "without_a_call": []}


# In front of each a class of Python's that does what the native one does.
OTHER_GCM = """
Native = sm4.Gcm
class Other:
    def __init__(self, key):
        self.native = Native(key)
    def encrypt(self, *given):
        return self.native.encrypt(*given)
    def decrypt(self, *given):
        return self.native.decrypt(*given)
sm4.Gcm = Other
"""
SPOIL_GCM = {
    "another ciphertext": "sm4._KNOWN_CIPHERTEXT = bytes(len(sm4._KNOWN_CIPHERTEXT))",
    "another plaintext": "sm4._KNOWN_PLAINTEXT = bytes(len(sm4._KNOWN_PLAINTEXT))",
    "a tag not checked": "Other.decrypt = lambda *_: sm4._KNOWN_PLAINTEXT",
    "a broken library": "Other.encrypt = lambda *_: 1 / 0",
    "a key not taken": "Other.__init__ = lambda *_: 1 / 0",
    "a library that breaks on a changed text": (
        "decrypt = Other.decrypt\n"
        "known = sm4._KNOWN_CIPHERTEXT\n"
        "Other.decrypt = lambda self, nonce, text, aad: "
        "decrypt(self, nonce, text, aad) if text == known else 1 / 0"
    ),
}


def test_a_right_answer_of_gcm_changes_nothing() -> None:
    said = child(
        f"{TRY}\nfrom crypto import sm4\n{OTHER_GCM}\nfailed()\nattempt(sm2.PrivateKey.generate)"
    )
    assert said == ["done"]


@pytest.mark.parametrize("spoil", SPOIL_GCM.values(), ids=SPOIL_GCM)
def test_a_wrong_answer_of_gcm_is_noticed(spoil: str) -> None:
    said = child(
        f"{TRY}\nfrom crypto import sm4\nattempt(sm2.PrivateKey.generate)\n"
        f"{OTHER_GCM}\n{spoil}\n"
        "failed()\nattempt(sm2.PrivateKey.generate)"
    )
    assert said == ["done", "bulk_cipher", "SelfTestError"]


def test_without_any_randomness_nothing_is_loaded(faulty: FaultyRandomSource) -> None:
    program = (
        "try:\n import crypto.sm2\nexcept Exception as error:\n"
        " print(type(error).__name__, error.code)"
    )
    assert child(program, faulty.environment(FAIL)) == ["RandomSourceError", "random_source"]


def test_a_bad_random_source_at_the_start_refuses_everything(
    faulty: FaultyRandomSource,
) -> None:
    program = (
        f"{TRY}\nattempt(sm2.PrivateKey.generate)\n"
        "attempt(lambda: sm2.PublicKey.from_bytes(bytes(33)))\nfailed()"
    )
    said = child(program, faulty.environment(ZERO))
    assert said == ["SelfTestError", "SelfTestError", "random_start"]


def test_a_random_source_that_gets_stuck_is_noticed_at_the_next_draw(
    faulty: FaultyRandomSource, tmp_path: Path
) -> None:
    begins = tmp_path / "stuck"
    program = (
        f"{TRY}\nkey = sm2.PrivateKey.generate()\nattempt(lambda: key.sign(b'one'))\n"
        f"Path({str(begins)!r}).touch()\n"
        "for message in (b'two', b'three', b'four'):\n attempt(lambda: key.sign(message))\n"
        "attempt(lambda: key.public_key().verify(bytes(64), b''))\nfailed()"
    )
    said = child(program, faulty.environment(STUCK, begins=begins))
    refused = ["SelfTestError"] * 3
    assert said == ["done", "done", *refused, "random_draws"]


@pytest.mark.parametrize(
    "make",
    ["sm2.PrivateKey.generate", "lambda: random_source.random_bytes(16)", "encrypt", "sign"],
)
def test_nothing_is_made_from_zeros_and_nothing_without_an_answer(
    faulty: FaultyRandomSource, tmp_path: Path, make: str
) -> None:
    begins = tmp_path / "begins"
    prepared = (
        f"{TRY}\nkey = sm2.PrivateKey.generate()\nencrypt = lambda: key.public_key().encrypt(b'x')"
        f"\nsign = lambda: key.sign(b'x')\nfault = Path({str(begins)!r})\nfault.touch()\n"
        f"attempt({make})\nattempt({make})\nfault.unlink()\nattempt({make})\nfailed()"
    )
    zeros = child(prepared, faulty.environment(ZERO, begins=begins))
    assert zeros == ["SelfTestError", "SelfTestError", "SelfTestError", "random_draws"]
    # No answer gives nothing weak away: it is refused, and served again when it is back.
    failing = child(prepared, faulty.environment(FAIL, begins=begins))
    assert failing == ["RandomSourceError", "RandomSourceError", "done"]


def test_nothing_panics_in_a_new_thread_without_randomness(
    faulty: FaultyRandomSource, tmp_path: Path
) -> None:
    """A hashed table of the native core would be seeded there for the first time."""
    begins = tmp_path / "begins"
    program = f"""{TRY}
import threading
from card_core import codes
key = sm2.PrivateKey.generate()
signed = [(key.public_key(), key.sign(b"x"), b"x")] * 20
Path({str(begins)!r}).touch()
for call in (
    lambda: sm2.verify_batch(signed),
    lambda: codes.KeyRing(()),
    lambda: sm2.Verifier(key.public_key()),
    lambda: sm2.KeptKeys(1000),
    lambda: key.sign(b"x"),
):
    thread = threading.Thread(target=attempt, args=(call,))
    thread.start()
    thread.join()
"""
    said = child(program, faulty.environment(FAIL, begins=begins))
    assert said == [*["done"] * 3, *["RandomSourceError"] * 2]


@pytest.mark.parametrize("size", [0, 1, 16, 56, 57, 1 << 20])
def test_random_bytes_has_the_size_asked_for_and_never_comes_twice(size: int) -> None:
    drawn = [random_source.random_bytes(size) for _ in range(20)]
    assert {len(one) for one in drawn} == {size}
    assert size < 16 or len(set(drawn)) == len(drawn)
    for wrong in ((1 << 20) + 1, -1, 1 << 200):
        with pytest.raises(ValueError, match="1 MiB"):
            random_source.random_bytes(wrong)


def test_a_forked_child_goes_on_drawing_and_shares_nothing() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b"".join(random_source.random_bytes(32) for _ in range(100)))
        os._exit(0)
    os.close(writing)
    own = b"".join(random_source.random_bytes(32) for _ in range(100))
    with os.fdopen(reading, "rb") as pipe:
        inherited = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    drawn = {both[i : i + 32] for both in (own, inherited) for i in range(0, len(both), 32)}
    assert len(drawn) == 200
    self_test.require_operational()


def test_the_error_says_what_to_do_in_both_languages() -> None:
    text = str(SelfTestError())
    assert "自检未通过" in text
    assert "sscard doctor" in text
    assert "self-test failed" in text
