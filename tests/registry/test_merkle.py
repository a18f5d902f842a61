"""The Merkle tree, exhaustively for small sizes and against a word-for-word reading of RFC 6962."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weid import merkle
from weid.errors import ProofError
from weid.hashes import SHA256, SM3, Hash

SIZES = range(0, 34)


def rfc_root(leaves: list[bytes], hash: Hash) -> bytes:
    """MTH as RFC 6962 §2.1 words it, by recursion."""
    if not leaves:
        return hash(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hash(b"\x01" + rfc_root(leaves[:k], hash) + rfc_root(leaves[k:], hash))


def leaves_of(size: int, hash: Hash = SHA256) -> list[bytes]:
    return [merkle.leaf_hash(bytes([n]), hash=hash) for n in range(size)]


def test_known_roots() -> None:
    """The roots of the RFC 6962 reference vectors come out."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(item), hash=SHA256) for item in data]

    assert merkle.empty_root(hash=SHA256).hex().startswith("e3b0c44298fc1c14")
    assert merkle.root(leaves[:1], hash=SHA256).hex().startswith("6e340b9cffb37a98")
    assert merkle.root(leaves, hash=SHA256).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("hash", [SHA256, SM3], ids=["sha256", "sm3"])
def test_root_is_the_rfc_recursion(hash: Hash) -> None:
    """The incremental root equals the recursive definition at every size."""
    for size in SIZES:
        leaves = leaves_of(size, hash)

        assert rfc_root(leaves, hash) == merkle.root(leaves, hash=hash)


def test_every_inclusion_path_verifies_and_no_other_index_does() -> None:
    """A path proves its own index at its own size and nothing else."""
    for size in SIZES:
        leaves = leaves_of(size)
        root = merkle.root(leaves, hash=SHA256)
        for index in range(size):
            path = merkle.inclusion_path(leaves, index, hash=SHA256)
            merkle.verify_inclusion(leaves[index], index, size, path, root, hash=SHA256)
            for other in range(size):
                if other != index:
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(leaves[index], other, size, path, root, hash=SHA256)


def test_a_path_leads_to_one_root_or_to_none() -> None:
    """`inclusion_root` is the walk alone: the tree's root from its own path, ProofError for one of another length or width."""
    for size in SIZES[1:]:
        leaves = leaves_of(size)
        for index in range(size):
            path = merkle.inclusion_path(leaves, index, hash=SHA256)
            root = merkle.inclusion_root(leaves[index], index, size, path, hash=SHA256)
            assert root == merkle.root(leaves, hash=SHA256)
            for wrong in ((*path, bytes(32)), path[:-1] if path else (b"",), (*path[:-1], bytes(31))):
                with pytest.raises(ProofError):
                    merkle.inclusion_root(leaves[index], index, size, wrong, hash=SHA256)


def test_every_consistency_path_verifies_and_its_changes_do_not() -> None:
    """Each pair of sizes has a path; a changed, missing or extra hash is refused."""
    for old, size in product(SIZES, SIZES):
        if old > size:
            with pytest.raises(ProofError):
                merkle.consistency_ranges(old, size)
            continue
        leaves = leaves_of(size)
        roots = merkle.root(leaves[:old], hash=SHA256), merkle.root(leaves, hash=SHA256)
        path = merkle.consistency_path(leaves, old, hash=SHA256)
        merkle.verify_consistency(old, roots[0], size, roots[1], path, hash=SHA256)
        bad = [(*path, bytes(32)), path[:-1] if path else (bytes(32),)]
        bad += [(*path[:n], bytes(32), *path[n + 1 :]) for n in range(len(path))]
        for changed in bad:
            with pytest.raises(ProofError):
                merkle.verify_consistency(old, roots[0], size, roots[1], changed, hash=SHA256)


@settings(deadline=None)  # a busy machine is no failure
@given(size=st.integers(1, 600), data=st.data())
def test_a_tampered_inclusion_path_is_refused(size: int, data: st.DataObject) -> None:
    """Any flipped bit of the leaf, the path or the root is refused."""
    leaves = [merkle.leaf_hash(n.to_bytes(2, "big"), hash=SHA256) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(leaves, index, hash=SHA256)
    parts = [leaves[index], *path, merkle.root(leaves, hash=SHA256)]
    merkle.verify_inclusion(parts[0], index, size, parts[1:-1], parts[-1], hash=SHA256)
    where = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(parts[where])
    flipped[bit // 8] ^= 1 << bit % 8
    parts[where] = bytes(flipped)

    if size == 1:
        assert parts[0] != parts[1]
    with pytest.raises(ProofError):
        merkle.verify_inclusion(parts[0], index, size, parts[1:-1], parts[-1], hash=SHA256)


def test_paths_of_other_widths_are_refused() -> None:
    """A short node never enters the hash: widths cannot be shifted between siblings."""
    leaves = leaves_of(4)
    root = merkle.root(leaves, hash=SHA256)
    path = merkle.inclusion_path(leaves, 0, hash=SHA256)

    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaves[0], 0, 4, (path[0][:31], path[1]), root, hash=SHA256)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaves[0], 4, 4, path, root, hash=SHA256)


def test_frontier_resumes() -> None:
    """A frontier restored from its nodes continues to the same root."""
    for size in SIZES:
        leaves = leaves_of(size + 3)
        front = merkle.Frontier(hash=SHA256)
        for leaf in leaves[:size]:
            front.append(leaf)
        again = front.copy()
        for leaf in leaves[size:]:
            again.append(leaf)

        assert size == front.size
        assert merkle.root(leaves, hash=SHA256) == again.root()
    with pytest.raises(ProofError):
        merkle.Frontier(3, [bytes(32)], hash=SHA256)
