"""CBOR of other systems (RFC 8949): walked under caps before the library reads it, then plain values.

Indefinite lengths and numbers in longer forms are allowed, as issuers write them; a name twice in a map is not, nor a tag
that would make the library build anything but a date.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Final, NoReturn

import cbor2

from weid.canon import JSON
from weid.errors import MalformedError

__all__ = ["as_json", "read_cbor"]

MAX_DEPTH: Final = 16
MAX_ITEMS: Final = 10_000
DATES: Final = frozenset({0, 1, 1004})
_ROOM: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_STOP: Final = 0xFF
_SAFE: Final = 2**53 - 1


class _Walk:
    """One pass over the bytes; `pairs` are the entries of all maps and `items` everything that was seen."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pairs = self.items = 0

    def item(self, place: int, depth: int) -> int:
        """The end of the item that begins here."""
        self.items += 1
        if depth == 0 or self.items > MAX_ITEMS:
            raise MalformedError("CBOR is nested too deeply, or has too many items", code="too-deep")
        major, low, number, place = self.head(place)
        if major == 7:
            return place if low in (20, 21, 22, 25, 26, 27) else _refuse("a reserved simple value")
        if low == 31 and major in (0, 1, 6):
            _refuse("a length that cannot be indefinite")
        if major < 2:
            return place
        if major == 6:
            if number not in DATES:
                _refuse(f"tag {number}")
            return self.item(place, depth - 1)
        if major < 4:
            return self.chunks(place, major) if low == 31 else self.skip(place, number)
        return self.many(place, depth, major, None if low == 31 else number)

    def many(self, place: int, depth: int, major: int, number: int | None) -> int:
        """The end of an array or map."""
        count = 0
        while number is None or count < number:
            if number is None and self.at(place) == _STOP:
                return place + 1
            if major == 5:
                if self.at(place) >> 5 not in (0, 1, 3):
                    _refuse("a name in a map that is neither a number nor a text")
                place = self.item(place, depth - 1)
                self.pairs += 1
            place = self.item(place, depth - 1)
            count += 1
        return place

    def chunks(self, place: int, major: int) -> int:
        """The end of a text or byte string in pieces."""
        while self.at(place) != _STOP:
            kind, low, number, after = self.head(place)
            if kind != major or low == 31:
                _refuse("a piece of another kind")
            self.items += 1
            place = self.skip(after, number)
        return place + 1

    def head(self, place: int) -> tuple[int, int, int, int]:
        """(major type, additional information, number, where the content begins)."""
        first = self.at(place)
        low, place = first & 0x1F, place + 1
        if low < 24 or low == 31:
            return first >> 5, low, low, place
        room = _ROOM.get(low) or _refuse("a reserved length")
        return first >> 5, low, int.from_bytes(self.data[place : self.skip(place, room)], "big"), place + room

    def skip(self, place: int, number: int) -> int:
        """`number` bytes on."""
        return place + number if number <= len(self.data) - place else _refuse("it is cut short")

    def at(self, place: int) -> int:
        """The byte here."""
        return self.data[place] if place < len(self.data) else _refuse("it is cut short")


def read_cbor(data: bytes) -> object:
    """The one value of exactly these bytes; MalformedError `cbor` or `too-deep`."""
    walk = _Walk(data)
    if walk.item(0, MAX_DEPTH) != len(data):
        _refuse("something follows it")
    try:
        value: object = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise MalformedError("CBOR that does not read", code="cbor") from error
    if _pairs(value) != walk.pairs:
        _refuse("a name stands twice in a map")
    return value


def as_json(value: object) -> JSON:
    """A value of `read_cbor` for people and programs: bytes as their number, dates as texts; MalformedError `cbor`."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _refuse("a number that is none")
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        names = {str(name): as_json(item) for name, item in value.items()}
        return names if len(names) == len(value) else _refuse("a number and a text as the same name")
    return _refuse("a value that is not read")


def _pairs(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_pairs, value.values()))
    return sum(map(_pairs, value)) if isinstance(value, list | tuple) else 0


def _refuse(why: str) -> NoReturn:
    raise MalformedError(f"CBOR: {why}", code="cbor")
