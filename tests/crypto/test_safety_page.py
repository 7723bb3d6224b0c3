"""crypto/SAFETY.md names tests; each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "crypto/SAFETY.md"
NAMED = re.compile(r"`([\w/]+\.(?:py|rs))::(\w+)`")
FILES = re.compile(r"`([\w/]+/[\w.]+\.(?:py|rs|md))`")
ROWS_MIN = 13


def is_there(file: str, name: str) -> bool:
    """Whether a test of this name stands in this file and is run as a test."""
    python = file.endswith(".py")
    path = ROOT / ("tests" if python else "crypto/native/sm/src") / file
    if not path.is_file():
        return False
    definition = rf"^def {name}\(" if python else rf"^#\[test\]\nfn {name}\(\)"
    return re.search(definition, path.read_text(), re.MULTILINE) is not None


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(NAMED.findall(PAGE.read_text()))
    assert len(named) >= 30
    assert {one for one in named if not is_there(*one)} == set()


def test_every_file_that_the_page_names_is_there() -> None:
    assert [name for name in FILES.findall(PAGE.read_text()) if not (ROOT / name).exists()] == []


def test_each_failure_of_others_has_a_test() -> None:
    text = PAGE.read_text()
    section = text.split("## Failures of others", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= ROWS_MIN
    assert [row for row in rows if not NAMED.search(row)] == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("crypto/test_nonces.py", "test_that_nobody_wrote"),
        ("crypto/test_nowhere.py", "test_nonces_of_many_messages_look_random"),
        ("sm2/tests/nonces.rs", "nonce_of"),
    ],
)
def test_a_name_without_a_test_is_noticed(file: str, name: str) -> None:
    assert not is_there(file, name)
