"""The SQLite files of the app: durable, readable by their owner only, and forgetting what is deleted."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Store", "private_file"]


class Store:
    """One SQLite file shared by the threads of a process (None: in memory); `change()` is one transaction."""

    def __init__(self, path: Path | None) -> None:
        from sqlite_utils import Database

        if path is not None:
            private_file(path)
        connection = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=30, isolation_level=None)
        # Deleted personal data must not stay readable in free pages (R25), nor a stored row be lost in a crash.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        self._database: Database = Database(connection)
        self._lock = threading.RLock()

    @contextmanager
    def change(self) -> Iterator[Database]:
        """One write transaction; what the block raises undoes it."""
        with self._lock:
            if self._database.conn.in_transaction:
                yield self._database
                return
            self._database.conn.execute("BEGIN IMMEDIATE")
            with self._database.conn:  # commits, or rolls back what the block raised
                yield self._database

    def has(self, table: str) -> bool:
        """Whether there is a table of this name; a read, where making it would take the file's write lock."""
        return self.row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table) is not None

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries."""
        with self._lock:
            return list(self._database.query(sql, values))

    def row(self, sql: str, *values: object) -> dict[str, Any] | None:
        """The first row of a query."""
        return next(iter(self.rows(sql, *values)), None)

    def checkpoint(self) -> None:
        """Empty the write-ahead log, so that erased bytes leave the disk too."""
        with self._lock:
            self._database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.conn.close()


def private_file(path: Path) -> None:
    """Create a file that only its owner may read, before anything is written to it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
