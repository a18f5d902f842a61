"""Updates of trust bundles: small, whole again byte for byte, and no way around what a bundle must prove."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import operations as ops
from registry.bundle import parse_bundle
from registry.delta import apply_delta, is_delta, make_delta, starts_from, state_of
from registry.node.client import RegistryClient
from registry.node.folder import TrustFolder
from registry.trust import TrustStore
from tests.registry.world import World
from weid.errors import ConflictError, MalformedError, ProofError, RollbackError, SignatureError, TrustError, WeidError
from weid.records import RegisterLeaf, StatusEntry


def grown(world: World) -> tuple[bytes, bytes, bytes]:
    """(older bundle, newer bundle, the update between them)."""
    schema = world.schema()
    issuers = [world.issuer(schema) for _ in range(12)]
    old = world.commit()
    world.tick(3)
    world.issuer(schema)
    world.submit(ops.issuer_suspend(world.author(world.admin), issuers[0].did, "audit"))
    world.status(issuers[1], [schema], changed=[StatusEntry(4, "revoked", "fraud", world.now)])
    new = world.commit()
    return old, new, world.registry.bundle(base=state_of(old).map)


def test_an_update_makes_the_newer_bundle_byte_for_byte(world: World) -> None:
    old, new, delta = grown(world)
    assert is_delta(delta) and not is_delta(new) and starts_from(delta, old) and not starts_from(delta, new)
    assert len(delta) < len(new) // 2
    assert apply_delta(old, delta) == new
    assert TrustStore.pin(world_genesis(world)).accept(old, at=world.now).accept(apply_delta(old, delta), at=world.now)


def world_genesis(world: World) -> bytes:
    from registry.genesis import print_genesis

    return print_genesis(world.genesis)


def test_registers_and_members_travel_or_stay(world: World) -> None:
    """A register published before is taken from one's own bundle; what was removed is gone."""
    schema = world.schema()
    ended, other = world.issuer(schema), world.issuer(schema)
    leaves = [RegisterLeaf(n, bytes([n]) * 16) for n in range(50)]
    world.status(ended, [schema], leaves=leaves)
    world.registry.put_register(f"{ended.did}/status/1", leaves)
    world.tick(2)
    world.submit(ops.issuer_remove(world.author(world.admin), ended.did, "closed"))
    world.tick(2)
    old = world.commit()
    assert parse_bundle(old).registers
    world.tick(5)
    world.submit(ops.role_grant(world.author(world.admin), other.did, "auditor", until=world.now + 9))
    new = world.commit()
    delta = world.registry.bundle(base=state_of(old).map)
    assert is_delta(delta) and apply_delta(old, delta) == new and len(leaves) * 20 > len(delta) - 2_000


def test_from_an_unknown_state_comes_the_whole_bundle(world: World) -> None:
    _, new, _ = grown(world)
    assert world.registry.bundle(base=bytes(32)) == new
    world.reopen()
    assert is_delta(world.registry.bundle(base=state_of(new).map)) or world.registry.bundle(base=state_of(new).map) == new


def test_an_update_for_other_data_is_refused_by_name(world: World, tmp_path: Path) -> None:
    """`delta-base`"""
    _, new, delta = grown(world)
    with pytest.raises(TrustError) as caught:
        apply_delta(new, delta)
    assert caught.value.code == "delta-base"
    folder = TrustFolder(tmp_path / "trust")
    folder.pin(world_genesis(world))
    with pytest.raises(TrustError) as caught:
        folder.accept(delta, at=world.now)
    assert caught.value.code == "delta-base"


def test_the_trust_folder_takes_updates(world: World, tmp_path: Path) -> None:
    old, new, delta = grown(world)
    folder = TrustFolder(tmp_path / "trust")
    folder.pin(world_genesis(world))
    folder.accept(old, at=world.now)
    assert folder.accept(delta, at=world.now).home == new


def test_the_client_asks_for_what_changed(world: World) -> None:
    old, new, _ = grown(world)
    client = RegistryClient.local(world.registry)
    assert client.bundle(have=old) == new and client.bundle() == new
    assert client.bundle(have=new) == new


def test_a_changed_update_never_becomes_another_state(world: World) -> None:
    """Whatever is changed in an update, what comes out is the signed state or nothing."""
    old, new, delta = grown(world)
    store = TrustStore.pin(world_genesis(world)).accept(old, at=world.now)
    refused = 0
    for bit in range(0, len(delta) * 8, 37):
        forged = bytearray(delta)
        forged[bit // 8] ^= 1 << bit % 8
        try:
            made = apply_delta(old, bytes(forged))
            accepted = store.accept(made, at=world.now)
        except (ConflictError, MalformedError, ProofError, RollbackError, SignatureError, TrustError, WeidError):
            refused += 1
            continue
        assert accepted.home == new
    assert refused > len(delta) * 8 // 37 * 0.9


def test_updates_need_the_same_registry(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = World(tmp_path / "a"), World(tmp_path / "b", name="other")
    old, _, delta = grown(one)
    with pytest.raises(TrustError):
        apply_delta(two.commit(), delta)
    made = make_delta(one.registry.state.commits[0].map, one.registry.state.commits[-1].map, 0, one.registry.bundle())
    assert apply_delta(old, made) == one.registry.bundle()
