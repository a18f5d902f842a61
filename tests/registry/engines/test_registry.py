"""A registry on every engine: byte-equal roots, states and bundles; only what is final; never two histories."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from registry import operations as ops
from registry.audit import fsck
from registry.checkpoint import parse_checkpoint
from registry.engines import Entry, Head, LogEngine, Pending, Ticket, Wait
from registry.engines.sqlite import SqliteEngine
from registry.log import Registry
from registry.note import parse_note
from tests.registry.engines.conftest import ABOVE, Maker, evm
from tests.registry.engines.proxy import Chaos, Proxy
from tests.registry.engines.script import facts_of, opened, run, world_on
from tests.registry.engines.servers import Anvil
from tests.registry.world import World
from weid import merkle
from weid.errors import ConflictError, RegistryError
from weid.hashes import SHA256


@pytest.fixture(params=ABOVE)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    return Maker(request.param, request, tmp_path)


def same(one: World, two: World) -> None:
    left, right = facts_of(one), facts_of(two)
    for name in left:
        assert left[name] == right[name], name


def test_the_same_operations_give_the_same_bytes(make: Maker, tmp_path: Path) -> None:
    """Roots, results, states, checkpoints and bundles do not depend on what gives the order."""
    embedded, other = world_on(tmp_path / "embedded", None), world_on(tmp_path / "other", make)
    for world in (embedded, other):
        run(world, 100)
    same(embedded, other)
    assert [entry.data for entry in make.again().read(0, 1_000)] == facts_of(embedded)["entries"]
    assert fsck(other.registry.engine, pin=other.pin) == ()
    for world in (embedded, other):
        world.registry.close()


@pytest.mark.long
def test_ten_thousand_operations_give_the_same_bytes(make: Maker, tmp_path: Path) -> None:
    embedded, other = world_on(tmp_path / "embedded", None), world_on(tmp_path / "other", make)
    for world in (embedded, other):
        run(world, 10_000, block=700)
    same(embedded, other)
    for world in (embedded, other):
        world.registry.close()


def test_reopening_continues(make: Maker, tmp_path: Path) -> None:
    """After a restart the file goes on following; without the engine's help it can be read."""
    world = world_on(tmp_path / "w", make)
    run(world, 20)
    before = facts_of(world)
    world.registry.close()
    reader = Registry.open(world.path, random=world.random)
    assert reader.results == before["results"]
    reader.close()
    world.registry = opened(world, make.again)
    assert facts_of(world) == before
    world.tick()
    assert world.registry.size == before["size"] + 1  # type: ignore[operator]
    world.registry.close()


def test_a_lost_local_file_is_made_again_from_the_engine(make: Maker, tmp_path: Path) -> None:
    """A fresh file follows to the same root, and the high-water mark is satisfied."""
    world = world_on(tmp_path / "w", make)
    run(world, 30)
    before = facts_of(world)
    world.registry.close()
    fresh = tmp_path / "fresh.db"
    store = SqliteEngine.create(fresh, SqliteEngine.open(world.path, hash=SHA256).genesis, hash=SHA256)
    store.keep("note", "checkpoint", _empty_note(tmp_path))
    store.close()
    registry = Registry.open(fresh, random=world.random, engine=make.again)
    assert registry.follow() == before["size"]
    assert (registry.engine.tree.root, registry.results) == (before["root"], before["results"])
    registry.close()


def _empty_note(folder: Path) -> bytes:
    twin = world_on(folder / "twin", None)
    note = twin.registry.checkpoint()
    twin.registry.close()
    return note


def test_entries_of_others_are_followed(make: Maker, tmp_path: Path) -> None:
    """Another writer's entries come first, bad ones too: every one is a leaf, and ours follow them."""
    world = world_on(tmp_path / "w", make)
    actor = world.register(world.actor())
    theirs = [b"\x00 not an operation", ops.evidence_anchor(world.author(actor), bytes(32), "theirs").data]
    other = make.again()
    other.wait(other.append(theirs), 10.0)
    if make.kind == "sqlite":  # the embedded engine has one writer: its other process opens the file again
        world.registry.close()
        world.registry = opened(world, make.again)
    receipt = world.submit(ops.evidence_anchor(world.author(actor), b"\x01" * 32, "ours"))
    assert world.registry.results[-3:] == ["malformed", "applied", "applied"]
    assert receipt.index == world.registry.size - 1
    assert world.registry.submit([theirs[1]])[0].code == "duplicate"
    world.commit()
    world.registry.close()


class Wrapped:
    """An engine in between, for what real ones do rarely."""

    def __init__(self, inner: LogEngine) -> None:
        self.inner, self.info = inner, inner.info

    def head(self) -> Head:
        return self.inner.head()

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        return self.inner.append(entries, expect=expect)

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        return self.inner.wait(ticket, timeout)

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        return self.inner.read(start, limit)

    def evidence(self, index: int) -> bytes | None:
        return self.inner.evidence(index)


class Silent(Wrapped):
    """Takes an append and does not answer, every other time; or is slow to show it."""

    lost, hidden = False, 0

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        ticket = self.inner.append(entries, expect=expect)
        self.lost = not self.lost
        if self.lost:
            raise RegistryError("no answer", code="unreachable")
        return ticket


class Slow(Wrapped):
    """Says nothing of an append, and shows it only after some looks."""

    looks, behind = 0, False

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        return Pending()

    def head(self) -> Head:
        self.looks += 1
        self.behind = self.behind and self.looks % 3 != 0
        return self._old if self.behind else self.inner.head()

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        self._old, self.behind = self.inner.head(), True
        return self.inner.append(entries, expect=expect)


class Never(Wrapped):
    """Takes nothing."""

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        return Ticket("somewhere", len(entries))

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        return Pending()


def order(tmp_path: Path, genesis: bytes) -> SqliteEngine:
    path = tmp_path / "order.db"
    return SqliteEngine.open(path, hash=SHA256) if path.exists() else SqliteEngine.create(path, genesis, hash=SHA256)


@pytest.mark.parametrize("kind", [Silent, Slow])
def test_an_append_without_an_answer_lands_once(tmp_path: Path, kind: type[Wrapped]) -> None:
    embedded = world_on(tmp_path / "embedded", None)
    other = world_on(tmp_path / "other", lambda genesis, _: kind(order(tmp_path, genesis)))
    for world in (embedded, other):
        run(world, 40)
    same(embedded, other)
    for world in (embedded, other):
        world.registry.close()


def test_nothing_pending_is_in_a_checkpoint(tmp_path: Path) -> None:
    """What the engine does not make final in time is `pending`; the log and its checkpoint stay as they were."""
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    run(world, 20)
    before = facts_of(world)
    world.registry.close()
    world.registry = opened(world, lambda _: Never(order(tmp_path, b"")), patience=0.3)
    with pytest.raises(RegistryError) as caught:
        world.registry.tick(world.now + 1)
    assert caught.value.code == "pending"
    assert facts_of(world) == before
    assert parse_checkpoint(parse_note(world.registry.checkpoint()).text).size == before["size"]
    world.registry.close()
    world.registry = opened(world, lambda _: order(tmp_path, b""))
    world.tick()
    world.registry.close()


def test_reads_go_on_while_an_append_waits(tmp_path: Path) -> None:
    """A bundle is served while the engine takes its time."""
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    run(world, 20)
    world.registry.close()
    world.registry = opened(world, lambda _: Never(order(tmp_path, b"")), patience=1.0)
    failed: list[str] = []

    def tick() -> None:
        try:
            world.registry.tick(world.now + 1)
        except RegistryError as error:
            failed.append(error.code)

    waiting = threading.Thread(target=tick)
    waiting.start()
    world.registry.bundle()
    world.registry.facts()
    assert waiting.is_alive()
    waiting.join(20)
    assert failed == ["pending"]
    world.registry.close()


class Changed(Wrapped):
    """An engine that has another history."""

    def __init__(self, inner: LogEngine, index: int, cut: int | None = None) -> None:
        super().__init__(inner)
        self._index, self._cut = index, cut

    def head(self) -> Head:
        real = self.inner.head()
        return real if self._cut is None else Head(self._cut, "cut")

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        for entry in self.inner.read(start, limit):
            yield Entry(entry.index, b"another") if entry.index == self._index else entry


@pytest.mark.parametrize("cut", [None, 5])
def test_a_changed_history_stops_the_signer(tmp_path: Path, cut: int | None) -> None:
    """Both sides are kept, nothing is signed or appended, and not after a restart either; reading goes on."""
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    run(world, 20)
    size, before = world.registry.size, world.registry.checkpoint()
    world.registry.close()
    world.registry = opened(world, lambda _: Changed(order(tmp_path, b""), size - 1, cut))
    for _ in range(2):
        with pytest.raises(ConflictError) as caught:
            world.registry.tick(world.now + 1)
        assert caught.value.code == "engine-contradiction"
    assert (world.registry.size, world.registry.checkpoint()) == (size, before)
    kept = json.loads((tmp_path / "w" / "same.db.contradiction").read_bytes())
    assert {"held", "found", "root", "size"} <= set(kept)
    world.registry.close()
    with pytest.raises(ConflictError):
        opened(world, lambda _: order(tmp_path, b""))
    reader = Registry.open(world.path, random=world.random)
    assert reader.checkpoint() == before
    reader.close()


class Holes(Wrapped):
    """An engine that leaves an entry out."""

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        return (entry for entry in self.inner.read(start, limit) if entry.index % 7)


def test_holes_are_never_taken(tmp_path: Path) -> None:
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    run(world, 30)
    world.registry.close()
    fresh = tmp_path / "fresh.db"
    store = SqliteEngine.create(fresh, SqliteEngine.open(world.path, hash=SHA256).genesis, hash=SHA256)
    store.keep("note", "checkpoint", _empty_note(tmp_path))
    store.close()
    registry = Registry.open(fresh, random=world.random, engine=lambda _: Holes(order(tmp_path, b"")))
    assert registry.order is not None
    registry.order._patience = 0.2
    with pytest.raises(RegistryError) as caught:
        registry.follow()
    assert (caught.value.code, registry.size) == ("gap", 0)
    registry.close()


def test_old_proofs_hold_after_a_change_of_engine(make: Maker, tmp_path: Path) -> None:
    """A proof made on the embedded engine is one of the log on the other."""
    world = world_on(tmp_path / "w", None)
    run(world, 40)
    size, root = world.registry.size, world.registry.engine.tree.root
    leaf, path = world.registry.engine.tree.leaf(7), world.registry.inclusion(7)
    entries = [entry.data for entry in world.registry.engine.read(0, size)]
    world.registry.close()
    engine = make(world.genesis.digest)
    engine.wait(engine.append(entries, expect=0), 10.0)
    world.registry = opened(world, make.again)
    world.tick()
    merkle.verify_inclusion(leaf, 7, size, path, root, hash=SHA256)
    checkpoint = parse_checkpoint(parse_note(world.registry.checkpoint()).text)
    merkle.verify_consistency(size, root, checkpoint.size, checkpoint.root, world.registry.consistency(size), hash=SHA256)
    world.registry.close()


class Blocks(Wrapped):
    """One append a block, and a block takes its time."""

    appends = 0

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        self.appends += 1
        time.sleep(0.2)
        return self.inner.append(entries, expect=expect)


def test_callers_that_wait_share_the_next_block(tmp_path: Path) -> None:
    """Twenty at once need a few blocks, not twenty; each gets the receipt of its own operation."""
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    author = world.author(world.register(world.actor()))
    world.registry.close()
    blocks = Blocks(order(tmp_path, b""))
    world.registry = opened(world, lambda _: blocks)
    made = [ops.evidence_anchor(author, bytes([n]) * 32, "file").data for n in range(20)]
    told: dict[int, tuple[int | None, str]] = {}

    def submit(number: int) -> None:
        receipt = world.registry.submit([made[number]])[0]
        told[number] = (receipt.index, receipt.code)

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert blocks.appends < 6
    assert {code for _, code in told.values()} == {"applied"}
    assert all(world.registry.entry(index) == made[n] for n, (index, _) in told.items() if index is not None)
    assert len({index for index, _ in told.values()}) == 20
    world.registry.close()


def test_a_problem_is_everybodys(tmp_path: Path) -> None:
    """Those who share an append that fails are all told so, and may send the same again."""
    world = world_on(tmp_path / "w", lambda genesis, _: order(tmp_path, genesis))
    author = world.author(world.register(world.actor()))
    world.registry.close()
    world.registry = opened(world, lambda _: Never(order(tmp_path, b"")), patience=0.5)
    codes: list[str] = []

    def submit(number: int) -> None:
        try:
            world.registry.submit([ops.evidence_anchor(author, bytes([number]) * 32, "file").data])
        except RegistryError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert codes == ["pending"] * 4
    world.registry.close()


@pytest.mark.long
def test_a_registry_through_a_node_that_misbehaves(anvil: Anvil, tmp_path: Path) -> None:
    """The same bytes as the embedded one, whatever the node answered on the way."""
    proxy = Proxy(anvil.url)
    embedded = world_on(tmp_path / "embedded", None)
    contract = evm(anvil.url, embedded.pin)._contract
    other = world_on(tmp_path / "other", lambda genesis, store: evm(proxy.url, genesis, contract, store, timeout=0.5))
    proxy.answer = chaos = Chaos(7, pause=0.6)
    assert other.registry.order is not None
    other.registry.order._patience = 60.0
    for world in (embedded, other):
        run(world, 150, block=10)
    same(embedded, other)
    assert sum(chaos.done.values()) > 30
    for world in (embedded, other):
        world.registry.close()
    proxy.close()
