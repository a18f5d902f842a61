"""What waits, in one SQLite file: sealed under the operator's passphrase, named by a digest, gone at its hour."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.sealed import Passphrase, seal, unseal

__all__ = ["MAX_WAITING", "Shelf", "Waiting"]

KIND: Final = "waiting"
MAX_WAITING: Final = 1_000
_TABLE: Final = """
create table if not exists waiting (
  id text primary key, sealed blob not null, kept integer not null, until integer not null,
  before text not null, now text not null, checked integer not null
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One certificate: when it was kept and until when (UTC minutes), its verdict then and at the last check."""

    id: str
    item: bytes
    request: str
    kept: int
    until: int
    before: str
    now: str
    checked: int

    @property
    def changed(self) -> bool:
        """Whether newer trust data gave another verdict."""
        return self.before != self.now


class Shelf:
    """Everything that waits. KeyMaterialError `wrong-passphrase` at the start, when it was sealed under another."""

    def __init__(
        self, path: Path | str, passphrase: Passphrase, *, random: Callable[[int], bytes], profile: str = "intl",
        cost: int | None = None,
    ) -> None:  # fmt: skip
        if path != ":memory:":
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._passphrase, self._random, self._profile, self._cost = passphrase, random, profile, cost
        self._lock = Lock()
        self._data = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode=wal", "secure_delete=on"):  # what a person had erased must not stay in free pages
            self._data.execute(f"pragma {pragma}")
        self._data.executescript(_TABLE)
        row = self._data.execute("select * from waiting limit 1").fetchone()
        if row is not None:
            self._opened(row)

    def keep(self, item: bytes, *, request: str, verdict: str, at: int, until: int) -> bool:
        """Keep one, or keep it longer; False when the shelf is full."""
        name = hashlib.sha256(b"weid/waiting/v1" + item).hexdigest()[:32]
        sealed = seal(
            jcs({"item": item.decode("latin-1"), "request": request}), self._passphrase, kind=KIND, random=self._random,
            profile=self._profile, cost=self._cost,
        )  # fmt: skip
        with self._lock:
            (count,) = self._data.execute("select count(*) from waiting where id != ?", (name,)).fetchone()
            if count >= MAX_WAITING:
                return False
            row = (name, sealed, at, until, verdict, verdict, at)
            self._data.execute(
                "insert into waiting values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set until = excluded.until", row
            )
        return True

    def all(self, at: int) -> tuple[Waiting, ...]:
        """What waits at this minute, the newest first; what ended before it is erased."""
        with self._lock:
            self._purge(at)
            rows = self._data.execute("select * from waiting order by kept desc, id").fetchall()
        return tuple(self._opened(row) for row in rows)

    def judged(self, name: str, verdict: str, at: int) -> None:
        """The verdict of a new check."""
        with self._lock:
            self._data.execute("update waiting set now = ?, checked = ? where id = ?", (verdict, at, name))

    def drop(self, name: str | None) -> None:
        """Erase one, or all of them."""
        with self._lock:
            self._data.execute("delete from waiting where ? is null or id = ?", (name, name))
            self._data.execute("pragma wal_checkpoint(truncate)")

    def __len__(self) -> int:
        with self._lock:
            return int(self._data.execute("select count(*) from waiting").fetchone()[0])

    def _purge(self, at: int) -> None:
        if self._data.execute("delete from waiting where until <= ?", (at,)).rowcount:
            self._data.execute("pragma wal_checkpoint(truncate)")

    def _opened(self, row: tuple[str, bytes, int, int, str, str, int]) -> Waiting:
        name, sealed, kept, until, before, now, checked = row
        held = parse_json(unseal(sealed, self._passphrase, kind=KIND), max_bytes=8 << 20)
        if not isinstance(held, dict):
            raise MalformedError("what waits is not as it was kept")
        return Waiting(name, str(held["item"]).encode("latin-1"), str(held["request"]), kept, until, before, now, checked)
