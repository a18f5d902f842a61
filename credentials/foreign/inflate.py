"""zlib (RFC 1950) and raw deflate (RFC 1951) with a cap on what comes out, and nothing after the end.

Deflate leaves up to seven bits unused before its last byte ends. In zlib, where no signature covers them, they are asked to
be zero, as every encoder writes them, so that no letter of a code can change without the code reading differently.
"""

from __future__ import annotations

import zlib
from typing import Final

from weid.errors import MalformedError

__all__ = ["inflate"]

_HEADERS: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_CHECKSUM: Final = 4


def inflate(data: bytes, *, raw: bool, cap: int) -> bytes:
    """The bytes inside; MalformedError `deflate` for anything but one whole stream, `too-large` over `cap` bytes."""
    if not raw and data[:2] not in _HEADERS:
        raise MalformedError("not zlib", code="deflate")
    found = _inflated(data, raw, cap)
    if found is None:
        raise MalformedError("not one whole deflate stream", code="deflate")
    if len(found) > cap:
        raise MalformedError(f"more than {cap} bytes come out of the code", code="too-large")
    if not raw:
        _require_zero_padding(data, found, cap)
    return found


def _require_zero_padding(data: bytes, found: bytes, cap: int) -> None:
    last = len(data) - 1 - _CHECKSUM
    for bit in range(7, -1, -1):  # from the top: unused bits until the first that counts
        flipped = bytearray(data)
        flipped[last] ^= 1 << bit
        if _inflated(bytes(flipped), False, cap) != found:
            return
        if data[last] >> bit & 1:
            raise MalformedError("bits after the end of the deflate stream", code="deflate")


def _inflated(data: bytes, raw: bool, cap: int) -> bytes | None:
    """What comes out of one whole stream, one byte more than `cap` at most; None where it is none."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    try:
        found = stream.decompress(data, cap + 1)
    except zlib.error:
        return None
    if len(found) > cap:
        return found
    return found if stream.eof and not stream.unused_data and not stream.unconsumed_tail else None
