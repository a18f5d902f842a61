"""The two-person rule: what one person asks for waits until another one says yes, for the acts that the pack names.

This is the one seam. A page or program that wants to do such an act asks here (`Waiting.ask`) instead; the desk itself
refuses an act without an `Approval` by two (`require`), so a door that forgets to ask is closed, not open.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.store import Store
from weid.canon import JSON, jcs, parse_json
from weid.errors import IssueError

__all__ = ["ACTS", "DAYS", "KINDS", "NEEDS", "Approval", "Asked", "Waiting", "require"]

ACTS: Final = ("issue", "revoke", "import", "erase")
NEEDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({
    **{act: frozenset({act}) for act in ACTS},
    "change": frozenset({"revoke"}), "replace": frozenset({"issue", "revoke"}), "renew": frozenset({"issue"}),
})  # fmt: skip
"""Kinds of request, and the acts of a pack of which any makes it wait: whoever corrects a certificate issues one and ends one."""
KINDS: Final = tuple(NEEDS)
DAYS: Final = 3
_AGAIN: Final = 5  # minutes after which an approval that was cut short may be given again by the same person
_MOST: Final = 1000  # waiting at once
_BODY: Final = 1 << 25  # of a request: the ids of 400,000 certificates are 14 MB
_ID: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Approval:
    """Two people: who asked, and who agreed."""

    by: str
    second: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `body` is what the act needs, empty once it is decided. `state`: waiting, doing, done, declined,
    withdrawn or expired; `result` what came of it (a certificate's id). UTC minutes. `digest` is that of act, target and body."""

    id: str
    act: str
    target: str
    body: Mapping[str, JSON]
    by: str
    asked: int
    until: int
    state: str
    second: str
    result: str
    digest: bytes


def require(acts: frozenset[str], act: str, approval: Approval | None) -> None:
    """IssueError `second-person` where the rule is for this act and two people have not agreed."""
    if act in acts and (approval is None or not approval.second or approval.by == approval.second):
        raise IssueError("a second person has to agree to this", code="second-person")


class Waiting:
    """The requests of one folder. What they hold about people is destroyed with the decision, or when it is too late."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, act TEXT NOT NULL, target TEXT NOT NULL, body "
                       "BLOB, by TEXT NOT NULL, asked INTEGER NOT NULL, until INTEGER NOT NULL, state TEXT NOT NULL, second TEXT "
                       "NOT NULL, decided INTEGER NOT NULL, result TEXT NOT NULL, once TEXT UNIQUE, digest BLOB NOT NULL) "
                       "STRICT")  # fmt: skip

    def ask(
        self, act: str, target: str, body: Mapping[str, JSON], *, by: str, at: int, digest: bytes, once: str | None = None,
        renew: bool = False, until: int | None = None,
    ) -> Asked:  # fmt: skip
        """A request that waits; the same `once` with the same digest (of act and content) gives the same request.

        With `renew` one that nobody agreed to (declined, taken back, expired) is asked for anew under its `once`. It waits for
        three days, or to the minute `until` if that comes first.

        IssueError `key-reused` for other content, RefusedError `too-many` when too much waits.
        """
        if act not in NEEDS:
            raise ValueError(f"no such act: {act}")
        with self._store.change() as db:
            self.forget(at)
            known = None if once is None else self._store.row("SELECT * FROM asked WHERE once = ?", once)
            if known is not None and renew and known["state"] in ("declined", "withdrawn", "expired"):
                db.execute("UPDATE asked SET once = NULL WHERE id = ?", (known["id"],))
                known = None
            if known is not None:
                if bytes(known["digest"]) != digest:
                    raise IssueError("this request key was used for other content", code="key-reused")
                return _asked(known)
            same = self._store.row("SELECT * FROM asked WHERE state IN ('waiting', 'doing') AND digest = ? AND by = ? AND act != "
                                   "'issue'", digest, by)  # fmt: skip
            if same is not None:
                return _asked(same)  # asked for already; a certificate may be wanted twice, an end may not
            if self.count() >= _MOST:
                raise RefusedError("too many requests wait for a second person", code="too-many")
            id_, last = secrets.token_hex(8), at + DAYS * 1440
            db.table("asked").insert({
                "id": id_, "act": act, "target": target, "body": jcs(dict(body)), "by": by, "asked": at,
                "until": min(last, until or last), "state": "waiting", "second": "", "decided": 0, "result": "", "once": once,
                "digest": digest,
            })  # fmt: skip
            return self.get(id_)

    def get(self, id_: str) -> Asked:
        """One request; NotFoundError."""
        row = self._store.row("SELECT * FROM asked WHERE id = ?", id_) if _ID.fullmatch(id_) else None
        if row is None:
            raise NotFoundError("no request of that id")
        return _asked(row)

    def open(self, at: int) -> tuple[Asked, ...]:
        """What waits, the oldest first."""
        self.forget(at)
        rows = self._store.rows("SELECT * FROM asked WHERE state IN ('waiting', 'doing') ORDER BY asked, id")
        return tuple(map(_asked, rows))

    def of(self, by: str, limit: int, before: tuple[int, str] | None = None) -> tuple[Asked, ...]:
        """What somebody asked for, the newest first; those older than (minute, id)."""
        sql = "SELECT * FROM asked WHERE by = ? AND (? IS NULL OR (asked, id) < (?, ?)) ORDER BY asked DESC, id DESC LIMIT ?"
        place = before or (None, None)
        return tuple(map(_asked, self._store.rows(sql, by, place[0], *place, limit)))

    def cut_short(self, at: int) -> tuple[Asked, ...]:
        """What somebody began to carry out so long ago that nobody can be at it any more."""
        sql = "SELECT * FROM asked WHERE state = 'doing' AND decided <= ? ORDER BY asked, id"
        return tuple(map(_asked, self._store.rows(sql, at - _AGAIN)))

    def count(self) -> int:
        """How many wait."""
        row = self._store.row("SELECT count(*) AS n FROM asked WHERE state IN ('waiting', 'doing')")
        return 0 if row is None else int(row["n"])

    def claim(self, id_: str, second: str, at: int) -> Asked:
        """The request, which only this person may now carry out; call `done` or `release` afterwards.

        RefusedError `own-request` for whoever asked, `not-waiting` when it was decided, is being carried out, or is too old.
        """
        with self._store.change() as db:
            self.forget(at)
            held = self.get(id_)
            if held.by == second:
                raise RefusedError("nobody agrees to their own request", code="own-request")
            done = db.execute(
                "UPDATE asked SET state = 'doing', second = ?, decided = ? WHERE id = ? AND (state = 'waiting' OR "
                "(state = 'doing' AND second = ? AND decided <= ?))",
                (second, at, id_, second, at - _AGAIN),
            )
            if done.rowcount == 0:
                raise RefusedError("this does not wait any more", code="not-waiting")
            return self.get(id_)

    def release(self, id_: str) -> None:
        """It could not be carried out: it waits again."""
        with self._store.change() as db:
            db.execute("UPDATE asked SET state = 'waiting', second = '' WHERE id = ? AND state = 'doing'", (id_,))

    def done(self, id_: str, result: str) -> None:
        """It was carried out: what it held is destroyed."""
        with self._store.change() as db:
            db.execute("UPDATE asked SET state = 'done', result = ?, body = NULL WHERE id = ?", (result, id_))
        self._store.checkpoint()

    def decline(self, id_: str, second: str, at: int) -> None:
        """The other person says no, or who asked takes it back; RefusedError `not-waiting`."""
        with self._store.change() as db:
            self.forget(at)
            held = self.get(id_)
            if held.state != "waiting":
                raise RefusedError("this does not wait any more", code="not-waiting")
            db.execute("UPDATE asked SET state = ?, body = NULL, second = ?, decided = ? WHERE id = ?",
                       ("withdrawn" if held.by == second else "declined", second, at, id_))  # fmt: skip
        self._store.checkpoint()

    def forget(self, at: int) -> None:
        """Destroy what requests held that nobody decided in time."""
        with self._store.change() as db:
            late = (at, at - _AGAIN)
            db.execute("UPDATE asked SET state = 'expired', body = NULL WHERE until <= ? AND (state = 'waiting' OR "
                       "(state = 'doing' AND decided <= ?))", late)  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        self._store.close()


def _asked(row: Mapping[str, Any]) -> Asked:
    held = {} if row["body"] is None else parse_json(bytes(row["body"]), max_bytes=_BODY)
    body = held if isinstance(held, dict) else {}
    return Asked(row["id"], row["act"], row["target"], body, row["by"], row["asked"], row["until"], row["state"], row["second"],
                 row["result"], bytes(row["digest"]))  # fmt: skip
