"""Certificates of an import while it is signed: drafts that nobody sees, which become valid all together or go again.

A draft holds its place in a list, and the list is the import's alone meanwhile: the order of rows in a list is the order of the
issuance register, and that may only grow at its end (R8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from credentials.issue import Slot
from issuer_app.importing.records import Line
from issuer_app.ledger import Ledger, stored
from weid.errors import StatusFullError
from weid.suites import Random

__all__ = ["Index", "Places", "accept", "drop", "keep", "lists_of", "refuse"]

_TRIES: Final = 64
_FREE: Final = (  # lists without a draft are anybody's again
    "DELETE FROM reserved WHERE list NOT IN (SELECT list FROM issued JOIN import_lines USING (id) "
    "WHERE import_lines.state = 'draft' AND list IS NOT NULL)"
)
_OURS: Final = "SELECT id FROM import_lines WHERE import = ? AND state = ?"


class Places:
    """Free places at random in lists of one schema, half of a list at most; a full list leads to the next."""

    def __init__(self, ledger: Ledger, schema: bytes, size: int, own: str) -> None:
        self._ledger, self._schema, self._size = ledger, schema, size
        self._own = own
        self._number, self._used, self._room = 0, set[int](), 0

    def next(self, random: Random) -> Slot:
        """A place nobody has; it is ours for good once the row is stored."""
        if len(self._used) * 2 >= self._room:
            self._turn()
        for _ in range(_TRIES):
            index = int.from_bytes(random(8), "big") % self._room
            if index not in self._used:
                self._used.add(index)
                return Slot(self._number, index)
        raise StatusFullError(f"list {self._number} has no free place")

    def _turn(self) -> None:
        """The list this import was filling, if it has room, else one that is kept for it from now on."""
        store = self._ledger.store
        with store.change() as db:
            held = store.rows(
                "SELECT DISTINCT list FROM issued JOIN import_lines USING (id) WHERE import = ? AND import_lines.state = 'draft' "
                "AND list IN (SELECT list FROM reserved) ORDER BY list DESC", self._own,
            )  # fmt: skip
            for row in held:
                if self._take(row["list"]):
                    return
            chosen = self._ledger.list_for(self._schema, self._size)
            db.execute("INSERT OR IGNORE INTO reserved VALUES (?)", (chosen.number,))
            self._take(chosen.number)

    def _take(self, number: int) -> bool:
        if number == self._number:
            return False
        store, size = self._ledger.store, self._ledger.list_row(number).size
        used = {row["slot"] for row in store.rows("SELECT slot FROM issued WHERE list = ?", number)}
        if len(used) * 2 >= size:
            return False
        self._number, self._used, self._room = number, used, size
        return True


Index: TypeAlias = Callable[[str, Line], None]
"""Called with a certificate's id and its line inside the transaction that stores the draft; `extra` is what it is found by."""


def keep(ledger: Ledger, own: str, made: Sequence[tuple[Line, Mapping[str, Any]]], done: int, index: Index | None = None) -> None:
    """Store drafts with the lines they came from: one transaction, one sync. What lines say for look-ups is not kept here."""
    rows = [stored(row, line.claims, "draft") for line, row in made]
    if not rows:
        return
    names = tuple(rows[0])
    sql = f"INSERT INTO issued ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    with ledger.store.change() as db:
        db.conn.executemany(sql, [tuple(row.values()) for row in rows])
        db.conn.executemany(
            "UPDATE import_lines SET state = 'draft', id = ?, claims = '{}', mark = NULL WHERE import = ? AND number = ?",
            [(row["id"], own, line.number) for line, row in made],
        )
        if index is not None:
            for line, row in made:
                index(row["id"], line)
        db.execute("UPDATE imports SET done = ? WHERE id = ?", (done, own))


def accept(ledger: Ledger, own: str) -> None:
    """Every draft of an import is a certificate from now on, all at once; its lists are free again."""
    with ledger.store.change() as db:
        db.execute(f"UPDATE issued SET state = 'valid' WHERE state = 'draft' AND id IN ({_OURS})", (own, "draft"))
        db.execute(
            "UPDATE import_lines SET state = 'issued', wrong = '[]', extra = '{}' WHERE import = ? AND state = 'draft'", (own,)
        )
        db.execute(_FREE)
        db.execute("UPDATE imports SET state = 'publishing', done = 0 WHERE id = ?", (own,))


def drop(ledger: Ledger, own: str, *, keep_lines: bool, forget: Callable[[str], None]) -> None:
    """The drafts are gone, and what they could be found by; with `keep_lines` their lines wait to be signed anew."""
    with ledger.store.change() as db:
        rows = ledger.store.rows(
            f"SELECT id, request, claims FROM issued WHERE state = 'draft' AND id IN ({_OURS})", own, "draft"
        )
        if keep_lines:
            db.conn.executemany(
                "UPDATE import_lines SET state = 'good', id = NULL, claims = ?, mark = ? WHERE import = ? AND id = ?",
                [(row["claims"], row["request"].removeprefix("import:"), own, row["id"]) for row in rows],
            )
        for row in rows:
            forget(row["id"])
        db.conn.executemany("DELETE FROM issued WHERE id = ? AND state = 'draft'", [(row["id"],) for row in rows])
        if not keep_lines:
            db.execute("DELETE FROM import_lines WHERE import = ?", (own,))
        db.execute(_FREE)
        db.execute("UPDATE imports SET done = 0 WHERE id = ?", (own,))
    ledger.store.checkpoint()


def refuse(ledger: Ledger, own: str) -> int:
    """What the registry has not taken never counts; how many rows that are."""
    with ledger.store.change() as db:
        cursor = db.execute(
            f"UPDATE issued SET state = 'refused', request = NULL WHERE published = 0 AND state = 'valid' AND id IN ({_OURS})",
            (own, "issued"),
        )
        db.execute("UPDATE import_lines SET state = 'refused' WHERE import = ? AND id IN "
                   "(SELECT id FROM issued WHERE state = 'refused')", (own,))  # fmt: skip
        return int(cursor.rowcount)


def lists_of(ledger: Ledger, own: str) -> tuple[int, ...]:
    """The lists in which an import's certificates stand."""
    rows = ledger.store.rows(
        f"SELECT DISTINCT list FROM issued WHERE list IS NOT NULL AND id IN ({_OURS}) ORDER BY list",
        own,
        "issued",
    )
    return tuple(row["list"] for row in rows)
