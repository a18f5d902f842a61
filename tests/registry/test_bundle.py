"""Trust bundles: everything or nothing (R20, R22, R27), and the registers of ended issuers (R8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from registry import bodies
from registry import operations as ops
from registry.bundle import AHEAD, BundleFacts, bundle_genesis, open_bundle, parse_bundle, print_bundle
from registry.node.client import RegistryClient
from registry.snapshot import parse_snapshot, print_snapshot
from tests.registry.world import World
from weid.did import DID
from weid.document import resolve
from weid.errors import NotRegisteredError, TrustError, WeidError
from weid.facts import Absent, Found, Unknown
from weid.records import RegisterLeaf, StatusEntry

CIDS = [RegisterLeaf(n, bytes([n + 1]) * 16) for n in range(4)]


def small(world: World) -> bytes:
    """A bundle with one of most things."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], changed=[StatusEntry(2, "revoked", "fraud", world.now)], leaves=CIDS[:2])
    world.tick()
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))
    world.registry.put_register(f"{issuer.did}/status/1", CIDS[:2])
    return world.commit()


def opened(world: World, data: bytes) -> BundleFacts:
    return open_bundle(data, pin=world.pin, at=world.now)


@pytest.mark.parametrize("profile", ["intl", pytest.param("gm", marks=pytest.mark.long)])
def test_every_changed_byte_is_refused(tmp_path: Path, profile: str) -> None:
    """R27: no byte of a bundle can change, none can be added or cut."""
    world = World(tmp_path, profile=profile)
    data = small(world)
    opened(world, data)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(WeidError):
            opened(world, bytes(changed))
    for bad in (data + b"\0", data[:-1], b"", data[:100]):
        with pytest.raises(WeidError):
            opened(world, bad)


@pytest.mark.long
def test_every_changed_bit_and_cut_is_refused(world: World) -> None:
    """All eight bits of every byte, every prefix."""
    data = small(world)
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(WeidError):
                opened(world, bytes(changed))
        with pytest.raises(WeidError):
            opened(world, data[:at])


def test_facts_come_with_source_and_age(world: World) -> None:
    """Found, Absent and Unknown say who says so, as of when, and whether the kind is complete (R22)."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema])
    facts = world.facts()
    found = facts.fact("did", issuer.did)

    assert isinstance(found, Found)
    assert found.complete
    assert (found.as_of, found.source.origin, found.source.genesis) == (world.now, world.origin, world.pin)
    address = DID(issuer.did).address
    assert facts.fact("address", address.hex()) == found
    assert facts.find("address", address[:8].hex()) == (found,)
    assert [item.record.digest for item in facts.find("schema", schema[:4].hex())] == [schema]
    assert isinstance(facts.fact("did", world.actor().did), Absent)
    assert isinstance(facts.fact("accreditation", f"{issuer.did}|{schema.hex()}"), Found)
    status = facts.fact("status", f"{issuer.did}/status/1")
    assert isinstance(status, Found)
    assert status.next_update == world.now + 1440
    root = facts.fact("trust", "root")
    assert isinstance(root, Found)
    assert (root.record.profile, root.record.size) == ("intl", world.registry.size)
    assert isinstance(facts.fact("trust", "conflict"), Absent)
    assert resolve(issuer.did, facts).document["id"] == issuer.did
    with pytest.raises(NotRegisteredError):
        resolve(world.actor().did, facts)


def test_bundles_of_another_registry_are_foreign(world: World, tmp_path: Path) -> None:
    """`foreign-genesis`: a genuine bundle of another registry does not pass for ours."""
    other = World(tmp_path, name="other")
    data = other.commit()

    assert bundle_genesis(data) == other.genesis
    with pytest.raises(TrustError) as caught:
        opened(world, data)
    assert caught.value.code == "foreign-genesis"


def test_bundles_from_the_future_are_refused(world: World) -> None:
    """`future-bundle`: more than five minutes ahead of the reader's clock (R7)."""
    data = world.commit()
    open_bundle(data, pin=world.pin, at=world.now - AHEAD)
    with pytest.raises(TrustError) as caught:
        open_bundle(data, pin=world.pin, at=world.now - AHEAD - 1)

    assert caught.value.code == "future-bundle"


def test_parts_of_two_bundles_do_not_mix(world: World) -> None:
    """A suspension cannot be left out by putting an older snapshot into a newer bundle."""
    schema = world.schema()
    issuer = world.issuer(schema)
    before = parse_bundle(world.commit())
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))
    after = parse_bundle(world.commit())
    mixes = [
        (replace(after, snapshot=before.snapshot), "wrong-snapshot"),
        (replace(after, snapshot=before.snapshot, statement=before.statement), None),
        (replace(after, commit=before.commit), None),
        (replace(after, checkpoint=before.checkpoint), None),
        (replace(after, registers=(("x", b""),)), "wrong-register"),
        (replace(after, histories=((1, ()),)), "wrong-size"),
    ]
    for mixed, code in mixes:
        with pytest.raises(WeidError) as caught:
            opened(world, print_bundle(mixed))
        assert code in (None, caught.value.code)


def test_a_snapshot_signed_by_nobody_is_refused(world: World) -> None:
    """Records left out of a snapshot change its digest, and nobody signed that."""
    schema = world.schema()
    world.issuer(schema)
    bundle = parse_bundle(world.commit())
    snapshot = parse_snapshot(bundle.snapshot)
    less = replace(snapshot, records={**snapshot.records, "accreditation": ()})

    with pytest.raises(TrustError) as caught:
        opened(world, print_bundle(replace(bundle, snapshot=print_snapshot(less))))
    assert caught.value.code == "wrong-snapshot"


def test_register_before_a_right_ended_travels(world: World) -> None:
    """R8: after a suspension the bundle carries the register as last published before it, with its leaves."""
    schema = world.schema()
    issuer = world.issuer(schema)
    list_id, client = f"{issuer.did}/status/1", RegistryClient.local(world.registry)
    world.status(issuer, [schema], leaves=CIDS[:2])
    assert isinstance(world.facts().fact("register", list_id), Absent)
    client.put_register(list_id, CIDS[:2])
    world.tick()
    world.status(issuer, [schema], leaves=CIDS[:3])
    client.put_register(list_id, CIDS[:3])
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))
    found = world.facts().fact("register", list_id)

    assert isinstance(found, Found)
    assert found.record.before(world.now) == (tuple(CIDS[:2]), True)
    assert [mark.published for mark in found.record.marks] == [world.now - 1]


def test_register_before_a_compromise_travels(world: World) -> None:
    """R8: compromised(T) picks the register published before T, also when it is reported later."""
    schema = world.schema()
    issuer = world.issuer(schema)
    list_id = f"{issuer.did}/status/1"
    for count in (1, 2, 3):
        world.status(issuer, [schema], leaves=CIDS[:count])
        world.registry.put_register(list_id, CIDS[:count])
        world.tick()
    end = bodies.KeyEnd(2, "compromised", world.now - 1)
    world.submit(ops.did_update(world.author(issuer), issuer.last_op, end=[end]))
    found = world.facts().fact("register", list_id)

    assert isinstance(found, Found)
    assert found.record.before(world.now - 1) == (tuple(CIDS[:2]), True)


def test_one_register_answers_every_end(world: World) -> None:
    """Two ends, two marks: the newest leaves travel, and each end sees the beginning that stood before it."""
    schema = world.schema()
    issuer = world.issuer(schema)
    list_id = f"{issuer.did}/status/1"
    world.status(issuer, [schema], leaves=CIDS[:1])
    world.tick()
    first = world.now
    end = bodies.KeyEnd(2, "compromised", first)
    world.submit(ops.did_update(world.author(issuer), issuer.last_op, end=[end]))
    bare = world.facts().fact("register", list_id)
    assert isinstance(bare, Found)
    assert bare.record.before(first) == ((), False)  # the node was never given the leaves: nothing is proven
    world.registry.put_register(list_id, CIDS[:1])
    world.status(issuer, [schema], leaves=CIDS[:2])
    world.tick()
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))
    older = world.facts().fact("register", list_id)
    assert isinstance(older, Found)
    assert (older.record.before(first), older.record.before(world.now)) == ((tuple(CIDS[:1]), True), (tuple(CIDS[:1]), False))
    world.registry.put_register(list_id, CIDS[:2])
    both = world.facts().fact("register", list_id)

    assert isinstance(both, Found)
    assert both.record.before(first) == (tuple(CIDS[:1]), True)
    assert both.record.before(world.now) == (tuple(CIDS[:2]), True)


def test_a_register_that_was_rewritten_proves_nothing(world: World) -> None:
    """An issuer whose newer register does not begin with the older one has cheated: neither end is answered."""
    schema = world.schema()
    issuer = world.issuer(schema)
    list_id = f"{issuer.did}/status/1"
    rewritten = [CIDS[2], CIDS[1]]
    world.status(issuer, [schema], leaves=CIDS[:1])
    world.tick()
    first = world.now
    world.submit(ops.did_update(world.author(issuer), issuer.last_op, end=[bodies.KeyEnd(2, "compromised", first)]))
    world.status(issuer, [schema], leaves=rewritten)
    world.registry.put_register(list_id, rewritten)
    world.tick()
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "inquiry"))
    found = world.facts().fact("register", list_id)

    assert isinstance(found, Found)
    assert (found.record.before(first), found.record.before(world.now)) == (((), False), ((), False))


def test_register_travels_when_a_right_expires_or_the_did_is_deactivated(world: World) -> None:
    """R8: a right that ran out and a deactivated DID are ends too; one in force again without a gap is none."""
    schema = world.schema()
    one, two, three = (world.register(world.actor()) for _ in range(3))
    world.accredit(one, schema, until=world.now + 5)
    world.accredit(two, schema)
    world.accredit(three, schema)
    for actor in (one, two, three):
        world.status(actor, [schema], leaves=CIDS[:1])
        world.registry.put_register(f"{actor.did}/status/1", CIDS[:1])
    world.tick(2)
    admin = world.author(world.admin)
    world.submit(ops.issuer_suspend(admin, three.did, "inquiry"))
    world.submit(ops.issuer_reinstate(admin, three.did))
    assert world.facts().find("register", "") == ()
    world.submit(ops.did_deactivate(world.author(two), two.last_op))
    world.tick(3)
    found = world.facts().find("register", "")

    assert {item.record.list_id for item in found} == {f"{one.did}/status/1", f"{two.did}/status/1"}
    assert all(item.record.before(world.now) == (tuple(CIDS[:1]), True) for item in found)


def test_no_register_before_the_end_is_unknown(world: World) -> None:
    """A list never published before T gives no register, and its absence is not complete either."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.tick()
    world.status(issuer, [schema], leaves=CIDS[:1])
    world.submit(ops.issuer_suspend(world.author(world.admin), issuer.did, "the same minute"))

    assert isinstance(world.facts().fact("register", f"{issuer.did}/status/1"), Unknown)


def test_wrong_leaves_are_refused(world: World) -> None:
    """Leaves are kept only if their root is on the log."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], leaves=CIDS[:2])
    for wrong in (CIDS[:1], CIDS[1:3], [CIDS[1], CIDS[0]]):
        with pytest.raises(WeidError) as caught:
            world.registry.put_register(f"{issuer.did}/status/1", wrong)
        assert caught.value.code == "wrong-digest"


def test_opening_leaves_the_collector_as_it_was(world: World) -> None:
    """Also where opening fails, and where somebody else had switched it off."""
    import gc

    data = small(world)
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        try:
            opened(world, data)
            with pytest.raises(WeidError):
                opened(world, data[:-1])
            assert gc.isenabled() is before
        finally:
            gc.enable()
