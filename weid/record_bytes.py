"""Records as bytes: a closed-CBOR array of the fields in order.

`encode_record` and `decode_record` derive the shape from the annotations of the class, so it stands in one place.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from weid.cbor import Item
from weid.errors import MalformedError
from weid.status import StatusEntries, pack_entries, unpack_entries

__all__ = ["decode_record", "encode_record"]

T = TypeVar("T")


def encode_record(record: Any) -> tuple[Any, ...]:
    """The closed-CBOR array of a record (nested records become nested arrays)."""
    return tuple(_plain(getattr(record, name)) for name, _ in _shape(type(record)))


def decode_record(kind: type[T], value: Item) -> T:
    """The record of a closed-CBOR array; MalformedError when a field has another type."""
    shape = _shape(kind)
    if not isinstance(value, tuple) or len(value) != len(shape):
        raise MalformedError(f"not a {kind.__name__}")
    return kind(*(_typed(hint, item, f"{kind.__name__}.{name}") for (name, hint), item in zip(shape, value, strict=True)))


_PLAIN_TYPES = frozenset({int, str, bytes, bool})
_SHAPES: dict[Any, tuple[tuple[str, Any], ...]] = {}


def _shape(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Field names and types of a record class, worked out once."""
    shape = _SHAPES.get(kind)
    if shape is None:
        hints = get_type_hints(kind)
        shape = _SHAPES[kind] = tuple((field.name, hints[field.name]) for field in fields(kind))
    return shape


def _plain(value: Any) -> Any:
    if isinstance(value, StatusEntries):
        return pack_entries(value)
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value if value is None or isinstance(value, str | bytes | int) else encode_record(value)


def _typed(hint: Any, value: Item, place: str) -> Any:
    if hint in _PLAIN_TYPES:
        if type(value) is not hint:
            raise MalformedError(f"{place} must be {hint.__name__}")
        return value
    if hint is StatusEntries:
        if not isinstance(value, bytes):
            raise MalformedError(f"{place} must be packed status entries")
        return unpack_entries(value)
    origin = get_origin(hint)
    if origin is types.UnionType or origin is typing.Union:
        inner = next(part for part in get_args(hint) if part is not type(None))
        return None if value is None else _typed(inner, value, place)
    if origin is tuple:
        return _typed_tuple(get_args(hint), value, place)
    return decode_record(hint, value)


def _typed_tuple(parts: tuple[Any, ...], value: Item, place: str) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise MalformedError(f"{place} must be an array")
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_typed(parts[0], item, place) for item in value)
    if len(parts) != len(value):
        raise MalformedError(f"{place} must have {len(parts)} items")
    return tuple(_typed(part, item, place) for part, item in zip(parts, value, strict=True))
