"""The same commands on SQLite and on PostgreSQL."""

import re
from pathlib import Path

from office import PASSPHRASE, PEOPLE, ROSTERS, Office, first_people, make_office

from card_core.store import batches, issuers
from issuance.founding import Bureau, found
from issuance.installation import open_installation


def test_from_an_empty_database_to_issued_cards(tmp_path: Path, database_url: str) -> None:
    local = make_office(tmp_path)
    office = Office(tmp_path, {**local.environment, "SSCARD_DATABASE_URL": database_url})
    bureau = Bureau(7, "FS", "Test bureau")
    found(office.settings, PASSPHRASE.encode(), bureau=bureau, people=first_people(office))
    office.sign_in(*PEOPLE)
    office.done("roster", "import", str(ROSTERS / "foshan-600.xlsx"), operator="wang")
    office.done("batch", "approve", "foshan-600", "--yes", operator="li")
    office.done("batch", "issue", "foshan-600", operator="wang")
    office.done("card", "activate", "FS0000552", operator="wang")
    office.done("upgrade")
    assert re.search("审计链完整，[0-9]{4} 条", office.done("audit", "verify"))
    assert not (tmp_path / "home" / "sscard.db").exists()
    with open_installation(office.settings, PASSPHRASE.encode()) as site, site.store.read() as tx:
        (batch,) = batches.page(tx)
        own = issuers.own(tx)
    assert (batch.state.value, batch.issued) == ("issued", 552)
    assert own is not None
    assert own.next_card_serial == 553
