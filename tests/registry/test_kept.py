"""A kept state is a cache: opened from it, from the log, or from what is left of it, a registry is the same (ADR 31)."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import keeping
from registry import log as log_module
from registry import operations as ops
from registry.audit import fsck
from registry.engines.shelf import Shelf
from registry.genesis import print_genesis
from registry.keeping import Keeper, kept_beside
from registry.kept import HEAD, print_head, read_head
from registry.log import Registry
from registry.map_pages import page_names
from registry.mirror.mirror import Mirror
from registry.mirror.source import FolderSource
from registry.mirror.static import export
from registry.node.backup import unpack, write_backup
from registry.signer import OperatorKeys
from registry.snapshot import print_snapshot
from registry.state import State
from registry.state_map import KINDS_IN_MAP
from registry.statement import print_statement
from tests.registry.explored import explored
from tests.registry.test_keys_change import rotate
from tests.registry.world import Stream, World
from weid.errors import ConflictError, RollbackError, WeidError
from weid.keys import LocalSigner


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends keeps its state, however little came since."""
    monkeypatch.setattr(log_module, "_LEAST", 1)


def said(registry: Registry) -> tuple[Any, ...]:
    """Everything a registry says of itself."""
    state, engine = registry.state, registry.engine
    tables = {kind: list(table.items()) for kind, table in state.tables.items()}
    records = [(kind, key) for kind in KINDS_IN_MAP for key in state.tables[kind]] + [("did", "nobody")]
    bundle, proofs = None, []
    if engine.kept("state", "statement") is not None:
        bundle = registry.bundle(since=(1, 2, registry.size // 2))
        proofs = [registry.proven(kind, key) for kind, key in records]
    return (
        registry.size, list(registry.results), registry.checkpoint(), bundle, proofs, tables,
        list(state.history.items()), list(state.closed.items()), sorted(state.seen.items()), len(state.seen),
        print_statement(state.statement()), print_snapshot(state.snapshot()), state.authority, state.now,
        [len(table) for table in state.tables.values()],
        [registry.inclusion(index) for index in range(registry.size)],
    )  # fmt: skip


@dataclass(frozen=True)
class Story:
    """The entries of a log."""

    entries: list[bytes] = field(repr=False)


def entries_of(world: World) -> list[bytes]:
    return [world.registry.entry(index) for index in range(world.registry.size)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The entries of a log with something of everything, and repetitions and refusals."""
    world = explored(tmp_path_factory.mktemp("story"))
    author = world.author(world.admin)
    for n in range(40):
        world.submit(
            ops.evidence_anchor(author, world.genesis.hash(b"%d" % (n % 30)), "f"), "applied" if n < 30 else "already-exists"
        )
        if n % 13 == 0:
            world.tick()
            world.commit()
    made = Story(entries_of(world))
    world.registry.close()
    return made


def empty(folder: Path) -> World:
    """A registry of the story's genesis."""
    folder.mkdir()
    return World(folder, weights=(3, 1, 1), floors={"role": 4})


def opened(world: World) -> Registry:
    return Registry.open(world.path, random=Stream("again"), keys=world.keys())


def flipped(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(bytes(data))


class Torn:
    """Ways in which a process ends, and what is done to its kept state before the next begins."""

    def __init__(self, world: World) -> None:
        self.world = world

    def end(self, way: str, at: int) -> None:
        """End as `way` says; the next registry is `world.registry`."""
        world, beside = self.world, kept_beside(self.world.path)
        if way == "killed" and world.registry._keeper is not None:
            # A process that ends here writes nothing more: its kept state stays older than the log.
            world.registry._keeper.close()
            world.registry._keeper = None
        world.registry.close()
        if way == "deleted":
            beside.unlink(missing_ok=True)
        if way == "flipped" and beside.exists():
            flipped(beside, at, at % 8)
        world.registry = opened(world)


WAYS = ("closed", "killed", "deleted", "flipped")


def walk(tmp: Path, story: Story, steps: list[tuple[int, str, int]], every: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(what a straight run says, what one says that ended and began again at the steps)."""
    straight, broken = empty(tmp / "straight"), empty(tmp / "broken")
    receipts: dict[str, list[Any]] = {"straight": [], "broken": []}
    torn, at = Torn(broken), 0
    for count, way, where in [*steps, (len(story.entries), "closed", 0)]:
        block = story.entries[at : at + count]
        at += len(block)
        for world, name in ((straight, "straight"), (broken, "broken")):
            receipts[name] += world.registry.submit(block)
            # what is there already is answered the same
            receipts[name] += world.registry.submit(block[:1])
        torn.end(way, where)
    try:
        assert receipts["straight"] == receipts["broken"]
        for world in (straight, broken):
            world.registry._random = Stream("nonces of the last tick")
            assert world.registry.tick(world.now + 99).code == "applied"
        return said(straight.registry), said(broken.registry)
    finally:
        straight.registry.close()
        broken.registry.close()


STEPS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(WAYS), st.integers(0, 1 << 20)), max_size=6)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """States are kept every seven entries, so that short logs have many."""
    monkeypatch.setattr(log_module, "_KEEP", 7)
    return


def law(tmp: Path, story: Story, steps: list[tuple[int, str, int]]) -> None:
    folder = tmp / f"{random.Random(repr(steps)).getrandbits(60):x}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        straight, broken = walk(folder, story, steps, 7)
        for one, other in zip(straight, broken, strict=True):
            assert one == other
    finally:
        shutil.rmtree(folder)


@pytest.mark.usefixtures("often")
@given(steps=STEPS)
@settings(max_examples=3, deadline=None)
def test_however_often_it_ends_it_is_the_same_registry(
    tmp_path_factory: pytest.TempPathFactory, story: Story, steps: list[tuple[int, str, int]]
) -> None:
    """Closed, killed, its kept state lost or with a bit flipped anywhere: state, results, receipts, proofs and bundles are equal."""
    law(tmp_path_factory.getbasetemp(), story, steps)


@pytest.mark.long
@pytest.mark.usefixtures("often")
@given(steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_however_often_it_ends_it_is_the_same_registry_at_length(
    tmp_path_factory: pytest.TempPathFactory, story: Story, steps: list[tuple[int, str, int]]
) -> None:
    """The same, a hundred and twenty times."""
    law(tmp_path_factory.getbasetemp(), story, steps)


@pytest.fixture
def lived(tmp_path: Path, story: Story) -> World:
    """A closed registry with its kept state."""
    world = empty(tmp_path / "lived")
    world.registry.submit(story.entries)
    world.registry.close()
    return world


def replayed(world: World) -> tuple[Any, ...]:
    """What the log itself says, with nothing kept."""
    bare = world.path.parent / "bare.db"
    shutil.copy(world.path, bare)
    registry = Registry.open(bare, random=Stream("bare"))
    try:
        assert not kept_beside(bare).exists()
        return said(registry)
    finally:
        registry.close()


@pytest.mark.parametrize("count", [16, pytest.param(4_000, marks=pytest.mark.long)])
def test_a_flipped_bit_is_never_another_answer(lived: World, count: int) -> None:
    """Wherever a bit of the kept state is flipped, whoever opens the log reads from it what the log says."""
    right, beside = replayed(lived), kept_beside(lived.path)
    whole, numbers, hurt = beside.read_bytes(), random.Random(count), 0
    for _ in range(count):
        flipped(beside, numbers.randrange(len(whole)), numbers.randrange(8))
        registry = Registry.open(lived.path, random=Stream("reader"))
        found = said(registry)
        hurt += registry._keeper is None or registry._keeper.size == 0 or registry._keeper._kept.replayed is not None  # type: ignore[union-attr]
        registry.close()
        assert found == right
        beside.write_bytes(whole)
    print(f"kept state: {count} flipped bits in {len(whole):,} bytes, {hurt} noticed, 0 wrong answers")


def test_it_opens_from_what_was_kept(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a clean end no entry is applied; after a kill those since the last keeping, and no more."""
    applied = []
    plain = log_module.Registry._replay_page

    def counted(self: Registry, page: list[bytes]) -> Any:
        applied.append(len(page))
        return plain(self, page)

    monkeypatch.setattr(log_module.Registry, "_replay_page", counted)
    monkeypatch.setattr(log_module, "_KEEP", 10)
    registry = opened(lived)
    assert sum(applied) == 0 and registry._keeper is not None and registry._keeper.size == registry.size
    author = lived.author(lived.admin)
    for n in range(34):
        made = ops.evidence_anchor(author, lived.genesis.hash(b"later %d" % n), "f")
        assert registry.submit([made.data])[0].code == "applied"
    copy = lived.path.parent / "killed"
    copy.mkdir()
    for end in ("", "-wal", ".state", ".state-wal"):  # as the disk is when the process goes
        shutil.copy(lived.path.with_name(lived.path.name + end), copy / ("home.db" + end))
    before = said(registry)
    registry.close()
    applied.clear()
    again = Registry.open(copy / "home.db", random=Stream("killed"), keys=lived.keys())
    assert sum(applied) == 4
    assert said(again) == before
    again.close()


def test_a_reader_beside_a_node_writes_nothing(lived: World) -> None:
    """Who opens without keys reads what was kept, older than the log, while the node goes on; the file stays as it was."""
    node = opened(lived)
    author = lived.author(lived.admin)
    node.submit([ops.evidence_anchor(author, lived.genesis.hash(b"beside"), "f").data])
    beside = kept_beside(lived.path)
    held = beside.read_bytes()
    reader = Registry.open(lived.path, random=Stream("reader"))
    assert reader._keeper is not None and reader._keeper.size == reader.size - 1
    assert beside.read_bytes() == held
    # the node keeps anew, whole; the reader still reads what it opened
    node._keep(1)
    assert node._keeper is not None and node._keeper.size == node.size
    # all but the last checkpoint, which is on the disk with the next append
    assert said(reader)[:2] + said(reader)[4:] == said(node)[:2] + said(node)[4:]
    assert reader._keeper._kept is not None and reader._keeper._kept.replayed is None
    with pytest.raises(WeidError):
        reader.commit()
    reader.close()
    node.close()


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path: Path, story: Story) -> None:
    """Where nothing can be kept, the registry lives without."""
    world = empty(tmp_path / "here")
    kept_beside(world.path).mkdir()
    world.registry.submit(story.entries)
    before = said(world.registry)
    world.registry.close()
    assert kept_beside(world.path).is_dir()
    world.registry = opened(world)
    assert said(world.registry) == before
    world.registry.close()


def shelved(world: World) -> dict[str, bytes]:
    with closing(sqlite3.connect(kept_beside(world.path))) as database:
        return dict(database.execute("SELECT name, data FROM part").fetchall())


def taken_up(world: World) -> bool:
    """Whether a registry opens from what is kept."""
    registry = Registry.open(world.path, random=Stream("tried"))
    try:
        return registry._keeper is not None and registry._keeper.size > 0
    finally:
        registry.close()


def test_only_the_state_key_vouches_for_a_kept_state(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who can write the file, and has no key, gives a node no records: other signer, other code, other log."""
    head, authority = read_head(shelved(lived)[HEAD], lived.genesis, keeping.code_digest())
    assert taken_up(lived) and authority.links == ()
    stranger = LocalSigner(lived.secret(), lived.suite, "stranger", "state")
    shelf = Shelf(kept_beside(lived.path), write=True)
    whole = shelf.get(HEAD)

    def tried(data: bytes) -> bool:
        assert shelf.put({HEAD: data}, expect=shelf.get(HEAD))
        return taken_up(lived)

    def mine(payload: bytes) -> bytes:
        return lived.state_key.sign("weid/kept-state/v1", payload)

    assert tried(print_head(head, mine))
    assert not tried(print_head(head, lambda payload: stranger.sign("weid/kept-state/v1", payload)))
    assert not tried(print_head(replace(head, root=bytes(32)), mine))
    assert not tried(print_head(replace(head, size=head.size + 1), mine))
    assert not tried(print_head(replace(head, code=bytes(32)), mine))
    assert not tried(print_head(replace(head, genesis=bytes(32)), mine))
    assert not tried(b"")
    assert whole is not None and tried(whole)
    monkeypatch.setattr(keeping, "code_digest", lambda: bytes(32))
    assert not taken_up(lived)
    shelf.close()


def test_a_state_key_that_was_replaced_vouches_for_nothing(tmp_path: Path) -> None:
    """A kept state that an earlier state key signed is not gone on from: the log is replayed."""
    world = World(tmp_path)
    world.issuer(world.schema())
    world.registry._keep(1)
    old = {end: world.path.with_name(world.path.name + end).read_bytes() for end in (".state", ".state-wal")}
    rotate(world, "state")
    world.registry.close()
    assert taken_up(world)
    for end, data in old.items():
        world.path.with_name(world.path.name + end).write_bytes(data)
    registry = Registry.open(world.path, random=Stream("later"))
    assert registry._keeper is not None and registry._keeper.size == 0
    registry.close()


def test_a_key_changed_beside_the_node_that_keeps(tmp_path: Path) -> None:
    """`rotate-key` in another process: the node takes it in, keeps with the fresh key, and opens from there."""
    world = World(tmp_path)
    world.issuer(world.schema())
    world.registry.close()
    held: list[LocalSigner] = []

    def keys(_: object) -> OperatorKeys:
        return OperatorKeys(
            world.genesis, log=world.log_key, state=world.state_key, operator=world.operator, mark=world.mark, rotated=True,
            more=lambda: held,
        )  # fmt: skip

    node = Registry.open(world.path, random=Stream("node"), keys=keys)
    assert node._keeper is not None and node._keeper.size == node.size
    world.registry = Registry.open(world.path, random=Stream("command"), keys=keys)
    held.append(rotate(world, "state"))
    world.registry.close()
    node.catch_up()
    anchored(world, node, b"after")
    before = said(node)
    node.close()
    again = Registry.open(world.path, random=Stream("again"), keys=keys)
    assert again._keeper is not None and again._keeper.size == again.size and again._keeper.signer == held[0].public_key
    assert said(again) == before
    again.close()


def test_a_state_that_is_silent_about_a_key_change_is_no_way_back(tmp_path: Path) -> None:
    """Who has stolen the state key that was replaced signs a state in which it never was: the node has not that key, and replays."""
    world = World(tmp_path)
    world.issuer(world.schema())
    fresh = rotate(world, "state")
    world.registry.close()
    before = replayed(world)
    head, _ = read_head(shelved(world)[HEAD], world.genesis, keeping.code_digest())
    shelf = Shelf(kept_beside(world.path), write=True)
    forged = print_head(replace(head, links=()), lambda payload: world.state_key.sign("weid/kept-state/v1", payload))
    assert shelf.put({HEAD: forged}, expect=shelf.get(HEAD))
    shelf.close()
    keys = OperatorKeys(
        world.genesis, log=world.log_key, state=fresh, operator=world.operator, mark=world.mark, rotated=True
    )  # fmt: skip
    registry = Registry.open(world.path, random=Stream("later"), keys=keys)
    assert registry._keeper is not None and registry._keeper.size == 0
    assert said(registry) == before
    registry.close()
    assert taken_up(world)


def test_an_entry_changed_below_the_kept_state_is_given_to_nobody(lived: World) -> None:
    """Opening has not read it, whoever asks for it is refused, and a replay refuses the file."""
    with closing(sqlite3.connect(lived.path)) as database:
        database.execute("DROP TRIGGER entry_fixed")
        database.execute("UPDATE entry SET data = CAST(data || x'00' AS BLOB) WHERE idx = 7")
        database.commit()
    lived.registry = opened(lived)
    with pytest.raises(ConflictError) as found:
        lived.registry.entry(7)
    assert found.value.code == "wrong-tree"
    lived.registry.close()
    kept_beside(lived.path).unlink()
    with pytest.raises(ConflictError) as found:
        opened(lived)
    assert found.value.code == "wrong-tree"


def test_fsck_says_what_is_wrong_with_a_kept_state(lived: World) -> None:
    """It is compared with what the entries give: a state that says something else, well signed, is a finding."""

    def checked() -> list[str]:
        with keeping.kept_file(lived.path) as beside:
            engine = Registry.open(lived.path, random=Stream("check")).engine
            found = fsck(engine, pin=lived.pin, beside=beside)
            engine.close()
        assert {finding.code for finding in found} <= {"kept-state"}
        return [finding.detail for finding in found]

    assert checked() == []
    head, _ = read_head(shelved(lived)[HEAD], lived.genesis, keeping.code_digest())
    shelf = Shelf(kept_beside(lived.path), write=True)

    def mine(payload: bytes) -> bytes:
        return lived.state_key.sign("weid/kept-state/v1", payload)

    whole = shelf.get(HEAD)
    for wrong, word in (
        (replace(head, now=head.now + 1), "time"),
        (replace(head, tables=tuple(replace(table, count=9) for table in head.tables)), "records"),
        (replace(head, codes=tuple(reversed(head.codes))), "results"),
    ):
        assert shelf.put({HEAD: print_head(wrong, mine)}, expect=shelf.get(HEAD))
        assert any(word in text for text in checked()), word
    assert shelf.put({HEAD: b"\x80"}, expect=shelf.get(HEAD))
    assert any("nobody opens" in text for text in checked())
    assert whole is not None
    for part in ("top", "seen/i0-", "evidence/b0", "results/0"):
        name, data = next((name, data) for name, data in shelved(lived).items() if name.startswith(part))
        assert shelf.put({HEAD: whole, name: data[:-1] + bytes((data[-1] ^ 1,))}, expect=shelf.get(HEAD))
        assert checked() != [], name
        assert shelf.put({name: data}, expect=whole)
    assert checked() == []
    shelf.close()


def anchored(world: World, registry: Registry, *words: bytes) -> None:
    author = world.author(world.admin)
    made = [ops.evidence_anchor(author, world.genesis.hash(word), "f").data for word in words]
    assert [receipt.code for receipt in registry.submit(made)] == ["applied"] * len(words)


def test_one_process_keeps(lived: World) -> None:
    """Two nodes on one log take in what the other wrote; the first keeps the state, and after it the second."""
    first, second = opened(lived), opened(lived)
    anchored(lived, second, b"second")
    held = shelved(lived)[HEAD]
    second._keep(1)
    assert shelved(lived)[HEAD] == held
    anchored(lived, first, b"first")
    first.close()
    held = shelved(lived)[HEAD]
    # what it reads is older than what was kept since: it writes nothing, and reads on
    anchored(lived, second, b"third")
    second._keep(1)
    assert shelved(lived)[HEAD] == held
    third = opened(lived)
    assert third._keeper is not None and third._keeper.size == third.size - 1
    assert said(third)[:2] + said(third)[4:] == said(second)[:2] + said(second)[4:]
    assert second._keeper is not None and second._keeper._kept is not None and second._keeper._kept.replayed is None
    second.close()
    fourth = opened(lived)
    third._keeper.close()  # killed
    third._keeper = None
    anchored(lived, fourth, b"fourth")
    fourth.close()
    assert fourth._keeper is not None and fourth._keeper.size == fourth.state.size
    third.close()
    before = replayed(lived)
    lived.registry = opened(lived)
    assert lived.registry._keeper is not None and lived.registry._keeper.size == lived.registry.size
    assert said(lived.registry)[:2] == before[:2] and said(lived.registry)[5:] == before[5:]


def test_little_is_not_kept(tmp_path: Path, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends after few entries leaves them to a replay, which takes no longer than keeping them."""
    monkeypatch.setattr(log_module, "_LEAST", 50)
    world = empty(tmp_path / "little")
    world.registry.submit(story.entries[:49])
    world.registry.close()
    assert not kept_beside(world.path).exists()
    world.registry = opened(world)
    world.registry.submit(story.entries[49:])
    world.registry.close()
    assert kept_beside(world.path).exists()


def test_what_cannot_be_written_is_not_tried_with_every_append(
    tmp_path: Path, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file cannot be made, that is tried once in so many entries, and works as soon as there is room."""
    tried: list[int] = []
    plain = Keeper.save
    monkeypatch.setattr(Keeper, "save", lambda self, state, *rest: (tried.append(state.size), plain(self, state, *rest)))
    monkeypatch.setattr(log_module, "_KEEP", 10)
    world = empty(tmp_path / "full")
    kept_beside(world.path).mkdir()
    for entry in story.entries[:35]:
        world.registry.submit([entry])
    assert tried == [10, 20, 30]
    kept_beside(world.path).rmdir()
    world.registry.submit(story.entries[35:])
    assert taken_up(world)
    world.registry.close()


def test_a_full_disk_costs_no_more_than_the_keeping(lived: World) -> None:
    """What was kept before stays and is read on; as soon as there is room what came since is added to it."""
    registry = opened(lived)
    keeper = registry._keeper
    assert keeper is not None and keeper._kept is not None and keeper._shelf._connection is not None
    keeper._shelf._connection.execute("PRAGMA max_page_count = 1")
    anchored(lived, registry, *(b"full %d" % n for n in range(200)))
    held = shelved(lived)
    registry._keep(1)
    assert shelved(lived) == held and keeper.size == registry.size - 200
    assert registry.record("evidence", lived.genesis.hash(b"full 7").hex()) is not None
    keeper._shelf._connection.execute("PRAGMA max_page_count = 100000")
    anchored(lived, registry, b"room")
    registry._keep(1)
    assert keeper.size == registry.size and keeper._kept.replayed is None
    before = said(registry)
    registry.close()
    lived.registry = opened(lived)
    assert said(lived.registry) == before


def test_it_lives_beside_the_log_and_travels_nowhere(lived: World) -> None:
    """What was dropped from the map is taken away in time; nothing but the newest map's pages stays."""
    for n in range(6):
        registry = opened(lived)
        author = lived.author(lived.admin)
        registry.submit([ops.evidence_anchor(author, lived.genesis.hash(b"page %d" % n), "f").data])
        registry.commit()
        registry.close()
    registry = opened(lived)
    parts = shelved(lived)
    pages = {name for name in parts if name.startswith("page/")}
    assert len(pages) <= 2 and all(
        f"page/{parts['top'][at + 2 : at + 34].hex()}" in pages for at in range(0, len(parts["top"]), 34)
    )
    # and while one process goes on: the pages that it took up, which may be read later, and those of the newest map
    first = page_names(parts["top"])
    for n in range(6, 12):
        anchored(lived, registry, b"page %d" % n)
        registry.commit()
        registry._keep(1)
    parts = shelved(lived)
    left = {bytes.fromhex(name[5:]) for name in parts if name.startswith("page/")}
    assert page_names(parts["top"]) <= left <= page_names(parts["top"]) | first
    assert registry.state.commits[0].map.root != registry.state.commits[-1].map.root
    before = said(registry)
    registry.close()
    assert Keeper(lived.path, write=False).size == 0  # nothing is taken up before it was checked
    lived.registry = opened(lived)
    assert said(lived.registry)[5:] == before[5:]


def test_what_the_committed_map_has_is_not_worked_in_again(lived: World) -> None:
    """After opening, the next commit hashes what has changed since the last one: also where everything was kept at once."""
    lived.registry = opened(lived)
    lived.commit()
    author = lived.author(lived.admin)
    lived.registry.submit([ops.evidence_anchor(author, lived.genesis.hash(b"since"), "f").data])
    lived.registry.close()
    for everything in (False, True):
        if everything:
            kept_beside(lived.path).unlink()
            registry = opened(lived)  # replayed, and kept whole when it ends
            registry.close()
        registry = opened(lived)
        assert registry._keeper is not None and registry._keeper._kept is not None
        fresh = set(registry._keeper._kept._pending())
        assert ("evidence", lived.genesis.hash(b"since").hex()) in fresh and len(fresh) < 15
        root = registry.state.map.root
        registry.close()
        assert root == state_of(lived).map.root


def state_of(world: World) -> State:
    """The state that replaying gives."""
    registry = Registry.open(world.path, random=Stream("whole"))
    state = State(world.genesis)
    for index in range(registry.size):
        state.apply(registry.entry(index))
    registry.close()
    return state


def test_neither_a_mirror_nor_a_backup_has_one(lived: World, tmp_path: Path) -> None:
    """A mirror recomputes every entry, so it keeps nothing that spares it that; a backup is the log alone, and opens by replay."""
    lived.registry = opened(lived)
    lived.commit()
    copy = Mirror.open(tmp_path / "mirror", print_genesis(lived.genesis), random=Stream("mirror"))
    export(lived.registry, tmp_path / "stick")
    assert copy.sync(FolderSource(tmp_path / "stick")).size == lived.registry.size
    copy.close()
    assert not kept_beside(tmp_path / "mirror" / "registry.db").exists()
    before = said(lived.registry)
    lived.registry.close()
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(lived.path, home / "registry.db")
    shutil.copy(kept_beside(lived.path), kept_beside(home / "registry.db"))
    (home / "genesis.json").write_bytes(print_genesis(lived.genesis))
    write_backup(home, tmp_path / "backup", made="2026-01-01T00:00:00Z")
    unpack(tmp_path / "backup", tmp_path / "restored")
    assert not kept_beside(tmp_path / "restored" / "registry.db").exists()
    again = Registry.open(tmp_path / "restored" / "registry.db", random=Stream("restored"))
    assert said(again) == before
    again.close()


def test_a_log_that_was_set_back_is_not_opened_with_a_later_state(lived: World) -> None:
    """An older copy of the log beside the newer kept state: what is kept does not fit, and the mark stops the signing."""
    older = lived.path.read_bytes()
    lived.registry = opened(lived)
    assert lived.registry.tick(lived.registry.state.now + 1).code == "applied"
    lived.registry.close()
    lived.path.write_bytes(older)
    assert not taken_up(lived)
    with pytest.raises(RollbackError):
        opened(lived)
