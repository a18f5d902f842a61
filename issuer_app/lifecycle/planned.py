"""Changes of status that wait for their minute: scheduled ones, and revocations held back so that they can be taken back.

Until its minute a change is only a row here: those who check see the certificate as it was, and the pages say so. What the
registry was told is final (R9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from issuer_app.desk import Desk
from issuer_app.lifecycle import carried
from issuer_app.lifecycle.many import ACTIONS, change_many
from issuer_app.two_people import Approval, require
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
    row = desk.books.row("SELECT minutes FROM held") if desk.books.has("held") else None
    return int(row["minutes"]) if row else 0


def hold(desk: Desk, minutes: int) -> None:
    """Hold revocations back for so long from now on; IssueError `bad-hold`."""
    if not 0 <= minutes <= MOST_HELD:
        raise IssueError(f"0 to {MOST_HELD} minutes", code="bad-hold")
    with desk.books.change() as db:
        db.execute(_SETTING)
        db.execute("INSERT OR REPLACE INTO held VALUES (1, ?)", (minutes,))


def plan(
    desk: Desk, ids: Sequence[str], action: str, reason: str | None, *, due: int, at: int, by: str,
    approval: Approval | None = None, once: str | None = None,
) -> int:  # fmt: skip
    """Change these at the minute `due`; how many now wait. A later plan for a certificate takes the place of an earlier one.

    IssueError `bad-reason`; `second-person` for revoking where the pack asks for two and they have not agreed (`approval`).
    What was planned under the name `once` is not planned again, even when it was taken back since.
    """
    if action not in ACTIONS or (action != "lift" and reason not in REASONS):
        raise IssueError("a change has an action and, unless it lifts, a reason", code="bad-reason")
    if action == "revoke":
        require(desk.terms.two_people, "revoke", approval)
    with desk.books.change() as db:
        before = None if once is None else carried.count_of(desk.books, once)
        if before is not None:
            return before
        db.execute(_PLANNED)
        rows = [(id_, action, reason if action != "lift" else None, max(due, at), at, by) for id_ in ids]
        db.conn.executemany("INSERT OR REPLACE INTO planned VALUES (?, ?, ?, ?, ?, ?)", rows)
        if once is not None:
            carried.keep(db, once, len(ids))
    return len(ids)


def take_back(desk: Desk, ids: Sequence[str]) -> int:
    """Forget what was planned for these; how many there were."""
    with desk.books.change() as db:
        db.execute(_PLANNED)
        return sum(int(db.execute("DELETE FROM planned WHERE id = ?", (id_,)).rowcount) for id_ in ids)


def planned(desk: Desk, limit: int = 200, behind: tuple[int, str] | None = None) -> tuple[Planned, ...]:
    """What waits, the next first; with `behind`, what comes after this minute and id."""
    sql = "SELECT * FROM planned WHERE (due, id) > (?, ?) ORDER BY due, id LIMIT ?"
    return tuple(_planned(row) for row in _rows(desk, sql, *(behind or (-1, "")), limit))


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
                done += change_many(desk, ids, action, reason, at, publish=False, planned=True).changed
                db.conn.executemany("DELETE FROM planned WHERE id = ?", [(id_,) for id_ in ids])
        if groups:
            desk.publish(at)
    return done


def _rows(desk: Desk, sql: str, *values: object) -> list[dict[str, Any]]:
    return desk.books.rows(sql, *values) if desk.books.has("planned") else []


def _planned(row: dict[str, Any]) -> Planned:
    return Planned(row["id"], row["action"], row["reason"], row["due"], row["asked"], row["by"])
