"""The Merkle tree of transparency logs (RFC 6962 §2.1, RFC 9162 §2.1) with the hash function as a parameter.

Leaves are given as leaf hashes: `leaf_hash(data, hash=SHA256)`. The same tree serves the registry log, the
issuance registers (R8) and anchored batches. Paths are planned as ranges of leaves first
(`inclusion_ranges`, `consistency_ranges`), so a caller with stored subtrees needs no other algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from weid.errors import ProofError
from weid.hashes import Hash

__all__ = [
    "Frontier",
    "Range",
    "consistency_path",
    "consistency_ranges",
    "empty_root",
    "inclusion_path",
    "inclusion_ranges",
    "inclusion_root",
    "leaf_hash",
    "node_hash",
    "range_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

Range = tuple[int, int]
_MAX_SIZE = 1 << 63


def leaf_hash(data: bytes, *, hash: Hash) -> bytes:
    """H(0x00 ‖ data), the leaf hash of an entry (RFC 6962 §2.1)."""
    return hash(b"\x00" + data)


def node_hash(left: bytes, right: bytes, *, hash: Hash) -> bytes:
    """H(0x01 ‖ left ‖ right), the hash of an inner node (RFC 6962 §2.1)."""
    return hash(b"\x01" + left + right)


def empty_root(*, hash: Hash) -> bytes:
    """H(""), the root of a tree without leaves (RFC 6962 §2.1)."""
    return hash(b"")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def range_hash(start: int, end: int, complete: Callable[[int, int], bytes], *, hash: Hash) -> bytes:
    """The hash over leaves `start … end-1`; `complete(level, index)` gives the subtree of 2^level leaves."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return complete(level, start >> level)
    middle = start + _split(size)
    left = range_hash(start, middle, complete, hash=hash)
    return node_hash(left, range_hash(middle, end, complete, hash=hash), hash=hash)


def root(leaves: Sequence[bytes], *, hash: Hash) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier(hash=hash)
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Frontier:
    """The right edge of a growing tree: the complete subtrees, largest first; appends are O(1) amortised."""

    __slots__ = ("_hash", "_nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = (), *, hash: Hash) -> None:
        self._hash = hash
        self._nodes = list(nodes)
        self.size = size
        if size.bit_count() != len(self._nodes):
            raise ProofError(f"a tree of {size} leaves has {size.bit_count()} edge nodes", code="bad-frontier")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._nodes.pop(), node, hash=self._hash)
            size >>= 1
        self._nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self._nodes:
            return empty_root(hash=self._hash)
        node = self._nodes[-1]
        for left in reversed(self._nodes[:-1]):
            node = node_hash(left, node, hash=self._hash)
        return node

    def copy(self) -> Frontier:
        """An independent copy, to try an append that may not be stored."""
        return Frontier(self.size, self._nodes, hash=self._hash)


def inclusion_ranges(index: int, size: int) -> tuple[Range, ...]:
    """The sibling ranges of an inclusion path, nearest the leaf first (RFC 6962 §2.1.1)."""
    _check(0 <= index < size <= _MAX_SIZE, f"no leaf {index} in a tree of {size}")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return tuple(reversed(found))


def consistency_ranges(old: int, size: int) -> tuple[Range, ...]:
    """The ranges of a consistency path between two sizes of one tree (RFC 6962 §2.1.2)."""
    _check(0 <= old <= size <= _MAX_SIZE, f"no consistency path from {old} to {size}")
    if old in (0, size):
        return ()
    start, end, found, whole = 0, size, [], True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return tuple(reversed(found))


def inclusion_path(leaves: Sequence[bytes], index: int, *, hash: Hash) -> tuple[bytes, ...]:
    """The inclusion path of one leaf in the tree over all `leaves`."""
    return _hashes(leaves, inclusion_ranges(index, len(leaves)), hash)


def consistency_path(leaves: Sequence[bytes], old: int, *, hash: Hash) -> tuple[bytes, ...]:
    """The path that shows the first `old` leaves are a prefix of `leaves`."""
    return _hashes(leaves, consistency_ranges(old, len(leaves)), hash)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes, *, hash: Hash) -> None:
    """Check that the leaf hash stands at `index` of the tree (RFC 9162 §2.1.3.2), else ProofError."""
    _check(inclusion_root(leaf, index, size, path, hash=hash) == root, "the inclusion path leads to another root")


def inclusion_root(leaf: bytes, index: int, size: int, path: Sequence[bytes], *, hash: Hash) -> bytes:
    """The root that a path leads to from this leaf hash (RFC 9162 §2.1.3.2, steps 1 to 4); ProofError for no such path.

    Below where the way to the leaf leaves the tree's right edge a bit of the index says on which side a sibling stands; from
    there up every sibling is on the left, one for each bit that is set.
    """
    _check(0 <= index < size <= _MAX_SIZE, f"no leaf {index} in a tree of {size}")
    _check_width(path, hash)
    below = (index ^ (size - 1)).bit_length()
    length = below + (index >> below).bit_count()
    _check(len(path) <= length, "the inclusion path is too long")
    _check(len(path) >= length, "the inclusion path is too short")
    node, digest = leaf, hash.digest  # without a call in between: twenty nodes a proof
    for sibling in path[:below]:
        node = digest(b"\x01" + sibling + node if index & 1 else b"\x01" + node + sibling)
        index >>= 1
    for sibling in path[below:]:
        node = digest(b"\x01" + sibling + node)
    return node


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes], *, hash: Hash) -> None:
    """Check that the smaller tree is a prefix of the larger (RFC 9162 §2.1.4.2), else ProofError."""
    _check(0 <= old <= size <= _MAX_SIZE, f"a tree of {size} cannot continue one of {old}")
    _check_width(path, hash)
    if old in (0, size):
        _check(not path, "this consistency path must be empty")
        _check(old_root == (empty_root(hash=hash) if old == 0 else root), "the roots differ")
        return
    if old & (old - 1) == 0:
        path = (old_root, *path)
    first, second = _both_roots(old, size, path, hash)
    _check(first == old_root and second == root, "the consistency path leads to other roots")


def older_root(old: int, size: int, root: bytes, path: Sequence[bytes], *, hash: Hash) -> bytes:
    """The root of the first `old` leaves that a *whole* consistency path to `root` proves; ProofError if it does not.

    RFC 9162 leaves that root out of the path where `old` is a power of two; a whole path has it, as its first hash.
    """
    _check(0 < old < size <= _MAX_SIZE, f"a tree of {size} does not continue one of {old}")
    _check_width(path, hash)
    first, second = _both_roots(old, size, path, hash)
    _check(second == root, "the consistency path leads to another root")
    return first


def _both_roots(old: int, size: int, path: Sequence[bytes], hash: Hash) -> tuple[bytes, bytes]:
    """(root at `old`, root at `size`) that a path leads to (RFC 9162 §2.1.4.2, steps 3 to 6)."""
    _check(len(path) > 0, "the consistency path is too short")
    index, last = old - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        _check(last > 0, "the consistency path is too long")
        if index & 1 or index == last:
            first = node_hash(sibling, first, hash=hash)
            second = node_hash(sibling, second, hash=hash)
            while index & 1 == 0 and index != 0:
                index, last = index >> 1, last >> 1
        else:
            second = node_hash(second, sibling, hash=hash)
        index, last = index >> 1, last >> 1
    _check(last == 0, "the consistency path is too short")
    return first, second


def _hashes(leaves: Sequence[bytes], ranges: Iterable[Range], hash: Hash) -> tuple[bytes, ...]:
    return tuple(root(leaves[start:end], hash=hash) for start, end in ranges)


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ProofError(message, code="bad-proof")


def _check_width(path: Sequence[bytes], hash: Hash) -> None:
    # A path of other widths could make an inner node look like a leaf of another tree.
    _check(len(path) <= 64 and all(len(node) == 32 for node in path), f"not a path of {hash.name} hashes")
