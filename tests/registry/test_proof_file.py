"""Proof files: what a stranger checks with the genesis alone, and every way to change one is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.node.service import create_node
from registry.proof_file import ProvenEntry, ProvenRecord, check_proof, parse_proof_file, print_proof_file
from tests.registry.explored import explored
from tests.registry.world import World
from tests.seeds import chance
from weid.errors import MalformedError, ProofError, SignatureError, TrustError, WeidError


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_every_operation_and_record_is_proven_by_its_file(tmp_path: Path, profile: str) -> None:
    """As the node serves them, under both profiles; absence too."""
    world = explored(tmp_path, profile=profile)
    http = create_node(world.registry).test_client()
    for index in range(world.registry.size):
        data = http.get(f"/v1/entries/{index}/proof").get_data()
        found = check_proof(data, world.genesis)
        assert isinstance(found, ProvenEntry)
        assert (found.index, found.operation.data, found.checkpoint.size) == (
            index,
            world.registry.entry(index),
            world.registry.size,
        )
        parsed = parse_proof_file(data)
        assert print_proof_file(parsed.index, parsed.entry, parsed.path, parsed.checkpoint) == data
    state = world.registry.state
    for kind in ("did", "issuer", "accreditation", "schema", "status", "member", "rule", "proposal", "recognition"):
        for key, record in state.tables[kind].items():
            found = check_proof(http.get(f"/v1/records/{kind}/{key}").get_data(), world.genesis)
            assert isinstance(found, ProvenRecord)
            assert (found.kind, found.key, found.record) == (kind, key, record)
    absent = check_proof(http.get("/v1/records/issuer/did:weid:1:nobody").get_data(), world.genesis)
    assert isinstance(absent, ProvenRecord) and absent.record is None
    assert http.get("/v1/entries/99999/proof").status_code == 404
    world.registry.close()


def test_any_changed_byte_is_refused(tmp_path: Path) -> None:
    """R27: one bit of any byte of an operation's proof, and what is cut off or added."""
    world = explored(tmp_path)
    data = create_node(world.registry).test_client().get("/v1/entries/7/proof").get_data()
    numbers = chance(1)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << numbers.randrange(8)
        with pytest.raises(WeidError):
            check_proof(bytes(changed), world.genesis)
    for wrong in (data[:-1], data + b"\n", b"", data.replace(b"index 7", b"index 07"), data.replace(b"index 7", b"index 6")):
        with pytest.raises(WeidError):
            check_proof(wrong, world.genesis)
    world.registry.close()


def test_proofs_of_another_registry_or_record_are_refused(tmp_path: Path) -> None:
    """Each by its name: a foreign signature, a key that is not the record's, a proof of something else."""
    world = explored(tmp_path)
    other = World(tmp_path, name="other")
    http = create_node(world.registry).test_client()
    did = next(iter(world.registry.state.tables["issuer"]))
    honest = json.loads(http.get(f"/v1/records/issuer/{did}").get_data())
    for path in ("/v1/entries/3/proof", f"/v1/records/issuer/{did}"):
        with pytest.raises((TrustError, SignatureError)):
            check_proof(http.get(path).get_data(), other.genesis)
    for changed in ({"key": world.admin.did}, {"kind": "did"}, {"record": None}, {"proof": "AAAA"}, {"statement": "x"}):
        with pytest.raises((ProofError, MalformedError)):
            check_proof(json.dumps({**honest, **changed}).encode(), world.genesis)
    for wrong in (
        b"{}",
        b"{",
        b"[]",
        json.dumps({**honest, "more": 1}).encode(),
        json.dumps({**honest, "kind": "register"}).encode(),
    ):
        with pytest.raises(MalformedError):
            check_proof(wrong, world.genesis)
    other.registry.close()
    world.registry.close()
