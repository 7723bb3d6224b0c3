"""An installation in a folder of its own, and the command line in front of it."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner, Result

from card_core.store.operators import Role
from crypto.keys import KeyFiles
from issuance.cli.commands import app
from issuance.cli.second_factor import KEY_NAME
from issuance.founding import NewPerson
from issuance.settings import Settings

PASSPHRASE = "hornbeam quay"
PEOPLE = {
    "admin": Role.ADMINISTRATOR,
    "security": Role.SECURITY,
    "auditor": Role.AUDITOR,
    "wang": Role.MAKER,
    "li": Role.CHECKER,
}
PIN = "quayside pin"
SSCARD = Path(sys.executable).with_name("sscard")
ROSTERS = Path(__file__).parent / "rosters"


def password_of(name: str) -> str:
    return f"Quay 7 Hornbeam {len(name)}"


@dataclass(frozen=True)
class Office:
    """One installation in a folder of its own, and the command line in front of it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    def run(self, *arguments: str, operator: str = "", **environment: str) -> Result:
        """Run `sscard` in this process."""
        by = {"SSCARD_OPERATOR": operator} if operator else {}
        env = {**self.environment, **by, **environment}
        return CliRunner().invoke(app, [str(one) for one in arguments], env=env)

    def done(self, *arguments: str, operator: str = "") -> str:
        """Run it and return what it printed; it must succeed."""
        result = self.run(*arguments, operator=operator)
        assert result.exit_code == 0, result.output
        return result.stdout

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def key_options(self, name: str) -> tuple[str, ...]:
        """What proves the operator's second factor on the command line."""
        pin = self.file("pin", PIN)
        return ("--key", str(self.folder / f"{name}.key"), "--pin-file", str(pin))

    def new_key(self, name: str) -> bytes:
        """Make the operator's own key; its public half."""
        keys = KeyFiles.create(self.folder / f"{name}.key", PIN.encode())
        keys.create_signer(KEY_NAME)
        return keys.signer(KEY_NAME).public_key.to_bytes(compressed=True)

    def sign_in(self, *names: str) -> None:
        for name in names:
            password = self.file(f"{name}.password", password_of(name))
            options = ("--password-file", str(password), *self.key_options(name))
            self.done("operator", "sign-in", name, *options)


def make_office(folder: Path) -> Office:
    """An office whose home isn't there yet."""
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    home = {"SSCARD_HOME": str(folder / "home"), "SSCARD_KEY_PASSPHRASE_FILE": str(passphrase)}
    return Office(folder, home)


def first_people(office: Office | None = None) -> list[NewPerson]:
    """office: where their keys are made; None: they have none yet."""
    return [
        NewPerson(
            name,
            name.title(),
            frozenset({role}),
            password_of(name),
            None if office is None else office.new_key(name),
        )
        for name, role in PEOPLE.items()
    ]


def refused(result: Result, zh: str, en: str) -> None:
    """Exit code 1, a sentence in each language on standard error, no traceback."""
    assert result.exit_code == 1, result.output
    assert zh in result.stderr
    assert en in result.stderr
    assert "Traceback" not in result.output
