"""The service of these tests runs on SQLite; both databases are the kernel's and store's tests."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bureau import BOX_WRAP_KEY, Bureau, Clock, SeededBytes, make_grants
from phone import publisher_of
from region import NEIGHBOUR, InThisProcess, Network, Region, add_peer_key, make_kernel
from scan_service import ScanService, running
from servers.databases import SQLiteDatabases
from trusting import pin

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


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SQLiteDatabases
) -> tuple[Path, Bureau]:
    """The neighbour's bureau, and its database, to be copied for each test."""
    folder = tmp_path_factory.mktemp("neighbour")
    clock = Clock()
    kernel = make_kernel(sqlite_databases.fresh(folder, with_bureau=False), clock)
    neighbour = Bureau.set_up(kernel, clock, people=2, issuer=NEIGHBOUR)
    add_peer_key(neighbour)
    pin(neighbour)
    kernel.store.close()
    return folder / "bureau.db", neighbour


@pytest.fixture
def neighbour(
    bureau: Bureau, tmp_path: Path, prepared: tuple[Path, Bureau]
) -> Iterator[ScanService]:
    shutil.copy(prepared[0], tmp_path / "neighbour.db")
    kernel = make_kernel(f"sqlite:///{tmp_path / 'neighbour.db'}", bureau.clock)
    there = prepared[1].on(kernel, bureau.clock)
    # Behind the ids of the requests that prepared it.
    there._requests = itertools.count(2_000_000)
    yield ScanService(there)
    kernel.store.close()


@pytest.fixture
def region(bureau: Bureau, neighbour: ScanService) -> Iterator[Region]:
    network = Network()
    add_peer_key(bureau)
    pin(bureau)
    ours = ScanService(bureau, peer_transport=network)
    with running(neighbour.app) as service_url:
        found = Region(ours, neighbour, network, service_url)
        found.trust_each_other()
        yield found


@pytest.fixture
def visited(bureau: Bureau, neighbour: ScanService) -> Region:
    """As `region`, without a socket between the two, and each publishes status lists."""
    network = Network(InThisProcess(neighbour))
    add_peer_key(bureau)
    pin(bureau)
    ours = ScanService(bureau, peer_transport=network)
    found = Region(ours, neighbour, network, "http://127.0.0.1:1", lists=True)
    for one in (bureau, neighbour.bureau):
        publisher_of(one).round()
    found.trust_each_other()
    return found
