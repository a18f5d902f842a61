"""What a desk keeps of its imports: one row an import, one a line of the file, in the same file as the certificates.

So a certificate and the line it came from are stored in one transaction: a crash leaves both or neither. The uploaded bytes and
the values of lines are personal data; they go as soon as they are not needed. What stands in no certificate is sealed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from issuer_app.importing.boxes import Boxes
from issuer_app.importing.checking import Checked, Wrong
from issuer_app.importing.columns import Mapped
from issuer_app.problems import NotFoundError
from issuer_app.store import Store
from weid.canon import JSON

__all__ = ["BUSY", "Import", "Imports", "Line", "prepare"]

BUSY: Final = ("checking", "signing", "publishing", "proving")
"""States in which work is under way, or was when a process was killed."""
_KEPT: Final = 30 * 1_440  # minutes for which files and wrong lines wait for somebody

_NONE: Final = (None, "{}", "{}")  # mark, claims and extra of a line that will not be issued
_IMPORTS = """CREATE TABLE IF NOT EXISTS imports (
 id TEXT PRIMARY KEY, state TEXT NOT NULL, schema BLOB NOT NULL, name TEXT NOT NULL, by TEXT NOT NULL, created INTEGER NOT NULL,
 form TEXT NOT NULL, detail TEXT NOT NULL, header TEXT NOT NULL, columns TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
 notices TEXT NOT NULL, digest BLOB NOT NULL, parent TEXT, request TEXT UNIQUE, total INTEGER NOT NULL DEFAULT 0,
 good INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, same INTEGER NOT NULL DEFAULT 0,
 done INTEGER NOT NULL DEFAULT 0, at INTEGER, kid TEXT, code TEXT, cancel INTEGER NOT NULL DEFAULT 0,
 auto INTEGER NOT NULL DEFAULT 0, root BLOB, size INTEGER,
 op BLOB, entry BLOB) STRICT"""
_LINES = """CREATE TABLE IF NOT EXISTS import_lines (
 import TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, mark TEXT, claims TEXT NOT NULL, extra TEXT NOT NULL,
 wrong TEXT NOT NULL, cells TEXT NOT NULL, id TEXT, PRIMARY KEY (import, number)) STRICT"""
_SOURCES = "CREATE TABLE IF NOT EXISTS import_sources (import TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT"
_PROOFS = """CREATE TABLE IF NOT EXISTS import_proofs (id TEXT PRIMARY KEY, import TEXT NOT NULL, place INTEGER NOT NULL,
 proof BLOB NOT NULL) STRICT"""
_BY_ID = "CREATE INDEX IF NOT EXISTS import_lines_by_id ON import_lines (id) WHERE id IS NOT NULL"
# Erasing a certificate destroys the proof that it was in a batch, salt and all (R25), whoever erases it.
_ERASED = """CREATE TRIGGER IF NOT EXISTS import_erased AFTER UPDATE OF erased ON issued WHEN NEW.erased = 1
 BEGIN DELETE FROM import_proofs WHERE id = NEW.id; END"""


@dataclass(frozen=True, slots=True)
class Import:
    """One import. States: mapping, checking, checked, signing, publishing, proving, done, cancelled, refused.

    `done` counts the lines of the step under way; `code` says what stopped it; `at` is the minute its certificates are of.
    """

    id: str
    state: str
    schema: bytes
    name: str
    by: str
    created: int
    form: str
    detail: str
    header: tuple[str, ...]
    mapped: Mapped
    notices: tuple[str, ...]
    digest: bytes
    parent: str | None
    total: int
    good: int
    bad: int
    same: int
    done: int
    at: int | None
    kid: str | None
    code: str | None
    cancel: bool
    auto: bool
    root: bytes | None
    size: int | None
    op: bytes | None
    entry: bytes | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an import. `wrong` is (column, key of a text, what fills its gaps); `cells` only where something is wrong."""

    number: int
    state: str  # good | bad | same | draft | issued | refused
    mark: str | None
    claims: Mapping[str, JSON]
    extra: Mapping[str, str]
    wrong: tuple[tuple[int, str, Mapping[str, Any]], ...]
    cells: tuple[str, ...]
    id: str | None


class Imports:
    """The imports of a desk, over the store of its ledger."""

    def __init__(self, store: Store, boxes: Boxes) -> None:
        self.store, self._boxes = store, boxes
        prepare(store)

    def add(self, made: Import, data: bytes, request: str | None) -> None:
        """A new import with its file."""
        with self.store.change() as db:
            db.execute(
                "INSERT INTO imports (id, state, schema, name, by, created, form, detail, header, columns, key, kind, notices, "
                "digest, parent, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (made.id, made.state, made.schema, made.name, made.by, made.created, made.form, made.detail,
                 _json(made.header), _json(made.mapped.columns), made.mapped.key, made.mapped.kind, _json(made.notices),
                 made.digest, made.parent, request),
            )  # fmt: skip
            db.execute("INSERT INTO import_sources VALUES (?, ?)", (made.id, self._boxes.close(data, made.id)))

    def get(self, id_: str) -> Import:
        """One import; NotFoundError."""
        row = self.store.row("SELECT * FROM imports WHERE id = ?", id_)
        if row is None:
            raise NotFoundError("there is no such import")
        return _import(row)

    def by_request(self, request: str) -> Import | None:
        """The import a program's key already led to."""
        row = self.store.row("SELECT * FROM imports WHERE request = ?", request)
        return None if row is None else _import(row)

    def every(self, limit: int = 100, before: str | None = None) -> tuple[Import, ...]:
        """The newest imports; those older than the import `before`."""
        older = "(SELECT rowid FROM imports WHERE id = ?)"
        sql = f"SELECT * FROM imports WHERE ? IS NULL OR rowid < {older} ORDER BY rowid DESC LIMIT ?"
        return tuple(_import(row) for row in self.store.rows(sql, before, before, limit))

    def family(self, id_: str) -> tuple[Import, ...]:
        """The imports of corrected lines of this one, oldest first."""
        return tuple(_import(row) for row in self.store.rows("SELECT * FROM imports WHERE parent = ? ORDER BY rowid", id_))

    def set(self, id_: str, **columns: Any) -> None:
        """Change columns of an import; the names are ours, never a caller's text."""
        names = ", ".join(f"{name} = ?" for name in columns)
        with self.store.change() as db:
            db.execute(f"UPDATE imports SET {names} WHERE id = ?", (*columns.values(), id_))

    def source(self, id_: str) -> bytes:
        """The uploaded bytes; NotFoundError once they are destroyed."""
        row = self.store.row("SELECT data FROM import_sources WHERE import = ?", id_)
        if row is None:
            raise NotFoundError("the file is no longer kept")
        return self._boxes.open(bytes(row["data"]), id_)

    def drop_source(self, id_: str) -> None:
        """Destroy the uploaded bytes."""
        with self.store.change() as db:
            db.execute("DELETE FROM import_sources WHERE import = ?", (id_,))
        self.store.checkpoint()

    def drop_lines(self, id_: str, *, every: bool = False) -> None:
        """Destroy what is kept of lines that became nothing; with `every`, which line became which certificate too."""
        with self.store.change() as db:
            which = "" if every else " AND id IS NULL"
            db.execute(f"DELETE FROM import_lines WHERE import = ?{which}", (id_,))
        self.store.checkpoint()

    def put_lines(self, id_: str, lines: Iterable[tuple[Checked, str, str | None, tuple[str, ...]]], done: int) -> None:
        """Keep checked lines: (line, state, id where it was issued before, cells where something is wrong)."""
        rows = []
        for line, state, known, cells in lines:
            place = f"{id_}/{line.number}"
            extra = self._closed(_json(dict(line.extra)), place) if line.extra else "{}"
            kept = (line.mark, _json(dict(line.claims)), extra) if state == "good" else _NONE
            wrong = _wrong((*line.wrong, *line.notices))
            rows.append((id_, line.number, state, *kept, wrong, self._closed(_json(cells), place) if cells else "[]", known))
        with self.store.change() as db:
            db.conn.executemany("INSERT INTO import_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            db.execute("UPDATE imports SET done = ? WHERE id = ?", (done, id_))

    def set_aside(self, id_: str, number: int, fault: Wrong | None, same: str | None) -> None:
        """A line that is not to be issued after all: for a fault, or because it is a certificate (`same`) by now."""
        state, wrong = ("bad", _wrong((fault,))) if fault is not None else ("same", "[]")
        with self.store.change() as db:
            db.execute(
                "UPDATE import_lines SET state = ?, wrong = ?, claims = '{}', extra = '{}', mark = NULL, id = ? "
                "WHERE import = ? AND number = ?", (state, wrong, same, id_, number),
            )  # fmt: skip
            db.execute(f"UPDATE imports SET good = good - 1, {state} = {state} + 1 WHERE id = ?", (id_,))

    def turn(self, id_: str, states: Sequence[str], to: str) -> bool:
        """Take an import from one of these states to another; False where it was in none of them: one caller wins."""
        places = ", ".join("?" * len(states))
        with self.store.change() as db:
            done = db.execute(f"UPDATE imports SET state = ? WHERE id = ? AND state IN ({places})", (to, id_, *states))
            return int(done.rowcount) == 1

    def lines(self, id_: str, state: str, *, after: int = 0, limit: int = 1_000) -> tuple[Line, ...]:
        """Lines in one state, in the order of the file, behind line `after`."""
        sql = "SELECT * FROM import_lines WHERE import = ? AND state = ? AND number > ? ORDER BY number LIMIT ?"
        return tuple(self._line(row) for row in self.store.rows(sql, id_, state, after, limit))

    def all_lines(self, id_: str, state: str) -> Iterator[Line]:
        """Every line in one state, a thousand at a time."""
        after = 0
        while page := self.lines(id_, state, after=after):
            yield from page
            after = page[-1].number

    def noticed(self, id_: str, limit: int = 50) -> tuple[Line, ...]:
        """Good lines in which something was changed while reading."""
        sql = "SELECT * FROM import_lines WHERE import = ? AND state = 'good' AND wrong <> '[]' ORDER BY number LIMIT ?"
        return tuple(self._line(row) for row in self.store.rows(sql, id_, limit))

    def counts(self, id_: str) -> Mapping[str, int]:
        """How many lines are in which state."""
        sql = "SELECT state, count(*) AS n FROM import_lines WHERE import = ? GROUP BY state"
        return {row["state"]: row["n"] for row in self.store.rows(sql, id_)}

    def known(self, marks: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Which contents were issued by an import before: mark → (id, state of the certificate)."""
        found: dict[str, tuple[str, str]] = {}
        for start in range(0, len(marks), 500):
            part = [f"import:{mark}" for mark in marks[start : start + 500]]
            places = ",".join("?" * len(part))
            rows = self.store.rows(f"SELECT request, id, state FROM issued WHERE request IN ({places})", *part)
            found |= {row["request"].removeprefix("import:"): (row["id"], row["state"]) for row in rows}
        return found

    def numbers(self, schema: bytes, key: str) -> dict[JSON, str]:
        """Every number in use for a kind of certificate: value of the claim `key` → id."""
        path = f'$."{key}"'
        sql = ("SELECT json_extract(claims, ?) AS number, id FROM issued WHERE schema = ? AND erased = 0 "
               "AND state IN ('valid', 'suspended', 'draft')")  # fmt: skip
        return {row["number"]: row["id"] for row in self.store.rows(sql, path, schema) if row["number"] is not None}

    def content(self, job: Import) -> str:
        """A digest of the columns and the good lines of an import, in their order."""
        told = hashlib.sha256(_json([job.schema.hex(), job.mapped.columns, job.mapped.key, job.mapped.kind]).encode())
        for row in self.store.rows(
            "SELECT number, mark, extra FROM import_lines WHERE import = ? AND state = 'good' ORDER BY number", job.id
        ):
            told.update(_json([row["number"], row["mark"], row["extra"]]).encode())
        return told.hexdigest()

    def standing(self, id_: str) -> tuple[str, ...]:
        """The certificates of an import that are not revoked, in the order of the file."""
        rows = self.store.rows(
            "SELECT issued.id AS id FROM import_lines CROSS JOIN issued ON issued.id = import_lines.id WHERE import = ? AND "
            "import_lines.state = 'issued' AND issued.state IN ('valid', 'suspended') AND list IS NOT NULL ORDER BY number", id_,
        )  # fmt: skip
        return tuple(row["id"] for row in rows)

    def proof(self, id_: str) -> bytes | None:
        """The proof that a certificate's file is in the batch of its import."""
        row = self.store.row("SELECT proof FROM import_proofs WHERE id = ?", id_)
        return None if row is None else bytes(row["proof"])

    def _closed(self, text: str, place: str) -> str:
        return self._boxes.close(text.encode(), place).decode("ascii")

    def _line(self, row: dict[str, Any]) -> Line:
        place = f"{row['import']}/{row['number']}"
        extra, cells = (json.loads(self._boxes.open(row[name].encode(), place)) for name in ("extra", "cells"))
        wrong = tuple((column, key, values) for column, key, values in json.loads(row["wrong"]))
        return Line(
            row["number"], row["state"], row["mark"], json.loads(row["claims"]), extra, wrong, tuple(cells), row["id"],
        )  # fmt: skip

    def tidy(self, now: int) -> None:
        """Destroy files and unused lines of imports nobody touched for a month."""
        old = self.store.rows(
            "SELECT id FROM imports WHERE created < ? AND (id IN (SELECT import FROM import_sources) "
            "OR id IN (SELECT import FROM import_lines WHERE id IS NULL)) AND state NOT IN "
            "('checking', 'signing', 'publishing', 'proving')", now - _KEPT,
        )  # fmt: skip
        for row in old:
            self.drop_source(row["id"])
            self.drop_lines(row["id"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wrong(found: Sequence[Wrong]) -> str:
    return _json([[one.column, one.fault.key, dict(one.fault.values)] for one in found])


def _import(row: dict[str, Any]) -> Import:
    return Import(
        row["id"], row["state"], row["schema"], row["name"], row["by"], row["created"], row["form"], row["detail"],
        tuple(json.loads(row["header"])), Mapped(tuple(json.loads(row["columns"])), row["key"], row["kind"]),
        tuple(json.loads(row["notices"])), row["digest"], row["parent"], row["total"], row["good"], row["bad"], row["same"],
        row["done"], row["at"], row["kid"], row["code"], bool(row["cancel"]), bool(row["auto"]),
        row["root"], row["size"], row["op"], row["entry"],
    )  # fmt: skip


def prepare(store: Store) -> None:
    """Make the tables, for whoever watches them before anything was imported."""
    with store.change() as db:
        for statement in (_IMPORTS, _LINES, _SOURCES, _PROOFS, _BY_ID, _ERASED):
            db.execute(statement)
