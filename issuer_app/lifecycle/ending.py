"""Certificates that end soon, for reminders and renewal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from credentials.schema import Schema
from issuer_app.desk import Desk, Issued
from weid.codec import rfc3339

__all__ = ["as_csv", "ending"]

_DAY = 1_440


def ending(desk: Desk, days: int, at: int, *, limit: int = 1_000) -> tuple[Issued, ...]:
    """Certificates in good standing that end within so many days, the first first; those replaced are not among them."""
    sql = "SELECT id FROM issued WHERE state = 'valid' AND erased = 0 AND until > ? AND until <= ? ORDER BY until, seq LIMIT ?"
    return tuple(desk.get(row["id"]) for row in desk.books.rows(sql, at, at + days * _DAY, limit))


def as_csv(rows: Iterable[Issued], schema: Schema) -> str:
    """Id, end and the claims of certificates of one kind, for a mailing; no cell is taken for a formula."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(["id", "until", *schema.names])
    for row in rows:
        values = ["" if row.claims.get(name) is None else str(row.claims[name]) for name in schema.names]
        written.writerow([row.id, rfc3339(row.until), *map(_tame, values)])
    return out.getvalue()


def _tame(text: str) -> str:
    # Spreadsheet programs run what begins so; an apostrophe makes it text (CSV injection).
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
