"""Which certificate replaces which: kept beside the books, and told to the log once both are on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from credentials.replacement import replaced_kind
from issuer_app.store import Store
from weid.errors import RejectedError

__all__ = ["forget", "keep", "predecessor", "prepare", "send", "successor"]

_TABLE: Final = """CREATE TABLE IF NOT EXISTS replaced (old TEXT PRIMARY KEY, new TEXT NOT NULL UNIQUE, mark BLOB NOT NULL,
 told INTEGER NOT NULL DEFAULT 0) STRICT"""


def prepare(db: Any) -> None:
    """Make the table, for whoever watches it before anything stands in it."""
    db.execute(_TABLE)


def keep(db: Any, old: str, new: str, mark: bytes) -> None:
    """`new` replaces `old`; `mark` is the fingerprint under which the log is told."""
    prepare(db)
    db.execute("INSERT INTO replaced VALUES (?, ?, ?, 0)", (old, new, mark))


def forget(db: Any, old: str) -> None:
    """It was not replaced after all."""
    db.execute("DELETE FROM replaced WHERE old = ?", (old,))


def send(books: Store, anchor: Callable[[bytes, str], None]) -> None:
    """Anchor the pointers the log does not have yet, of certificates it has heard of."""
    sql = "SELECT replaced.* FROM replaced JOIN issued ON issued.id = replaced.new WHERE replaced.told = 0 AND published = 1"
    for row in _rows(books, sql):
        try:
            anchor(bytes(row["mark"]), replaced_kind(bytes.fromhex(row["new"])))
        except RejectedError as error:
            # Ours, after a crash; or somebody who has the old certificate was first, and its readers get no number.
            if error.code != "already-exists":
                raise
        with books.change() as db:
            db.execute("UPDATE replaced SET told = 1 WHERE old = ?", (row["old"],))


def successor(books: Store, id_: str) -> str | None:
    """The id of the certificate that replaced this one, or None."""
    found = _rows(books, "SELECT new AS id FROM replaced WHERE old = ?", id_)
    return str(found[0]["id"]) if found else None


def predecessor(books: Store, id_: str) -> str | None:
    """The id of the certificate that this one replaced, or None."""
    found = _rows(books, "SELECT old AS id FROM replaced WHERE new = ?", id_)
    return str(found[0]["id"]) if found else None


def _rows(books: Store, sql: str, *values: object) -> list[dict[str, Any]]:
    return books.rows(sql, *values) if books.has("replaced") else []
