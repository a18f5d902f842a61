"""The newest entries of a log, read from its end: what the first pages show while the index of a long log is being made.

A page costs at most `most` entries whatever the size of the log; where that was not enough, the next page goes on below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.log import Registry
from registry.operations import SignedOperation, read_entry
from weid.errors import MalformedError

__all__ = ["CLOCKWORK", "Head", "Page", "Row", "head_of", "newest", "row_at"]

CLOCKWORK = frozenset({"time.tick", "state.commit"})
"""What the operator's clock writes every few minutes: left out of the list unless asked for."""
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of operations; `time` is None where the clock's entry before it was too far away to look for."""

    index: int
    type: str
    subject: str
    author: str
    result: str
    time: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and where the next older and newer pages begin (None: there is none).

    `total` is None while the index is being made: then nobody has counted, and an older page may begin anywhere.
    """

    rows: tuple[Row, ...]
    total: int | None
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """What the list needs of an entry: its type, subject and author, what it is about, and the minute of a tick."""

    type: str
    subject: str
    author: str
    names: frozenset[str]
    tick: int | None

    def fits(self, type: str, subject: str) -> bool:
        """Whether it is in the list of a type ("" all but clockwork, "all" everything) and a subject or author ("" any)."""
        if subject and (self.type in CLOCKWORK or subject not in self.names):
            return False
        return type == "all" or (self.type == type if type else self.type not in CLOCKWORK)


def head_of(data: bytes, registry: Registry) -> Head:
    """The head of an entry; an empty one for what is no operation."""
    try:
        entry: SignedOperation = read_entry(data, hash=registry.genesis.hash)
    except MalformedError:
        return Head("", "", "", frozenset(), None)
    operation = entry.operation
    author = operation.kid.partition("#")[0]
    # `did|role` and `did/status/1` are about the DID as well
    bare = operation.sub.partition("|")[0].partition("/status/")[0]
    names = {operation.sub, author, bare} | ({entry.id.hex()} if operation.type == "gov.propose" else set())
    tick = operation.body.minute if operation.type == "time.tick" else None
    return Head(operation.type, operation.sub, author, frozenset(names), tick)


def newest(registry: Registry, *, type: str, subject: str, before: int | None, size: int, most: int) -> Page:
    """At most `size` rows before an index, from at most `most` entries; `older` begins where reading stopped."""
    held = len(registry.results)
    end = held if before is None else min(before, held)
    found: list[tuple[int, Head]] = []
    ticks: list[tuple[int, int]] = []  # (index, minute), newest first
    low = end
    for index, head in _back(registry, end):
        low = index
        if head.tick is not None and registry.results[index] == "applied":
            ticks.append((index, head.tick))
        if head.fits(type, subject):
            found.append((index, head))
        if len(found) == size or end - low >= most:
            break
    if found and not (ticks and ticks[-1][0] <= found[-1][0]) and (ticks or end < held):
        ticks += _tick_before(registry, low, most)
    now = registry.state.now if end == held and not ticks else None  # no tick since: the log's own time
    rows = tuple(_row(registry, index, head, ticks, now) for index, head in found)
    return Page(rows, None, low if low > 0 else None, None)


def row_at(registry: Registry, index: int, most: int) -> Row:
    """The row of one entry."""
    head = next(head for _, head in _back(registry, index + 1))
    own = head.tick is not None and registry.results[index] == "applied"
    ticks = [(index, head.tick or 0)] if own else _tick_before(registry, index, most)
    return _row(registry, index, head, ticks, None)


def _row(registry: Registry, index: int, head: Head, ticks: list[tuple[int, int]], now: int | None) -> Row:
    """Log time at an entry is that of the last tick up to it (ticks: index and minute, the newest first)."""
    time = next((minute for at, minute in ticks if at <= index), now)
    return Row(index, head.type, head.subject, head.author, registry.results[index], time)


def _tick_before(registry: Registry, index: int, most: int) -> list[tuple[int, int]]:
    """The last tick before an index, the genesis counting as one; nothing where that is more than `most` entries away."""
    for at, head in _back(registry, index):
        if head.tick is not None and registry.results[at] == "applied":
            return [(at, head.tick)]
        if index - at >= most:
            return []
    return [(-1, registry.genesis.first_tick)]


def _back(registry: Registry, end: int) -> Iterator[tuple[int, Head]]:
    """Entries and their heads before an index, the newest first, read a chunk at a time."""
    while end > 0:
        start = max(0, end - _CHUNK)
        for entry in reversed(list(registry.engine.read(start, end - start))):
            yield entry.index, head_of(entry.data, registry)
        end = start
