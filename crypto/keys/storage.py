"""Small private files: written whole or not at all, readable by nobody else."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from crypto.keys.errors import (
    KeyDirectoryMissingError,
    KeyExistsError,
    KeyMissingError,
    KeyPermissionsError,
    KeyStorageError,
)

FILE_SIZE_MAX: Final = 64 * 1024

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_directory(path: Path) -> None:
    """Make the directory with mode 0700; one that is there is checked and kept."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStorageError(path) from error
    check_directory(path)


def check_directory(path: Path) -> None:
    """Raise KeyDirectoryMissingError, or KeyPermissionsError if others may look or write."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise KeyDirectoryMissingError(path) from None
    except OSError as error:
        raise KeyStorageError(path) from error
    if not stat.S_ISDIR(mode):
        raise KeyDirectoryMissingError(path)
    if mode & _OTHERS:
        raise KeyPermissionsError(path)


def write_new(path: Path, data: bytes) -> None:
    """Write a file with mode 0600 that appears whole and durable, or not at all.

    A hard link gives it its name: unlike a rename, that fails where a file of the name is.
    Raises KeyExistsError, KeyStorageError.
    """
    temporary = _temporary(path)
    try:
        try:
            _write_durably(temporary, data)
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except FileExistsError:
        raise KeyExistsError(path) from None
    except OSError as error:
        raise KeyStorageError(path) from error


def replace(path: Path, data: bytes) -> None:
    """Put a file with mode 0600 in the place of another, whole and durable, or not at all.

    Raises KeyStorageError.
    """
    temporary = _temporary(path)
    try:
        try:
            _write_durably(temporary, data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise KeyStorageError(path) from error


def destroy(path: Path) -> None:
    """Overwrite a file with zeros and delete it; no file is fine. Raises KeyStorageError."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _sync_directory(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise KeyStorageError(path) from error


def read_private(path: Path) -> bytes:
    """Return a file's bytes, at most FILE_SIZE_MAX of them and one more.

    Raises KeyMissingError, KeyPermissionsError if others may read or write it, KeyStorageError.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyPermissionsError(path)
            return file.read(FILE_SIZE_MAX + 1)
    except FileNotFoundError:
        raise KeyMissingError(path) from None
    except OSError as error:
        raise KeyStorageError(path) from error


def list_names(directory: Path, suffix: str) -> tuple[str, ...]:
    """Return the sorted names of the files with this suffix, without it."""
    try:
        files = [file.name for file in directory.iterdir()]
    except OSError as error:
        raise KeyStorageError(directory) from error
    return tuple(
        sorted(
            name.removesuffix(suffix)
            for name in files
            if name.endswith(suffix) and not name.startswith(".")
        )
    )


def _temporary(path: Path) -> Path:
    """A name beside the file that nothing else has, and that `list_names` leaves out."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
