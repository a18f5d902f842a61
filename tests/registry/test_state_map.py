"""The state map against a dict and a naive tree: presence, absence, changes, and what a forged proof is worth."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import assets
from registry.state_map import EMPTY, KINDS_IN_MAP, StateMap, changed, place, read_proof, record_bytes
from tests.registry.world import World
from weid import cbor
from weid.canon import jcs
from weid.errors import MalformedError, ProofError, WeidError
from weid.governance import MemberRecord
from weid.hashes import SHA256, SM3, Hash
from weid.nullifier import Claim
from weid.records import KINDS, MAP_ONLY, record_key
from weid.signing import framed

MACHINE = jcs(
    {"machine": "weid/machine/v1", "name": "plain", "states": ["here"], "initial": "here", "final": ["here"], "moves": []}
)
BOTH = pytest.mark.parametrize("hash", [SHA256, SM3], ids=["sha256", "sm3"])


def person(n: int, weight: int = 1) -> MemberRecord:
    return MemberRecord(f"did:weid:1:{n}", f"Member {n}", weight, 7)


def filled(count: int, hash: Hash = SHA256) -> StateMap:
    return StateMap(hash=hash).updated({("member", f"did:weid:1:{n}"): person(n) for n in range(count)})


def naive(leaves: dict[bytes, bytes], depth: int, hash: Hash) -> bytes:
    """The definition, word for word: empty, one leaf, or a node over two halves."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        ((at, value),) = leaves.items()
        return hash(b"\x00" + at + value)
    halves: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    for at, value in leaves.items():
        halves[at[depth // 8] >> (7 - depth % 8) & 1][at] = value
    return hash(b"\x01" + naive(halves[0], depth + 1, hash) + naive(halves[1], depth + 1, hash))


@BOTH
@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 100])
def test_the_root_is_the_definitions(hash: Hash, count: int) -> None:
    leaves = {
        place("member", f"did:weid:1:{n}", hash=hash): hash(framed("weid/record/v1", record_bytes(person(n))))
        for n in range(count)
    }
    assert filled(count, hash).root == naive(leaves, 0, hash)


@BOTH
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_presence_and_absence(hash: Hash, count: int) -> None:
    tree = filled(count, hash)
    for n in range(count + 20):
        key = f"did:weid:1:{n}"
        record = tree.get("member", key)
        data = None if record is None else record_bytes(record)
        assert (record is not None) is (n < count)
        assert read_proof(tree.prove("member", key), tree.root, "member", key, data, hash=hash) == record


@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(1, 5))), max_size=60), st.integers(1, 7))
@settings(max_examples=200)
def test_the_order_and_grouping_of_changes_do_not_matter(script: list[tuple[int, int | None]], step: int) -> None:
    """A map is what its records are, however it came about; and an old map stays what it was."""
    held: dict[str, Any] = {}
    tree, earlier = StateMap(hash=SHA256), []
    for at in range(0, len(script), step):
        fresh = {("member", f"did:weid:1:{n}"): None if w is None else person(n, w) for n, w in script[at : at + step]}
        earlier.append((tree, tree.root, dict(held)))
        tree = tree.updated(fresh)
        held |= {key: record for (_, key), record in fresh.items()}
        held = {key: record for key, record in held.items() if record is not None}
    whole = StateMap(hash=SHA256).updated({("member", key): record for key, record in held.items()})
    assert tree.root == whole.root
    for old, root, records in earlier:
        assert old.root == root
        differing = {key for key in {*records, *held} if records.get(key) != held.get(key)}
        found = list(changed(old, tree))
        assert {(was or now).did for was, now in found} == differing
        assert all(records.get((was or now).did) == was and held.get((was or now).did) == now for was, now in found)


@pytest.mark.long
def test_a_proof_is_under_a_kilobyte_at_a_hundred_thousand() -> None:
    tree = filled(100_000)
    present = [len(tree.prove("member", f"did:weid:1:{n}")) for n in range(0, 100_000, 997)]
    absent = [len(tree.prove("issuer", f"did:weid:1:{n}")) for n in range(500)]
    assert max(present + absent) < 1_000


def test_a_proof_of_one_says_nothing_about_another() -> None:
    tree = filled(30)
    proof, data = tree.prove("member", "did:weid:1:4"), record_bytes(person(4))
    for key, record in (("did:weid:1:5", record_bytes(person(5))), ("did:weid:1:5", data), ("did:weid:1:4", None),
                        ("did:weid:1:4", record_bytes(person(4, 2)))):  # fmt: skip
        with pytest.raises(ProofError):
            read_proof(proof, tree.root, "member", key, record, hash=SHA256)
    with pytest.raises(WeidError):
        read_proof(proof, tree.root, "issuer", "did:weid:1:4", data, hash=SHA256)


def test_what_is_there_cannot_be_shown_absent() -> None:
    """No cut, no neighbour's leaf and no empty end gives an absence proof for a record that is in the map."""
    tree = filled(40)
    key = "did:weid:1:7"
    for n in [n for n in range(40) if n != 7] + list(range(100, 160)):
        proof = tree.prove("member", f"did:weid:1:{n}")
        with pytest.raises(ProofError):
            read_proof(proof, tree.root, "member", key, None, hash=SHA256)
    head, depth, marks, shown, _ = cbor.decode(tree.prove("member", key))  # type: ignore[misc]
    for end in (None, place("member", key, hash=SHA256) + bytes(32), bytes(64)):
        with pytest.raises((ProofError, MalformedError)):
            read_proof(cbor.encode([head, depth, marks, shown, end]), tree.root, "member", key, None, hash=SHA256)


def test_every_changed_bit_of_a_proof_is_refused() -> None:
    tree = filled(20)
    for key, data in (("did:weid:1:4", record_bytes(person(4))), ("did:weid:1:99", None)):
        proof = tree.prove("member", key)
        for bit in range(len(proof) * 8):
            forged = bytearray(proof)
            forged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(WeidError):
                read_proof(bytes(forged), tree.root, "member", key, data, hash=SHA256)


def test_the_statement_commits_the_map_of_every_record(world: World) -> None:
    """The map is what the snapshot says, and beside it the assets and claims, which no snapshot holds."""
    issuer = world.issuer(world.schema())
    author = world.author(issuer)
    world.submit(assets.machine_publish(author, MACHINE))
    for n in range(3):
        world.submit(assets.asset_register(author, bytes([n]) * 32, world.genesis.hash(MACHINE)))
    world.submit(assets.use_open(author, "financing", purpose="financing", group=bytes(32)))
    made = Claim(f"{issuer.did}|financing", bytes(32), bytes(32), bytes(32))
    world.submit(assets.use_claim(author, made))
    facts = world.facts()
    commit = world.registry.state.commits[-1]
    tree = commit.map
    assert commit.size == facts.snapshot.size
    assert tree.get("did", issuer.did) == facts.fact("did", issuer.did).record  # type: ignore[union-attr]
    assert set(KINDS) - {"register"} == set(KINDS_IN_MAP) == {*facts.snapshot.records, *MAP_ONLY} - {"register"}
    whole = {(kind, record_key(item)): item for kind, items in facts.snapshot.records.items() for item in items}
    alone = [*(tree.get("asset", (bytes([n]) * 32).hex()) for n in range(3)), tree.get("claim", f"{made.register}|{'00' * 32}")]
    whole |= {(kind, record_key(item)): item for kind, item in zip(("asset", "asset", "asset", "claim"), alone, strict=True)}
    assert StateMap(hash=world.genesis.hash).updated(whole).root == tree.root
