"""A founded installation for each test, its people signed in."""

import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from office import PASSPHRASE, PEOPLE, Office, first_people, make_office

from card_core.kernel.acts.sessions import SESSION_IDLE
from crypto.keys import sealing
from issuance.cli import roster
from issuance.founding import Bureau, found
from issuance.installation import Installation, open_installation


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HOME",
        "DATABASE_URL",
        "REDIS_URL",
        "KEY_PASSPHRASE_FILE",
        "OPERATOR",
        "OPERATOR_KEY",
        "CONSOLE_URL",
    ):
        monkeypatch.delenv(f"SSCARD_{name}", raising=False)


@pytest.fixture(autouse=True)
def _a_day_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample rosters' people grow older, and one day need no guardian any more."""
    monkeypatch.setattr(roster, "today_in_shanghai", lambda: date(2026, 11, 22))


@pytest.fixture(autouse=True)
def _the_least_work_for_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made and opened again and again here, with the least rounds let through."""
    monkeypatch.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)


class _Founded:
    """A home with everybody signed in, copied for each test that wants one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._office = make_office(folder)
        with pytest.MonkeyPatch.context() as patched:
            # The least that is let through: tests open these keys again and again.
            patched.setattr(sealing, "ITERATIONS", sealing.ITERATIONS_RANGE.start)
            found(
                self._office.settings,
                PASSPHRASE.encode(),
                bureau=Bureau(7, "FS", "Test bureau"),
                people=first_people(self._office),
            )
        self._sign_in()

    def _sign_in(self) -> None:
        self._office.sign_in(*PEOPLE)
        self._signed_in_at = time.monotonic()

    def copy(self, folder: Path) -> None:
        # Sessions that nobody uses end, and all tests of a slow machine take longer than that.
        if time.monotonic() - self._signed_in_at > SESSION_IDLE.total_seconds() / 2:
            self._sign_in()
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def _founded(tmp_path_factory: pytest.TempPathFactory) -> _Founded:
    return _Founded(tmp_path_factory.mktemp("office"))


@pytest.fixture
def empty_office(tmp_path: Path) -> Office:
    return make_office(tmp_path)


@pytest.fixture
def office(_founded: _Founded, tmp_path: Path) -> Office:
    _founded.copy(tmp_path)
    return make_office(tmp_path)


@pytest.fixture
def site(office: Office) -> Iterator[Installation]:
    """The office's installation, opened in this process."""
    with open_installation(office.settings, PASSPHRASE.encode()) as opened:
        yield opened
