"""Changes of status that wait for their minute: scheduled ones, and revocations held back so that they can be taken back.

Until its minute a change is only a row here: those who check see the certificate as it was, and the pages say so. What the
registry was told is final (R9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from issuer_app.desk import Desk
from issuer_app.lifecycle.many import ACTIONS, change_many
from weid.errors import IssueError
from weid.records import REASONS

__all__ = ["MOST_HELD", "Planned", "held_minutes", "hold", "of", "plan", "planned", "run_due", "take_back"]

MOST_HELD: Final = 10_080  # a week: longer, and a revocation is no answer to anything
_PLANNED: Final = """CREATE TABLE IF NOT EXISTS planned (id TEXT PRIMARY KEY, action TEXT NOT NULL, reason TEXT,
 due INTEGER NOT NULL, asked INTEGER NOT NULL, by TEXT NOT NULL) STRICT"""
_SETTING: Final = "CREATE TABLE IF NOT EXISTS held (one INTEGER PRIMARY KEY CHECK (one = 1), minutes INTEGER NOT NULL) STRICT"


@dataclass(frozen=True, slots=True)
class Planned:
    """One change that waits; minutes since 1970."""

    id: str
    action: str
    reason: str | None
    due: int
    asked: int
    by: str


def held_minutes(desk: Desk) -> int:
    """How long revocations are held back before the registry is told; 0: not at all."""
    with desk.books.change() as db:
        db.execute(_SETTING)
    row = desk.books.row("SELECT minutes FROM held")
    return int(row["minutes"]) if row else 0


def hold(desk: Desk, minutes: int) -> None:
    """Hold revocations back for so long from now on; IssueError `bad-hold`."""
    if not 0 <= minutes <= MOST_HELD:
        raise IssueError(f"0 to {MOST_HELD} minutes", code="bad-hold")
    with desk.books.change() as db:
        db.execute(_SETTING)
        db.execute("INSERT OR REPLACE INTO held VALUES (1, ?)", (minutes,))


def plan(desk: Desk, ids: Sequence[str], action: str, reason: str | None, *, due: int, at: int, by: str) -> int:
    """Change these at the minute `due`; how many now wait. A later plan for a certificate takes the place of an earlier one."""
    if action not in ACTIONS or (action != "lift" and reason not in REASONS):
        raise IssueError("a change has an action and, unless it lifts, a reason", code="bad-reason")
    with desk.books.change() as db:
        db.execute(_PLANNED)
        rows = [(id_, action, reason if action != "lift" else None, max(due, at), at, by) for id_ in ids]
        db.conn.executemany("INSERT OR REPLACE INTO planned VALUES (?, ?, ?, ?, ?, ?)", rows)
    return len(ids)


def take_back(desk: Desk, ids: Sequence[str]) -> int:
    """Forget what was planned for these; how many there were."""
    with desk.books.change() as db:
        db.execute(_PLANNED)
        return sum(int(db.execute("DELETE FROM planned WHERE id = ?", (id_,)).rowcount) for id_ in ids)


def planned(desk: Desk, limit: int = 200) -> tuple[Planned, ...]:
    """What waits, the next first."""
    return tuple(_planned(row) for row in _rows(desk, "SELECT * FROM planned ORDER BY due, id LIMIT ?", limit))


def of(desk: Desk, id_: str) -> Planned | None:
    """What waits for one certificate."""
    found = _rows(desk, "SELECT * FROM planned WHERE id = ?", id_)
    return _planned(found[0]) if found else None


def run_due(desk: Desk, at: int) -> int:
    """Do what is due, with one publication for each kind of change; how many certificates were changed.

    The rows go in the transaction that decides them, so none is done twice and none is lost.
    """
    done = 0
    with desk.party.locked():
        due = [_planned(row) for row in _rows(desk, "SELECT * FROM planned WHERE due <= ? ORDER BY due", at)]
        groups: dict[tuple[str, str | None], list[str]] = {}
        for row in due:
            groups.setdefault((row.action, row.reason), []).append(row.id)
        for (action, reason), ids in groups.items():
            with desk.books.change() as db:
                done += change_many(desk, ids, action, reason, at, publish=False).changed
                db.conn.executemany("DELETE FROM planned WHERE id = ?", [(id_,) for id_ in ids])
        if groups:
            desk.publish(at)
    return done


def _rows(desk: Desk, sql: str, *values: object) -> list[dict[str, Any]]:
    with desk.books.change() as db:
        db.execute(_PLANNED)
    return desk.books.rows(sql, *values)


def _planned(row: dict[str, Any]) -> Planned:
    return Planned(row["id"], row["action"], row["reason"], row["due"], row["asked"], row["by"])
