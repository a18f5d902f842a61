"""Witnesses: no quorum for two histories, memory before the answer, evidence that strangers can check (R7, R20, R21)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from threading import Barrier, Thread

import pytest

from registry.bundle import AHEAD, open_bundle, parse_bundle, print_bundle
from registry.checkpoint import Checkpoint, parse_checkpoint, print_checkpoint
from registry.cosignature import CosignerKey, cosign, verify_cosignature
from registry.evidence import check_evidence, find_fork, parse_evidence, print_evidence
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.client import RegistryClient
from registry.node.folder import TrustFolder
from registry.note import Note, NoteKey, parse_note, print_note, sign_note, with_signature
from registry.policy import parse_policy
from registry.proof_file import ProvenEntry, check_proof, print_proof_file
from registry.trust import TrustStore
from registry.witness.client import cosign_registry, merge
from registry.witness.core import SIZE_TYPE, Watched, decide, parse_request, print_request
from registry.witness.service import create_witness
from registry.witness.store import WitnessStore
from tests.registry.witnesses import Witnesses, policy_of, witness_signer
from tests.registry.world import START, World
from weid import merkle
from weid.errors import ConflictError, MalformedError, ProofError, RegistryError, SignatureError, TrustError, WeidError
from weid.hashes import SHA256
from weid.keys import LocalSigner

THREE = [witness_signer(n) for n in range(3)]
LOG = LocalSigner(b"\1" * 32, "ed25519", "log.example", "log")
KEY = NoteKey("log.example", LOG.public_key)


@dataclass
class Watching:
    """A registry with three witnesses, two of which are enough."""

    world: World
    witnesses: Witnesses

    def cosign(self) -> bytes:
        asked = cosign_registry(self.world.registry, self.witnesses.ask)
        assert asked.met, asked
        return self.world.registry.bundle()

    def open(self, data: bytes, at: int | None = None):  # type: ignore[no-untyped-def]
        return open_bundle(data, pin=self.world.pin, at=self.world.now if at is None else at)


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    world = World(tmp_path, witnesses=policy_of(THREE, 2))
    return Watching(world, Witnesses.of(tmp_path, THREE, print_genesis(world.genesis)))


# --- the decision ----------------------------------------------------------------------------------------------


def leaves(view: str, size: int, common: int = 0) -> list[bytes]:
    """Leaf hashes of a view that shares its first `common` entries with every other."""
    return [merkle.leaf_hash(f"{'both' if n < common else view}/{n}".encode(), hash=SHA256) for n in range(size)]


def note_of(view: list[bytes]) -> Note:
    text = print_checkpoint(Checkpoint("log.example", len(view), merkle.root(view, hash=SHA256)))
    return sign_note(text, "log.example", LOG)


def watched(view: list[bytes]) -> Watched:
    return Watched("log.example", (KEY,), SHA256, len(view), merkle.root(view, hash=SHA256))


def asked(old: int, view: list[bytes]):  # type: ignore[no-untyped-def]
    return parse_request(print_request(old, merkle.consistency_path(view, old, hash=SHA256) if old else (), note_of(view)))


def test_every_answer_of_the_specification() -> None:
    """tlog-witness: 200, 400, 403, 404, 409 with the size as text/x.tlog.size, 422."""
    five, eight, other = leaves("a", 5), leaves("a", 8), leaves("b", 8)
    stranger = replace(note_of(eight), signatures=sign_note("x\n", "log.example", THREE_LOG).signatures)

    assert decide(asked(0, five), watched([])).status == 200
    assert decide(asked(5, eight), watched(five)).status == 200
    assert decide(asked(5, five), watched(five)).status == 200
    assert decide(asked(5, eight), None).status == 404
    assert decide(replace(asked(5, eight), note=stranger), watched(five)).status == 403
    forged = replace(note_of(five), text=note_of(eight).text)
    assert decide(replace(asked(5, eight), note=forged), watched(five)).status == 403
    assert decide(replace(asked(5, five), old=6), watched(five)).status == 400
    conflict = decide(asked(0, eight), watched(five))
    assert (conflict.status, conflict.body, conflict.content_type) == (409, "5\n", SIZE_TYPE)
    assert decide(asked(5, other), watched(five)).status == 422
    assert decide(replace(asked(0, eight), proof=(bytes(32),)), watched([])).status == 422
    assert decide(replace(asked(5, five), proof=(bytes(32),)), watched(five)).status == 422
    assert decide(asked(8, other), watched(eight)).status == 422
    empty = sign_note(print_checkpoint(Checkpoint("log.example", 0, bytes(32))), "log.example", LOG)
    assert decide(parse_request(print_request(0, (), empty)), watched([])).status == 422


THREE_LOG = LocalSigner(b"\2" * 32, "ed25519", "log.example", "log")


def test_a_key_that_was_replaced_is_cosigned_no_more() -> None:
    """R21: whoever stole the old log key gets no cosignature for it."""
    five = leaves("a", 5)
    later = replace(watched([]), keys=(KEY, NoteKey("log.example", THREE_LOG.public_key)))
    assert decide(asked(0, five), later).status == 403

    signed = sign_note(note_of(five).text, "log.example", THREE_LOG)
    assert decide(replace(asked(0, five), note=signed), later).status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"old ", b"old  "), lambda data: data.replace(b"old 5", b"old 05"),
        lambda data: data.replace(b"old 5", b"old -5"), lambda data: b"\n" + data, lambda data: data.replace(b"\n\n", b"\n", 1),
        lambda data: data[:-1], lambda data: b"old 5\n" + b"AAAA\n" + data[6:], lambda data: data.replace(b"old", b"Old"),
        lambda data: b"old 5\n" + (data.split(b"\n")[1] + b"\n") * 64 + b"\n" + data.partition(b"\n\n")[2],
        lambda data: data + b"x" * (1 << 20), lambda data: "old ５".encode() + data[5:],
    ],
)  # fmt: skip
def test_requests_are_read_strictly(change) -> None:  # type: ignore[no-untyped-def]
    view = leaves("a", 8)
    data = print_request(5, merkle.consistency_path(view, 5, hash=SHA256), note_of(view))
    assert parse_request(data).old == 5

    with pytest.raises(MalformedError):
        parse_request(change(data))


def interleavings(size: int, common: int) -> int:
    """Two views of one size that part after `common` entries; each witness sees any order of any checkpoints of both.

    A witness's answers depend on what it holds alone, so its reachable states are followed exhaustively: of which of the two
    views it can ever have cosigned a checkpoint past the parting, of any size.
    """
    views = {name: leaves(name, size, common) for name in "ab"}
    roots = {name: [merkle.root(view[:n], hash=SHA256) for n in range(size + 1)] for name, view in views.items()}
    start = (0, roots["a"][0], frozenset[str]())
    seen, todo = {start}, [start]
    while todo:
        held, root, given = todo.pop()
        for name, view in views.items():
            for n in range(held, size + 1):
                log = Watched("log.example", (KEY,), SHA256, held, root)
                path = merkle.consistency_path(view[:n], held, hash=SHA256) if 0 < held < n else ()
                text = print_checkpoint(Checkpoint("log.example", n, roots[name][n]))
                request = replace(BLANK, old=held, proof=path, note=Note(text, ()), checkpoint=parse_checkpoint(text))
                if decide(request, log).status == 200:
                    state = (n, roots[name][n], given | {name} if n > common else given)
                    if state not in seen:
                        seen.add(state)
                        todo.append(state)
    outcomes = {state[2] for state in seen}
    policy = parse_policy(policy_of(THREE, 2))
    quorums = 0
    for chosen in product(outcomes, repeat=3):
        met = [name for name in "ab" if policy.met(f"w{n}" for n, given in enumerate(chosen) if name in given)]
        assert len(met) < 2
        quorums += len(met)
    assert quorums > 0
    return len(seen)


BLANK = parse_request(
    print_request(0, (), sign_note(print_checkpoint(Checkpoint("log.example", 0, bytes(32))), "log.example", LOG))
)


@pytest.mark.parametrize("size", range(1, 17))
def test_two_views_never_both_get_a_quorum(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three witnesses, two enough: every interleaving of two views, wherever they part."""
    monkeypatch.setattr("registry.witness.core._signed", lambda note, log: True)
    assert sum(interleavings(size, common) for common in range(size)) > size


# --- the service and its memory --------------------------------------------------------------------------------


def test_the_service_cosigns_and_monitors_see_what(watching: Watching) -> None:
    """Over HTTP: a good request, the line that comes back, the note for monitors, other methods and places."""
    world, service = watching.world, watching.witnesses.services["w0"]
    world.registry.commit()
    client = create_witness(service).test_client()
    body = print_request(0, (), parse_note(world.registry.checkpoint()))
    answer = client.post("/add-checkpoint", data=body)
    text = parse_note(world.registry.checkpoint()).text
    line = parse_note(text.encode() + b"\n" + answer.get_data()).signatures[0]

    assert answer.status_code == 200
    assert verify_cosignature(text, line, CosignerKey(THREE[0].kid, THREE[0].public_key)) == START * 60
    place = SHA256(world.origin.encode()).hex()
    assert parse_note(client.get(f"/{place}/checkpoint").get_data()).signatures[1:] == (line,)
    again = client.post("/add-checkpoint", data=body)
    assert (again.status_code, again.get_data(), again.content_type) == (409, f"{world.registry.size}\n".encode(), SIZE_TYPE)
    assert client.get("/" + "0" * 64 + "/checkpoint").status_code == 404
    assert client.get("/add-checkpoint").status_code == 405
    assert client.post("/add-checkpoint", data=b"old x").status_code == 400


def test_of_two_requests_at_once_one_is_refused(tmp_path: Path) -> None:
    """The race of the specification: a smaller checkpoint never overwrites a larger one."""
    world = World(tmp_path)
    store = WitnessStore(tmp_path / "w")
    store.watch(print_genesis(world.genesis))
    log = store.log(world.origin)
    assert log is not None
    barrier, won = Barrier(4), []

    def advance(n: int) -> None:
        barrier.wait()
        won.append(store.advance(log, Checkpoint(world.origin, n, bytes([n]) * 32), b"note"))

    threads = [Thread(target=advance, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]


class Failing:
    """A connection whose n-th write fails as a full or broken disk does, or kills the process."""

    def __init__(self, inner: sqlite3.Connection, at: int, error: Exception) -> None:
        self._inner, self._left, self._error = inner, at, error

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> object:
        if not statement.startswith("SELECT"):
            if self._left == 0:
                raise self._error
            self._left -= 1
        return self._inner.execute(statement, values)

    def close(self) -> None:
        self._inner.close()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database or disk is full"), sqlite3.OperationalError("disk I/O error"), Killed()]
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_nothing_leaves_a_witness_that_could_not_remember(watching: Watching, at: int, error: Exception) -> None:
    """At each write: no cosignature comes out, and after a restart the witness knows the last one it gave."""
    world, service = watching.world, watching.witnesses.services["w0"]
    store, given = service.store, 0
    store._connection = Failing(store._connection, at, error)  # type: ignore[assignment]
    for _ in range(at + 1):
        world.tick()
        old = given
        body = print_request(old, world.registry.consistency(old) if old else (), parse_note(world.registry.checkpoint()))
        try:
            answer = service.add_checkpoint(body)
        except (RegistryError, Killed):
            break
        assert answer.status == 200
        given = world.registry.size
    else:
        pytest.fail("the failure never came")
    store.close()
    log = WitnessStore(store._folder).log(world.origin)
    assert log is not None and log.size == given


# --- bundles ---------------------------------------------------------------------------------------------------


def test_a_bundle_needs_its_quorum_and_carries_its_time(watching: Watching) -> None:
    """Facts are as of the quorum's time where nothing came after the state; without a quorum there is no bundle."""
    world = watching.world
    world.registry.commit()
    with pytest.raises(RegistryError, match="quorum"):
        world.registry.bundle()
    watching.witnesses.down = ("w2",)
    watching.witnesses.seconds = (START + 3) * 60
    facts = watching.open(watching.cosign(), world.now + 3)

    assert (facts.witnessed, facts.as_of, facts.snapshot.log_time) == (START + 3, START + 3, START)
    assert facts.fact("trust", "root").record.witnessed == START + 3  # type: ignore[union-attr]
    watching.witnesses.down = ("w1", "w2")
    world.tick()
    assert not cosign_registry(world.registry, watching.witnesses.ask).met
    assert watching.open(world.registry.bundle(), world.now + 3).checkpoint.size == facts.checkpoint.size


def test_a_registry_without_witnesses_says_so(world: World) -> None:
    facts = world.facts()
    assert facts.witnessed is None
    assert facts.fact("trust", "root").record.witnessed is None  # type: ignore[union-attr]


def test_every_changed_byte_of_a_witnessed_bundle_is_refused(watching: Watching) -> None:
    """R27, with cosignatures: names, key ids, times and signatures of every line."""
    watching.world.register(watching.world.actor())
    data = watching.cosign()
    watching.open(data)
    start = data.index(parse_bundle(data).checkpoint)
    places = [*range(start, start + len(parse_bundle(data).checkpoint)), *range(0, len(data), 37)]
    for at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(WeidError):
            watching.open(bytes(changed))


def test_forged_and_missing_cosignatures_are_named(watching: Watching) -> None:
    """A stripped line, a forged one, a stranger's, and a quorum borrowed from another checkpoint."""
    world = watching.world
    before = parse_bundle(watching.cosign())
    world.tick()
    good = parse_bundle(watching.cosign())
    note = parse_note(good.checkpoint)
    stranger = cosign(note.text, "stranger.example", witness_signer(9), at=1)
    borrowed = parse_note(before.checkpoint).signatures[1:]
    for changed, code in (
        (replace(note, signatures=note.signatures[:2]), "no-quorum"),
        (replace(note, signatures=note.signatures[:1]), "no-quorum"),
        (with_signature(note, stranger), "unknown-cosigner"),
        (replace(note, signatures=(*note.signatures[:1], *borrowed)), "bad-signature"),
    ):
        with pytest.raises((TrustError, SignatureError)) as caught:
            watching.open(print_bundle(replace(good, checkpoint=print_note(changed))))
        assert caught.value.code == code


def test_log_time_ahead_of_the_witnesses_is_refused(watching: Watching) -> None:
    """R7: an operator whose clock runs ahead finds no reader, even one whose own clock runs with it."""
    world = watching.world
    world.tick(AHEAD)
    watching.open(watching.cosign(), world.now)
    world.tick(1)
    with pytest.raises(TrustError) as caught:
        watching.open(watching.cosign(), world.now)
    assert caught.value.code == "ahead-of-witnesses"
    watching.witnesses.seconds = (world.now + AHEAD + 1) * 60
    world.register(world.actor())
    with pytest.raises(TrustError) as caught:
        watching.open(watching.cosign(), world.now)
    assert caught.value.code == "future-bundle"


def test_answers_by_file_are_merged(watching: Watching) -> None:
    """Witnesses that no network reaches: each answers a request it was handed, and the lines come together."""
    world = watching.world
    world.registry.commit()
    note = world.registry.checkpoint()
    body = print_request(0, (), parse_note(note))
    answers = [watching.witnesses.services[name].add_checkpoint(body).body.encode() for name in ("w2", "w0")]
    text = parse_note(note).text.encode() + b"\n"
    merged = merge(world.registry.state.authority, note, *(text + answer for answer in answers))
    asked = cosign_registry(world.registry, watching.witnesses.ask, answers[:1])
    world.registry.publish_cosigned(merged)

    assert set(asked.cosigned) == {"w0", "w1", "w2"}
    with pytest.raises(MalformedError):
        merge(world.registry.state.authority, note, note.replace(text[:8], b"another!"))

    assert watching.open(world.registry.bundle()).witnessed == START


# --- evidence --------------------------------------------------------------------------------------------------


def fork(world: World, tmp_path: Path) -> World:
    """The same registry once more, from the same keys, with another history."""
    twin = World(tmp_path / "twin", name=world.name, witnesses=world.genesis.witnesses)
    assert twin.pin == world.pin
    return twin


def test_a_split_view_gets_no_quorum_and_is_proved(watching: Watching, tmp_path: Path) -> None:
    """The operator shows two histories of one size: the witness refuses the second and keeps the proof."""
    world = watching.world
    (tmp_path / "twin").mkdir()
    twin = fork(world, tmp_path)
    world.register(world.actor())
    twin.tick(7)
    watching.cosign()
    twin.registry.commit()
    while twin.registry.size < world.registry.size:
        twin.tick()
    asked = cosign_registry(twin.registry, watching.witnesses.ask)

    assert not asked.met
    assert asked.problems == dict.fromkeys(("w0", "w1", "w2"), "refused-422")
    (path,) = watching.witnesses.services["w0"].store.evidence()
    data = path.read_bytes()
    assert check_evidence(data, pin=world.pin) in ("split", "fork")
    with pytest.raises(TrustError):
        check_evidence(data, pin=bytes(32))
    for at in range(0, len(data), 3):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(WeidError):
            check_evidence(bytes(changed), pin=world.pin)
    twin.registry.close()


def test_a_fork_of_another_size_is_proved_by_a_whole_path(world: World, tmp_path: Path) -> None:
    """Two sizes: the larger log's own path gives the smaller root it stands on, which is not the one signed."""
    (tmp_path / "twin").mkdir()
    twin = fork(world, tmp_path)
    for n in range(1, 9):
        world.tick(1)
        twin.tick(n + 1)
    small_note, big = world.registry.checkpoint(), twin.registry
    while big.size < 13:
        twin.tick()
    authority, size = world.registry.state.authority, world.registry.size
    honest = find_fork(authority, small_note, world.registry.checkpoint(), [()])
    data = find_fork(authority, small_note, big.checkpoint(), [big.engine.tree.history(size, big.size)])

    assert honest is None
    assert data is not None
    assert check_evidence(data, pin=world.pin) == "fork"
    assert find_fork(authority, small_note, big.checkpoint()) is None
    evidence = parse_evidence(data)
    world.tick()
    world.tick()
    grown = replace(
        evidence, second=world.registry.checkpoint(), path=world.registry.engine.tree.history(size, world.registry.size)
    )
    with pytest.raises(ProofError) as caught:
        check_evidence(print_evidence(grown), pin=world.pin)
    assert caught.value.code == "proves-nothing"
    with pytest.raises(ProofError):
        check_evidence(print_evidence(replace(evidence, path=evidence.path[:-1])), pin=world.pin)
    twin.registry.close()


def test_a_reader_keeps_the_proof_of_a_fork(world: World, tmp_path: Path) -> None:
    """The trust folder writes it beside the remembered conflict."""
    (tmp_path / "twin").mkdir()
    twin = fork(world, tmp_path)
    folder = TrustFolder(tmp_path / "home")
    folder.pin(print_genesis(world.genesis))
    folder.accept(world.commit(), at=world.now)
    twin.register(twin.actor())
    twin.tick(1)
    size = world.registry.size
    twin.registry.commit()
    with pytest.raises(ConflictError):
        folder.accept(twin.registry.bundle(since=[size]), at=twin.now)
    (path,) = (tmp_path / "home").glob("evidence-*.evidence")

    assert check_evidence(path.read_bytes(), pin=world.pin) in ("fork", "state")
    twin.registry.close()


def test_a_restored_backup_is_noticed_by_its_witnesses(watching: Watching, tmp_path: Path) -> None:
    """R21: database and mark restored together: the signer cannot know, the witnesses do."""
    world = watching.world
    (tmp_path / "twin").mkdir()
    twin = fork(world, tmp_path)
    for _ in range(3):
        world.tick()
    watching.cosign()
    asked = cosign_registry(twin.registry, watching.witnesses.ask)

    assert not asked.met
    assert set(asked.problems.values()) == {"witness-is-ahead"}
    assert isinstance(twin.registry, Registry)
    twin.registry.close()


def test_older_bundles_of_a_witnessed_registry_are_rollbacks(watching: Watching) -> None:
    first = watching.cosign()
    watching.world.tick()
    second = watching.cosign()
    store = TrustStore.pin(print_genesis(watching.world.genesis)).accept(second, at=watching.world.now)
    with pytest.raises(RegistryError) as caught:
        store.accept(first, at=watching.world.now)

    assert caught.value.code == "older-bundle"


def test_a_proof_file_has_the_witnesses_that_the_genesis_asks_for(watching: Watching) -> None:
    """`no-quorum`: the log key alone could sign two histories; `not-witnessed` until a quorum has spoken."""
    registry, genesis = watching.world.registry, watching.world.genesis
    watching.world.tick(1)
    registry.commit()
    with pytest.raises(RegistryError) as unspoken:
        registry.proof_note(0)
    assert unspoken.value.code == "not-witnessed"
    bare = print_proof_file(0, registry.entry(0), registry.inclusion(0), registry.checkpoint())
    with pytest.raises(TrustError) as alone:
        check_proof(bare, genesis)
    assert alone.value.code == "no-quorum"
    watching.cosign()
    note = registry.proof_note(0)
    size = parse_checkpoint(parse_note(note).text).size
    found = check_proof(print_proof_file(0, registry.entry(0), registry.inclusion(0, size), note), genesis)
    assert isinstance(found, ProvenEntry) and found.index == 0
    watching.world.tick(1)
    with pytest.raises(RegistryError):
        registry.proof_note(registry.size - 1)


def test_a_client_says_what_no_quorum_has_cosigned(watching: Watching) -> None:
    """An entry that only the log key vouches for is shown as such, until a quorum has cosigned a log with it."""
    registry = watching.world.registry
    client = RegistryClient.local(registry)
    watching.world.tick(1)
    registry.commit()
    assert client.entry(0)["witnessed"] is False and client.witnessed is False
    watching.cosign()
    assert client.entry(0)["witnessed"] is True
    client.checkpoint()
    assert client.witnessed is True
    watching.world.tick(1)
    assert client.entry(0)["witnessed"] is True and client.entry(registry.size - 1)["witnessed"] is False
    client.checkpoint()
    assert client.witnessed is False
