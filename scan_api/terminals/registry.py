"""Enrolled terminals and their institutions in memory, as the database had them a moment ago.

A request is authenticated without the database. What was suspended, revoked or changed is read
again every REFRESH_SECONDS, only what has changed, so that every process refuses it within a
second. When that has not worked for STALE_SECONDS nobody is let in: an old yes may be a no by now.
Whatever a request then changes is decided by the kernel, which reads the terminal's row anew.

Each refresh also looks at some of the rows that nobody has changed, all of them in turn: a row
that fails its HMAC, or an old version put back, is dropped and told; the others go on.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from card_core.errors import StoreBusyError
from card_core.states import ServiceState
from card_core.store import Store, registered
from card_core.store.institutions import Institution, Terminal
from crypto import sm3
from scan_api.repeating import repeated
from scan_api.terminals.known_rows import KnownRows

REFRESH_SECONDS = 0.25
STALE_SECONDS = 2.0
KEY_NAME_BYTES = 8

_log = logging.getLogger("sscard.scan_api")


class RegistryStaleError(StoreBusyError):
    """The registry could not be refreshed in time; nothing is known of any terminal."""

    code = "registry_stale"
    message_zh = "终端登记信息未能及时更新，请稍后以同一请求号重试"
    message_en = "What is known of terminals is too old; try again with the same request id"


@dataclass(frozen=True, slots=True)
class TerminalPublicKey:
    """name: 8 bytes of its SM3 digest, by which tokens name it. ends_at: None for no end."""

    name: bytes
    public_key: bytes
    ends_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True)
class Registered:
    """One terminal as the registry knows it. keys: the current one first."""

    terminal: Terminal
    institution: Institution
    keys: tuple[TerminalPublicKey, ...]
    is_in_service: bool

    def key_named(self, name: bytes, now: datetime) -> TerminalPublicKey | None:
        """The key of this name, if it is good now."""
        for key in self.keys:
            if key.name == name and key.is_good(now):
                return key
        return None


def key_name(public_key: bytes) -> bytes:
    """What a key is called in tokens. public_key: 33 bytes compressed."""
    return sm3.digest(public_key)[:KEY_NAME_BYTES]


class Registry:
    """Asked by many threads, refreshed by one. monotonic: seconds of a clock that nobody sets."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._refreshing = threading.Lock()
        self._read_at: float | None = None
        self._by_serial: dict[bytes, Registered] = {}
        self._serials: dict[str, bytes] = {}
        self._institutions = KnownRows(
            "institutions", registered.institutions_changed, registered.institutions_page
        )
        self._terminals = KnownRows(
            "terminals", registered.terminals_changed, registered.terminals_page
        )

    def find(self, serial_number: bytes) -> Registered | None:
        """The terminal with this serial number. Raises RegistryStaleError."""
        if not self.is_fresh():
            raise RegistryStaleError
        return self._by_serial.get(serial_number)

    def is_fresh(self) -> bool:
        return 0 <= self.age_seconds() <= STALE_SECONDS

    def age_seconds(self) -> float:
        """How long ago it was read; -1 where it never was."""
        read_at = self._read_at
        return -1.0 if read_at is None else self._monotonic() - read_at

    def tampered_rows(self) -> int:
        """How many rows are refused because of what somebody did to them past the kernel."""
        return len(self._institutions.tampered) + len(self._terminals.tampered)

    def refresh(self) -> None:
        """Read what has changed, and look at some rows that have not. Raises StoreError."""
        with self._refreshing:
            started = self._monotonic()
            with self._store.read() as tx:
                self._institutions.read(tx)
                self._terminals.read(tx)
            self._apply()
            self._read_at = started

    @contextmanager
    def refreshed(self) -> Iterator[None]:
        """Refresh now and, in a thread of its own, until the block ends. Raises StoreError."""
        self.refresh()
        with repeated(
            self.refresh,
            every_seconds=REFRESH_SECONDS,
            name="registry",
            failure="registry_not_refreshed",
            log=_log,
        ):
            yield

    def _apply(self) -> None:
        institutions, altered = self._institutions.altered, self._terminals.altered
        if institutions:
            altered |= {
                one.id
                for one in self._terminals.records.values()
                if one.institution_id in institutions
            }
        for row_id in altered:
            self._put(row_id)
        institutions.clear()
        altered.clear()

    def _put(self, row_id: str) -> None:
        """In one step, so that nobody who asks meanwhile finds a terminal gone."""
        terminal = self._terminals.records.get(row_id)
        named = "" if terminal is None else terminal.institution_id
        institution = self._institutions.records.get(named)
        if terminal is None or institution is None:
            self._by_serial.pop(self._serials.pop(row_id, b""), None)
            return
        self._serials[row_id] = terminal.serial_number
        self._by_serial[terminal.serial_number] = _registered(terminal, institution)


def _registered(terminal: Terminal, institution: Institution) -> Registered:
    keys = [
        TerminalPublicKey(key_name(terminal.public_key), terminal.public_key, terminal.key_ends_at)
    ]
    if terminal.previous_key is not None:
        previous, ends_at = terminal.previous_key, terminal.previous_key_ends_at
        keys.append(TerminalPublicKey(key_name(previous), previous, ends_at))
    both_active = terminal.state is institution.state is ServiceState.ACTIVE
    return Registered(terminal, institution, tuple(keys), both_active)
