"""Inclusion and consistency proofs: every one up to a size, a million changed ones, and another library's word."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from registry.tiles import TileTree
from tests.seeds import chance
from weid import merkle
from weid.errors import ProofError
from weid.hashes import SHA256, SM3, Hash


def grown(size: int, hash: Hash) -> TileTree:
    """A tree of that many leaves, its tiles in memory."""
    shelf: dict[tuple[int, int], bytes] = {}
    tree = TileTree(0, lambda level, index: shelf.get((level, index)), hash=hash)
    growth = tree.grow([merkle.leaf_hash(n.to_bytes(4, "big"), hash=hash) for n in range(size)])
    shelf.update({(tile.level, tile.index): tile.data for tile in growth.tiles})
    tree.accept(growth)
    return tree


@pytest.mark.parametrize("hash", [SHA256, SM3], ids=["sha256", "sm3"])
@pytest.mark.parametrize("top", [48, pytest.param(256, marks=pytest.mark.long)])
def test_every_proof_up_to_a_size(hash: Hash, top: int) -> None:
    """Each leaf in each tree, each pair of trees, as the stored tiles give them: all verify."""
    tree, count = grown(top, hash), 0
    roots = [tree.root_at(size) for size in range(top + 1)]
    leaves = [tree.leaf(n) for n in range(top)]
    for size in range(1, top + 1):
        for index in range(size):
            merkle.verify_inclusion(leaves[index], index, size, tree.inclusion(index, size), roots[size], hash=hash)
            merkle.verify_consistency(index, roots[index], size, roots[size], tree.consistency(index, size), hash=hash)
            count += 2
    print(f"proofs: {count} of sizes to {top} with {hash.name}, all verify")


@pytest.mark.parametrize("count", [4_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_changed_proofs_are_refused(count: int) -> None:
    """Bits of leaf, root and path; hashes dropped, doubled, added, exchanged; another index: 0 accepted."""
    top, numbers, start = 257, chance(count), time.monotonic()
    tree = grown(top, SHA256)
    roots, leaves = [tree.root_at(size) for size in range(top + 1)], [tree.leaf(n) for n in range(top)]
    accepted = tried = 0
    while tried < count:
        size = numbers.randrange(2, top + 1)
        index = numbers.randrange(size)
        for values, check in (_inclusion(tree, leaves, roots, index, size), _consistency(tree, roots, max(index, 1), size)):
            for changed in _changes(values, numbers):
                tried += 1
                try:
                    check(changed)
                except ProofError:
                    continue
                accepted += 1
        at = (index + numbers.randrange(1, size)) % size
        tried += 1
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaves[index], at, size, tree.inclusion(index, size), roots[size], hash=SHA256)
    assert accepted == 0
    print(f"changed proofs: {tried}, accepted {accepted}, {time.monotonic() - start:.0f} s")


def _inclusion(tree: TileTree, leaves: list[bytes], roots: list[bytes], index: int, size: int):  # type: ignore[no-untyped-def]
    def check(parts: list[bytes]) -> None:
        merkle.verify_inclusion(parts[0], index, size, tuple(parts[2:]), parts[1], hash=SHA256)

    values = [leaves[index], roots[size], *tree.inclusion(index, size)]
    check(values)
    return values, check


def _consistency(tree: TileTree, roots: list[bytes], old: int, size: int):  # type: ignore[no-untyped-def]
    def check(parts: list[bytes]) -> None:
        merkle.verify_consistency(old, parts[0], size, parts[1], tuple(parts[2:]), hash=SHA256)

    values = [roots[old], roots[size], *tree.consistency(old, size)]
    check(values)
    return values, check


def _changes(values: list[bytes], numbers: random.Random) -> Iterator[list[bytes]]:
    """Copies with one thing wrong; two leading values, then the path."""
    for at in range(len(values)):
        part = bytearray(values[at])
        part[numbers.randrange(32)] ^= 1 << numbers.randrange(8)
        yield [*values[:at], bytes(part), *values[at + 1 :]]
    yield [*values, numbers.randbytes(32)]
    yield [values[0], values[1], numbers.randbytes(32), *values[2:]]
    if len(values) > 2:
        at = numbers.randrange(2, len(values))
        yield [*values[:at], *values[at + 1 :]]
        yield [*values[:at], values[at], *values[at:]]
        yield [*values[:at], values[at][:31], *values[at + 1 :]]
    if len(values) > 3:
        at = numbers.randrange(2, len(values) - 1)
        yield [*values[:at], values[at + 1], values[at], *values[at + 2 :]]


@pytest.mark.parametrize("top", [40, pytest.param(256, marks=pytest.mark.long)])
def test_another_library_agrees(top: int) -> None:
    """pymerkle: the same leaves, the same root at every size, the same hashes in every inclusion path; its proofs fit our roots."""
    pymerkle = pytest.importorskip(
        "pymerkle", reason="pymerkle is not installed: it pins an older cachetools than pyld uses, so it is not locked"
    )
    other, tree = pymerkle.InmemoryTree(algorithm="sha256"), grown(top, SHA256)
    for n in range(top):
        other.append_entry(n.to_bytes(4, "big"))
        assert other.get_root() == tree.root_at(n + 1)
        assert other.get_leaf(n + 1) == tree.leaf(n)
    step = 1 if top < 64 else 7
    for size in range(1, top + 1, step):
        for index in range(0, size, step):
            theirs = other.prove_inclusion(index + 1, size)
            pymerkle.verify_inclusion(tree.leaf(index), tree.root_at(size), theirs)
            # it writes the hashes from left to right, RFC 6962 from the leaf up
            assert sorted(theirs.path) == sorted((tree.leaf(index), *tree.inclusion(index, size)))
            if index:
                proof = other.prove_consistency(index, size)  # it divides subtrees otherwise than RFC 6962
                pymerkle.verify_consistency(tree.root_at(index), tree.root_at(size), proof)
