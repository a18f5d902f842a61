"""Proofs of issue: one certificate is older than whatever ended later, shown without the register (R8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from registry.genesis import print_genesis
from registry.issue_proof import parse_issue_proof, print_issue_proof, read_issue_proof
from registry.node.client import RegistryClient
from registry.trust import TrustStore
from tests.registry.world import Actor, World
from tests.seeds import chance
from weid.errors import ProofError, TrustError, WeidError
from weid.facts import Found, Unknown
from weid.issuance import Issuance, WithIssuances, issuance_key
from weid.records import RegisterLeaf

CIDS = [RegisterLeaf(n, bytes([n + 1]) * 16) for n in range(5)]


def published(world: World) -> tuple[Actor, str]:
    """An issuer whose register of five certificates is published and in the signed state."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], leaves=CIDS)
    world.registry.put_register(f"{issuer.did}/status/1", CIDS)
    world.commit()
    return issuer, f"{issuer.did}/status/1"


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_each_certificate_of_a_register_is_proven_alone(tmp_path: Path, profile: str) -> None:
    """By the genesis alone; the minute is that of the publication, however much later the proof is made."""
    world = World(tmp_path, profile=profile)
    _, list_id = published(world)
    minute = world.now
    world.tick(600)
    world.commit()
    client = RegistryClient.local(world.registry)
    for leaf in CIDS:
        data = client.issue_proof(list_id, leaf)
        assert print_issue_proof(parse_issue_proof(data)) == data
        assert read_issue_proof(data, world.genesis) == Issuance(list_id, leaf.index, leaf.cid, minute)
    world.registry.close()


def test_what_is_not_published_cannot_be_proven(world: World) -> None:
    """Neither another credential id in the same place, nor the same id in another place."""
    _, list_id = published(world)
    client = RegistryClient.local(world.registry)
    for leaf in (RegisterLeaf(0, b"\7" * 16), RegisterLeaf(9, CIDS[0].cid)):
        with pytest.raises(ProofError) as caught:
            client.issue_proof(list_id, leaf)
        assert caught.value.code == "not-in-register"


def test_any_changed_byte_is_refused(world: World) -> None:
    """R27: one bit of any fifth byte, what is cut off or added."""
    _, list_id = published(world)
    data = RegistryClient.local(world.registry).issue_proof(list_id, CIDS[3])
    numbers = chance(8)
    for at in range(numbers.randrange(5), len(data), 5):
        changed = bytearray(data)
        changed[at] ^= 1 << numbers.randrange(8)
        with pytest.raises(WeidError):
            read_issue_proof(bytes(changed), world.genesis)
    for wrong in (data[:-1], data + b"\n", b"", b"{}", data.replace(b'"position":3', b'"position":4')):
        with pytest.raises(WeidError):
            read_issue_proof(wrong, world.genesis)


def test_a_state_that_is_not_on_the_log_proves_nothing(world: World) -> None:
    """A thief of the state key alone could date a register back: the log must commit exactly this state."""
    _, list_id = published(world)
    client = RegistryClient.local(world.registry)
    early = parse_issue_proof(client.issue_proof(list_id, CIDS[0]))
    world.tick(5)
    world.commit()
    late = parse_issue_proof(client.issue_proof(list_id, CIDS[0]))
    with pytest.raises(TrustError) as caught:
        read_issue_proof(print_issue_proof(replace(early, commit=late.commit)), world.genesis)
    assert caught.value.code == "wrong-state"


def test_another_registry_proves_nothing_here(world: World, tmp_path: Path) -> None:
    """Its keys are not those of the genesis that is trusted; a store without its bundle says so."""
    other = World(tmp_path, name="other", chain=7)
    _, list_id = published(other)
    data = RegistryClient.local(other.registry).issue_proof(list_id, CIDS[0])
    other.registry.close()
    with pytest.raises(WeidError):
        read_issue_proof(data, world.genesis)
    store = TrustStore.pin(print_genesis(world.genesis)).accept(world.commit(), at=world.now)
    with pytest.raises(TrustError) as caught:
        store.proven_issue(data, at=world.now)
    assert caught.value.code == "foreign-genesis"


def test_the_older_proof_of_one_certificate_counts(world: World) -> None:
    """A later publication says less: of two proofs the facts keep the one from before."""
    issuer, list_id = published(world)
    client = RegistryClient.local(world.registry)
    store = TrustStore.pin(print_genesis(world.genesis)).accept(world.registry.bundle(), at=world.now)
    early, first = client.issue_proof(list_id, CIDS[0]), world.now
    world.tick(30)
    schemas = world.registry.record("status", list_id).schemas
    more = [*CIDS, RegisterLeaf(7, b"\7" * 16)]
    world.status(issuer, schemas, leaves=more)
    world.registry.put_register(list_id, more)
    bundle = world.commit()
    late = client.issue_proof(list_id, CIDS[0])
    store = store.accept(bundle, at=world.now)
    proven = [store.proven_issue(data, at=world.now) for data in (late, early)]
    facts = WithIssuances(store.facts(at=world.now), proven)
    found = facts.fact("issuance", issuance_key(list_id, 0, CIDS[0].cid))
    assert isinstance(found, Found) and found.record.published == first
    assert found.source == facts.fact("did", issuer.did).source  # type: ignore[union-attr]
    assert facts.fact("issuance", issuance_key(list_id, 1, CIDS[1].cid)) == Unknown("incomplete-issuance")
    assert facts.find("issuance", list_id) == () and facts.find("did", issuer.did) != ()
