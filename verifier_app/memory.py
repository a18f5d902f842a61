"""What a verifier must remember between two checks: answers used up, questions asked, revocations seen.

Nothing of what a credential says is kept: keys are hashes and handles (R14), indices are list slots (R9).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

__all__ = ["Memory", "Question"]

KEPT_AFTER: Final = 24 * 60  # minutes an ended question stays, so that "too late" can be told from "never asked"
_TABLES: Final = """
create table if not exists seen (key blob primary key, until integer not null);
create table if not exists revoked (slot text primary key) without rowid;
create table if not exists question (
  handle text primary key, asked blob not null, request text not null, expires integer not null, used integer
);
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A challenge this verifier showed. Times are UTC minutes; `used` is when it was answered."""

    handle: str
    asked: bytes
    request: str
    expires: int
    used: int | None

    def state(self, at: int) -> str:
        """open, used or expired."""
        if self.used is not None:
            return "used"
        return "open" if at < self.expires else "expired"


class Memory:
    """The seen-set, the questions and the revoked indices, in one SQLite file (":memory:" forgets at the end)."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock = Lock()
        self._data = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._data.execute("pragma journal_mode=wal")
        self._data.executescript(_TABLES)
        self._revoked: frozenset[str] | None = None

    def close(self) -> None:
        """Closes the file; the memory is not usable afterwards."""
        with self._lock:
            self._data.close()

    def claim(self, key: str, until: int) -> bool:
        """True the first time a key is shown (R14). `until` is the minute after which it may be forgotten."""
        digest = hashlib.sha256(b"weid/seen/v1" + key.encode()).digest()
        with self._lock:
            found = self._data.execute("insert or ignore into seen values (?, ?)", (digest, until))
            return found.rowcount == 1

    def forget(self, at: int) -> None:
        """Drops what expired before the minute `at`."""
        with self._lock:
            self._data.execute("delete from seen where until < ?", (at,))
            self._data.execute("delete from question where expires < ?", (at - KEPT_AFTER,))

    def ask(self, question: Question) -> None:
        """Keeps a question that is being shown."""
        row = (question.handle, question.asked, question.request, question.expires, question.used)
        with self._lock:
            self._data.execute("insert into question values (?, ?, ?, ?, ?)", row)

    def question(self, handle: str) -> Question | None:
        """The question of that handle, answered or not."""
        with self._lock:
            row = self._data.execute("select * from question where handle = ?", (handle,)).fetchone()
        return None if row is None else Question(*row)

    def use_up(self, handle: str, at: int) -> bool:
        """Consumes a question; False when somebody was first."""
        with self._lock:
            done = self._data.execute("update question set used = ? where handle = ? and used is null", (at, handle))
            return done.rowcount == 1

    def remember_revoked(self, slots: Iterable[str]) -> None:
        """Keeps `<list id>|<index>` of what some list we trusted revoked: a later list cannot take it back (R9)."""
        with self._lock:
            self._data.execute("begin")
            self._data.executemany("insert or ignore into revoked values (?)", ((slot,) for slot in slots))
            self._data.execute("commit")
            self._revoked = None

    def revoked(self) -> frozenset[str]:
        """Every slot ever seen revoked."""
        with self._lock:
            if self._revoked is None:
                self._revoked = frozenset(row[0] for row in self._data.execute("select slot from revoked"))
            return self._revoked
