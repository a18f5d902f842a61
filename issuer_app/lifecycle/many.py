"""One change of status for many certificates: chosen by what they are or by a list, shown first, published once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from issuer_app.desk import Desk
from issuer_app.importing.cells import Table
from issuer_app.ledger import folded
from issuer_app.lifecycle import carried
from issuer_app.rights import log_time
from issuer_app.two_people import Approval, require
from weid.errors import IssueError, RejectedError
from weid.records import REASONS

__all__ = ["ACTIONS", "Changed", "Filter", "Listed", "Missing", "by_filter", "by_table", "change_many"]

ACTIONS: Final = ("revoke", "suspend", "lift")
_STATE: Final = {"revoke": "revoked", "suspend": "suspended", "lift": "valid"}
_FROM: Final = {"revoke": ("valid", "suspended"), "suspend": ("valid",), "lift": ("suspended",)}
_PAGE: Final = 500
_MOST: Final = 400_000


@dataclass(frozen=True, slots=True)
class Filter:
    """What certificates must be: a kind, the minutes they were issued in (from ≤ t < until), words they hold, a batch."""

    schema: bytes | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A line of a list that names no certificate, or several."""

    line: int
    text: str
    code: str  # not-found | several


@dataclass(frozen=True, slots=True)
class Listed:
    """The certificates a list names, and its lines that name none."""

    ids: tuple[str, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """How many certificates were changed; the others were so already, or cannot be."""

    changed: int
    left: int


def by_filter(desk: Desk, chosen: Filter, action: str) -> tuple[str, ...]:
    """The ids of certificates that fit and that the action would change, the newest first."""
    where, values = ["list IS NOT NULL", f"state IN ({', '.join('?' * len(_FROM[action]))})"], list[object](_FROM[action])
    for sql, value in (("schema = ?", chosen.schema), ("issued >= ?", chosen.since), ("issued < ?", chosen.until)):
        if value is not None:
            where.append(sql)
            values.append(value)
    for word in folded(chosen.text).split()[:8]:
        where.append("instr(find, ?) > 0")
        values.append(word)
    sql = f"SELECT id FROM issued WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"
    return tuple(row["id"] for row in desk.books.rows(sql, *values, _MOST))


def by_table(desk: Desk, table: Table) -> Listed:
    """The certificates that the first filled column names, by id (32 digits, or the first 8 and more) or by their number.

    A number is any value of a claim that stands whole in exactly one certificate.
    """
    ids, missing = dict[str, None](), []
    first = next(iter(table.header), "")
    if first and len(_named(desk, first)) == 1:  # a list without a header
        ids[_named(desk, first)[0]] = None
    for row in table.rows():
        text = next((cell.text.strip() for cell in row.cells if cell.text.strip()), "")
        if not text:
            continue
        found = _named(desk, text)
        if len(found) == 1:
            ids[found[0]] = None
        else:
            missing.append(Missing(row.number, text[:80], "several" if found else "not-found"))
    return Listed(tuple(ids), tuple(missing))


def _named(desk: Desk, text: str) -> list[str]:
    plain = text.lower()
    if len(plain) >= 8 and not plain.strip("0123456789abcdef"):
        rows = desk.books.rows(
            "SELECT id FROM issued WHERE id >= ? AND id < ? AND state NOT IN ('refused', 'draft') LIMIT 2", plain, plain + "g"
        )
        if rows:
            return [row["id"] for row in rows]
    # A whole word of what is searched in, so that 12 does not name 2026000012.
    word = f" {folded(text)} "
    sql = "SELECT id FROM issued WHERE instr(' ' || find || ' ', ?) > 0 AND state NOT IN ('refused', 'draft') LIMIT 2"
    return [row["id"] for row in desk.books.rows(sql, word)]


def change_many(
    desk: Desk, ids: Sequence[str], action: str, reason: str | None, at: int, *, publish: bool = True, planned: bool = False,
    approval: Approval | None = None, once: str | None = None,
) -> Changed:  # fmt: skip
    """Change all of them, or none; RejectedError when the registry refuses. Those that are so already are left alone.

    IssueError `bad-reason`; `second-person` for revoking where the pack asks for two, unless two agreed (`approval`) or it was
    `planned` before. What was done under the name `once` is not done again. A crash before the publication leaves all of them
    decided, and `Desk.publish` sends them.
    """
    if action != "lift" and reason not in REASONS:
        raise IssueError(f"not a reason: {reason!r}", code="bad-reason")
    if action == "revoke" and not planned:
        require(desk.terms.two_people, "revoke", approval)
    with desk.party.locked():
        noted = None if action == "lift" else min(at, log_time(desk.facts(at)))
        before = None if once is None else carried.count_of(desk.books, once)
        rows = _rows(desk, ids, _FROM[action]) if before is None else []
        kept = None if action == "lift" else reason
        with desk.books.change() as db:
            db.conn.executemany("UPDATE issued SET state = ?, reason = ?, changed = ? WHERE id = ?",
                                [(_STATE[action], kept, noted, row["id"]) for row in rows])  # fmt: skip
            if once is not None and before is None:
                carried.keep(db, once, len(rows))
        if publish and (rows or before):
            try:
                desk.publish(at)
            except RejectedError:
                _undo(desk, rows, once)
                raise
    changed = len(rows) if before is None else before
    return Changed(changed, len(ids) - changed)


def _rows(desk: Desk, ids: Sequence[str], states: tuple[str, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at in range(0, len(ids), _PAGE):
        part = ids[at : at + _PAGE]
        places, allowed = ", ".join("?" * len(part)), ", ".join("?" * len(states))
        sql = (
            f"SELECT id, state, reason, changed FROM issued WHERE id IN ({places}) AND state IN ({allowed}) AND list IS NOT NULL"
        )
        found += desk.books.rows(sql, *part, *states)
    return found


def _undo(desk: Desk, rows: Sequence[dict[str, Any]], once: str | None) -> None:
    """It is not so if nobody can see it; what the registry has heard of stays."""
    with desk.books.change() as db:
        if once is not None and rows:
            carried.forget(db, once)
        for row in rows:
            db.execute(
                "UPDATE issued SET state = ?, reason = ?, changed = ? WHERE id = ? AND "
                "(CASE WHEN told = '' THEN 'valid' ELSE substr(told, 1, instr(told, '|') - 1) END) <> state",
                (row["state"], row["reason"], row["changed"], row["id"]),
            )
