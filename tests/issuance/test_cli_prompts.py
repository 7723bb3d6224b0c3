"""At a real terminal: questions are asked and not echoed, progress is drawn, Ctrl-C is heard."""

import os
import pty
import select
import subprocess
from collections.abc import Callable

import pytest
from office import ROSTERS, SSCARD, Office

PASSWORDS = [f"Quay 7 Hornbeam {number}" for number in range(5)]
NAMES = ("admin", "security", "auditor", "maker", "checker")
CTRL_C = "\x03"
SILENCE_SECONDS_MAX = 60


class Terminal:
    """`sscard` in a terminal of its own."""

    def __init__(self, office: Office, *arguments: str, **environment: str) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self.said = ""
        self._process = subprocess.Popen(
            [SSCARD, *arguments],
            env={**os.environ, "TERM": "xterm-256color", **office.environment, **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # A session leader that opens a terminal gets it as its controlling one (tty(4)).
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
        )
        os.close(theirs)

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question, and type."""
        self._read(lambda new: question in new)
        os.write(self._ours, answer.encode() + (b"" if answer == CTRL_C else b"\n"))

    def wait(self) -> int:
        self._read(lambda _: False)
        os.close(self._ours)
        return self._process.wait()

    def _read(self, is_enough: Callable[[str], bool]) -> None:
        start = len(self.said)
        while not is_enough(self.said[start:]):
            if not select.select([self._ours], [], [], SILENCE_SECONDS_MAX)[0]:
                self._process.kill()
                raise AssertionError(f"nothing more came after: {self.said}")
            try:
                piece = os.read(self._ours, 4096)
            except OSError:
                piece = b""
            if not piece:
                return
            self.said += piece.decode(errors="replace")


def test_init_asks_for_everything_and_echoes_nothing(empty_office: Office) -> None:
    terminal = Terminal(empty_office, "init", SSCARD_KEY_PASSPHRASE_FILE="")
    terminal.answer("New key passphrase", "hornbeam quay")
    terminal.answer("again", "hornbeam key")
    terminal.answer("New key passphrase", "hornbeam quay")
    terminal.answer("again", "hornbeam quay")
    for name, password in zip(NAMES, PASSWORDS, strict=True):
        terminal.answer(f"password of {name}", password)
        terminal.answer("again", password)
    assert terminal.wait() == 0, terminal.said
    assert "The two differ" in terminal.said
    for secret in ("hornbeam", *PASSWORDS):
        assert secret not in terminal.said
    password = str(empty_office.file("checker.password", PASSWORDS[4]))
    new = str(empty_office.file("checker.new", "Lantern 4 Estuary"))
    empty_office.new_key("checker")
    key = empty_office.key_options("checker")
    enrol = ("operator", "enrol", "checker", "--password-file", password)
    empty_office.done(*enrol, "--new-password-file", new, *key)
    empty_office.done("operator", "sign-in", "checker", "--password-file", new, *key)


@pytest.mark.parametrize("questions", [0, 1, 2])
def test_ctrl_c_at_a_question_leaves_nothing(empty_office: Office, questions: int) -> None:
    terminal = Terminal(empty_office, "init", SSCARD_KEY_PASSPHRASE_FILE="")
    for question in ("passphrase", "again")[:questions]:
        terminal.answer(question, "hornbeam quay")
    terminal.answer(("New key", "again", "password of admin")[questions], CTRL_C)
    assert terminal.wait() == 130, terminal.said
    assert "Interrupted" in terminal.said
    assert not (empty_office.folder / "home").exists()


def test_approval_takes_a_yes_and_nothing_else(office: Office) -> None:
    office.done("roster", "import", str(ROSTERS / "foshan-600.xlsx"), operator="wang")
    for answer, code, state in (("", 1, "imported"), ("no", 1, "imported"), ("y", 0, "released")):
        terminal = Terminal(office, "batch", "approve", "foshan-600", "--operator", "li")
        terminal.answer("[y/N]", answer)
        assert terminal.wait() == code, terminal.said
        assert state in office.done("batch", "list", operator="li")
    terminal = Terminal(office, "batch", "issue", "foshan-600", "--operator", "wang")
    assert terminal.wait() == 0
    assert "552/552" in terminal.said
    assert "━━━" in terminal.said
