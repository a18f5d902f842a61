"""Links for holders: whoever has one sees one certificate, until the link ends or is withdrawn.

A link is 128 random bits in base64url. Only its SHA-256 is kept, so a copy of this file opens nothing, and it is shown once.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issuer_app.store import Store
from weid.codec import b64u
from weid.errors import IssueError
from weid.suites import Random

__all__ = ["LONGEST", "Link", "Links", "mark_of"]

DAY: Final = 1_440
LONGEST: Final = 366  # days
MOST: Final = 20  # open links of one certificate
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """One open link: the certificate it shows, who made it and the minute it ends at."""

    certificate: str
    by: str
    made: int
    until: int


class Links:
    """The links of a desk, in a file beside its ledger."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "links.db")
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS links (mark BLOB PRIMARY KEY, certificate TEXT NOT NULL, by TEXT NOT NULL, "
                       "made INTEGER NOT NULL, until INTEGER NOT NULL) STRICT")  # fmt: skip
            db.execute("CREATE INDEX IF NOT EXISTS links_by_certificate ON links (certificate)")

    def make(self, certificate: str, *, days: int, by: str, at: int, random: Random) -> str:
        """A new link's token; IssueError `bad-period` for no or too many days, `too-many-links`."""
        if not 1 <= days <= LONGEST:
            raise IssueError(f"a link lives 1 to {LONGEST} days", code="bad-period")
        token = b64u(random(16))
        with self._store.change() as db:
            db.execute("DELETE FROM links WHERE until <= ?", (at,))
            if len(self.open(certificate, at)) >= MOST:
                raise IssueError(f"{MOST} links to it are open: withdraw them first", code="too-many-links")
            db.table("links").insert(
                {"mark": mark_of(token), "certificate": certificate, "by": by, "made": at, "until": at + days * DAY}
            )
        return token

    def find(self, token: str, at: int) -> Link | None:
        """The link of a token; None for one that never was, has ended or was withdrawn: they look the same."""
        return self.of_mark(mark_of(token), at) if _TOKEN.fullmatch(token) else None

    def of_mark(self, mark: bytes, at: int) -> Link | None:
        """The link whose token has this digest, if it is open."""
        row = self._store.row("SELECT certificate, by, made, until FROM links WHERE mark = ? AND until > ?", mark, at)
        return None if row is None else Link(**row)

    def open(self, certificate: str, at: int) -> tuple[Link, ...]:
        """The open links of a certificate, oldest first."""
        sql = "SELECT certificate, by, made, until FROM links WHERE certificate = ? AND until > ? ORDER BY made"
        return tuple(Link(**row) for row in self._store.rows(sql, certificate, at))

    def withdraw(self, certificate: str) -> int:
        """End every link of a certificate at once; how many there were."""
        with self._store.change() as db:
            return int(db.execute("DELETE FROM links WHERE certificate = ?", (certificate,)).rowcount)

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def mark_of(token: str) -> bytes:
    """The digest under which a link is kept."""
    return hashlib.sha256(token.encode("ascii")).digest()
