"""The files of a tiled log (C2SP tlog-tiles): one resource by path, and all of them into a folder to be carried or served."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from registry.checkpoint import parse_checkpoint
from registry.genesis import print_genesis
from registry.log import Registry
from registry.mirror.paths import ENTRIES, pack_entries, parse_path, resources, tile_path
from registry.note import parse_note
from registry.tiles import HASH, WIDTH
from weid.errors import RegistryError

__all__ = ["export", "resource"]


def resource(registry: Registry, path: str) -> bytes:
    """The bytes of `tile/…`; RegistryError `no-tile` for what this log does not have, MalformedError for another path."""
    level, index, width = parse_path(path)
    count = registry.size >> 8 * max(level, 0)
    if not index * WIDTH + width <= count:
        raise RegistryError(f"this log has no {path}", code="no-tile")
    if level == ENTRIES:
        return pack_entries([entry.data for entry in registry.engine.read(index * WIDTH, width)])
    tile = registry.engine.stored_tile(level, index) or b""
    if len(tile) < width * HASH:
        raise RegistryError(f"this log has no {path}", code="no-tile")
    return tile[: width * HASH]


def export(registry: Registry, folder: Path) -> int:
    """Write everything that a mirror or reader needs below a folder, the checkpoint last; how many files were new.

    What is there already and full is not written again, so an export can be repeated onto the same stick or web root.
    """
    bundle, note = registry.bundle(), registry.checkpoint()
    size, written = parse_checkpoint(parse_note(note).text).size, 0
    for path in _paths(size):
        target = folder / path
        if not target.exists():
            _write(target, resource(registry, path))
            written += 1
    named = {"genesis.json": print_genesis(registry.genesis), "bundle": bundle, "checkpoint": note}
    twin = registry.engine.kept("note", "twin")
    if twin is not None:  # a mirror may not have been given it yet
        named["twin"] = twin
    for name, data in named.items():
        _write(folder / name, data)
    return written


def _paths(size: int) -> Iterator[str]:
    return (tile_path(*item) for item in resources(size))


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    with fresh.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(target)
