"""One installation, put together: home, keys, database, kernel.

    with open_installation(settings, passphrase) as site:
        site.kernel.perform(act, actor=actor, request_id=new_request_id())

Everything below gets its clock and its random source from here.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from card_core.errors import SchemaOutdatedError
from card_core.fast_store import FastStoreConfig, Mode, open_card_pusher
from card_core.holder_views import HolderViews
from card_core.kernel import BoxKeyWrap, Kernel
from card_core.kernel.grants import Grants, ReceiptMaker
from card_core.pseudonyms import Pseudonyms
from card_core.sign_in import Profile
from card_core.signing import SigningKeys
from card_core.store import FieldCipher, Store, open_store
from card_core.store.cipher import KEY_SIZES_BYTES as FIELD_CIPHER_KEY_SIZES_BYTES
from card_core.visits import VisitTokens
from crypto import random_source
from crypto.keys import KeyFiles, KeyMaker, KeyProvider
from issuance import field_key_files
from issuance.errors import HomeError, SettingsError
from issuance.home import Home, HomeFacts
from issuance.making.personalising import CardPersonaliser
from issuance.settings import PersonCheckSettings, Settings

SQLITE = "sqlite:///"
DATABASE_KINDS = (SQLITE, "postgresql://", "postgresql+psycopg://")


def utc_now() -> datetime:
    return datetime.now(UTC)


def random_bytes(size: int) -> bytes:
    """Raises crypto.RandomSourceError, SelfTestError, and ValueError above 1 MiB."""
    return random_source.random_bytes(size)


@dataclass(frozen=True, slots=True)
class Installation:
    """What every command works with; made by `open_installation`.

    fast_store, peer_ca_file, events_url, person_check: as in Settings. checkpoint_file: where
    checkpoints go.
    """

    home: Home
    facts: HomeFacts
    keys: KeyMaker
    store: Store
    kernel: Kernel
    checkpoint_file: Path
    fast_store: FastStoreConfig | None = None
    peer_ca_file: Path | None = None
    events_url: str | None = None
    person_check: PersonCheckSettings | None = None

    @property
    def profile(self) -> Profile:
        """Which password hashes and second factors it admits."""
        return self.facts.profile

    @property
    def pepper(self) -> bytes:
        """What passwords are hashed with, beside their salt; 32 bytes."""
        return self.keys.secret("password")


@contextmanager
def open_installation(settings: Settings, passphrase: bytes) -> Iterator[Installation]:
    """Open keys and database of an initialised home.

    Raises HomeError, SettingsError, crypto.keys.KeyFileError, SchemaOutdatedError, StoreError.
    """
    facts = settings.home.facts()
    keys = KeyFiles.open(settings.home.keys, passphrase)
    with open_founded_database(settings, keys) as store:
        if not store.is_current():
            raise SchemaOutdatedError
        kernel = make_kernel(store, keys, settings, facts.issuer)
        yield Installation(
            settings.home,
            facts,
            keys,
            store,
            kernel,
            settings.checkpoint_file or settings.home.checkpoint_file,
            settings.fast_store,
            settings.peer_ca_file,
            settings.events_url,
            settings.person_check,
        )


class _Secrets(Protocol):
    """As much of a key provider as a database needs."""

    def secret(self, name: str) -> bytes: ...


class _NoSecrets:
    """For looking at a database's structure: with keys of zeros no row of it can be read."""

    def secret(self, name: str) -> bytes:
        return bytes(FIELD_CIPHER_KEY_SIZES_BYTES[name])


@contextmanager
def open_database_unread(settings: Settings) -> Iterator[Store]:
    """The database of an initialised home, for its structure alone. Raises as the next one."""
    with open_founded_database(settings, _NoSecrets()) as store:
        yield store


@contextmanager
def open_founded_database(settings: Settings, keys: _Secrets) -> Iterator[Store]:
    """The database of an initialised home, of whatever version; an empty one is none.

    Raises HomeError where it is missing: a new one in its place would look like an installation
    that has lost everything. SettingsError, StoreError.
    """
    _check_file_is_there(settings.database_url)
    with open_database(settings, keys) as store:
        if not store.has_schema():
            raise HomeError(
                "database_empty",
                "数据库是空的，而本安装早已初始化。请检查 SSCARD_DATABASE_URL，"
                "或从备份恢复数据库。",
                "The database is empty though this home is initialised. Check "
                "SSCARD_DATABASE_URL, or restore the database from a backup.",
            )
        yield store


@contextmanager
def open_database(settings: Settings, keys: _Secrets) -> Iterator[Store]:
    """The database under the keys of the home, whatever its schema. Raises SettingsError."""
    cipher = FieldCipher(
        field_key=field_key_files.finder(keys),
        index_key=keys.secret("index"),
        row_key=keys.secret("row"),
        audit_key=keys.secret("audit"),
        random_bytes=random_bytes,
    )
    if not settings.database_url.startswith(DATABASE_KINDS):
        raise _unusable_url()
    try:
        store = open_store(settings.database_url, cipher=cipher)
    except ValueError as error:
        raise _unusable_url() from error
    try:
        yield store
    finally:
        store.close()


def _unusable_url() -> SettingsError:
    """The address may hold a password, so it is not repeated."""
    return SettingsError(
        "database_url_unusable",
        "SSCARD_DATABASE_URL 应以 sqlite:/// 加文件路径或 postgresql:// 开头。",
        "SSCARD_DATABASE_URL must begin with sqlite:/// and a path, or with postgresql://.",
    )


def _check_file_is_there(url: str) -> None:
    """SQLite would make an empty file in the place of one that was lost. Raises HomeError."""
    path = url.removeprefix(SQLITE)
    if path != url and not Path(path).exists():
        raise HomeError(
            "database_missing",
            f"找不到数据库文件 {path}。请检查 SSCARD_DATABASE_URL，或从备份恢复。",
            f"The database file {path} is not there. Check SSCARD_DATABASE_URL, or restore it "
            "from a backup.",
        )


def make_kernel(store: Store, keys: KeyProvider, settings: Settings, issuer: int) -> Kernel:
    """Raises crypto.keys.KeyMissingError where the home needs `sscard upgrade`."""
    pseudonyms = Pseudonyms(keys.secret("pseudonym"))
    signing = SigningKeys(store, keys, issuer=issuer, clock=utc_now)
    kernel = Kernel(
        store,
        clock=utc_now,
        random_bytes=random_bytes,
        box_key_wrap=BoxKeyWrap(keys.secret("box_wrap")),
        grants=Grants(
            receipts=ReceiptMaker(signing, pseudonyms),
            pseudonyms=pseudonyms,
            visit_tokens=VisitTokens(keys.secret("visit")),
            visit_policy=settings.visit_policy,
            views=HolderViews(settings.full_numbers_for),
        ),
    )
    kernel.personaliser = CardPersonaliser(
        keys, issuer=issuer, organisation=settings.initialising_organisation
    )
    # Whoever changes a card tells the processes that scan, and asks no more of the fast store.
    config = settings.fast_store or FastStoreConfig(Mode.PROCESS)
    kernel.card_pusher = open_card_pusher(config, kernel, monotonic=time.monotonic)
    return kernel
