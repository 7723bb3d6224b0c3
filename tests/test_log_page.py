"""The list of what the log says, in docs/operations.md, holds every event of the program."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("card_core", "crypto", "issuance", "scan_api")
# Written by hand, as a document, or by whatever is repeated in the background; `_line` of requests.
WRITTEN = (r'"event\\?": ?\\?"([a-z_]+)', r'failure="([a-z_]+)"', r'_line\("([a-z_]+)"')


def test_the_page_has_every_event_and_no_other() -> None:
    sources = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    written = {name for form in WRITTEN for name in re.findall(form, text)}
    assert len(written) > 40
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.partition("## What the log says")[2].partition("\n## ")[0]
    first_cells = "".join(row.split("|")[1] for row in section.splitlines() if row[:1] == "|")
    assert set(re.findall("`([a-z_]+)`", first_cells)) - {"event"} == written
