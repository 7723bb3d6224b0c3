"""What tests of every room share: a clock, keys, a store on each database, a kernel, a bureau.

`store`, and all that is built on it, runs a test twice: on SQLite and on PostgreSQL; in `make test`
on one of them, in `make test-long` on the other.
"""

import gc
import os
import shutil
import signal
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import pytest
from bureau import BOX_WRAP_KEY, Bureau, Clock, SeededBytes, make_cipher, make_grants
from servers.databases import Databases, PostgreSQLDatabases, SQLiteDatabases
from servers.postgresql import PostgreSQLServer, running_postgresql
from turns import first_alone, turn

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.sign_in import passwords
from card_core.store import FieldCipher, Store
from crypto.keys import sealing

# Whoever starts the tests in the background may have SIGINT ignored, and children inherit that;
# the tests that interrupt a command need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)

DATABASES = ("sqlite", "postgresql")
JOURNEYS = Path(__file__).parent / "journeys"

# Where it may be, what tests write stays in memory: a commit waits for a disk ten times as long as
# it computes. That nothing is lost with the power is shown on a disk of its own (power_loss.py).
MEMORY = Path("/dev/shm")  # noqa: S108 - each run makes a directory of its own in it
ROOM_BYTES = 4 << 30
if (
    os.access(MEMORY, os.W_OK)
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    and shutil.disk_usage(MEMORY).free > ROOM_BYTES
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    with turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    with first_alone():
        return (yield)


def pytest_collectstart() -> None:
    """Collecting makes a million objects, all of which stay."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those first for which others wait, while what runs beside them is short; then the longest."""
    _leave_one_database_each(items)
    items.sort(
        key=lambda item: (not item.get_closest_marker("alone"), JOURNEYS not in item.path.parents)
    )


def _leave_one_database_each(items: list[pytest.Item]) -> None:
    """Of each test on both databases `make test` runs one half, which its name decides, and
    `make test-long` the other."""
    found: defaultdict[tuple[str, ...], dict[str, pytest.Item]] = defaultdict(dict)
    for item in items:
        test, _, case = item.nodeid.partition("[")
        database, *others = case.removesuffix("]").split("-")
        if database in DATABASES:
            found[test, *others][database] = item
    for name, of in found.items():
        if len(of) == len(DATABASES):
            left = DATABASES[crc32("".join(name).encode()) % len(DATABASES)]
            of[left].add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """The tests themselves stay until the end: no collection need look at them again.

    What a test makes is large and soon gone (an application is some thousand objects), so looking
    for it less often costs 30 MB and saves a twentieth of the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 20)
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()


# What a passphrase or a password gives is slow on purpose, and the same each time.
_KNOWN = {
    (sealing, "derive_key"): lru_cache(maxsize=256)(sealing.derive_key),
    (passwords, "_derive"): lru_cache(maxsize=256)(passwords._derive),
    (passwords, "_derive_argon2"): lru_cache(maxsize=256)(passwords._derive_argon2),
}


@pytest.fixture(autouse=True)
def key_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked out once in a process; where the work itself is looked at, a test overrides this."""
    for (module, name), known in _KNOWN.items():
        monkeypatch.setattr(module, name, known)


@pytest.fixture
def clock() -> Clock:
    """Stands still until it is told to move on."""
    return Clock()


@pytest.fixture
def random_bytes() -> SeededBytes:
    return SeededBytes(b"tests")


@pytest.fixture(scope="session")
def cipher() -> FieldCipher:
    return make_cipher()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_databases(postgresql: PostgreSQLServer) -> Iterator[PostgreSQLDatabases]:
    made = PostgreSQLDatabases(postgresql)
    yield made
    made.close()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SQLiteDatabases:
    return SQLiteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(params=DATABASES)
def databases(request: pytest.FixtureRequest) -> Databases:
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def database_url(request: pytest.FixtureRequest, databases: Databases) -> str:
    """An upgraded database: with a bureau if the test asks for one, otherwise with nothing."""
    return databases.fresh(with_bureau="bureau" in request.fixturenames)


@pytest.fixture
def store(databases: Databases, database_url: str, cipher: FieldCipher) -> Iterator[Store]:
    with databases.opened(cipher) as opened:
        yield opened


@pytest.fixture
def kernel(store: Store, clock: Clock, random_bytes: SeededBytes) -> Kernel:
    return Kernel(
        store,
        clock=clock,
        random_bytes=random_bytes,
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )


@pytest.fixture
def bureau(databases: Databases, kernel: Kernel, clock: Clock) -> Bureau:
    """A bureau that is set up: issuer, key, operators of every role, a hospital, a pharmacy."""
    return databases.bureau.on(kernel, clock)
