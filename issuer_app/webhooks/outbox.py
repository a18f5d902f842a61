"""What happened, written down by the database itself in the transaction that made it so.

Triggers watch the tables of the desk, so a page, a program, a command or an import tells the same, no door can forget to,
and a crash loses neither the act nor its event. What the registry has not accepted has not happened: certificates speak
when their row says `published` or `told`, never when somebody decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from issuer_app import pointers
from issuer_app.importing import records
from issuer_app.store import Store
from weid.canon import JSON
from weid.codec import rfc3339
from weid.records import status_list_id

__all__ = ["EVENTS", "Event", "deafen", "listen", "taken", "waiting"]

EVENTS: Final = (
    "certificate.issued", "certificate.suspended", "certificate.revoked", "certificate.restored", "certificate.replaced",
    "certificate.erased", "import.checked", "import.finished", "request.waiting", "request.decided", "list.published",
)  # fmt: skip
_TABLE: Final = """CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
 made INTEGER NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, about TEXT NOT NULL, word TEXT NOT NULL) STRICT"""
_REAL: Final = "NEW.state NOT IN ('refused', 'draft')"
_WORD: Final = "substr(told, 1, instr(told || '|', '|') - 1)"  # valid is written ''
_OLD, _NEW = _WORD.replace("told", "OLD.told"), _WORD.replace("told", "NEW.told")
# name: (table, what is watched, when, event, subject, about, word); the texts are ours, nothing of a caller goes in
_BOOKS: Final = {
    "issued": ("issued", "UPDATE OF published", f"OLD.published = 0 AND NEW.published = 1 AND {_REAL}",
               "'certificate.issued'", "NEW.id", "hex(NEW.schema)", "NEW.issued"),
    # Without a status list the registry hears nothing: it is so when it is stored, an import's when it is accepted.
    "unlisted": ("issued", "INSERT", f"NEW.list IS NULL AND {_REAL}",
                 "'certificate.issued'", "NEW.id", "hex(NEW.schema)", "NEW.issued"),
    "accepted": ("issued", "UPDATE OF state", "NEW.list IS NULL AND OLD.state = 'draft' AND NEW.state = 'valid'",
                 "'certificate.issued'", "NEW.id", "hex(NEW.schema)", "NEW.issued"),
    "told": ("issued", "UPDATE OF told", f"{_OLD} <> {_NEW}",
             f"'certificate.' || CASE {_NEW} WHEN '' THEN 'restored' ELSE {_NEW} END", "NEW.id", "hex(NEW.schema)", "NEW.told"),
    "erased": ("issued", "UPDATE OF erased", "OLD.erased = 0 AND NEW.erased = 1",
               "'certificate.erased'", "NEW.id", "hex(NEW.schema)", "''"),
    "replaced": ("replaced", "UPDATE OF told", "OLD.told = 0 AND NEW.told = 1",
                 "'certificate.replaced'", "NEW.old", "''", "NEW.new"),
    "published": ("lists", "UPDATE OF seq", "NEW.seq > OLD.seq",
                  "'list.published'", "NEW.number", "hex(NEW.schema)", "NEW.seq"),
    "import": ("imports", "UPDATE OF state",
               "OLD.state <> NEW.state AND NEW.state IN ('checked', 'done', 'cancelled', 'refused')",
               "CASE NEW.state WHEN 'checked' THEN 'import.checked' ELSE 'import.finished' END", "NEW.id", "hex(NEW.schema)",
               "NEW.state || '|' || NEW.good || '|' || NEW.bad || '|' || NEW.same"),
}  # fmt: skip
_WAITING: Final = {
    "asked": ("asked", "INSERT", "NEW.state = 'waiting'", "'request.waiting'", "NEW.id", "NEW.act", "'waiting|'"),
    "decided": ("asked", "UPDATE OF state",
                "OLD.state <> NEW.state AND NEW.state IN ('done', 'declined', 'withdrawn', 'expired')",
                "'request.decided'", "NEW.id", "NEW.act", "NEW.state || '|' || NEW.result"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `made` is its second by the machine's clock; ids and states alone."""

    seq: int
    id: str
    made: int
    event: str
    subject: str
    about: str
    word: str

    def data(self, issuer: str) -> dict[str, JSON]:
        """What a receiver is told of it; `issuer` is the institution's DID."""
        group, first, parts = self.event.partition(".")[0], self.about.lower(), self.word.split("|")
        if group == "certificate":
            return _certificate(self, first, parts)
        if group == "import":
            counts: dict[str, JSON] = dict(zip(("good", "wrong", "before"), map(int, parts[1:]), strict=True))
            return {"id": self.subject, "schema": first, "state": parts[0], "counts": counts}
        if group == "list":
            return {"id": status_list_id(issuer, int(self.subject)), "schema": first, "number": int(self.word)}
        told: dict[str, JSON] = {"id": self.subject, "act": self.about, "state": parts[0]}
        return told | ({"result": parts[1]} if parts[1] else {})


def listen(books: Store, requests: Store) -> None:
    """From now on what happens in the desk's books and among its requests for a second person is written down."""
    records.prepare(books)
    with books.change() as db:
        pointers.prepare(db)
    for store, watched in ((books, _BOOKS), (requests, _WAITING)):
        with store.change() as db:
            db.execute(_TABLE)
            for name, (table, what, when, event, subject, about, word) in watched.items():
                db.execute(
                    f"CREATE TRIGGER IF NOT EXISTS event_{name} AFTER {what} ON {table} WHEN {when} BEGIN INSERT INTO events "
                    "(id, made, event, subject, about, word) VALUES ('evt_' || lower(hex(randomblob(16))), "
                    f"CAST(strftime('%s', 'now') AS INTEGER), {event}, {subject}, {about}, {word}); END"
                )


def deafen(books: Store, requests: Store) -> None:
    """Nobody wants to hear any more: nothing is written down, and what was is forgotten."""
    for store, watched in ((books, _BOOKS), (requests, _WAITING)):
        with store.change() as db:
            for name in watched:
                db.execute(f"DROP TRIGGER IF EXISTS event_{name}")
            db.execute("DROP TABLE IF EXISTS events")


def waiting(store: Store, limit: int) -> tuple[Event, ...]:
    """The oldest events that nobody has taken."""
    if not store.has("events"):
        return ()
    return tuple(Event(**row) for row in store.rows("SELECT * FROM events ORDER BY seq LIMIT ?", limit))


def taken(store: Store, events: Sequence[Event]) -> None:
    """These are in somebody else's keeping now."""
    with store.change() as db:
        db.conn.executemany("DELETE FROM events WHERE seq = ?", [(event.seq,) for event in events])


def _certificate(event: Event, schema: str, parts: list[str]) -> dict[str, JSON]:
    kind = event.event.partition(".")[2]
    if kind == "replaced":
        return {"id": event.subject, "by": event.word}
    told: dict[str, JSON] = {"id": event.subject, "schema": schema}
    if kind == "issued":
        return {**told, "state": "valid", "issued": rfc3339(int(event.word))}
    if kind in ("suspended", "revoked"):
        return {**told, "state": kind, "reason": parts[1], "changed": rfc3339(int(parts[2]))}
    return told if kind == "erased" else {**told, "state": "valid"}
