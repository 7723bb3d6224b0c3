"""The key by which an institution's terminal proves itself; made there, and never leaves.

The bureau is given the serial number and the public key and enrols them. The private key rests in
a key file, encrypted under the terminal's passphrase (see crypto.keys).
"""

from pathlib import Path
from typing import Self

from crypto import sm2
from crypto.keys import KeyDirectoryExistsError, KeyFiles, Signer

SERIAL_NUMBER_BYTES = 8
_PREFIX = "terminal."
# Names the key in use, once there was more than one.
_CURRENT = "current"
_JOURNAL = "journal"


class TerminalKeyError(Exception):
    """The directory holds no terminal key, or one already; or no such serial number can be."""

    code = "terminal_key"

    def __init__(self, message_zh: str, message_en: str) -> None:
        self.message_zh = message_zh
        self.message_en = message_en
        super().__init__(f"{message_zh} {message_en}")


class TerminalKey:
    """A terminal's serial number (8 bytes) and what signs for it; a `crypto.keys.Signer`."""

    def __init__(self, serial_number: bytes, signer: Signer, *, name: str = "") -> None:
        """name: of its key file, where it has one. Raises: TerminalKeyError."""
        _check_serial_number(serial_number)
        self.serial_number = serial_number
        self._signer = signer
        self._name = name

    @classmethod
    def create(cls, directory: Path, *, serial_number: bytes, passphrase: bytes) -> Self:
        """Make a key and write it; a key that is there already stays as it is.

        Raises: TerminalKeyError, crypto.keys.KeyFileError.
        """
        _check_serial_number(serial_number)
        try:
            key_files = KeyFiles.create(directory, passphrase)
        except KeyDirectoryExistsError:
            # Perhaps an earlier attempt was interrupted before its key was written.
            key_files = KeyFiles.open(directory, passphrase)
        if _terminal_names(key_files):
            raise TerminalKeyError(
                f"{directory}：此处已有终端密钥，未作任何更改。",
                f"{directory}: there is a terminal key here already; nothing was changed.",
            )
        name = _PREFIX + serial_number.hex()
        key_files.create_signer(name)
        return cls(serial_number, key_files.signer(name), name=name)

    @classmethod
    def open(cls, directory: Path, *, passphrase: bytes) -> Self:
        """Read the key in use: that which `create` wrote, or the one that followed it.

        Raises: TerminalKeyError, crypto.keys.KeyFileError.
        """
        key_files = KeyFiles.open(directory, passphrase)
        names = _terminal_names(key_files)
        name = _read_current(directory) or min(names, default="", key=len)
        if name not in names:
            raise TerminalKeyError(
                f"{directory}：此处没有终端密钥，请检查路径或先生成密钥。",
                f"{directory}: no terminal key here; check the path, or make the key first.",
            )
        serial_number = bytes.fromhex(name.removeprefix(_PREFIX).partition(".")[0])
        return cls(serial_number, key_files.signer(name), name=name)

    def next_key(self, directory: Path, *, passphrase: bytes) -> Self:
        """The key to follow this one: made now, or waiting since an attempt that was interrupted.

        It is not in use before `put_into_use`. Raises: crypto.keys.KeyFileError.
        """
        key_files = KeyFiles.open(directory, passphrase)
        base, _, count = self._name.removeprefix(_PREFIX).partition(".")
        name = f"{_PREFIX}{base}.{int(count or 1) + 1}"
        if name not in key_files.names():
            key_files.create_signer(name)
        return type(self)(self.serial_number, key_files.signer(name), name=name)

    def put_into_use(self, directory: Path) -> None:
        """Let `open` read this key from now on. Raises: OSError."""
        written = directory / f"{_CURRENT}.new"
        written.write_text(self._name)
        written.replace(directory / _CURRENT)

    @staticmethod
    def journal_secret(directory: Path, *, passphrase: bytes, size_bytes: int) -> bytes:
        """What seals the journal of offline scans: made once, kept beside the key.

        Raises: crypto.keys.KeyFileError.
        """
        key_files = KeyFiles.open(directory, passphrase)
        if _JOURNAL not in key_files.names():
            key_files.create_secret(_JOURNAL, size_bytes)
        return key_files.secret(_JOURNAL)

    @property
    def public_key(self) -> sm2.PublicKey:
        """What the bureau enrols."""
        return self._signer.public_key

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes, r || s, under the default signer id."""
        return self._signer.sign(message)

    def __repr__(self) -> str:
        return f"<TerminalKey {self.serial_number.hex()}>"


def _check_serial_number(serial_number: bytes) -> None:
    # Eight zero bytes mean "any terminal" in a code (docs/code-format.md).
    if len(serial_number) != SERIAL_NUMBER_BYTES or not any(serial_number):
        raise TerminalKeyError(
            "终端序列号须为 16 位十六进制数，且不全为零。",
            "A terminal's serial number is 16 hexadecimal digits, not all of them zero.",
        )


def _read_current(directory: Path) -> str:
    try:
        return (directory / _CURRENT).read_text()
    except FileNotFoundError:
        return ""


def _terminal_names(key_files: KeyFiles) -> list[str]:
    return [name for name in key_files.names() if name.startswith(_PREFIX)]
