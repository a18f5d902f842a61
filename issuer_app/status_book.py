"""The status lists of one issuer for programs (VC-API): which credential has which place, and what each place says.

A credential is known by the digest of its id, which may be personal; one of the same id gets the same place, so that a
change reaches every copy of it. Of the credential itself nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from credentials.bitstring_list import BitstringStatusList
from credentials.status import MIN_BITS
from issuer_app.problems import NotFoundError
from issuer_app.published import REFRESH, Published, Shelf
from issuer_app.store import Store
from issuer_app.terms import WEEK
from weid.canon import JSON
from weid.errors import IssueError, StatusFullError
from weid.hashes import SHA256
from weid.keys import Signer
from weid.suites import Random

__all__ = ["REVOCABLE", "Kind", "StatusBook"]

_PLACES: Final = """CREATE TABLE IF NOT EXISTS places (credential TEXT PRIMARY KEY, list INTEGER NOT NULL,
 slot INTEGER NOT NULL, UNIQUE (list, slot)) STRICT"""
_VALUES: Final = """CREATE TABLE IF NOT EXISTS vals (list INTEGER NOT NULL, slot INTEGER NOT NULL, purpose TEXT NOT NULL,
 value INTEGER NOT NULL, PRIMARY KEY (list, slot, purpose)) STRICT"""
MAX_ID: Final = 2048


@dataclass(frozen=True, slots=True)
class Kind:
    """What one list of a credential is for; `size`, `messages` and `references` as the recommendation has them (2.1)."""

    purpose: str
    size: int = 1
    messages: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


REVOCABLE: Final = (Kind("revocation"), Kind("suspension"))


class StatusBook:
    """The places of an issuer's credentials: one index for each, the same in a list for every kind."""

    def __init__(self, path: Path | None, kinds: tuple[Kind, ...] = REVOCABLE) -> None:
        self.kinds: Mapping[str, Kind] = MappingProxyType({kind.purpose: kind for kind in kinds})
        self._store, self._shelf = Store(path), Shelf()
        with self._store.change() as db:
            db.execute(_PLACES)
            db.execute(_VALUES)
            plain = self._store.row("PRAGMA user_version") == {"user_version": 0}
            for row in self._store.rows("SELECT credential FROM places") if plain else ():  # a book from before digests
                db.execute(
                    "UPDATE places SET credential = ? WHERE credential = ?", (_digest(row["credential"]), row["credential"])
                )
            db.execute("PRAGMA user_version = 1")
        if plain:
            self._store.checkpoint()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def entries(self, credential: str, base: str, *, random: Random) -> list[JSON]:
        """The `credentialStatus` of a credential's id, its place drawn at random the first time."""
        if not 0 < len(credential) <= MAX_ID:
            raise IssueError("a credential with a status has an id", code="bad-status")
        number, slot = self._place(credential, random)
        return [
            self._list(kind, number, base, used=frozenset({slot})).entry(slot, id=f"{base}/{number}/{kind.purpose}#{slot}")
            for kind in self.kinds.values()
        ]

    def check(self, credential: str, purpose: str, value: int, *, url: str | None = None, index: str | None = None) -> None:
        """NotFoundError for an unknown credential; IssueError `bad-status` or `revoked-is-final` for a change it cannot have.

        `url` and `index` are what the caller believes of the place; where they are given they must be right.
        """
        number, slot = self._known(credential)
        kind = self.kinds.get(purpose)
        if kind is None:
            raise IssueError(f"there is no list for {purpose[:40]!r}", code="bad-status")
        if (index is not None and index != str(slot)) or (url is not None and not url.endswith(f"/{number}/{purpose}")):
            raise IssueError("this credential has another place", code="bad-status")
        self._list(kind, number, "urn:x", used=frozenset({slot}), values={slot: self._value(number, slot, purpose)}).set(
            slot, value
        )

    def set(self, credential: str, purpose: str, value: int) -> None:
        """What the place of a credential says from now on; the same again is no change."""
        with self._store.change() as db:  # nobody takes a revocation back between the look and the change
            self.check(credential, purpose, value)
            number, slot = self._known(credential)
            db.execute("INSERT OR REPLACE INTO vals VALUES (?, ?, ?, ?)", (number, slot, purpose, value))

    def published(
        self, number: int, purpose: str, signer: Signer, base: str, at: int, *, cryptosuite: str | None
    ) -> Published | None:
        """The signed list; None where there is no such list."""
        kind = self.kinds.get(purpose)
        if kind is None or self._store.row("SELECT 1 FROM places WHERE list = ? LIMIT 1", number) is None:
            return None
        rows = self._store.rows("SELECT slot, value FROM vals WHERE list = ? AND purpose = ? ORDER BY slot", number, purpose)
        values = {row["slot"]: row["value"] for row in rows}
        listed = self._list(kind, number, base, used=frozenset(values), values=values)
        issuer, until = signer.kid.partition("#")[0], at + WEEK

        def make() -> Mapping[str, JSON]:
            return listed.credential(signer, issuer=issuer, issued=at, until=until, cryptosuite=cryptosuite)

        return self._shelf.get((number, purpose), (tuple(values.items()), at // REFRESH, base), make, until=until)

    def _list(
        self, kind: Kind, number: int, base: str, *, used: frozenset[int], values: Mapping[int, int] | None = None
    ) -> BitstringStatusList:
        return BitstringStatusList(
            f"{base}/{number}/{kind.purpose}", kind.purpose, kind.size, MIN_BITS, kind.messages, kind.references,
            REFRESH * 60_000, MappingProxyType(dict(values or {})), used,
        )  # fmt: skip

    def _place(self, credential: str, random: Random) -> tuple[int, int]:
        with self._store.change() as db:
            held = self._find(credential)
            if held is not None:
                return held
            row = self._store.row("SELECT (SELECT max(rowid) FROM places) AS given, (SELECT max(list) FROM places) AS last")
            given, last = (0, 1) if row is None or row["last"] is None else (int(row["given"]), int(row["last"]))
            number = max(last, 1 + given * 2 // MIN_BITS)  # half of a list: random places need room
            for _ in range(64):
                slot = int.from_bytes(random(8), "big") % MIN_BITS
                made = db.execute("INSERT OR IGNORE INTO places VALUES (?, ?, ?)", (_digest(credential), number, slot))
                if made.rowcount == 1:
                    return number, slot
        raise StatusFullError(f"list {number} has no free place")

    def _find(self, credential: str) -> tuple[int, int] | None:
        row = self._store.row("SELECT list, slot FROM places WHERE credential = ?", _digest(credential))
        return None if row is None else (row["list"], row["slot"])

    def _known(self, credential: str) -> tuple[int, int]:
        held = self._find(credential)
        if held is None:
            raise NotFoundError("no credential of this id was issued here")
        return held

    def _value(self, number: int, slot: int, purpose: str) -> int:
        sql = "SELECT value FROM vals WHERE list = ? AND slot = ? AND purpose = ?"
        row = self._store.row(sql, number, slot, purpose)
        return 0 if row is None else int(row["value"])


def _digest(credential: str) -> str:
    return SHA256(credential.encode("utf-8")).hex()
