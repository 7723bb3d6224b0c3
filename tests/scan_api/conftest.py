"""The service of these tests runs on SQLite; both databases are the kernel's and store's tests."""

from collections.abc import Iterator

import pytest
from bureau import BOX_WRAP_KEY, Bureau, SeededBytes, make_grants
from scan_service import ScanService
from servers.databases import SQLiteDatabases

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import FieldCipher, open_store


@pytest.fixture
def databases(sqlite_databases: SQLiteDatabases) -> SQLiteDatabases:
    return sqlite_databases


@pytest.fixture
def service(bureau: Bureau) -> ScanService:
    return ScanService(bureau)


@pytest.fixture(scope="session")
def shared_service(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_databases: SQLiteDatabases,
    cipher: FieldCipher,
) -> Iterator[ScanService]:
    """For tests that ask for nothing but problems and pages: they leave no trace in it."""
    url = sqlite_databases.fresh(tmp_path_factory.mktemp("shared"), with_bureau=True)
    store = open_store(url, cipher=cipher)
    prepared = sqlite_databases.bureau
    wrap = BoxKeyWrap(BOX_WRAP_KEY)
    kernel = Kernel(
        store,
        clock=prepared.clock,
        random_bytes=SeededBytes(b"shared"),
        box_key_wrap=wrap,
        grants=make_grants(store, prepared.clock),
    )
    yield ScanService(prepared.on(kernel, prepared.clock))
    store.close()
