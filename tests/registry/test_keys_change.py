"""Changes of the operator's keys and of the witnesses (R21): old and new sign, readers follow, and no link is missing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry import bodies, proposals
from registry import operations as ops
from registry.audit import fsck
from registry.authority import Authority, Link, print_chain
from registry.bundle import open_bundle, parse_bundle, print_bundle
from registry.cosignature import cosign
from registry.evidence import check_evidence, find_fork
from registry.genesis import print_genesis
from registry.node.client import RegistryClient
from registry.node.explorer.view import cosigners
from registry.node.explorer.words import texts
from registry.node.service import create_node
from registry.note import Note, NoteKey, parse_note, print_note, sign_note
from registry.policy import parse_policy
from registry.signer import OperatorKeys
from registry.trust import TrustStore
from registry.witness.client import cosign_registry
from tests.registry.witnesses import Witnesses, policy_of, witness_signer
from tests.registry.world import World
from weid.errors import ConflictError, KeyMaterialError, RegistryError, RollbackError, SignatureError, TrustError, WeidError
from weid.keys import LocalSigner

ROLES = {"log": "log", "state": "state", "operator": "log-op", "twin": "twin"}


def fresh(world: World, what: str) -> LocalSigner:
    suite = "sm2" if what == "twin" else world.suite
    return LocalSigner(world.secret(suite), suite, f"{world.origin}#{what}", ROLES[what])


def link(world: World, what: str, key: LocalSigner) -> Link:
    return world.registry.change_key(what, key)


def submit(world: World, made: Link, expect: str = "applied") -> None:
    change = bodies.KeyChange(made.seq, made.suite, made.public, made.old, made.new)
    world.submit(world.author(world.admin).sign("key.change", made.what, change), expect)


def rotate(world: World, what: str) -> LocalSigner:
    key = fresh(world, what)
    submit(world, link(world, what, key))
    return key


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_readers_follow_every_change(tmp_path: Path, profile: str) -> None:
    """All three keys twice: who pinned the genesis opens each bundle, an old one and the newest, and fsck is content."""
    world = World(tmp_path, profile=profile)
    store = TrustStore.pin(print_genesis(world.genesis)).accept(world.commit(), at=world.now)
    for what in ("log", "state", "operator") * 2:
        key = rotate(world, what)
        world.tick()
        store = store.accept(world.commit(), at=world.now)
        assert open_bundle(world.registry.bundle(), pin=world.pin, at=world.now).authority.key(what) == key.public_key
    assert len(store.facts(at=world.now).find("keychange", "")) == 6
    assert fsck(world.registry.engine, pin=world.pin) == ()
    client = RegistryClient.local(world.registry)
    with pytest.raises(TrustError):
        client.checkpoint()
    client.follow(at=world.now)
    assert client.checkpoint().size == world.registry.size
    assert client.record("keychange", "0006").what == "operator"  # type: ignore[union-attr]


def test_the_operator_is_no_witness_of_itself(tmp_path: Path) -> None:
    """The page names the lines of the policy's witnesses: a log key newer than the genesis is none of them."""

    def shown(world: World) -> str:
        return create_node(world.registry, explorer=True).test_client().get("/").get_data(as_text=True)

    alone, signers = World(tmp_path), [witness_signer(n) for n in range(2)]
    none = texts("en")["overview.no-witnesses"]
    alone.commit()
    assert none in shown(alone)
    rotate(alone, "log")
    alone.tick()
    alone.commit()
    assert none in shown(alone)
    world = World(tmp_path, name="seen", witnesses=policy_of(signers, 1))
    world.registry.commit()
    witnesses = Witnesses.of(tmp_path, signers, print_genesis(world.genesis))
    witnesses.down = ("w1",)
    note, policy = parse_note(cosign_registry(world.registry, ask=witnesses.ask).note), world.genesis.witnesses
    stranger = parse_note(alone.registry.checkpoint()).signatures[0]
    for lines in (note.signatures, (*note.signatures, stranger)):
        assert cosigners(print_note(Note(note.text, lines)), parse_policy(policy)) == ("witness.example/0",)
    assert "witness.example/0" in shown(world) and none not in shown(world)


def test_a_bundle_is_good_right_after_a_change(world: World) -> None:
    """The state is committed again before a bundle is made, so statement, checkpoint and chain belong together."""
    world.commit()
    rotate(world, "state")

    assert open_bundle(world.registry.bundle(), pin=world.pin, at=world.now).authority.links[0].what == "state"


def test_the_log_opens_only_with_the_keys_in_force(world: World) -> None:
    keys = {what: rotate(world, what) for what in ROLES if what != "twin"}
    world.registry.close()
    held = {"log": world.log_key, "state": world.state_key, "operator": world.operator}

    def opened(spare: list[LocalSigner]) -> OperatorKeys:
        return OperatorKeys(world.genesis, **held, mark=world.mark, spare=spare, rotated=True)  # type: ignore[arg-type]

    with pytest.raises(KeyMaterialError):
        world.registry = type(world.registry).open(world.path, random=world.random, keys=opened([]))
    world.registry = type(world.registry).open(world.path, random=world.random, keys=opened(list(keys.values())))
    world.tick()
    assert open_bundle(world.commit(), pin=world.pin, at=world.now).authority.log == keys["log"].public_key


def test_wrong_links_are_refused_on_the_log(world: World) -> None:
    """A stranger's signature, a missing one, a gap, a repeated link, a key of another purpose, another registry's link."""
    key, thief = fresh(world, "log"), fresh(world, "log")
    good = link(world, "log", key)
    stolen = thief.sign("weid/key-change/v1", world.registry.state.authority.payload("log", key.public_key))
    submit(world, replace(good, old=stolen), "bad-change")
    submit(world, replace(good, new=stolen), "bad-change")
    submit(world, replace(good, new=good.old), "bad-change")
    submit(world, replace(good, what="state"), "bad-change")
    submit(world, replace(good, what="witnesses"), "bad-change")
    submit(world, replace(good, suite="p384"), "bad-change")
    submit(world, replace(good, public=b"short"), "bad-change")
    submit(world, replace(good, seq=2), "chain-gap")
    actor = world.register(world.actor())
    submit(world, replace(good, public=actor.log.public_key.data), "key-reused")
    submit(world, replace(good, public=world.state_key.public_key.data), "key-reused")
    world.submit(world.author(actor).sign("key.change", "log", bodies.KeyChange(1, good.suite, good.public, good.old, good.new)),
                 "not-committee")  # fmt: skip
    submit(world, good)
    submit(world, good, "chain-gap")
    back = LocalSigner(world.log_key._secret, world.suite, "k", "log")
    submit(world, link(world, "log", back), "key-reused")


def test_the_operators_old_key_signs_nothing_more(world: World) -> None:
    """A thief of the operator key after its change: the tick has a signature that counts no more."""
    rotate(world, "operator")
    tick = ops.time_tick(world.author(world.operator), world.now + 60)

    assert world.registry.submit([tick.data])[0].code == "bad-signature"
    assert world.registry.tick(world.now + 1).code == "applied"


def test_a_committee_of_several_votes_on_a_change(tmp_path: Path) -> None:
    world = World(tmp_path, weights=(1, 1, 1), floors={"key": 2})
    made = link(world, "state", fresh(world, "state"))
    change = bodies.KeyChange(made.seq, made.suite, made.public, made.old, made.new)
    world.submit(world.author(world.admin).sign("key.change", "state", change), "vote-required")
    proposal = proposals.propose(world.author(world.admin), "key.change", "state", change)
    world.submit(proposal)
    world.submit(proposals.vote(world.author(world.committee[1]), proposal.id, True))
    world.submit(proposals.execute(world.author(world.admin), proposal.id))

    assert open_bundle(world.commit(), pin=world.pin, at=world.now).authority.links == (made,)


def test_chains_with_a_gap_or_a_foreign_link_are_refused(tmp_path: Path) -> None:
    """In a bundle: no link may be missing, moved, from another registry, or not on the log."""
    world = World(tmp_path)
    for what in ("log", "state", "log"):
        rotate(world, what)
    good = parse_bundle(world.commit())
    one, two, three = good.chain
    other = World(tmp_path, name="other")
    foreign = link(other, "log", fresh(other, "log"))
    extra = Authority.of(world.genesis, good.chain)
    key = fresh(world, "operator")
    payload = extra.payload("operator", key.public_key)
    signed = [signer.sign("weid/key-change/v1", payload) for signer in (world.operator, key)]
    unlogged = Link(4, "operator", key.public_key.suite, key.public_key.data, *signed, "", b"")
    chains: list[tuple[tuple[Any, ...], str | None]] = [
        ((), None), ((one, two), None), ((two, three), "chain-gap"), ((one, three), "chain-gap"),
        ((two, one, three), "chain-gap"), ((foreign,), "bad-signature"), ((one, two, three, three), "chain-gap"),
        ((one, replace(three, seq=2), replace(two, seq=3)), "bad-signature"), ((one, two, three, unlogged), None),
    ]  # fmt: skip
    for chain, code in chains:
        with pytest.raises(WeidError) as caught:
            open_bundle(print_bundle(replace(good, chain=chain)), pin=world.pin, at=world.now)
        assert code in (None, caught.value.code)


def test_a_change_that_the_log_does_not_know_is_a_wrong_chain(world: World) -> None:
    """Both signatures are right and the keys stay usable, but the committee never decided: `wrong-chain`."""
    key = fresh(world, "operator")
    made = link(world, "operator", key)
    good = parse_bundle(world.commit())
    back = Authority.of(world.genesis, (made,))
    assert back.operator == key.public_key
    with pytest.raises((TrustError, SignatureError)) as caught:
        open_bundle(print_bundle(replace(good, chain=(made,))), pin=world.pin, at=world.now)
    assert caught.value.code in ("wrong-chain", "wrong-state", "bad-signature")


def test_another_chain_than_the_known_one_is_a_conflict(tmp_path: Path) -> None:
    """The thief of all old keys changes them too: whoever saw the true change is not taken in."""
    world = World(tmp_path)
    (tmp_path / "twin").mkdir()
    twin = World(tmp_path / "twin")
    store = TrustStore.pin(print_genesis(world.genesis))
    rotate(world, "log")
    store = store.accept(world.commit(), at=world.now)
    twin.secret()
    rotate(twin, "log")
    while twin.registry.size <= world.registry.size:
        twin.tick()
    with pytest.raises(ConflictError) as caught:
        store.accept(twin.commit(), at=twin.now)
    assert caught.value.code == "forked"


def test_evidence_holds_across_a_change(world: World) -> None:
    """A checkpoint signed by the old key and one by the new key convict the same registry."""
    before = world.registry.checkpoint()
    rotate(world, "log")
    world.tick()
    authority = world.registry.state.authority
    forged = Note(sign_note(before.decode().partition("\n\n")[0] + "\n", world.origin, world.log_key).text, ())
    lie = forged.text.splitlines()
    lie[2] = "A" * 43 + "="
    second = print_note(sign_note("\n".join(lie) + "\n", world.origin, world.log_key))
    found = find_fork(authority, before, second)

    assert found is not None
    assert check_evidence(found, pin=world.pin) == "split"
    assert find_fork(authority, before, before) is None
    assert isinstance(authority.note_key, NoteKey)


# --- witnesses -------------------------------------------------------------------------------------------------

OLD, NEW = [witness_signer(n) for n in range(3)], [witness_signer(n) for n in range(2, 5)]


def approve(world: World, policy: str, signers: list[LocalSigner], at: int = 1) -> bytes:
    text = world.registry.state.authority.witness_text(policy)
    lines = sorted((cosign(text, signer.kid, signer, at=at) for signer in signers), key=lambda line: (line.name, line.key_id))
    return print_note(Note(text, tuple(lines)))


def change(world: World, policy: str, note: bytes, expect: str = "applied") -> None:
    seq = len(world.registry.state.authority.links) + 1
    world.submit(ops.witness_change(world.author(world.admin), seq, policy, note), expect)


def test_witnesses_change_by_the_word_of_the_old_and_the_new(tmp_path: Path) -> None:
    """Two of the old three and two of the new three; then the new ones alone count."""
    world = World(tmp_path, witnesses=policy_of(OLD, 2))
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = Witnesses.of(tmp_path / "old", OLD, print_genesis(world.genesis))
    new = Witnesses.of(tmp_path / "new", NEW, print_genesis(world.genesis))
    assert cosign_registry(world.registry, old.ask).met
    fresh_policy = policy_of(NEW, 2)
    for signers, code in (
        ([OLD[0], NEW[0]], "no-quorum"),
        (NEW[1:], "no-quorum"),
        (OLD[:2], "no-quorum"),
        ([*OLD, *NEW[1:], witness_signer(8)], "bad-change"),
    ):
        change(world, fresh_policy, approve(world, fresh_policy, signers), code)
    change(world, fresh_policy, approve(world, policy_of(NEW, 1), [*OLD, *NEW[1:]]), "bad-change")
    change(world, world.genesis.witnesses, approve(world, world.genesis.witnesses, OLD), "bad-change")
    change(world, "quorum most\n", b"", "bad-change")
    change(world, fresh_policy, approve(world, fresh_policy, [OLD[0], OLD[1], NEW[1], NEW[2]]))
    assert not cosign_registry(world.registry, old.ask).met
    assert cosign_registry(world.registry, new.ask).met
    facts = open_bundle(world.registry.bundle(), pin=world.pin, at=world.now)

    assert facts.authority.witnesses == fresh_policy
    assert facts.witnessed is not None


def test_witnesses_follow_a_changed_log_key(tmp_path: Path) -> None:
    """Until they are handed the chain they refuse the new key, after it the old one; a shorter or other chain is none."""
    world = World(tmp_path, witnesses=policy_of(OLD, 2))
    witnesses = Witnesses.of(tmp_path, OLD, print_genesis(world.genesis))
    assert cosign_registry(world.registry, witnesses.ask).met
    empty = print_chain(world.registry.state.authority)
    rotate(world, "log")
    assert set(cosign_registry(world.registry, witnesses.ask).problems.values()) == {"refused-403"}
    chain = print_chain(world.registry.state.authority)
    for service in witnesses.services.values():
        assert service.store.follow(chain).links == world.registry.state.authority.links
        with pytest.raises(ConflictError):
            service.store.follow(empty)
    with pytest.raises(WeidError):
        witnesses.services["w0"].store.follow(chain[:-70] + bytes([chain[-70] ^ 1]) + chain[-69:])
    other = World(tmp_path, name="other")
    with pytest.raises(RegistryError):
        witnesses.services["w0"].store.follow(print_chain(other.registry.state.authority))
    assert cosign_registry(world.registry, witnesses.ask).met
    assert open_bundle(world.registry.bundle(), pin=world.pin, at=world.now).witnessed is not None


def test_a_registry_without_witnesses_gets_them(world: World) -> None:
    policy = policy_of(OLD, 2)
    change(world, policy, b"", "bad-change")
    change(world, policy, approve(world, policy, OLD[:1]), "no-quorum")
    world.commit()
    change(world, policy, approve(world, policy, OLD[:2]))
    world.registry.commit()
    assert world.registry.state.authority.policy.needed
    change(world, "quorum none\n", b"", "bad-change")
    change(world, "quorum none\n", approve(world, "quorum none\n", OLD[1:]))
    assert not open_bundle(world.commit(), pin=world.pin, at=world.now).authority.policy.needed


def test_no_witness_approves_a_change_by_answering_a_request(tmp_path: Path) -> None:
    """The text that is cosigned has an origin no registry can have, so a witness answers 404 to it."""
    world = World(tmp_path, witnesses=policy_of(OLD, 2))
    witnesses = Witnesses.of(tmp_path, OLD, print_genesis(world.genesis))
    text = world.registry.state.authority.witness_text(policy_of(NEW, 2))
    body = b"old 0\n\n" + print_note(sign_note(text, world.origin, world.log_key))

    assert witnesses.services["w0"].add_checkpoint(body).status == 404


def test_a_bundle_after_a_key_change_and_a_tick_do_not_wait_for_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a bundle makes a commit then; the clock ticks meanwhile."""
    world.commit()
    rotate(world, "state")
    registry, honest = world.registry, world.registry.follow

    def slow() -> int:
        time.sleep(0.2)
        return honest()

    monkeypatch.setattr(registry, "follow", slow)
    both = [threading.Thread(target=registry.tick, args=(world.now + 1,), daemon=True),
            threading.Thread(target=registry.bundle, daemon=True)]  # fmt: skip
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(10)
    assert not any(thread.is_alive() for thread in both)


def test_strangers_do_not_keep_a_log_from_its_witnesses(tmp_path: Path) -> None:
    """While witnesses are asked the log goes on and is committed again: what they cosigned is handed out all the same."""
    world = World(tmp_path, witnesses=policy_of(OLD, 2))
    witnesses = Witnesses.of(tmp_path, OLD, print_genesis(world.genesis))

    def ask(witness: Any, body: bytes) -> tuple[int, bytes]:
        world.register(world.actor())
        world.registry.commit_if_stale()
        return witnesses.ask(witness, body)

    asked = cosign_registry(world.registry, ask)
    assert asked.met
    assert open_bundle(world.registry.bundle(), pin=world.pin, at=world.now).witnessed is not None


def test_a_key_of_a_did_is_no_witness(world: World) -> None:
    """R1: a witness key is never in a DID document."""
    actor = world.register(world.actor())
    signer = LocalSigner(actor.log._secret, "ed25519", "witness.example/9", "witness")
    policy = policy_of([signer], 1)
    change(world, policy, approve(world, policy, [signer]), "key-reused")


def test_a_client_does_not_go_back_to_older_keys(world: World) -> None:
    """`older-chain`: a replaced key would be believed again."""
    world.commit()
    before = world.registry.bundle()
    client = RegistryClient.local(world.registry)
    rotate(world, "log")
    world.commit()
    client.follow(at=world.now)
    assert client.checkpoint().size == world.registry.size
    client.bundle = lambda **_: before  # type: ignore[method-assign]
    with pytest.raises(RollbackError) as caught:
        client.follow(at=world.now)
    assert caught.value.code == "older-chain"
