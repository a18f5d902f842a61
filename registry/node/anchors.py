"""The shelf of other systems' trust anchors on disk: one file a list, replaced whole, never by an older one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from weid.anchors import AnchorList, WithAnchors, read_anchors
from weid.errors import RollbackError, WeidError
from weid.facts import Facts

__all__ = ["MAX_LISTS", "AnchorShelf"]

MAX_LISTS: Final = 256
_SUFFIX: Final = ".anchors.json"


class AnchorShelf:
    """`<folder>/<hash of format and name>.anchors.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cached: tuple[int, tuple[AnchorList, ...]] | None = None

    def load(self) -> tuple[AnchorList, ...]:
        """Every list that can be read; read again only when the folder changed. A damaged file answers nothing."""
        try:
            stamp = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return ()
        if self._cached is None or self._cached[0] != stamp:
            paths = sorted(self.folder.glob(f"*{_SUFFIX}"))[:MAX_LISTS]
            self._cached = (stamp, tuple(item for item in map(_read, paths) if item is not None))
        return self._cached[1]

    def beside(self, facts: Facts) -> Facts:
        """The facts with the lists beside them."""
        lists = self.load()
        return WithAnchors(facts, lists) if lists else facts

    def keep(self, item: AnchorList) -> None:
        """Put a list on the shelf; RollbackError `older-list` for one taken before the one of its name that is there."""
        held = next((other for other in self.load() if (other.format, other.name) == (item.format, item.name)), None)
        if held is not None and held.taken > item.taken:
            raise RollbackError("a newer list of this name is here", code="older-list")
        data = item.to_bytes()
        read_anchors(data)  # what could not be read again is not kept
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(item.format, item.name)
        fresh = path.with_name(f"{path.name}.new")
        with fresh.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        self._cached = None

    def remove(self, form: str, name: str) -> bool:
        """Take a list off the shelf; whether one was there."""
        path = self._path(form, name)
        found = path.exists()
        path.unlink(missing_ok=True)
        self._cached = None
        return found

    def _path(self, form: str, name: str) -> Path:
        return self.folder / f"{hashlib.sha256(f'{form}|{name}'.encode()).hexdigest()[:40]}{_SUFFIX}"


def _read(path: Path) -> AnchorList | None:
    try:
        return read_anchors(path.read_bytes())
    except (OSError, WeidError):
        return None
