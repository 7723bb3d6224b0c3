"""What the terminal carries to check codes with no network: bundle, status lists, who it is.

Everything that is kept was verified before it was written, and is verified again when it is read:
a file that was changed on disk is as good as absent. Versions never fall.
"""

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from card_core.bundles import Bundle, BundleError, believed_keys, open_bundle, open_trust_lists
from card_core.codes import CodeKey, KeyPurpose, KeyRing, KeyState, key_name
from card_core.status_list import HeldList, MalformedListError, StatusListError, open_list
from card_core.trust import TrustList
from crypto import sm2
from scan_api.terminal.files import read_if_there, write_whole

LISTS_KEPT: Final = timedelta(days=2)
PINNED_MAX: Final = 16
_OF_CODES = frozenset({KeyPurpose.CODE_SIGNING, KeyPurpose.DEVICE_CREDENTIAL})
_VERIFYING = frozenset({KeyState.ACTIVE, KeyState.VERIFY_ONLY})
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
    """What is carried at one moment. trusted: the bundle's trust lists that are genuine."""

    bundle: Bundle | None = None
    trusted: tuple[TrustList, ...] = ()
    lists: Mapping[ListName, HeldList] = field(default_factory=dict)
    terminal: Mapping[str, Any] | None = None

    def keys(self, now: datetime) -> tuple[CodeKey, ...]:
        """All that are known, ours and other issuers', as they are to be believed now."""
        return () if self.bundle is None else believed_keys(self.bundle, self.trusted, now)


class Carried:
    """Reads what is in `folder` when it is made; safe in many threads."""

    def __init__(self, folder: Path) -> None:
        """Raises: NotPinnedError, OSError."""
        self._folder = folder
        self._writing = threading.Lock()
        self._pinned = _read_pinned(folder)
        self._ring_lock = threading.Lock()
        self._ring_keys: tuple[CodeKey, ...] = ()
        self._ring = KeyRing(())
        self.view = View()
        self._read()

    def ring(self, now: datetime) -> KeyRing:
        """The keys that codes are checked with now, which time alone may change."""
        keys = tuple(key for key in self.view.keys(now) if key.purpose in _OF_CODES)
        with self._ring_lock:
            if keys != self._ring_keys:
                # Each usable key costs 1 to 2 ms and 264 KiB: not again for the same keys.
                self._ring, self._ring_keys = KeyRing(keys), keys
            return self._ring

    def list_at(self, name: ListName, now: datetime) -> HeldList | None:
        """The list that is held, if the key that signed it is still believed."""
        held = self.view.lists.get(name)
        return held if held is not None and _is_believed(held, self.view.keys(now)) else None

    def take_bundle(self, data: bytes) -> Bundle:
        """Verify a bundle, keep it and use it. Raises: BundleError, OSError."""
        with self._writing:
            bundle = self._opened(data, self.view.bundle)
            held = self.view.bundle
            if held is None or bundle.head.version > held.head.version:
                self._follow(bundle)
                write_whole(self._folder / _BUNDLE, data)
            self._use(bundle)
            return bundle

    def take_list(self, data: bytes, name: ListName, now: datetime) -> HeldList:
        """Verify a list or an update, keep and use it. Raises: StatusListError, OSError."""
        with self._writing:
            held = open_list(data, keys=self.view.keys(now), held=self.view.lists.get(name))
            if (held.head.issuer, held.head.day_ends_at) != name:
                raise MalformedListError
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
            self._use(bundle)
            self._read_lists(bundle.head.issued_at)
        described = read_if_there(self._folder / _TERMINAL)
        if described is not None:
            self._set(terminal=json.loads(described))

    def _read_lists(self, now: datetime) -> None:
        """now: before any clock was looked at; what the keys are later is looked at later."""
        keys = self.view.keys(now)
        found: dict[ListName, HeldList] = {}
        for path in self._folder.glob("list-*"):
            try:
                one = open_list(path.read_bytes(), keys=keys)
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
        """Pin the key that signed, too, before its bundle is there to be read under it; a key that
        the bundle revokes is pinned no more, so that nothing it signed is read again."""
        states = {
            (key.issuer, key.number): key
            for key in bundle.content.keys
            if key.purpose is KeyPurpose.STATUS
        }
        signer = states[bundle.head.issuer, bundle.head.key_number]
        pinned = [key for key in self._pinned if not _is_revoked(key, states)]
        if signer.public_key not in {key.public_key for key in pinned}:
            pinned.append(replace(signer, state=KeyState.ACTIVE))
        if pinned != self._pinned:
            pinned = pinned[-PINNED_MAX:]
            _write_pinned(self._folder, pinned)
            self._pinned = pinned

    def _use(self, bundle: Bundle) -> None:
        if self.view.bundle == bundle:
            return
        trusted = open_trust_lists(bundle)
        if len(trusted) != len(bundle.content.trust_lists):
            _log.error('{"event": "carried_refused", "what": "trust list"}')
        self._set(bundle=bundle, trusted=trusted)

    def _set(self, **changed: Any) -> None:
        values = {name: getattr(self.view, name) for name in View.__slots__}
        self.view = View(**values | changed)


def _is_revoked(key: CodeKey, known: Mapping[tuple[int, int], CodeKey]) -> bool:
    """By the bundle: revoked there, or its number is another key's."""
    found = known.get((key.issuer, key.number))
    return found is not None and (
        found.state is KeyState.REVOKED or found.public_key != key.public_key
    )


def _is_believed(held: HeldList, keys: Iterable[CodeKey]) -> bool:
    return any(
        key.purpose is KeyPurpose.STATUS
        and (key.issuer, key.number) == (held.head.issuer, held.head.key_number)
        and key.state in _VERIFYING
        for key in keys
    )


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
