"""The content of an act as JSON: what is approved, hashed, stored and compared.

Written with sorted keys and no spaces, so that equal content has equal bytes and one hash.
"""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from crypto import sm3

_T = TypeVar("_T")


def to_json(value: Any) -> Any:
    """Dataclasses become objects of their constructor's fields, bytes hex, dates ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_json(getattr(value, field.name)) for field in fields(value) if field.init
        }
    if isinstance(value, StrEnum) or value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list | frozenset):
        items = [to_json(item) for item in value]
        return sorted(items) if isinstance(value, frozenset) else items
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    raise TypeError(f"an act can't hold a {type(value).__name__}")


def from_json(kind: type[_T], value: Any) -> _T:
    """Build a dataclass from what `to_json` made of it; its constructor checks it again."""
    result: _T = _read(kind, value)
    return result


def canonical_bytes(value: Any) -> bytes:
    """The one way in which JSON is written before it is hashed or stored: sorted keys, no spaces,
    UTF-8. For texts, whole numbers of 64 bits, booleans, None, lists and objects; not for
    fractions, which have no one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def content_hash(kind: str, content: Any) -> str:
    """SM3, in hex, over the act's kind and content: what an approver approves."""
    return sm3.digest(canonical_bytes({"act": kind, "content": content})).hex()


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        (only,) = (option for option in get_args(kind) if option is not type(None))
        return None if value is None else _read(only, value)
    if origin in {tuple, frozenset}:
        return origin(_read(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind):
        return _read_fields(kind, value)
    return _read_word(kind, value)


def _read_fields(kind: Any, value: Any) -> Any:
    return kind(**{name: _read(hint, value[name]) for name, hint in _hints(kind)})


@lru_cache(maxsize=256)
def _hints(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The constructor's fields with their types: the same for every row of a batch."""
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind) if field.init)


def _read_word(kind: Any, value: Any) -> Any:
    if kind is bytes:
        return bytes.fromhex(value)
    if kind in {date, datetime}:
        return kind.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind in {str, int, bool} and type(value) is kind:
        return value
    raise TypeError(f"{kind} is not read from an act's content")
