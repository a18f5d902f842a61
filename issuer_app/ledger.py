"""What a desk has issued: one row a certificate, stored before the log is told anything.

The order of rows in a list is the order of the issuance register. `published` says whether the registry has the
row's place in the register, `told` which state it has heard of.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from issuer_app.problems import NotFoundError
from issuer_app.store import Store
from weid.canon import JSON
from weid.errors import StatusFullError
from weid.hashes import SHA256
from weid.records import RegisterLeaf, StatusEntry
from weid.suites import Random

__all__ = ["Issued", "Ledger", "ListRow", "Outgoing", "stored"]

_ISSUED = """CREATE TABLE IF NOT EXISTS issued (
 seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, schema BLOB NOT NULL, list INTEGER, slot INTEGER,
 issued INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, claims TEXT NOT NULL,
 compact BLOB NOT NULL, file BLOB NOT NULL, code TEXT, mark BLOB, anchored INTEGER NOT NULL, find TEXT NOT NULL,
 state TEXT NOT NULL, reason TEXT, changed INTEGER, told TEXT NOT NULL, published INTEGER NOT NULL,
 by TEXT NOT NULL, specimen INTEGER NOT NULL, request TEXT UNIQUE, asked BLOB, erased INTEGER NOT NULL DEFAULT 0,
 UNIQUE (list, slot)) STRICT"""
_LISTS = """CREATE TABLE IF NOT EXISTS lists (number INTEGER PRIMARY KEY, schema BLOB NOT NULL, seq INTEGER NOT NULL,
 last BLOB, size INTEGER NOT NULL, renewed INTEGER NOT NULL) STRICT"""
_OUTGOING = """CREATE TABLE IF NOT EXISTS outgoing (list INTEGER PRIMARY KEY, op BLOB NOT NULL, entry BLOB NOT NULL,
 seq INTEGER NOT NULL, upto INTEGER NOT NULL, told TEXT NOT NULL, renewed INTEGER NOT NULL) STRICT"""
_SALTS = "CREATE TABLE IF NOT EXISTS salts (id TEXT PRIMARY KEY, salt BLOB NOT NULL) STRICT"
_ORIGINALS = """CREATE TABLE IF NOT EXISTS originals (request TEXT PRIMARY KEY, data BLOB NOT NULL, kept INTEGER NOT NULL)
 STRICT"""
_GONE = "CREATE TABLE IF NOT EXISTS gone (mark BLOB PRIMARY KEY) STRICT"  # digests of requests whose original was erased
_RESERVED = "CREATE TABLE IF NOT EXISTS reserved (list INTEGER PRIMARY KEY) STRICT"  # lists an import is filling with drafts
_UNUSED = 30 * 1_440  # minutes for which an original waits for its certificate

_WAITING = """SELECT count(*) AS n FROM issued WHERE state NOT IN ('refused', 'draft') AND list IS NOT NULL AND (published = 0
 OR (mark IS NOT NULL AND anchored = 0)
 OR (CASE WHEN told = '' THEN 'valid' ELSE substr(told, 1, instr(told, '|') - 1) END) <> state)"""


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate; minutes since 1970. `code` is the printed code of the typed check."""

    seq: int
    id: str
    schema: bytes
    list_number: int | None
    index: int | None
    issued: int
    since: int
    until: int
    claims: Mapping[str, JSON]
    compact: bytes
    file: bytes
    code: str | None
    mark: bytes | None
    anchored: bool
    state: str  # valid | suspended | revoked | refused | draft
    reason: str | None
    changed: int | None
    told: str
    published: bool
    by: str
    specimen: bool
    asked: bytes | None
    erased: bool


@dataclass(frozen=True, slots=True)
class ListRow:
    """One status list of the desk, as the registry last accepted it."""

    number: int
    schema: bytes
    seq: int
    last: bytes | None
    size: int
    renewed: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A publication that was signed and stored, and may or may not have reached the registry."""

    list_number: int
    op: bytes
    entry: bytes
    seq: int
    upto: int
    told: Mapping[str, str]
    renewed: int


class Ledger:
    """The issued table and the state of its lists, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        with self.store.change() as db:
            for table in (_ISSUED, _LISTS, _OUTGOING, _SALTS, _ORIGINALS, _GONE, _RESERVED):
                db.execute(table)
            db.execute("CREATE INDEX IF NOT EXISTS issued_by_list ON issued (list, seq)")

    def list_for(self, schema: bytes, size: int) -> ListRow:
        """The newest list of a schema, made if there is none or it is half full (random places need room)."""
        free = "SELECT * FROM lists WHERE schema = ? AND number NOT IN (SELECT list FROM reserved) ORDER BY number DESC LIMIT 1"
        row = self.store.row(free, schema)
        if row is not None:
            used = self.store.row("SELECT count(*) AS used FROM issued WHERE list = ?", row["number"])
            if used is not None and used["used"] * 2 < row["size"]:
                return ListRow(**row)
        with self.store.change() as db:
            last = self.store.row("SELECT max(number) AS last FROM lists")
            number = (last["last"] if last and last["last"] is not None else 0) + 1
            db.table("lists").insert({"number": number, "schema": schema, "seq": 0, "last": None, "size": size, "renewed": 0})
        return ListRow(number, schema, 0, None, size, 0)

    def free_slot(self, chosen: ListRow, random: Random) -> int:
        """A free place at random, so that it says nothing about when or how many; StatusFullError after 64 tries."""
        for _ in range(64):
            slot = int.from_bytes(random(8), "big") % chosen.size
            if self.store.row("SELECT 1 FROM issued WHERE list = ? AND slot = ?", chosen.number, slot) is None:
                return slot
        raise StatusFullError(f"list {chosen.number} has no free place")

    def add(self, row: Mapping[str, Any], claims: Mapping[str, JSON]) -> Issued:
        """Store a certificate durably."""
        with self.store.change() as db:
            db.table("issued").insert(stored(row, claims, "valid"))
        return self.get(str(row["id"]))

    def get(self, id_: str) -> Issued:
        """One certificate; NotFoundError."""
        row = self.store.row("SELECT * FROM issued WHERE id = ?", id_)
        if row is None:
            raise NotFoundError(f"no certificate {id_[:64]!r}")
        return _issued(row)

    def by_request(self, request: str) -> Issued | None:
        """The certificate that a request already led to."""
        row = self.store.row("SELECT * FROM issued WHERE request = ?", request)
        return None if row is None else _issued(row)

    def find(self, text: str, limit: int) -> tuple[Issued, ...]:
        """The newest certificates that hold every word of the text somewhere: name, number or id."""
        words = folded(text).split()[:8]
        where = " AND ".join(["state NOT IN ('refused', 'draft')", *["instr(find, ?) > 0"] * len(words)])
        sql = f"SELECT * FROM issued WHERE {where} ORDER BY seq DESC LIMIT ?"
        return tuple(_issued(row) for row in self.store.rows(sql, *words, limit))

    def set_state(self, id_: str, state: str, reason: str | None, at: int | None) -> None:
        """The state this desk has decided; the registry hears of it by the next publication."""
        with self.store.change() as db:
            db.execute("UPDATE issued SET state = ?, reason = ?, changed = ? WHERE id = ?", (state, reason, at, id_))

    def erase(self, id_: str, also: Callable[[str], None]) -> None:
        """Destroy content, salts and codes of a certificate, and in the same transaction what `also` destroys of it.

        Its place in register and list stays (R6, R25).
        """
        with self.store.change() as db:
            also(id_)
            kept = self.store.row("SELECT request FROM originals JOIN issued USING (request) WHERE id = ?", id_)
            if kept is not None:
                db.execute("DELETE FROM originals WHERE request = ?", (kept["request"],))
                db.execute("INSERT OR IGNORE INTO gone VALUES (?)", (_mark(kept["request"]),))
            db.execute(
                "UPDATE issued SET claims = '{}', compact = x'', file = x'', code = NULL, find = id, request = NULL, "
                "asked = NULL, erased = 1 WHERE id = ?", (id_,),
            )  # fmt: skip
            db.execute("DELETE FROM salts WHERE id = ?", (id_,))
        self.store.checkpoint()

    def keep_original(self, request: str, data: bytes, at: int) -> None:
        """The bytes of an old certificate that is to be issued again (R30); not those that were erased here (R25)."""
        self.forget_originals(at)
        with self.store.change() as db:
            if self.store.row("SELECT 1 FROM gone WHERE mark = ?", _mark(request)) is None:
                db.execute("INSERT OR REPLACE INTO originals VALUES (?, ?, ?)", (request, data, at))

    def forget_originals(self, at: int) -> None:
        """Destroy the originals that have waited a month for a certificate."""
        with self.store.change() as db:
            unused = "kept < ? AND request NOT IN (SELECT request FROM issued WHERE request IS NOT NULL)"
            gone = db.execute(f"DELETE FROM originals WHERE {unused}", (at - _UNUSED,)).rowcount
        if gone:
            self.store.checkpoint()

    def original(self, id_: str) -> bytes | None:
        """The old certificate that this one replaces, or None."""
        row = self.store.row("SELECT data FROM originals JOIN issued USING (request) WHERE id = ?", id_)
        return None if row is None else bytes(row["data"])

    def keep_salt(self, id_: str, salt: bytes) -> None:
        """The salt of a fingerprint about this certificate; destroyed with it (R25)."""
        with self.store.change() as db:
            db.execute("INSERT OR REPLACE INTO salts (id, salt) VALUES (?, ?)", (id_, salt))

    def lists(self) -> tuple[ListRow, ...]:
        """Every list, by number."""
        return tuple(ListRow(**row) for row in self.store.rows("SELECT * FROM lists ORDER BY number"))

    def list_row(self, number: int) -> ListRow:
        """One list."""
        row = self.store.row("SELECT * FROM lists WHERE number = ?", number)
        if row is None:
            raise NotFoundError(f"no list {number}")
        return ListRow(**row)

    def leaves(self, number: int) -> tuple[tuple[RegisterLeaf, int], ...]:
        """(leaf, row number) of a list's issuance register, in order."""
        sql = "SELECT slot, id, seq FROM issued WHERE list = ? AND state NOT IN ('refused', 'draft') ORDER BY seq"
        rows = self.store.rows(sql, number)
        return tuple((RegisterLeaf(row["slot"], bytes.fromhex(row["id"])), row["seq"]) for row in rows)

    def standing(self, number: int) -> tuple[dict[int, StatusEntry], dict[int, StatusEntry]]:
        """(what the registry has heard, what this desk has decided) of every slot not in good standing."""
        rows = self.store.rows(
            "SELECT slot, state, reason, changed, told FROM issued WHERE list = ? AND "
            "(told <> '' OR state IN ('revoked', 'suspended'))", number,
        )  # fmt: skip
        told, decided = {}, {}
        for row in rows:
            if row["told"]:
                state, reason, at = row["told"].split("|")
                told[row["slot"]] = StatusEntry(row["slot"], state, reason, int(at))
            if row["state"] in ("revoked", "suspended"):
                decided[row["slot"]] = StatusEntry(row["slot"], row["state"], row["reason"], row["changed"])
        return told, decided

    def unpublished(self, number: int) -> int:
        """How many rows of a list are not in its published register."""
        row = self.store.row(
            "SELECT count(*) AS n FROM issued WHERE list = ? AND published = 0 AND state NOT IN ('refused', 'draft')", number
        )
        return int(row["n"]) if row else 0

    def refuse(self, id_: str) -> None:
        """The registry did not take it: it never counts, and its request may be made again."""
        with self.store.change() as db:
            db.execute("UPDATE issued SET state = 'refused', request = NULL WHERE id = ? AND published = 0", (id_,))

    def unanchored(self, only: str | None = None) -> Iterator[Issued]:
        """Published rows whose fingerprint is not on the log yet, or that one alone; some hundreds are held at a time."""
        sql = ("SELECT * FROM issued WHERE mark IS NOT NULL AND anchored = 0 AND published = 1 AND list IS NOT NULL "
               "AND state NOT IN ('refused', 'draft') AND seq > ? AND (? IS NULL OR id = ?) ORDER BY seq LIMIT 500")  # fmt: skip
        after = -1
        while page := self.store.rows(sql, after, only, only):
            yield from map(_issued, page)
            after = page[-1]["seq"]

    def set_anchored(self, id_: str) -> None:
        """The fingerprint is on the log."""
        with self.store.change() as db:
            db.execute("UPDATE issued SET anchored = 1 WHERE id = ?", (id_,))

    def waiting(self) -> int:
        """How many rows the registry has not fully heard of."""
        row = self.store.row(_WAITING)
        return int(row["n"]) if row else 0

    def send(self, outgoing: Outgoing) -> None:
        """Keep a signed publication until the registry has answered."""
        with self.store.change() as db:
            db.table("outgoing").insert({
                "list": outgoing.list_number, "op": outgoing.op, "entry": outgoing.entry, "seq": outgoing.seq,
                "upto": outgoing.upto, "told": json.dumps(dict(outgoing.told)), "renewed": outgoing.renewed,
            })  # fmt: skip

    def sending(self, number: int) -> Outgoing | None:
        """The publication of a list that has no answer yet."""
        row = self.store.row("SELECT * FROM outgoing WHERE list = ?", number)
        if row is None:
            return None
        return Outgoing(row["list"], row["op"], row["entry"], row["seq"], row["upto"], json.loads(row["told"]), row["renewed"])

    def sent(self, outgoing: Outgoing) -> None:
        """The registry accepted it: register, states and sequence number are as published."""
        with self.store.change() as db:
            db.execute("UPDATE issued SET published = 1 WHERE list = ? AND seq <= ? AND state NOT IN ('refused', 'draft')",
                       (outgoing.list_number, outgoing.upto))  # fmt: skip
            for slot, told in outgoing.told.items():
                db.execute("UPDATE issued SET told = ? WHERE list = ? AND slot = ?",
                           (told, outgoing.list_number, int(slot)))  # fmt: skip
            db.execute("UPDATE lists SET seq = ?, last = ?, renewed = ? WHERE number = ?",
                       (outgoing.seq, outgoing.op, outgoing.renewed, outgoing.list_number))  # fmt: skip
            db.execute("DELETE FROM outgoing WHERE list = ?", (outgoing.list_number,))

    def unsend(self, number: int) -> None:
        """The registry refused it: nothing of it counts."""
        with self.store.change() as db:
            db.execute("DELETE FROM outgoing WHERE list = ?", (number,))

    def close(self) -> None:
        """Close the file."""
        self.store.close()


def _issued(row: dict[str, Any]) -> Issued:
    return Issued(
        row["seq"], row["id"], row["schema"], row["list"], row["slot"], row["issued"], row["since"], row["until"],
        json.loads(row["claims"]), row["compact"], row["file"], row["code"], row["mark"], bool(row["anchored"]),
        row["state"], row["reason"], row["changed"], row["told"], bool(row["published"]) or row["list"] is None,
        row["by"], bool(row["specimen"]), row["asked"], bool(row["erased"]),
    )  # fmt: skip


def stored(row: Mapping[str, Any], claims: Mapping[str, JSON], state: str) -> dict[str, Any]:
    """The columns of a row as they are first stored; a `draft` is hidden from everything until its import is whole."""
    words = " ".join(str(value) for value in claims.values() if isinstance(value, str | int))
    return {
        **row, "claims": json.dumps(dict(claims), ensure_ascii=False), "find": folded(f"{row['id']} {words}"),
        "state": state, "reason": None, "changed": None, "told": "", "published": 0, "anchored": 0,
    }  # fmt: skip


def _mark(request: str) -> bytes:
    return SHA256(request.encode("utf-8"))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
