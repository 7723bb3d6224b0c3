"""A disk that loses its power: what was not synced is gone, or there in part, in no order.

`Disk` is a file system for SQLite (an apsw VFS over real files) that knows of each file what was
synced and what was only written. `driver(disk)` stands in for the `sqlite3` module, so that the
product's own engine, with its own settings, runs on it.

SQLite's file of shared memory (-shm) is never durable, and is left out.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import apsw

# What a disk writes as a whole.
SECTOR = 512
_BUSY_MS = 1000


class PowerLossError(Exception):
    """The machine is off: from here on nothing is read or written."""


class Disk:
    """dies_at: the number of the write or sync that the power does not last for."""

    def __init__(self, name: str, *, dies_at: int) -> None:
        self.name = name
        self.is_dead = False
        self._left = dies_at
        self._durable: dict[str, bytearray] = {}
        self._pending: dict[str, list[tuple[int, bytes | None]]] = {}

    def hold(self, path: str, content: bytes = b"") -> None:
        self._durable.setdefault(path, bytearray(content))
        self._pending.setdefault(path, [])

    def write(self, path: str, offset: int, data: bytes | None) -> None:
        """data: None cuts the file off at the offset."""
        self._work()
        self._pending[path].append((offset, data))

    def sync(self, path: str) -> None:
        self._work()
        for offset, data in self._pending[path]:
            _apply(self._durable[path], offset, data)
        self._pending[path].clear()

    def forget(self, path: str) -> None:
        self._durable.pop(path, None)
        self._pending.pop(path, None)

    def check(self) -> None:
        if self.is_dead:
            raise PowerLossError

    def after_power_loss(self, rng: Random) -> Iterator[tuple[str, bytes]]:
        """Each file as it is found. Of what was not synced any sectors may be there."""
        for path, durable in self._durable.items():
            content = bytearray(durable)
            for offset, data in self._pending[path]:
                if data is None:
                    if rng.random() < 0.5:
                        _apply(content, offset, None)
                    continue
                for start in range(0, len(data), SECTOR):
                    if rng.random() < 0.5:
                        _apply(content, offset + start, data[start : start + SECTOR])
            yield path, bytes(content)

    def _work(self) -> None:
        self.check()
        self._left -= 1
        if self._left < 0:
            self.is_dead = True
            raise PowerLossError


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: Any) -> None:
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)
        # A new file's name is durable with it: the product can't be blamed for less.
        disk.hold(self._path, Path(self._path).read_bytes())

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        self._disk.check()
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.write(self._path, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.write(self._path, size, None)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.sync(self._path)
        super().xSync(flags)


class _FileSystem(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(disk.name, "")

    def xOpen(self, name: Any, flags: Any) -> Any:  # noqa: N802 - SQLite's name
        return _File(self._disk, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802 - SQLite's name
        self._disk.check()
        self._disk.forget(name)
        super().xDelete(name, sync)


class _Cursor:
    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "_Cursor":
        return self.executemany(sql, [values])

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> "_Cursor":
        apsw_connection, self.description, self.rowcount = self._connection.apsw, None, 0
        with _translated():
            cursor = apsw_connection.cursor()
            cursor.exec_trace = self._describe
            for values in rows:
                before = apsw_connection.total_changes()
                found = cursor.execute(self._connection.change_sql(sql), tuple(values))
                self._rows = list(found)
                self.rowcount += apsw_connection.total_changes() - before
        self.lastrowid = apsw_connection.last_insert_rowid()
        return self

    def _describe(self, cursor: Any, _sql: str, _bindings: Any) -> bool:
        columns = cursor.get_description()
        self.description = [(name, *[None] * 6) for name, *_ in columns] or None
        return True

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    def fetchall(self) -> list[Any]:
        found, self._rows = self._rows, []
        return found

    def close(self) -> None:
        self._rows = []


class _Connection:
    isolation_level: str | None = None

    def __init__(self, path: str, disk: Disk, change_sql: Callable[[str], str]) -> None:
        self.change_sql = change_sql
        self.apsw = apsw.Connection(path, vfs=disk.name)
        self.apsw.set_busy_timeout(_BUSY_MS)

    def cursor(self, *_: Any) -> _Cursor:
        return _Cursor(self)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        return self.cursor().execute(sql, values)

    def commit(self) -> None:
        if self.apsw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.apsw.in_transaction:
            self.execute("ROLLBACK")

    def create_function(self, name: str, arguments: int, function: Any, **_: Any) -> None:
        self.apsw.create_scalar_function(name, function, arguments)

    def close(self) -> None:
        # Nobody can tidy up with the power off.
        with suppress(apsw.Error, PowerLossError):
            self.apsw.close(True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from error
    except (apsw.Error, PowerLossError) as error:
        raise sqlite3.OperationalError(str(error)) from error


@contextmanager
def driver(disk: Disk, *, synchronous: str = "FULL") -> Iterator[Any]:
    """Like the module `sqlite3`, on this disk. synchronous: what the product's FULL becomes."""
    file_system = _FileSystem(disk)

    def change_sql(sql: str) -> str:
        return sql.replace("synchronous=FULL", f"synchronous={synchronous}")

    def connect(path: str, **_: Any) -> _Connection:
        return _Connection(path, disk, change_sql)

    names = [name for name in dir(sqlite3) if name.endswith(("Error", "Warning", "info"))]
    kept = {
        name: getattr(sqlite3, name) for name in (*names, "Binary", "paramstyle", "threadsafety")
    }
    yield SimpleNamespace(**kept | {"connect": connect})
    file_system.unregister()
