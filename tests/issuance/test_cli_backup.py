"""The drill: a backup of a bureau at work, its home and database gone, and the bureau again."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from bureau import make_application
from office import PASSPHRASE, PEOPLE, Office, first_people, make_office, refused
from servers.postgresql import PostgreSQLServer

from card_core.checkpointing import Checkpointer
from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.batches import ImportRoster
from card_core.signing import SigningKeys
from card_core.store import epochs, operators, restores
from issuance import checkpoint_file
from issuance.batches import new_request_id
from issuance.founding import Bureau, found
from issuance.installation import Installation, open_installation, random_bytes, utc_now

SHOWN = 18


def work(site: Installation, serial: int) -> str:
    """A roster that one person has imported; its batch, as the list shows it."""
    with site.store.read() as tx:
        maker = operators.find_by_name(tx, "wang")
    assert maker is not None
    return str(
        site.kernel.perform(
            ImportRoster("名册", bytes([serial]) * 32, (make_application(serial),), 0),
            actor=Actor(ActorKind.OPERATOR, maker.id),
            request_id=new_request_id(),
        )["batch_id"][:SHOWN]
    )


def checkpoint(site: Installation) -> None:
    keys = SigningKeys(site.store, site.keys, issuer=site.facts.issuer, clock=utc_now)
    assert Checkpointer(site.kernel, keys, clock=utc_now, random_bytes=random_bytes).round()
    checkpoint_file.bring_up_to_date(site.checkpoint_file, site.store)


def lose(office: Office) -> None:
    """Everything but the passphrase and the backup."""
    shutil.rmtree(office.settings.home.path)


def test_the_drill(office: Office, tmp_path: Path) -> None:
    folder = str(tmp_path / "backup")
    with open_installation(office.settings, PASSPHRASE.encode()) as site:
        before = work(site, 1)
        checkpoint(site)
        # While another process has the database open and writes.
        office.done("backup", folder)
        lost = work(site, 2)
        checkpoint(site)
        newer = tmp_path / "newer"
        shutil.copy(site.checkpoint_file, newer)
    assert "whole" in office.done("backup", folder, "--check")
    lose(office)
    shown = office.run("restore", folder)
    assert shown.exit_code == 0, shown.output
    # Everybody signs in again, and what was approved, is known, or is missing is that of then.
    office.sign_in(*PEOPLE)
    assert before in office.done("batch", "list", operator="li")
    assert lost not in office.done("batch", "list", operator="li")
    office.done("audit", "verify")
    with open_installation(office.settings, PASSPHRASE.encode()) as site:
        with site.store.read() as tx:
            epoch = epochs.get(tx)
            assert restores.last(tx) is not None
        assert epoch is not None
        assert not epoch.is_open
        work(site, 3)
    office.done("audit", "verify")
    # What was kept elsewhere says that acts are missing.
    refused(office.run("audit", "verify", "--against", str(newer)), "数据库被换成旧的", "older")
    refused(office.run("restore", folder), "已有安装", "There is an installation")


def on_new_database(server: PostgreSQLServer, folder: Path) -> Office:
    url = server.url(server.create())
    return Office(folder, {**make_office(folder).environment, "SSCARD_DATABASE_URL": url})


def test_the_drill_on_postgresql(tmp_path: Path, postgresql: PostgreSQLServer) -> None:
    office = on_new_database(postgresql, tmp_path)
    bureau = Bureau(7, "FS", "Test bureau")
    found(office.settings, PASSPHRASE.encode(), bureau=bureau, people=first_people(office))
    with open_installation(office.settings, PASSPHRASE.encode()) as site:
        before = work(site, 1)
    office.done("backup", str(tmp_path / "backup"))
    assert (tmp_path / "backup" / "sscard.dump").exists()
    lose(office)
    refused(office.run("restore", str(tmp_path / "backup")), "数据库已存在", "a database already")
    lose(office)
    new = on_new_database(postgresql, tmp_path)
    assert new.run("restore", str(tmp_path / "backup")).exit_code == 0
    new.sign_in("li")
    assert before in new.done("batch", "list", operator="li")
    new.done("audit", "verify")


def test_after_the_databases_own_restore_one_command_makes_void_what_was_issued(
    office: Office,
) -> None:
    refused(office.run("batch", "list", operator="x"), "尚未登录", "not signed in")
    office.done("batch", "list", operator="li")
    done = office.run("resume-from-backup", "--taken-at", "2026-07-01T08:00:00+08:00")
    assert done.exit_code == 0, done.output
    refused(office.run("batch", "list", operator="li"), "尚未登录", "not signed in")
    with open_installation(office.settings, PASSPHRASE.encode()) as site, site.store.read() as tx:
        assert restores.last(tx) is not None


@pytest.mark.parametrize("name", ["sscard.db", "keys/field.key.json", "home.json", "manifest.json"])
def test_a_backup_that_was_changed_is_refused_before_anything_is_written(
    office: Office, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "backup"
    office.done("backup", str(folder))
    lose(office)
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-5] + b"xxxxx")
    refused(office.run("restore", str(folder)), "备份", "backup")
    path.unlink()
    assert office.run("restore", str(folder)).exit_code == 1
    assert office.run("backup", str(folder), "--check").exit_code == 1
    assert not office.settings.home.path.exists()


def test_a_backup_stands_alone_for_its_owner_and_is_never_written_over(
    office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    office.done("backup", str(folder))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.name for path in folder.iterdir()} == {
        "sscard.db", "home.json", "keys", "manifest.json"
    }  # fmt: skip
    assert not any(PASSPHRASE.encode() in path.read_bytes() for path in files)
    with sqlite3.connect(f"file:{folder / 'sscard.db'}?mode=ro&immutable=1", uri=True) as copy:
        assert copy.execute("SELECT count(*) FROM operators").fetchone() == (len(PEOPLE),)
    copy.close()
    refused(office.run("backup", str(folder)), "无法写入", "can't be written")
    wrong = office.file("other", "another passphrase\n")
    lose(office)
    result = office.run("restore", str(folder), SSCARD_KEY_PASSPHRASE_FILE=str(wrong))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert not office.settings.home.path.exists()
