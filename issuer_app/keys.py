"""Keys of programs: what each may do, until when, and when it was last used. Their text is kept as a hash only."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

from issuer_app.scopes import expand
from issuer_app.store import Store
from weid.errors import MalformedError

__all__ = ["ApiKey", "Keys"]

DAY: Final = 1_440
LONGEST: Final = 3_660  # days
_KEY: Final = re.compile(r"weid_([0-9a-f]{16})_([0-9a-f]{64})", re.ASCII)
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, label TEXT NOT NULL, secret TEXT NOT NULL, roles TEXT NOT NULL, "
    "created INTEGER NOT NULL, revoked INTEGER, scopes TEXT, until INTEGER, used INTEGER) STRICT"
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program, with its scopes; minutes since 1970. `until` is the minute it ends at, `used` that of its last use."""

    id: str
    label: str
    scopes: frozenset[str]
    created: int
    revoked: int | None
    until: int | None = None
    used: int | None = None

    def ended(self, at: int) -> bool:
        """Whether it opens nothing any more."""
        return self.revoked is not None or (self.until is not None and at >= self.until)


class Keys:
    """The keys in a file of users."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.change() as db:
            db.execute(_TABLE)
            held = {row["name"] for row in store.rows("SELECT name FROM pragma_table_info('keys')")}
            for column, kind in (("scopes", "TEXT"), ("until", "INTEGER"), ("used", "INTEGER")):
                if column not in held:  # a file from before keys had scopes: its roles stay what they are
                    db.execute(f"ALTER TABLE keys ADD COLUMN {column} {kind}")

    def add(self, label: str, granted: frozenset[str], at: int, *, days: int | None = None) -> str:
        """A new key for these scopes (a role is all of its scopes); its text is returned once.

        It ends after `days`, if given. MalformedError `bad-scope`, `bad-label`, `bad-period`.
        """
        scopes = expand(granted)
        if not label.strip() or len(label) > 80 or not label.isprintable():
            raise MalformedError("an API key needs a label of at most 80 characters", code="bad-label")
        if days is not None and not 1 <= days <= LONGEST:
            raise MalformedError(f"a key lives 1 to {LONGEST} days, or until it is ended", code="bad-period")
        id_, secret = secrets.token_hex(8), secrets.token_hex(32)
        row = {
            "id": id_, "label": label.strip(), "secret": _sha256(secret), "roles": "", "created": at, "revoked": None,
            "scopes": " ".join(sorted(scopes)), "until": None if days is None else at + days * DAY, "used": None,
        }  # fmt: skip
        with self._store.change() as db:
            db.table("keys").insert(row)
        return f"weid_{id_}_{secret}"

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, newest first."""
        return tuple(_key(row) for row in self._store.rows("SELECT * FROM keys ORDER BY created DESC, id"))

    def revoke(self, id_: str, at: int) -> None:
        """End a key."""
        with self._store.change() as db:
            db.execute("UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", (at, id_))

    def key(self, text: str, at: int) -> ApiKey | None:
        """The key of its text, unless it has ended; the minute of its use is kept."""
        match = _KEY.fullmatch(text)
        if match is None:
            return None
        row = self._store.row("SELECT * FROM keys WHERE id = ?", match.group(1))
        right = hmac.compare_digest(row["secret"] if row else "0" * 64, _sha256(match.group(2)))
        found = _key(row) if row is not None and right else None
        if found is None or found.ended(at):
            return None
        if found.used != at:  # at most one write a minute
            with self._store.change() as db:
                db.execute("UPDATE keys SET used = ? WHERE id = ?", (at, found.id))
        return found


def _key(row: dict[str, Any]) -> ApiKey:
    kept = row["scopes"]
    scopes = frozenset(kept.split()) if kept is not None else expand(str(row["roles"]).split())
    return ApiKey(row["id"], row["label"], scopes, row["created"], row["revoked"], row["until"], row["used"])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
