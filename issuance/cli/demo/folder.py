"""The demonstration's folder: its own home, thrown away and made anew at each run."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from issuance.errors import HomeError
from issuance.files import PRIVATE, not_writable, write_whole
from issuance.home import Home
from issuance.settings import Settings

_MARKER = ".sscard-demo"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where everything of one run lies."""

    path: Path

    @property
    def home(self) -> Home:
        return Home(self.path / "home")

    @property
    def passphrase_file(self) -> Path:
        return self.path / "passphrase"

    @property
    def terminal(self) -> Path:
        return self.path / "terminal"

    @property
    def desk_command(self) -> Path:
        return self.path / "desk"

    def operator(self, name: str) -> Path:
        """The folder of an operator's key, PIN and password; made, for its owner alone."""
        own = self.path / "operators" / name
        own.mkdir(mode=0o700, parents=True)
        return own

    @property
    def picture(self) -> Path:
        return self.path / "code.png"

    @property
    def report(self) -> Path:
        return self.path / "roster-report.json"

    def settings(self) -> Settings:
        """The embedded database, whatever the environment says: a demonstration harms nothing."""
        return Settings(self.home, self.home.database_url, self.passphrase_file)

    def passphrase(self) -> bytes:
        """Make a passphrase and keep it beside the home, for whoever wants to look around."""
        passphrase = secrets.token_urlsafe(18).encode()
        write_whole(self.passphrase_file, passphrase + b"\n", mode=PRIVATE)
        return passphrase


@contextmanager
def fresh_folder(path: Path) -> Iterator[DemoFolder]:
    """An empty folder at `path`, held against a second demonstration until the end.

    Raises HomeError for a folder that no demonstration made, or that another one is using;
    FileRefusedError.
    """
    path = path.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder, not inside: the folder itself is removed.
        lock = path.with_name(f"{path.name}.lock").open("w")
    except OSError as error:
        raise not_writable(path, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(
                "demo_running",
                f"另一个演示正在使用 {path}。请先停止它（Ctrl-C）。",
                f"Another demonstration is using {path}. Stop it first (Ctrl-C).",
            ) from None
        _empty(path)
        yield DemoFolder(path)


def _empty(path: Path) -> None:
    try:
        if path.exists():
            if any(path.iterdir()) and not (path / _MARKER).is_file():
                raise HomeError(
                    "not_a_demo_folder",
                    f"{path} 不是演示建立的文件夹，未作任何更改。请移走它或另选位置。",
                    f"{path} was not made by a demonstration and is left alone. Move it away or "
                    "choose another place.",
                )
            shutil.rmtree(path)
        path.mkdir(mode=0o700)
        (path / _MARKER).touch()
    except OSError as error:
        raise not_writable(path, error) from error
