"""Certificates that end soon, for reminders and renewal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from credentials.schema import Schema
from issuer_app.desk import Desk, Issued
from weid.codec import rfc3339

__all__ = ["MOST_DAYS", "as_csv", "ending", "tame"]

_DAY = 1_440
MOST_DAYS = 3_650


def ending(desk: Desk, days: int, at: int, *, limit: int = 1_000, behind: tuple[int, int] | None = None) -> tuple[Issued, ...]:
    """Certificates in good standing that end within so many days, the first first; those replaced are not among them.

    With `behind`, those that come after this end and row number.
    """
    sql = ("SELECT id FROM issued WHERE state = 'valid' AND erased = 0 AND until > ? AND until <= ? AND (until, seq) > (?, ?) "
           "ORDER BY until, seq LIMIT ?")  # fmt: skip
    return tuple(desk.get(row["id"]) for row in desk.books.rows(sql, at, at + days * _DAY, *(behind or (-1, -1)), limit))


def as_csv(rows: Iterable[Issued], schema: Schema) -> str:
    """Id, end and the claims of certificates of one kind, for a mailing; no cell is taken for a formula."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(["id", "until", *schema.names])
    for row in rows:
        values = ["" if row.claims.get(name) is None else str(row.claims[name]) for name in schema.names]
        written.writerow([row.id, rfc3339(row.until), *map(tame, values)])
    return out.getvalue()


def tame(text: str) -> str:
    """The text of a cell that no spreadsheet program runs."""
    # Spreadsheet programs run what begins so; an apostrophe makes it text (CSV injection).
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
