"""Evidence batches: one entry on the log, each item with a proof that a stranger checks offline (R25)."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import operations as ops
from registry.evidence_batch import KIND, Batch, anchored, find_evidence, parse_proof, print_proof
from tests.registry.world import Actor, World
from weid import merkle
from weid.errors import MalformedError, ProofError, WeidError
from weid.hashes import SHA256

SEED = bytes(range(32))


def digests(count: int) -> list[bytes]:
    return [sha256(str(n).encode()).digest() for n in range(count)]


def batch_of(world: World, actor: Actor, count: int) -> Batch:
    batch = Batch(digests(count), origin=world.origin, actor=actor.did, seed=SEED, hash=world.genesis.hash)
    world.submit(ops.evidence_anchor(world.author(actor), batch.fingerprint, KIND))
    return batch


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 100])
def test_every_item_of_a_batch_is_found_and_dated(world: World, count: int) -> None:
    actor = world.register(world.actor())
    world.tick(5)
    batch = batch_of(world, actor, count)
    facts = world.facts()
    for digest, proof in zip(digests(count), batch.proofs(), strict=True):
        assert parse_proof(print_proof(proof)) == proof
        found = find_evidence(facts, digest, proof, hash=world.genesis.hash)
        assert found is not None and found.record.published == world.now
    assert world.registry.size == 4


def test_what_was_not_in_the_batch_is_not_found(world: World) -> None:
    """Another digest, another place, another salt, another actor or registry: no answer, never a wrong one."""
    actor, other = world.register(world.actor()), world.register(world.actor())
    batch = batch_of(world, actor, 9)
    facts, hash, good = world.facts(), world.genesis.hash, batch.proof(4)
    assert find_evidence(facts, digests(9)[4], good, hash=hash) is not None
    assert find_evidence(facts, digests(9)[5], good, hash=hash) is None
    for wrong in (replace(good, salt=bytes(32)), replace(good, actor=other.did), replace(good, index=5),
                  replace(good, origin="registry.other.example/1"), replace(good, path=good.path[::-1])):  # fmt: skip
        assert find_evidence(facts, digests(9)[4], wrong, hash=hash) is None
    for wrong in (replace(good, path=good.path[1:]), replace(good, path=(*good.path, bytes(32))), replace(good, size=40),
                  replace(good, index=9), replace(good, path=(*good.path[:-1], bytes(31)))):  # fmt: skip
        with pytest.raises(ProofError):
            find_evidence(facts, digests(9)[4], wrong, hash=hash)


def test_nobody_dates_an_item_with_anothers_word(world: World) -> None:
    """A stranger may anchor the same fingerprint first; it is then the stranger's, and dates nothing."""
    actor, thief = world.register(world.actor()), world.register(world.actor())
    batch = Batch(digests(3), origin=world.origin, actor=actor.did, seed=SEED, hash=world.genesis.hash)
    world.submit(ops.evidence_anchor(world.author(thief), batch.fingerprint, KIND))
    assert find_evidence(world.facts(), digests(3)[0], batch.proof(0), hash=world.genesis.hash) is None


def test_equal_items_look_different_and_the_tree_is_rfc_6962(world: World) -> None:
    same = [bytes(32)] * 4
    batch = Batch(same, origin="o", actor="a", seed=SEED, hash=SHA256)
    salts = {batch.proof(n).salt for n in range(4)}
    assert len(salts) == 4
    leaves = batch._rows[0]
    assert len(set(leaves)) == 4 and batch.root == merkle.root(leaves, hash=SHA256)
    assert batch.fingerprint == anchored("o", "a", 4, batch.root, hash=SHA256)


@given(st.integers(1, 70))
def test_the_tree_of_any_size_is_the_log_tree(count: int) -> None:
    batch = Batch(digests(count), origin="o", actor="a", seed=SEED, hash=SHA256)
    leaves = batch._rows[0]
    assert batch.root == merkle.root(leaves, hash=SHA256)
    for n in range(count):
        assert batch.proof(n).path == merkle.inclusion_path(leaves, n, hash=SHA256)


def test_bad_batches_and_proofs_are_refused(world: World) -> None:
    for wrong in ([], [b"short"]):
        with pytest.raises(MalformedError):
            Batch(wrong, origin="o", actor="a", seed=SEED, hash=SHA256)
    with pytest.raises(MalformedError):
        Batch([bytes(32)], origin="o", actor="a", seed=b"", hash=SHA256)
    batch = Batch(digests(3), origin="o", actor="a", seed=SEED, hash=SHA256)
    with pytest.raises(MalformedError):
        batch.proof(3)
    data = print_proof(batch.proof(2))
    for bit in range(len(data) * 8):
        forged = bytearray(data)
        forged[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(WeidError):
            assert print_proof(parse_proof(bytes(forged))) == bytes(forged)
