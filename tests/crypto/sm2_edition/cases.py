"""What a case is, and how it stands in a file.

Bytes are written in hexadecimal; `69*8191` stands for that many bytes 69. Numbers in `made` are
hexadecimal as well: with them, the textbook and the comment anyone makes the case again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "vectors"

VALID = "valid"
INVALID = "invalid"
INVALID_KEY = "invalid key"
CALLERS_MISTAKE = "caller's mistake"

Numbers = dict[str, int]


@dataclass(frozen=True)
class SignatureCase:
    """A signature under a key, over a message and a signer id, or else over e itself."""

    flag: str
    comment: str
    made: Numbers
    public_key: bytes
    signature: bytes
    result: str
    message: bytes | None = None
    signer_id: bytes | None = None
    e: bytes | None = None


@dataclass(frozen=True)
class PrivateKeyCase:
    """32 bytes that are a private key, with its public key, or are none."""

    flag: str
    comment: str
    made: Numbers
    private_key: bytes
    result: str
    public_key: bytes | None = None


@dataclass(frozen=True)
class CiphertextCase:
    """A ciphertext for a private key, with the plaintext that comes out or nothing at all."""

    flag: str
    comment: str
    made: Numbers
    private_key: bytes
    form: str
    ciphertext: bytes
    result: str
    plaintext: bytes | None = field(default=None)


Case = SignatureCase | PrivateKeyCase | CiphertextCase
FILES: dict[str, type[Case]] = {
    "signatures_der": SignatureCase,
    "signatures_raw": SignatureCase,
    "private_keys": PrivateKeyCase,
    "ciphertexts": CiphertextCase,
}


def path(name: str) -> Path:
    return FOLDER / f"sm2_edition_{name}.json"


def as_text(name: str, cases: list[Case], flags: dict[str, str]) -> str:
    """The file: what the flags mean, then one case a line, numbered from 1."""
    used = {case.flag for case in cases}
    head = {
        "about": "SM2 edition of the Wycheproof ECDSA categories; tests/crypto/sm2_edition",
        "cases": len(cases),
        "flags": {flag: flags[flag] for flag in sorted(used)},
    }
    lines = [json.dumps(_as_json(number, case)) for number, case in enumerate(cases, 1)]
    opening = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    return opening + ',\n "tests": [\n' + ",\n".join(lines) + "\n]}\n"


def load(name: str) -> dict[int, Case]:
    """The cases of a file by number. Raises ValueError where it doesn't hold as many as it says."""
    content = json.loads(path(name).read_text())
    loaded = dict(_from_json(FILES[name], test) for test in content["tests"])
    if not len(loaded) == len(content["tests"]) == content["cases"]:
        raise ValueError(f"{path(name).name} does not hold the cases that it says")
    return loaded


def _as_json(number: int, case: Case) -> dict[str, Any]:
    written: dict[str, Any] = {"number": number}
    for name, content in _contents(case):
        if isinstance(content, bytes):
            written[name] = _write_bytes(content)
        elif isinstance(content, dict):
            written[name] = {key: f"{value:x}" for key, value in content.items()}
        else:
            written[name] = content
    return written


def _contents(case: Case) -> Iterator[tuple[str, Any]]:
    for part in fields(case):
        content = getattr(case, part.name)
        if content is not None:
            yield part.name, content


def _from_json(kind: type[Case], test: dict[str, Any]) -> tuple[int, Case]:
    number = test.pop("number")
    for part in fields(kind):
        if part.name in test and "bytes" in str(part.type):
            test[part.name] = _read_bytes(test[part.name])
    test["made"] = {key: int(value, 16) for key, value in test["made"].items()}
    return number, kind(**test)


def _write_bytes(data: bytes) -> str:
    if len(data) > 64 and len(set(data)) == 1:
        return f"{data[0]:02x}*{len(data)}"
    return data.hex()


def _read_bytes(text: str) -> bytes:
    single, _, times = text.partition("*")
    return bytes.fromhex(single) * int(times or 1)
