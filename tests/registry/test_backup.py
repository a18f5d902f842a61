"""Backups: whole, taken while the node writes, and no way back that lets a log be signed twice."""

from __future__ import annotations

import io
import shutil
import tarfile
import threading
from pathlib import Path

import pytest

from registry import operations as ops
from registry.audit import fsck
from registry.checkpoint import Checkpoint, print_checkpoint
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.backup import FORM, Source, caught_up, fresh_mark, pull, read_backup, unpack, write_backup
from registry.note import parse_note, print_note, sign_note
from registry.signer import HighWater
from tests.registry.world import Stream, World
from weid.canon import jcs
from weid.errors import ConflictError, MalformedError, RegistryError, RollbackError, TrustError, WeidError
from weid.keys import LocalSigner

MADE = "2026-11-24T00:00:00Z"


@pytest.fixture
def home(tmp_path: Path) -> World:
    """A registry laid out as the command lays it out."""
    folder = tmp_path / "ca"
    folder.mkdir()
    world = World(folder)
    world.registry.close()
    for old, new in (("home.db", "registry.db"), ("home.mark", "high-water")):
        (folder / old).rename(folder / new)
    (folder / "genesis.json").write_bytes(print_genesis(world.genesis))
    (folder / "keys").mkdir()
    (folder / "keys" / "log.json").write_text("sealed")
    world.path, world.mark = folder / "registry.db", folder / "high-water"
    world.registry = Registry.open(world.path, random=world.random, keys=world.keys())
    world.tick()
    return world


def fill(world: World, count: int, start: int = 0) -> None:
    if not world.registry.state.tables["issuer"]:
        world.issuer(world.schema())
    author = world.author(world.admin)
    made = [ops.evidence_anchor(author, world.genesis.hash(b"%d" % n), "f").data for n in range(start, start + count)]
    assert all(receipt.applied for receipt in world.registry.submit(made))


def source(world: World) -> Source:
    return Source(world.registry.checkpoint(), world.registry.entry)


def place(world: World, target: Path) -> Path:
    """A folder with the mark as it is now, for a database to come back to."""
    target.mkdir()
    shutil.copy(world.folder / "high-water", target / "high-water")
    return target


def test_a_backup_is_the_log_without_its_secrets(home: World, tmp_path: Path) -> None:
    """Database and public parts, nobody's name; keys, mark and audit log are not in it."""
    fill(home, 20)
    home.commit()
    file = tmp_path / "ca.backup"
    made = write_backup(home.folder, file, made=MADE)
    assert (made.size, made.root) == (home.registry.size, home.registry.engine.tree.root)
    assert read_backup(file) == made
    with tarfile.open(file) as archive:
        assert set(archive.getnames()) == {"backup.json", "genesis.json", "registry.db"}
        assert {(item.uid, item.uname, item.mtime) for item in archive.getmembers()} == {(0, "", 0)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca", "ca.backup"]
    target = place(home, tmp_path / "new")
    assert unpack(file, target) == made
    assert caught_up(target) == (made.size, home.registry._keys.mark)  # type: ignore[union-attr]
    home.mark = target / "high-water"
    again = Registry.open(target / "registry.db", random=Stream("again"), keys=home.keys())
    assert (again.results, again.bundle()) == (home.registry.results, home.registry.bundle())
    assert fsck(again.engine, pin=again.pin) == ()
    again.close()
    home.registry.close()


def test_a_backup_of_a_running_node_is_one_moment(home: World, tmp_path: Path) -> None:
    """While another thread appends, every copy is a sound log of some size that was reached."""
    fill(home, 1)
    stop = threading.Event()

    def write() -> None:
        number = 1
        while not stop.is_set():
            fill(home, 7, number)
            number += 7

    thread = threading.Thread(target=write)
    thread.start()
    try:
        sizes = []
        for number in range(4):
            file = tmp_path / f"{number}.backup"
            sizes.append(write_backup(home.folder, file, made=MADE).size)
            unpack(file, tmp_path / f"new-{number}")  # checks every leaf, tile and signature
    finally:
        stop.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert home.registry.size >= sizes[-1]
    home.registry.close()


def test_an_old_backup_is_not_signed_until_it_has_caught_up(home: World, tmp_path: Path) -> None:
    """older-log by name; after pulling what a mirror has, the same log goes on, and its bundles too."""
    fill(home, 5)
    file = tmp_path / "old.backup"
    write_backup(home.folder, file, made=MADE)
    fill(home, 30, 5)
    home.commit()
    target = place(home, tmp_path / "new")
    unpack(file, target)
    with pytest.raises(RollbackError) as caught:
        caught_up(target)
    assert caught.value.code == "older-log"
    home.mark = target / "high-water"
    with pytest.raises(RollbackError):
        Registry.open(target / "registry.db", random=Stream("no"), keys=home.keys())
    assert pull(target, source(home)) == 31  # thirty anchors and the commit
    assert pull(target, source(home)) == 0
    size, mark = caught_up(target)
    assert mark is not None and size == mark.size == home.registry.size
    again = Registry.open(target / "registry.db", random=Stream("yes"), keys=home.keys())
    assert again.results == home.registry.results
    assert again.tick(home.now + 1).code == "applied"
    assert again.commit().code == "applied"
    assert fsck(again.engine, pin=again.pin) == ()
    again.close()
    home.registry.close()


def test_a_mirror_that_lies_changes_nothing(home: World, tmp_path: Path) -> None:
    """Other entries, entries of another order, too few: refused, and the database is as it was."""
    fill(home, 5)
    file = tmp_path / "old.backup"
    write_backup(home.folder, file, made=MADE)
    fill(home, 9, 5)
    honest = source(home)
    target = place(home, tmp_path / "new")
    size = unpack(file, target).size
    for lie in (
        lambda n: honest.entry(n)[:-1] + b"x",
        lambda n: honest.entry(size),
        lambda n: b"junk",
        lambda n: honest.entry(n - 1),
    ):
        with pytest.raises(WeidError) as caught:
            pull(target, Source(honest.note, lie))
        assert caught.value.code == "other-history"
    forged = sign_note(print_checkpoint(Checkpoint(home.origin, 3, bytes(32))), home.origin, home.log_key)
    with pytest.raises(RollbackError):
        pull(target, Source(print_note(forged), honest.entry))
    stranger = sign_note(parse_note(honest.note).text, home.origin, LocalSigner(home.secret(), home.suite, "x", "log"))
    with pytest.raises(TrustError):
        pull(target, Source(print_note(stranger), honest.entry))
    with pytest.raises(RollbackError):
        caught_up(target)
    again = Registry.open(target / "registry.db", random=Stream("still"))
    assert (again.size, fsck(again.engine, pin=again.pin)) == (size, ())
    again.close()
    home.registry.close()


def test_a_log_of_another_history_is_refused_by_the_mark(home: World, tmp_path: Path) -> None:
    """As long as the signed one, or longer, but not it."""
    fill(home, 5)
    file = tmp_path / "a.backup"
    write_backup(home.folder, file, made=MADE)
    target = tmp_path / "new"
    unpack(file, target)
    mark = home.registry._keys.mark  # type: ignore[union-attr]
    (target / "high-water").write_bytes(HighWater(mark.origin, mark.genesis, mark.size, bytes(32)).to_bytes())
    with pytest.raises(RollbackError) as caught:
        caught_up(target)
    assert caught.value.code == "other-history"
    (target / "high-water").write_bytes(HighWater("else", mark.genesis).to_bytes())
    with pytest.raises(RollbackError) as caught:
        caught_up(target)
    assert caught.value.code == "mark-foreign"
    home.registry.close()


def test_a_lost_mark_is_made_anew_from_the_log(home: World, tmp_path: Path) -> None:
    """Tree and newest state statement; what strangers wrote about states does not count."""
    fill(home, 5)
    home.commit()
    home.submit(ops.state_commit(home.author(home.admin), 1 << 40, bytes(32)), "wrong-role")
    mark = home.registry._keys.mark  # type: ignore[union-attr]
    assert fresh_mark(home.folder) == mark
    home.registry.close()


def test_nothing_is_overwritten_and_nothing_damaged_comes_in(home: World, tmp_path: Path) -> None:
    """A database that is there, another registry's folder, a cut file, a changed database, names that climb."""
    fill(home, 40)
    home.commit()
    file = tmp_path / "a.backup"
    write_backup(home.folder, file, made=MADE)
    with pytest.raises(ConflictError) as caught:
        unpack(file, home.folder)
    assert caught.value.code == "already-exists"
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    other = World(foreign, name="other")
    other.registry.close()
    (foreign / "genesis.json").write_bytes(print_genesis(other.genesis))
    with pytest.raises(ConflictError) as caught:
        unpack(file, foreign)
    assert caught.value.code == "foreign-genesis"
    for wrong in (b"", b"junk", file.read_bytes()[:-400], file.read_bytes()[:200]):
        (tmp_path / "cut").write_bytes(wrong)
        with pytest.raises((MalformedError, RegistryError)):
            unpack(tmp_path / "cut", tmp_path / "cut-into")
        assert not (tmp_path / "cut-into" / "registry.db").exists()
    with pytest.raises(RegistryError) as caught:
        unpack(changed(file, tmp_path / "changed"), tmp_path / "changed-into")
    assert caught.value.code == "damaged"
    assert not (tmp_path / "changed-into" / "registry.db").exists()
    assert not (tmp_path / "climbed").exists()
    home.registry.close()


@pytest.mark.parametrize("wrong", ["zz", "", "00", "0" * 63, "0" * 66, "A" * 64, " " + "0" * 64])
def test_a_manifest_has_a_root(home: World, tmp_path: Path, wrong: str) -> None:
    """`bad-backup`: what is no root in hex is no backup."""
    file = tmp_path / "wrong.backup"
    manifest = {"form": FORM, "genesis": home.pin.hex(), "size": 1, "root": wrong, "made": MADE}
    with tarfile.open(file, "w:gz") as archive:
        for name, data in (("backup.json", jcs(dict(manifest))), ("genesis.json", print_genesis(home.genesis))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with pytest.raises(MalformedError) as caught:
        read_backup(file)
    assert caught.value.code == "bad-backup"
    home.registry.close()


def changed(file: Path, output: Path) -> Path:
    """The backup with one byte of an entry changed, and a part whose name would climb out of the folder."""
    with tarfile.open(file) as source, tarfile.open(output, "w:gz") as target:
        for item in source.getmembers():
            stream = source.extractfile(item)
            assert stream is not None
            data = stream.read()
            if item.name == "registry.db":
                at = data.rindex(b"evidence.anchor")
                data = data[: at + 40] + bytes([data[at + 40] ^ 1]) + data[at + 41 :]
            target.addfile(item, io.BytesIO(data))
        climbing = tarfile.TarInfo("../climbed")
        target.addfile(climbing, io.BytesIO(b""))
    return output
