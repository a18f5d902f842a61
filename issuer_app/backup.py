"""A desk's backup: its whole folder in one sealed file, of a desk that may be at work meanwhile.

The file is lines of sealed blocks (`weid.sealed`), each naming the backup, its place and the number of blocks: none can be
left out, moved or taken from another backup. Sessions and half-written files stay behind. `issuer_app.catch_up` then
brings a restored desk up to what the registry has heard since.
"""

from __future__ import annotations

import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Final

from issuer_app.premises import UNFINISHED
from issuer_app.store import private_file
from weid.errors import ConflictError, MalformedError
from weid.sealed import Header, Passphrase, read_header, seal, unseal
from weid.suites import Random

__all__ = ["restore_folder", "write_backup"]

KIND: Final = "weid/desk-backup/v1"
_BLOCK: Final = 4 << 20  # bytes sealed at a time
_LINE: Final = 8 << 20  # characters of one line at most
_LEFT: Final = frozenset({"lock", "session.key", UNFINISHED})
_ENDS: Final = (".new", "-wal", "-shm", "-journal")
_LARGEST: Final = 1 << 36


def write_backup(
    folder: Path, output: Path, passphrase: Passphrase, *, profile: str, random: Random, cost: int | None = None
) -> int:
    """Seal the folder into a file, which is whole or not there; how many files it holds. ConflictError if it exists."""
    if output.exists():
        raise ConflictError(f"{output} exists already", code="already-exists")
    plain, copy, fresh = (output.with_name(output.name + end) for end in (".plain", ".copy", ".new"))
    name = random(16).hex()
    try:
        private_file(plain)
        with tarfile.open(plain, "w") as archive:
            count = sum(_add(archive, folder, path, copy) for path in _files(folder))
        blocks = -(-plain.stat().st_size // _BLOCK)
        private_file(fresh)
        with plain.open("rb") as source, fresh.open("wb") as target:
            for place in range(blocks):
                meta = {"backup": name, "block": str(place), "of": str(blocks)}
                data = source.read(_BLOCK)
                target.write(seal(data, passphrase, kind=KIND, random=random, meta=meta, profile=profile, cost=cost) + b"\n")
            target.flush()
            os.fsync(target.fileno())
        fresh.replace(output)
    finally:
        for path in (plain, copy, fresh):
            path.unlink(missing_ok=True)
    return count


def restore_folder(file: Path, folder: Path, passphrase: Passphrase) -> int:
    """Unpack a backup into a folder that is not there yet, all of it or nothing; how many files.

    ConflictError `already-exists`; MalformedError `bad-backup` for a file that is none, is cut short or was changed;
    KeyMaterialError for a wrong passphrase.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(f"{folder} is not empty: restore into a new folder", code="already-exists")
    plain = folder.with_name(folder.name + ".restoring")
    private_file(plain)
    try:
        with plain.open("wb") as target:
            for block in _blocks(file, passphrase):
                target.write(block)
        return _unpack(plain, folder)
    finally:
        plain.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in _LEFT and not path.name.endswith(_ENDS):
            yield path


def _add(archive: tarfile.TarFile, folder: Path, path: Path, copy: Path) -> int:
    chosen = _copied(path, copy) if path.suffix == ".db" else path
    info = tarfile.TarInfo(path.relative_to(folder).as_posix())
    with chosen.open("rb") as source:
        info.size, info.mode = os.fstat(source.fileno()).st_size, 0o600
        archive.addfile(info, source)
    return 1


def _copied(path: Path, copy: Path) -> Path:
    """A database that may be written to, as of one moment."""
    copy.unlink(missing_ok=True)
    private_file(copy)
    with closing(sqlite3.connect(path, timeout=30)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    return copy


def _blocks(file: Path, passphrase: Passphrase) -> Iterator[bytes]:
    first: Header | None = None
    place = 0
    with file.open("rb") as source:
        while line := source.readline(_LINE):
            try:
                head = read_header(line.removesuffix(b"\n"))
                first = first or head
                # Before the passphrase is stretched: a salt of its own for each line would cost a second each.
                if (head.salt, head.cost, head.meta) != (first.salt, first.cost, {**first.meta, "block": str(place)}):
                    raise _bad(file)
                yield unseal(line.removesuffix(b"\n"), passphrase, kind=KIND)
            except MalformedError as error:
                raise _bad(file) from error
            place += 1
    if first is None or first.meta.get("of") != str(place):
        raise _bad(file)


def _unpack(plain: Path, folder: Path) -> int:
    fresh = folder.with_name(folder.name + ".restored")
    if fresh.exists():
        raise ConflictError(f"{fresh} is in the way: an earlier restore left it", code="already-exists")
    count = 0
    try:
        with tarfile.open(plain, "r:") as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                source = archive.extractfile(member) if member.isfile() else None
                # What was sealed is ours, and still no name may lead out of the folder.
                if source is None or not parts or ".." in parts or member.name.startswith("/") or member.size > _LARGEST:
                    raise MalformedError("the backup names a file outside its folder", code="bad-backup")
                private_file(fresh.joinpath(*parts))
                with fresh.joinpath(*parts).open("wb") as target:
                    while part := source.read(1 << 20):
                        target.write(part)
                count += 1
        private_file(fresh / UNFINISHED)
        if folder.exists():
            folder.rmdir()
        fresh.replace(folder)
    except tarfile.TarError as error:
        raise MalformedError("this is no backup of a desk", code="bad-backup") from error
    return count


def _bad(file: Path) -> MalformedError:
    return MalformedError(f"{file.name} is no whole backup of a desk", code="bad-backup")
