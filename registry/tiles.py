"""Stored Merkle tiles, after C2SP tlog-tiles: 256 hashes a tile, one tile row per level.

Tile (level L, index N) holds the roots of complete subtrees of 256^L leaves, 256·N upward; full tiles never
change, the last of each level grows. Any subtree hash then needs one tile, so a proof over millions of
entries costs a handful of reads and opening a log costs its right edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weid import merkle
from weid.errors import ProofError
from weid.hashes import Hash

__all__ = ["HASH", "WIDTH", "Growth", "Tile", "TileTree"]

WIDTH = 256
HASH = 32
_CACHED = 4_096  # full tiles kept in memory with the hashes above them: at most 64 MiB, for a log of a million entries all
_FOLDED = 4_096  # hashes inside tiles that still grow


@dataclass(frozen=True, slots=True)
class Tile:
    """The bytes of one tile: 1 to 256 hashes."""

    level: int
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What an append would change: tiles to store, and the size and root afterwards."""

    size: int
    root: bytes
    tiles: tuple[Tile, ...]
    edge: tuple[bytes, ...]
    frontier: merkle.Frontier


class TileTree:
    """A Merkle tree over stored tiles; `read(level, index)` gives a stored tile or None."""

    def __init__(self, size: int, read: Callable[[int, int], bytes | None], *, hash: Hash) -> None:
        self._read, self._hash, self.size = read, hash, size
        self._cache: dict[tuple[int, int], Sequence[bytes]] = {}
        self._folded: dict[tuple[int, int], bytes] = {}
        self._edge: tuple[bytes, ...] = tuple(self._load_edge(size))
        self._frontier = self.frontier_at(size)
        self.root = self._frontier.root()

    def grow(self, leaves: Sequence[bytes]) -> Growth:
        """The tiles and root after these leaf hashes; changes nothing until `accept`."""
        frontier = self._frontier.copy()
        for leaf in leaves:
            frontier.append(leaf)
        tiles: list[Tile] = []
        edge: list[bytes] = []
        level, fresh = 0, b"".join(leaves)
        while fresh or level < len(self._edge):
            old = self._edge[level] if level < len(self._edge) else b""
            first = (self.size >> 8 * level) // WIDTH
            data, above = old + fresh, []
            for number, at in enumerate(range(0, len(data), WIDTH * HASH)):
                tile = Tile(level, first + number, data[at : at + WIDTH * HASH])
                tiles.append(tile)
                if len(tile.data) == WIDTH * HASH:
                    above.append(self._fold(tile.data))
            edge.append(data[len(data) // (WIDTH * HASH) * WIDTH * HASH :])
            level, fresh = level + 1, b"".join(above)
        return Growth(frontier.size, frontier.root(), tuple(tiles), tuple(edge), frontier)

    def accept(self, growth: Growth) -> None:
        """Make a growth that is durable the current tree."""
        self.size, self.root = growth.size, growth.root
        self._edge, self._frontier = growth.edge, growth.frontier

    def complete(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree of 2^level leaves that starts at leaf index·2^level."""
        row, step = divmod(level, 8)
        tile, within = index >> 8 - step, index & (1 << 8 - step) - 1
        if row < len(self._edge) and tile == (self.size >> 8 * row) // WIDTH:
            return self._on_edge(level, index, self._edge[row][within << step + 5 : within + 1 << step + 5])
        return self._levels(row, tile)[step][within * HASH : (within + 1) * HASH]

    def leaf(self, index: int) -> bytes:
        """The leaf hash at an index."""
        return self.complete(0, index)

    def root_at(self, size: int) -> bytes:
        """The root the log had at a smaller size."""
        if not 0 <= size <= self.size:
            raise ProofError(f"no size {size} in a log of {self.size}", code="bad-proof")
        if size == 0:
            return merkle.empty_root(hash=self._hash)
        return merkle.range_hash(0, size, self.complete, hash=self._hash)

    def frontier_at(self, size: int) -> merkle.Frontier:
        """The right edge that the log had at a size, to go on from."""
        self._within(size)
        nodes = [self.complete(level, (size >> level) - 1) for level in _bits(size)]
        return merkle.Frontier(size, nodes, hash=self._hash)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The inclusion path of an entry in the log at `size`."""
        self._within(size)
        return self._hashes(merkle.inclusion_ranges(index, size))

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The consistency path between two sizes."""
        self._within(size)
        return self._hashes(merkle.consistency_ranges(old, size))

    def history(self, old: int, size: int) -> tuple[bytes, ...]:
        """The whole path between two sizes (`merkle.older_root`)."""
        path = self.consistency(old, size)
        return path if old & (old - 1) else (self.root_at(old), *path)

    def _within(self, size: int) -> None:
        if size > self.size:
            raise ProofError(f"no size {size} in a log of {self.size}", code="bad-proof")

    def _hashes(self, ranges: tuple[merkle.Range, ...]) -> tuple[bytes, ...]:
        return tuple(merkle.range_hash(start, end, self.complete, hash=self._hash) for start, end in ranges)

    def _fold(self, nodes: bytes) -> bytes:
        while len(nodes) > HASH:
            nodes = self._pairs(nodes)
        return nodes

    def _pairs(self, nodes: bytes) -> bytes:
        """The hashes over each two side by side, which are what their parent is made of; one without a neighbour is left out."""
        digest, end = self._hash.digest, len(nodes) // (2 * HASH) * 2 * HASH
        return b"".join([digest(b"\x01" + nodes[at : at + 2 * HASH]) for at in range(0, end, 2 * HASH)])

    def _load_edge(self, size: int) -> list[bytes]:
        edge, level = [], 0
        while size >> 8 * level:
            count = size >> 8 * level
            width = count % WIDTH
            data = (self._read(level, count // WIDTH) or b"") if width else b""
            if len(data) < width * HASH:
                raise ProofError(f"tile {level}/{count // WIDTH} is missing or short", code="bad-tile")
            edge.append(data[: width * HASH])
            level += 1
        return edge

    def _on_edge(self, level: int, index: int, nodes: bytes) -> bytes:
        """The hash over nodes of a tile that still grows: they do not, so it may be kept."""
        if len(nodes) != HASH << level % 8:
            raise ProofError(f"no complete subtree {level}/{index} in a log of {self.size}", code="bad-tile")
        known = self._folded.get((level, index))
        if known is None:
            if len(self._folded) >= _FOLDED:
                self._folded.clear()
            known = self._folded[level, index] = self._fold(nodes)
        return known

    def _levels(self, row: int, index: int) -> Sequence[bytes]:
        """A full tile and the hashes above it, each level half as wide: a path needs one of each, its neighbour's the same."""
        known = self._cache.get((row, index))
        if known is not None:
            return known
        data = self._read(row, index)
        if data is None or len(data) != WIDTH * HASH:
            raise ProofError(f"tile {row}/{index} is missing or short", code="bad-tile")
        levels = [data]
        while len(levels) < 8:
            levels.append(self._pairs(levels[-1]))
        # Up to the edge, which the root is made of: a tile changed on the disk proves nothing, and hides no other history.
        if self._pairs(levels[-1]) != self.complete(8 * (row + 1), index):
            raise ProofError(f"tile {row}/{index} is not the one that was stored", code="bad-tile")
        if len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)))
        self._cache[row, index] = levels
        return levels


def _bits(size: int) -> list[int]:
    """The levels of the complete subtrees at the right edge, largest first."""
    return [level for level in reversed(range(size.bit_length())) if size >> level & 1]
