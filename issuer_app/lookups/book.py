"""The index itself, in the file of the issued certificates: written with a certificate, and gone with it.

Whoever has several documents is one person here: values that name a person lead to all of that person's certificates, and
a value that two persons share makes them one. Values of a printed code or number lead to one certificate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from credentials.typed import new_code
from issuer_app.lookups.blind import Blind
from issuer_app.lookups.inputs import Given, InputFault, read_forms
from issuer_app.lookups.read import read_given
from issuer_app.lookups.rules import Lookup, Rule
from issuer_app.store import Store
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u
from weid.hashes import Hash
from weid.sealed import Passphrase, seal, unseal
from weid.suites import Random

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Book", "Entry"]

PRINTED, OTHER = "printed", "other"  # kinds of entry without a document: what stands on the certificate, what was typed
_TABLES: Final = (
    # id is '' where the value leads to every certificate of the person; entry ties what was written together
    """CREATE TABLE IF NOT EXISTS lookup_entries (value BLOB NOT NULL, person BLOB NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL,
 entry BLOB NOT NULL, kind TEXT NOT NULL, added INTEGER NOT NULL, PRIMARY KEY (value, person, id)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS lookup_by_person ON lookup_entries (person)",
    """CREATE TABLE IF NOT EXISTS lookup_people (id TEXT PRIMARY KEY, person BLOB NOT NULL, schema TEXT NOT NULL) STRICT,
 WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS lookup_certificates ON lookup_people (person)",
    "CREATE TABLE IF NOT EXISTS lookup_notes (id TEXT PRIMARY KEY, box BLOB NOT NULL) STRICT",
    # who asked is not kept; id is '' where nothing was found, so that both are written alike
    """CREATE TABLE IF NOT EXISTS lookup_asked (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, rule TEXT NOT NULL,
 at INTEGER NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS lookup_links (mark BLOB PRIMARY KEY, id TEXT NOT NULL, rule TEXT NOT NULL,
 until INTEGER NOT NULL) STRICT""",
)
_FIND: Final = """SELECT DISTINCT p.id AS id, i.seq AS seq FROM lookup_entries e JOIN lookup_people p ON p.person = e.person
 JOIN issued i ON i.id = p.id WHERE e.value IN ({values}) AND (e.id = '' OR e.id = p.id) AND p.schema IN ({schemas})
 AND i.state NOT IN ('refused', 'draft') AND i.erased = 0 ORDER BY i.seq DESC LIMIT 50"""
_SEAL: Final = {"intl": 10, "gm": 1_000}  # the passphrase is 256 random bits: nothing is gained by stretching it


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written at one time for one person: by which kind of document (or `printed`, `other`), and when.

    Nothing of it can be read back.
    """

    id: str
    kind: str
    rules: tuple[str, ...]
    added: int


class Book:
    """The look-up index of one desk. Callers that add or replace do so in the transaction of what they write beside it."""

    def __init__(self, store: Store, key: bytes, lookup: Lookup, *, hash: Hash) -> None:
        self.store, self.lookup = store, lookup
        self._blind, self._profile = Blind(key, hash), "gm" if hash.name == "sm3" else "intl"
        self._words = self.words("weid/lookup-notes/v1")
        with store.change() as db:
            for table in _TABLES:
                db.execute(table)

    def read(
        self, schema: str, claims: Mapping[str, JSON], extra: Mapping[str, str], *, day: int | None = None
    ) -> tuple[Given, tuple[InputFault, ...]]:
        """What a certificate is to be found by, from its claims and what the clerk typed beside them, and what is wrong.

        `extra` may hold documentKind and documentNumber, or numbers by kind (`cn-id`), the inputs of the rules, and
        `contact`; empty texts count as not given. `day` (UTC minutes) refuses births after it.
        """
        return read_given(self.lookup.of(schema), claims, extra, day)

    def words(self, label: str) -> Passphrase:
        """Words of the desk's own under which something of people is sealed at rest."""
        return Passphrase(b64u(self._blind.mac(label, b"")))

    @property
    def profile(self) -> str:
        """The profile in which it is sealed."""
        return self._profile

    def asked(self, given: Given) -> str:
        """A keyed digest of what was given, for whoever must know the same request again."""
        forms: dict[str, JSON] = {name: list(texts) for name, texts in given.forms.items()}
        held = jcs([forms, [list(pair) for pair in sorted(given.documents)], given.contact])
        return self._blind.mac("weid/lookup-asked/v1", held).hex()

    def add(self, id_: str, schema: str, given: Given, *, at: int, random: Random) -> None:
        """Write the entries of a certificate, inside the caller's transaction if there is one."""
        code = new_code(random) if any("claimCode" in by for rule in self.lookup.of(schema) for by in rule.by) else ""
        given = Given(given.forms, given.documents, given.contact, code)
        with self.store.change() as db:
            self._write(db, id_, schema, given, at, random)
            if given.contact or given.code:
                note = jcs({"contact": given.contact, "code": given.code})
                box = seal(note, self._words, kind="lookup-note", random=random, meta={"id": id_}, profile=self._profile,
                           cost=_SEAL[self._profile])  # fmt: skip
                db.execute("INSERT OR REPLACE INTO lookup_notes VALUES (?, ?)", (id_, box))

    def replace(self, id_: str, schema: str, entry: str | None, given: Given, *, at: int, random: Random) -> None:
        """Write another document of the certificate's holder, instead of an earlier entry of theirs if one is named.

        What is printed on the certificate, its number and claim code, stays as it is.
        """
        with self.store.change() as db:
            row = self.store.row("SELECT person FROM lookup_people WHERE id = ?", id_)
            if row is not None and entry is not None:
                old = "DELETE FROM lookup_entries WHERE person = ? AND entry = ? AND kind <> ?"
                db.execute(old, (row["person"], bytes.fromhex(entry), PRINTED))
            self._write(db, id_, schema, given, at, random)

    def remove(self, id_: str, entry: str) -> None:
        """Take an entry of the certificate's holder away."""
        with self.store.change() as db:
            db.execute("DELETE FROM lookup_entries WHERE entry = ? AND person = (SELECT person FROM lookup_people WHERE id = ?)",
                       (bytes.fromhex(entry), id_))  # fmt: skip

    def find(self, rule: Rule, by: Sequence[str], forms: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The ids of the certificates that these inputs name, the newest first; the same work whether there are any."""
        values = self.values(rule, by, forms)
        marks = [",".join("?" * count) for count in (len(values), len(rule.schemas))]
        rows = self.store.rows(_FIND.format(values=marks[0], schemas=marks[1]), *values, *rule.schemas)
        return tuple(str(row["id"]) for row in rows)

    def values(self, rule: Rule, by: Sequence[str], forms: Mapping[str, tuple[str, ...]]) -> list[bytes]:
        """The index values of these inputs: one for each spelling that counts."""
        spellings = product(*(forms[name] for name in by))
        return [self._blind.value(rule.name, dict(zip(by, chosen, strict=True))) for chosen in spellings]

    def mark(self, what: str, text: str) -> str:
        """A keyed name for a counter, so that no counter holds a person's name or number."""
        return self._blind.mac("weid/lookup-count/v1", f"{what}\0{text}".encode()).hex()[:32]

    def entries(self, id_: str) -> tuple[Entry, ...]:
        """What the holder of a certificate can be found by."""
        sql = """SELECT e.entry AS entry, e.kind AS kind, group_concat(DISTINCT e.rule) AS rules, min(e.added) AS added
 FROM lookup_entries e JOIN lookup_people p ON p.person = e.person WHERE p.id = ? AND (e.id = '' OR e.id = p.id)
 GROUP BY e.entry, e.kind ORDER BY added, kind"""
        return tuple(
            Entry(row["entry"].hex(), row["kind"], tuple(sorted(row["rules"].split(","))), row["added"])
            for row in self.store.rows(sql, id_)
        )

    def together(self, id_: str, schemas: Sequence[str] = ()) -> tuple[str, ...]:
        """The ids of all certificates of the holder of this one (of these schemas, if any are named), the newest first."""
        sql = """SELECT p.id AS id, p.schema AS schema FROM lookup_people p JOIN lookup_people own ON own.person = p.person
 JOIN issued i ON i.id = p.id WHERE own.id = ? AND i.state NOT IN ('refused', 'draft') AND i.erased = 0
 ORDER BY i.seq DESC LIMIT 50"""
        return tuple(str(row["id"]) for row in self.store.rows(sql, id_) if not schemas or row["schema"] in schemas)

    def note(self, id_: str) -> tuple[str, str]:
        """(where one-time links go, claim code) of a certificate; empty texts where there is none."""
        row = self.store.row("SELECT box FROM lookup_notes WHERE id = ?", id_)
        if row is None:
            return "", ""
        held = parse_json(unseal(bytes(row["box"]), self._words, kind="lookup-note"))
        assert isinstance(held, dict)
        return str(held["contact"]), str(held["code"])

    def forget(self, id_: str) -> None:
        """Destroy everything a certificate could be found by; what names the person goes with their last certificate (R25)."""
        with self.store.change() as db:
            row = self.store.row("SELECT person FROM lookup_people WHERE id = ?", id_)
            db.execute("DELETE FROM lookup_people WHERE id = ?", (id_,))
            for table in ("notes", "asked", "links"):
                db.execute(f"DELETE FROM lookup_{table} WHERE id = ?", (id_,))
            if row is not None:
                person = row["person"]
                db.execute("DELETE FROM lookup_entries WHERE person = ? AND id = ?", (person, id_))
                db.execute("DELETE FROM lookup_entries WHERE person = ? AND NOT EXISTS "
                           "(SELECT 1 FROM lookup_people WHERE person = ?)", (person, person))  # fmt: skip

    def _write(self, db: Database, id_: str, schema: str, given: Given, at: int, random: Random) -> None:
        rows = [(value, "" if shared else id_, rule, kind) for value, shared, rule, kind in self._rows(id_, schema, given)]
        if not rows:
            return
        shared = [value for value, owner, _, _ in rows if not owner]
        own = self.store.row("SELECT person FROM lookup_people WHERE id = ?", id_)
        person = own["person"] if own is not None else None
        for value in shared:
            for row in self.store.rows("SELECT DISTINCT person FROM lookup_entries WHERE value = ? AND id = ''", value):
                if person is None:
                    person = row["person"]
                elif row["person"] != person:
                    _join(db, person, row["person"])
        person = random(16) if person is None else person
        entries = {kind: random(8) for kind in sorted({kind for *_, kind in rows})}
        db.execute("INSERT OR REPLACE INTO lookup_people VALUES (?, ?, ?)", (id_, person, schema))
        for value, owner, rule, kind in rows:
            db.execute("INSERT OR REPLACE INTO lookup_entries VALUES (?, ?, ?, ?, ?, ?, ?)",
                       (value, person, owner, rule, entries[kind], kind, at))  # fmt: skip

    def _rows(self, id_: str, schema: str, given: Given) -> list[tuple[bytes, bool, str, str]]:
        """(value, whether it leads to the person, rule, kind of document) of everything given."""
        own = {**given.forms, "certificateId": (id_[:15],)}
        if given.code:
            own["claimCode"] = read_forms("claimCode", given.code)
        made = []
        for rule in self.lookup.of(schema):
            for by in rule.by:
                numbers = [(kind, f"{kind}:{number}") for kind, number in given.documents if kind in rule.documents]
                rest = OTHER if rule.extra(by) else PRINTED
                for kind, number in numbers if "documentNumber" in by else [(rest, "")]:
                    forms = {**own, "documentNumber": (number,)}
                    if all(name in forms for name in by):
                        made += [(value, rule.shared(by), rule.name, kind) for value in self.values(rule, by, forms)]
        return made


def _join(db: Database, person: bytes, other: bytes) -> None:
    """Two persons are one: nothing is written twice, and what named the other names the one."""
    db.execute("UPDATE OR REPLACE lookup_entries SET person = ? WHERE person = ?", (person, other))
    db.execute("UPDATE lookup_people SET person = ? WHERE person = ?", (person, other))
