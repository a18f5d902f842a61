"""Where in the log the operations about a subject are: kept in memory, made from the entries alone, grown on demand.

What a request may read itself is little. A log that is longer than that is read by a thread beside the requests, and until
it is done the pages read the newest entries from the log's end (`tail`).
"""

from __future__ import annotations

import sqlite3
import time
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from threading import Lock, Thread

from registry.log import Registry
from registry.node.explorer.tail import CLOCKWORK, Head, Page, Row, head_of, newest, row_at
from weid.errors import RegistryError

__all__ = ["MOST", "LogIndex", "Page", "Row"]

MOST = 2_000
"""Entries that one request reads at most: a fifth of a second."""
_CHUNK = 100  # entries that the thread reads before it lets requests go first
_PAUSE = 0.002


class LogIndex:
    """Which entries are of a type, or about a subject, or by an author; `update` reads what the log has grown by."""

    def __init__(self, registry: Registry, *, most: int = MOST) -> None:
        self._registry, self._most, self._lock = registry, most, Lock()
        self._heads: list[tuple[str, str, str]] = []
        self._times = array("Q")
        self._plain = array("Q")
        self._about: dict[str, array[int]] = {}
        self._types: dict[str, array[int]] = {}
        self._now = registry.genesis.first_tick
        self._counted, self._applied = 0, 0
        self._reader: Thread | None = None

    @property
    def done(self) -> int:
        """How many entries it knows."""
        return len(self._heads)

    @property
    def whole(self) -> bool:
        """Whether it knows all but what a request reads by itself."""
        return len(self._registry.results) - self.done <= self._most

    def update(self) -> bool:
        """Read the entries that are not known yet, if they are few; else begin to, beside the requests. Whether it is whole."""
        if self.whole:
            with self._lock:
                self._read(len(self._registry.results))
            return True
        with self._lock:
            if self._reader is None or not self._reader.is_alive():
                self._reader = Thread(target=self._catch_up, name="explorer-index", daemon=True)
                self._reader.start()
        return False

    def wait(self) -> None:
        """Until the thread, if there is one, has read the log."""
        if self._reader is not None:
            self._reader.join()

    def applied(self) -> int:
        """How many entries had an effect."""
        with self._lock:
            results = self._registry.results
            end = len(results)
            self._applied += sum(result == "applied" for result in results[self._counted : end])
            self._counted = end
            return self._applied

    def row(self, index: int) -> Row:
        """One line."""
        if index >= self.done:
            return row_at(self._registry, index, self._most)
        type, subject, author = self._heads[index]
        return Row(index, type, subject, author, self._registry.results[index], self._times[index])

    def page(self, *, type: str, subject: str, before: int | None, size: int) -> Page:
        """The rows of a type ("" all but clockwork, "all" everything) and a subject or author ("" any)."""
        if not self.update() and (before is None or before > self.done):
            return newest(self._registry, type=type, subject=subject, before=before, size=size, most=self._most)
        found = self._found(type, subject)
        end = len(found) if before is None else bisect_left(found, before)
        start = max(0, end - size)
        newer = found[min(end + size, len(found)) - 1] + 1 if end < len(found) else None
        rows = tuple(self.row(found[n]) for n in reversed(range(start, end)))
        return Page(rows, len(found) if self.whole else None, found[start] if start else None, newer)

    def counts(self) -> dict[str, int]:
        """How many entries there are of each type, of those it knows."""
        return {type: len(places) for type, places in sorted([*self._types.items()])}

    def _catch_up(self) -> None:
        """Read on to the end, a little at a time; a registry that is closed meanwhile, or a hole in it, ends the reading."""
        try:
            while self.done < (end := len(self._registry.results)):
                with self._lock:
                    self._read(min(end, self.done + _CHUNK))
                time.sleep(_PAUSE)
        except (RegistryError, sqlite3.Error):
            return  # whoever asks next meets it in the request itself

    def _read(self, end: int) -> None:
        start, results = self.done, self._registry.results
        for entry in self._registry.engine.read(start, end - start):
            self._add(entry.index, head_of(entry.data, self._registry), results[entry.index])

    def _found(self, type: str, subject: str) -> Sequence[int]:
        if not subject:
            return self._plain if not type else range(self.done) if type == "all" else self._types.get(type, ())
        places = self._about.get(subject, ())
        if type == "all":
            return places
        wanted = (lambda name: name == type) if type else (lambda name: name not in CLOCKWORK)
        return [at for at in places if wanted(self._heads[at][0])]

    def _add(self, index: int, head: Head, result: str) -> None:
        if head.tick is not None and result == "applied":
            self._now = head.tick
        self._times.append(self._now)
        self._types.setdefault(head.type, array("Q")).append(index)
        if head.type not in CLOCKWORK:  # the operator alone is their subject and author: an index is not worth its memory
            self._plain.append(index)
            for name in head.names:
                self._about.setdefault(name, array("Q")).append(index)
        self._heads.append((head.type, head.subject, head.author))  # last: what is done has its time and its places
