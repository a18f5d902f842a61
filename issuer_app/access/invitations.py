"""Invitations: a name and roles, a link that works once, and nobody but the invited person who knows the password.

The token has 128 bits and is kept as SHA-256 only: the file of people opens no door.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.store import Store
from issuer_app.users import Users, check_person
from weid.errors import MalformedError
from weid.suites import Random

__all__ = ["DAYS", "Invitation", "Invitations"]

DAYS = (1, 7, 30)
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MOST = 200  # open at once


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is invited, by whom, until when (UTC minutes). `state`: open, used, revoked or expired."""

    id: str
    name: str
    roles: frozenset[str]
    by: str
    created: int
    until: int
    state: str


class Invitations:
    """The invitations of one folder; for a name that exists already one sets a new password, and gives no role."""

    def __init__(self, users: Users) -> None:
        self._users, self._store = users, users.store
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS invitations (id TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, name TEXT "
                       "NOT NULL, roles TEXT NOT NULL, by TEXT NOT NULL, created INTEGER NOT NULL, until INTEGER NOT NULL, "
                       "state TEXT NOT NULL) STRICT")  # fmt: skip

    @property
    def store(self) -> Store:
        """The file of people."""
        return self._store

    def invite(self, name: str, roles: frozenset[str], *, by: str, days: int, at: int, random: Random) -> str:
        """The token of a new invitation, told once; an older open one for the name ends.

        MalformedError `bad-user-name`, `bad-role`, `bad-days`.
        """
        known = self._users.get(name)
        chosen = roles if known is None else known.roles  # nobody gains a role by a new password
        check_person(name, chosen)
        if days not in DAYS:
            raise MalformedError(f"an invitation is good for {', '.join(map(str, DAYS))} days", code="bad-days")
        token = random(16).hex()
        with self._store.change() as db:
            db.execute("UPDATE invitations SET state = 'revoked' WHERE name = ? AND state = 'open'", (name,))
            waiting = self._store.row("SELECT count(*) AS n FROM invitations WHERE state = 'open' AND until > ?", at)
            if waiting is not None and waiting["n"] >= _MOST:
                raise RefusedError("too many invitations are open", code="too-many")
            db.table("invitations").insert({
                "id": random(8).hex(), "token": _hash(token), "name": name, "roles": " ".join(sorted(chosen)), "by": by,
                "created": at, "until": at + days * 1440, "state": "open",
            })  # fmt: skip
        return token

    def everyone(self, at: int) -> tuple[Invitation, ...]:
        """All invitations of the last half year, newest first."""
        rows = self._store.rows("SELECT * FROM invitations WHERE until > ? ORDER BY created DESC, id", at - 262_800)
        return tuple(_read(row, at) for row in rows)

    def revoke(self, id_: str) -> None:
        """End an invitation nobody has used yet; NotFoundError."""
        with self._store.change() as db:
            done = db.execute("UPDATE invitations SET state = 'revoked' WHERE id = ? AND state = 'open'", (id_,))
            if done.rowcount == 0:
                raise NotFoundError("no open invitation of that id")

    def find(self, token: str, at: int) -> Invitation:
        """The open invitation of a token; NotFoundError in the same words for used, ended, late and never made."""
        row = self._store.row("SELECT * FROM invitations WHERE token = ?", _hash(token)) if _TOKEN.fullmatch(token) else None
        if row is None or _read(row, at).state != "open":
            raise NotFoundError("no invitation that can be used", code="no-invitation")
        return _read(row, at)

    def accept(self, token: str, password: str | None, at: int) -> Invitation:
        """Make the user (or set the password anew) and use the invitation up, both or neither.

        None instead of a password where a wallet key stands for it. MalformedError `bad-password`.
        """
        with self._store.change() as db:
            found = self.find(token, at)
            db.execute("UPDATE invitations SET state = 'used' WHERE id = ?", (found.id,))
            known = self._users.get(found.name)
            if known is None:
                self._users.add(found.name, password, found.roles)
            elif password is not None:
                self._users.set_password(found.name, password)
            return found


def _read(row: dict[str, object], at: int) -> Invitation:
    until = int(str(row["until"]))
    state = "expired" if row["state"] == "open" and until <= at else str(row["state"])
    roles = frozenset(str(row["roles"]).split())
    return Invitation(str(row["id"]), str(row["name"]), roles, str(row["by"]), int(str(row["created"])), until, state)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
