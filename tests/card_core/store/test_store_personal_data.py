"""No name, number, phone or address stands in clear in the files of the database."""

from pathlib import Path

import pytest
from bureau import HOLDER_PASSWORD, PEPPER, Bureau
from servers.databases import Databases, SQLiteDatabases
from servers.postgresql import PostgreSQLServer
from stock import import_stock, make_stock_card, released, take_over

from card_core.card_policy import CardNumberKept
from card_core.errors import SignInRefusedError
from card_core.kernel.acts import batches as batch_acts
from card_core.kernel.acts.batches import IssueChunk
from card_core.kernel.acts.cards import CancelCard, CancelReason, ReportTemporaryLoss
from card_core.kernel.acts.holder_base import (
    CorrectHolder,
    HolderEvidence,
    MergeHolders,
    seen_digest,
)
from card_core.kernel.acts.life_events import ApplyForLifeEvent
from card_core.kernel.acts.replacements import ExchangeCard, ExchangeReason
from card_core.life_events import LifeEvent
from card_core.sign_in import sign_in_holder
from card_core.store import holders

PEOPLE = 15


def canaries(bureau: Bureau) -> list[str]:
    """A scenario that touches every table, and every text of it that belongs to somebody."""
    applications = bureau.next_applications(PEOPLE)
    imported = bureau.import_roster(applications)
    bureau.approve(imported)
    for number in range(1, imported["chunks"] + 1):
        bureau.perform(IssueChunk(imported["batch_id"], number), bureau.maker)
    bureau.import_roster(bureau.next_applications(2))
    person, other, third = bureau.people(3)
    bureau.scan(bureau.minter.mint(person.holder_id).text)
    sign_in_holder(bureau.kernel, person.number, HOLDER_PASSWORD, pepper=PEPPER)
    with pytest.raises(SignInRefusedError):
        sign_in_holder(bureau.kernel, applications[0].number.text, "000000", pepper=PEPPER)
    bureau.perform(ReportTemporaryLoss(person.card_id), person.actor)
    bureau.decide(CancelCard(other.card_id, CancelReason.DEATH))
    stock = make_stock_card(1), make_stock_card(2)
    take_over(bureau, released(bureau, stock[0]))
    import_stock(bureau, stock[1])
    corrected = make_stock_card(3)
    with bureau.store.read() as tx:
        both = [holders.get(tx, one.holder_id) for one in (person, other)]
        records = [one for one in both if one is not None]
        seen, alone = seen_digest(tx, *records), seen_digest(tx, records[0])
    evidence = HolderEvidence.IDENTITY_DOCUMENT
    bureau.decide(MergeHolders(person.holder_id, other.holder_id, evidence, seen))
    bureau.decide(
        CorrectHolder(person.holder_id, corrected.name, corrected.number, evidence, alone)
    )
    found = [person.number, person.name, other.number, other.name]
    bureau.decide(ExchangeCard(third.card_id, ExchangeReason.DAMAGED, CardNumberKept.NEW))
    (newcomer,) = bureau.next_applications(1)
    event = ApplyForLifeEvent(LifeEvent.FIRST_JOB, "first job", bytes(32), (newcomer,))
    bureau.perform(event, bureau.maker)
    found = [text for one in (person, other, third) for text in (one.number, one.name)]
    found += [newcomer.number.text, newcomer.name, newcomer.phone, newcomer.address]
    for one in applications:
        found += [one.number.text, one.name, one.phone, one.address]
    for card in (*stock, corrected):
        found += [card.number.text, card.name]
    for card in stock:
        found += [card.phone, card.identification_code]
    return found


def stored_bytes(request: pytest.FixtureRequest, databases: Databases, url: str) -> bytes:
    """Everything the database keeps in files, its journal included."""
    if isinstance(databases, SQLiteDatabases):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(
            file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file()
        )
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    server.checkpoint()
    files = [*server.files_of(url), *(server.home / "data" / "pg_wal").rglob("*")]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def test_no_personal_data_is_in_the_files_in_clear(
    request: pytest.FixtureRequest,
    bureau: Bureau,
    databases: Databases,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_acts, "CHUNK_SIZE", 10)
    texts = canaries(bureau)
    assert len(texts) >= 4 * PEOPLE
    stored = stored_bytes(request, databases, database_url)
    assert b"record_scans" in stored  # the files are the right ones
    for text in texts:
        for encoding in ("utf-8", "gb18030", "utf-16-le"):
            assert text.encode(encoding) not in stored, "a personal text is stored in clear"
        assert text.encode().hex().encode() not in stored
    assert b"pbkdf2" not in stored
