"""Who may sign in: users with roles, their sessions, and API keys. Nothing here is kept readable.

Passwords are scrypt hashes; session ids and API keys are 256-bit random and kept as SHA-256 only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from issuer_app.keys import ApiKey, Keys
from issuer_app.store import Store
from weid.errors import MalformedError

__all__ = ["ROLES", "ApiKey", "Session", "User", "Users", "check_person", "check_roles"]

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
    how: str = ""  # how the session was opened: password, code (and a password), wallet; empty outside a session


@dataclass(frozen=True, slots=True)
class Session:
    """A session as a list shows it; `id` names it and opens nothing. Minutes since 1970."""

    id: str
    user: str
    started: int
    seen: int
    agent: str
    how: str


class Users:
    """The users, sessions and API keys of one folder."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "users.db")
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT NOT NULL, "
                       "roles TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0) STRICT")  # fmt: skip
            db.execute("CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL, "
                       "started INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT")  # fmt: skip
            known = {row["name"] for row in self._store.rows("PRAGMA table_info(sessions)")}
            for name in {"agent", "how"} - known:  # a folder of before there was a list of sessions
                db.execute(f"ALTER TABLE sessions ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
        self.api_keys = Keys(self._store)
        # A user that does not exist costs the same work: the time of an answer tells nothing about names.
        self._nobody = f"{_METHOD}${secrets.token_urlsafe(12)}${secrets.token_hex(64)}"

    @property
    def store(self) -> Store:
        """The file of people, for what else is kept about them."""
        return self._store

    def add(self, name: str, password: str | None, roles: frozenset[str]) -> User:
        """A new user; MalformedError for a taken or unusable name, a short password or an unknown role.

        None instead of a password: only a wallet key opens a session.
        """
        check_person(name, roles)
        hashed = _hashed(secrets.token_urlsafe(64) if password is None else password)
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

    def get(self, name: str) -> User | None:
        """One user."""
        row = self._store.row("SELECT * FROM users WHERE name = ?", name[:64])
        return None if row is None else _user(row)

    def everyone(self) -> tuple[User, ...]:
        """All users by name."""
        return tuple(_user(row) for row in self._store.rows("SELECT * FROM users ORDER BY name"))

    def check(self, name: str, password: str) -> User | None:
        """Who this is, or None; the work and the answer are the same whatever was wrong."""
        row = self._store.row("SELECT * FROM users WHERE name = ?", name[:64])
        right = check_password_hash(row["password"] if row else self._nobody, _normal(password)[:MAX_PASSWORD])
        return _user(row) if row is not None and right and not row["disabled"] else None

    def open_session(self, name: str, at: int, *, agent: str = "", how: str = "password") -> str:
        """A new session id for somebody who has been recognised; a user's oldest sessions give way."""
        session = secrets.token_hex(32)
        row = {"id": _sha256(session), "user": name, "started": at, "seen": at, "agent": agent, "how": how}
        with self._store.change() as db:
            db.table("sessions").insert(row)
            db.execute(
                "DELETE FROM sessions WHERE user = ? AND id NOT IN "
                "(SELECT id FROM sessions WHERE user = ? ORDER BY seen DESC, rowid DESC LIMIT ?)",
                (name, name, MAX_SESSIONS),
            )
        return session

    def strengthen(self, session: str) -> None:
        """This session has shown a second factor, too."""
        with self._store.change() as db:
            db.execute("UPDATE sessions SET how = 'code' WHERE id = ? AND how = 'password'", (_sha256(session),))

    def sessions(self, at: int, name: str | None = None) -> tuple[Session, ...]:
        """The open sessions of a user, or of everybody; the one last used first."""
        rows = self._store.rows(
            "SELECT * FROM sessions WHERE (? IS NULL OR user = ?) AND seen >= ? AND started >= ? ORDER BY seen DESC, id",
            name, name, at - IDLE, at - LONGEST,
        )  # fmt: skip
        return tuple(
            Session(str(row["id"])[:16], row["user"], row["started"], row["seen"], row["agent"], row["how"]) for row in rows
        )

    def is_session(self, listed: Session, session: str) -> bool:
        """Whether a listed session is the one of this session id."""
        return hmac.compare_digest(listed.id, _sha256(session)[:16])

    def end_session(self, listed: str, name: str | None = None) -> bool:
        """End a session by the id of the list, of this user if one is named; whether there was one."""
        with self._store.change() as db:
            done = db.execute(
                "DELETE FROM sessions WHERE substr(id, 1, 16) = ? AND (? IS NULL OR user = ?)", (listed, name, name)
            )
            return done.rowcount > 0

    def end_sessions(self, name: str, *, but: str = "") -> None:
        """End every session of a user, except the one of this session id."""
        with self._store.change() as db:
            db.execute("DELETE FROM sessions WHERE user = ? AND id != ?", (name, _sha256(but)))

    def session(self, session: str, at: int) -> User | None:
        """The user of a session that is neither idle nor too old."""
        row = self._store.row(
            "SELECT users.*, sessions.id AS sid, sessions.how AS how, sessions.seen AS seen, sessions.started AS started "
            "FROM sessions JOIN users ON users.name = sessions.user WHERE sessions.id = ?", _sha256(session),
        )  # fmt: skip
        if row is None or row["disabled"]:
            return None
        if at - row["seen"] > IDLE or at - row["started"] > LONGEST:
            self.sign_out(session)
            return None
        if at > row["seen"]:
            with self._store.change() as db:
                db.execute("UPDATE sessions SET seen = ? WHERE id = ?", (at, row["sid"]))
        return replace(_user(row), how=row["how"])

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


def check_person(name: str, roles: frozenset[str]) -> None:
    """MalformedError `bad-user-name` or `bad-role`."""
    if not _NAME.fullmatch(name):
        raise MalformedError("a user name is 1 to 64 letters, digits, dots, hyphens or @", code="bad-user-name")
    check_roles(roles)


def check_roles(roles: frozenset[str]) -> None:
    """MalformedError `bad-role` for none, or an unknown one."""
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
