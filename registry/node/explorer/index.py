"""Where in the log the operations about a subject are: kept in memory, made from the entries alone, grown on demand."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from registry.log import Registry
from registry.operations import SignedOperation, read_entry
from weid.errors import MalformedError

__all__ = ["LogIndex", "Page", "Row"]

CLOCKWORK = frozenset({"time.tick", "state.commit"})
"""What the operator's clock writes every few minutes: left out of the list unless asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of operations."""

    index: int
    type: str
    subject: str
    author: str
    result: str
    time: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and where the next older and newer pages begin (None: there is none)."""

    rows: tuple[Row, ...]
    total: int
    older: int | None
    newer: int | None


class LogIndex:
    """Which entries are of a type, or about a subject, or by an author; `update` reads what the log has grown by."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._lock = registry, Lock()
        self._heads: list[tuple[str, str, str]] = []
        self._times = array("Q")
        self._plain = array("Q")
        self._about: dict[str, array[int]] = {}
        self._types: dict[str, array[int]] = {}
        self._now = registry.genesis.first_tick
        self.applied = 0

    def update(self) -> None:
        """Read the entries that are not known yet."""
        with self._lock:
            start, results = len(self._heads), self._registry.results
            end = len(results)
            for entry in self._registry.engine.read(start, end - start):
                try:
                    self._add(entry.index, read_entry(entry.data, hash=self._registry.genesis.hash), results[entry.index])
                except MalformedError:
                    self._place(entry.index, ("", "", ""), ())

    def row(self, index: int) -> Row:
        """One line."""
        type, subject, author = self._heads[index]
        return Row(index, type, subject, author, self._registry.results[index], self._times[index])

    def page(self, *, type: str, subject: str, before: int | None, size: int) -> Page:
        """The rows of a type ("" all but clockwork, "all" everything) and a subject or author ("" any)."""
        found = self._found(type, subject)
        end = len(found) if before is None else bisect_left(found, before)
        start = max(0, end - size)
        newer = found[min(end + size, len(found)) - 1] + 1 if end < len(found) else None
        rows = tuple(self.row(found[n]) for n in reversed(range(start, end)))
        return Page(rows, len(found), found[start] if start else None, newer)

    def counts(self) -> dict[str, int]:
        """How many entries there are of each type."""
        return {type: len(places) for type, places in sorted(self._types.items())}

    def _found(self, type: str, subject: str) -> Sequence[int]:
        if not subject:
            return self._plain if not type else range(len(self._heads)) if type == "all" else self._types.get(type, ())
        places = self._about.get(subject, ())
        if type == "all":
            return places
        wanted = (lambda name: name == type) if type else (lambda name: name not in CLOCKWORK)
        return [at for at in places if wanted(self._heads[at][0])]

    def _add(self, index: int, entry: SignedOperation, result: str) -> None:
        operation = entry.operation
        author = operation.kid.partition("#")[0]
        if operation.type == "time.tick" and result == "applied":
            self._now = operation.body.minute
        if result == "applied":
            self.applied += 1
        # `did|role` and `did/status/1` are about the DID as well
        bare = operation.sub.partition("|")[0].partition("/status/")[0]
        names = {operation.sub, author, bare}
        if operation.type == "gov.propose":
            names.add(entry.id.hex())
        self._place(index, (operation.type, operation.sub, author), tuple(names))

    def _place(self, index: int, head: tuple[str, str, str], names: tuple[str, ...]) -> None:
        self._heads.append(head)
        self._times.append(self._now)
        self._types.setdefault(head[0], array("Q")).append(index)
        if head[0] in CLOCKWORK:
            return  # the operator alone is their subject and author: no index of them is worth its memory
        self._plain.append(index)
        for name in names:
            self._about.setdefault(name, array("Q")).append(index)
