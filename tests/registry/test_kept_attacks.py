"""What a kept state must not make possible: a changed disk, a stolen key, other code, a fault in the middle of a rule (ADR 31)."""

from __future__ import annotations

import marshal
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry import keeping, kept_rows
from registry import log as log_module
from registry import operations as ops
from registry.audit import fsck
from registry.engines.shelf import Shelf, code_digest
from registry.engines.sqlite import SqliteEngine
from registry.genesis import print_genesis
from registry.keeping import Keeper, kept_beside, kept_file, replayed_state
from registry.kept import HEAD, print_head, read_head
from registry.log import Registry
from registry.mirror.mirror import Mirror
from registry.mirror.source import FolderSource
from registry.mirror.static import export
from registry.node.backup import alone
from registry.signer import OperatorKeys
from registry.snapshot import print_snapshot
from registry.tiles import HASH
from registry.twin import read_twin
from tests.registry.test_keys_change import rotate
from tests.registry.world import Stream, World
from weid import merkle
from weid.errors import ConflictError, ProofError, RegistryError, WeidError
from weid.hashes import SM3

COUNT = 300  # more than a tile


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends keeps its state, however little came since."""
    monkeypatch.setattr(log_module, "_LEAST", 1)


@pytest.fixture
def lived(tmp_path: Path) -> World:
    """A closed registry with a full tile and its kept state."""
    world = World(tmp_path)
    world.registry.submit(anchors(world, COUNT))
    world.registry.close()
    return world


def anchors(world: World, count: int, salt: bytes = b"") -> list[bytes]:
    author = world.author(world.admin)
    return [ops.evidence_anchor(author, world.genesis.hash(salt + b"%d" % n), "f").data for n in range(count)]


def opened(world: World) -> Registry:
    registry = Registry.open(world.path, random=Stream("again"), keys=world.keys())
    assert registry._keeper is not None and registry._keeper.size > 0
    return registry


def is_the_logs(registry: Registry) -> bool:
    """Whether the state is what replaying gives."""
    straight = replayed_state(registry.engine, registry.genesis, registry.size)
    return print_snapshot(registry.state.snapshot()) == print_snapshot(straight.snapshot()) and list(
        registry.state.seen.items()
    ) == list(straight.seen.items())


def hacked(path: Path, *statements: tuple[str, tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(path)) as database:
        for trigger in ("entry_fixed", "tile_grows"):
            database.execute(f"DROP TRIGGER {trigger}")
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()


def test_an_entry_exchanged_with_its_leaf_is_noticed(lived: World) -> None:
    """An operation that somebody takes off the disk, leaf and all, could else be submitted once more, and would count twice."""
    with closing(sqlite3.connect(lived.path)) as database:
        taken = database.execute("SELECT data FROM entry WHERE idx = 7").fetchone()[0]
        tile = database.execute("SELECT data FROM tile WHERE key = 0").fetchone()[0]
    other = b"\x00" + taken[1:]
    leaf = merkle.leaf_hash(other, hash=lived.genesis.hash)
    tile = tile[: 7 * HASH] + leaf + tile[8 * HASH :]
    hacked(
        lived.path,
        ("UPDATE entry SET data = ? WHERE idx = 7", (other,)),
        ("UPDATE tile SET data = ? WHERE key = 0", (tile,)),
    )
    lived.registry = opened(lived)
    size = lived.registry.size
    for ask in (
        lambda: lived.registry.submit([taken]),
        lambda: lived.registry.entry(7),
        lambda: lived.registry.entry(8),
        lambda: lived.registry.inclusion(8),
        lambda: lived.registry.engine.tree.root_at(100),
    ):
        with pytest.raises(ProofError) as found:
            ask()
        assert found.value.code == "bad-tile"
    assert lived.registry.size == size
    lived.registry.close()


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_bit_flipped_in_the_log_beside_its_kept_state(lived: World, count: int) -> None:
    """Opened from the kept state, a damaged log gives each entry, proof and record as it was, or says that it cannot."""
    registry = opened(lived)
    size, root, entries = registry.size, registry.engine.tree.root, [registry.entry(index) for index in range(COUNT)]
    proofs, right = [registry.inclusion(index, COUNT) for index in range(COUNT)], print_snapshot(registry.state.snapshot())
    results = list(registry.results)
    registry.close()
    whole, numbers, refused = lived.path.read_bytes(), random.Random(count), 0
    for _ in range(count):
        at, index = numbers.randrange(len(whole) * 8), numbers.randrange(COUNT)
        changed = bytearray(whole)
        changed[at // 8] ^= 1 << at % 8
        lived.path.write_bytes(changed)
        try:
            with closing(Registry.open(lived.path, random=Stream("reader"))) as registry:
                if registry.pin != lived.pin:  # the stored genesis was hit: another registry, as everybody's pin says
                    refused += 1
                    continue
                assert registry.inclusion(index, COUNT) == proofs[index], at
                assert (registry.size, registry.engine.tree.root, list(registry.results)) == (size, root, results), at
                assert print_snapshot(registry.state.snapshot()) == right, at
                assert [registry.entry(place) for place in range(COUNT)] == entries, at
        except WeidError:
            refused += 1
        finally:
            for end in ("-wal", "-shm"):
                lived.path.with_name(lived.path.name + end).unlink(missing_ok=True)
    lived.path.write_bytes(whole)
    print(f"bit flips in a log beside its kept state: {count}, {refused} refused, 0 wrong answers")


def test_a_fault_in_the_middle_of_a_rule_leaves_nothing_half_done(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is on the log and was applied in part; the same entry again would be its own duplicate. The log is replayed."""
    beside = kept_beside(lived.path)
    with closing(sqlite3.connect(beside)) as database:
        database.execute("DELETE FROM part WHERE name LIKE 'evidence/%'")
        database.commit()
    lived.registry = opened(lived)

    def fails(*_: object) -> Any:
        raise RegistryError("the log file cannot be read: disk I/O error", code="engine")

    entry = anchors(lived, 1, b"later")
    with monkeypatch.context() as patched:
        patched.setattr(keeping, "replayed_state", fails)
        with pytest.raises(RegistryError, match="disk I/O error"):
            lived.registry.submit(entry)
        assert lived.registry.state.torn and lived.registry.size == COUNT + 1
        with pytest.raises(RegistryError) as found:
            lived.registry.state.apply(entry[0])
        assert found.value.code == "torn-state"
        lived.registry._keep(1)
        assert lived.registry._keeper is not None and lived.registry._keeper.size == COUNT
    receipt = lived.registry.submit(entry)[0]
    assert (receipt.code, receipt.index) == ("duplicate", COUNT)
    assert lived.registry.results[COUNT] == "applied" and is_the_logs(lived.registry)
    lived.registry.close()
    lived.registry = opened(lived)
    assert is_the_logs(lived.registry)
    lived.registry.close()


def test_nothing_is_read_of_what_a_replaced_key_has_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state key was stolen and changed; blocks that its thief signs reach no decoder, whatever is replayed on top of them."""
    world = World(tmp_path)
    world.registry.submit(anchors(world, 20))
    world.registry._keep(1)
    with closing(sqlite3.connect(kept_beside(world.path))) as database:
        old = dict(database.execute("SELECT name, data FROM part").fetchall())
    stolen = world.state_key
    world.state_key = rotate(world, "state")
    world.registry.submit(anchors(world, 20))
    world.registry.close()
    head, _ = read_head(old[HEAD], world.genesis, code_digest())
    shelf = Shelf(kept_beside(world.path), write=True)
    forged = print_head(replace(head, now=head.now + 1), lambda payload: stolen.sign("weid/kept-state/v1", payload))
    assert shelf.put({**old, HEAD: forged}, expect=None)
    shelf.close()

    class Refusing:
        dumps = staticmethod(marshal.dumps)

        @staticmethod
        def loads(_: bytes) -> Any:
            raise AssertionError("bytes of a stranger were decoded")

    monkeypatch.setattr(kept_rows, "marshal", Refusing)
    rotated = world.keys
    monkeypatch.setattr(
        world, "keys",
        lambda: OperatorKeys(
            world.genesis, log=world.log_key, state=world.state_key, operator=world.operator, mark=world.mark, rotated=True
        ),
    )  # fmt: skip
    registry = Registry.open(world.path, random=Stream("later"), keys=world.keys())
    assert registry._keeper is not None and registry._keeper._kept is None and is_the_logs(registry)
    assert registry.state.now != head.now + 1 and rotated is not world.keys
    registry.close()


def test_a_state_is_of_the_code_that_ran_when_it_was_opened(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Software that is updated under a running node: what the node keeps when it ends is of the old code, and says so."""
    lived.registry = opened(lived)
    monkeypatch.setattr(keeping, "code_digest", lambda: bytes(32))
    lived.registry.submit(anchors(lived, 1, b"more"))
    lived.registry.close()
    later = Keeper(lived.path, write=False)
    registry = Registry.open(lived.path, random=Stream("later"), keys=lived.keys())
    assert later._first is not None and registry._keeper is not None and registry._keeper._kept is None
    later.close()
    registry.close()


def test_a_mirror_takes_the_operators_word_for_nothing(lived: World, tmp_path: Path) -> None:
    """A state file that the operator hands over with a copy of the log, signed by its own state key, is not opened from."""
    lived.registry = opened(lived)
    lived.commit()
    export(lived.registry, tmp_path / "stick")
    lived.registry.close()
    folder = tmp_path / "mirror"
    folder.mkdir()
    shutil.copy(lived.path, folder / "registry.db")
    shutil.copy(kept_beside(lived.path), kept_beside(folder / "registry.db"))
    copy = Mirror.open(folder, print_genesis(lived.genesis), random=Stream("mirror"))
    assert copy.registry._keeper is None and is_the_logs(copy.registry)
    copy.sync(FolderSource(tmp_path / "stick"))
    copy.close()


def test_alone_is_alone(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a log is moved or restored nobody writes to it; one that another process may write to is not moved."""
    monkeypatch.setattr("registry.engines.alone._PATIENCE", 0.05)
    first, second = opened(lived), opened(lived)
    with pytest.raises(ConflictError) as found, second.alone():
        pass
    assert found.value.code == "other-writer"
    with first.alone(), pytest.raises(ConflictError) as found:
        second.submit(anchors(lived, 1, b"between"))
    assert found.value.code == "other-writer"
    assert second.submit(anchors(lived, 1, b"after"))[0].code == "applied"
    with first.alone():
        assert first.size == COUNT + 1
    second.close()
    first.close()
    (lived.folder / "registry.db").write_bytes(lived.path.read_bytes())
    beside = Registry.open(lived.folder / "registry.db", random=Stream("beside"), keys=lived.keys())
    with alone(lived.folder), pytest.raises(WeidError):
        beside.submit(anchors(lived, 1, b"between"))
    beside.close()


def test_two_trees_go_on_from_a_kept_state(tmp_path: Path) -> None:
    """The profile `both`: opened from its kept state, the second tree is the log's, and is signed on with the first."""
    world = World(tmp_path, profile="both")
    world.registry.submit(anchors(world, COUNT))
    world.registry.close()
    world.registry = opened(world)
    world.registry.submit(anchors(world, 10, b"more"))
    world.commit()
    twin = read_twin(world.registry.twin(), world.registry.state.authority)
    leaves = [merkle.leaf_hash(world.registry.entry(index), hash=SM3) for index in range(world.registry.size)]
    assert (twin.size, twin.root) == (world.registry.size, world.registry.engine.tree.root)
    assert twin.second == merkle.root(leaves, hash=SM3) and is_the_logs(world.registry)
    world.registry.close()
    with kept_file(world.path) as beside:
        engine = SqliteEngine.open(world.path, hash=world.genesis.hash, second=world.genesis.second)
        assert fsck(engine, pin=world.pin, beside=beside) == ()
        engine.close()
