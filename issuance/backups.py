"""A backup: a folder with the database, the keys under their passphrase, and what tells they fit.

    manifest.json            written last; without it the folder is no backup
    sscard.db, sscard.dump   SQLite, or PostgreSQL's own format
    home.json, keys/         the home without sessions, which end with a restore
    checkpoints.jsonl        as it was after the database was copied

The passphrase is in none of them, and whoever has both has everything: keep them apart.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from card_core.kernel import Actor, ActorKind
from card_core.kernel.acts.restores import ResumeFromBackup
from card_core.store import audit, backup
from crypto import sm3
from crypto.keys import KeyFiles
from issuance.batches import new_request_id
from issuance.errors import FileRefusedError, HomeError
from issuance.files import PRIVATE, not_readable, not_writable, sync_folder, write_whole
from issuance.home import FOLDER_MODE
from issuance.installation import Installation, open_installation, utc_now
from issuance.settings import Settings

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
CHECKPOINTS: Final = "checkpoints.jsonl"
_READ_AT_ONCE: Final = 1 << 20
_RESTORING: Final = Actor(ActorKind.SYSTEM, "restore")


@dataclass(frozen=True, slots=True)
class Manifest:
    """taken_at: aware; everything committed before it is in the backup. files: SM3 by name."""

    taken_at: datetime
    issuer: int
    database: str
    files: dict[str, str]


def take(settings: Settings, folder: Path) -> Manifest:
    """Make a backup in a new folder, while the service may run.

    Raises FileRefusedError where there is such a folder; HomeError, BackupError.
    """
    facts = settings.home.facts()
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True)
        taken_at = utc_now()
        name = backup.name_for(settings.database_url)
        backup.take(settings.database_url, folder / name)
        shutil.copytree(settings.home.keys, folder / "keys")
        shutil.copy2(settings.home.facts_file, folder)
        checkpoints = settings.checkpoint_file or settings.home.checkpoint_file
        if checkpoints.exists():
            shutil.copy2(checkpoints, folder / CHECKPOINTS)
        for path in folder.rglob("*"):
            path.chmod(FOLDER_MODE if path.is_dir() else PRIVATE)
        manifest = Manifest(taken_at, facts.issuer, name, _digests(folder))
    except OSError as error:
        raise not_writable(folder, error) from error
    write_whole(folder / MANIFEST, _to_json(manifest), mode=PRIVATE)
    sync_folder(folder)
    return manifest


def check(folder: Path) -> Manifest:
    """What a backup says of itself, after each of its files was compared.

    Raises FileRefusedError for a folder that is none, or with a file that is missing or changed.
    """
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        if content["format"] != FORMAT:
            raise ValueError("format")
        found = Manifest(
            datetime.fromisoformat(content["taken_at"]).astimezone(UTC),
            int(content["issuer"]),
            str(content["database"]),
            {str(name): str(digest) for name, digest in content["files"].items()},
        )
        for name, digest in _digests(folder).items():
            if found.files.get(name) != digest:
                raise _unusable(folder, name)
        for name in found.files:
            if not (folder / name).is_file():
                raise _unusable(folder, name)
    except OSError as error:
        raise not_readable(folder / MANIFEST, error) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unusable(folder, MANIFEST) from None
    return found


def restore(settings: Settings, folder: Path, passphrase: bytes) -> dict[str, Any]:
    """Make an installation of a backup, in a home and a database that are not there yet.

    Its audit log is verified before anything else is done with it. Returns the answer of
    ResumeFromBackup and the number of events. Raises FileRefusedError, HomeError, BackupError,
    AuditChainError, KeyFileError.
    """
    manifest = check(folder)
    home = settings.home
    if home.is_initialised() or home.keys.exists():
        raise HomeError(
            "home_not_empty",
            f"{home.path} 已有安装，未作更改。请让 SSCARD_HOME 指向空的文件夹。",
            f"There is an installation in {home.path}, and nothing was changed. Let SSCARD_HOME "
            "name an empty folder.",
        )
    if manifest.database != backup.name_for(settings.database_url):
        raise _unusable(folder, backup.name_for(settings.database_url))
    # Before anything is written: with another passphrase all of it would be of no use.
    KeyFiles.open(folder / "keys", passphrase)
    home.make()
    backup.put_back(folder / manifest.database, settings.database_url)
    try:
        shutil.copytree(folder / "keys", home.keys)
        home.keys.chmod(FOLDER_MODE)
        if (folder / CHECKPOINTS).exists():
            home.checkpoint_file.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            shutil.copy2(folder / CHECKPOINTS, home.checkpoint_file)
        # Last: a restore that was interrupted is no installation.
        shutil.copy2(folder / home.facts_file.name, home.facts_file)
    except OSError as error:
        raise not_writable(home.path, error) from error
    with open_installation(settings, passphrase) as site:
        return resume(site, manifest.taken_at)


def resume(site: Installation, taken_at: datetime) -> dict[str, Any]:
    """What has to follow a restore, whoever made it. Raises AuditChainError, and does nothing then.

    Returns the answer of ResumeFromBackup, and `events`, how many the audit log has.
    """
    with site.store.read() as tx:
        events = sum(audit.verify_chain(tx, chain) for chain in audit.CHAINS)
    act = ResumeFromBackup(taken_at)
    answer = site.kernel.perform(act, actor=_RESTORING, request_id=new_request_id())
    return {**answer, "events": events}


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def _digest(path: Path) -> str:
    digest = sm3.Hash()
    with path.open("rb") as file:
        while part := file.read(_READ_AT_ONCE):
            digest.update(part)
    return digest.digest().hex()


def _to_json(manifest: Manifest) -> bytes:
    content = {
        "format": FORMAT,
        "taken_at": manifest.taken_at.isoformat(),
        "issuer": manifest.issuer,
        "database": manifest.database,
        "files": manifest.files,
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _unusable(folder: Path, name: str) -> FileRefusedError:
    return FileRefusedError(
        "backup_unusable",
        f"{folder} 不是可用的备份：{name} 缺失、被改动或类型不符。请使用另一份备份。",
        f"{folder} is no backup that can be used: {name} is missing, was changed, or is of another "
        "kind. Use another backup.",
    )
