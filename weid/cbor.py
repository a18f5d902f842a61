"""The closed CBOR subset of our own formats (R11).

Integers of at most 64 bits, text, bytes, arrays, booleans and null, each in its shortest form
(RFC 8949 4.2.1). No maps, tags, floats or indefinite lengths: a decoder that cannot express two
spellings of one value leaves an attacker nothing to vary. Arrays come back as tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from weid.errors import MalformedError

CBOR: TypeAlias = "None | bool | int | str | bytes | Sequence[CBOR]"
Item: TypeAlias = "None | bool | int | str | bytes | tuple[Item, ...]"

MAX_BYTES = 1 << 26
MAX_DEPTH = 16
_ROOM = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOOR = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}


def encode(value: CBOR) -> bytes:
    """The one encoding of a value; TypeError or ValueError for a value outside the subset."""
    if type(value) is str:  # the leaf of a tree is one value: most calls end here
        text = value.encode("utf-8")
        if len(text) < 256:
            return _TEXT_HEADS[len(text)] + text
    out = bytearray()
    _write(value, out)
    return bytes(out)


def decode(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Item:
    """The value of exactly these bytes; MalformedError for any byte too many, too few or not shortest."""
    if len(data) > max_bytes:
        raise MalformedError(f"CBOR is over {max_bytes} bytes", code="too-large")
    try:
        (value,), end = _read(bytes(data), 0, 1, max_depth)
    except UnicodeDecodeError as error:
        raise MalformedError("CBOR text that is not UTF-8") from error
    if end != len(data):
        raise MalformedError(f"{len(data) - end} bytes after the CBOR value")
    return value


_TEXT_HEADS = tuple(bytes((0x60 | count,) if count < 24 else (0x78, count)) for count in range(256))


def _head(major: int, number: int, out: bytearray) -> None:
    if number < 24:
        out.append(major | number)
    elif number < 1 << 8:
        out += bytes((major | 24, number))
    elif number < 1 << 16:
        out.append(major | 25)
        out += number.to_bytes(2, "big")
    elif number < 1 << 32:
        out.append(major | 26)
        out += number.to_bytes(4, "big")
    elif number < 1 << 64:
        out.append(major | 27)
        out += number.to_bytes(8, "big")
    else:
        raise ValueError("an integer of more than 64 bits")


def _write(value: CBOR, out: bytearray) -> None:
    kind = type(value)
    if kind is int:
        number: int = value  # type: ignore[assignment]
        if 0 <= number < 24:
            out.append(number)
        elif number >= 0:
            _head(0x00, number, out)
        else:
            _head(0x20, -1 - number, out)
    elif isinstance(value, bytes):
        _head(0x40, len(value), out)
        out += value
    elif isinstance(value, str):
        text = value.encode("utf-8")
        _head(0x60, len(text), out)
        out += text
    elif isinstance(value, (list, tuple)):
        _head(0x80, len(value), out)
        for item in value:
            _write(item, out)
    elif value is None:
        out.append(0xF6)
    elif value is True or value is False:
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _write(int(value), out)
    else:
        raise TypeError(f"{kind.__name__} is outside the CBOR subset")


def _read(data: bytes, offset: int, count: int, depth: int) -> tuple[tuple[Item, ...], int]:
    """`count` values from the offset, and where they end: one loop, since a call for every value costs more than the value.

    The first byte's upper three bits are its kind: number, negative number, bytes, text, array, and 0xF4 to 0xF6 from the last.
    """
    items: list[Item] = []
    add, size = items.append, len(data)
    for _ in range(count):
        if offset >= size:
            raise MalformedError("CBOR is cut short")
        first = data[offset]
        offset += 1
        if first == 0xF6:
            add(None)
            continue
        if first >= 0xA0:
            add(_simple(first))
            continue
        number = first & 0x1F
        if number > 23:
            if number == 24 and offset < size and data[offset] > 23:  # nearly every length there is
                number = data[offset]
                offset += 1
            else:
                number, offset = _number(data, offset, number)
        if first < 0x40:
            add(number if first < 0x20 else -1 - number)
        elif first < 0x80:
            end = offset + number
            if end > size:
                raise MalformedError("CBOR is cut short")
            add(data[offset:end] if first < 0x60 else data[offset:end].decode())
            offset = end
        else:
            if depth == 0:
                raise MalformedError("CBOR is nested too deeply", code="too-deep")
            if number > size - offset:  # each item needs a byte: no giant loops from a small head
                raise MalformedError("CBOR is cut short")
            array, offset = _read(data, offset, number, depth - 1)
            add(array)
    return tuple(items), offset


def _simple(first: int) -> bool:
    """false or true: with null the one-byte values of the subset."""
    if first in (0xF4, 0xF5):
        return first == 0xF5
    if first < 0xE0:
        raise MalformedError("CBOR maps and tags are outside the subset")
    raise MalformedError(f"CBOR byte 0x{first:02x} is outside the subset")


def _number(data: bytes, offset: int, low: int) -> tuple[int, int]:
    room = _ROOM.get(low)
    if room is None:
        raise MalformedError("CBOR of indefinite or reserved length")
    end = offset + room
    if end > len(data):
        raise MalformedError("CBOR is cut short")
    number = int.from_bytes(data[offset:end], "big")
    if number < _FLOOR[low]:
        raise MalformedError("a CBOR number that is not in its shortest form")
    return number, end
