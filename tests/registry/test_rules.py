"""Every rule of the state machine and the hole it closes: one named test a rejection code (R5–R9, R18, R20–R25)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry import bodies
from registry import operations as ops
from registry.node.service import create_node
from registry.operations import read_entry
from registry.rejections import CODES, UNAUTHENTIC
from registry.state import Applied, Duplicate, Rejected, State
from tests.registry.world import NAMES, SCHEMA, YEAR, Actor, World
from weid import cbor
from weid.canon import jcs
from weid.codec import CALENDAR_END
from weid.did import key_id, weid_did
from weid.errors import UnknownSuiteError
from weid.keys import LocalSigner, PublicKey
from weid.records import RegisterLeaf, StatusEntries, StatusEntry
from weid.suites import suite


def leaf(n: int) -> RegisterLeaf:
    return RegisterLeaf(n, bytes([n]) * 16)


def revoked(world: World, index: int) -> StatusEntry:
    return StatusEntry(index, "revoked", "fraud", world.now)


def suspended(world: World, index: int) -> StatusEntry:
    return StatusEntry(index, "suspended", "unspecified", world.now)


# --- reading and authenticity ---------------------------------------------------------------------------------


def test_malformed_entries_become_leaves_in_the_state_but_not_in_the_log(world: World) -> None:
    """`malformed`: any bytes are a leaf for the state machine; the node refuses them before its log."""
    state = State(world.genesis)
    for data in (b"", b"\xff", cbor.encode([b"", b""]), cbor.encode([cbor.encode([1]), bytes(64)])):
        assert isinstance(state.apply(data), Rejected)
        assert world.registry.submit([data])[0].code == "malformed"

    assert (state.size, world.registry.size) == (4, 0)


def test_unknown_type(world: World) -> None:
    """`unknown-type`: an operation nobody defined is refused by name."""
    made = ops.time_tick(world.author(world.operator), world.now)
    value = list(cbor.decode(made.signed))  # type: ignore[arg-type]
    value[2] = "time.travel"
    world.submit(replace(made, data=cbor.encode([cbor.encode(value), bytes(64)])), "unknown-type")


def test_wrong_registry(world: World, tmp_path: Path) -> None:
    """`wrong-registry`: an operation signed for one registry means nothing in another."""
    other = World(tmp_path, name="other")
    made = ops.time_tick(other.author(other.operator), other.now)

    world.submit(made, "wrong-registry")
    moved = replace(world.author(world.operator), origin=other.origin)
    world.submit(ops.time_tick(moved, world.now), "wrong-registry")


def test_not_registered(world: World) -> None:
    """`not-registered`: a DID that is not on the log signs nothing but its own creation."""
    world.submit(ops.evidence_anchor(world.author(world.actor()), bytes(32), "file"), "not-registered")


def test_unknown_key(world: World) -> None:
    """`unknown-key`: a number the DID does not have, or a key id that is none."""
    actor = world.register(world.actor())
    stranger = world.signer(actor.did, 9, "log-op")
    world.submit(ops.evidence_anchor(world.author(stranger), bytes(32), "file"), "unknown-key")
    nameless = LocalSigner(world.secret(), "ed25519", "somebody", "log-op")
    world.submit(ops.time_tick(world.author(nameless), world.now), "unknown-key")


def test_wrong_suite(world: World) -> None:
    """`wrong-suite`: the suite is the resolved key's, never the one an operation claims."""
    made = ops.time_tick(world.author(world.operator), world.now)
    claimed = replace(made.operation, alg="p256")
    data = cbor.encode([claimed.to_bytes(), made.signature])
    world.submit(replace(made, data=data), "wrong-suite")


@pytest.mark.parametrize("name", ["p384", "p521", "ml-dsa-44"])
def test_suites_that_do_not_fit_an_operation(world: World, name: str) -> None:
    """`wrong-suite`: a key that signs more than 64 bytes neither writes operations nor founds or joins a DID (R2)."""
    actor = world.actor()
    secret = world.secret(name)
    key = PublicKey(name, suite(name).public(secret))
    own = LocalSigner(secret, name, key_id(weid_did(world.chain, key), 1), "log-op")
    twin = LocalSigner(secret, name, key_id(actor.did, 9), "assert")
    for attempt in (
        lambda: ops.did_create(world.author(own), [own]),
        lambda: ops.did_create(world.author(actor), [actor.log, twin]),
    ):
        with pytest.raises(UnknownSuiteError, match=f"^{name} signs no") as caught:
            attempt()
        assert caught.value.code == "wrong-suite"
    entry = bodies.KeyEntry(1, "log-op", name, key.data, bytes(64))
    made = ops.did_create(world.author(actor), [actor.log])
    forged = replace(made.operation, sub=own.kid.split("#")[0], kid=own.kid, alg=name, body=bodies.DidCreate((entry,), ()))
    world.submit(replace(made, data=cbor.encode([forged.to_bytes(), bytes(64)])), "wrong-suite")
    joined = bodies.DidCreate((*made.operation.body.keys, replace(entry, number=9, role="assert")), ())
    world.submit(world.author(actor).sign("did.create", actor.did, joined), "wrong-suite")


def test_bad_signature(world: World) -> None:
    """`bad-signature`: another key's signature, or one changed bit."""
    actor, other = world.register(world.actor()), world.register(world.actor())
    thief = LocalSigner(world.secret(), "ed25519", other.log.kid, "log-op")
    world.submit(ops.evidence_anchor(world.author(thief), bytes(32), "file"), "bad-signature")
    made = ops.evidence_anchor(world.author(actor), bytes(32), "file")
    world.submit(replace(made, data=made.data[:-1] + bytes([made.data[-1] ^ 1])), "bad-signature")


def test_a_badly_signed_copy_does_not_use_up_an_operation(world: World) -> None:
    """Ids leave signatures out, so a forged copy seen first must not turn the real one into a duplicate."""
    state = State(world.genesis)
    made = ops.time_tick(world.author(world.operator), world.now)
    forged = cbor.encode([made.signed, bytes(64)])

    assert state.apply(forged).code == "bad-signature"
    assert isinstance(state.apply(made.data), Applied)
    assert Duplicate(1) == state.apply(made.data)


def test_wrong_role_of_a_key(world: World) -> None:
    """`wrong-role`: an assert or status key never signs operations (R1), even if a signer would."""
    actor = world.register(world.actor())
    abused = LocalSigner(actor.signers[2]._secret, "ed25519", actor.issuing.kid, "log-op")
    world.submit(ops.evidence_anchor(world.author(abused), bytes(32), "file"), "wrong-role")


def test_key_ended(world: World) -> None:
    """`key-ended`: a retired key signs nothing more."""
    actor = world.register(world.actor())
    extra = world.signer(actor.did, 4, "log-op")
    made = ops.did_update(world.author(actor), actor.last_op, add=[extra], end=[bodies.KeyEnd(1, "retired", None)])
    world.submit(made)

    world.submit(ops.evidence_anchor(world.author(actor), bytes(32), "file"), "key-ended")
    world.submit(ops.evidence_anchor(world.author(extra), bytes(32), "file"))


def test_too_early(world: World) -> None:
    """`too-early`: an operation waits for its nbf, and submitting it early does not use it up."""
    author = world.author(world.admin)
    digest = world.genesis.hash(jcs(SCHEMA))
    made = author.sign("schema.publish", digest.hex(), bodies.SchemaPublish(jcs(SCHEMA)), nbf=world.now + 3)

    world.submit(made, "too-early")
    world.tick(3)
    world.submit(made)
    world.submit(made, "duplicate")


# --- DIDs (R5) ------------------------------------------------------------------------------------------------


def create(world: World, actor: Actor, sub: str | None = None, **change: Any) -> ops.SignedOperation:
    """A did.create with one thing changed in its first key, signed again."""
    made = ops.did_create(world.author(actor), list(actor.signers.values()))
    keys = made.operation.body.keys
    body = bodies.DidCreate((replace(keys[0], **change), *keys[1:]), ())
    return world.author(actor).sign("did.create", sub or actor.did, body)


def test_nobody_registers_anothers_did(world: World) -> None:
    """`wrong-address`: the hole of WeIdentity's create: any caller for any address."""
    victim, thief = world.actor(), world.actor()
    signers = [LocalSigner(s._secret, "ed25519", key_id(victim.did, n), s.role) for n, s in thief.signers.items()]
    entries = tuple(ops.key_entry(world.author(signers[0]), victim.did, signer) for signer in signers)
    made = world.author(signers[0]).sign("did.create", victim.did, bodies.DidCreate(entries, ()))

    world.submit(made, "wrong-address")
    world.register(victim)


def test_a_did_is_created_once(world: World) -> None:
    """`already-exists`: a second create, also of a committee member's DID."""
    actor = world.register(world.actor())
    world.submit(ops.did_create(world.author(actor), list(actor.signers.values())), "already-exists")
    admin = world.admin
    world.submit(ops.did_create(world.author(admin), [admin.log]), "already-exists")


def test_create_is_signed_by_the_did_itself(world: World) -> None:
    """`not-yours`: a registered stranger cannot create for another."""
    actor, other = world.actor(), world.register(world.actor())
    made = ops.did_create(world.author(actor), list(actor.signers.values()))
    world.submit(world.author(other).sign("did.create", actor.did, made.operation.body), "not-yours")


@pytest.mark.parametrize("change", [{"proof": bytes(64)}, {"number": 2}, {"role": "login"}])
def test_bad_key_proof(world: World, change: dict[str, Any]) -> None:
    """`bad-key-proof`: possession is proven for this registry, DID, number and role, and no other."""
    actor = world.actor()
    first = actor.signers[2]
    entries = tuple(ops.key_entry(world.author(actor), actor.did, s) for s in (actor.log, first))
    wrong = replace(entries[1], **({"number": 5} if "number" in change else change))
    made = world.author(actor).sign("did.create", actor.did, bodies.DidCreate((entries[0], wrong), ()))

    world.submit(made, "bad-key-proof")


def test_key_proof_of_another_registry_is_refused(world: World, tmp_path: Path) -> None:
    """`bad-key-proof`: proofs cannot be carried from one registry to another."""
    other, actor = World(tmp_path, name="other"), world.actor()
    entries = tuple(ops.key_entry(other.author(actor), actor.did, s) for s in actor.signers.values())
    world.submit(world.author(actor).sign("did.create", actor.did, bodies.DidCreate(entries, ())), "bad-key-proof")


def test_unusable_keys_are_refused(world: World) -> None:
    """`bad-key-proof`: a key off its curve never enters a record; an unknown suite is `wrong-suite`."""
    actor = world.actor()
    entries = [ops.key_entry(world.author(actor), actor.did, s) for s in actor.signers.values()]
    for change, code in (({"public": bytes(32)}, "bad-key-proof"), ({"suite": "rot13"}, "wrong-suite")):
        body = bodies.DidCreate((entries[0], replace(entries[1], **change)), ())  # type: ignore[arg-type]
        world.submit(world.author(actor).sign("did.create", actor.did, body), code)


def test_log_and_state_keys_never_enter_a_document(world: World) -> None:
    """`key-reused`: R1 keeps log, state and operator keys out of DIDs, and one key out of two roles."""
    actor = world.actor()
    for secret in (world.log_key._secret, world.state_key._secret, world.operator._secret, actor.log._secret):
        twin = LocalSigner(secret, "ed25519", key_id(actor.did, 7), "assert")
        world.submit(ops.did_create(world.author(actor), [actor.log, twin]), "key-reused")


def test_key_numbers_are_never_reused(world: World) -> None:
    """`key-number`: numbers ascend, also after their key ended."""
    actor = world.register(world.actor())
    made = ops.did_update(world.author(actor), actor.last_op, end=[bodies.KeyEnd(3, "retired", None)])
    world.submit(made)
    for number in (0, 2, 3):
        again = ops.did_update(world.author(actor), made.id, add=[world.signer(actor.did, number, "status")])
        world.submit(again, "key-number")
    world.submit(ops.did_update(world.author(actor), made.id, add=[world.signer(actor.did, 4, "status")]))


def test_a_did_keeps_a_controller(world: World) -> None:
    """`no-controller`: nobody locks themselves out by an update, or creates a DID that is."""
    actor = world.register(world.actor())
    world.submit(ops.did_update(world.author(actor), actor.last_op, end=[bodies.KeyEnd(1, "retired", None)]), "no-controller")


def test_updates_follow_the_newest_operation(world: World) -> None:
    """`stale-prev`: of two updates signed over one version, the second does not overwrite the first."""
    actor = world.register(world.actor())
    one = ops.did_update(world.author(actor), actor.last_op, add=[world.signer(actor.did, 4, "login")])
    two = ops.did_update(world.author(actor), actor.last_op, add=[world.signer(actor.did, 5, "login")])
    world.submit(one)
    world.submit(two, "stale-prev")
    world.submit(ops.did_deactivate(world.author(actor), actor.last_op), "stale-prev")


def test_nobody_updates_anothers_did(world: World) -> None:
    """`not-yours`: WeIdentity's admins could rewrite anyone's keys; here not even the committee can."""
    actor = world.register(world.actor())
    body = bodies.DidUpdate((), (bodies.KeyEnd(1, "retired", None),), (), ())
    world.submit(world.author(world.admin).sign("did.update", actor.did, body, prev=actor.last_op), "not-yours")
    made = world.author(world.admin).sign("did.deactivate", actor.did, bodies.DidDeactivate(), prev=actor.last_op)
    world.submit(made, "not-yours")


def test_compromise_cannot_lie_in_the_future(world: World) -> None:
    """`time-in-future`: T of compromised(T) is at most log time."""
    actor = world.register(world.actor())
    end = bodies.KeyEnd(2, "compromised", world.now + 1)
    world.submit(ops.did_update(world.author(actor), actor.last_op, end=[end]), "time-in-future")


def test_ends_only_get_stricter(world: World) -> None:
    """`key-ended`: retired may become compromised, compromised may move earlier, never the other way."""
    actor = world.register(world.actor())
    world.tick(10)
    steps = [
        ("retired", None, "applied"), ("retired", None, "key-ended"), ("compromised", -3, "applied"),
        ("compromised", -2, "key-ended"), ("compromised", -5, "applied"), ("retired", None, "key-ended"),
    ]  # fmt: skip
    prev = actor.last_op
    for state, ago, code in steps:
        at = None if ago is None else world.now + ago
        made = ops.did_update(world.author(actor), prev, end=[bodies.KeyEnd(2, state, at)])
        world.submit(made, code)
        prev = made.id if code == "applied" else prev
    key = world.registry.record("did", actor.did).key_number(2)

    assert ("compromised", world.now - 5, 2) == (key.end, key.ended, key.end_version)


def test_ending_what_is_not_there(world: World) -> None:
    """`unknown-item`: a key number or service that does not exist."""
    actor = world.register(world.actor())
    for change in ({"end": [bodies.KeyEnd(9, "retired", None)]}, {"drop": ["home"]}):
        world.submit(ops.did_update(world.author(actor), actor.last_op, **change), "unknown-item")  # type: ignore[arg-type]


def test_services_come_and_go(world: World) -> None:
    """Services have unique ids, plain text, and stay in the history when dropped."""
    actor = world.register(world.actor())
    home = bodies.ServiceEntry("home", "LinkedDomains", "https://issuer.example/")
    one = ops.did_update(world.author(actor), actor.last_op, services=[home])
    world.submit(one)
    world.submit(ops.did_update(world.author(actor), one.id, services=[home]), "already-exists")
    bad = replace(home, id="a b")
    world.submit(ops.did_update(world.author(actor), one.id, services=[bad]), "bad-name")
    world.submit(ops.did_update(world.author(actor), one.id, drop=["home"], services=[home]))

    assert [item.end_version for item in world.registry.record("did", actor.did).services] == [3, None]


def test_deactivation_is_final(world: World) -> None:
    """`deactivated`: nothing the DID signs afterwards counts, and it cannot be created again."""
    actor = world.register(world.actor())
    gone = ops.did_deactivate(world.author(actor), actor.last_op)
    world.submit(gone)

    world.submit(ops.did_update(world.author(actor), gone.id, add=[world.signer(actor.did, 4, "login")]), "deactivated")
    world.submit(ops.issuer_apply(world.author(actor), NAMES, []), "deactivated")
    world.submit(ops.did_create(world.author(actor), list(actor.signers.values())), "deactivated")


# --- issuers and roles ----------------------------------------------------------------------------------------


def test_names_in_four_languages(world: World) -> None:
    """`bad-name`: a language missing, empty, unsorted, or with characters that hide or turn text (R28)."""
    actor = world.register(world.actor())
    bad = [NAMES[:3], (*NAMES[:3], ("zh-Hant", " ")), (("en", "A\u202eB"), *NAMES[1:]), (("en", "e\u0301"), *NAMES[1:])]
    for names in bad:
        world.submit(ops.issuer_apply(world.author(actor), names, []), "bad-name")


def test_only_reviewers_and_committee_approve(world: World) -> None:
    """`wrong-role`: WeIdentity let any recognised issuer name others; here issuers decide nothing."""
    schema = world.schema()
    issuer, other = world.issuer(schema), world.register(world.actor())
    world.submit(ops.issuer_apply(world.author(other), NAMES, [schema]))
    world.submit(ops.issuer_approve(world.author(issuer), other.did, schema, level=1, until=world.now + 9), "wrong-role")
    world.submit(ops.issuer_suspend(world.author(issuer), other.did, "rivalry"), "wrong-role")


def test_no_self_approval(world: World) -> None:
    """`self-approval`: neither reviewer nor committee decides about its own DID, nor takes a role itself."""
    schema, reviewer = world.schema(), world.register(world.actor())
    author = world.author(reviewer)
    world.submit(ops.issuer_apply(author, NAMES, [schema]))
    world.submit(ops.role_grant(world.author(world.admin), reviewer.did, "reviewer", until=world.now + 99))
    world.submit(ops.issuer_approve(author, reviewer.did, schema, level=1, until=world.now + 9), "self-approval")
    grant = ops.role_grant(world.author(world.admin), world.admin.did, "auditor", until=world.now + 9)
    world.submit(grant, "self-approval")


def test_reviewers_act_within_schemas_and_period(world: World) -> None:
    """`wrong-role`: a reviewer for one schema approves no other, and nothing after its role ended."""
    one, two = world.schema(), world.schema({**SCHEMA, "title": "Two"})
    reviewer, actor = world.register(world.actor()), world.register(world.actor())
    grant = ops.role_grant(world.author(world.admin), reviewer.did, "reviewer", until=world.now + 99, schemas=[one])
    world.submit(grant)
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [one, two]))

    def approve(schema: bytes) -> ops.SignedOperation:
        return ops.issuer_approve(world.author(reviewer), actor.did, schema, level=1, until=world.now + 50)

    world.submit(approve(two), "wrong-role")
    world.submit(approve(one))
    world.submit(ops.issuer_suspend(world.author(reviewer), actor.did, "whole issuer"), "wrong-role")
    world.submit(ops.role_end(world.author(world.admin), reviewer.did, "reviewer"))
    world.submit(ops.issuer_suspend(world.author(reviewer), actor.did, "late", schema=one), "wrong-role")


def test_not_committee(world: World) -> None:
    """`not-committee`: roles and recognition are the committee's alone."""
    actor, other = world.register(world.actor()), world.register(world.actor())
    world.submit(ops.role_grant(world.author(actor), other.did, "auditor", until=world.now + 9), "not-committee")
    world.submit(ops.role_end(world.author(actor), other.did, "auditor"), "not-committee")
    world.submit(ops.trust_withdraw(world.author(actor), bytes(32), "cease"), "not-committee")


def test_vote_required(tmp_path: Path) -> None:
    """`vote-required`: a member whose weight does not reach the floor decides nothing alone (R24)."""
    world = World(tmp_path, weights=(1, 2), floors={"role": 2, "issuer": 2, "schema": 2, "recognition": 3})
    actor, (light, heavy) = world.register(world.actor()), world.committee

    def grant(member: Actor) -> ops.SignedOperation:
        return ops.role_grant(world.author(member), actor.did, "auditor", until=world.now + 9)

    world.submit(grant(light), "vote-required")
    world.submit(grant(heavy))
    world.submit(ops.schema_publish(world.author(light), jcs(SCHEMA)), "vote-required")
    world.submit(ops.schema_publish(world.author(heavy), jcs(SCHEMA)))
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [world.genesis.hash(jcs(SCHEMA))]))
    digest = world.genesis.hash(jcs(SCHEMA))
    for member, code in ((light, "vote-required"), (heavy, "applied")):
        made = ops.issuer_approve(world.author(member), actor.did, digest, level=1, until=world.now + 9)
        world.submit(made, code)
    world.submit(ops.trust_recognise(world.author(heavy), b"\1" * 32, terms(world)), "vote-required")


def test_rights_are_given_as_asked_for_published_schemas(world: World) -> None:
    """`not-applied`, `unknown-schema`: nobody gets a right unasked, or to something that is not there."""
    schema, actor = world.schema(), world.register(world.actor())
    admin, until = world.author(world.admin), world.now + 9
    world.submit(ops.issuer_approve(admin, actor.did, schema, level=1, until=until), "not-applied")
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [bytes(32)]))
    world.submit(ops.issuer_approve(admin, actor.did, schema, level=1, until=until), "not-applied")
    world.submit(ops.issuer_approve(admin, actor.did, bytes(32), level=1, until=until), "unknown-schema")
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [bytes(32)]), "already-exists")
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [schema]))
    world.submit(ops.issuer_approve(admin, actor.did, schema, level=1, until=until))


def test_rights_are_never_back_dated(world: World) -> None:
    """`back-dated`, `empty-period`, `already-exists`: a right starts at log time or later, once."""
    schema, actor = world.schema(), world.register(world.actor())
    world.submit(ops.issuer_apply(world.author(actor), NAMES, [schema]))
    admin, now = world.author(world.admin), world.now
    steps = [(now - 1, now + 9, "back-dated"), (now, now, "empty-period"), (now, now + 9, "applied"),
             (now + 5, now + 20, "already-exists"), (now + 9, now + 20, "applied")]  # fmt: skip
    for since, until, code in steps:
        world.submit(ops.issuer_approve(admin, actor.did, schema, level=1, since=since, until=until), code)
    right = world.registry.record("accreditation", f"{actor.did}|{schema.hex()}")

    assert [right.at(now + t) is not None for t in (0, 9, 20)] == [True, True, False]


def test_suspension_cuts_and_reinstatement_leaves_the_gap(world: World) -> None:
    """`issuer-suspended`, `not-suspended`, `not-active`: suspending ends the periods, lifting starts new ones."""
    schema = world.schema()
    issuer, admin = world.issuer(schema), world.author(world.admin)
    world.submit(ops.issuer_reinstate(admin, issuer.did), "not-suspended")
    world.tick(5)
    cut = world.now
    world.submit(ops.issuer_suspend(admin, issuer.did, "inquiry"))
    world.submit(ops.issuer_suspend(admin, issuer.did, "again"), "not-active")
    world.submit(ops.issuer_approve(admin, issuer.did, schema, level=1, until=world.now + 9), "issuer-suspended")
    world.submit(ops.issuer_apply(world.author(issuer), NAMES, [bytes(32)]), "issuer-suspended")
    world.submit(ops.issuer_reinstate(admin, issuer.did, schema=schema), "issuer-suspended")
    world.tick(5)
    world.submit(ops.issuer_reinstate(admin, issuer.did))
    right = world.registry.record("accreditation", f"{issuer.did}|{schema.hex()}")

    assert [right.at(cut + t) is not None for t in (-1, 0, 4, 5)] == [True, False, False, True]
    world.submit(ops.issuer_suspend(admin, issuer.did, "one", schema=schema))
    world.submit(ops.issuer_suspend(admin, issuer.did, "one", schema=schema), "not-active")
    world.submit(ops.issuer_reinstate(admin, issuer.did, schema=schema))


def test_removal_needs_a_new_application(world: World) -> None:
    """`not-applied`: a removed issuer is not reinstated; it applies and is approved again."""
    schema = world.schema()
    issuer, admin = world.issuer(schema), world.author(world.admin)
    world.tick()
    world.submit(ops.issuer_suspend(admin, issuer.did, "inquiry"))
    world.submit(ops.issuer_remove(admin, issuer.did, "closed"))
    world.submit(ops.issuer_reinstate(admin, issuer.did), "not-suspended")
    world.submit(ops.issuer_approve(admin, issuer.did, schema, level=1, until=world.now + 9), "not-applied")
    world.submit(ops.issuer_remove(admin, issuer.did, "closed"), "not-active")
    world.submit(ops.issuer_apply(world.author(issuer), NAMES, [schema]))
    world.submit(ops.issuer_approve(admin, issuer.did, schema, level=2, until=world.now + 9))

    right = world.registry.record("accreditation", f"{issuer.did}|{schema.hex()}")
    assert [period.end for period in right.periods] == ["removed", None]


# --- schemas and status (R8, R9) ------------------------------------------------------------------------------


def test_schemas_are_immutable_by_digest(world: World) -> None:
    """`wrong-digest`, `already-exists`, `bad-schema`, `wrong-role`: named by what they are, published once."""
    data = jcs(SCHEMA)
    admin, stranger = world.author(world.admin), world.register(world.actor())
    world.submit(admin.sign("schema.publish", bytes(32).hex(), bodies.SchemaPublish(data)), "wrong-digest")
    world.submit(ops.schema_publish(world.author(stranger), data), "wrong-role")
    for bad in (b"{", b"[]", b'{"b":1,"a":2}', b'{"a": 1}'):
        world.submit(ops.schema_publish(admin, bad), "bad-schema")
    world.submit(ops.schema_publish(admin, data))
    world.submit(ops.schema_publish(admin, data), "already-exists")


def test_nobody_revokes_anothers_credential(world: World) -> None:
    """`not-yours`: WeIdentity's evidence took the signer as an argument; here the list belongs to its key."""
    schema = world.schema()
    one, two = world.issuer(schema), world.issuer(schema)
    made = world.status(one, [schema])
    world.submit(world.author(two).sign("status.publish", made.operation.sub, made.operation.body), "not-yours")
    world.submit(world.author(world.admin).sign("status.publish", made.operation.sub, made.operation.body), "not-yours")


def test_status_needs_the_right_at_log_time(world: World) -> None:
    """`not-accredited`: without a right, after it ended, or for another schema, nothing is published."""
    schema, other = world.schema(), world.schema({**SCHEMA, "title": "Other"})
    issuer = world.register(world.actor())
    world.status(issuer, [schema], expect="not-accredited")
    world.accredit(issuer, schema, until=world.now + 5)
    world.status(issuer, [schema, other], expect="not-accredited")
    world.status(issuer, [schema])
    world.tick(5)
    world.status(issuer, [schema], expect="not-accredited")


def test_revoked_is_never_cleared(world: World) -> None:
    """`cannot-clear-revoked`: suspended comes and goes, revoked stays (R9)."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], changed=[revoked(world, 3), suspended(world, 5)])
    world.status(issuer, [schema], lifted=[3], expect="cannot-clear-revoked")
    world.status(issuer, [schema], changed=[suspended(world, 3)], expect="cannot-clear-revoked")
    world.status(issuer, [schema], lifted=[5])
    world.status(issuer, [schema], changed=[suspended(world, 5)])
    world.status(issuer, [schema], changed=[revoked(world, 5)])

    entries = world.registry.record("status", f"{issuer.did}/status/1").entries
    assert [(entry.index, entry.state) for entry in entries] == [(3, "revoked"), (5, "revoked")]


def test_deltas_say_what_they_do(world: World) -> None:
    """`wrong-delta`: lifting what is not suspended, revoking twice, suspending twice, or unsorted."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], changed=[revoked(world, 3), suspended(world, 5)])
    world.status(issuer, [schema], lifted=[4], expect="wrong-delta")
    world.status(issuer, [schema], lifted=[5, 5], expect="wrong-delta")
    world.status(issuer, [schema], changed=[revoked(world, 3)], expect="wrong-delta")
    world.status(issuer, [schema], changed=[suspended(world, 5)], expect="wrong-delta")


def test_status_order_and_digest(world: World) -> None:
    """`wrong-seq`, `stale-prev`, `wrong-digest`, `empty-period`, `time-in-future`: lists move one step, truly."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], seq=2, expect="wrong-seq")
    world.status(issuer, [schema], prev=bytes(32), expect="stale-prev")
    world.status(issuer, [schema])
    world.status(issuer, [schema], prev=None, expect="stale-prev")
    world.status(issuer, [schema], digest=bytes(32), expect="wrong-digest")
    world.status(issuer, [schema], next_update=world.now, expect="empty-period")
    world.status(issuer, [schema], this_update=world.now + 1, expect="time-in-future")
    future = StatusEntry(1, "revoked", "fraud", world.now + 1)
    world.status(issuer, [schema], changed=[future], expect="time-in-future")
    world.status(issuer, [schema])


def test_registers_only_grow(world: World) -> None:
    """`register-shrank`: issuance is never taken back, nor swapped at one size (R8)."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.status(issuer, [schema], leaves=[leaf(1), leaf(2)])
    world.status(issuer, [schema], leaves=[leaf(1)], expect="register-shrank")
    world.status(issuer, [schema], leaves=[leaf(1), leaf(3)], expect="register-shrank")
    world.status(issuer, [schema], leaves=[leaf(1), leaf(2), leaf(3)])


def test_overrides_are_an_auditors_own_right(world: World) -> None:
    """`wrong-role`, `unknown-list`: only an auditor of the list's schemas; the issuer's list stays untouched."""
    schema, other = world.schema(), world.schema({**SCHEMA, "title": "Other"})
    issuer, auditor, partial = world.issuer(schema), world.register(world.actor()), world.register(world.actor())
    world.status(issuer, [schema])
    list_id, admin = f"{issuer.did}/status/1", world.author(world.admin)
    world.submit(ops.role_grant(admin, auditor.did, "auditor", until=world.now + 99))
    world.submit(ops.role_grant(admin, partial.did, "auditor", until=world.now + 99, schemas=[other]))

    def word(actor: Actor, state: str = "suspended", at: int = 0, target: str = list_id) -> ops.SignedOperation:
        return ops.status_override(world.author(actor), target, 7, state, "fraud", world.now + at)

    for actor in (issuer, partial, world.admin):
        world.submit(word(actor), "wrong-role")
    world.submit(word(auditor, target=f"{issuer.did}/status/9"), "unknown-list")
    world.submit(word(auditor, at=1), "time-in-future")
    world.submit(word(auditor, state="lifted"), "wrong-delta")
    world.submit(word(auditor))
    assert world.registry.record("status", list_id).entries == ()
    assert world.registry.record("override", f"{list_id}|7").state == "suspended"
    world.submit(word(auditor, state="lifted"))
    world.submit(word(auditor, state="revoked"))
    world.submit(word(auditor, state="lifted"), "cannot-clear-revoked")
    world.submit(word(auditor, state="suspended"), "cannot-clear-revoked")


# --- evidence, recognition, time, state -----------------------------------------------------------------------


def test_evidence_belongs_to_its_author(world: World) -> None:
    """`already-exists`, `not-yours`, `not-active`: a fingerprint is anchored once and withdrawn by its author."""
    one, two = world.register(world.actor()), world.register(world.actor())
    world.submit(ops.evidence_anchor(world.author(one), bytes(32), "file"))
    world.submit(ops.evidence_anchor(world.author(two), bytes(32), "file"), "already-exists")
    world.submit(ops.evidence_withdraw(world.author(two), bytes(32)), "not-yours")
    world.submit(ops.evidence_withdraw(world.author(one), bytes(32)))
    world.submit(ops.evidence_withdraw(world.author(one), bytes(32)), "not-active")
    world.submit(ops.evidence_withdraw(world.author(one), b"\1" * 32), "unknown-item")


def terms(world: World, **change: Any) -> bodies.TrustRecognise:
    """Recognition terms for another registry."""
    plain: dict[str, Any] = {
        "origin": "registry.other.example/weid/1", "names": NAMES, "purposes": ("check",), "schemas": (), "since": None,
        "until": world.now + YEAR, "size": 0, "root": bytes(32), "assurance": 1, "mapping": None,
    }  # fmt: skip
    return bodies.TrustRecognise(**{**plain, **change})


def test_recognition(world: World) -> None:
    """`own-registry`, `not-recognised`, `already-exists`: one hop, given and withdrawn by the committee (R23)."""
    admin, foreign = world.author(world.admin), b"\1" * 32
    world.submit(ops.trust_recognise(admin, world.pin, terms(world)), "own-registry")
    world.submit(ops.trust_recognise(admin, foreign, terms(world, origin=world.origin)), "own-registry")
    world.submit(ops.trust_recognise(admin, foreign, terms(world, names=())), "bad-name")
    world.submit(ops.trust_recognise(admin, foreign, terms(world, since=world.now - 1)), "back-dated")
    world.submit(ops.trust_recognise(admin, foreign, terms(world, purposes=())), "malformed")
    world.submit(ops.trust_withdraw(admin, foreign, "cease"), "not-recognised")
    world.submit(ops.trust_recognise(admin, foreign, terms(world)))
    world.submit(ops.trust_recognise(admin, foreign, terms(world)), "already-exists")
    world.submit(ops.trust_withdraw(admin, foreign, "sulk"), "malformed")
    world.submit(ops.trust_withdraw(admin, foreign, "cease"))
    world.submit(ops.trust_withdraw(admin, foreign, "distrust"))
    world.submit(ops.trust_withdraw(admin, foreign, "cease"), "not-recognised")


def test_every_minute_has_a_date(world: World) -> None:
    """`malformed`: a right or a list that ends after the calendar could be shown by no page."""
    schema, admin = world.schema(), world.author(world.admin)
    actor, other, foreign = world.register(world.actor()), world.register(world.actor()), b"\1" * 32
    world.submit(ops.issuer_apply(world.author(actor), NAMES, (schema,)))
    for until in (CALENDAR_END, 1 << 62):
        for since in (None, until - 1):
            late = ops.issuer_approve(admin, actor.did, schema, level=1, since=since, until=until)
            world.submit(late, "malformed")
        world.submit(ops.issuer_delegate(admin, other.did, schema, level=1, depth=1, until=until), "malformed")
        world.submit(ops.role_grant(admin, other.did, "auditor", until=until), "malformed")
        world.submit(ops.trust_recognise(admin, foreign, terms(world, until=until)), "malformed")
    last = CALENDAR_END - 1
    world.submit(ops.issuer_approve(admin, actor.did, schema, level=1, until=last))
    world.submit(ops.role_grant(admin, other.did, "auditor", until=last))
    world.submit(ops.trust_recognise(admin, foreign, terms(world, until=last)))
    for minute in (CALENDAR_END, 1 << 62):
        world.status(actor, (schema,), next_update=minute, expect="malformed")
    world.status(actor, (schema,), next_update=last)
    world.commit()
    page = create_node(world.registry, explorer=True).test_client().get(f"/issuers/{actor.did}")
    assert page.status_code == 200 and "9999-12-31 23:59 UTC" in page.get_data(as_text=True)


def test_time_goes_forward_by_the_operator_only(world: World) -> None:
    """`backwards-time`, `wrong-role`: log time is the operator's, and monotone (R7)."""
    world.tick(10)
    world.submit(ops.time_tick(world.author(world.operator), world.now - 1), "backwards-time")
    world.submit(ops.time_tick(world.author(world.admin), world.now + 1), "wrong-role")
    late = world.author(world.operator).sign("time.tick", "never", bodies.TimeTick(1 << 40))
    world.submit(late, "malformed")
    world.submit(ops.time_tick(world.author(world.operator), world.now))


def test_a_lying_operator_leaves_evidence(world: World) -> None:
    """`wrong-state`, `stale-state`, `wrong-role`: a false state statement is rejected on the log itself (R20)."""
    author, size = world.author(world.operator), world.registry.size
    receipt = world.submit(ops.state_commit(author, size, bytes(32)), "wrong-state")

    assert receipt.index == size
    assert world.registry.view(size)["result"] == "wrong-state"
    world.submit(ops.state_commit(author, size, bytes(32)), "stale-state")
    world.submit(ops.state_commit(world.author(world.admin), size + 2, bytes(32)), "wrong-role")


def test_the_operator_is_no_did(world: World) -> None:
    """`not-registered`: the operator's key does nothing but tick and commit."""
    made = world.author(world.operator).sign("evidence.anchor", bytes(32).hex(), bodies.EvidenceAnchor("file"))
    world.submit(made, "not-registered")
    schema = world.author(world.operator).sign("schema.publish", "0" * 64, bodies.SchemaPublish(b"{}"))
    world.submit(schema, "wrong-role")


# --- the machine itself ---------------------------------------------------------------------------------------


def test_the_same_entries_give_the_same_state(world: World) -> None:
    """Two machines agree on every result, root and snapshot digest, whatever order of batches stored them."""
    schema = world.schema()
    issuer = world.issuer(schema)
    world.tick()
    world.status(issuer, [schema], changed=[revoked(world, 1)], leaves=[leaf(1)])
    world.status(issuer, [schema], seq=9, expect="wrong-seq")
    state = State(world.genesis)
    results = [state.apply(entry.data).code for entry in world.registry.engine.read(0, 1_000)]

    assert world.registry.results == results
    assert world.registry.state.statement() == state.statement()


def test_rejected_operations_change_nothing(world: World) -> None:
    """Whatever is rejected leaves every record as it was."""
    schema = world.schema()
    issuer = world.issuer(schema)
    before = world.registry.state.snapshot().records
    world.status(issuer, [schema], changed=[revoked(world, 1)], digest=bytes(32), expect="wrong-digest")
    world.submit(ops.issuer_remove(world.author(issuer), issuer.did, "me"), "wrong-role")

    assert before == world.registry.state.snapshot().records


def test_entries_are_read_strictly(world: World) -> None:
    """An entry with any byte appended, cut or a field of another type is malformed."""
    made = ops.time_tick(world.author(world.operator), world.now)
    assert made == read_entry(made.data, hash=world.genesis.hash)
    value = cbor.decode(made.signed)
    assert isinstance(value, tuple)
    spoiled = [(n, bad) for n, bad in enumerate([True, (), 3, None, 5, (), b"", -1, 7, b""])]
    variants = [made.data + b"\0", made.data[:-1]]
    for index, bad in spoiled:
        changed = tuple(bad if n == index else item for n, item in enumerate(value))
        variants.append(cbor.encode([cbor.encode(changed), made.signature]))

    for data in variants:
        assert world.registry.submit([data])[0].code in ("malformed", "unknown-type", "wrong-registry")


def test_every_code_is_named_in_a_test() -> None:
    """No rejection code without a test that provokes it."""
    names = ("test_rules.py", "test_governance.py", "test_keys_change.py", "test_assets.py", "test_uses.py")
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)

    assert [code for code in CODES if f'"{code}"' not in text] == []
    assert set(CODES) >= UNAUTHENTIC
    assert StatusEntries() == ()
