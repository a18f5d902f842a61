"""Signing in with a wallet key: challenges that one browser may answer once, and the did:keys that are somebody's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.store import Store
from weid.login import LIFETIME, LoginChallenge, check_answer, read_answer, read_challenge
from weid.suites import Random

__all__ = ["WalletKey", "WalletKeys"]

_MOST_KEYS = 5  # a user's


@dataclass(frozen=True, slots=True)
class WalletKey:
    """A did:key that opens sessions of a user, and since when (UTC minutes)."""

    did: str
    user: str
    linked: int


class WalletKeys:
    """The wallet keys of one folder's users. `browser` is a random text that only one browser's cookie holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS wallet_keys (did TEXT PRIMARY KEY, user TEXT NOT NULL, linked INTEGER NOT "
                       "NULL) STRICT")  # fmt: skip
            db.execute("CREATE TABLE IF NOT EXISTS challenges (browser TEXT NOT NULL, purpose TEXT NOT NULL, body BLOB NOT NULL, "
                       "until INTEGER NOT NULL, PRIMARY KEY (browser, purpose)) STRICT")  # fmt: skip

    def ask(self, purpose: str, browser: str, *, origin: str, name: str, at: int, random: Random) -> LoginChallenge:
        """A fresh challenge for this browser; the one before it is worth nothing any more. MalformedError `bad-origin`."""
        made = LoginChallenge(origin, name, purpose, random(16), at, at + LIFETIME)
        with self._store.change() as db:
            db.execute("DELETE FROM challenges WHERE until <= ?", (at,))
            db.execute("INSERT OR REPLACE INTO challenges VALUES (?, ?, ?, ?)",
                       (_hash(browser), purpose, made.to_bytes(), made.expires))  # fmt: skip
        return made

    def asked(self, purpose: str, browser: str, at: int) -> LoginChallenge:
        """The challenge this browser has to answer; NotFoundError."""
        found = self._row(purpose, browser, at)
        if found is None:
            raise NotFoundError("no challenge is open here")
        return found

    def answered(self, purpose: str, browser: str, data: bytes, at: int) -> str:
        """The did:key that answers this browser's challenge, which is used up, right or wrong.

        RefusedError `login-expired` where there is none (any more); SignatureError `wrong-answer`, MalformedError.
        """
        with self._store.change() as db:  # taken away first: of two answers at once only one finds it
            challenge = self._row(purpose, browser, at)
            db.execute("DELETE FROM challenges WHERE browser = ? AND purpose = ?", (_hash(browser), purpose))
        if challenge is None:
            raise RefusedError("the challenge was used or is too old: load the page again", code="login-expired")
        return check_answer(read_answer(data), challenge)

    def link(self, did: str, user: str, at: int) -> None:
        """This key opens sessions of the user; RefusedError `key-linked` if it is anybody's, `too-many`."""
        with self._store.change() as db:
            if self._store.row("SELECT 1 FROM wallet_keys WHERE did = ?", did):
                raise RefusedError("this key is linked already", code="key-linked")
            if len(self.of(user)) >= _MOST_KEYS:
                raise RefusedError(f"a user has at most {_MOST_KEYS} wallet keys", code="too-many")
            db.table("wallet_keys").insert({"did": did, "user": user, "linked": at})

    def unlink(self, did: str, user: str) -> None:
        """This key opens nothing any more; NotFoundError."""
        with self._store.change() as db:
            done = db.execute("DELETE FROM wallet_keys WHERE did = ? AND user = ?", (did, user))
            if done.rowcount == 0:
                raise NotFoundError("no such key of this user")

    def of(self, user: str) -> tuple[WalletKey, ...]:
        """The keys of a user."""
        rows = self._store.rows("SELECT * FROM wallet_keys WHERE user = ? ORDER BY linked, did", user)
        return tuple(WalletKey(row["did"], row["user"], row["linked"]) for row in rows)

    def user_of(self, did: str) -> str | None:
        """Whose key this is."""
        row = self._store.row("SELECT user FROM wallet_keys WHERE did = ?", did)
        return None if row is None else str(row["user"])

    def _row(self, purpose: str, browser: str, at: int) -> LoginChallenge | None:
        row = self._store.row(
            "SELECT body FROM challenges WHERE browser = ? AND purpose = ? AND until > ?", _hash(browser), purpose, at
        )
        return None if row is None else read_challenge(bytes(row["body"]))


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode("utf-8", "replace")).hexdigest()
