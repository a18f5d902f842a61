"""What certificates of this desk stand on, kept beside them: the id, place and end of the other one, and never what it says.

It goes with the certificate when that is erased or never counts (R25).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from issuer_app.store import Store
from weid.facts import Absent, Facts, Found

if TYPE_CHECKING:
    from issuer_app.depending.judging import Base
    from issuer_app.desk import Desk

__all__ = ["Kept", "base_of", "ended", "keep", "state_of"]

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS depends (id TEXT PRIMARY KEY, base TEXT NOT NULL, schema BLOB NOT NULL, issuer TEXT NOT NULL,
 status TEXT, slot INTEGER, until INTEGER NOT NULL) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS depends_erased AFTER UPDATE OF erased ON issued WHEN NEW.erased = 1
 BEGIN DELETE FROM depends WHERE id = NEW.id; END""",
    """CREATE TRIGGER IF NOT EXISTS depends_dropped AFTER DELETE ON issued
 BEGIN DELETE FROM depends WHERE id = OLD.id; END""",
)
_GOOD: Final = "stands"


@dataclass(frozen=True, slots=True)
class Kept:
    """One certificate of ours (`own`) and what it stands on."""

    own: str
    id: str
    schema: bytes
    issuer: str
    status: str | None
    index: int | None
    until: int


def keep(db: Any, own: str, base: Base) -> None:
    """In the transaction that stores the certificate."""
    for statement in _TABLES:
        db.execute(statement)
    db.execute("INSERT OR REPLACE INTO depends VALUES (?, ?, ?, ?, ?, ?, ?)",
               (own, base.id, base.schema, base.issuer, base.status, base.index, base.until))  # fmt: skip


def base_of(books: Store, own: str) -> Kept | None:
    """What this certificate stands on."""
    found = _rows(books, "SELECT * FROM depends WHERE id = ?", own)
    return _kept(found[0]) if found else None


def state_of(facts: Facts, base: Kept, at: int) -> str:
    """What became of it by its list and the auditors' words: stands, revoked, suspended, expired or unknown.

    Keys and rights of its issuer were judged when ours was issued, and are not judged again here.
    """
    if base.status is not None and base.index is not None:
        answer, word = facts.fact("status", base.status), facts.fact("override", f"{base.status}|{base.index}")
        entry = answer.record.entry(base.index) if isinstance(answer, Found) else None
        said = {item.state for item in (entry, word.record if isinstance(word, Found) else None) if item is not None}
        for state in ("revoked", "suspended"):
            if state in said:
                return state
        if not isinstance(answer, Found) or not isinstance(word, Found | Absent):
            return "expired" if base.until <= at else "unknown"
    return "expired" if base.until <= at else _GOOD


def ended(desk: Desk, at: int, *, behind: int = 0) -> Iterator[tuple[int, Kept, str]]:
    """Certificates of ours in force whose base does not stand (any more), the oldest first: (row number, base, its state)."""
    facts = desk.facts(at)
    sql = ("SELECT depends.*, seq FROM depends JOIN issued USING (id) WHERE state IN ('valid', 'suspended') AND issued.until > ? "
           "AND seq > ? ORDER BY seq")  # fmt: skip
    for row in _rows(desk.books, sql, at, behind):
        base = _kept(row)
        state = state_of(facts, base, at)
        if state != _GOOD:
            yield row["seq"], base, state


def _rows(books: Store, sql: str, *values: object) -> list[dict[str, Any]]:
    return books.rows(sql, *values) if books.has("depends") else []


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(row["id"], row["base"], bytes(row["schema"]), row["issuer"], row["status"], row["slot"], row["until"])
