"""Strict text codecs: one value, one spelling.

The standard library's decoders accept padding bits, white space and mixed case; each of those
would let an attacker change signed text without changing what it means, so every decoder here
ends by encoding again and comparing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from weid.errors import MalformedError

_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B58_VALUE = {letter: value for value, letter in enumerate(_B58)}
_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALENDAR_END = 4_223_371_680
"""The first minute that has no date: the year 10000."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is standard alone becomes what is in neither alphabet
_PADDING = (b"", b"===", b"==", b"=")
_MAX_B58 = 8192  # base58 is quadratic: cap it before any arithmetic


def b64u(data: bytes) -> str:
    """base64url without padding (RFC 4648 5)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def unb64u(text: str) -> bytes:
    """The bytes of unpadded base64url; MalformedError for any other spelling."""
    try:
        raw = text.encode("ascii").translate(_STANDARD) + _PADDING[len(text) % 4]
        data = binascii.a2b_base64(raw)
    except (ValueError, AttributeError) as error:
        raise MalformedError("not base64url") from error
    if binascii.b2a_base64(data, newline=False) != raw:
        raise MalformedError("base64url is not in its canonical spelling")
    return data


def b64(data: bytes) -> str:
    """Padded standard base64 (RFC 4648 4), as C2SP notes use it."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """The bytes of padded standard base64; MalformedError for any other spelling."""
    return _strict(text, "base64", lambda: base64.b64decode(text, validate=True), b64)


def _strict(text: str, name: str, decode: Callable[[], bytes], encode: Callable[[bytes], str]) -> bytes:
    try:
        data = decode()
        same = encode(data) == text
    except (binascii.Error, ValueError, TypeError) as error:
        raise MalformedError(f"not {name}") from error
    if not same:
        raise MalformedError(f"{name} is not in its canonical spelling")
    return data


def unhex(text: str) -> bytes:
    """The bytes of lower-case hex without separators."""
    if not isinstance(text, str) or not _HEX.match(text):
        raise MalformedError("not lower-case hexadecimal")
    return bytes.fromhex(text)


def b58(data: bytes) -> str:
    """base58btc."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_B58[digit])
    return "1" * zeros + "".join(reversed(digits))


def unb58(text: str) -> bytes:
    """The bytes of base58btc; at most 8,192 characters."""
    if not isinstance(text, str) or len(text) > _MAX_B58:
        raise MalformedError("base58 text is too long")
    number = 0
    for letter in text:
        if letter not in _B58_VALUE:
            raise MalformedError(f"{letter!r} is not a base58 digit")
        number = number * 58 + _B58_VALUE[letter]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def multibase(data: bytes) -> str:
    """Multibase base58btc: 'z' and the digits."""
    return "z" + b58(data)


def unmultibase(text: str) -> bytes:
    """The bytes of a multibase text: 'z' (base58btc) or 'u' (base64url)."""
    if not isinstance(text, str) or text[:1] not in ("z", "u"):
        raise MalformedError("multibase text must start with z or u")
    return unb58(text[1:]) if text[0] == "z" else unb64u(text[1:])


def uvarint(number: int) -> bytes:
    """Unsigned LEB128 as multicodec uses it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_uvarint(data: bytes, offset: int = 0) -> tuple[int, int]:
    """(number, next offset); refuses overlong forms and more than nine bytes."""
    number = 0
    for count in range(9):
        if offset + count >= len(data):
            raise MalformedError("varint is cut short")
        byte = data[offset + count]
        number |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count:
                raise MalformedError("varint is longer than needed")
            return number, offset + count + 1
    raise MalformedError("varint is longer than nine bytes")


def minutes(moment: datetime) -> int:
    """Whole UTC minutes since 1970 (R7); the moment must carry a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int((moment - _EPOCH) // timedelta(minutes=1))


def from_minutes(count: int) -> datetime:
    """The moment of a minute count; MalformedError outside the years 1 to 9999."""
    if not isinstance(count, int) or not -CALENDAR_END < count < CALENDAR_END:
        raise MalformedError("a time outside the calendar")
    try:
        return _EPOCH + timedelta(minutes=count)
    except OverflowError as error:
        raise MalformedError("a time outside the calendar") from error


def rfc3339(count: int) -> str:
    """Minutes as `2026-11-23T08:00:00Z`."""
    return from_minutes(count).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime:
    """The moment of `2026-11-23T08:00:00Z`: upper case, seconds, Z, nothing else (RFC 3339 5.6, narrowed)."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        raise MalformedError("a time must look like 2026-11-23T08:00:00Z")
    try:
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise MalformedError(f"no such time: {text}") from error
