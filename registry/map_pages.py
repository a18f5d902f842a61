"""A state map as pages: subtrees of a few records, each named by its own hash, under a list of where they stand.

A page is never trusted: the subtree that its records give must have the hash it was asked for, and the hashes of all pages must
give the root. So a page that was changed, exchanged or lost is noticed when it is read, and whoever asked reads it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from registry.map_nodes import (
    EMPTY,
    Branch,
    Later,
    Node,
    bit,
    built,
    count_of,
    hash_of,
    joined,
    leaf_of,
    leaves_of,
    opened,
    place,
)
from registry.state_map import StateMap
from weid import cbor
from weid.errors import MalformedError, WeidError
from weid.hashes import Hash
from weid.records import KINDS, decode_record, encode_record, record_key

__all__ = ["Pages", "Path", "map_of_pages", "page_names", "pages_of", "subtree_at"]

_LEAVES = 64  # records a page at most
_REF = 34  # bytes: depth, number of leaves, hash
_NAMES = {kind: name for name, kind in KINDS.items()}

Path = tuple[int, ...]
"""Which way from the root down: 0 left, 1 right."""
Pages = dict[bytes, bytes]
"""hash of a subtree → its records"""


def pages_of(tree: StateMap, known: frozenset[bytes]) -> tuple[bytes, Pages]:
    """(the list of pages from left to right, those of them that are not known)."""
    pages: Pages = {}
    refs = list(_refs(tree.node, 0, known, pages))
    return b"".join(refs), pages


def page_names(top: bytes) -> frozenset[bytes]:
    """The hashes of the pages that a list names."""
    return frozenset(top[at + 2 : at + _REF] for at in range(0, len(top), _REF)) - {EMPTY}


def map_of_pages(
    root: bytes, top: Callable[[], bytes], page: Callable[[bytes], bytes], instead: Callable[[Path], Node], *, hash: Hash
) -> StateMap:
    """The map with this root, whose pages are read when they are asked for.

    `top` gives the list, `page` a page; where one of them raises a WeidError or gives anything else than what it is asked
    for, `instead` gives the subtree of a path.
    """

    def load() -> Node:
        try:
            return _tree(top(), root, read, hash)
        except WeidError:
            return instead(())

    def read(name: bytes, path: Path) -> Node:
        try:
            return _subtree(page(name), name, len(path), hash)
        except WeidError:
            return instead(path)

    return StateMap(hash=hash, node=None if root == EMPTY else Later(root, 0, load))


def subtree_at(tree: StateMap, path: Path) -> Node:
    """The subtree at a path; None where the map ends before it."""
    node = opened(tree.node)
    for depth, way in enumerate(path):
        if not isinstance(node, Branch):
            # A leaf stands as high as it can: it is below the path if its place is.
            return node if node is not None and bit(node.place, depth) == way else None
        node = opened(node.right if way else node.left)
    return node


def _refs(node: Node, depth: int, known: frozenset[bytes], pages: Pages) -> Iterator[bytes]:
    if isinstance(node, Later) and node.hash not in known:
        node = node.node()
    if isinstance(node, Branch) and node.count > _LEAVES:
        yield from _refs(node.left, depth + 1, known, pages)
        yield from _refs(node.right, depth + 1, known, pages)
        return
    name = hash_of(node)
    if name != EMPTY and name not in known:
        pages[name] = cbor.encode([[_NAMES[type(leaf.record)], encode_record(leaf.record)] for leaf in leaves_of(node)])
    yield bytes((depth, count_of(node))) + name


def _tree(top: bytes, root: bytes, read: Callable[[bytes, Path], Node], hash: Hash) -> Node:
    """The nodes above the pages: the depths alone say where each of them stands."""
    refs = iter([top[at : at + _REF] for at in range(0, len(top), _REF)])
    ahead = next(refs, b"")

    def make(path: Path) -> Node:
        nonlocal ahead
        if len(ahead) != _REF or ahead[0] < len(path):
            raise MalformedError("a list of pages that is no tree")
        if ahead[0] > len(path):
            left = make((*path, 0))
            return joined(left, make((*path, 1)), hash)
        count, name = ahead[1], ahead[2:]
        ahead = next(refs, b"")
        return None if name == EMPTY else Later(name, count, partial(read, name, path))

    made = make(())
    if ahead or hash_of(made) != root:
        raise MalformedError("a list of pages of another map")
    return made


def _subtree(data: bytes, name: bytes, depth: int, hash: Hash) -> Node:
    """The subtree of a page, if it is the one that is named so."""
    value = cbor.decode(data)
    if not isinstance(value, tuple) or len(value) > _LEAVES:
        raise MalformedError("not a page of a state map")
    leaves = []
    for item in value:
        match item:
            case (str(kind), tuple(fields)) if kind in KINDS:
                record = decode_record(KINDS[kind], fields)
                at = place(kind, record_key(record), hash=hash)
                leaves.append((at, leaf_of(at, record, hash)))
            case _:
                raise MalformedError("not a page of a state map")
    made = built(leaves, depth, hash)
    if hash_of(made) != name:
        raise MalformedError("a page of another subtree")
    return made
