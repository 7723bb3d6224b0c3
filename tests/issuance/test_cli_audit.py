"""`sscard audit verify` believes what lies outside the database more than the database."""

from pathlib import Path

import pytest
from office import Office, refused
from sqlalchemy import delete, select, update
from test_cli_receipt import text_of

from card_core.checkpointing import Checkpointer
from card_core.signing import SigningKeys
from card_core.status_publishing import StatusPublisher
from card_core.store import audit, bundles
from card_core.store.schema import audit_checkpoints, audit_events, audit_heads
from card_core.store.schema import bundles as table
from issuance import checkpoint_file
from issuance.installation import Installation, random_bytes, utc_now

CHAIN = "bureau"


def checkpointed(site: Installation) -> Path:
    """A checkpoint, copied out as `sscard serve` does."""
    keys = SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)
    assert Checkpointer(site.kernel, keys, clock=utc_now, random_bytes=random_bytes).round()
    assert checkpoint_file.bring_up_to_date(site.checkpoint_file, site.store) == 1
    return site.checkpoint_file


def published_bundle(site: Installation, folder: Path) -> Path:
    keys = SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)
    StatusPublisher(site.store, site.kernel, keys, clock=utc_now, random_bytes=random_bytes).round()
    with site.store.read() as tx:
        found = bundles.published(tx, site.facts.issuer)
    assert found is not None
    assert found.signature is not None
    path = folder / "bundle"
    path.write_bytes(found.to_be_signed.removeprefix(b"sscard/bundle/v1\n") + found.signature)
    return path


def rewrite(site: Installation) -> None:
    """The first operators' names in the log, by somebody who has every key of the database; and no
    checkpoint or bundle in it that would tell."""
    with site.store.write() as tx:
        found = select(audit_events).where(audit_events.c.chain == CHAIN)
        rows = tx.connection.execute(found.order_by(audit_events.c.seq)).all()
        link = audit.FIRST_LINK
        for row in rows:
            columns = {name: getattr(row, name) for name in audit.Event.__slots__}
            new = audit.Event(**columns | ({"actor_id": "set-up"} if row.seq == 2 else {}))
            link = audit._link(tx, link, CHAIN, row.seq, new)
            tx.connection.execute(
                update(audit_events)
                .where(audit_events.c.chain == CHAIN, audit_events.c.seq == row.seq)
                .values(actor_id=new.actor_id, link=link)
            )
        mac = tx.cipher.audit_head_mac(CHAIN, rows[-1].seq, link)
        tx.connection.execute(
            update(audit_heads).where(audit_heads.c.chain == CHAIN).values(link=link, mac=mac)
        )
        tx.connection.execute(delete(audit_checkpoints))
        tx.connection.execute(delete(table))


def test_a_log_that_was_rewritten_is_seen_by_the_file_of_checkpoints(
    office: Office, site: Installation
) -> None:
    assert "There is no file of checkpoints" in office.run("audit", "verify").stderr
    checkpointed(site)
    assert "4 signed heads" in office.done("audit", "verify")
    rewrite(site)
    refused(office.run("audit", "verify"), "被改写", "does not fit a signed checkpoint")


@pytest.mark.parametrize("what", ["bundle", "checkpoints"])
def test_a_copy_kept_elsewhere_shows_it_where_the_file_is_gone(
    office: Office, site: Installation, tmp_path: Path, what: str
) -> None:
    if what == "bundle":
        copy = published_bundle(site, tmp_path)
    else:
        copy = checkpointed(site).rename(tmp_path / "copy")
    office.done("audit", "verify", "--against", str(copy))
    rewrite(site)
    result = office.run("audit", "verify")
    assert result.exit_code == 0
    assert "没有检查点文件" in result.output
    refused(
        office.run("audit", "verify", "--against", str(copy)), "被改写", "does not fit a signed"
    )


def test_a_receipt_in_a_drawer_shows_it(office: Office, site: Installation) -> None:
    with site.store.read() as tx:
        seq, link = audit.head(tx, CHAIN)
    true = text_of(site, audit_chain=CHAIN, audit_seq=seq, audit_link=link)
    file = str(office.file("receipt", true + "\n"))
    office.done("audit", "verify", "--against", file)
    other = text_of(site, audit_chain=CHAIN, audit_seq=seq, audit_link=bytes([1]) * 32)
    file = str(office.file("receipt", f'{{"receipt": "{other}"}}'))
    refused(office.run("audit", "verify", "--against", file), "被改写", "does not fit a signed")


@pytest.mark.parametrize("content", [b"", b"x", b"\x15", b'{"checkpoint":"", "signature":""}\n'])
def test_what_proves_nothing_is_refused(office: Office, content: bytes) -> None:
    file = str(office.file("evidence", content))
    result = office.run("audit", "verify", "--against", file)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "evidence" in result.stderr
    missing = office.run("audit", "verify", "--against", "nowhere")
    refused(missing, "无法读取", "can't be read")


def test_a_checkpoint_under_a_strangers_key_is_refused(
    office: Office, site: Installation, tmp_path: Path
) -> None:
    path = checkpointed(site)
    line = path.read_bytes()
    path.write_bytes(line.replace(line[-10:-6], b"AAAA"))
    refused(office.run("audit", "verify"), "第 1 行", "Line 1")
    # The row of the key was replaced along with it: the key folder's half is what counts.
    path.unlink()
    with site.store.write() as tx:
        tx.connection.execute(update(audit_checkpoints).values(signature=bytes(64)))
    refused(office.run("audit", "verify"), "检查点", "checkpoint")
