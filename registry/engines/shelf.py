"""A file of named parts beside a log, written all or nothing. It may be lost or damaged: whoever reads it checks what it says.

One process writes it, the first that opened it to write (a lock of the system on a file beside it, which ends with its process);
every other reads it as it was. The file is not synchronised to the disk: after a loss of power it may be older, or broken, and
then is made again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import IO

__all__ = ["Shelf", "code_digest"]

_ROOT = Path(__file__).resolve().parents[2]
_BROKEN = (sqlite3.Error, OSError, UnicodeDecodeError)
_TABLE = "CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT"
_PUT = "INSERT INTO part VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data"


@cache
def code_digest() -> bytes:
    """The digest of the code that turns a log into a state: what other code has made is made again."""
    digest = sha256()
    for path in sorted((*(_ROOT / "registry").glob("*.py"), *(_ROOT / "weid").rglob("*.py"))):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()


class Shelf:
    """Parts by name. Nothing here raises for a file that cannot be read or written: there is no part then, or `put` is False.

    A reader (`write` False, or while another process writes) sees the parts as they were when it opened the file.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path, self._write, self._lock = path, write, RLock()
        self._claim: IO[bytes] | None = None
        self._connection: sqlite3.Connection | None = None
        self._claimed()
        self._connection = self._opened()

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes the file."""
        return self._claim is not None

    def get(self, name: str) -> bytes | None:
        """A part, or None."""
        with self._lock:
            if self._connection is None:
                return None
            try:
                row = self._connection.execute("SELECT data FROM part WHERE name = ?", (name,)).fetchone()
            except _BROKEN:
                return None
            return row[0] if row is not None and isinstance(row[0], bytes) else None

    def put(self, parts: Mapping[str, bytes | None], *, expect: bytes | None) -> bool:
        """Write these parts and take away those that are None, if the part `head` is still the one expected; whether it was done.

        With `expect` None whatever there was is taken away first.
        """
        with self._lock:
            if not self._take_over(expect):
                return False
            if expect is None:
                self.discard()
                self._connection = self._opened(create=True)
            if self._connection is None:
                return False
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                done = expect is None or self.get("head") == expect
                if done:
                    self._replace(parts)
                self._connection.execute("COMMIT" if done else "ROLLBACK")
            except sqlite3.OperationalError:  # the disk is full: what was written before is as good as it was
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                return False
            except _BROKEN:
                self.discard()
                return False
            return done

    def drop(self, names: Iterable[str]) -> None:
        """Take parts away that nobody asks for any more."""
        self.put(dict.fromkeys(names), expect=self.get("head") or b"")

    def discard(self) -> None:
        """Take the whole file away, if this process writes it; read no more of it."""
        with self._lock:
            _shut(self._connection)
            self._connection = None
            if self.writes:
                for end in ("", "-wal", "-shm"):
                    try:
                        self.path.with_name(self.path.name + end).unlink(missing_ok=True)
                    except OSError:
                        return

    def close(self) -> None:
        """Close the file; another process may write it."""
        with self._lock:
            _shut(self._connection)
            if self._claim is not None:
                self._claim.close()
            self._connection = self._claim = None

    def _claimed(self) -> bool:
        """Whether this process writes the file, from now on if no other does."""
        if self._claim is None and self._write:
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                claim = open(os.open(self.path.with_name(self.path.name + ".lock"), flags, 0o600), "rb")  # noqa: SIM115
            except OSError:
                return False
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                claim.close()
            else:
                self._claim = claim
        return self.writes

    def _take_over(self, expect: bytes | None) -> bool:
        """Be the one that writes, unless another process has written since this one read."""
        if self.writes or not self._claimed():
            return self.writes
        read, self._connection = self._connection, self._opened()
        if expect is None or self.get("head") == expect:
            _shut(read)
        else:
            _shut(self._connection)
            self._connection = read
            if self._claim is not None:
                self._claim.close()
            self._claim = None
        return self.writes

    def _replace(self, parts: Mapping[str, bytes | None]) -> None:
        assert self._connection is not None
        self._connection.executemany("DELETE FROM part WHERE name = ?", ((name,) for name, data in parts.items() if data is None))
        self._connection.executemany(_PUT, ((name, data) for name, data in parts.items() if data is not None))

    def _opened(self, *, create: bool = False) -> sqlite3.Connection | None:
        if not create and not self.path.exists():
            return None
        mode = "rwc" if create else "rw" if self.writes else "ro"
        try:
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=1)
        except _BROKEN:
            return None
        try:
            if self.writes:
                for pragma in ("journal_mode=WAL", "synchronous=OFF"):
                    connection.execute(f"PRAGMA {pragma}")
                connection.execute(_TABLE)
            else:
                connection.execute("BEGIN")  # everything is read as of now, whatever a running node writes meanwhile
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("SELECT 1 FROM part WHERE name = 'head'").fetchone()
        except _BROKEN:
            connection.close()
            return None
        return connection


def _shut(connection: sqlite3.Connection | None) -> None:
    try:
        if connection is not None:
            connection.close()
    except _BROKEN:
        return
