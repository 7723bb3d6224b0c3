"""Looking for what belongs to somebody wherever it may have been left, however it is written there.

A canary is a text that stands for one person and nothing else: a name, a number, a phone, an
address, a code. It is looked for in every encoding of `spellings`; zipped members are unpacked, and
the digits of codes turned into their bytes, before the search. GNU grep does the looking: ten
thousands of patterns over hundreds of megabytes.
"""

import base64
import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

CHARSETS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
PATTERN_BYTES_MIN = 5
# A text so short stands among other digits and letters by chance, so it must stand alone.
ALONE_BYTES_MAX = 8
# As docs/code-format.md, section 1: how many digits are behind the marker, and of how many bytes.
CODE_MARKER = "7406"
CODE_BYTES = {249: 103, 489: 203}
_CODE = re.compile(rb"(?<![0-9])7406(?:[0-9]{489}|[0-9]{249})(?![0-9])")
GREP_SECONDS_MAX = 600


@dataclass(frozen=True, order=True)
class Hit:
    """place: the file's name, and behind "!" what in it was unpacked."""

    place: str
    canary: str
    spelling: str


@cache
def spellings(canary: str) -> dict[str, bytes]:
    """Every way in which the text may be written, by the name of the way."""
    found: dict[str, bytes] = {}
    for text in {canary, canary.lower(), canary.upper()}:
        ascii_only = text.isascii()
        case = "" if text == canary else ", other case"
        for charset in CHARSETS:
            data = text.encode(charset)
            if charset == "gb18030" and ascii_only:
                continue
            for name, spelt in _of_bytes(data):
                found[f"{charset}, {name}{case}"] = spelt
        if not ascii_only:
            escaped = json.dumps(text)[1:-1]
            found["JSON"] = escaped.encode()
            found["JSON, capitals"] = escaped.upper().replace("\\U", "\\u").encode()
    digits = canary.encode()
    if digits.isdigit() and len(digits) > ALONE_BYTES_MAX:
        packed = bytes.fromhex(canary.zfill(len(canary) + len(canary) % 2))
        found["packed decimal"] = packed
    if is_code(canary):
        for name, spelt in _of_bytes(code_bytes(canary)):
            found[f"bytes of the code, {name}"] = spelt
    # A pattern file has one line for each; what has a line's end in it has other spellings left.
    return {
        name: one
        for name, one in found.items()
        if len(one) >= PATTERN_BYTES_MIN and b"\n" not in one
    }


def _of_bytes(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "as it is", data
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    for shift in range(3):
        # Whole characters of base 64 alone, which nothing beside the text has a share in.
        first, last = -(-8 * shift // 6), 8 * (shift + len(data)) // 6
        whole = base64.b64encode(bytes(shift) + data)[first:last]
        yield f"base64 from {shift}", whole
        yield f"base64url from {shift}", whole.translate(bytes.maketrans(b"+/", b"-_"))
    every = "".join(f"%{byte:02X}" for byte in data)
    yield "percent", every.encode()
    yield "percent, small", every.lower().encode()
    yield "percent where needed", quote(data).encode()


def is_code(text: str) -> bool:
    return text.startswith(CODE_MARKER) and len(text) - len(CODE_MARKER) in CODE_BYTES


def code_bytes(text: str) -> bytes:
    """Of a code's text what its digits are; nothing for a number that is too large."""
    digits = text.removeprefix(CODE_MARKER)
    size = CODE_BYTES[len(digits)]
    number = int(digits)
    return number.to_bytes(size) if number < 256**size else b""


def found_in(canaries: Iterable[str], *contents: bytes) -> set[str]:
    """Which of them stand in any of these."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for at, content in enumerate(contents):
            paths.append(Path(folder, str(at)))
            paths[-1].write_bytes(content)
        return {hit.canary for hit in search(canaries, paths)}


def search(canaries: Iterable[str], paths: Iterable[Path]) -> set[Hit]:
    """Every canary that stands in any of these files, and how it is written there.

    A server at work removes a file of its own now and then, so one that is gone holds nothing.
    """
    known = [(one, name, spelt) for one in canaries for name, spelt in spellings(one).items()]
    owners: dict[bytes, tuple[str, str]] = {}
    for canary, name, spelt in known:
        owners.setdefault(spelt, (canary, name))
    with tempfile.TemporaryDirectory() as folder:
        patterns = Path(folder, "patterns")
        patterns.write_bytes(b"\n".join(owners) + b"\n")
        places = {str(path): path.name for path in paths}
        for path in list(places):
            try:
                places |= _unpacked(Path(path), Path(folder))
            except FileNotFoundError:
                del places[path]
        return set(_hits(patterns, places, owners))


def _hits(
    patterns: Path, places: dict[str, str], owners: dict[bytes, tuple[str, str]]
) -> Iterator[Hit]:
    if not places:
        return
    done = subprocess.run(
        ["grep", "-aobHZFf", patterns, "--", *places],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=GREP_SECONDS_MAX,
        check=False,
    )
    gone = sum(not Path(path).exists() for path in places)
    if done.returncode > 1 and len(done.stderr.splitlines()) > gone:
        raise RuntimeError(done.stderr.decode())
    for line in done.stdout.splitlines():
        path, _, rest = line.partition(b"\0")
        offset, _, matched = rest.partition(b":")
        canary, name = owners[matched]
        if len(matched) <= ALONE_BYTES_MAX and not _stands_alone(path, int(offset), matched):
            continue
        yield Hit(places[path.decode()], canary, name)


def _stands_alone(path: bytes, offset: int, matched: bytes) -> bool:
    """Whether other letters and digits are beside it; of what is not ASCII that says nothing."""
    if not matched.isalnum():
        return True
    with open(path, "rb") as file:
        file.seek(max(0, offset - 1))
        around = file.read(len(matched) + (2 if offset else 1))
    before, after = around[: min(offset, 1)], around[min(offset, 1) + len(matched) :]
    return not (before.isalnum() or after.isalnum())


def _unpacked(path: Path, folder: Path) -> dict[str, str]:
    """What is in the file's archive and behind the digits of its codes: files, by what they are."""
    parts: dict[str, bytes] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            parts |= {name: archive.read(name) for name in archive.namelist()}
    codes = b"\n".join(code_bytes(found[0].decode()) for found in _CODE.finditer(path.read_bytes()))
    if codes:
        parts["codes"] = codes
    places = {}
    for name, content in parts.items():
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        places[file.name] = f"{path.name}!{name}"
    return places
