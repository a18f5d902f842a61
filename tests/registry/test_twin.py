"""The profile `both`: one log under two hashes, each side checking it with its own, and both roots signed together (R19)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from registry import operations as ops
from registry.audit import fsck
from registry.evidence import check_evidence, twin_evidence
from registry.genesis import print_genesis
from registry.mirror.mirror import Mirror
from registry.mirror.source import FolderSource
from registry.mirror.static import export
from registry.node.client import RegistryClient
from registry.node.service import create_node
from registry.note import parse_note, print_note, sign_note
from registry.proof_file import check_proof, check_twin_proof, is_twin_proof
from registry.signer import HighWater
from registry.twin import Twin, parse_twin, print_twin, read_twin
from tests.registry.test_keys_change import rotate
from tests.registry.world import World
from weid import merkle
from weid.codec import b64
from weid.errors import ConflictError, KeyMaterialError, ProofError, RollbackError, TrustError, WeidError
from weid.hashes import SHA256, SM3
from weid.records import RegisterLeaf


@pytest.fixture
def both(tmp_path: Path) -> World:
    world = World(tmp_path, name="both", profile="both")
    schema = world.schema()
    issuer = world.issuer(schema)
    world.register(world.actor("sm2"))
    world.status(issuer, [schema], leaves=[RegisterLeaf(0, b"\1" * 16)])
    world.commit()
    return world


def told(world: World) -> Twin:
    return read_twin(world.registry.twin(), world.registry.state.authority)


def test_both_roots_are_those_of_the_entries(both: World) -> None:
    """By RFC 9162 over the same leaf data, under SHA-256 and SM3, at every size; signed by the SM2 key of the genesis."""
    entries = [both.registry.entry(index) for index in range(both.registry.size)]
    trees = [merkle.root([merkle.leaf_hash(data, hash=hash) for data in entries], hash=hash) for hash in (SHA256, SM3)]
    twin = told(both)
    assert (twin.size, [twin.root, twin.second]) == (len(entries), trees)
    assert parse_twin(print_twin(twin)) == twin
    assert parse_note(both.registry.checkpoint()).text.split("\n")[1] == str(twin.size)
    both.reopen()
    assert told(both) == twin
    assert fsck(both.registry.engine, pin=both.pin) == ()


def test_a_client_compares_the_two_trees(both: World) -> None:
    client = RegistryClient.local(both.registry)
    assert client.twin() == told(both)
    assert both.twin_key is not None
    false = print_note(sign_note(print_twin(replace(told(both), root=b"\5" * 32)), both.origin, both.twin_key))
    both.registry.engine.stage("note", "twin", false)
    with pytest.raises(ConflictError):
        client.twin()


def test_the_explorer_shows_both_roots(both: World, world: World) -> None:
    """In every language; a log with one tree says nothing of a second."""
    for language in ("en", "pt", "zh-Hans", "zh-Hant"):
        page = create_node(both.registry, explorer=True).test_client().get(f"/?lang={language}").get_data(as_text=True)
        assert b64(told(both).second) in page and "SM3" in page
    one = create_node(world.registry, explorer=True).test_client().get("/").get_data(as_text=True)
    assert "/v1/twin" not in one


def test_one_tree_has_no_twin(world: World) -> None:
    with pytest.raises(WeidError) as caught:
        world.registry.twin()
    assert caught.value.code == "no-twin"
    assert create_node(world.registry).test_client().get("/v1/twin").status_code == 404
    assert create_node(world.registry).test_client().get("/v1/proofs/inclusion?index=0&tree=twin").status_code == 404


def test_an_entry_is_proven_in_either_tree(both: World) -> None:
    """Who relies on SM2 and SM3 alone checks the second proof; neither passes for the other; any changed byte is refused."""
    http = create_node(both.registry).test_client()
    for index in range(both.registry.size):
        plain = http.get(f"/v1/entries/{index}/proof").get_data()
        second = http.get(f"/v1/entries/{index}/proof?tree=twin").get_data()
        assert (is_twin_proof(plain), is_twin_proof(second)) == (False, True)
        first = check_proof(plain, both.genesis)
        assert first == check_twin_proof(second, both.genesis)
        for check, data in ((check_proof, second), (check_twin_proof, plain)):
            with pytest.raises(WeidError):
                check(data, both.genesis)
    for at in range(0, len(second), 3):
        wrong = bytearray(second)
        wrong[at] ^= 1 << at % 8
        with pytest.raises(WeidError):
            check_twin_proof(bytes(wrong), both.genesis)
    path = http.get("/v1/proofs/consistency?old=3&tree=twin").get_json()
    assert path["size"] == both.registry.size
    assert http.get("/v1/proofs/consistency?old=3&tree=other").status_code == 400


def test_consistency_holds_in_the_second_tree(both: World) -> None:
    tree = both.registry.engine.twin
    assert tree is not None
    for old in range(1, tree.size):
        path = both.registry.consistency(old, twin=True)
        merkle.verify_consistency(old, tree.root_at(old), tree.size, tree.root, path, hash=SM3)
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, tree.root_at(old), tree.size, tree.root, path, hash=SHA256)


def test_nothing_is_signed_that_the_log_key_has_not_signed(both: World) -> None:
    """The twin key follows the high-water mark: a log that was rolled back gets no second history under SM3 either."""
    keys, twin = both.keys(), told(both)
    for wrong in (replace(twin, size=twin.size + 1), replace(twin, root=b"\7" * 32)):
        with pytest.raises(RollbackError):
            keys.sign_twin(wrong)
    assert HighWater.from_bytes(both.mark.read_bytes()).size == twin.size
    alone = both.twin_key
    both.twin_key = None
    with pytest.raises(KeyMaterialError):
        both.reopen()
    both.twin_key = alone
    both.reopen()


def test_a_changed_second_tree_is_found(both: World, tmp_path: Path) -> None:
    """fsck recomputes both trees; a stored root that is not theirs does not open."""
    both.registry.close()
    connection = sqlite3.connect(both.path)
    connection.executescript("DROP TRIGGER tile_grows;")
    connection.execute("UPDATE tile SET data = zeroblob(length(data)) WHERE key = ?", (1 << 62,))
    connection.commit()
    connection.close()
    with pytest.raises(ConflictError):
        both.registry = type(both.registry).open(both.path, random=both.random)


def test_the_twin_key_changes_like_any_other(both: World) -> None:
    """Signed by the old and the new one, on the log; the old one then signs nothing that counts (R21)."""
    old = both.registry.twin()
    fresh = rotate(both, "twin")
    both.tick()
    assert both.registry.state.authority.twin == fresh.public_key
    assert told(both).size == both.registry.size
    with pytest.raises(WeidError):
        read_twin(old, both.registry.state.authority)
    assert fsck(both.registry.engine, pin=both.pin) == ()


def test_a_mirror_recomputes_both_trees(both: World, tmp_path: Path) -> None:
    """And keeps the proof where the operator signed roots of which one is not of the entries."""
    site = tmp_path / "site"
    export(both.registry, site)
    mirror = Mirror.open(tmp_path / "copy", print_genesis(both.genesis), random=both.random)
    assert mirror.sync(FolderSource(site)).size == both.registry.size
    assert mirror.registry.twin() == both.registry.twin()
    both.tick()
    export(both.registry, site)
    true = told(both)
    assert both.twin_key is not None
    false = print_note(sign_note(print_twin(replace(true, root=b"\5" * 32)), both.origin, both.twin_key))
    (site / "twin").write_bytes(false)
    with pytest.raises(ConflictError):
        mirror.sync(FolderSource(site))
    (kept,) = (tmp_path / "copy").glob("*.evidence")
    assert check_evidence(kept.read_bytes(), pin=both.pin) == "twin"
    (site / "twin").unlink()
    bare = Mirror.open(tmp_path / "bare", print_genesis(both.genesis), random=both.random)
    bare.sync(FolderSource(site))  # nobody gave it the roots of both trees: it is a copy all the same, and shows itself
    assert create_node(bare.registry, explorer=True, read_only=True).test_client().get("/").status_code == 200
    assert export(bare.registry, tmp_path / "again") > 0
    bare.close()
    (site / "twin").write_bytes(both.registry.twin())
    assert mirror.sync(FolderSource(site)).size == both.registry.size
    mirror.close()


def test_two_roots_of_one_size_convict_and_the_truth_does_not(both: World) -> None:
    authority, true = both.registry.state.authority, both.registry.twin()
    assert both.twin_key is not None
    lie = print_note(sign_note(print_twin(replace(told(both), second=b"\6" * 32)), both.origin, both.twin_key))
    made = twin_evidence(authority, true, lie)
    assert made is not None and check_evidence(made, pin=both.pin) == "twin"
    assert twin_evidence(authority, true, true) is None
    assert twin_evidence(authority, both.registry.checkpoint(), true) is None
    assert twin_evidence(authority, both.registry.checkpoint(), lie) is None  # the first root is the checkpoint's
    stranger = print_note(sign_note(print_twin(told(both)), both.origin, both.log_key))
    with pytest.raises(TrustError):
        read_twin(stranger, authority)


def test_a_key_of_two_trees_is_nobody_elses(both: World) -> None:
    """R1: the twin key is never a DID's."""
    assert both.twin_key is not None
    actor = both.actor("sm2")
    taken = type(actor.signers[2])(both.twin_key._secret, "sm2", actor.signers[2].kid, "assert")
    actor.signers[2] = taken
    both.submit(ops.did_create(both.author(actor), list(actor.signers.values())), "key-reused")
