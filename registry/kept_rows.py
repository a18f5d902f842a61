"""One table of the kept state: rows in blocks, in the order in which they were written, and an index over them.

A block has 64 rows and is never written again; of two rows of one key the later one counts. An index says where the rows of a
key are, by the first 8 bytes of the key's hash, in sorted entries of 16 bytes; what is written at once has its own, and indexes
of like size are merged, so there are few. The digest of each index, with the digests of its blocks, stands in the signed head:
whatever is read is what was written, also that a key has no row.
"""

from __future__ import annotations

import marshal
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, TypeAlias

from weid.errors import RegistryError
from weid.hashes import Hash

__all__ = ["DamagedError", "KeptRows", "Parts", "Row", "Run", "TableHead", "added_index", "added_rows"]

BLOCK = 64
_ENTRY = 16
_DIGEST = 32
_LIKE = 16  # so many indexes of like size become one
_FEW = 1_000  # questions for which several indexes are not merged: that takes longer than whoever asks first should wait

Row: TypeAlias = tuple[str, bool, Any]
"""(key, whether the key begins anew here, value or None where there is no record any more)"""
Parts: TypeAlias = dict[str, "bytes | None"]
"""name → what is written under it; None: it is taken away"""
Get: TypeAlias = Callable[[str], "bytes | None"]


class DamagedError(RegistryError):
    """A part of the kept state is missing or another one: what it says must be found out from the log."""

    default_code = "kept-state"


@dataclass(frozen=True, slots=True)
class Run:
    """One index: its name, the blocks it covers, and the digest of its entries with the digests of those blocks."""

    name: str
    first: int
    blocks: int
    entries: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class TableHead:
    """What the head says of a table: how many keys it has, and its indexes, the oldest first.

    Rows from block `fresh` on have changed since the state map was kept.
    """

    name: str
    count: int
    fresh: int
    runs: tuple[Run, ...] = ()

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return self.runs[-1].first + self.runs[-1].blocks if self.runs else 0


class KeptRows:
    """A table as it was kept; DamagedError for a part that is not what the head names."""

    def __init__(self, head: TableHead, get: Get, *, hash: Hash) -> None:
        self.head, self._get, self._hash = head, get, hash
        self._index: tuple[list[tuple[array[int], array[int]]], bytes] | None = None
        self._asked = 0
        self._blocks: dict[int, tuple[Row, ...]] = {}

    def find(self, key: str) -> Row | None:
        """The latest row of a key."""
        for at in self.places(_prefix(key, self._hash)):
            row = self._block(at // BLOCK)[at % BLOCK]
            if row[0] == key:
                return row
        return None

    def places(self, prefix: bytes) -> Iterator[int]:
        """What the index holds under 8 bytes, the latest first."""
        wanted, self._asked = int.from_bytes(prefix, "big"), self._asked + 1
        indexes, digests = self._load()
        if len(indexes) > 1 and self._asked > _FEW:
            indexes = [_words(_merged(_entries(*index) for index in indexes))]  # of what was read: what is kept goes on
            self._index = indexes, digests
        for prefixes, places in indexes:
            at = bisect_right(prefixes, wanted)
            while at and prefixes[at - 1] == wanted:
                at -= 1
                yield places[at]

    def entries(self) -> list[tuple[int, int]]:
        """(prefix, place) of all that the index holds, sorted."""
        return sorted(entry for prefixes, places in self._load()[0] for entry in zip(prefixes, places, strict=True))

    def rows(self, first: int = 0) -> Iterator[Row]:
        """Every row from a block on, in the order in which they were written."""
        for number in range(first, self.head.blocks):
            yield from self._block(number)

    def _load(self) -> tuple[list[tuple[array[int], array[int]]], bytes]:
        """((prefixes, places) of each index, the newest first, digests of the blocks), read once."""
        if self._index is None:
            read = [read_run(run, self._get, self._hash) for run in self.head.runs]
            self._index = [_words(entries) for entries, _ in reversed(read)], b"".join(digests for _, digests in read)
        return self._index

    def _block(self, number: int) -> tuple[Row, ...]:
        known = self._blocks.get(number)
        if known is not None:
            return known
        data = self._get(block_name(self.head.name, number))
        digest = self._load()[1][number * _DIGEST : (number + 1) * _DIGEST]
        if data is None or self._hash(data) != digest:
            raise DamagedError(f"block {number} of {self.head.name} is not the one that was kept")
        if len(self._blocks) >= 256:
            self._blocks.clear()
        # Only what has the digest is read: whoever can make it has the state key (marshal itself is not for strangers' bytes).
        found: tuple[Row, ...] = marshal.loads(data)
        self._blocks[number] = found
        return found


def added_rows(head: TableHead, rows: Sequence[Row], get: Get, *, hash: Hash) -> tuple[TableHead, Parts]:
    """The table with these rows after those it has, and the parts to write."""
    if not rows:
        return head, {}
    parts: Parts = {}
    digests, entries = [], []
    for number, at in enumerate(range(0, len(rows), BLOCK), head.blocks):
        block = tuple(rows[at : at + BLOCK])
        data = marshal.dumps(block)
        parts[block_name(head.name, number)] = data
        digests.append(hash(data))
        base, digest = number * BLOCK, hash.digest
        entries += [digest(row[0].encode())[:8] + (base + n).to_bytes(8, "big") for n, row in enumerate(block)]
    made, written = _added(head, sorted(entries), b"".join(digests), get, hash)
    return made, {**parts, **written}


def added_index(head: TableHead, entries: Iterable[tuple[bytes, int]], get: Get, *, hash: Hash) -> tuple[TableHead, Parts]:
    """A table without rows, whose index alone says it: (8 bytes, number) each."""
    return _added(head, sorted(prefix + number.to_bytes(8, "big") for prefix, number in entries), b"", get, hash)


def block_name(table: str, number: int) -> str:
    """The name of the part that is a block."""
    return f"{table}/b{number}"


def read_run(run: Run, get: Get, hash: Hash) -> tuple[bytes, bytes]:
    """(entries, digests of the blocks) of one index."""
    data = get(run.name)
    if data is None or hash(data) != run.digest:
        raise DamagedError(f"{run.name} is not the one that was kept")
    return data[: run.entries * _ENTRY], data[run.entries * _ENTRY :]


def _entries(prefixes: array[int], places: array[int]) -> bytes:
    """The entries of an index as they are kept."""
    words = array("Q", bytes(_ENTRY * len(places)))
    words[0::2], words[1::2] = prefixes, places
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()


def _words(entries: bytes) -> tuple[array[int], array[int]]:
    """(prefixes, places) of the entries of an index."""
    words = array("Q", entries)
    if sys.byteorder == "little":
        words.byteswap()
    return words[0::2], words[1::2]


def _added(head: TableHead, entries: Sequence[bytes], digests: bytes, get: Get, hash: Hash) -> tuple[TableHead, Parts]:
    if not entries:
        return head, {}
    runs, data, parts, first = list(head.runs), b"".join(entries), Parts(), head.blocks
    while older := _like(runs, len(data) // _ENTRY):
        read = [read_run(run, get, hash) for run in older]
        data = _merged((*(held for held, _ in read), data))
        digests = b"".join(marks for _, marks in read) + digests
        first, parts = older[0].first, {**parts, **dict.fromkeys(run.name for run in older)}
        del runs[-len(older) :]
    # A name never stands for two contents: who reads the older one meanwhile finds it, or nothing.
    name = f"{head.name}/i{head.blocks}-{sum(run.entries for run in head.runs) + len(entries)}"
    whole = data + digests
    made = Run(name, first, len(digests) // _DIGEST, len(data) // _ENTRY, hash(whole))
    return replace(head, runs=(*runs, made)), {**parts, name: whole}


def _like(runs: Sequence[Run], entries: int) -> list[Run]:
    """The newest indexes that are no larger, by factors of 16, than one with so many entries, once there are 15 of them."""
    older = list(takewhile(lambda run: _tier(run.entries) <= _tier(entries), reversed(runs)))
    return older[::-1] if len(older) >= _LIKE - 1 else []


def _tier(entries: int) -> int:
    return (entries.bit_length() - 1) // 4


def _merged(several: Iterable[bytes]) -> bytes:
    """Sorted entries of several indexes as one: sorting what consists of sorted stretches is merging."""
    entries = [data[at : at + _ENTRY] for data in several for at in range(0, len(data), _ENTRY)]
    entries.sort()
    return b"".join(entries)


def _prefix(key: str, hash: Hash) -> bytes:
    return hash(key.encode())[:8]
