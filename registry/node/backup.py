"""A registry's backup: one file with the database and its public parts, and the way back that cannot fork the log.

What is not in it, on purpose: the sealed keys (they are kept apart from the data they sign) and the high-water mark (an old
mark would let an old log be signed again). A restored log is compared with the mark that is still there; what it lacks is
pulled from a node or mirror, checked against the operator's own signature and against the mark.
"""

from __future__ import annotations

import io
import re
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.audit import fsck
from registry.checkpoint import parse_checkpoint
from registry.engines.alone import WriterLock
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis, parse_genesis
from registry.note import parse_note
from registry.operations import read_entry
from registry.proof_file import read_checkpoint
from registry.published import read_log_note
from registry.signer import HighWater
from registry.state import State
from weid import merkle
from weid.canon import jcs, parse_json
from weid.errors import ConflictError, MalformedError, RegistryError, RollbackError

__all__ = ["LEFT_OUT", "Backup", "Source", "alone", "caught_up", "fresh_mark", "pull", "read_backup", "unpack", "write_backup"]

FORM: Final = "weid/backup/v1"
LEFT_OUT: Final = ("keys/", "high-water", "audit.jsonl")
_PUBLIC: Final = ("genesis.json", "registry.toml", "handed-out")
_DATABASE: Final = "registry.db"
_MANIFEST: Final = "backup.json"
_ROOT: Final = re.compile("[0-9a-f]{64}\\Z")
_MAX_SMALL: Final = 1 << 20
_PULLED: Final = 500
_MOST: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: whose log, how much of it, and when it was made (RFC 3339)."""

    genesis: Genesis
    size: int
    root: bytes
    made: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where missing entries come from: its checkpoint note and its entries; nothing of them is checked yet."""

    note: bytes
    entry: Callable[[int], bytes]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No node or command writes to the log of a folder in the block; the folder is made if there is none.

    What restoring reads of a log it goes on from, until the last entry and the mark are written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = WriterLock(folder / _DATABASE)
    try:
        with lock.held():
            yield
    finally:
        lock.close()


def write_backup(folder: Path, output: Path, *, made: str) -> Backup:
    """Copy a registry that may be running, as of one moment; the file is whole or not there.

    RegistryError `not-a-registry` where no SQLite log lies in the folder, `engine` where it cannot be read.
    """
    if not (folder / _DATABASE).exists():
        raise RegistryError(f"{folder} has no {_DATABASE} to copy", code="not-a-registry")
    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    fresh, copy = output.with_name(output.name + ".new"), output.with_name(output.name + ".db")
    try:
        address = f"{(folder / _DATABASE).absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=4096)
            target.execute("PRAGMA journal_mode=DELETE")
        engine = SqliteEngine.open(copy, hash=genesis.hash, second=genesis.second)
        backup = Backup(genesis, engine.tree.size, engine.tree.root, made)
        engine.close()
        with tarfile.open(fresh, "w:gz") as archive:
            _add(archive, _MANIFEST, jcs({"form": FORM, "genesis": genesis.digest.hex(), "size": backup.size,
                                          "root": backup.root.hex(), "made": made}))  # fmt: skip
            for name in _PUBLIC:
                if (folder / name).exists():
                    _add(archive, name, (folder / name).read_bytes())
            archive.add(copy, _DATABASE, filter=_plain)
        fresh.replace(output)
    except sqlite3.Error as error:
        raise RegistryError(f"the log file cannot be copied: {error}", code="engine") from error
    finally:
        for path in (fresh, *(copy.with_name(copy.name + end) for end in ("", "-wal", "-shm", "-journal"))):
            path.unlink(missing_ok=True)
    return backup


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    archive.addfile(info, io.BytesIO(data))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's user name or clock in the file."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime, info.mode = 0, 0o600
    return info


def read_backup(file: Path) -> Backup:
    """What a backup says about itself; MalformedError for a file that is none."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            manifest, genesis = parse_json(_small(archive, _MANIFEST)), parse_genesis(_small(archive, "genesis.json"))
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        raise MalformedError(f"{file.name} is no backup of a registry", code="bad-backup") from error
    match manifest:
        case {"form": str(form), "genesis": str(digest), "size": int(size), "root": str(root), "made": str(made)} if form == FORM:
            if digest == genesis.digest.hex() and _ROOT.match(root):
                return Backup(genesis, size, bytes.fromhex(root), made)
    raise MalformedError(f"{file.name} is no backup of this version", code="bad-backup")


def _small(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    stream = archive.extractfile(member)
    if stream is None or member.size > _MAX_SMALL:
        raise MalformedError(f"{name} is not a file of a backup", code="bad-backup")
    return stream.read()


def unpack(file: Path, folder: Path) -> Backup:
    """Put the parts of a backup into a folder that has no database; whatever else is there stays.

    ConflictError `already-exists` or `foreign-genesis`; RegistryError `damaged` when the copy is not the log it names.
    Nothing is written outside the folder, whatever the archive's names say: only known parts are read.
    """
    backup, place = read_backup(file), folder / _DATABASE
    if place.exists():
        raise ConflictError(f"{place} exists: move it away first, it may hold more than the backup", code="already-exists")
    held = folder / "genesis.json"
    if held.exists() and parse_genesis(held.read_bytes()) != backup.genesis:
        raise ConflictError(f"{folder} is of another registry", code="foreign-genesis")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{_DATABASE}.restored"
    try:
        with tarfile.open(file, "r:gz") as archive:
            stream = archive.extractfile(archive.getmember(_DATABASE))
            if stream is None:
                raise MalformedError(f"{file.name} has no database", code="bad-backup")
            with fresh.open("wb") as target:
                while block := stream.read(1 << 20):
                    target.write(block)
            parts = {name: _small(archive, name) for name in _PUBLIC if name in archive.getnames()}
        _check(fresh, backup)
        for name, data in parts.items():
            if not (folder / name).exists():
                (folder / name).write_bytes(data)
        fresh.replace(place)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise MalformedError(f"{file.name} is no backup of a registry", code="bad-backup") from error
    finally:
        for end in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)
    return backup


def _check(path: Path, backup: Backup) -> None:
    engine = SqliteEngine.open(path, hash=backup.genesis.hash, second=backup.genesis.second)
    try:
        found = fsck(engine, pin=backup.genesis.digest)
        if found or (engine.tree.size, engine.tree.root) != (backup.size, backup.root):
            what = found[0].detail if found else "it is not the log that the backup names"
            raise RegistryError(f"the backup's database is damaged: {what}", code="damaged")
    finally:
        engine.close()


def pull(folder: Path, source: Source) -> int:
    """Append what a node or mirror has beyond this log; how many entries came.

    All is checked before any of it counts: the entries must lead to the root that the log key has signed, else
    RollbackError `other-history` and the database is as it was. The log key is the one that the log itself, with these
    entries, has passed on to (R21); SignatureError or TrustError for a note by another.
    """
    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    engine = SqliteEngine.open(folder / _DATABASE, hash=genesis.hash, second=genesis.second)
    try:
        claimed = parse_checkpoint(parse_note(source.note).text)
        start, end = engine.tree.size, claimed.size
        if end - start > _MOST:
            raise RegistryError(f"more than {_MOST} entries at once", code="too-large")
        state = State(genesis)
        for held in engine.read(0, start):
            state.apply(held.data)
        if end <= start:
            read_log_note(parse_note(source.note), state.authority)
            if engine.tree.root_at(end) != claimed.root:
                raise RollbackError("the source signed another history", code="other-history")
            return 0
        blocks = [source.entry(index) for index in range(start, end)]
        growth = engine.tree.grow([merkle.leaf_hash(data, hash=genesis.hash) for data in blocks])
        if growth.root != claimed.root:
            raise RollbackError("the entries do not lead to what was signed", code="other-history")
        for data in blocks:
            state.apply(data)
        read_checkpoint(source.note, state.authority)
        for at in range(0, len(blocks), _PULLED):
            engine.append(blocks[at : at + _PULLED])
        return end - start
    finally:
        engine.close()


def caught_up(folder: Path) -> tuple[int, HighWater | None]:
    """(size of the log, the mark or None), or RollbackError: `older-log` while the log lacks what was signed."""
    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    place = folder / "high-water"
    engine = SqliteEngine.open(folder / _DATABASE, hash=genesis.hash, second=genesis.second)
    try:
        size = engine.tree.size
        if not place.exists():
            return size, None
        mark = HighWater.from_bytes(place.read_bytes())
        if (mark.origin, mark.genesis) != (genesis.origin, genesis.digest):
            raise RollbackError("the high-water mark belongs to another registry", code="mark-foreign")
        if size < mark.size:
            raise RollbackError(f"the log has {size} entries, but {mark.size} were signed", code="older-log")
        if mark.size and engine.tree.root_at(mark.size) != mark.root:
            raise RollbackError(f"the first {mark.size} entries are not those signed before", code="other-history")
        return size, mark
    finally:
        engine.close()


def fresh_mark(folder: Path) -> HighWater:
    """A mark for a log whose own was lost: the tree as it is, and the newest state that it names.

    Only whoever is sure that nothing beyond this was ever signed may write it down: this is the operator's word.
    """
    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    engine = SqliteEngine.open(folder / _DATABASE, hash=genesis.hash, second=genesis.second)
    try:
        mark = HighWater(genesis.origin, genesis.digest, engine.tree.size, engine.tree.root)
        for entry in engine.read(0, engine.tree.size):
            try:
                operation = read_entry(entry.data, hash=genesis.hash).operation
            except MalformedError:
                continue
            # one that is refused may name any size; what the operator signed stands right where it says
            mine = operation.kid == genesis.operator_kid and operation.type == "state.commit"
            if mine and operation.body.size == entry.index:
                mark = HighWater(mark.origin, mark.genesis, mark.size, mark.root, operation.body.size, operation.body.digest)
        return mark
    finally:
        engine.close()
