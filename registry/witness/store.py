"""What a witness remembers: one SQLite file, one row a log, changed before anything is answered.

Checking the old size and writing the new one is a single statement, so of two requests at a time one is refused
(tlog-witness: otherwise the size could go back). synchronous=FULL: what was cosigned survives a crash.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from threading import RLock

from registry.authority import Authority, open_chain, print_chain
from registry.checkpoint import Checkpoint
from registry.genesis import Genesis, parse_genesis
from registry.note import NoteKey
from registry.witness.core import Watched
from weid import merkle
from weid.errors import ConflictError, MalformedError, RegistryError
from weid.hashes import SHA256

__all__ = ["WitnessStore"]

_FORMAT = 0x57454944  # "WEID"
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE log (origin TEXT PRIMARY KEY, place TEXT NOT NULL UNIQUE, chain BLOB NOT NULL,
  size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB) STRICT;
CREATE TRIGGER log_grows BEFORE UPDATE ON log WHEN NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root IS NOT OLD.root)
  BEGIN SELECT raise(ABORT, 'a log never shrinks'); END;
CREATE TRIGGER log_kept BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'a log is never forgotten'); END;
"""
_ADVANCE = "UPDATE log SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ? AND root = ?"


class WitnessStore:
    """`<folder>/witness.db` and `<folder>/evidence/`; safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, RLock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(folder / "witness.db", isolation_level=None, check_same_thread=False, timeout=10)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._create()
        except sqlite3.Error as error:
            raise RegistryError(f"the witness's file cannot be used: {error}", code="engine") from error

    def _create(self) -> None:
        version = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if version == 0:
            self._connection.executescript(f"{_SCHEMA} PRAGMA application_id = {_FORMAT}; COMMIT;")
        elif version != _FORMAT:
            raise RegistryError("not the file of a witness", code="engine")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def watch(self, genesis: bytes) -> Genesis:
        """Know one more log; ConflictError `forked` if another registry of this origin is known."""
        parsed = parse_genesis(genesis)
        chain, empty = print_chain(Authority.of(parsed)), merkle.empty_root(hash=parsed.hash)
        row = (parsed.origin, SHA256(parsed.origin.encode()).hex(), chain, 0, empty)
        self._change("INSERT INTO log VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (origin) DO NOTHING", row)
        known = self.authority(parsed.origin)
        if known is None or known.genesis != parsed:
            raise ConflictError(f"another registry called {parsed.origin} is watched already", code="forked")
        return parsed

    def follow(self, chain: bytes) -> Authority:
        """Go on with the keys of a log whose operator changed them: every link known before must be there (R21).

        Old and new keys have signed each link, so no bundle is needed, which without this witness could not exist.
        """
        fresh = open_chain(chain)
        origin = fresh.genesis.origin
        known = self.authority(origin)
        if known is None or known.genesis != fresh.genesis:
            raise RegistryError(f"{origin} is not watched", code="unknown-log")
        if fresh.digests[: len(known.digests)] != known.digests:
            raise ConflictError("another chain of key changes than the one known", code="forked")
        self._change("UPDATE log SET chain = ? WHERE origin = ? AND chain = ?", (chain, origin, print_chain(known)))
        return fresh

    def authority(self, origin: str) -> Authority | None:
        """Whose signatures count for a log, or None."""
        rows = self._rows("SELECT chain FROM log WHERE origin = ?", (origin,))
        return open_chain(bytes(rows[0][0])) if rows else None

    def log(self, origin: str) -> Watched | None:
        """A log as the witness knows it, or None."""
        rows = self._rows("SELECT chain, size, root FROM log WHERE origin = ?", (origin,))
        if not rows:
            return None
        chain, size, root = rows[0]
        authority = open_chain(bytes(chain))
        keys = tuple(NoteKey(origin, key) for key in authority.log_keys)
        return Watched(origin, keys, authority.genesis.hash, size, root)

    def logs(self) -> tuple[Watched, ...]:
        """Every log that is known, by origin."""
        found = [self.log(row[0]) for row in self._rows("SELECT origin FROM log ORDER BY origin", ())]
        return tuple(log for log in found if log is not None)

    def note(self, place: str) -> bytes | None:
        """The last cosigned note of the log whose origin has this SHA-256 in hex, or None."""
        rows = self._rows("SELECT note FROM log WHERE place = ?", (place,))
        return bytes(rows[0][0]) if rows and rows[0][0] is not None else None

    def advance(self, known: Watched, new: Checkpoint, note: bytes) -> bool:
        """Remember a checkpoint in place of the one known, durably; False if another request was quicker."""
        values = (new.size, new.root, note, known.origin, known.size, known.root)
        return self._change(_ADVANCE, values) == 1

    def keep_evidence(self, data: bytes) -> Path:
        """A file with proof that a log has two histories; the same proof is one file."""
        folder = self._folder / "evidence"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{SHA256(data)[:8].hex()}.evidence"
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        return path

    def evidence(self) -> tuple[Path, ...]:
        """The evidence kept."""
        return tuple(sorted((self._folder / "evidence").glob("*.evidence")))

    def _change(self, statement: str, values: tuple[object, ...]) -> int:
        try:
            with self._lock:
                return self._connection.execute(statement, values).rowcount
        except (sqlite3.Error, OverflowError) as error:
            raise RegistryError(f"the witness's file refused the change: {error}", code="engine") from error

    def _rows(self, query: str, values: tuple[str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise RegistryError(f"the witness's file cannot be read: {error}", code="engine") from error


def require_folder(folder: Path) -> None:
    """MalformedError `no-witness` unless a witness lives there."""
    if not (folder / "witness.db").exists():
        raise MalformedError(f"{folder} holds no witness: run `weid registry witness init`", code="no-witness")
