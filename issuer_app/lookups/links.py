"""One-time links: how a private look-up answers, over a channel the institution already has to the holder.

Of a link only its hash is kept; it opens once. Who asked is kept nowhere, and a look-up that found nothing leaves the
same row as one that did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from issuer_app.lookups.book import Book
from issuer_app.lookups.rules import Rule
from weid.codec import b64u
from weid.suites import Random

__all__ = ["Letter", "link_holds", "make_link", "note_asked", "open_link", "outbox"]

TOKEN: Final = 16  # bytes
_DAY: Final = 1_440  # minutes


@dataclass(frozen=True, slots=True)
class Letter:
    """What the institution is to send: the token of a link, to whom (empty: to be found in its own books), until when."""

    id: str
    contact: str
    token: str
    until: int


def note_asked(book: Book, ids: tuple[str, ...], rule: Rule, at: int) -> None:
    """Somebody asked: the newest certificate found, or nothing, is written down; the same work for both."""
    with book.store.change() as db:
        db.execute("DELETE FROM lookup_asked WHERE id = '' OR at < ?", (at - book.lookup.pace.link_days * _DAY,))
        db.execute("INSERT INTO lookup_asked (id, rule, at) VALUES (?, ?, ?)", (ids[0] if ids else "", rule.name, at))


def make_link(book: Book, id_: str, rule: str, at: int, random: Random) -> Letter:
    """A new link to a certificate and its holder's others under the rule."""
    token, until = b64u(random(TOKEN)), at + book.lookup.pace.link_days * _DAY
    with book.store.change() as db:
        db.execute("DELETE FROM lookup_links WHERE until <= ?", (at,))
        db.execute("INSERT INTO lookup_links VALUES (?, ?, ?, ?)", (_mark(token), id_, rule, until))
    return Letter(id_, book.note(id_)[0], token, until)


def outbox(book: Book, at: int, random: Random) -> tuple[Letter, ...]:
    """A link for each certificate that was asked for since the last time; they are handed out here and nowhere else."""
    with book.store.change() as db:
        rows = book.store.rows("SELECT DISTINCT id, rule FROM lookup_asked WHERE id <> '' ORDER BY seq")
        letters = tuple(make_link(book, str(row["id"]), str(row["rule"]), at, random) for row in rows)
        db.execute("DELETE FROM lookup_asked")
    return letters


def link_holds(book: Book, token: str, at: int) -> bool:
    """Whether a link would open; looking does not use it up, since mail programs look too."""
    return book.store.row("SELECT 1 FROM lookup_links WHERE mark = ? AND until > ?", _mark(token), at) is not None


def open_link(book: Book, token: str, at: int) -> Mapping[str, str] | None:
    """{id, rule} of a link, which is used up by this; None for one that is used, ended or was never made."""
    with book.store.change() as db:
        row = book.store.row("SELECT id, rule FROM lookup_links WHERE mark = ? AND until > ?", _mark(token), at)
        db.execute("DELETE FROM lookup_links WHERE mark = ?", (_mark(token),))
    return row


def _mark(token: str) -> bytes:
    """What is kept of a token: who reads the file cannot open the link."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
