"""The salted tree: any subset proves the same root, and exactly one proof exists for it (R15)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import disclosure
from weid import merkle
from weid.errors import MalformedError
from weid.hashes import SHA256, SM3, Hash
from weid.signing import framed

HASHES = st.sampled_from([SHA256, SM3])
WIDTHS = st.sampled_from([20, 32])


def leaves_of(count: int, width: int, hash: Hash) -> list[bytes]:
    salts = disclosure.salts(b"s" * 16, count, hash)
    return [disclosure.leaf(index, salt, b"\x01", width, hash) for index, salt in enumerate(salts)]


@settings(max_examples=300)
@given(st.data(), st.integers(1, 64), WIDTHS, HASHES)
def test_any_subset(data: st.DataObject, count: int, width: int, hash: Hash) -> None:
    """Shown leaves and proof nodes rebuild the root; the node count follows from n and mask."""
    mask = data.draw(st.integers(1, (1 << count) - 1))
    leaves = leaves_of(count, width, hash)
    nodes = disclosure.proof_nodes(leaves, mask, width, hash)
    shown = {index: leaf for index, leaf in enumerate(leaves) if mask >> index & 1}
    assert len(nodes) == disclosure.node_count(count, mask)
    root = disclosure.root(leaves, width, hash)
    assert root == disclosure.rebuild(count, mask, shown, b"".join(nodes), width, hash)
    for wrong in (b"".join(nodes) + bytes(width), b"".join(nodes)[:-1] + b"" if nodes else b"\0"):
        with pytest.raises(MalformedError):
            disclosure.rebuild(count, mask, shown, wrong, width, hash)


def test_definition() -> None:
    """The first leaf and the root of three, spelled out."""
    seed = b"s" * 16
    salt = SHA256(framed("weid/salt/v1", seed + b"\x00"))[:16]
    assert disclosure.salts(seed, 1, SHA256) == (salt,)
    assert disclosure.leaf(0, salt, b"\xf6", 20, SHA256) == SHA256(b"\0" + salt + b"\0" + b"\xf6")[:20]
    a, b, c = leaves_of(3, 20, SHA256)
    left = SHA256(b"\1" + a + b)[:20]
    assert disclosure.root([a, b, c], 20, SHA256) == SHA256(b"\1" + left + c)[:20]


def test_hot_path_agrees() -> None:
    """The loop for full credentials gives the leaves of the definition."""
    assert disclosure.leaves(b"s" * 16, [b"\x01"] * 64, 20, SM3) == leaves_of(64, 20, SM3)


@given(st.integers(1, 64))
def test_shape_is_rfc6962(count: int) -> None:
    """With full width the tree has the shape and hashes of RFC 6962."""
    leaves = leaves_of(count, 32, SHA256)
    assert disclosure.root(leaves, 32, SHA256) == merkle.root(leaves, hash=SHA256)


def test_equal_values_differ() -> None:
    """Equal values at two places, or under two seeds, share no leaf."""
    first, second = leaves_of(2, 20, SHA256)
    assert first != second
    assert disclosure.salts(b"a" * 16, 2, SHA256) != disclosure.salts(b"b" * 16, 2, SHA256)


@pytest.mark.parametrize("count, mask", [(0, 0), (65, 1), (3, 8), (3, -1)])
def test_impossible_masks(count: int, mask: int) -> None:
    """A mask outside the tree is refused."""
    with pytest.raises(MalformedError):
        disclosure.node_count(count, mask)
