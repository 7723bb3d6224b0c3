"""What terminals carry, as bytes: read from the store once for each version."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from card_core.bundles import assemble_bundle
from card_core.errors import NotFoundError
from card_core.status_list import assemble_list, assemble_update, compose_changes
from card_core.store import Reader, Store, bundles, status_lists

CACHED_MAX = 64
CACHED_BYTES_MAX = 32 * 1024 * 1024

_Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """version: of the list or the bundle."""

    version: int
    data: bytes


class CarriedAnswers:
    """The latest bundle, lists and updates; safe in many threads.

    Which version is the latest is asked each time. What it says never changes, so that is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Carried] = OrderedDict()
        self._bytes = 0

    def bundle(self, issuer: int) -> Carried:
        """Raises NotFoundError while there is none."""
        with self._store.read() as tx:
            version = bundles.published_version(tx, issuer)
            if version is None:
                raise NotFoundError("bundle")
            return self._get((issuer, version), lambda: _read_bundle(tx, issuer))

    def status_list(self, issuer: int, day_ends_at: int, have: int | None) -> Carried:
        """The whole list, or an update from version `have` where that is not too far behind.

        Raises NotFoundError for a day that has no list.
        """
        with self._store.read() as tx:
            version = status_lists.published_version(tx, issuer, day_ends_at)
            if version is None:
                raise NotFoundError("status list")
            # An update that can't be is as good as none, and one entry serves all who ask for it.
            have = have if have is not None and have <= version else 0
            return self._get(
                (issuer, day_ends_at, version, have),
                lambda: _read_list(tx, issuer, day_ends_at, have or None),
            )

    def _get(self, key: _Key, read: Callable[[], Carried]) -> Carried:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = read()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made.data)
            while len(self._kept) > CACHED_MAX or self._bytes > CACHED_BYTES_MAX:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone.data)
        return made


def _read_bundle(tx: Reader, issuer: int) -> Carried:
    found = bundles.published(tx, issuer)
    if found is None or found.signature is None:
        raise NotFoundError("bundle")
    return Carried(found.version, assemble_bundle(found.to_be_signed, found.signature))


def _read_list(tx: Reader, issuer: int, day_ends_at: int, have: int | None) -> Carried:
    latest = status_lists.published(tx, issuer, day_ends_at)
    if latest is None or latest.body is None or latest.signature is None:
        raise NotFoundError("status list")
    head = latest.head
    steps = None
    if have is not None:
        steps = status_lists.steps(tx, issuer, day_ends_at, have, head.version)
    if have is None or steps is None:
        return Carried(head.version, assemble_list(head, latest.signature, latest.body))
    changes = compose_changes(head.size, steps)
    return Carried(head.version, assemble_update(have, head, latest.signature, changes))
