"""The audit administrator takes the log out, sees no holders, and nobody else takes it out."""

import json
from datetime import date

import pytest
from office import ROSTERS, Office, refused

from card_core.store import audit
from crypto import sm3
from issuance.installation import Installation
from issuance.roster import check_roster

ROSTER = ROSTERS / "foshan-600.xlsx"


def test_the_log_is_exported_whole_without_personal_data_and_that_is_logged(
    office: Office, site: Installation
) -> None:
    office.done("roster", "import", str(ROSTER), operator="wang")
    path = office.folder / "log.jsonl"
    said = office.done("audit", "export", str(path), operator="auditor")
    content = path.read_bytes()
    assert sm3.digest(content).hex() in said.replace("\n", "")
    assert path.stat().st_mode & 0o077 == 0
    first, *lines = [json.loads(line) for line in content.splitlines()]
    with site.store.read() as tx:
        heads = {chain: audit.head(tx, chain) for chain in audit.CHAINS}
    # The export itself came behind what is in it.
    assert first["events"] == {"bureau": heads["bureau"][0] - 1, "scan": heads["scan"][0]}
    bureau = [one for one in lines if one["chain"] == "bureau"]
    assert [one["seq"] for one in bureau] == list(range(1, heads["bureau"][0]))
    assert {"close_import", "sign_in", "set_up_first_operators"} <= {one["act"] for one in bureau}
    people = check_roster(ROSTER, today=date(2026, 11, 22)).applications
    text = content.decode()
    for one in people:
        assert one.name not in text
        assert one.number.text not in text
        assert one.phone not in text
    again = office.folder / "again.jsonl"
    office.done("audit", "export", str(again), operator="auditor")
    last = json.loads(again.read_bytes().splitlines()[heads["bureau"][0]])
    assert (last["act"], last["detail"]["digest"]) == (
        "export_audit_log",
        sm3.digest(content).hex(),
    )


@pytest.mark.parametrize("name", ["admin", "security", "wang", "li"])
def test_nobody_else_exports_the_log(office: Office, name: str) -> None:
    path = office.folder / "log.jsonl"
    result = office.run("audit", "export", str(path), operator=name)
    refused(result, "审计管理员", "auditor")
    assert not path.exists()


@pytest.mark.parametrize("name", ["admin", "security", "auditor"])
@pytest.mark.parametrize(
    "command",
    [
        ("holder", "show", "FS0000001"),
        ("holder", "duplicates"),
        ("holder", "compare", "theirs.csv", "--output", "differences.csv"),
        ("card", "list", "foshan-600"),
        ("card", "show", "FS0000001"),
        ("stock", "check", "stock.csv"),
    ],
)
def test_who_administers_or_audits_reads_no_holders(
    office: Office, name: str, command: tuple[str, ...]
) -> None:
    result = office.run(*command, operator=name)
    assert result.exit_code == 1
    assert "maker" in result.stderr
    assert "checker" in result.stderr
