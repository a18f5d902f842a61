"""Machines and assets on the log: every small machine against an oracle, races, replays, one test a hole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import assets, bodies, proposals
from registry import operations as ops
from registry.audit import fsck
from registry.machine import Machine, parse_machine
from registry.node.client import RegistryClient
from registry.operations import SignedOperation
from registry.state import State
from registry.state_map import read_proof, record_bytes
from tests.registry.world import SCHEMA, YEAR, Actor, World
from weid.assets import AssetRecord
from weid.canon import jcs
from weid.errors import MalformedError, ProofError
from weid.facts import Unknown
from weid.hashes import SHA256


def move(name: str, source: str, to: str, *by: str, sets: str = "none", clears: bool = False) -> dict[str, Any]:
    return {"name": name, "from": [source], "to": to, "by": list(by), "sets": sets, "clears": clears}


def document(states: list[str], final: list[str], *moves: dict[str, Any], **changed: Any) -> bytes:
    value = {"machine": "weid/machine/v1", "name": "pledge", "states": states, "initial": states[0], "final": final,
             "moves": list(moves)}  # fmt: skip
    return jcs({**value, **changed})


PLEDGE = document(
    ["active", "pledged", "settled", "closed"], ["closed"],
    move("pledge", "active", "pledged", "holder", sets="party"),
    move("settle", "pledged", "settled", "party"),
    move("release", "settled", "active", "party", "role:auditor", clears=True),
    move("endorse", "active", "active", "holder", sets="holder"),
    move("close", "active", "closed", "holder", "issuer"),
)  # fmt: skip


class Store:
    """A world with a machine, an issuer, two banks and one asset whose holder is the farm."""

    def __init__(self, folder: Path, document: bytes = PLEDGE) -> None:
        self.world = World(folder)
        world = self.world
        self.issuer = world.issuer(world.schema())
        self.farm, self.bank, self.other = (world.register(world.actor()) for _ in range(3))
        world.submit(assets.machine_publish(world.author(world.admin), document))
        self.machine = world.genesis.hash(document)
        self.fingerprint = bytes([9]) * 32
        made = assets.asset_register(world.author(self.issuer), self.fingerprint, self.machine, holder=self.farm.did)
        world.submit(made)

    @property
    def record(self) -> AssetRecord:
        found = self.world.registry.record("asset", self.fingerprint.hex())
        assert isinstance(found, AssetRecord)
        return found

    def signed(self, by: Actor, name: str, to: Actor | None = None, **wrong: Any) -> SignedOperation:
        given = {"prev": self.record.last_op, "target": None if to is None else to.did, **wrong}
        return assets.asset_move(self.world.author(by), self.fingerprint, move=name, **given)

    def move(self, by: Actor, name: str, target: Actor | None = None, expect: str = "applied", **wrong: Any) -> None:
        self.world.submit(self.signed(by, name, target, **wrong), expect)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


# --- an asset's life -------------------------------------------------------------------------------------------


def test_pledged_settled_released(store: Store) -> None:
    """A second pledge is refused, and so is a release by a bank that does not hold it."""
    store.move(store.farm, "pledge", store.bank)
    assert (store.record.state, store.record.party, store.record.holder) == ("pledged", store.bank.did, store.farm.did)
    store.move(store.farm, "pledge", store.other, "not-in-state")
    store.move(store.other, "settle", expect="not-your-move")
    store.move(store.bank, "settle")
    store.move(store.other, "release", expect="not-your-move")
    store.move(store.farm, "release", expect="not-your-move")
    store.move(store.bank, "release")
    assert (store.record.state, store.record.party) == ("active", None)
    store.move(store.farm, "pledge", store.other)
    store.move(store.bank, "settle", expect="not-your-move")


def test_final_state(store: Store) -> None:
    """`final-state`: what was surrendered is endorsed, pledged and surrendered by nobody any more."""
    store.move(store.farm, "close")
    for name, target in (("endorse", store.other), ("pledge", store.bank), ("close", None), ("no-such", None)):
        store.move(store.farm, name, target, "final-state")


def test_only_the_last_holder_of_a_chain(store: Store) -> None:
    """Endorsed from hand to hand: an earlier holder neither endorses again nor surrenders."""
    store.move(store.farm, "endorse", store.other)
    store.move(store.other, "endorse", store.bank)
    for earlier in (store.farm, store.other):
        store.move(earlier, "endorse", store.farm, "not-your-move")
        store.move(earlier, "close", expect="not-your-move")
    store.move(store.bank, "close")


def test_a_move_says_where_it_leads(store: Store) -> None:
    """`unknown-move`, `wrong-target`, `unknown-asset`; a target is a registered institution (R6)."""
    store.move(store.farm, "no-such", expect="unknown-move")
    store.move(store.farm, "settle", expect="not-in-state")
    store.move(store.farm, "pledge", expect="wrong-target")
    store.move(store.farm, "close", store.bank, "wrong-target")
    store.world.submit(store.signed(store.farm, "pledge", target="did:key:z6Mkabc"), "not-registered")
    gone = store.world.register(store.world.actor())
    store.world.submit(ops.did_deactivate(store.world.author(gone), gone.last_op))
    store.move(store.farm, "pledge", gone, "deactivated")
    made = assets.asset_move(store.world.author(store.farm), bytes(32), prev=bytes(32), move="close")
    store.world.submit(made, "unknown-asset")


def test_roles_rights_and_suspended_issuers(tmp_path: Path) -> None:
    """A role and a right must be in force when the move is made; a suspended issuer does nothing in that office."""
    schema = SHA256(jcs(SCHEMA)).hex()
    machine = document(["a", "b"], [], move("go", "a", "b", f"schema:{schema}"), move("back", "b", "a", "role:auditor", "issuer"))
    store = Store(tmp_path, machine)
    world = store.world
    store.move(store.farm, "go", expect="not-your-move")
    store.move(store.issuer, "go")
    store.move(store.bank, "back", expect="not-your-move")
    world.submit(ops.role_grant(world.author(world.admin), store.bank.did, "auditor", until=world.now + YEAR))
    store.move(store.bank, "back")
    world.submit(ops.issuer_suspend(world.author(world.admin), store.issuer.did, "late"))
    store.move(store.issuer, "go", expect="not-your-move")
    world.submit(ops.role_end(world.author(world.admin), store.bank.did, "auditor"))
    assert store.record.state == "a"


def test_who_registers_what(store: Store) -> None:
    """Only an approved issuer, only under a published machine, only once, only for an institution."""
    world = store.world
    author = world.author(store.issuer)
    world.submit(assets.asset_register(world.author(store.farm), bytes(32), store.machine), "wrong-role")
    world.submit(assets.asset_register(author, bytes(32), bytes(32)), "unknown-machine")
    world.submit(assets.asset_register(author, bytes(32), b"short"), "unknown-machine")
    world.submit(assets.asset_register(author, b"short", store.machine), "malformed")
    world.submit(assets.asset_register(author, bytes(32), store.machine, holder="did:key:z6Mkabc"), "not-registered")
    world.submit(assets.asset_register(author, store.fingerprint, store.machine), "already-exists")
    made = assets.asset_register(author, bytes(32), store.machine)
    world.submit(made)
    world.submit(made, "duplicate")
    found = world.registry.record("asset", bytes(32).hex())
    assert found is not None and (found.holder, found.party, found.state) == (None, None, "active")
    nobody = assets.asset_move(world.author(store.farm), bytes(32), prev=made.id, move="pledge", target=store.bank.did)
    world.submit(nobody, "not-your-move")


# --- races and replays -----------------------------------------------------------------------------------------


def codes(world: World, *operations: SignedOperation) -> list[str]:
    return [receipt.code for receipt in world.registry.submit([made.data for made in operations])]


def test_of_two_moves_in_one_batch_the_first_wins(store: Store) -> None:
    """`stale-prev`: double pledge, double endorsement; in one batch or in two, in either order."""
    first, second = store.signed(store.farm, "pledge", store.bank), store.signed(store.farm, "pledge", store.other)
    assert codes(store.world, first, second) == ["applied", "stale-prev"]
    assert store.record.party == store.bank.did
    assert codes(store.world, first) == ["duplicate"]
    assert codes(store.world, second) == ["stale-prev"]


def test_of_two_moves_in_two_batches_the_first_wins(store: Store) -> None:
    first, second = store.signed(store.farm, "endorse", store.bank), store.signed(store.farm, "endorse", store.other)
    assert codes(store.world, second) == ["applied"]
    assert codes(store.world, first) == ["stale-prev"]
    assert store.record.holder == store.other.did


def test_an_old_move_is_never_made_again(store: Store) -> None:
    """A kept pledge does nothing after the release, though the state is the same again."""
    kept = store.signed(store.farm, "pledge", store.bank)
    again = store.signed(store.farm, "pledge", store.other)
    store.world.submit(kept)
    store.move(store.bank, "settle")
    store.move(store.bank, "release")
    assert codes(store.world, kept, again) == ["duplicate", "stale-prev"]
    assert store.record.state == "active"


def test_an_asset_without_prev(store: Store) -> None:
    author = store.world.author(store.farm)
    made = author.sign("asset.move", store.fingerprint.hex(), bodies.AssetMove("close", None))
    store.world.submit(made, "stale-prev")


@settings(max_examples=25, deadline=None)
@given(script=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["pledge", "settle", "release", "endorse", "close"]),
                                 st.integers(-1, 3), st.integers(0, 2)), max_size=14))  # fmt: skip
def test_an_asset_is_never_in_two_states(
    script: list[tuple[int, str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any moves by anybody on any base: the history of applied moves is one path of the machine, and the record its end."""
    store = Store(tmp_path_factory.mktemp("s"))
    machine, people = parse_machine(PLEDGE), [store.farm, store.bank, store.other, store.issuer]
    path, bases = [store.record], [store.record.last_op]
    for who, name, target, back in script:
        made = store.signed(people[who], name, None if target < 0 else people[target], prev=bases[-1 - min(back, len(bases) - 1)])
        if store.world.registry.submit([made.data])[0].code == "applied":
            assert back == 0 or len(bases) == 1
            bases.append(made.id)
            path.append(store.record)
    for before, after in pairwise(path):
        assert after.state in {step.to for (state, _), step in machine.moves.items() if state == before.state}
    copy = State(store.world.genesis)
    for entry in store.world.registry.engine.read(0, 10_000):
        copy.apply(entry.data)
    assert copy.tables["asset"] == {store.fingerprint.hex(): path[-1]}
    assert copy.map.root == store.world.registry.state.map.root
    store.world.registry.close()


# --- machines --------------------------------------------------------------------------------------------------


def test_a_machine_is_published_once_by_whom_the_registry_knows(store: Store) -> None:
    """`bad-machine`, `wrong-digest`; a stranger has no right, an approved issuer has."""
    world, other = store.world, document(["a", "b"], ["b"], move("go", "a", "b", "holder"))
    world.submit(assets.machine_publish(world.author(store.farm), other), "wrong-role")
    world.submit(assets.machine_publish(world.author(store.issuer), other))
    world.submit(assets.machine_publish(world.author(store.issuer), other), "already-exists")
    world.submit(assets.machine_publish(world.author(store.issuer), b"{}"), "bad-machine")
    wrong = world.author(store.issuer).sign("machine.publish", "0" * 64, bodies.MachinePublish(other))
    world.submit(wrong, "wrong-digest")


def test_a_committee_of_three_votes_on_a_machine(tmp_path: Path) -> None:
    world = World(tmp_path, weights=(1, 1, 1))
    body = bodies.MachinePublish(PLEDGE)
    digest = world.genesis.hash(PLEDGE).hex()
    first, second = (world.author(member) for member in world.committee[:2])
    world.submit(first.sign("machine.publish", digest, body), "vote-required")
    made = proposals.propose(first, "machine.publish", digest, body)
    world.submit(made)
    world.submit(proposals.vote(second, made.id, True))
    world.submit(proposals.execute(first, made.id))
    assert world.registry.record("machine", digest) is not None


GO = move("go", "a", "b", "holder")
UNSOUND = {
    "not canonical": b" " + document(["a", "b"], ["b"], GO),
    "another version": document(["a", "b"], ["b"], GO, machine="weid/machine/v2"),
    "a member too many": document(["a", "b"], ["b"], GO, more=1),
    "an array": b"[]",
    "no state": document(["a"], []).replace(b'"states":["a"]', b'"states":[]'),
    "a state twice": document(["a", "a"], []),
    "too many states": document([f"s{n}" for n in range(33)], []),
    "a bad name": document(["A", "b"], ["b"], move("go", "A", "b", "holder")),
    "initial is none": document(["a", "b"], ["b"], GO, initial="c"),
    "final is none": document(["a", "b"], ["c"], GO),
    "initial is no text": document(["a", "b"], ["b"], GO, initial=["a"]),
    "a state out of reach": document(["a", "b", "c"], ["b", "c"], GO),
    "an island": document(["a", "b", "c", "d"], ["b"], GO, move("x", "c", "d", "holder"), move("x", "d", "c", "holder")),
    "a dead end that is not final": document(["a", "b"], [], GO),
    "a way out of a final state": document(["a", "b"], ["b"], GO, move("back", "b", "a", "holder")),
    "two ways": document(["a", "b", "c"], ["b", "c"], GO, move("go", "a", "c", "issuer")),
    "a move to nowhere": document(["a", "b"], ["b"], GO, move("x", "a", "c", "holder")),
    "a move from nowhere": document(["a", "b"], ["b"], GO, move("x", "c", "b", "holder")),
    "nobody's move": document(["a", "b"], ["b"], move("go", "a", "b")),
    "a stranger's move": document(["a", "b"], ["b"], move("go", "a", "b", "anybody")),
    "an observer's move": document(["a", "b"], ["b"], move("go", "a", "b", "role:observer")),
    "a short schema": document(["a", "b"], ["b"], move("go", "a", "b", "schema:00")),
    "by twice": document(["a", "b"], ["b"], move("go", "a", "b", "holder", "holder")),
    "sets something": document(["a", "b"], ["b"], move("go", "a", "b", "holder", sets="issuer")),
    "sets and clears": document(["a", "b"], ["b"], move("go", "a", "b", "holder", sets="party", clears=True)),
    "clears a number": document(["a", "b"], ["b"], {**GO, "clears": 1}),
    "a move without to": document(["a", "b"], ["b"], {key: value for key, value in GO.items() if key != "to"}),
    "moves are no list": document(["a", "b"], ["b"], moves={}),
    "a move is no object": document(["a", "b"], ["b"], moves=["go"]),
    "too many moves": document(["a"], [], *(move(f"m{n}", "a", "a", "holder") for n in range(129))),
    "too large": document(["a", "b"], ["b"], GO, name="a" * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("data", UNSOUND.values(), ids=UNSOUND.keys())
def test_what_is_no_sound_machine(data: bytes) -> None:
    with pytest.raises(MalformedError) as raised:
        parse_machine(data)
    assert raised.value.code == "bad-machine"


def small_machines() -> Iterator[tuple[bytes, list[str], dict[tuple[str, str], str], set[str]]]:
    """Every table of two moves over up to three states, sound or not; up to two with every choice of final states."""
    for count in (1, 2, 3):
        states = ["a", "b", "c"][:count]
        for targets in product([None, *states], repeat=2 * count):
            pairs = zip(product(states, ("x", "y")), targets, strict=True)
            table = {(state, name): to for (state, name), to in pairs if to is not None}
            ends = {state for state in states if not {(state, "x"), (state, "y")} & table.keys()}
            chosen = [ends] if count == 3 else [{s for n, s in enumerate(states) if bits >> n & 1} for bits in range(1 << count)]
            rows = [move(name, state, to, "holder") for (state, name), to in table.items()]
            for final in chosen:
                yield document(states, sorted(final), *rows), states, table, final


def walk(table: dict[tuple[str, str], str]) -> set[str]:
    """What can be reached from the first state, by trying everything."""
    found = {"a"}
    for _ in range(3):
        found |= {to for (state, _), to in table.items() if state in found}
    return found


def test_every_small_machine_against_an_oracle() -> None:
    """Sound exactly if every state is reached and the final ones are those without a way out."""
    seen = {True: 0, False: 0}
    for data, states, table, final in small_machines():
        ends = {state for state in states if not any(at == state for at, _ in table)}
        sound = walk(table) == set(states) and final == ends
        seen[sound] += 1
        if not sound:
            with pytest.raises(MalformedError):
                parse_machine(data)
            continue
        machine: Machine = parse_machine(data)
        assert (set(machine.states), machine.initial, machine.final) == (set(states), "a", ends)
        assert {key: step.to for key, step in machine.moves.items()} == table
    assert sum(seen.values()) == 2 * 4 + 4 * 81 + 4_096
    assert seen[True] > 1_000


def test_every_word_on_the_log_leads_where_the_table_says(tmp_path: Path) -> None:
    """All words of three moves over a machine with a loop, a fork and an end, by its holder, as the log answers."""
    table = {("a", "x"): "b", ("b", "x"): "a", ("b", "y"): "c", ("a", "z"): "a"}
    rows = [move(name, state, to, "holder") for (state, name), to in table.items()]
    store = Store(tmp_path, document(["a", "b", "c"], ["c"], *rows))
    author = store.world.author(store.farm)
    for number, word in enumerate(product("xyz", repeat=3)):
        fingerprint = number.to_bytes(32, "big")
        made = assets.asset_register(store.world.author(store.issuer), fingerprint, store.machine, holder=store.farm.did)
        store.world.submit(made)
        state, prev = "a", made.id
        for name in word:
            to = table.get((state, name))
            expect = "final-state" if state == "c" else "not-in-state" if to is None else "applied"
            step = assets.asset_move(author, fingerprint, prev=prev, move=name)
            store.world.submit(step, expect)
            if to is not None:
                state, prev = to, step.id
        record = store.world.registry.record("asset", fingerprint.hex())
        assert record is not None and (record.state, record.last_op) == (state, prev)


# --- where they stand ------------------------------------------------------------------------------------------


def test_assets_are_proven_and_not_in_the_bundle(store: Store) -> None:
    """A thousand assets leave the bundle as it was; each has its proof; offline nothing is said about them."""
    world = store.world
    before = len(world.commit())
    author = world.author(store.issuer)
    made = [assets.asset_register(author, n.to_bytes(32, "big"), store.machine).data for n in range(1_000)]
    assert {receipt.code for receipt in world.registry.submit(made)} == {"applied"}
    assert abs(len(world.commit()) - before) < 500
    client = RegistryClient.local(world.registry)
    assert client.record("asset", store.fingerprint.hex()) == store.record
    assert client.record("asset", (999).to_bytes(32, "big").hex()).state == "active"  # type: ignore[union-attr]
    assert client.record("asset", bytes([255]).hex() * 32) is None
    facts = world.facts()
    for known in (facts, world.registry.facts()):
        assert known.fact("asset", store.fingerprint.hex()) == Unknown("incomplete-asset")
        assert known.fact("claim", "x") == Unknown("incomplete-claim")
    assert facts.fact("machine", store.machine.hex()).record.document == PLEDGE  # type: ignore[union-attr]


def test_a_restart_gives_the_same_assets(store: Store) -> None:
    store.move(store.farm, "pledge", store.bank)
    root, record = store.world.registry.state.map.root, store.record
    registry = store.world.reopen()
    assert registry.state.map.root == root
    assert registry.record("asset", store.fingerprint.hex()) == record
    store.world.commit()
    assert fsck(registry.engine, pin=store.world.pin) == ()


def test_a_foreign_record_of_an_asset_is_refused(store: Store) -> None:
    """A record that was changed on the way does not fit its proof."""
    world = store.world
    world.commit()
    tree = world.registry.state.commits[-1].map
    proof = tree.prove("asset", store.fingerprint.hex())
    forged = record_bytes(replace(store.record, state="settled"))
    with pytest.raises(ProofError):
        read_proof(proof, tree.root, "asset", store.fingerprint.hex(), forged, hash=world.genesis.hash)
