"""The committee on the log: members, rules, proposals, votes, recovery, delegation (R24), one test a hole."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import pytest

from registry import bodies, proposals
from registry import operations as ops
from registry.operations import SignedOperation
from registry.state import State
from tests.registry.world import SCHEMA, START, YEAR, Actor, World
from weid import cbor
from weid.canon import jcs
from weid.did import key_id
from weid.governance import CATEGORIES, MemberRecord, ProposalRecord, RuleRecord, Seat, Vote, passes
from weid.keys import LocalSigner


@pytest.fixture
def three(tmp_path: Path) -> World:
    """Three members of weight 1; nobody decides alone."""
    return World(tmp_path, weights=(1, 1, 1))


def grant(world: World, actor: Actor) -> bodies.RoleGrant:
    return bodies.RoleGrant((), None, world.now + YEAR)


def propose_role(world: World, member: int, actor: Actor, expect: str = "applied") -> SignedOperation:
    author = world.author(world.committee[member])
    made = proposals.propose(author, "role.grant", f"{actor.did}|auditor", grant(world, actor))
    world.submit(made, expect)
    return made


def vote(world: World, member: int, made: SignedOperation, agree: bool, expect: str = "applied") -> None:
    world.submit(proposals.vote(world.author(world.committee[member]), made.id, agree), expect)


def execute(world: World, member: int, made: SignedOperation, expect: str = "applied") -> None:
    world.submit(proposals.execute(world.author(world.committee[member]), made.id), expect)


def set_rule(world: World, category: str, expect: str = "applied", **changed: int) -> None:
    """Change a rule by the vote of the first two members."""
    held: RuleRecord = world.registry.record("rule", category)  # type: ignore[assignment]
    shape = ("agree", "participates", "win", "delay", "period")
    values = {name: getattr(held, name) for name in shape} | changed
    made = proposals.propose(world.author(world.committee[0]), "gov.rule", category, bodies.GovRule(**values))
    world.submit(made)
    if len(world.committee) > 1:
        vote(world, 1, made, True)
    execute(world, 0, made, expect)


def record(world: World, made: SignedOperation) -> ProposalRecord:
    found = world.registry.record("proposal", made.id.hex())
    assert isinstance(found, ProposalRecord)
    return found


# --- proposals and votes ---------------------------------------------------------------------------------------


def test_two_of_three_decide_and_the_log_tells_who(three: World) -> None:
    actor = three.register(three.actor())
    made = propose_role(three, 0, actor)
    execute(three, 0, made, "not-passed")
    vote(three, 1, made, True)
    execute(three, 2, made)

    role = three.registry.record("role", f"{actor.did}|auditor")
    assert role is not None and role.by == f"vote:{made.id.hex()}"
    assert three.registry.record("proposal", made.id.hex()) is None
    closed, outcome, at = three.registry.state.closed[made.id.hex()]
    assert outcome == "executed" and at == three.now and {word.did for word in closed.votes} == {
        three.committee[0].did, three.committee[1].did,
    }  # fmt: skip


def test_no_member_alone(three: World) -> None:
    """`vote-required`: what one member may not do alone it may not do by proposing either."""
    actor = three.register(three.actor())
    direct = ops.role_grant(three.author(three.committee[0]), actor.did, "auditor", until=three.now + YEAR)
    three.submit(direct, "vote-required")
    execute(three, 0, propose_role(three, 0, actor), "not-passed")


def test_a_committee_of_one_decides_at_once_and_grows_without_losing_history(tmp_path: Path) -> None:
    world = World(tmp_path)
    second, third = world.register(world.actor()), world.register(world.actor())
    author = world.author(world.admin)
    world.submit(proposals.set_member(author, second.did, "Second", 1))
    world.submit(proposals.set_member(author, third.did, "Third", 1), "vote-required")
    made = proposals.propose(author, "gov.member", third.did, bodies.GovMember("Third", 1))
    world.submit(made)
    world.submit(proposals.vote(world.author(second), made.id, True))
    world.submit(proposals.execute(world.author(second), made.id))

    members = world.registry.state.tables["member"]
    assert {did: member.weight for did, member in members.items()} == {world.admin.did: 1, second.did: 1, third.did: 1}
    assert world.registry.view(0)["result"] == "applied"


def test_a_vote_against_is_heard_and_can_be_changed(three: World) -> None:
    made = propose_role(three, 0, three.register(three.actor()))
    vote(three, 0, made, False)
    vote(three, 1, made, True)
    execute(three, 0, made, "not-passed")
    vote(three, 1, made, True, "already-exists")
    vote(three, 0, made, True)
    execute(three, 0, made)


def test_strangers_neither_propose_nor_vote_nor_execute(three: World) -> None:
    """`not-committee`"""
    stranger = three.register(three.actor())
    author = three.author(stranger)
    three.submit(proposals.propose(author, "role.grant", f"{stranger.did}|auditor", grant(three, stranger)), "not-committee")
    made = propose_role(three, 0, stranger)
    vote(three, 1, made, True)
    three.submit(proposals.vote(author, made.id, True), "not-committee")
    three.submit(proposals.execute(author, made.id), "not-committee")


def test_a_forged_vote_counts_nothing(three: World) -> None:
    """A vote signed with another's key, or under another's name, never reaches the log."""
    made = propose_role(three, 0, three.register(three.actor()))
    thief = LocalSigner(three.secret(), "ed25519", key_id(three.committee[1].did, 1), "log-op")
    three.submit(proposals.vote(three.author(thief), made.id, True), "bad-signature")
    assert len(record(three, made).votes) == 1


def test_not_votable(three: World) -> None:
    """`not-votable`: nobody signs a status list, a tick or another proposal for somebody by vote."""
    author = three.author(three.committee[0])
    for type_, body in (("time.tick", bodies.TimeTick(three.now + 9)), ("gov.vote", bodies.GovVote(True)),
                        ("did.deactivate", bodies.DidDeactivate()), ("no.such", bodies.GovExecute())):  # fmt: skip
        three.submit(proposals.propose(author, type_, three.committee[1].did, body), "not-votable")
    inner = bodies.GovPropose("role.grant", cbor.encode([1, 2]))
    three.submit(author.sign("gov.propose", "x|auditor", inner), "malformed")
    three.submit(author.sign("gov.propose", "x|auditor", replace(inner, body=b"\xff")), "malformed")


def test_unknown_proposal(three: World) -> None:
    """`unknown-proposal`: never made, executed, cancelled or expired: nothing more comes of it."""
    author = three.author(three.committee[0])
    three.submit(proposals.vote(author, bytes(32), True), "unknown-proposal")
    made = propose_role(three, 0, three.register(three.actor()))
    three.submit(proposals.cancel(three.author(three.committee[1]), made.id), "not-yours")
    three.submit(proposals.cancel(author, made.id))
    vote(three, 1, made, True, "unknown-proposal")
    assert three.registry.state.closed[made.id.hex()][1] == "cancelled"


def test_a_proposal_expires_by_log_time(three: World) -> None:
    made = propose_role(three, 0, three.register(three.actor()))
    three.tick(43_199)
    assert record(three, made).takes_votes(three.now)
    three.tick(1)
    vote(three, 1, made, True, "unknown-proposal")
    assert three.registry.state.closed[made.id.hex()][1:] == ("expired", three.now)


def test_what_has_passed_may_be_executed_for_one_more_period(three: World) -> None:
    made = propose_role(three, 0, three.register(three.actor()))
    three.tick(43_199)
    vote(three, 1, made, True)
    three.tick(1)
    vote(three, 2, made, False, "vote-closed")
    execute(three, 0, made)


def test_too_many(three: World) -> None:
    """`too-many`: one member cannot fill the table of what is voted on."""
    actor = three.register(three.actor())
    for _ in range(16):
        propose_role(three, 0, actor)
    propose_role(three, 0, actor, "too-many")
    propose_role(three, 1, actor)


def test_a_timelock_is_time_for_objections(three: World) -> None:
    """`timelock`: decided by log time; who changes their mind in it is heard."""
    set_rule(three, "role", delay=1_440)
    made = propose_role(three, 0, three.register(three.actor()))
    vote(three, 1, made, True)
    execute(three, 0, made, "timelock")
    three.tick(1_439)
    execute(three, 0, made, "timelock")
    vote(three, 1, made, False)
    vote(three, 2, made, False)
    three.tick(1)
    execute(three, 0, made, "not-passed")
    vote(three, 2, made, True)
    execute(three, 0, made, "timelock")
    three.tick(1_440)
    execute(three, 0, made)


def test_a_timelock_binds_a_committee_of_one_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    author = world.author(world.admin)
    world.submit(proposals.set_rule(author, "role", agree=1, participates=51, win=51, delay=60, period=1_440))
    actor = world.register(world.actor())
    world.submit(ops.role_grant(author, actor.did, "auditor", until=world.now + YEAR), "vote-required")
    made = propose_role(world, 0, actor)
    world.tick(60)
    execute(world, 0, made)


def test_electorate_and_rule_are_frozen(three: World) -> None:
    """R24: neither new members nor new rules change what is being voted on already."""
    new = three.register(three.actor())
    made = propose_role(three, 0, three.register(three.actor()))
    admit = proposals.propose(three.author(three.committee[0]), "gov.member", new.did, bodies.GovMember("New", 9))
    three.submit(admit)
    vote(three, 1, admit, True)
    execute(three, 0, admit)
    three.submit(proposals.vote(three.author(new), made.id, True), "not-committee")
    assert [seat.weight for seat in record(three, made).electorate] == [1, 1, 1]
    vote(three, 1, made, True)
    execute(three, 2, made)


def test_a_refused_execution_leaves_the_proposal(three: World) -> None:
    """What the rules refuse today may be right tomorrow; the refusal stands on the log with its own code."""
    actor = three.actor()
    made = propose_role(three, 0, actor)
    vote(three, 1, made, True)
    execute(three, 0, made, "not-registered")
    three.register(actor)
    execute(three, 0, made)


# --- members and rules -----------------------------------------------------------------------------------------


def by_vote(world: World, type_: str, sub: str, body: object, expect: str = "applied") -> SignedOperation:
    made = proposals.propose(world.author(world.committee[0]), type_, sub, body)
    world.submit(made)
    vote(world, 1, made, True)
    execute(world, 0, made, expect)
    return made


def test_no_change_may_leave_the_quorum_unreachable(tmp_path: Path) -> None:
    """`quorum-unreachable`: removing a member, lowering a weight, or asking for more than there is."""
    world = World(tmp_path, weights=(1, 1, 1), floors={"recovery": 3})
    by_vote(world, "gov.member", world.committee[2].did, bodies.GovMember("Member 3", 0), "quorum-unreachable")
    held = world.registry.record("rule", "role")
    assert held is not None
    by_vote(world, "gov.rule", "role", bodies.GovRule(4, 51, 51, 0, 60), "quorum-unreachable")
    by_vote(world, "gov.member", world.committee[2].did, bodies.GovMember("Member 3", 2))
    made = proposals.propose(world.author(world.committee[0]), "gov.rule", "role", bodies.GovRule(4, 51, 51, 0, 60))
    world.submit(made)
    vote(world, 2, made, True)
    execute(world, 2, made)


def test_the_last_member_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.submit(proposals.set_member(world.author(world.admin), world.admin.did, "Member 1", 0), "quorum-unreachable")


def test_a_member_does_not_deactivate_itself_away(three: World) -> None:
    """`still-member`: a quorum is not lost by a side door."""
    member = three.committee[0]
    held = three.registry.record("did", member.did)
    assert held is not None
    three.submit(ops.did_deactivate(three.author(member), held.last_op), "still-member")


def test_rules_keep_the_floors_of_the_genesis(tmp_path: Path) -> None:
    """`floor`, and percent are percent."""
    world = World(tmp_path, weights=(2, 1), floors={"recognition": 3})
    author = world.author(world.admin)
    good = {"agree": 3, "participates": 0, "win": 0, "delay": 0, "period": 60}
    world.submit(proposals.set_rule(author, "recognition", **{**good, "agree": 2}), "floor")
    for wrong in ({"participates": 101}, {"win": -1}, {"delay": -1}, {"period": 0}, {"period": 1 << 40}):
        world.submit(proposals.set_rule(author, "recognition", **{**good, **wrong}), "malformed")
    world.submit(proposals.set_rule(author, "nonsense", **good), "malformed")
    world.submit(proposals.set_rule(author, "recognition", **good))
    world.submit(proposals.set_rule(author, "recognition", **good), "wrong-delta")


def test_members_are_registered_and_named_plainly(three: World) -> None:
    stranger = three.actor()
    by_vote(three, "gov.member", stranger.did, bodies.GovMember("X", 1), "not-registered")
    three.register(stranger)
    by_vote(three, "gov.member", stranger.did, bodies.GovMember("X\u202e", 1), "bad-name")
    by_vote(three, "gov.member", stranger.did, bodies.GovMember("X", 0), "not-active")
    by_vote(three, "gov.member", stranger.did, bodies.GovMember("X", -1), "malformed")
    by_vote(three, "gov.member", three.committee[2].did, bodies.GovMember("Member 3", 1), "wrong-delta")
    by_vote(three, "gov.member", stranger.did, bodies.GovMember("X", 1))


def test_every_category_has_a_rule_from_the_first_entry(three: World) -> None:
    for category in CATEGORIES:
        held = three.registry.record("rule", category)
        assert held == RuleRecord(category, 1, 51, 51, 0, 43_200)
    assert three.registry.record("member", three.admin.did) == MemberRecord(three.admin.did, "Member 1", 1, START)


# --- what is decided by vote -------------------------------------------------------------------------------------


def test_the_committee_publishes_schemas_recognises_and_admits_issuers_by_vote(three: World) -> None:
    document = jcs(SCHEMA)
    digest = three.genesis.hash(document)
    by_vote(three, "schema.publish", digest.hex(), bodies.SchemaPublish(document))
    issuer = three.register(three.actor())
    three.submit(
        ops.issuer_apply(three.author(issuer), (("en", "A"), ("pt", "A"), ("zh-Hans", "A"), ("zh-Hant", "A")), (digest,))
    )
    made = by_vote(three, "issuer.approve", issuer.did, bodies.IssuerApprove(digest, 1, None, three.now + YEAR))
    right = three.registry.record("accreditation", f"{issuer.did}|{digest.hex()}")
    assert right is not None and right.by == f"vote:{made.id.hex()}"
    by_vote(three, "issuer.suspend", issuer.did, bodies.IssuerSuspend(None, "audit"))
    by_vote(three, "issuer.reinstate", issuer.did, bodies.IssuerReinstate(None))
    by_vote(three, "issuer.remove", issuer.did, bodies.IssuerRemove(None, "closed"))


def test_recovery_gives_lost_keys_new_ones(three: World) -> None:
    """The DID, its rights and its history stay; the lost keys end; the new ones prove themselves."""
    lost = three.register(three.actor())
    fresh = three.signer(lost.did, 4, "log-op")
    author = three.author(three.committee[0])
    ends = [bodies.KeyEnd(n, "compromised", three.now) for n in (1, 2, 3)]
    body = proposals.recovery(author, lost.did, lost.last_op, add=[fresh], end=ends)
    direct = author.sign("did.recover", lost.did, body)
    three.submit(direct, "vote-required")
    by_vote(three, "did.recover", lost.did, replace(body, prev=bytes(32)), "stale-prev")
    by_vote(three, "did.recover", lost.did, replace(body, add=()), "wrong-delta")
    wrong = replace(body.add[0], proof=bytes(64))
    by_vote(three, "did.recover", lost.did, replace(body, add=(wrong,)), "bad-key-proof")
    by_vote(three, "did.recover", lost.did, body)
    three.submit(ops.evidence_anchor(three.author(lost), bytes(32), "file"), "key-ended")
    three.submit(ops.evidence_anchor(three.author(fresh), bytes(32), "file"))


def test_a_recovered_key_signs_in_the_same_batch(world: World) -> None:
    """What the log would take entry by entry it takes at once: a batch knows the keys that a recovery brings."""
    lost = world.register(world.actor())
    fresh, author = world.signer(lost.did, 4, "log-op"), world.author(world.admin)
    made = author.sign("did.recover", lost.did, proposals.recovery(author, lost.did, lost.last_op, add=[fresh], end=[]))
    anchor = ops.evidence_anchor(world.author(fresh), bytes(32), "file")
    assert [receipt.code for receipt in world.registry.submit([made.data, anchor.data])] == ["applied", "applied"]


def test_nobody_recovers_anothers_did_alone(three: World) -> None:
    victim, thief = three.register(three.actor()), three.register(three.actor())
    author = three.author(thief)
    body = proposals.recovery(author, victim.did, victim.last_op, add=[three.signer(victim.did, 4, "log-op")])
    three.submit(author.sign("did.recover", victim.did, body), "not-committee")


def test_an_observer_writes_nothing(three: World) -> None:
    observer = three.register(three.actor())
    by_vote(three, "role.grant", f"{observer.did}|observer", bodies.RoleGrant((), None, three.now + YEAR))
    three.submit(ops.evidence_anchor(three.author(observer), bytes(32), "file"), "wrong-role")
    three.tick(YEAR)
    three.submit(ops.evidence_anchor(three.author(observer), bytes(32), "file"))


# --- delegation --------------------------------------------------------------------------------------------------


@pytest.fixture
def chain(tmp_path: Path) -> tuple[World, bytes, Actor, Actor, Actor]:
    """A ministry that may delegate once, an association under it, and an institution that applied."""
    world = World(tmp_path)
    schema = world.schema()
    ministry, association, school = (world.register(world.actor()) for _ in range(3))
    until = world.now + YEAR
    world.submit(ops.issuer_delegate(world.author(world.admin), ministry.did, schema, level=3, depth=1, until=until))
    world.submit(ops.issuer_delegate(world.author(ministry), association.did, schema, level=2, depth=0, until=until))
    names = (("en", "S"), ("pt", "S"), ("zh-Hans", "S"), ("zh-Hant", "S"))
    world.submit(ops.issuer_apply(world.author(school), names, (schema,)))
    return world, schema, ministry, association, school


def right_of(world: World, issuer: Actor, schema: bytes) -> object:
    return world.registry.record("accreditation", f"{issuer.did}|{schema.hex()}")


def test_a_chain_of_accreditation(chain: tuple[World, bytes, Actor, Actor, Actor]) -> None:
    world, schema, _, association, school = chain
    made = ops.issuer_approve(world.author(association), school.did, schema, level=2, until=world.now + YEAR)
    world.submit(made)
    right = world.registry.record("accreditation", f"{school.did}|{schema.hex()}")
    assert right is not None and right.by == association.did
    world.submit(ops.issuer_suspend(world.author(association), school.did, "late", schema=schema))
    world.submit(ops.issuer_reinstate(world.author(association), school.did, schema=schema))


def test_beyond_grant(chain: tuple[World, bytes, Actor, Actor, Actor]) -> None:
    """`beyond-grant`: level, period and depth all end where the giver's own end."""
    world, schema, ministry, association, school = chain
    author, until = world.author(association), world.now + YEAR
    world.submit(ops.issuer_approve(author, school.did, schema, level=3, until=until), "beyond-grant")
    world.submit(ops.issuer_approve(author, school.did, schema, level=1, until=until + 1), "beyond-grant")
    world.submit(ops.issuer_delegate(author, school.did, schema, level=1, depth=0, until=until), "beyond-grant")
    other = world.register(world.actor())
    giver = world.author(ministry)
    world.submit(ops.issuer_delegate(giver, other.did, schema, level=4, depth=0, until=until), "beyond-grant")
    world.submit(ops.issuer_delegate(giver, other.did, schema, level=1, depth=1, until=until), "beyond-grant")
    world.submit(ops.issuer_delegate(giver, other.did, schema, level=1, depth=0, until=until + 1), "beyond-grant")
    world.submit(ops.issuer_delegate(giver, ministry.did, schema, level=1, depth=0, until=until), "self-approval")
    world.submit(ops.issuer_delegate(world.author(world.admin), other.did, schema, level=1, depth=4, until=until), "malformed")


def test_a_delegate_has_no_say_about_other_schemas_or_others_decisions(chain: tuple[World, bytes, Actor, Actor, Actor]) -> None:
    world, schema, _, association, school = chain
    other = world.schema({**SCHEMA, "$id": "urn:weid:schema:other:1"})
    until = world.now + YEAR
    author = world.author(association)
    world.submit(ops.issuer_approve(author, school.did, other, level=1, until=until), "wrong-role")
    world.submit(ops.issuer_approve(world.author(world.admin), school.did, schema, level=5, until=until))
    world.submit(ops.issuer_suspend(author, school.did, "mine now", schema=schema), "not-yours")
    world.submit(ops.issuer_suspend(author, school.did, "all of it"), "wrong-role")
    world.submit(ops.issuer_undelegate(world.author(school), association.did, schema, "no"), "wrong-role")


def test_what_hangs_from_a_delegation_ends_with_it(chain: tuple[World, bytes, Actor, Actor, Actor]) -> None:
    world, schema, ministry, association, school = chain
    until = world.now + YEAR
    world.submit(ops.issuer_approve(world.author(association), school.did, schema, level=2, until=until))
    world.tick(10)
    world.submit(ops.issuer_undelegate(world.author(world.admin), ministry.did, schema, "dissolved"))

    right = world.registry.record("accreditation", f"{school.did}|{schema.hex()}")
    assert right is not None and right.periods[-1].ended == world.now and right.periods[-1].end == "removed"
    assert world.registry.record("delegation", f"{association.did}|{schema.hex()}").ended == world.now  # type: ignore[union-attr]
    world.submit(ops.issuer_undelegate(world.author(world.admin), ministry.did, schema, "again"), "not-active")
    again = ops.issuer_approve(world.author(association), school.did, schema, level=2, until=until)
    world.submit(again, "wrong-role")


def test_what_was_suspended_under_a_delegation_is_not_lifted_after_its_end(
    chain: tuple[World, bytes, Actor, Actor, Actor],
) -> None:
    """A suspension is no shelter: the end of the delegation makes it a removal, and a fresh, narrower one lifts nothing."""
    world, schema, ministry, association, school = chain
    until = world.now + YEAR
    world.submit(ops.issuer_approve(world.author(association), school.did, schema, level=2, until=until))
    world.submit(ops.issuer_suspend(world.author(association), school.did, "late", schema=schema))
    world.tick(5)
    world.submit(ops.issuer_undelegate(world.author(ministry), association.did, schema, "dissolved"))
    narrow = ops.issuer_delegate(world.author(ministry), association.did, schema, level=1, depth=0, until=world.now + 60)
    world.submit(narrow)
    world.submit(ops.issuer_reinstate(world.author(association), school.did, schema=schema), "not-suspended")
    right = world.registry.record("accreditation", f"{school.did}|{schema.hex()}")
    assert right is not None and right.periods[-1].end == "removed"


def test_governance_travels_in_the_bundle_and_a_foreign_one_stays_foreign(three: World) -> None:
    facts = three.facts()
    assert len(facts.find("member", "")) == 3 and len(facts.find("rule", "")) == len(CATEGORIES)
    from registry.trust import Recognised

    assert Recognised(facts, ()).find("member", "") == ()


# --- every order of every small committee ------------------------------------------------------------------------


def sequences(members: int) -> list[tuple[tuple[int, bool], ...]]:
    """Every order in which the members other than the proposer say yes or no, or nothing."""
    found: set[tuple[tuple[int, bool], ...]] = set()
    for order in permutations(range(1, members)):
        for words in product((True, False, None), repeat=members - 1):
            said = zip(order, words, strict=True)
            found.add(tuple((member, word) for member, word in said if word is not None))
    return sorted(found)


@pytest.mark.parametrize("weights", [(1, 1, 1), (2, 1, 1), (1, 2, 3), (1, 1, 1, 1)])
def test_every_order_of_votes_gives_what_the_formula_says(tmp_path: Path, weights: tuple[int, ...]) -> None:
    """The log's answer to `execute` after each vote is the formula's answer to the votes so far."""
    world = World(tmp_path, weights=weights)
    actor = world.register(world.actor())
    seats = tuple(Seat(member.did, weight) for member, weight in zip(world.committee, weights, strict=True))
    rule: RuleRecord = world.registry.record("rule", "role")  # type: ignore[assignment]
    for sequence in sequences(len(weights)):
        made = propose_role(world, 0, actor)
        words = {world.committee[0].did: True}
        for member, agree in sequence:
            vote(world, member, made, agree)
            words[world.committee[member].did] = agree
        expected = passes(seats, tuple(Vote(did, agree, 0) for did, agree in words.items()), rule)
        execute(world, 0, made, "applied" if expected else "not-passed")
        if expected:
            world.submit(
                proposals.propose(world.author(world.committee[0]), "role.end", f"{actor.did}|auditor", bodies.RoleEnd())
            )
            ending = world.registry.state.tables["proposal"]
            (held,) = [item for item in ending.values() if item.type == "role.end"]
            for member in world.committee[1:]:
                world.submit(proposals.vote(world.author(member), held.id, True))
            world.submit(proposals.execute(world.author(world.admin), held.id))
        else:
            world.submit(proposals.cancel(world.author(world.admin), made.id))


def test_a_replay_gives_the_same_state(three: World) -> None:
    made = propose_role(three, 0, three.register(three.actor()))
    vote(three, 1, made, True)
    execute(three, 0, made)
    again = State(three.genesis)
    for index in range(three.registry.size):
        again.apply(three.registry.entry(index))
    assert again.statement() == three.registry.state.statement() and again.closed == three.registry.state.closed


def test_nobody_takes_a_running_right_out_of_the_delegation_it_hangs_from(
    chain: tuple[World, bytes, Actor, Actor, Actor],
) -> None:
    """The record has one giver: neither another's renewal nor a lifted suspension changes from whom it hangs."""
    world, schema, _, association, school = chain
    until = world.now + 500
    admin = world.author(world.admin)
    world.submit(ops.issuer_approve(world.author(association), school.did, schema, level=2, until=until))
    world.submit(ops.issuer_approve(admin, school.did, schema, level=5, since=until, until=until + 9), "already-exists")
    world.submit(ops.issuer_suspend(admin, school.did, "audit", schema=schema))
    world.submit(ops.issuer_reinstate(admin, school.did, schema=schema))
    world.submit(ops.issuer_undelegate(admin, association.did, schema, "dissolved"))
    right = world.registry.record("accreditation", f"{school.did}|{schema.hex()}")
    assert right is not None and right.by == association.did and right.at(world.now) is None
    world.submit(ops.issuer_approve(admin, school.did, schema, level=5, until=until))
