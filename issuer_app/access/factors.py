"""Second factors: six digits of the person's own device (TOTP, RFC 6238), and recovery codes for the day it is lost.

The shared secret is sealed under a key of the folder, bound to the user's name: a copied database alone gives no code,
and a row moved to another user opens nothing. A step of time that was used is not taken again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from issuer_app.problems import RefusedError
from issuer_app.store import Store, private_file
from issuer_app.users import User, check_roles
from weid.errors import KeyMaterialError
from weid.sealed import Passphrase, read_header, seal, unseal
from weid.suites import Random

__all__ = ["CODES", "Factors"]

CODES = 10
_STEP = 30  # seconds
_TRIES, _PAUSE = 10, 15  # wrong codes in a row, then minutes without any answer
_KIND = "weid/second-factor/v1"
_COST = {"intl": 10, "gm": 1000}  # the key is random: there is no passphrase to stretch


class Factors:
    """The second factors of one folder's users."""

    def __init__(self, store: Store, folder: Path, *, random: Random, profile: str = "intl") -> None:
        self._store, self._random, self._profile = store, random, profile
        self._key = Passphrase(_folder_key(folder).hex())
        with store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS factors (user TEXT PRIMARY KEY, sealed BLOB NOT NULL, confirmed INTEGER NOT "
                       "NULL, step INTEGER NOT NULL, wrong INTEGER NOT NULL, closed INTEGER NOT NULL) STRICT")  # fmt: skip
            db.execute("CREATE TABLE IF NOT EXISTS recovery (code TEXT PRIMARY KEY, user TEXT NOT NULL) STRICT")
            db.execute("CREATE TABLE IF NOT EXISTS factor_roles (role TEXT PRIMARY KEY) STRICT")

    def required(self) -> frozenset[str]:
        """The roles that may not go on without a second factor."""
        return frozenset(row["role"] for row in self._store.rows("SELECT role FROM factor_roles"))

    def require(self, roles: frozenset[str]) -> None:
        """From now on these roles need one; MalformedError `bad-role`."""
        if roles:
            check_roles(roles)
        with self._store.change() as db:
            db.execute("DELETE FROM factor_roles")
            db.table("factor_roles").insert_all({"role": role} for role in sorted(roles))

    def lacks(self, user: User) -> bool:
        """Whether this session must show a second factor before it may go on. A wallet's key is one already."""
        return user.how not in ("code", "wallet") and bool(user.roles & self.required())

    def has(self, name: str) -> bool:
        """Whether the user has confirmed a device."""
        row = self._store.row("SELECT confirmed FROM factors WHERE user = ?", name)
        return row is not None and bool(row["confirmed"])

    def left(self, name: str) -> int:
        """How many recovery codes are unused."""
        row = self._store.row("SELECT count(*) AS n FROM recovery WHERE user = ?", name)
        return 0 if row is None else int(row["n"])

    def enrol(self, name: str) -> str:
        """The secret (base32) for the user's device, the same until it is confirmed; RefusedError `has-factor` after that."""
        with self._store.change() as db:
            row = self._store.row("SELECT * FROM factors WHERE user = ?", name)
            if row is not None and row["confirmed"]:
                raise RefusedError("there is a second factor already", code="has-factor")
            if row is not None:
                return self._open(name, bytes(row["sealed"]))
            secret = base64.b32encode(self._random(20)).decode("ascii")
            sealed = seal(secret.encode("ascii"), self._key, kind=_KIND, random=self._random, meta={"user": name},
                          profile=self._profile, cost=_COST[self._profile])  # fmt: skip
            db.table("factors").insert({"user": name, "sealed": sealed, "confirmed": 0, "step": 0, "wrong": 0, "closed": 0})
            return secret

    def confirm(self, name: str, code: str, at: datetime) -> tuple[str, ...]:
        """The device works: the recovery codes, told once. RefusedError `wrong-code`, `factor-closed`."""
        with self._store.change():
            if self.has(name):
                raise RefusedError("there is a second factor already", code="has-factor")
        if not self._right_code(name, code, at):
            raise RefusedError("not the code of this device now", code="wrong-code")
        with self._store.change() as db:
            db.execute("UPDATE factors SET confirmed = 1 WHERE user = ?", (name,))
            return self._new_codes(name)

    def check(self, name: str, code: str, at: datetime) -> bool:
        """Whether this is the device's code of now, unused, or an unused recovery code, which it uses up.

        RefusedError `factor-closed` for a quarter of an hour after ten wrong ones in a row, whatever is given.
        """
        if not self.has(name):
            return False
        plain = code.strip().replace("-", "").replace(" ", "").upper()
        if len(plain) == 16:
            return self._use_recovery(name, plain, at)
        return self._right_code(name, plain, at)

    def remove(self, name: str) -> None:
        """Without a second factor from now on: device and recovery codes are forgotten."""
        with self._store.change() as db:
            db.execute("DELETE FROM factors WHERE user = ?", (name,))
            db.execute("DELETE FROM recovery WHERE user = ?", (name,))

    def _right_code(self, name: str, code: str, at: datetime) -> bool:
        import pyotp

        with self._store.change() as db:
            row = self._counted(name, at)
            if row is None:
                return False
            clock, now = pyotp.TOTP(self._open(name, bytes(row["sealed"]))), int(at.timestamp()) // _STEP
            given = code.strip().replace(" ", "")
            found = [step for step in (now - 1, now, now + 1) if _same(clock.at(step * _STEP), given)]
            # A code seen over a shoulder, or caught by a false page, is worth nothing once its step was used.
            right = bool(found) and max(found) > row["step"]
            if right:
                db.execute("UPDATE factors SET step = ?, wrong = 0 WHERE user = ?", (max(found), name))
            else:
                self._wrong(name, at)
            return right

    def _use_recovery(self, name: str, code: str, at: datetime) -> bool:
        with self._store.change() as db:
            if self._counted(name, at) is None:
                return False
            done = db.execute("DELETE FROM recovery WHERE code = ? AND user = ?", (_hash(name, code), name))
            if done.rowcount == 0:
                self._wrong(name, at)
                return False
            db.execute("UPDATE factors SET wrong = 0 WHERE user = ?", (name,))
            return True

    def _counted(self, name: str, at: datetime) -> dict[str, Any] | None:
        row = self._store.row("SELECT * FROM factors WHERE user = ?", name)
        if row is not None and row["closed"] > int(at.timestamp()) // 60:
            raise RefusedError("too many wrong codes: wait a quarter of an hour", code="factor-closed")
        return row

    def _wrong(self, name: str, at: datetime) -> None:
        until = int(at.timestamp()) // 60 + _PAUSE
        with self._store.change() as db:
            db.execute("UPDATE factors SET closed = CASE WHEN wrong + 1 >= ? THEN ? ELSE closed END, "
                       "wrong = CASE WHEN wrong + 1 >= ? THEN 0 ELSE wrong + 1 END WHERE user = ?",
                       (_TRIES, until, _TRIES, name))  # fmt: skip

    def _new_codes(self, name: str) -> tuple[str, ...]:
        made = tuple(base64.b32encode(self._random(10)).decode("ascii") for _ in range(CODES))  # 80 bits each
        with self._store.change() as db:
            db.execute("DELETE FROM recovery WHERE user = ?", (name,))
            db.table("recovery").insert_all({"code": _hash(name, code), "user": name} for code in made)
        return tuple("-".join(code[place : place + 4] for place in range(0, 16, 4)) for code in made)

    def _open(self, name: str, sealed: bytes) -> str:
        if read_header(sealed).meta != {"user": name}:
            raise KeyMaterialError("a second factor of somebody else", code="wrong-factor")
        return unseal(sealed, self._key, kind=_KIND).decode("ascii")


def _folder_key(folder: Path) -> bytes:
    """The key of the folder: made once, readable by its owner only, part of a backup."""
    path = folder / "factors.key"
    private_file(path)
    held = path.read_bytes()
    if not held:
        held = secrets.token_bytes(32)
        fresh = path.with_suffix(".new")
        private_file(fresh)
        fresh.write_bytes(held)
        fresh.replace(path)
    if len(held) != 32:
        raise KeyMaterialError("factors.key is not what was written", code="wrong-factor")
    return held


def _same(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def _hash(name: str, code: str) -> str:
    return hashlib.sha256(f"{name}|{code}".encode("utf-8", "replace")).hexdigest()
