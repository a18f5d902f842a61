"""Records as bytes: a closed-CBOR array of the fields in order.

`encode_record` and `decode_record` derive the shape from the annotations of the class, so it stands in one place; how each
field is read is worked out once a class, because a trust bundle has tens of thousands of them.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from weid.cbor import Item
from weid.errors import MalformedError
from weid.status import StatusEntries, pack_entries, unpack_entries

__all__ = ["decode_record", "encode_record", "record_encoder"]

T = TypeVar("T")
_Read: TypeAlias = Callable[[Any], Any]


def encode_record(record: Any) -> tuple[Any, ...]:
    """The closed-CBOR array of a record (nested records become nested arrays)."""
    kind: Any = type(record)
    return record_encoder(kind)(record)


@cache
def record_encoder(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What `encode_record` does with the records of one class, for whoever has many of them."""
    names = _names(kind)
    if _is_flat(kind):
        return attrgetter(*names)
    return lambda record: tuple([_plain(getattr(record, name)) for name in names])


def decode_record(kind: type[T], value: Item) -> T:
    """The record of a closed-CBOR array; MalformedError when a field has another type."""
    known: Any = kind
    made: T = _reader_of(known)(value)
    return made


_PLAIN_TYPES = frozenset({int, str, bytes, bool})
_UNIONS = (types.UnionType, typing.Union)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _is_flat(kind: Any) -> bool:
    """Whether a class has plain values alone, and more than one (or it would not be an array)."""
    hints = get_type_hints(kind)
    parts = [get_args(hints[name]) or (hints[name],) for name in _names(kind)]
    return len(parts) > 1 and all(set(some) <= {*_PLAIN_TYPES, type(None)} for some in parts)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN_TYPES or value is None:
        return value
    if kind is StatusEntries:
        return pack_entries(value)
    if isinstance(value, tuple):
        return tuple([_plain(item) for item in value])
    return value if isinstance(value, str | bytes | int) else encode_record(value)


@cache
def _reader_of(kind: Any) -> _Read:
    """How a record of this class is read from an array."""
    hints = get_type_hints(kind)
    readers = tuple(_reader(hints[name], f"{kind.__name__}.{name}") for name in _names(kind))
    count = len(readers)
    nested = tuple(place for place, name in enumerate(_names(kind)) if not _is_plain(hints[name]))
    known: set[tuple[type, ...]] = set()  # the types of rows that were read: at most two for each field that may be null

    def read(value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != count:
            raise MalformedError(f"not a {kind.__name__}")
        types_ = tuple(map(type, value))
        if types_ in known:  # the plain fields have their types: only what is inside the others is left to look at
            row = list(value)
            for place in nested:
                row[place] = readers[place](row[place])
            return kind(*row)
        made = kind(*[reader(item) for reader, item in zip(readers, value, strict=True)])
        known.add(types_)
        return made

    return read


def _is_plain(hint: Any) -> bool:
    parts = [part for part in get_args(hint) if part is not type(None)] if get_origin(hint) in _UNIONS else [hint]
    return all(part in _PLAIN_TYPES for part in parts)


def _reader(hint: Any, place: str) -> _Read:
    if hint in _PLAIN_TYPES:
        return _plain_reader(hint, place)
    if hint is StatusEntries:
        return _entries_reader(place)
    origin = get_origin(hint)
    if origin in _UNIONS:
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)), place)
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return _tuple_reader(get_args(hint), place)
    return _reader_of(hint)


def _plain_reader(hint: type[Any], place: str) -> _Read:
    def read(value: Any) -> Any:
        if type(value) is not hint:
            raise MalformedError(f"{place} must be {hint.__name__}")
        return value

    return read


def _entries_reader(place: str) -> _Read:
    def read(value: Any) -> Any:
        if not isinstance(value, bytes):
            raise MalformedError(f"{place} must be packed status entries")
        return unpack_entries(value)

    return read


def _tuple_reader(parts: tuple[Any, ...], place: str) -> _Read:
    many = len(parts) == 2 and parts[1] is Ellipsis
    readers = tuple(_reader(part, place) for part in parts[: 1 if many else None])
    first, count = readers[0], len(readers)

    def read(value: Any) -> Any:
        if not isinstance(value, tuple):
            raise MalformedError(f"{place} must be an array")
        if many:
            return tuple([first(item) for item in value])
        if tuple(map(type, value)) == parts:  # all of them plain: there is nothing to make of them
            return value
        if len(value) != count:
            raise MalformedError(f"{place} must have {count} items")
        return tuple([reader(item) for reader, item in zip(readers, value, strict=True)])

    return read
