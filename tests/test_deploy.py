"""What stands in deploy/ fits the code; the bill of materials names everything that is locked."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from issuance.cli import sbom

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SETTING = re.compile(r"\bSSCARD_[A-Z0-9_]+\b")


def settings_of_the_code() -> set[str]:
    """Every variable that anything which runs reads or tells people of."""
    rooms = ("crypto", "card_core", "issuance", "scan_api")
    paths = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    return {found for path in paths for found in SETTING.findall(path.read_text())}


def test_the_reference_lists_every_setting_and_no_other() -> None:
    listed = set(
        re.findall(r"^#?(SSCARD_[A-Z0-9_]+)=", (DEPLOY / "sscard.env").read_text(), re.MULTILINE)
    )
    assert listed == settings_of_the_code()


@pytest.mark.parametrize("unit", sorted(path.name for path in (DEPLOY / "systemd").iterdir()))
def test_systemd_takes_the_units(unit: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    # Installed as docs/operations.md says, but for where: nothing of it is on this machine.
    program = tmp_path / "opt" / ".venv" / "bin" / "sscard"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace("/opt/sscard", str(tmp_path / "opt"))
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "sscard" in line]
    assert (done.returncode, told) == (0, [])


def test_the_units_run_commands_that_there_are() -> None:
    from issuance.cli.commands import _PLACES

    text = "".join(path.read_text() for path in (DEPLOY / "systemd").iterdir())
    assert set(re.findall(r"bin/sscard (\w+)", text)) <= set(_PLACES)


@pytest.mark.parametrize(
    "script", sorted((DEPLOY / "offline").glob("*.sh")), ids=lambda one: one.name
)
def test_the_scripts_are_shell(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", script], check=True)


def test_the_bill_of_materials_names_what_is_locked() -> None:
    python_lock = (ROOT / "requirements.lock").read_text()
    rust_lock = (ROOT / "Cargo.lock").read_text()
    document = sbom.bill(python_lock, rust_lock, "1.2.3")
    assert (document["bomFormat"], document["specVersion"], document["version"]) == (
        "CycloneDX",
        "1.6",
        1,
    )
    named = {
        (one["purl"].split("/")[0], one["name"], one["version"]) for one in document["components"]
    }
    pinned = set(re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", python_lock, re.MULTILINE))
    crates = {
        (one["name"], one["version"])
        for one in tomllib.loads(rust_lock)["package"]
        if "source" in one
    }
    assert named == {("pkg:pypi", *one) for one in pinned} | {("pkg:cargo", *one) for one in crates}
    assert len(pinned) > 20
    assert len(crates) > 5
    hashes = sum(len(one["hashes"]) for one in document["components"])
    assert hashes == python_lock.count("--hash=sha256:") + len(crates)
    refs = [one["bom-ref"] for one in document["components"]]
    assert len(set(refs)) == len(refs)
    assert document["dependencies"][0]["dependsOn"] == refs
    assert sbom.bill(python_lock, rust_lock, "1.2.3") == document
    other = sbom.bill(python_lock, rust_lock, "1.2.4")["serialNumber"]
    assert other != document["serialNumber"]
