"""The trail: every write by a person, a program or a command, one row each, chained by hashes; nothing of a certificate.

Rows are only ever added (the database refuses anything else), and each holds the digest of the one before: a changed,
removed or inserted row breaks the chain. Whoever owns the file can still write a whole new chain, or cut the end off;
the head written down elsewhere, or in a signed export, shows that (`check(head=…)`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Final

from issuer_app.store import Store
from weid import cbor
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, rfc3339, unb64u, unhex
from weid.did import parse_key_id
from weid.errors import ConflictError, MalformedError, SignatureError
from weid.facts import Facts, Found
from weid.hashes import SHA256, Hash
from weid.keys import PublicKey, Signer
from weid.signing import framed, verify

__all__ = ["COMMAND", "CONTEXT", "KEY", "NOBODY", "PAGE", "PERSON", "Row", "Trail", "check_export", "export"]

CONTEXT: Final = "weid/trail/v1"
PERSON, KEY, COMMAND, NOBODY = "person", "key", "command", "nobody"
KINDS: Final = (PERSON, KEY, COMMAND, NOBODY)
PAGE: Final = 100
_START: Final = bytes(32)
_MEMBERS: Final = ("seq", "minute", "kind", "who", "act", "target", "result", "request")
_MOST: Final = 200  # characters of one value


@dataclass(frozen=True, slots=True)
class Row:
    """One act: `kind` and `who` did `act` to `target` in a UTC minute; `result` is ok or a code; then the chain."""

    seq: int
    minute: int
    kind: str
    who: str
    act: str
    target: str
    result: str
    request: str
    prev: bytes
    hash: bytes

    def digest(self, hash: Hash) -> bytes:
        """H("weid/trail-row/v1" ‖ all of it and the digest of the row before)."""
        return hash(framed("weid/trail-row/v1", cbor.encode(astuple(self)[:-1])))

    def to_json(self) -> dict[str, JSON]:
        """As exports hold it."""
        held: dict[str, JSON] = {name: getattr(self, name) for name in _MEMBERS}
        return {**held, "at": rfc3339(self.minute), "prev": self.prev.hex(), "hash": self.hash.hex()}


class Trail:
    """The trail of one folder; `hash` is the registry's."""

    def __init__(self, path: Path, hash: Hash = SHA256) -> None:
        self._store, self._hash = Store(path), hash
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS trail (seq INTEGER PRIMARY KEY, minute INTEGER NOT NULL, kind TEXT NOT NULL, "
                       "who TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL, result TEXT NOT NULL, request TEXT NOT NULL, "
                       "prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT")  # fmt: skip
            db.execute("CREATE INDEX IF NOT EXISTS trail_target ON trail (target, seq)")
            db.execute("CREATE INDEX IF NOT EXISTS trail_who ON trail (who, seq)")
            for act in ("UPDATE", "DELETE"):
                db.execute(f"CREATE TRIGGER IF NOT EXISTS no_{act.lower()} BEFORE {act} ON trail "
                           "BEGIN SELECT RAISE(ABORT, 'rows are only added'); END")  # fmt: skip

    def add(self, *, minute: int, kind: str, who: str, act: str, target: str = "", result: str = "ok", request: str = "") -> Row:
        """One more row, on disk when this returns."""
        texts = [_short(text) for text in (who, act, target, result, request)]
        with self._store.change() as db:
            last = self._store.row("SELECT seq, hash FROM trail ORDER BY seq DESC LIMIT 1")
            seq, prev = (0, _START) if last is None else (int(last["seq"]), bytes(last["hash"]))
            made = Row(seq + 1, minute, kind, texts[0], texts[1], texts[2], texts[3], texts[4], prev, b"")
            done = replace(made, hash=made.digest(self._hash))
            db.table("trail").insert({name: getattr(done, name) for name in (*_MEMBERS, "prev", "hash")})
        return done

    def rows(
        self, *, who: str | None = None, kind: str | None = None, act: str = "", target: str | None = None,
        before: int | None = None, limit: int | None = PAGE,
    ) -> tuple[Row, ...]:  # fmt: skip
        """The newest rows that fit, newest first; `act` is how the act begins, `before` a row's number."""
        found = self._store.rows(
            "SELECT * FROM trail WHERE (?1 IS NULL OR who = ?1) AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR target = ?3) "
            "AND (?4 IS NULL OR seq < ?4) AND substr(act, 1, length(?5)) = ?5 ORDER BY seq DESC LIMIT ?6",
            who, kind, target, before, act, -1 if limit is None else limit,
        )  # fmt: skip
        return tuple(map(_row, found))

    def acts(self) -> tuple[str, ...]:
        """Every act that was ever done here, by name."""
        return tuple(row["act"] for row in self._store.rows("SELECT DISTINCT act FROM trail ORDER BY act"))

    def head(self) -> tuple[int, bytes]:
        """The number and digest of the newest row; (0, zeros) before the first."""
        newest = self.rows(limit=1)
        return (newest[0].seq, newest[0].hash) if newest else (0, _START)

    def check(self, *, head: bytes | None = None) -> int:
        """How many rows there are; ConflictError `trail-broken` names the first that does not fit.

        With `head`, a digest written down earlier: ConflictError `trail-cut` if no row has it any more.
        """
        prev, count, seen = _START, 0, head is None or head == _START
        for held in self._store.rows("SELECT * FROM trail ORDER BY seq"):
            row = _row(held)
            count += 1
            if (row.seq, row.prev) != (count, prev) or row.digest(self._hash) != row.hash:
                raise ConflictError(f"row {count} of the trail was changed, removed or put in", code="trail-broken")
            prev, seen = row.hash, seen or row.hash == head
        if not seen:
            raise ConflictError("the trail does not lead to the head that was written down", code="trail-cut")
        return count

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def export(rows: Iterable[Row], *, about: str, head: tuple[int, bytes], signer: Signer, hash: Hash, at: int) -> bytes:
    """A signed file of some rows: JSON, with the trail's head and a signature by the party's log-op key."""
    body: dict[str, JSON] = {
        "type": "weid-trail", "about": about, "hash": hash.name, "made": rfc3339(at), "key": signer.kid,
        "head": {"seq": head[0], "hash": head[1].hex()}, "rows": [row.to_json() for row in rows],
    }  # fmt: skip
    return jcs({**body, "signature": b64u(signer.sign(CONTEXT, jcs(body)))})


def check_export(data: bytes, facts: Facts, hash: Hash) -> dict[str, Any]:
    """The content of an export, by a log-op key that the registry knows; a change of keys since does not matter.

    MalformedError for no such file, SignatureError if it was changed or its key is nobody's.
    """
    value = parse_json(data)
    if not isinstance(value, dict) or value.get("type") != "weid-trail" or not isinstance(value.get("rows"), list):
        raise MalformedError("not an export of a trail", code="not-a-trail")
    body = {name: item for name, item in value.items() if name != "signature"}
    verify(_key(str(body.get("key")), facts), "log-op", CONTEXT, jcs(body), unb64u(str(value.get("signature"))))
    for item in value["rows"]:  # type: ignore[union-attr]
        row = _from_json(item)
        if row.digest(hash) != row.hash:
            raise SignatureError(f"row {row.seq} is not what its digest says", code="trail-broken")
    return dict(value)


def _key(kid: str, facts: Facts) -> PublicKey:
    did, number = parse_key_id(kid)
    answer = facts.fact("did", did)
    held = answer.record.key_number(number) if isinstance(answer, Found) else None
    if held is None or held.role != "log-op":
        raise SignatureError("the registry knows no such key", code="unknown-key")
    found: PublicKey = held.key
    return found


def _from_json(item: JSON) -> Row:
    if not isinstance(item, dict) or set(item) != {*_MEMBERS, "at", "prev", "hash"}:
        raise MalformedError("not a row of a trail", code="not-a-trail")
    values: list[Any] = [item[name] for name in _MEMBERS]
    values += [unhex(str(item["prev"])), unhex(str(item["hash"]))]
    return Row(*values)


def _row(held: dict[str, Any]) -> Row:
    values: list[Any] = [held[name] for name in _MEMBERS]
    values += [bytes(held["prev"]), bytes(held["hash"])]
    return Row(*values)


def _short(text: str) -> str:
    """At most so long, and nothing that a terminal or a spreadsheet would take for a command."""
    return "".join(char if char.isprintable() else "?" for char in text[:_MOST])
