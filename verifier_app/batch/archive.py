"""The files in a ZIP, under caps that count what comes out, not what its table of contents promises."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from weid.errors import MalformedError

__all__ = ["MAX_FILES", "files_in", "is_archive"]

MAX_FILES: Final = 500
MAX_FILE: Final = 20_000_000
MAX_WHOLE: Final = 300_000_000
_CHUNK: Final = 1 << 16
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, LookupError, struct.error,
                  NotImplementedError, RuntimeError)  # fmt: skip
_PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def is_archive(data: bytes) -> bool:
    """Whether the bytes begin like a ZIP file."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def files_in(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    """Each file's name and bytes, one after the other; None stands for one that is too large, locked or broken.

    MalformedError `bad-archive` for what is no ZIP, holds too many files, or gives more than the cap in all: a bomb of
    a few kilobytes may unpack to petabytes, and overlapping entries make its table of contents lie.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        entries = [entry for entry in archive.infolist() if _is_wanted(entry.filename)]
    except _BROKEN as error:
        raise MalformedError("not a ZIP file that can be read", code="bad-archive") from error
    if len(entries) > MAX_FILES:
        raise MalformedError(f"more than {MAX_FILES} files in one archive", code="bad-archive")
    left = MAX_WHOLE
    for entry in entries:
        content, spent = _read(archive, entry)
        left -= spent
        if left < 0:
            raise MalformedError(f"more than {MAX_WHOLE} bytes in one archive", code="bad-archive")
        yield entry.filename, content


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[bytes | None, int]:
    """(content, bytes unpacked): what was unpacked counts, whether it could be used or not."""
    if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
        return None, 0
    found = bytearray()
    try:
        with archive.open(entry) as stream:
            while len(found) <= MAX_FILE and (part := stream.read(_CHUNK)):
                found += part
    except _BROKEN:
        return None, len(found)
    return (bytes(found) if len(found) <= MAX_FILE else None), len(found)


def _is_wanted(name: str) -> bool:
    """Not a folder, and not what file managers put beside the files."""
    last = name.rsplit("/", 1)[-1]
    return bool(last) and not last.startswith(".") and "__MACOSX/" not in name and last not in ("Thumbs.db", "desktop.ini")
