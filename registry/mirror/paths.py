"""The resources of a tiled log (C2SP tlog-tiles): paths, entry bundles, and all of them for one size. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from registry.tiles import WIDTH
from weid.errors import MalformedError

__all__ = ["ENTRIES", "entry_path", "pack_entries", "parse_path", "resources", "tile_path", "unpack_entries"]

ENTRIES = -1  # the "level" of entry bundles
MAX_LEVEL = 63
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII)


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`, with N in groups of three digits, all but the last after an x."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    row = "entries" if level == ENTRIES else str(level)
    return f"tile/{row}/{name}" + ("" if width == WIDTH else f".p/{width}")


def entry_path(index: int, width: int = WIDTH) -> str:
    """The path of an entry bundle."""
    return tile_path(ENTRIES, index, width)


def parse_path(path: str) -> tuple[int, int, int]:
    """(level or ENTRIES, index, width) of exactly such a path; MalformedError for any other spelling."""
    match = _PATH.match(path) if len(path) < 100 else None
    if match is None:
        raise MalformedError("not the path of a tile", code="no-tile")
    level = ENTRIES if match[1] == "entries" else int(match[1])
    index = int(match[2].replace("/", "").replace("x", ""))
    width = WIDTH if match[3] is None else int(match[3])
    if level > MAX_LEVEL or (match[3] is not None and width >= WIDTH) or tile_path(level, index, width) != path:
        raise MalformedError("not the path of a tile", code="no-tile")
    return level, index, width


def resources(size: int) -> Iterator[tuple[int, int, int]]:
    """(level or ENTRIES, index, width) of everything a log of this size has, the partial ones of this size too."""
    for level in (ENTRIES, *range(MAX_LEVEL + 1)):
        count = size >> 8 * max(level, 0)
        if not count:
            return
        yield from ((level, index, WIDTH) for index in range(count // WIDTH))
        if count % WIDTH:
            yield level, count // WIDTH, count % WIDTH


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(data: bytes, count: int) -> tuple[bytes, ...]:
    """Exactly `count` entries of exactly these bytes; MalformedError otherwise."""
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or end == at + 2:
            raise MalformedError("an entry bundle that ends inside an entry", code="bad-bundle")
        found.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(found) != count:
        raise MalformedError(f"an entry bundle of other than {count} entries", code="bad-bundle")
    return tuple(found)
