"""The trust store: one pin, no rollback, no fork, foreign registries only by recognition (R21, R23)."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import assets, bodies
from registry import operations as ops
from registry.bundle import open_bundle, parse_bundle, print_bundle
from registry.genesis import print_genesis
from registry.log import Registry
from registry.operations import SignedOperation
from registry.trust import Recognised, TrustStore
from tests.registry.world import NAMES, SCHEMA, YEAR, Actor, World
from weid.errors import ConflictError, MalformedError, RollbackError, TrustError, WeidError
from weid.facts import Absent, Found, RecordFacts, Unknown
from weid.keys import LocalSigner
from weid.records import SNAPSHOT_KINDS, RegisterLeaf, StatusEntry


def pinned(world: World) -> TrustStore:
    return TrustStore.pin(print_genesis(world.genesis))


def recognise(home: World, foreign: World, schemas: Sequence[bytes] = (), **change: Any) -> None:
    """Home recognises foreign on these terms."""
    plain: dict[str, Any] = {
        "origin": foreign.origin, "names": NAMES, "purposes": ("check",), "schemas": tuple(schemas), "since": None,
        "until": home.now + YEAR, "size": 0, "root": bytes(32), "assurance": 1, "mapping": None,
    }  # fmt: skip
    terms = bodies.TrustRecognise(**{**plain, **change})
    home.submit(ops.trust_recognise(home.author(home.admin), foreign.pin, terms))


def suspend(world: World, issuer: Actor) -> None:
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))


def code_of(store: TrustStore, data: bytes, at: int) -> str:
    """The code of the refusal; the store must stay as it was."""
    before = store.to_bytes()
    with pytest.raises(WeidError) as caught:
        store.accept(data, at=at)
    assert store.to_bytes() == before
    return caught.value.code


def test_before_the_first_bundle_nothing_is_known(world: World) -> None:
    """A pin alone gives the root and UNKNOWN for everything else."""
    store = pinned(world)
    facts = store.facts(at=world.now)

    assert isinstance(facts.fact("trust", "root"), Found)
    assert facts.fact("did", world.admin.did) == Unknown("incomplete-did")
    assert len(store.fingerprint) == 39


def test_accepting_and_storing(world: World) -> None:
    """An accepted bundle answers questions, also after the store was written and read."""
    store = pinned(world).accept(world.commit(), at=world.now)
    again = TrustStore.from_bytes(store.to_bytes())
    found = again.facts(at=world.now).fact("did", world.admin.did)

    assert again == store
    assert isinstance(found, Found)
    assert found.source.genesis == world.pin


def test_an_older_bundle_is_refused(world: World) -> None:
    """`older-bundle`: last week's bundle does not undo this week's suspension."""
    issuer = world.issuer(world.schema())
    before = world.commit()
    suspend(world, issuer)
    after = world.commit()
    store = pinned(world).accept(before, at=world.now).accept(after, at=world.now)
    with pytest.raises(RollbackError):
        store.accept(before, at=world.now)

    assert code_of(store, before, world.now) == "older-bundle"
    assert store.accept(after, at=world.now) == store


def test_two_states_of_one_log_are_a_fork(world: World, tmp_path: Path) -> None:
    """`forked`: an operator with two histories of one size is caught by whoever has seen one of them."""
    world.commit()
    world.registry.close()
    twin = tmp_path / "twin"
    shutil.copytree(world.folder, twin, ignore=shutil.ignore_patterns("twin"))
    world.reopen()
    one = pinned(world).accept(lengthened(world, b"\1" * 32), at=world.now)
    path, mark = world.path, world.mark
    world.registry.close()
    world.path, world.mark = twin / path.name, twin / mark.name
    world.registry = Registry.open(world.path, random=world.random, keys=world.keys())
    fork = lengthened(world, b"\2" * 32)
    with pytest.raises(ConflictError):
        one.accept(fork, at=world.now)

    assert code_of(one, fork, world.now) == "forked"
    lengthened(world, b"\3" * 32)
    longer = world.registry.bundle(since=[mark.size for mark in one.marks])
    assert code_of(one, longer, world.now) == "forked"


def lengthened(world: World, fingerprint: bytes) -> bytes:
    """One more entry, and a bundle."""
    world.submit(ops.evidence_anchor(world.author(world.admin), fingerprint, "file"))
    return world.commit()


def test_a_longer_log_proves_that_it_continues(world: World) -> None:
    """With a history path from the size we hold, growth is proven."""
    store = pinned(world).accept(world.commit(), at=world.now)
    lengthened(world, bytes(32))
    data = world.registry.bundle(since=[store.marks[0].size])

    assert parse_bundle(data).histories[0][0] == store.marks[0].size
    assert store.accept(data, at=world.now).marks[0].size > store.marks[0].size
    bundle = parse_bundle(data)
    size, path = bundle.histories[0]
    wrong = print_bundle(replace(bundle, histories=((size, (bytes(32), *path[1:])),)))
    assert code_of(store, wrong, world.now) == "bad-proof"  # nobody signed it: broken, not evidence of a fork


def test_foreign_and_future_bundles(world: World, tmp_path: Path) -> None:
    """`no-home`, `not-recognised`, `future-bundle`: by name, before anything is believed."""
    other = World(tmp_path, name="other")
    foreign = other.commit()
    store = pinned(world)
    assert code_of(store, foreign, world.now) == "no-home"
    store = store.accept(world.commit(), at=world.now)
    assert code_of(store, foreign, world.now) == "not-recognised"
    world.tick(10)
    late = world.commit()
    assert code_of(store, late, world.now - 10) == "future-bundle"
    store = store.accept(late, at=world.now)
    with pytest.raises(TrustError) as caught:
        store.facts(at=world.now - 10)
    assert caught.value.code == "future-bundle"


def test_recognition_brings_a_foreign_registry_in(world: World, tmp_path: Path) -> None:
    """A recognised registry's records carry their source; its trust and recognitions stay its own."""
    other = World(tmp_path, name="other", profile="gm")
    one, two = other.schema(), other.schema({**SCHEMA, "title": "Two"})
    issuer = other.issuer(one, two)
    recognise(world, other, [one])
    store = pinned(world).accept(world.commit(), at=world.now).accept(other.commit(), at=world.now)
    facts = store.facts(at=world.now)
    right = facts.fact("accreditation", f"{issuer.did}|{one.hex()}")

    assert isinstance(right, Found)
    assert (right.source.origin, right.source.genesis, right.source.label) == (other.origin, other.pin, "Example")
    assert isinstance(facts.fact("accreditation", f"{issuer.did}|{two.hex()}"), Found)
    root = facts.fact("trust", "root")
    assert isinstance(root, Found)
    assert root.record.origin == world.origin
    assert isinstance(facts.fact("did", issuer.did), Found)
    assert len(store.marks) == 2
    assert TrustStore.from_bytes(store.to_bytes()) == store


def test_a_recognised_registry_speaks_only_for_its_own_dids(world: World, tmp_path: Path) -> None:
    """R5: it cannot accredit, override or shadow an issuer that another registry knows."""
    other = World(tmp_path, name="other")
    one = world.schema()
    two = other.schema({**SCHEMA, "title": "Two"})
    issuer = world.issuer(one)
    world.status(issuer, [one])
    other.random = world.random
    twin = Actor(issuer.did, issuer.signers)
    other.register(twin)
    other.accredit(twin, two)
    other.status(twin, [two], changed=[StatusEntry(1, "revoked", "fraud", other.now)], number=7)
    recognise(world, other)
    store = pinned(world).accept(world.commit(), at=world.now).accept(other.commit(), at=world.now)
    facts = store.facts(at=world.now)

    assert isinstance(facts.fact("accreditation", f"{issuer.did}|{two.hex()}"), Absent)
    assert isinstance(facts.fact("status", f"{issuer.did}/status/7"), Absent)
    assert [item.source.genesis for item in facts.find("did", issuer.did)] == [world.pin]
    assert [item.source.genesis for item in facts.find("address", issuer.did[-40:])] == [world.pin]
    assert isinstance(facts.fact("did", other.admin.did), Found)


def test_of_every_kind_it_is_known_whose_word_it_is(world: World, tmp_path: Path) -> None:
    """No kind that travels is forgotten: the registry's own, of a DID, or named by what it is; one of them, exactly."""
    groups = (Recognised._OWN, Recognised._OF_A_DID, Recognised._BY_DIGEST)
    for kind in SNAPSHOT_KINDS:
        assert sum(kind in group for group in groups) == 1, kind
    assert {kind for group in groups for kind in group} == {*SNAPSHOT_KINDS, "trust"}


def test_a_recognised_registrys_key_changes_and_use_registers(world: World, tmp_path: Path) -> None:
    """Its key changes are its own; a use register counts where its owner is the foreign registry's, not the home's."""
    foreign = World(tmp_path, name="far", chain=20_201)
    shared, alone = foreign.issuer(schema := foreign.schema()), foreign.issuer(schema)
    for number, actor in enumerate((shared, alone)):
        foreign.submit(assets.use_open(foreign.author(actor), "financing", purpose=f"p{number}", group=b"g" * 32))
    foreign.submit(_new_log_key(foreign))
    foreign.tick()
    facts = foreign.facts()
    keys = [found.record.key for found in facts.find("use-register", "")]
    assert len(keys) == 2 and len(facts.find("keychange", "")) == 1
    knows = RecordFacts([facts.fact("did", shared.did).record], source=facts.source, complete={"did": True})  # type: ignore[union-attr]
    for earlier, expected in (((), keys), ((knows,), [key for key in keys if not key.startswith(shared.did)])):
        seen = Recognised(facts, earlier)
        assert [found.record.key for found in seen.find("use-register", "")] == expected
        assert [key for key in keys if isinstance(seen.fact("use-register", key), Found)] == expected
        assert seen.find("keychange", "") == () and isinstance(seen.fact("keychange", "0001"), Absent)


def _new_log_key(world: World) -> SignedOperation:
    key = LocalSigner(world.secret(), world.suite, f"{world.origin}#log", "log")
    link = world.registry.change_key("log", key)
    change = bodies.KeyChange(link.seq, link.suite, link.public, link.old, link.new)
    return world.author(world.admin).sign("key.change", link.what, change)


def test_recognition_is_one_hop(world: World, tmp_path: Path) -> None:
    """A registry recognised by a recognised one is not recognised (R23)."""
    middle, far = World(tmp_path, name="middle"), World(tmp_path, name="far")
    recognise(world, middle)
    recognise(middle, far)
    store = pinned(world).accept(world.commit(), at=world.now).accept(middle.commit(), at=world.now)

    assert code_of(store, far.commit(), world.now) == "not-recognised"
    assert isinstance(store.facts(at=world.now).fact("recognition", far.pin.hex()), Absent)


def test_withdrawal(world: World, tmp_path: Path) -> None:
    """The foreign facts stay, so that a check can say why they do not count; no new bundle enters."""
    other = World(tmp_path, name="other")
    recognise(world, other)
    foreign = other.commit()
    store = pinned(world).accept(world.commit(), at=world.now).accept(foreign, at=world.now)
    admin = world.author(world.admin)
    world.submit(ops.trust_withdraw(admin, other.pin, "cease"))
    store = store.accept(world.commit(), at=world.now)
    assert isinstance(store.facts(at=world.now).fact("did", other.admin.did), Found)
    world.submit(ops.trust_withdraw(admin, other.pin, "distrust"))
    store = store.accept(world.commit(), at=world.now)

    facts = store.facts(at=world.now)
    assert isinstance(facts.fact("did", other.admin.did), Found)
    terms = facts.fact("recognition", other.pin.hex())
    assert isinstance(terms, Found)
    assert terms.record.mode == "distrust"
    assert code_of(store, foreign, world.now) == "not-recognised"


def test_the_pinned_checkpoint_of_a_foreign_registry(world: World, tmp_path: Path) -> None:
    """`older-bundle`, `forked`: the checkpoint pinned in the recognition is a floor and a witness."""
    other = World(tmp_path, name="other")
    foreign = other.commit()
    checkpoint = open_bundle(foreign, pin=other.pin, at=other.now).checkpoint
    for size, root, code in (
        (checkpoint.size + 1, bytes(32), "older-bundle"),
        (checkpoint.size, bytes(32), "forked"),
        (checkpoint.size, checkpoint.root, None),
    ):
        home = World(tmp_path, name=f"home{code}")
        recognise(home, other, size=size, root=root)
        store = pinned(home).accept(home.commit(), at=home.now)
        if code is None:
            store.accept(foreign, at=home.now)
        else:
            assert code_of(store, foreign, home.now) == code


def test_a_recognised_registry_cannot_rename_itself(world: World, tmp_path: Path) -> None:
    """`not-recognised`: recognition is by origin and genesis together."""
    other = World(tmp_path, name="other")
    recognise(world, other, origin="registry.else.example/weid/1")
    store = pinned(world).accept(world.commit(), at=world.now)

    assert code_of(store, other.commit(), world.now) == "not-recognised"


def test_conflicts_are_remembered_until_cleared(world: World) -> None:
    """A conflict goes into the facts, survives storing, and only a person clears it."""
    store = pinned(world).accept(world.commit(), at=world.now).conflicted("forked", "two logs of one size")
    again = TrustStore.from_bytes(store.to_bytes())
    found = again.facts(at=world.now).fact("trust", "conflict")

    assert isinstance(found, Found)
    assert found.record.code == "forked"
    assert isinstance(again.cleared().facts(at=world.now).fact("trust", "conflict"), Absent)
    assert isinstance(again.facts(at=world.now).fact("did", world.admin.did), Found)


def test_status_never_goes_back(world: World) -> None:
    """A newer bundle has every list at its seq or later, and everything revoked still revoked."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], changed=[StatusEntry(1, "revoked", "fraud", world.now)])
    store = pinned(world).accept(world.commit(), at=world.now)
    world.status(issuer, [schema], leaves=[RegisterLeaf(1, bytes(16))])
    store = store.accept(world.commit(), at=world.now)

    assert store.marks[0].seqs == ((f"{issuer.did}/status/1", 2),)


def test_the_store_reads_strictly(world: World) -> None:
    """Any cut or junk is no store."""
    data = pinned(world).to_bytes()
    for bad in (b"", data[:-1], data + b"\0", b"\x80", print_genesis(world.genesis)):
        with pytest.raises(MalformedError):
            TrustStore.from_bytes(bad)


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_junk_raises_our_errors_only(data: bytes) -> None:
    """Whatever is offered as a bundle or a store, a WeidError comes out."""
    for read in (TrustStore.from_bytes, TrustStore.pin, lambda d: open_bundle(d, pin=bytes(32), at=0)):
        with pytest.raises(WeidError):
            read(data)
