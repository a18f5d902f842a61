"""A pack as one ZIP file, out and in. What comes in is counted before anything is unpacked, and nothing leaves its folder."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Final

from weid.errors import MalformedError
from weid.pack import MAX_FILES

__all__ = ["packed", "unpacked"]

MAX_ZIP: Final = 2 << 20
MAX_FILE: Final = 1 << 20
MAX_ALL: Final = 4 << 20
_FIXED: Final = (2020, 1, 1, 0, 0, 0)  # the same pack gives the same bytes


def packed(files: Mapping[str, bytes], folder: str) -> bytes:
    """The files below one folder."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{folder}/{path}", _FIXED), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a pack, with or without one folder around them; MalformedError `too-large` or `bad-design`."""
    if len(data) > MAX_ZIP:
        raise MalformedError(f"a packed pack has at most {MAX_ZIP} bytes", code="too-large")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            # Not `is_dir()`, which breaks down over a member without a name.
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            # The sizes a ZIP states can lie: they are a first sieve, and reading stops at the limit below.
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_ALL:
                raise MalformedError(f"a pack has at most {MAX_FILES} files and {MAX_ALL} bytes", code="too-large")
            files: dict[str, bytes] = {}
            for entry in entries:
                path = _plain(entry.filename)
                if path in files or entry.flag_bits & 1:
                    raise MalformedError("a name stands twice, or a file is encrypted", code="bad-design")
                files[path] = _read(archive, entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise MalformedError("not a ZIP file that can be read", code="bad-design") from error
    return _rooted(files)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as stream:
        data = stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise MalformedError(f"a file of a pack has at most {MAX_FILE} bytes", code="too-large")
    return data


def _plain(path: str) -> str:
    parts = path.split("/")
    if len(path) > 160 or "\\" in path or any(not part or part in (".", "..") or not part.isprintable() for part in parts):
        raise MalformedError("a file of the ZIP has no plain name", code="bad-design")
    return path


def _rooted(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without what systems add (hidden files, `__MACOSX`), and without the one folder around everything."""
    kept = {path: data for path, data in files.items() if not any(part.startswith((".", "__")) for part in path.split("/"))}
    if "pack.json" in kept:
        return kept
    tops = {path.split("/", 1)[0] for path in kept}
    if len(tops) != 1 or any("/" not in path for path in kept):
        raise MalformedError("the ZIP holds no pack.json", code="bad-design")
    return {path.split("/", 1)[1]: data for path, data in kept.items()}
