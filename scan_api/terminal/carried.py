"""What the terminal carries to check codes with no network: bundle, status lists, who it is.

Everything that is kept was verified before it was written, and is verified again when it is read:
a file that was changed on disk is as good as absent. Versions never fall.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from card_core.bundles import Bundle, BundleError, open_bundle
from card_core.codes import CodeKey, KeyPurpose, KeyRing, KeyState, key_life, key_name
from card_core.status_list import HeldList, StatusListError, open_list
from crypto import sm2
from scan_api.terminal.files import read_if_there, write_whole

LISTS_KEPT: Final = timedelta(days=2)
PINNED_MAX: Final = 16
_OF_CODES = frozenset({KeyPurpose.CODE_SIGNING, KeyPurpose.DEVICE_CREDENTIAL})
_PINNED, _BUNDLE, _TERMINAL = "status-key.json", "bundle", "terminal.json"

_log = logging.getLogger("sscard.terminal")

ListName = tuple[int, datetime]


class NotPinnedError(Exception):
    """The terminal was not told which status key to trust."""


def pin_status_key(folder: Path, text: str) -> None:
    """Trust the bureau's status key, as "status.<issuer>.<number>:<66 hex>" from the bureau.

    What was carried under another key is no longer read. Raises: ValueError, sm2.InvalidKeyError.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    _write_pinned(folder, [parse_status_key(text)])


def parse_status_key(text: str) -> CodeKey:
    """Raises: ValueError, sm2.InvalidKeyError."""
    name, _, point = text.strip().partition(":")
    purpose, issuer, number = name.split(".")
    if purpose != KeyPurpose.STATUS.value:
        raise ValueError("not a status key")
    public_key = sm2.PublicKey.from_bytes(bytes.fromhex(point))
    return CodeKey(int(issuer), int(number), public_key, KeyState.ACTIVE, KeyPurpose.STATUS)


def text_of(key: CodeKey) -> str:
    point = key.public_key.to_bytes(compressed=True).hex()
    return f"{key_name(key.purpose, key.issuer, key.number)}:{point}"


@dataclass(frozen=True, slots=True)
class View:
    """What is carried at one moment. ring: of the bundle's keys at that time."""

    bundle: Bundle | None = None
    ring: KeyRing | None = None
    lists: Mapping[ListName, HeldList] = field(default_factory=dict)
    terminal: Mapping[str, Any] | None = None


class Carried:
    """Reads what is in `folder` when it is made; safe in many threads."""

    def __init__(self, folder: Path) -> None:
        """Raises: NotPinnedError, OSError."""
        self._folder = folder
        self._writing = threading.Lock()
        self._pinned = _read_pinned(folder)
        self._ring_keys: tuple[CodeKey, ...] = ()
        self.view = View()
        self._read()

    def take_bundle(self, data: bytes, now: datetime) -> Bundle:
        """Verify a bundle, keep it and use it. Raises: BundleError, OSError."""
        with self._writing:
            bundle = self._opened(data, self.view.bundle)
            held = self.view.bundle
            if held is None or bundle.head.version > held.head.version:
                self._follow(bundle)
                write_whole(self._folder / _BUNDLE, data)
            self._use(bundle, now)
            return bundle

    def take_list(self, data: bytes, name: ListName) -> HeldList:
        """Verify a list or an update, keep and use it. Raises: StatusListError, OSError."""
        with self._writing:
            bundle = self.view.bundle
            keys = () if bundle is None else bundle.content.keys
            held = open_list(data, keys=keys, held=self.view.lists.get(name))
            if (held.head.issuer, held.head.day_ends_at) == name:
                write_whole(self._folder / _list_name(name), held.to_bytes())
                self._set(lists={**self.view.lists, name: held})
            return held

    def take_terminal(self, described: Mapping[str, Any]) -> None:
        """Keep who the service says that this terminal is. Raises: OSError."""
        with self._writing:
            if described != self.view.terminal:
                write_whole(self._folder / _TERMINAL, json.dumps(dict(described)).encode())
                self._set(terminal=dict(described))

    def drop_old(self, now: datetime) -> None:
        """Forget the lists of days that are long over."""
        with self._writing:
            old = [name for name in self.view.lists if name[1] + LISTS_KEPT < now]
            for name in old:
                (self._folder / _list_name(name)).unlink(missing_ok=True)
            if old:
                kept = {name: one for name, one in self.view.lists.items() if name not in old}
                self._set(lists=kept)

    def _read(self) -> None:
        data = read_if_there(self._folder / _BUNDLE)
        if data is not None:
            try:
                bundle = self._opened(data, None)
            except BundleError as error:
                _log.error(
                    '{"event": "carried_refused", "what": "bundle", "why": "%s"}', error.code
                )
                return
            self._use(bundle, bundle.head.issued_at)
            self._read_lists(bundle)
        described = read_if_there(self._folder / _TERMINAL)
        if described is not None:
            self._set(terminal=json.loads(described))

    def _read_lists(self, bundle: Bundle) -> None:
        found: dict[ListName, HeldList] = {}
        for path in self._folder.glob("list-*"):
            try:
                one = open_list(path.read_bytes(), keys=bundle.content.keys)
            except StatusListError as error:
                _log.error('{"event": "carried_refused", "what": "list", "why": "%s"}', error.code)
                continue
            found[one.head.issuer, one.head.day_ends_at] = one
        self._set(lists=found)

    def _opened(self, data: bytes, held: Bundle | None) -> Bundle:
        """The pinned key begins the chain; each key after it was announced by a bundle before."""
        keys = self._pinned if held is None else held.content.keys
        return open_bundle(data, keys=keys, held=held)

    def _follow(self, bundle: Bundle) -> None:
        """Pin the key that signed, too, before its bundle is there to be read under it."""
        named = (bundle.head.issuer, bundle.head.key_number)
        if named in {(key.issuer, key.number) for key in self._pinned}:
            return
        signer = next(
            key
            for key in bundle.content.keys
            if key.purpose is KeyPurpose.STATUS and (key.issuer, key.number) == named
        )
        pinned = [*self._pinned, signer][-PINNED_MAX:]
        _write_pinned(self._folder, pinned)
        self._pinned = pinned

    def _use(self, bundle: Bundle, now: datetime) -> None:
        keys = tuple(
            key_life.at(key, now) for key in bundle.content.keys if key.purpose in _OF_CODES
        )
        if keys != self._ring_keys or self.view.ring is None:
            self._ring_keys = keys
            self._set(ring=KeyRing(keys))
        self._set(bundle=bundle)

    def _set(self, **changed: Any) -> None:
        values = {name: getattr(self.view, name) for name in View.__slots__}
        self.view = View(**values | changed)


def _list_name(name: ListName) -> str:
    issuer, day_ends_at = name
    return f"list-{issuer}-{int(day_ends_at.timestamp())}"


def _read_pinned(folder: Path) -> list[CodeKey]:
    data = read_if_there(folder / _PINNED)
    if data is None:
        raise NotPinnedError
    return [parse_status_key(text) for text in json.loads(data)["keys"]]


def _write_pinned(folder: Path, keys: list[CodeKey]) -> None:
    texts = [text_of(key) for key in keys]
    write_whole(folder / _PINNED, json.dumps({"keys": texts}).encode())
