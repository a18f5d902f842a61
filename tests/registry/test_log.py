"""The registry on disk: nothing acknowledged is lost, nothing flipped goes unseen, nothing older is signed."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry import log as registry_log
from registry import operations as ops
from registry.audit import fsck
from registry.checkpoint import parse_checkpoint
from registry.engines.sqlite import SqliteEngine
from registry.genesis import print_genesis
from registry.keeping import kept_file, replayed_state
from registry.log import Registry
from registry.note import NoteKey, parse_note, verify_note
from registry.signer import HighWater, OperatorKeys
from registry.snapshot import print_snapshot
from tests.registry.world import NAMES, YEAR, Stream, World
from tests.seeds import chance
from weid import merkle
from weid.errors import (
    ConflictError,
    KeyMaterialError,
    MalformedError,
    RegistryError,
    RejectedError,
    RollbackError,
    WeidError,
)  # fmt: skip
from weid.keys import LocalSigner
from weid.suites import SUITES
from weid.suites._suite import fits_own_formats


def filled(world: World, count: int = 30) -> list[bytes]:
    """Anchors by one author, one block."""
    author = world.author(world.register(world.actor()))
    made = [ops.evidence_anchor(author, world.genesis.hash(bytes([n])), "file").data for n in range(count)]
    assert all(receipt.applied for receipt in world.registry.submit(made))
    return made


def test_receipts_say_what_happened(world: World) -> None:
    """Applied and rejected entries have an index, duplicates the first one's, refused ones none."""
    made = filled(world, 3)
    other = ops.time_tick(world.author(world.operator), world.now - 5)
    receipts = world.registry.submit([made[1], other.data, b"junk"])

    assert [(r.index, r.code) for r in receipts] == [(2, "duplicate"), (4, "backwards-time"), (None, "malformed")]
    assert [receipt.applied for receipt in receipts] == [True, False, False]
    assert receipts[0].require() is receipts[0]
    with pytest.raises(RejectedError) as caught:
        receipts[1].require()
    assert caught.value.code == "backwards-time"


def test_a_batch_gives_the_results_of_its_entries_one_by_one(tmp_path: Path) -> None:
    """A DID created and used in one batch works, and batching changes no result and no root."""
    for name in "ab":
        (tmp_path / name).mkdir()
    one, two = World(tmp_path / "a", name="x"), World(tmp_path / "b", name="x")
    actor = one.actor()
    batch = [ops.did_create(one.author(actor), list(actor.signers.values())).data]
    batch += [ops.evidence_anchor(one.author(actor), bytes([n]) * 32, "file").data for n in range(20)]
    batch.append(ops.evidence_anchor(one.author(actor.signers[1]), bytes(32), "again").data)
    together = [receipt.code for receipt in one.registry.submit(batch)]
    single = [two.registry.submit([data])[0].code for data in batch]

    assert together == single
    assert one.registry.engine.tree.root == two.registry.engine.tree.root
    assert [*["applied"] * 21, "already-exists"] == together


def test_checkpoints_and_proofs(world: World) -> None:
    """The checkpoint is signed by the log key, and every entry and older size can be proven against it."""
    old = parse_checkpoint(parse_note(world.registry.checkpoint()).text)
    made = filled(world)
    note = parse_note(world.registry.checkpoint())
    verify_note(note, NoteKey(world.origin, world.genesis.log), "log")
    checkpoint = parse_checkpoint(note.text)

    assert (checkpoint.size, checkpoint.root) == (31, world.registry.engine.tree.root)
    for n, data in enumerate(made):
        leaf, path = merkle.leaf_hash(data, hash=world.genesis.hash), world.registry.inclusion(n + 1)
        merkle.verify_inclusion(leaf, n + 1, 31, path, checkpoint.root, hash=world.genesis.hash)
    path = world.registry.consistency(old.size)
    merkle.verify_consistency(old.size, old.root, 31, checkpoint.root, path, hash=world.genesis.hash)
    with pytest.raises(RegistryError):
        world.registry.entry(31)


def test_reopening_replays_to_the_same_state(world: World) -> None:
    """After closing and opening, results, root, statement and bundle are what they were."""
    filled(world)
    data = world.commit()
    before = (world.registry.results, world.registry.state.statement(), world.registry.checkpoint())
    registry = world.reopen()

    assert (registry.results, registry.state.statement(), registry.checkpoint()) == before
    assert registry.bundle() == data


def test_reading_needs_no_keys(world: World) -> None:
    """A mirror opens, proves and bundles without keys, and signs nothing."""
    filled(world)
    data = world.commit()
    world.registry.close()
    mirror = Registry.open(world.path, random=Stream("mirror"))

    assert mirror.bundle() == data
    with pytest.raises(RegistryError) as caught:
        mirror.tick(world.now + 1)
    assert caught.value.code == "no-keys"
    world.registry = mirror


def test_another_writer_is_taken_in(world: World) -> None:
    """Two writers with one file: each goes on from what the other wrote, the mark never goes back, and nothing forks."""
    twin = Registry.open(world.path, random=Stream("twin"), keys=world.keys())
    world.tick()
    world.commit()
    assert twin.tick(world.now + 1).index == 2
    assert twin.commit().code == "applied"
    assert world.registry.tick(world.now + 2).index == 4
    twin.catch_up()
    assert (twin.size, twin.engine.tree.root) == (world.registry.size, world.registry.engine.tree.root)
    assert twin.results == world.registry.results and set(twin.results) == {"applied"}
    assert HighWater.from_bytes(world.mark.read_bytes()).size == 5
    assert parse_checkpoint(parse_note(twin.checkpoint()).text).size == 5
    twin.close()
    assert not fsck(world.registry.engine, pin=world.registry.pin)


def test_a_writer_that_is_no_writer_of_ours_is_told(world: World) -> None:
    """What another process put there must add up to its own tree and be signed; else nothing is appended after it."""
    other = SqliteEngine.open(world.path, hash=world.registry.genesis.hash)
    other.append([b"junk"])
    other.keep("note", "checkpoint", b"no note")
    with pytest.raises(MalformedError):
        world.tick()
    other.close()
    with pytest.raises(WeidError):
        world.tick()


def test_two_processes_write_at_once(world: World) -> None:
    """Threads stand for processes, each with its own open file: every operation is there once, in one history."""
    writers = [Registry.open(world.path, random=Stream(f"twin {n}"), keys=world.keys()) for n in range(3)]
    actors = [[world.actor() for _ in range(6)] for _ in writers]
    made = [[ops.did_create(world.author(actor), list(actor.signers.values())).data for actor in row] for row in actors]

    def write(n: int) -> None:
        for data in made[n]:
            writers[n].submit([data])[0].require()
            writers[n].commit_if_stale()

    with ThreadPoolExecutor(len(writers)) as threads:
        list(threads.map(write, range(len(writers))))
    for writer in writers:
        writer.catch_up()
    assert len({(writer.size, writer.engine.tree.root) for writer in writers}) == 1
    assert all(actor.did in writers[0].state.tables["did"] for row in actors for actor in row)
    assert HighWater.from_bytes(world.mark.read_bytes()).size == writers[0].size
    for writer in writers:
        writer.close()
    world.registry.catch_up()
    assert not fsck(world.registry.engine, pin=world.registry.pin)


def test_bundle_needs_a_committed_state(world: World) -> None:
    """Before the first commit there is nothing to trust."""
    with pytest.raises(RegistryError) as caught:
        world.registry.bundle()
    assert caught.value.code == "no-state"


# --- the high-water mark --------------------------------------------------------------------------------------


def test_a_restored_backup_cannot_sign(world: World) -> None:
    """An older copy of the database is refused on opening, and by the signer itself."""
    filled(world)
    world.registry.close()
    backup = world.folder / "backup.db"
    shutil.copy(world.path, backup)
    world.reopen()
    world.tick()
    signed = world.registry.checkpoint()
    world.registry.close()
    shutil.copy(backup, world.path)
    for name in ("-wal", "-shm"):
        world.path.with_name(world.path.name + name).unlink(missing_ok=True)
    with pytest.raises(RollbackError) as caught:
        world.reopen()

    assert caught.value.code == "older-log"
    assert parse_checkpoint(parse_note(signed).text).size == world.keys().mark.size
    world.registry = Registry.open(world.path, random=world.random)


def test_a_rewritten_history_of_the_same_size_is_not_signed(world: World) -> None:
    """As many entries as signed, or more, but other ones: refused as another history."""
    world.tick()
    mark = world.keys().mark
    keys = world.keys()
    keys._write(HighWater(mark.origin, mark.genesis, mark.size, bytes(32)))
    with pytest.raises(RollbackError) as caught:
        world.reopen()

    assert caught.value.code == "other-history"
    world.registry = Registry.open(world.path, random=world.random)


def test_a_missing_or_foreign_mark_stops_signing(world: World, tmp_path: Path) -> None:
    """Without its mark, or with another registry's, nothing is signed; a new registry wants no old mark."""
    saved = world.mark.read_bytes()
    world.mark.unlink()
    with pytest.raises(RollbackError) as caught:
        world.tick()
    assert caught.value.code == "mark-missing"
    world.mark.write_bytes(saved.replace(b"home", b"away"))
    with pytest.raises(RollbackError) as caught:
        world.keys()
    assert caught.value.code == "mark-foreign"
    world.mark.write_bytes(b"junk")
    with pytest.raises(MalformedError):
        world.keys()
    world.mark.write_bytes(saved)
    with pytest.raises(RollbackError) as caught:
        Registry.create(tmp_path / "new.db", print_genesis(world.genesis), world.keys(), random=world.random)
    assert caught.value.code == "mark-exists"
    with pytest.raises(ConflictError):
        Registry.create(world.path, print_genesis(world.genesis), world.keys(), random=world.random)


def test_statements_are_never_signed_twice_differently(world: World) -> None:
    """An older statement, or another one of the same size, is refused."""
    world.commit()
    keys, statement = world.keys(), world.registry.state.statement()
    keys.sign_statement(statement)
    keys.sign_statement(statement)
    other = replace(statement, snapshot=bytes(32))
    for wrong, code in ((replace(statement, size=0), "older-state"), (other, "other-state")):
        with pytest.raises(RollbackError) as caught:
            keys.sign_statement(wrong)
        assert caught.value.code == code


def test_the_operators_keys_are_those_of_the_genesis(world: World) -> None:
    """Another key, role or key id is refused before anything is signed."""
    stranger = LocalSigner(world.secret(), "ed25519", world.operator.kid, "log-op")
    renamed = LocalSigner(world.operator._secret, "ed25519", "operator", "log-op")
    for operator in (stranger, renamed):
        with pytest.raises(KeyMaterialError):
            OperatorKeys(world.genesis, log=world.log_key, state=world.state_key, operator=operator, mark=world.mark)


# --- gm profile -----------------------------------------------------------------------------------------------


def test_gm_uses_sm2_and_sm3_only(tmp_path: Path) -> None:
    """R19: leaves, ids, digests and statement under SM3, every key SM2; other suites are refused."""
    world = World(tmp_path, profile="gm")
    assert world.genesis.hash.name == "sm3"
    for name in SUITES:
        if not fits_own_formats(SUITES[name]):
            continue  # its signatures are too long for any operation, in every profile
        actor = world.actor(name)
        made = ops.did_create(world.author(actor), list(actor.signers.values()))
        world.submit(made, "applied" if name == "sm2" else "wrong-suite")
    entry = world.registry.entry(0)
    leaf = merkle.leaf_hash(entry, hash=world.genesis.hash)
    assert world.registry.engine.tree.leaf(0) == leaf
    keys = [key.suite for record in world.facts().snapshot.records["did"] for key in record.keys]
    assert set(keys) == {"sm2"}


# --- fsck -----------------------------------------------------------------------------------------------------


def audit(world: World) -> tuple[tuple[int | None, str], ...]:
    engine = SqliteEngine.open(world.path, hash=world.genesis.hash)
    try:
        return tuple((found.index, found.code) for found in fsck(engine, pin=world.pin))
    finally:
        engine.close()


def hacked(world: World, *statements: str) -> None:
    """Change the file behind the triggers, and put them back."""
    connection = sqlite3.connect(world.path)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.commit()
    connection.close()


FLIP = "CAST(substr({c},1,{n}) || x'{x}' || substr({c},{n}+2) AS BLOB)"


def flip(connection_value: bytes, at: int) -> str:
    return FLIP.format(c="data", n=at, x=f"{connection_value[at] ^ 1:02x}")


def test_fsck_is_clean_on_a_healthy_file(world: World) -> None:
    """No findings on what we wrote ourselves, also over tile boundaries."""
    author = world.author(world.register(world.actor()))
    made = [ops.evidence_anchor(author, world.genesis.hash(n.to_bytes(2, "big")), "f").data for n in range(600)]
    world.registry.submit(made)
    world.commit()
    world.registry.close()

    assert audit(world) == ()


@pytest.mark.parametrize("index", [0, 7, 30])
def test_fsck_names_the_first_bad_entry(world: World, index: int) -> None:
    """A flipped bit in an entry is found at its index; opening refuses the file."""
    filled(world)
    data = world.registry.entry(index)
    world.registry.close()
    hacked(world, f"UPDATE entry SET data = {flip(data, len(data) - 1)} WHERE idx = {index}")

    assert audit(world)[0] == (index, "leaf")
    with pytest.raises(ConflictError):
        world.reopen()


def test_fsck_finds_changed_tiles_notes_and_records(world: World) -> None:
    """Tiles, checkpoint, statement, snapshot and triggers are compared too."""
    filled(world)
    world.commit()
    world.registry.close()
    original = world.path.read_bytes()
    cases = [
        ("UPDATE tile SET data = zeroblob(length(data))", "leaf"),
        ("INSERT INTO tile VALUES (99, x'00')", "tile"),
        ("UPDATE kept SET data = x'00' WHERE key = 'checkpoint'", "note"),
        ("UPDATE kept SET data = x'00' WHERE key = 'snapshot'", "state"),
        ("UPDATE meta SET value = x'00' WHERE name = 'genesis'", "genesis"),
        ("DROP TABLE kept", "file"),
        ("DELETE FROM entry WHERE idx = 5", "gap"),
    ]
    for statement, code in cases:
        world.path.write_bytes(original)
        hacked(world, statement)
        assert code in [found for _, found in audit(world)], statement


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.long)])
def test_flipped_bits_in_the_file_are_found(world: World, count: int) -> None:
    """Any single flipped bit is found, unless the content is exactly the same."""
    made = filled(world)
    world.commit()
    world.registry.close()
    original, numbers = world.path.read_bytes(), chance(count)
    entries = [*made]
    for _ in range(count):
        at = numbers.randrange(len(original) * 8)
        changed = bytearray(original)
        changed[at // 8] ^= 1 << at % 8
        world.path.write_bytes(bytes(changed))
        try:
            engine = SqliteEngine.open(world.path, hash=world.genesis.hash)
        except WeidError:
            continue
        found = fsck(engine, pin=world.pin)
        stored = [] if found else [entry.data for entry in engine.read(1, 30)]
        engine.close()
        assert found or stored == entries, at
        for name in ("-wal", "-shm"):
            world.path.with_name(world.path.name + name).unlink(missing_ok=True)
    print(f"bit flips: {count}, 0 silent")


# --- kill -9 --------------------------------------------------------------------------------------------------

WRITER = """
import sys, pathlib
from tests.registry.world import World
from registry import log, operations as ops
log._KEEP = 50  # so that it is killed while it keeps its state, too
folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
world = World(folder)
author = world.author(world.register(world.actor()))
number = 0
while True:
    block = 1 + (number * 7 + seed) % 40
    made = [ops.evidence_anchor(author, world.genesis.hash(b"%d" % (number + n)), "f") for n in range(block)]
    receipts = world.registry.submit([m.data for m in made])
    number += block
    print(receipts[-1].index, world.registry.entry(receipts[-1].index).hex(), flush=True)
"""


def killed_round(folder: Path, seed: int, keys: World) -> bool:
    """Whether it was opened from a kept state."""
    folder.mkdir()
    script = textwrap.dedent(WRITER)
    root = Path(__file__).resolve().parents[2]
    writer = subprocess.Popen([sys.executable, "-c", script, str(folder), str(seed)], stdout=subprocess.PIPE, cwd=root, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(chance(seed).uniform(0.0, 0.25))
    writer.send_signal(signal.SIGKILL)
    lines = [line for line in writer.stdout.read().splitlines() if line.count(" ") == 1]
    writer.wait()
    writer.stdout.close()
    keys.mark = folder / "home.mark"
    registry = Registry.open(folder / "home.db", random=Stream(f"after {seed}"), keys=keys.keys())
    assert registry._keeper is not None
    from_kept = registry._keeper._kept is not None
    for line in lines[:-1]:
        index, data = line.split()
        assert registry.entry(int(index)).hex() == data
    if lines:
        assert registry.size > int(lines[-1].split()[0])
    assert print_snapshot(registry.state.snapshot()) == print_snapshot(
        replayed_state(registry.engine, registry.genesis, registry.size).snapshot()
    )
    assert registry.tick(keys.now + 1).code == "applied" and registry.commit().code == "applied"
    with kept_file(folder / "home.db") as beside:
        assert fsck(registry.engine, pin=registry.pin, beside=beside) == ()
    registry.close()
    return from_kept


def killed_rounds(tmp_path: Path, seeds: range) -> int:
    """How many of them were opened from a kept state."""
    (tmp_path / "keys").mkdir()
    keys, kept = World(tmp_path / "keys"), 0
    keys.registry.close()
    for seed in seeds:
        kept += killed_round(tmp_path / str(seed), seed, keys)
        shutil.rmtree(tmp_path / str(seed))
    return kept


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Killed at a random moment of appending or keeping, every acknowledged entry is there, state is the log's, fsck is clean."""
    assert killed_rounds(tmp_path, range(10)) > 1


@pytest.mark.long
def test_kill_9_many_times(tmp_path: Path) -> None:
    """The same, five hundred times."""
    kept = killed_rounds(tmp_path, range(100, 600))
    assert kept > 250
    print(f"kills: 500, 0 acknowledged lost; {kept} opened from a kept state, 0 of them another state")


def test_fsck_takes_no_honest_refusal_for_damage(world: World) -> None:
    """A well-signed operation that a rule calls malformed is a leaf like any other: nothing was changed on the disk."""
    issuer = world.register(world.actor())
    schema = world.schema()
    world.submit(ops.issuer_apply(world.author(issuer), NAMES, [schema]))
    wrong = ops.issuer_approve(world.author(world.admin), issuer.did, schema, level=999, until=world.now + YEAR)
    world.submit(wrong, "malformed")
    assert fsck(world.registry.engine, pin=world.pin) == ()


def test_no_stranger_comes_between_a_state_and_its_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A steady stream of operations would else leave every statement stale, and no revocation would reach a bundle."""
    stranger = world.actor()
    made = ops.did_create(world.author(stranger), list(stranger.signers.values())).data
    honest, threads = registry_log.statement_digest, list[threading.Thread]()

    def slow(*given: Any, **more: Any) -> bytes:
        threads.append(threading.Thread(target=world.registry.submit, args=([made],)))
        threads[-1].start()
        threads[-1].join(0.3)
        return honest(*given, **more)

    monkeypatch.setattr(registry_log, "statement_digest", slow)
    assert world.registry.commit().code == "applied"
    threads[0].join(5)
    assert world.registry.record("did", stranger.did) is not None
