"""Who may sign in: users with roles, their sessions, and API keys. Nothing here is kept readable.

Passwords are scrypt hashes; session ids and API keys are 256-bit random and kept as SHA-256 only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from issuer_app.keys import ApiKey, Keys
from issuer_app.store import Store
from weid.errors import MalformedError

__all__ = ["ROLES", "ApiKey", "User", "Users"]

ROLES = ("clerk", "reviewer", "auditor", "governor", "admin", "lookup")  # the last is for programs: they ask as strangers do
MIN_PASSWORD = 12
MAX_PASSWORD = 200
IDLE = 30  # minutes without a request
LONGEST = 600  # minutes since sign-in
MAX_SESSIONS = 5  # a user's newest
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_METHOD = "scrypt:32768:8:1"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    name: str
    roles: frozenset[str]
    disabled: bool


class Users:
    """The users, sessions and API keys of one folder."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "users.db")
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT NOT NULL, "
                       "roles TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0) STRICT")  # fmt: skip
            db.execute("CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL, "
                       "started INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT")  # fmt: skip
        self.api_keys = Keys(self._store)
        # A user that does not exist costs the same work: the time of an answer tells nothing about names.
        self._nobody = f"{_METHOD}${secrets.token_urlsafe(12)}${secrets.token_hex(64)}"

    def add(self, name: str, password: str, roles: frozenset[str]) -> User:
        """A new user; MalformedError for a taken or unusable name, a short password or an unknown role."""
        if not _NAME.fullmatch(name):
            raise MalformedError("a user name is 1 to 64 letters, digits, dots, hyphens or @", code="bad-user-name")
        _check_roles(roles)
        hashed = _hashed(password)
        with self._store.change() as db:
            if self._store.row("SELECT 1 FROM users WHERE name = ?", name):
                raise MalformedError(f"{name} is taken", code="user-exists")
            db.table("users").insert({"name": name, "password": hashed, "roles": " ".join(sorted(roles)), "disabled": 0})
        return User(name, roles, False)

    def set_password(self, name: str, password: str) -> None:
        """Replace the password and end every session of the user."""
        hashed = _hashed(password)
        with self._store.change() as db:
            db.execute("UPDATE users SET password = ? WHERE name = ?", (hashed, name))
            db.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Lock a user out, or let them in again; sessions end at once."""
        with self._store.change() as db:
            db.execute("UPDATE users SET disabled = ? WHERE name = ?", (int(disabled), name))
            db.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def everyone(self) -> tuple[User, ...]:
        """All users by name."""
        return tuple(_user(row) for row in self._store.rows("SELECT * FROM users ORDER BY name"))

    def sign_in(self, name: str, password: str, at: int) -> str | None:
        """A new session id, or None; the work and the answer are the same whatever was wrong."""
        row = self._store.row("SELECT * FROM users WHERE name = ?", name[:64])
        right = check_password_hash(row["password"] if row else self._nobody, _normal(password)[:MAX_PASSWORD])
        if row is None or not right or row["disabled"]:
            return None
        session = secrets.token_hex(32)
        with self._store.change() as db:
            db.table("sessions").insert({"id": _sha256(session), "user": row["name"], "started": at, "seen": at})
            db.execute(
                "DELETE FROM sessions WHERE user = ? AND id NOT IN "
                "(SELECT id FROM sessions WHERE user = ? ORDER BY seen DESC, rowid DESC LIMIT ?)",
                (row["name"], row["name"], MAX_SESSIONS),
            )
        return session

    def session(self, session: str, at: int) -> User | None:
        """The user of a session that is neither idle nor too old."""
        row = self._store.row(
            "SELECT users.*, sessions.id AS sid, sessions.seen AS seen, sessions.started AS started FROM sessions "
            "JOIN users ON users.name = sessions.user WHERE sessions.id = ?", _sha256(session),
        )  # fmt: skip
        if row is None or row["disabled"]:
            return None
        if at - row["seen"] > IDLE or at - row["started"] > LONGEST:
            self.sign_out(session)
            return None
        if at > row["seen"]:
            with self._store.change() as db:
                db.execute("UPDATE sessions SET seen = ? WHERE id = ?", (at, row["sid"]))
        return _user(row)

    def sign_out(self, session: str) -> None:
        """End a session on the server, so that a copied cookie is worth nothing."""
        with self._store.change() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", (_sha256(session),))

    def add_key(self, label: str, granted: frozenset[str], at: int, *, days: int | None = None) -> str:
        """A new API key (`Keys.add`)."""
        return self.api_keys.add(label, granted, at, days=days)

    def keys(self) -> tuple[ApiKey, ...]:
        """All API keys, newest first."""
        return self.api_keys.all()

    def revoke_key(self, id_: str, at: int) -> None:
        """End an API key."""
        self.api_keys.revoke(id_, at)

    def key(self, text: str, at: int) -> ApiKey | None:
        """The API key of its text, unless it has ended."""
        return self.api_keys.key(text, at)

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _user(row: dict[str, str | int]) -> User:
    return User(str(row["name"]), frozenset(str(row["roles"]).split()), bool(row["disabled"]))


def _check_roles(roles: frozenset[str]) -> None:
    if not roles or roles - set(ROLES):
        raise MalformedError(f"roles are some of {', '.join(ROLES)}", code="bad-role")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _hashed(password: str) -> str:
    if not MIN_PASSWORD <= len(_normal(password)) <= MAX_PASSWORD:
        raise MalformedError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", code="bad-password")
    return generate_password_hash(_normal(password), _METHOD)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
