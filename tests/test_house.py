"""The house keeps its shape: what no linter sees."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = {"crypto", "card_core", "issuance", "scan_api", "benchmarks", "tests", "docs", "deploy"}
CODE = ("crypto", "card_core", "issuance", "scan_api", "benchmarks", "tests")
LINES_MAX = 450


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return [Path(name) for name in listing.split("\0") if name and (ROOT / name).is_file()]


def sources(*endings: str) -> Iterator[Path]:
    return (path for path in tracked() if path.suffix in endings and path.parts[0] in CODE)


def test_the_top_level_has_the_rooms_and_no_others() -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    assert {name for name in folders if not name.startswith(".")} <= ROOMS


def test_no_source_file_is_too_long_to_live_in() -> None:
    long = {
        str(path): count
        for path in sources(".py", ".rs", ".js", ".css")
        if (count := len((ROOT / path).read_text().splitlines())) > LINES_MAX
    }
    assert long == {}


def test_no_leftovers_in_the_sources() -> None:
    # Spelled in halves, so that this file does not find itself.
    words = ["TO-DO", "FIX-ME", "XX-X", "unimplemented-!", "todo-!", "NotImplemented-Error"]
    marks = re.compile("|".join(word.replace("-", "") for word in words))
    found = [
        f"{path}:{number}"
        for path in sources(".py", ".rs", ".js")
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_only_the_kernel_opens_a_transaction_that_writes() -> None:
    found = {
        str(path)
        for path in sources(".py")
        if path.parts[0] not in {"tests", "benchmarks"}
        and any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "write"
            and isinstance(node.func.value, ast.Attribute | ast.Name)
            and "store" in ast.unparse(node.func.value)
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
        )
    }
    assert all(name.startswith("card_core/kernel/") for name in found), found


def test_no_assert_guards_what_runs() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in sources(".py")
        if path.parts[0] not in {"tests", "benchmarks"}
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_the_native_cores_are_private_to_their_rooms() -> None:
    owners = {"crypto._native": "crypto", "card_core._native": "card_core"}
    found = [
        f"{path}: {module}"
        for path in sources(".py")
        if path.parts[0] != "tests"
        for module in imported(path)
        if owners.get(module, path.parts[0]) != path.parts[0]
    ]
    assert found == []


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_each_picture_of_the_user_guide_is_there_and_no_other() -> None:
    guide = (ROOT / "docs" / "user-guide.md").read_text()
    named = set(re.findall(r"\]\(pictures/([^)]+)\)", guide))
    assert named == {path.name for path in tracked() if path.parent == Path("docs/pictures")}
