"""The default engine: one SQLite file (WAL, synchronous=FULL), one writer at a time (`alone`).

Schema and genesis are written in ONE transaction: a crash leaves either no registry or a whole one. Entries
and their tiles are written in one transaction too, so proofs never lag behind. Triggers keep every table
append-only against a careless statement; against a hostile disk only `Registry.fsck` helps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import RLock

from registry.engines import MAX_ENTRY, EngineInfo, Entry, GapError, Head, Placed, Refused, Ticket, Wait
from registry.engines.alone import WriterLock
from registry.tiles import Growth, TileTree
from weid import merkle
from weid.errors import ConflictError, RegistryError
from weid.hashes import Hash

__all__ = ["SqliteEngine", "genesis_of"]

_FORMAT = b"weid-registry/1"
_PAGE = 1_000  # entries read at a time
_SECOND = 1 << 62  # in the key of a tile of the second tree
_BROKEN = (sqlite3.Error, UnicodeDecodeError)  # a flipped bit in a name makes sqlite3 raise the second
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE entry (idx INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE tile (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE kept (kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT;
CREATE TRIGGER entry_order BEFORE INSERT ON entry
  WHEN NEW.idx IS NOT (SELECT coalesce(max(idx), -1) + 1 FROM entry)
  BEGIN SELECT raise(ABORT, 'entries are appended in order'); END;
CREATE TRIGGER entry_fixed BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries never change'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER tile_grows BEFORE UPDATE ON tile
  WHEN NEW.key IS NOT OLD.key OR substr(NEW.data, 1, length(OLD.data)) IS NOT OLD.data
  BEGIN SELECT raise(ABORT, 'tiles only grow'); END;
CREATE TRIGGER tile_kept BEFORE DELETE ON tile BEGIN SELECT raise(ABORT, 'tiles are never deleted'); END;
CREATE TRIGGER meta_fixed BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'the genesis never changes'); END;
CREATE TRIGGER meta_kept BEFORE DELETE ON meta BEGIN SELECT raise(ABORT, 'the genesis is never deleted'); END;
"""
_INSERT = "INSERT INTO entry (idx, data) VALUES (?, ?)"
_TILE = (
    "INSERT INTO tile (key, data) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET data = excluded.data WHERE data IS NOT excluded.data"
)
_KEEP = "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data"


def genesis_of(path: Path) -> bytes:
    """The genesis bytes stored in a registry file."""
    connection = _connect(path, create=False)
    try:
        return _meta(connection, "genesis")
    finally:
        connection.close()


class SqliteEngine:
    """A LogEngine in one file; `tree` is its Merkle tree, `keep`/`kept` small named values beside the log.

    `twin` is the tree of the same entries under the hash `second`, if one is given: both grow in one transaction.
    """

    info = EngineInfo(name="sqlite", finality="local", max_entry=MAX_ENTRY, max_batch=10_000)

    def __init__(self, connection: sqlite3.Connection, *, hash: Hash, second: Hash | None = None) -> None:
        self._connection, self._hash, self._second, self._lock = connection, hash, second, RLock()
        self._staged: dict[tuple[str, str], bytes] = {}
        self.changes = 0  # goes up with whatever is stored: what was made of the store before is then out of date
        self.genesis = _meta(connection, "genesis")
        self._writer = WriterLock(Path(connection.execute("PRAGMA database_list").fetchone()[2]))
        self._version = self._others()
        self.tree, self.twin = self._grown()

    @classmethod
    def create(cls, path: Path, genesis: bytes, *, hash: Hash, second: Hash | None = None) -> SqliteEngine:
        """A new log file holding only its genesis; ConflictError if the file exists."""
        if path.exists():
            raise ConflictError(f"{path.name} exists already", code="already-exists")
        connection = _connect(path, create=True)
        connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}")
        rows = [("format", _FORMAT), ("genesis", genesis)]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        return cls(connection, hash=hash, second=second)

    @classmethod
    def open(cls, path: Path, *, hash: Hash, second: Hash | None = None) -> SqliteEngine:
        """An existing log file; RegistryError `not-a-registry` for anything else."""
        return cls(_connect(path, create=False), hash=hash, second=second)

    def alone(self) -> AbstractContextManager[bool]:
        """Write in the block while no other process does: whether it was begun just now (`WriterLock.held`)."""
        return self._writer.held()

    def behind(self) -> bool:
        """Whether another process has appended here since; cheap."""
        with self._lock:
            version = self._others()
            if version != self._version:
                self._version = version
                self.changes += 1
            return self._size() != self.tree.size

    def reload(self) -> None:
        """Take in the tree as another process has grown it. What was staged is dropped: it was of a smaller log."""
        with self._lock:
            self._staged = {}
            self.tree, self.twin = self._grown()
            self.changes += 1

    def close(self) -> None:
        """Write what was staged, unless another process has gone on, and close the file."""
        with self._lock:
            if self._staged and self.behind():
                self._staged = {}
            for (kind, key), data in self._staged.items():
                self.keep(kind, key, data)
            self._staged = {}
            self._connection.close()
            self._writer.close()

    def head(self) -> Head:
        """The size of the log; the block name is the size, as every append is final."""
        size = self._size()
        return Head(size, str(size))

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        """Append durably: when this returns a placed ticket the entries survive a crash."""
        if any(not 0 < len(data) <= MAX_ENTRY for data in entries):
            raise RegistryError(f"an entry is 1 to {MAX_ENTRY} bytes", code="entry-size")
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                first = self._size()
                if first != self.tree.size or expect not in (None, first):
                    # Another process wrote: its entries would be missing from this tree.
                    self._connection.execute("ROLLBACK")
                    return Ticket("stale", len(entries))
                growth = self.tree.grow([merkle.leaf_hash(data, hash=self._hash) for data in entries])
                self._connection.executemany(_INSERT, enumerate(entries, first))
                self._connection.executemany(_TILE, [(_key(t.level, t.index), t.data) for t in growth.tiles])
                beside = self._grow_twin(entries)
                self._connection.executemany(_KEEP, [(*name, data) for name, data in self._staged.items()])
                self._connection.execute("COMMIT")
            except _BROKEN as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise RegistryError(f"the log file refused the append: {error}", code="engine") from error
            self.tree.accept(growth)
            if self.twin is not None and beside is not None:
                self.twin.accept(beside)
            self._staged = {}
            self.changes += 1
        return Ticket(str(first), len(entries), first)

    def twin_root(self, more: Sequence[bytes]) -> bytes | None:
        """The root of the second tree if these entries were appended; None where there is no second tree."""
        if self.twin is None or self._second is None:
            return None
        return self.twin.grow([merkle.leaf_hash(data, hash=self._second) for data in more]).root

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        """Immediate: this engine knows at once."""
        return Refused("stale") if ticket.first is None else Placed(ticket.first, ticket.count)

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        """Entries from `start`, in pages; GapError on a hole."""
        end = start + limit
        while start < end:
            with self._lock:
                rows = self._rows(
                    "SELECT idx, data FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?",
                    (start, min(_PAGE, end - start)),
                )
            if not rows:
                return
            for index, data in rows:
                if index != start or not isinstance(data, bytes):
                    raise GapError(f"entry {start} is missing")
                yield Entry(index, data)
                start += 1

    def evidence(self, index: int) -> bytes | None:
        """None: the file itself is the evidence."""
        return None

    def keep(self, kind: str, key: str, data: bytes) -> None:
        """Store a small named value beside the log (published notes, register leaves)."""
        with self._lock:
            self._connection.execute(_KEEP, (kind, key, data))
            self.changes += 1

    def stage(self, kind: str, key: str, data: bytes) -> None:
        """Like `keep`, but written with the next append or on close: for what can be made again."""
        self._staged[kind, key] = data
        self.changes += 1

    def unstage(self) -> None:
        """Forget what was staged: the append it belongs to failed."""
        self._staged = {}

    def kept(self, kind: str, key: str) -> bytes | None:
        """A value stored with `keep` or `stage`, or None."""
        if (kind, key) in self._staged:
            return self._staged[kind, key]
        rows = self._rows("SELECT data FROM kept WHERE kind = ? AND key = ?", (kind, key))
        return _blob(rows[0][0]) if rows else None

    def kept_keys(self, kind: str) -> tuple[str, ...]:
        """The keys of one kind of kept value, sorted."""
        return tuple(row[0] for row in self._rows("SELECT key FROM kept WHERE kind = ? ORDER BY key", (kind,)))

    def integrity(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file, and whether tables and triggers are ours; empty if nothing."""
        try:
            said = [str(row[0]) for row in self._rows("PRAGMA integrity_check", ())]
            ours = sqlite3.connect(":memory:")
            ours.executescript(_SCHEMA)
            query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
            if self._rows(query, ()) != ours.execute(query).fetchall():
                said.append("tables or triggers were changed")
            ours.close()
        except RegistryError as error:
            return (str(error),)
        return tuple(text for text in said if text != "ok")

    def stored_tile(self, level: int, index: int, *, second: bool = False) -> bytes | None:
        """A tile as the file has it, past every cache; of the second tree if asked."""
        return self._read_second(level, index) if second else self._read_tile(level, index)

    def tile_count(self) -> int:
        """How many tiles the file has."""
        return int(self._rows("SELECT count(*) FROM tile", ())[0][0])

    def _others(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._rows("PRAGMA data_version", ())[0][0])

    def _grow_twin(self, entries: Sequence[bytes]) -> Growth | None:
        """Store what the second tree gains, in the same transaction as the first."""
        if self.twin is None or self._second is None:
            return None
        growth = self.twin.grow([merkle.leaf_hash(data, hash=self._second) for data in entries])
        self._connection.executemany(_TILE, [(_SECOND | _key(t.level, t.index), t.data) for t in growth.tiles])
        return growth

    def _grown(self) -> tuple[TileTree, TileTree | None]:
        """The stored trees, as of one moment: another process may be appending."""
        self._rows("BEGIN", ())
        try:
            size = self._size()
            tree = TileTree(size, self._read_tile, hash=self._hash)
            return tree, None if self._second is None else TileTree(size, self._read_second, hash=self._second)
        finally:
            self._rows("COMMIT", ())

    def _size(self) -> int:
        return int(self._rows("SELECT coalesce(max(idx), -1) + 1 FROM entry", ())[0][0])

    def _read_tile(self, level: int, index: int) -> bytes | None:
        return self._tile(_key(level, index))

    def _read_second(self, level: int, index: int) -> bytes | None:
        return self._tile(_SECOND | _key(level, index))

    def _tile(self, key: int) -> bytes | None:
        rows = self._rows("SELECT data FROM tile WHERE key = ?", (key,))
        return _blob(rows[0][0]) if rows else None

    def _rows(self, query: str, values: tuple[int | str, ...]) -> list[tuple]:  # type: ignore[type-arg]
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except _BROKEN as error:
            raise RegistryError(f"the log file cannot be read: {error}", code="engine") from error


def _blob(value: object) -> bytes:
    # STRICT tables check writes, not what a damaged page reads as.
    if not isinstance(value, bytes):
        raise RegistryError("the log file is damaged: bytes were stored here", code="engine")
    return value


def _key(level: int, index: int) -> int:
    return level << 48 | index


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    mode = "rwc" if create else "rw"
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except _BROKEN as error:
        raise RegistryError(f"{path.name} is not a registry file", code="not-a-registry") from error
    return connection


def _meta(connection: sqlite3.Connection, name: str) -> bytes:
    try:
        rows = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    except _BROKEN as error:
        raise RegistryError("not a registry file", code="not-a-registry") from error
    if rows.get("format") != _FORMAT or not isinstance(rows.get(name), bytes):
        raise RegistryError("not a registry file of this version", code="not-a-registry")
    return bytes(rows[name])
