"""Key files: one directory, one passphrase, one small JSON file for each key."""

import binascii
import json
import re
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from crypto import sm2
from crypto.errors import DecryptionError, InvalidKeyError
from crypto.keys import sealing, storage
from crypto.keys.errors import (
    DamagedKeyFileError,
    KeyDirectoryExistsError,
    KeyDirectoryMissingError,
    KeyExistsError,
    KeyKindError,
    KeyMissingError,
    PassphraseTooShortError,
    WrongPassphraseError,
)
from crypto.keys.sealing import Kind, Sealed
from crypto.keys.signer import FileSigner
from crypto.random_source import random_bytes

_VERSION: Final = 1
_KDF: Final = "PBKDF2-HMAC-SM3"
_KEYRING: Final = "keyring.json"
_SUFFIX: Final = ".key.json"
_NAME: Final = re.compile(r"[a-z0-9_]{1,40}(\.[a-z0-9_]{1,40}){0,4}", re.ASCII)
_SECRET_SIZES: Final = range(16, 65)
_SIZE_RULE: Final = "a secret has 16 to 64 bytes"


class KeyFiles:
    """The keys of one directory, opened with its passphrase; a `KeyProvider`.

    keyring.json holds the salt, the rounds and the sealed file key; `<name>.key.json` holds one
    key, sealed under the file key. Modes are 0700 and 0600, and anything laxer is refused. Names
    are up to five words of a-z, 0-9 and _, with dots between them. Nothing is ever overwritten but
    keyring.json, whole, by `change_passphrase`.
    """

    __slots__ = ("_directory", "_file_key")

    def __init__(self, directory: Path, file_key: bytes) -> None:
        """For `create` and `open`."""
        self._directory = directory
        self._file_key = file_key

    @classmethod
    def create(cls, directory: Path, passphrase: bytes) -> Self:
        """Make the directory, or take an empty private one, and a file key in it.

        Raises PassphraseTooShortError, KeyDirectoryExistsError, KeyPermissionsError,
        KeyStorageError.
        """
        _check_length(directory, passphrase)
        storage.make_directory(directory)
        if (directory / _KEYRING).exists():
            raise KeyDirectoryExistsError(directory)
        file_key = random_bytes(16)
        try:
            storage.write_new(directory / _KEYRING, _keyring(passphrase, file_key))
        except KeyExistsError:
            raise KeyDirectoryExistsError(directory) from None
        return cls(directory, file_key)

    @classmethod
    def open(cls, directory: Path, passphrase: bytes) -> Self:
        """Open what `create` made; takes about 0.4 s, once for all its keys.

        Raises KeyDirectoryMissingError, KeyPermissionsError, WrongPassphraseError,
        DamagedKeyFileError, KeyStorageError.
        """
        storage.check_directory(directory)
        path = directory / _KEYRING
        try:
            data = storage.read_private(path)
        except KeyMissingError:
            raise KeyDirectoryMissingError(directory) from None
        sealed, content = _from_json(path, data, Kind.FILE_KEY)
        key = sealing.derive_key(
            passphrase, salt=_hex(path, content, "salt"), iterations=_iterations(path, content)
        )
        try:
            file_key = sealing.unseal(key, sealed, kind=Kind.FILE_KEY, name=_KEYRING)
        except DecryptionError:
            raise WrongPassphraseError(directory) from None
        return cls(directory, file_key)

    @classmethod
    def check(cls, directory: Path) -> int:
        """Look at a directory without opening it; return how many keys and secrets are in it.

        Raises KeyDirectoryMissingError, KeyPermissionsError, KeyStorageError.
        """
        storage.check_directory(directory)
        try:
            storage.read_private(directory / _KEYRING)
        except KeyMissingError:
            raise KeyDirectoryMissingError(directory) from None
        names = storage.list_names(directory, _SUFFIX)
        for name in names:
            storage.read_private(directory / f"{name}{_SUFFIX}")
        return len(names)

    def change_passphrase(self, new: bytes) -> None:
        """Seal the file key under another passphrase; the keys stay as they are.

        Whatever happens on the way, the old one or the new one opens the directory afterwards. A
        backup of keyring.json from before still opens with the old one.
        Raises PassphraseTooShortError, KeyStorageError.
        """
        _check_length(self._directory, new)
        storage.replace(self._directory / _KEYRING, _keyring(new, self._file_key))

    def create_signer(self, name: str, *, checked: bool = True) -> None:
        """Make an SM2 key. Raises KeyExistsError, KeyStorageError.

        checked: whether its signatures are verified before they leave (`FileSigner`). It is part
        of the key's kind, which the file authenticates: who can't open the file can't turn it off.
        """
        self.import_signer(name, sm2.PrivateKey.generate(), checked=checked)

    def import_signer(
        self, name: str, private_key: sm2.PrivateKey, *, checked: bool = True
    ) -> None:
        """Keep an SM2 key made elsewhere; else as `create_signer`."""
        kind = Kind.SM2_PRIVATE_KEY if checked else Kind.SM2_PRIVATE_KEY_UNCHECKED
        self._write(name, kind, private_key.to_bytes())

    def create_secret(self, name: str, size_bytes: int) -> None:
        """Make a random secret of 16 to 64 bytes. Raises KeyExistsError, KeyStorageError."""
        if size_bytes not in _SECRET_SIZES:
            raise ValueError(_SIZE_RULE)
        self.import_secret(name, random_bytes(size_bytes))

    def import_secret(self, name: str, secret: bytes) -> None:
        """Keep a secret of 16 to 64 bytes made elsewhere. Raises KeyExistsError, KeyStorageError.

        A ValueError for another size, as for a name that can't be one, is the caller's mistake.
        """
        if len(secret) not in _SECRET_SIZES:
            raise ValueError(_SIZE_RULE)
        self._write(name, Kind.SYMMETRIC, secret)

    def signer(self, name: str) -> FileSigner:
        """Return what signs with this key. Raises KeyMissingError, KeyKindError and the rest."""
        kind, secret = self._read(name, Kind.SM2_PRIVATE_KEY, Kind.SM2_PRIVATE_KEY_UNCHECKED)
        try:
            private_key = sm2.PrivateKey.from_bytes(secret)
        except InvalidKeyError:
            raise DamagedKeyFileError(self._path(name)) from None
        return FileSigner(name, private_key, checked=kind is Kind.SM2_PRIVATE_KEY)

    def secret(self, name: str) -> bytes:
        """Return this secret. Raises KeyMissingError, KeyKindError and the rest."""
        return self._read(name, Kind.SYMMETRIC)[1]

    def destroy(self, name: str) -> None:
        """Overwrite the file of a key and delete it; nothing happens where there is none.

        Copies elsewhere, and what a disk keeps of blocks that it no longer shows, are beyond this.
        Raises KeyStorageError.
        """
        storage.destroy(self._path(name))

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys and secrets, sorted."""
        return storage.list_names(self._directory, _SUFFIX)

    def __repr__(self) -> str:
        return f"<crypto.keys.KeyFiles in {self._directory}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("key files are not pickled or copied")

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a key name is up to five words of a-z, 0-9 and _, with dots between")
        return self._directory / f"{name}{_SUFFIX}"

    def _write(self, name: str, kind: Kind, plaintext: bytes) -> None:
        sealed = sealing.seal(self._file_key, plaintext, kind=kind, name=name)
        storage.write_new(self._path(name), _to_json(kind, sealed))

    def _read(self, name: str, *kinds: Kind) -> tuple[Kind, bytes]:
        path = self._path(name)
        sealed, content = _from_json(path, storage.read_private(path), *kinds)
        kind = Kind(content["kind"])
        try:
            return kind, sealing.unseal(self._file_key, sealed, kind=kind, name=name)
        except DecryptionError:
            raise DamagedKeyFileError(path) from None


def _check_length(directory: Path, new_passphrase: bytes) -> None:
    if len(new_passphrase) < sealing.PASSPHRASE_BYTES_MIN:
        raise PassphraseTooShortError(directory)


def _keyring(passphrase: bytes, file_key: bytes) -> bytes:
    """What keyring.json holds: a new salt, the rounds, and the file key sealed anew."""
    salt = random_bytes(sealing.SALT_SIZE)
    key = sealing.derive_key(passphrase, salt=salt, iterations=sealing.ITERATIONS)
    head = {"kdf": _KDF, "iterations": sealing.ITERATIONS, "salt": salt.hex()}
    sealed = sealing.seal(key, file_key, kind=Kind.FILE_KEY, name=_KEYRING)
    return _to_json(Kind.FILE_KEY, sealed, **head)


def _to_json(kind: Kind, sealed: Sealed, **head: object) -> bytes:
    content = {
        "version": _VERSION,
        "kind": kind,
        **head,
        "nonce": sealed.nonce.hex(),
        "ciphertext": sealed.ciphertext.hex(),
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _from_json(path: Path, data: bytes, *kinds: Kind) -> tuple[Sealed, dict[str, Any]]:
    """Parse a file of one of these kinds. Raises DamagedKeyFileError, KeyKindError."""
    if len(data) > storage.FILE_SIZE_MAX:
        raise DamagedKeyFileError(path)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise DamagedKeyFileError(path) from None
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise DamagedKeyFileError(path)
    if content.get("kind") not in list(Kind):
        raise DamagedKeyFileError(path)
    if content["kind"] not in kinds:
        raise KeyKindError(path)
    return Sealed(_hex(path, content, "nonce"), _hex(path, content, "ciphertext")), content


def _iterations(path: Path, content: dict[str, Any]) -> int:
    iterations = content.get("iterations")
    if content.get("kdf") != _KDF or not isinstance(iterations, int):
        raise DamagedKeyFileError(path)
    if iterations not in sealing.ITERATIONS_RANGE:
        raise DamagedKeyFileError(path)
    return iterations


def _hex(path: Path, content: dict[str, Any], field: str) -> bytes:
    try:
        return binascii.unhexlify(content[field])
    except (KeyError, TypeError, ValueError):
        raise DamagedKeyFileError(path) from None
