"""Stored tiles give exactly the roots and paths of the whole tree."""

from __future__ import annotations

import pytest

from registry.tiles import HASH, WIDTH, TileTree
from tests.seeds import chance
from weid import merkle
from weid.errors import ProofError
from weid.hashes import SHA256


class Shelf(dict[tuple[int, int], bytes]):
    """Where tiles are put, as a database would."""

    def read(self, level: int, index: int) -> bytes | None:
        return self.get((level, index))


def leaves(count: int) -> list[bytes]:
    return [SHA256(n.to_bytes(4, "big")) for n in range(count)]


def grown(shelf: Shelf, tree: TileTree, fresh: list[bytes]) -> None:
    growth = tree.grow(fresh)
    for tile in growth.tiles:
        old = shelf.get((tile.level, tile.index), b"")
        assert tile.data.startswith(old), "a tile only grows"
        shelf[tile.level, tile.index] = tile.data
    tree.accept(growth)


def test_tiles_match_the_whole_tree_however_they_grew() -> None:
    """Roots and proofs do not depend on how the entries were batched, nor on reopening."""
    every = leaves(70_000)
    numbers = chance(7)
    shelf, tree, at = Shelf(), TileTree(0, Shelf().read, hash=SHA256), 0
    tree = TileTree(0, shelf.read, hash=SHA256)
    while at < len(every):
        step = numbers.choice([1, 3, 100, 255, 256, 257, 5_000, 20_000])
        grown(shelf, tree, every[at : at + step])
        at = min(at + step, len(every))
        if numbers.random() < 0.5:
            tree = TileTree(at, shelf.read, hash=SHA256)
        if at % 7 == 0 or at < 1_000:
            assert merkle.root(every[:at], hash=SHA256) == tree.root

    assert merkle.root(every, hash=SHA256) == tree.root
    assert all(len(data) <= WIDTH * HASH for data in shelf.values())
    for _ in range(200):
        size = numbers.randint(1, len(every))
        index, old = numbers.randrange(size), numbers.randint(0, size)
        root = tree.root_at(size)
        merkle.verify_inclusion(every[index], index, size, tree.inclusion(index, size), root, hash=SHA256)
        path = tree.consistency(old, size)
        merkle.verify_consistency(old, tree.root_at(old), size, root, path, hash=SHA256)


def test_small_sizes_exhaustively() -> None:
    """Every size up to 600, reopened each time, has the tree's root."""
    shelf, tree, every = Shelf(), TileTree(0, Shelf().read, hash=SHA256), leaves(600)
    tree = TileTree(0, shelf.read, hash=SHA256)
    for size, leaf in enumerate(every, 1):
        grown(shelf, tree, [leaf])
        tree = TileTree(size, shelf.read, hash=SHA256)

        assert merkle.root(every[:size], hash=SHA256) == tree.root


def test_growth_changes_nothing_until_accepted() -> None:
    """A growth that was not stored leaves the tree as it was."""
    shelf = Shelf()
    tree = TileTree(0, shelf.read, hash=SHA256)
    grown(shelf, tree, leaves(5))
    before = tree.root
    tree.grow(leaves(300))

    assert (5, before) == (tree.size, tree.root)
    grown(shelf, tree, leaves(1))
    assert merkle.root([*leaves(5), *leaves(1)], hash=SHA256) == tree.root


def test_missing_tiles_are_named() -> None:
    """A tile that is not there stops the proof instead of giving a wrong one."""
    shelf = Shelf()
    tree = TileTree(0, shelf.read, hash=SHA256)
    grown(shelf, tree, leaves(700))
    del shelf[0, 0]
    tree = TileTree(700, shelf.read, hash=SHA256)

    with pytest.raises(ProofError, match="tile 0/0"):
        tree.inclusion(3, 700)
    del shelf[0, 2]
    with pytest.raises(ProofError, match="tile 0/2"):
        TileTree(700, shelf.read, hash=SHA256)
    with pytest.raises(ProofError):
        tree.consistency(1, 701)
