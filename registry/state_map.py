"""The state map: an authenticated map from (kind, key) to record, whose root stands in the state statement (R20).

A compact sparse Merkle tree over H("weid/map-key/v1", kind, key). A subtree with one record is that record's leaf, an empty
one is 32 zero bytes, so a proof has about log2(records) hashes, for a record that is there and for one that is not:

    leaf = H(00 ‖ place ‖ H("weid/record/v1", record))      node = H(01 ‖ left ‖ right)

Trees share what did not change: the map as it was committed stays readable while the state goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from registry.map_nodes import (
    EMPTY,
    RECORD,
    Branch,
    Leaf,
    Node,
    bit,
    branch_hash,
    built,
    hash_of,
    joined,
    leaf_hash,
    leaf_of,
    leaves_of,
    opened,
    place,
    record_bytes,
    split,
)  # fmt: skip
from weid import cbor
from weid.errors import MalformedError, ProofError
from weid.hashes import Hash
from weid.records import KINDS, decode_record, record_key
from weid.signing import framed

__all__ = ["EMPTY", "KINDS_IN_MAP", "Change", "StateMap", "changed", "place", "read_proof", "record_bytes"]

KINDS_IN_MAP = tuple(sorted(kind for kind in KINDS if kind != "register"))
"""Registers are worked out when a bundle is made; every other kind is in the map."""
_HEAD = "weid/map-proof/v1"
_MAX_DEPTH = 256


Change: TypeAlias = tuple[str, str, Any]
"""(kind, key, record), the record None where there is none."""


class StateMap:
    """An immutable map; `updated` gives the next one."""

    __slots__ = ("hash", "node")

    def __init__(self, *, hash: Hash, node: Node = None) -> None:
        self.hash, self.node = hash, node

    @property
    def root(self) -> bytes:
        """The root; 32 zero bytes for the empty map."""
        return hash_of(self.node)

    def updated(self, changes: Mapping[tuple[str, str], Any]) -> StateMap:
        """The map after (kind, key) → record or None."""
        items = [(place(kind, key, hash=self.hash), record) for (kind, key), record in changes.items()]
        leaves = [(at, None if record is None else leaf_of(at, record, self.hash)) for at, record in sorted(items, key=_first)]
        return StateMap(hash=self.hash, node=_updated(self.node, 0, leaves, self.hash))

    def get(self, kind: str, key: str) -> Any | None:
        """The record of a key, or None."""
        at = place(kind, key, hash=self.hash)
        leaf = _walk(self.node, at)[1]
        return leaf.record if leaf is not None and leaf.place == at else None

    def prove(self, kind: str, key: str) -> bytes:
        """The proof that the record is what `get` says, or that there is none."""
        at = place(kind, key, hash=self.hash)
        siblings, leaf = _walk(self.node, at)
        marks = sum(1 << n for n, sibling in enumerate(siblings) if sibling != EMPTY)
        end: Any = None if leaf is None else True if leaf.place == at else leaf.place + leaf.value
        shown = tuple(sibling for sibling in siblings if sibling != EMPTY)
        return cbor.encode([_HEAD, len(siblings), marks.to_bytes(_MAX_DEPTH // 8, "little").rstrip(b"\0"), shown, end])


def read_proof(data: bytes, root: bytes, kind: str, key: str, record: bytes | None, *, hash: Hash) -> Any | None:
    """The record that the proof shows under this root, or None for a proof that there is none.

    `record` is what came with the proof. ProofError `bad-proof` for anything that is not so; MalformedError for bytes
    that `prove` does not print.
    """
    siblings, end = _parse(data)
    at = place(kind, key, hash=hash)
    if (end is True) is not (record is not None):
        raise ProofError("a proof of presence comes with the record, one of absence without", code="bad-proof")
    if record is not None:
        found = decode_record(KINDS[kind], cbor.decode(record))
        if record_key(found) != key:
            raise ProofError(f"the record is not of {key}", code="bad-proof")
        node = leaf_hash(at, hash(framed(RECORD, record)), hash)
    elif end is None:
        found, node = None, EMPTY
    else:
        found, other = None, end[:32]
        if other == at or any(bit(other, n) != bit(at, n) for n in range(len(siblings))):
            raise ProofError("the place that is taken is not on the way", code="bad-proof")
        node = leaf_hash(other, end[32:], hash)
    for depth in reversed(range(len(siblings))):
        pair = (siblings[depth], node) if bit(at, depth) else (node, siblings[depth])
        node = branch_hash(*pair, hash)
    if node != root:
        raise ProofError("the proof leads to another root", code="bad-proof")
    return found


def changed(old: StateMap, new: StateMap) -> Iterator[tuple[Any | None, Any | None]]:
    """(old record, new record) wherever two maps differ; subtrees with one hash are passed over."""
    yield from _differences(old.node, new.node)


def _parse(data: bytes) -> tuple[tuple[bytes, ...], Any]:
    match cbor.decode(data, max_bytes=1 << 14, max_depth=2):
        case (str(head), int(depth), bytes(marks), tuple(shown), end) if head == _HEAD:
            pass
        case _:
            raise MalformedError("not a proof of the state map")
    bits = int.from_bytes(marks, "little")
    plain = marks == b"" or marks[-1] != 0
    if not 0 <= depth <= _MAX_DEPTH or not plain or bits >> depth or bits.bit_count() != len(shown):
        raise MalformedError("a proof has one hash for each marked level")
    hashes = [item for item in shown if isinstance(item, bytes) and len(item) == 32 and item != EMPTY]
    if len(hashes) != len(shown):
        raise MalformedError("a proof has 32-byte hashes")
    if not (end is None or end is True or (isinstance(end, bytes) and len(end) == 64)):
        raise MalformedError("a proof ends in the record, another leaf, or nothing")
    nodes = iter(hashes)
    return tuple(next(nodes) if bits >> n & 1 else EMPTY for n in range(depth)), end


def _first(item: tuple[bytes, Any]) -> bytes:
    return item[0]


def _updated(node: Node, depth: int, items: Sequence[tuple[bytes, Leaf | None]], hash: Hash) -> Node:
    if not items:
        return node
    node = opened(node)
    if not isinstance(node, Branch):
        held: dict[bytes, Leaf] = {} if node is None else {node.place: node}
        for at, leaf in items:
            if leaf is None:
                held.pop(at, None)
            else:
                held[at] = leaf
        return built(sorted(held.items()), depth, hash)
    middle = split(items, depth)
    left = _updated(node.left, depth + 1, items[:middle], hash)
    right = _updated(node.right, depth + 1, items[middle:], hash)
    return joined(left, right, hash)


def _walk(node: Node, at: bytes) -> tuple[list[bytes], Leaf | None]:
    """(siblings from the root down, the leaf at the end if there is one)."""
    siblings: list[bytes] = []
    end = opened(node)
    while isinstance(end, Branch):
        if bit(at, len(siblings)):
            siblings.append(hash_of(end.left))
            end = opened(end.right)
        else:
            siblings.append(hash_of(end.right))
            end = opened(end.left)
    return siblings, end


def _differences(old: Node, new: Node) -> Iterator[tuple[Any | None, Any | None]]:
    if hash_of(old) == hash_of(new):
        return
    old, new = opened(old), opened(new)
    if isinstance(old, Branch) and isinstance(new, Branch):
        yield from _differences(old.left, new.left)
        yield from _differences(old.right, new.right)
        return
    before = {leaf.place: leaf for leaf in leaves_of(old)}
    after = {leaf.place: leaf for leaf in leaves_of(new)}
    for at in sorted(before.keys() | after.keys()):
        was, now = before.get(at), after.get(at)
        if hash_of(was) != hash_of(now):
            yield (None if was is None else was.record), (None if now is None else now.record)
