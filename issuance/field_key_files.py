"""The versions of the field key in the key folder.

    field            version 1
    field.2          version 2, and so on
    field.1.scans    the key of one table alone, which outlives the version that it was derived from

A version that was destroyed has left nothing but the keys of tables that stay as they were written.
"""

from collections.abc import Callable
from typing import Protocol

from card_core.store.cipher import KEY_SIZES_BYTES, table_key
from card_core.store.field_keys import KEPT
from crypto.keys import KeyMaker, KeyMissingError

FIRST = "field"
_SIZE_BYTES = KEY_SIZES_BYTES["field"]


class Secrets(Protocol):
    """As much of a key provider as reading needs."""

    def secret(self, name: str) -> bytes: ...


def name_of(version: int) -> str:
    return FIRST if version == 1 else f"{FIRST}.{version}"


def finder(keys: Secrets) -> Callable[[int, str], bytes]:
    """What a `FieldCipher` asks for the key of a version and a table. Files are read when they are
    asked for, so that a process that runs finds one that came later."""

    def found(version: int, table: str) -> bytes:
        try:
            return table_key(keys.secret(name_of(version)), table)
        except KeyMissingError:
            pass
        try:
            return keys.secret(_table_name(version, table))
        except (KeyMissingError, ValueError):
            raise LookupError(version) from None

    return found


def make(keys: KeyMaker, version: int) -> None:
    """Make the file of a version, unless it is there. Raises KeyFileError."""
    if name_of(version) not in keys.names():
        keys.create_secret(name_of(version), _SIZE_BYTES)


def destroy(keys: KeyMaker, version: int) -> None:
    """Delete the file of a version, after keeping what still opens tables that are never sealed
    anew. May be repeated after it was interrupted. Raises KeyFileError."""
    there = keys.names()
    if name_of(version) not in there:
        return
    root = keys.secret(name_of(version))
    for table in KEPT:
        name = _table_name(version, str(table.name))
        if name not in there:
            keys.import_secret(name, table_key(root, str(table.name)))
    keys.destroy(name_of(version))


def is_first_needed(names: tuple[str, ...]) -> bool:
    """Whether a home without version 1 is a new one, and has not just left it behind."""
    return not any(name.startswith(f"{FIRST}.") for name in names)


def _table_name(version: int, table: str) -> str:
    return f"{FIRST}.{version}.{table}"
