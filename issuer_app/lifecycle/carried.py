"""Requests that were carried out, written in the very transaction that did it: after a crash none of them is done twice."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.store import Store

__all__ = ["count_of", "forget", "keep"]

_TABLE: Final = "CREATE TABLE IF NOT EXISTS carried (request TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT"


def keep(db: Any, request: str, count: int) -> None:
    """This request has changed so many certificates."""
    db.execute(_TABLE)
    db.execute("INSERT INTO carried VALUES (?, ?)", (request, count))


def forget(db: Any, request: str) -> None:
    """It was undone."""
    db.execute(_TABLE)
    db.execute("DELETE FROM carried WHERE request = ?", (request,))


def count_of(books: Store, request: str) -> int | None:
    """How many certificates this request has changed; None if it was not carried out."""
    row = books.row("SELECT count FROM carried WHERE request = ?", request) if books.has("carried") else None
    return None if row is None else int(row["count"])
