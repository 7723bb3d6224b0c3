"""Browsers for the journeys, and what is before them."""

from collections.abc import Iterator

import pytest
from bureau import Bureau
from installation import WORKERS, Installation, installed
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright
from servers.chromium import FLAGS, chromium
from servers.databases import Databases
from servers.postgresql import PostgreSQLServer
from servers.redis import RedisServer, running
from stage import PHONE, Screen, Stage, set_up

from benchmarks.bench_scan.bureau import Ground, founded
from crypto.keys import sealing

# Only ever waited for in full by a test that fails; a machine may be busy.
expect.set_options(timeout=20_000)


@pytest.fixture(autouse=True)
def _the_least_work_for_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of a journey opens the keys again, with the rounds that their files name."""
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)


# The driver keeps an event loop in this thread for as long as it lives: no longer than a module.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    chromium()
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    yield launched
    launched.close()


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> Databases:
    """What the database is makes little difference to a page: SQLite, where a test does not name
    the other one (`parametrize`, indirect)."""
    found: Databases = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_databases")
    return found


# A service that nobody calls still asks its database many times a second: none lives longer than
# the module that shares it.
@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation with nothing but what comes along: SQLite, one process."""
    with installed(tmp_path_factory.mktemp("embedded")) as found:
        yield found


@pytest.fixture(scope="module")
def town(
    postgresql: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One installation on PostgreSQL and Redis with four workers behind one address."""
    folder = tmp_path_factory.mktemp("town")
    redis = RedisServer(folder / "redis", "save ''")
    url = postgresql.url(postgresql.create())
    with (
        running(redis),
        installed(
            folder, "--workers", str(WORKERS), database_url=url, SSCARD_REDIS_URL=redis.url
        ) as found,
    ):
        yield found


@pytest.fixture
def stage(bureau: Bureau) -> Iterator[Stage]:
    with set_up(bureau) as built:
        yield built


@pytest.fixture
def screens() -> Iterator[list[Screen]]:
    """Every screen that a test opened; none may have complained of anything unexpected."""
    opened: list[Screen] = []
    yield opened
    assert {screen.url: screen.problems() for screen in opened if screen.problems()} == {}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


@pytest.fixture
def phone(browser: Browser, stage: Stage, screens: list[Screen]) -> Iterator[Screen]:
    """The holder's page on a small phone."""
    opened = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    screens.append(Screen.open(opened, f"{stage.service_url}/holder"))
    yield screens[-1]
    opened.close()


@pytest.fixture
def counter(context: BrowserContext, stage: Stage, screens: list[Screen]) -> Screen:
    """The clerk's page, ready to scan."""
    screens.append(Screen.open(context, f"{stage.counter_url}/"))
    screens[-1].page.get_by_text("药店购药").wait_for()
    return screens[-1]


@pytest.fixture(scope="session")
def ground(postgresql: PostgreSQLServer) -> Iterator[Ground]:
    """An installation on PostgreSQL for services that are processes; journeys share it."""
    with founded(postgresql.url(postgresql.create()), ecards=20) as made:
        yield made
