"""A trust bundle, or an update of one, packed for the road: about a quarter of the size.

    "weid/packed/v1\\n" ‖ SHA-256 of what follows ‖ xz stream

The digest is there so that every changed byte is refused (R27); it vouches for nothing. What is inside proves itself.
"""

from __future__ import annotations

import lzma

from weid.errors import MalformedError

__all__ = ["is_packed", "pack", "unpack"]

_HEAD = b"weid/packed/v1\n"
_MAX = 64 << 20
_MEMORY = 128 << 20


def is_packed(data: bytes) -> bool:
    """Whether these bytes claim to be packed."""
    return data.startswith(_HEAD)


def pack(data: bytes) -> bytes:
    """The packed form."""
    # The second of ten levels: a third of the time for three percent more bytes, and anybody may ask a node for it.
    return _HEAD + lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, preset=2)


def unpack(data: bytes) -> bytes:
    """What was packed; MalformedError, `too-large` past 64 MiB. Bytes that are not packed are given back as they are."""
    if not is_packed(data):
        return data
    stream = data[len(_HEAD) :]
    if len(data) > _MAX:
        raise MalformedError(f"a packed file is at most {_MAX} bytes", code="too-large")
    reader = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        content = reader.decompress(stream, max_length=_MAX + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise MalformedError("a packed file that cannot be unpacked") from error
    if len(content) > _MAX:
        raise MalformedError(f"over {_MAX} bytes when unpacked", code="too-large")
    if not reader.eof or reader.unused_data or reader.check != lzma.CHECK_CRC64:
        raise MalformedError("a packed file with something missing or left over")
    return content
