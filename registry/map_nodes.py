"""What the state map is made of: leaves, branches, and subtrees that are read when somebody first asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from weid import cbor
from weid.hashes import Hash
from weid.records import encode_record
from weid.signing import framed

__all__ = [
    "EMPTY", "RECORD", "Branch", "Later", "Leaf", "Node", "bit", "branch_hash", "built", "count_of", "hash_of", "joined",
    "leaf_hash", "leaf_of", "leaves_of", "opened", "place", "record_bytes", "split",
]  # fmt: skip

EMPTY = bytes(32)
RECORD = "weid/record/v1"
_PLACE = "weid/map-key/v1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One record at its place."""

    hash: bytes
    place: bytes
    value: bytes
    record: Any


@dataclass(frozen=True, slots=True)
class Branch:
    """Two subtrees, and how many leaves they have."""

    hash: bytes
    left: Node
    right: Node
    count: int


class Later:
    """A subtree of `count` leaves that `load` gives when it is needed; it has this hash, or it is not given."""

    __slots__ = ("_load", "_node", "count", "hash")

    def __init__(self, hash: bytes, count: int, load: Callable[[], Node]) -> None:
        self.hash, self.count = hash, count
        self._load: Callable[[], Node] | None = load
        self._node: Node = None

    def node(self) -> Node:
        """The subtree; asked for again it is there."""
        load = self._load
        if load is not None:
            # Two threads may load it both: they get the same subtree.
            self._node = load()
            self._load = None
        return self._node


Node: TypeAlias = Leaf | Branch | Later | None


def opened(node: Node) -> Leaf | Branch | None:
    """The node itself, read now if it was left for later."""
    while isinstance(node, Later):
        node = node.node()
    return node


def hash_of(node: Node) -> bytes:
    """The hash of a subtree; 32 zero bytes for the empty one."""
    return EMPTY if node is None else node.hash


def count_of(node: Node) -> int:
    """How many leaves a subtree has."""
    return 0 if node is None else 1 if isinstance(node, Leaf) else node.count


def built(leaves: Sequence[tuple[bytes, Leaf]], depth: int, hash: Hash) -> Leaf | Branch | None:
    """The subtree of sorted (place, leaf) that agree in their first `depth` bits."""
    if len(leaves) < 2:
        return leaves[0][1] if leaves else None
    middle = split(leaves, depth)
    left, right = built(leaves[:middle], depth + 1, hash), built(leaves[middle:], depth + 1, hash)
    return joined(left, right, hash)


def joined(left: Node, right: Node, hash: Hash) -> Leaf | Branch | None:
    """The subtree over two: one leaf alone stands in the place of its branch."""
    if left is None and not isinstance(right := opened(right), Branch):
        return right
    if right is None and not isinstance(left := opened(left), Branch):
        return left
    return Branch(branch_hash(hash_of(left), hash_of(right), hash), left, right, count_of(left) + count_of(right))


def split(items: Sequence[tuple[bytes, Any]], depth: int) -> int:
    """How many of the sorted places, equal up to `depth`, have a 0 there."""
    return next((n for n, (at, _) in enumerate(items) if bit(at, depth)), len(items))


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every leaf of a subtree, in the order of places."""
    node = opened(node)
    if isinstance(node, Leaf):
        yield node
    elif node is not None:
        yield from leaves_of(node.left)
        yield from leaves_of(node.right)


def leaf_of(at: bytes, record: Any, hash: Hash) -> Leaf:
    """The leaf of a record at its place."""
    value = hash(framed(RECORD, record_bytes(record)))
    return Leaf(leaf_hash(at, value, hash), at, value, record)


def leaf_hash(at: bytes, value: bytes, hash: Hash) -> bytes:
    """H(00 ‖ place ‖ value)."""
    return hash(b"\x00" + at + value)


def branch_hash(left: bytes, right: bytes, hash: Hash) -> bytes:
    """H(01 ‖ left ‖ right)."""
    return hash(b"\x01" + left + right)


def place(kind: str, key: str, *, hash: Hash) -> bytes:
    """Where a record stands in the map."""
    return hash(framed(_PLACE, framed(kind, key.encode())))


def record_bytes(record: Any) -> bytes:
    """A record as the map commits to it."""
    return cbor.encode(encode_record(record))


def bit(at: bytes, depth: int) -> int:
    """The bit of a place at a depth, the highest first."""
    return at[depth >> 3] >> (7 - (depth & 7)) & 1
