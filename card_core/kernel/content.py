"""The content of an act as JSON: what is approved, hashed, stored and compared.

Written with sorted keys and no spaces, so that equal content has equal bytes and one hash.
"""

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

from card_core.application import Application
from crypto import sm3

_T = TypeVar("_T")


def to_json(value: Any) -> Any:
    """Dataclasses become objects of their constructor's fields, bytes hex, dates ISO 8601.

    Applications become objects too; other named tuples become lists.
    """
    return _writer(cast("Hashable", type(value)))(value)


def from_json(kind: type[_T], value: Any) -> _T:
    """Build a dataclass from what `to_json` made of it; its constructor checks it again."""
    read: Callable[[Any], _T] = _reader(cast("Hashable", kind))
    return read(value)


def read_bytes(kind: type[_T], content: bytes) -> _T:
    """As `from_json`, of what `canonical_bytes` wrote."""
    return from_json(kind, orjson.loads(content))


def canonical_bytes(value: Any) -> bytes:
    """The one way in which JSON is written before it is hashed or stored: sorted keys, no spaces,
    UTF-8. For texts, whole numbers of 64 bits, booleans, None, lists and objects; not for
    fractions, which have no one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(kind: str, content: Any) -> str:
    """SM3, in hex, over the act's kind and content: what an approver approves."""
    return sm3.digest(canonical_bytes({"act": kind, "content": content})).hex()


_Read = Callable[[Any], Any]
_Write = Callable[[Any], Any]


@cache
def _writer(kind: Any) -> _Write:
    """What writes a value of this type; made once for each, since a roster has millions of them."""
    if _is_object(kind):
        return _fields_writer(_names(cast("Hashable", kind)))
    for written, write in _WRITERS:
        if issubclass(kind, written):
            return write
    raise TypeError(f"an act can't hold a {kind.__name__}")


def _fields_writer(names: tuple[str, ...]) -> _Write:
    def write(value: Any) -> dict[str, Any]:
        found = {}
        for name in names:
            part = getattr(value, name)
            found[name] = part if type(part) is str else to_json(part)
        return found

    return write


# The first that fits; a datetime is a date.
_WRITERS: tuple[tuple[tuple[type, ...], _Write], ...] = (
    ((bool, int, str, types.NoneType), lambda value: value),
    ((bytes,), bytes.hex),
    ((date,), lambda value: value.isoformat()),
    ((tuple, list), lambda items: [to_json(item) for item in items]),
    ((frozenset,), lambda items: sorted(to_json(item) for item in items)),
    ((Mapping,), lambda items: {str(key): to_json(item) for key, item in items.items()}),
)


@cache
def _reader(kind: Any) -> _Read:
    """What reads a value of this type; made once for each: looking up type hints takes long."""
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        (only,) = (option for option in get_args(kind) if option is not type(None))
        return _or_none(_reader(only))
    if origin in {tuple, frozenset}:
        read = _reader(get_args(kind)[0])
        return lambda value: origin(map(read, value))
    if _is_object(kind):
        hints, names = get_type_hints(kind), _names(cast("type", kind))
        return _fields_reader(kind, [(name, hints[name], _reader(hints[name])) for name in names])
    return _word_reader(kind)


def _or_none(read: _Read) -> _Read:
    return lambda value: None if value is None else read(value)


def _fields_reader(kind: Any, readers: list[tuple[str, Any, _Read]]) -> _Read:
    texts = [name for name, hint, _ in readers if hint is str]
    others = [(name, read_part) for name, hint, read_part in readers if hint is not str]

    def read(value: Any) -> Any:
        # A field that is newer than what was stored has its default.
        found = {name: value[name] for name in texts if name in value}
        if set(map(type, found.values())) - {str}:
            raise TypeError(f"a text of {kind} is none")
        for name, read_part in others:
            if name in value:
                found[name] = read_part(value[name])
        return kind(**found)

    return read


def _word_reader(kind: Any) -> _Read:
    if kind is bytes:
        return bytes.fromhex
    if kind in {date, datetime}:
        read: _Read = kind.fromisoformat
        return read
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = {one.value: one for one in kind}
        return lambda value: members[value] if value in members else kind(value)

    is_plain = kind in {str, int, bool}

    def same(value: Any) -> Any:
        if is_plain and type(value) is kind:
            return value
        raise TypeError(f"{kind} is not read from an act's content")

    return same


def _is_object(kind: Any) -> bool:
    return kind is Application or is_dataclass(kind)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields that a dataclass or an application is made of."""
    if kind is Application:
        return Application._fields
    return tuple(field.name for field in fields(kind) if field.init)
