"""`sscard offline`, and `sscard terminal trust`: the key goes from the one to the other."""

import json
import re

from office import Office, refused

from issuance.installation import Installation


def test_a_terminal_pins_the_key_that_the_bureau_shows(office: Office, site: Installation) -> None:
    shown = office.done("offline", "status-key", operator="admin")
    found = re.search(r"status\.7\.1:0[23][0-9a-f]{64}", shown)
    assert found, shown
    folder = office.folder / "terminal"
    refused(
        office.run("terminal", "trust", found[0], "--folder", str(folder)), "没有", "There is no"
    )
    folder.mkdir()
    office.done("terminal", "trust", found[0], "--folder", str(folder))
    kept = json.loads((folder / "offline/status-key.json").read_text())
    assert kept == {"keys": [found[0]]}
    for wrong in ("status.7.1", "receipt.7.1:" + "02" * 33, "status.7.1:" + "ff" * 33):
        result = office.run("terminal", "trust", wrong, "--folder", str(folder))
        refused(result, "状态密钥应形如", "A status key looks like")
    assert json.loads((folder / "offline/status-key.json").read_text()) == kept


def test_without_doubles_there_are_no_pairs(office: Office, site: Installation) -> None:
    listed = office.done("offline", "pairs", operator="admin")
    assert not re.search(r"[0-9a-f]{32}", listed)
