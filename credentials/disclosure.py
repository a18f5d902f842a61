"""The salted tree under a compact credential, and the proof for any subset of its leaves (R15).

leaf = H(0x00 ‖ salt16 ‖ u8 index ‖ cbor(value)), node = H(0x01 ‖ left ‖ right), both cut to `width` bytes (20 or 32);
a tree of n leaves splits at the largest power of two below n, like RFC 6962. A proof holds the roots of the largest
subtrees without a shown leaf, depth first, left to right: their number follows from (n, mask) alone, so there is
exactly one proof for a mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from weid.errors import MalformedError
from weid.hashes import Hash
from weid.signing import framed

__all__ = ["MAX_CLAIMS", "SALT_BYTES", "leaf", "leaves", "node_count", "proof_nodes", "rebuild", "root", "salts"]

MAX_CLAIMS: Final = 64
SALT_BYTES: Final = 16
_SALT_FRAME: Final = framed("weid/salt/v1", b"")
_INDEX: Final = tuple(bytes([index]) for index in range(MAX_CLAIMS))


def salts(seed: bytes, count: int, hash: Hash) -> tuple[bytes, ...]:
    """salt_i = H(frame "weid/salt/v1" ‖ seed ‖ u8 i)[:16]; a seed belongs to one credential (R15)."""
    digest, start = hash.digest, _SALT_FRAME + seed
    return tuple(digest(start + _INDEX[index])[:SALT_BYTES] for index in range(count))


def leaf(index: int, salt: bytes, value: bytes, width: int, hash: Hash) -> bytes:
    """The leaf of the CBOR bytes `value`; index and salt keep equal values apart."""
    return hash.digest(b"\x00" + salt + _INDEX[index] + value)[:width]


def leaves(seed: bytes, values: Sequence[bytes], width: int, hash: Hash) -> list[bytes]:
    """Every leaf of a full credential; the same as `leaf` with `salts`, written out because it is the hot path."""
    digest, start = hash.digest, _SALT_FRAME + seed
    return [
        digest(b"\x00" + digest(start + place)[:SALT_BYTES] + place + value)[:width]
        for place, value in zip(_INDEX, values, strict=False)
    ]


def root(leaves: Sequence[bytes], width: int, hash: Hash) -> bytes:
    """The root over at least one leaf."""
    return _subtree(leaves, 0, len(leaves), width, hash)


def node_count(count: int, mask: int) -> int:
    """How many nodes a proof for `mask` of `count` leaves carries."""
    return len(_hidden_ranges(count, mask))


def proof_nodes(leaves: Sequence[bytes], mask: int, width: int, hash: Hash) -> tuple[bytes, ...]:
    """The hidden subtree roots for the leaves in `mask` (bit i = leaf i), depth first, left to right."""
    return tuple(_subtree(leaves, start, end, width, hash) for start, end in _hidden_ranges(len(leaves), mask))


def rebuild(count: int, mask: int, shown: Mapping[int, bytes], nodes: bytes, width: int, hash: Hash) -> bytes:
    """The root from the shown leaves and the joined proof nodes; MalformedError for any other node count."""
    if len(nodes) != width * node_count(count, mask):
        raise MalformedError("the number of proof nodes does not fit the mask", code="bad-disclosure")
    parts = iter([nodes[start : start + width] for start in range(0, len(nodes), width)])
    return _rebuild(0, count, mask, shown, parts, width, hash)


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(leaves: Sequence[bytes], start: int, end: int, width: int, hash: Hash) -> bytes:
    size = end - start
    if size == 1:
        return leaves[start]
    if size == 2:  # the hot path: half of all inner nodes
        return hash.digest(b"\x01" + leaves[start] + leaves[start + 1])[:width]
    middle = start + _split(size)
    left = _subtree(leaves, start, middle, width, hash)
    return hash.digest(b"\x01" + left + _subtree(leaves, middle, end, width, hash))[:width]


@lru_cache(maxsize=4096)
def _hidden_ranges(count: int, mask: int) -> tuple[tuple[int, int], ...]:
    if not 0 < count <= MAX_CLAIMS or not 0 <= mask < 1 << count:
        raise MalformedError("the mask does not fit the number of claims", code="bad-disclosure")
    return tuple(_ranges(0, count, mask))


def _bits(start: int, end: int) -> int:
    return (1 << end) - (1 << start)


def _ranges(start: int, end: int, mask: int) -> Iterator[tuple[int, int]]:
    if not mask & _bits(start, end):
        yield start, end
    elif end - start > 1:
        middle = start + _split(end - start)
        yield from _ranges(start, middle, mask)
        yield from _ranges(middle, end, mask)


def _rebuild(
    start: int, end: int, mask: int, shown: Mapping[int, bytes], nodes: Iterator[bytes], width: int, hash: Hash
) -> bytes:
    if not mask & _bits(start, end):
        return next(nodes)
    if end - start == 1:
        return shown[start]
    middle = start + _split(end - start)
    left = _rebuild(start, middle, mask, shown, nodes, width, hash)
    right = _rebuild(middle, end, mask, shown, nodes, width, hash)
    return hash.digest(b"\x01" + left + right)[:width]
