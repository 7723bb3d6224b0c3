"""The Wycheproof vectors, read from the shared folder beside the project.

Each file's number of tests is stated here, so that a file cut short fails; each test of a file is
run. This project offers no CCM, because `cryptography` has it for AES only; its tests run the SM4
block through a CCM that is written for them.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ccm_textbook
import pytest

from crypto import DecryptionError, sm3, sm4

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "wycheproof"

# By test number. 91 to 98, 103 and 104: IVs of 0 to 6 bytes, which invite a nonce used twice; 90:
# one of 257 bytes. `cryptography` takes 8 to 128.
GCM_REFUSED_BY_POLICY = {90, 91, 92, 93, 94, 95, 96, 97, 98, 103, 104}

# Nonces or tags of a size that CCM does not have.
CCM_OF_ANOTHER_SIZE = 22


def load(name: str, count: int) -> list[dict[str, Any]]:
    path = FOLDER / name
    if not path.is_file() and os.environ.get("CI") != "true":
        pytest.skip(f"Wycheproof vectors did not run: {FOLDER.resolve()} is not there")
    groups = json.loads(path.read_text())["testGroups"]
    tests = [{**group, **test} for group in groups for test in group["tests"]]
    assert len(tests) == count
    return tests


def as_bytes(test: dict[str, Any], *names: str) -> Iterator[bytes]:
    return (bytes.fromhex(test[name]) for name in names)


def test_hmac_sm3() -> None:
    for test in load("hmac_sm3_test.json", 174):
        key, message, tag = as_bytes(test, "key", "msg", "tag")
        computed = sm3.hmac(key, message)
        assert len(tag) * 8 == test["tagSize"], test["tcId"]
        assert (computed[: len(tag)] == tag) == (test["result"] == "valid"), test["tcId"]
        if len(tag) == 32 and test["result"] == "valid":
            sm3.hmac_verify(key, message, tag)
        else:
            with pytest.raises(sm3.InvalidMacError):
                sm3.hmac_verify(key, message, tag)


def test_sm4_gcm() -> None:
    refused = set()
    for test in load("sm4_gcm_test.json", 104):
        key, iv, aad, message, text, tag = as_bytes(test, "key", "iv", "aad", "msg", "ct", "tag")
        gcm = sm4.Gcm(key)
        if not 8 <= len(iv) <= 128:
            refused.add(test["tcId"])
            with pytest.raises(ValueError, match="nonce"):
                gcm.encrypt(iv, message, aad)
            with pytest.raises(ValueError, match="nonce"):
                gcm.decrypt(iv, text + tag, aad)
        elif test["result"] == "valid":
            assert gcm.encrypt(iv, message, aad) == text + tag, test["tcId"]
            assert gcm.decrypt(iv, text + tag, aad) == message, test["tcId"]
        else:
            with pytest.raises(DecryptionError):
                gcm.decrypt(iv, text + tag, aad)
    assert refused == GCM_REFUSED_BY_POLICY


def test_sm4_blocks_in_ccm() -> None:
    refused_sizes = 0
    for test in load("sm4_ccm_test.json", 184):
        key, iv, aad, message, text, tag = as_bytes(test, "key", "iv", "aad", "msg", "ct", "tag")
        try:
            plaintext = ccm_textbook.decrypt(key, iv, aad, text, tag)
        except ValueError:
            assert {"InvalidNonceSize", "InvalidTagSize", "InsecureTagSize"} & set(test["flags"])
            assert test["result"] == "invalid"
            refused_sizes += 1
            continue
        assert (plaintext == message) == (test["result"] == "valid"), test["tcId"]
        if test["result"] == "valid":
            sealed = ccm_textbook.encrypt(key, iv, aad, message, len(tag))
            assert sealed == text + tag, test["tcId"]
    assert refused_sizes == CCM_OF_ANOTHER_SIZE
