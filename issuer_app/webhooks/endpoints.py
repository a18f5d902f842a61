"""Who is told what: the addresses of other programs, their secrets, and what still has to be sent to each.

A secret is shown when it is made and sealed from then on, under a key that the passphrase of the desk's keys opens. A copy of
this file tells nobody how to sign. In a backup this file comes after the books (`issued.db`): what had left those is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.store import Store
from issuer_app.webhooks.outbox import EVENTS, Event
from issuer_app.webhooks.reaching import Net, checked_url
from issuer_app.webhooks.signing import SIZE, spelled
from weid.canon import jcs
from weid.codec import rfc3339
from weid.errors import KeyMaterialError, MalformedError
from weid.sealed import Passphrase, read_header, seal, unseal
from weid.suites import Random

__all__ = ["KEPT", "MOST", "TEST", "Delivery", "Endpoint", "Endpoints"]

MOST: Final = 20
TEST: Final = "endpoint.test"
KEPT: Final = 30 * 86_400  # seconds: what could not be told by then is given up, and what was told is forgotten
_BOTH: Final = 86_400  # seconds for which an old secret signs beside a new one
_KIND: Final = "weid/webhook-secret/v1"
_COST: Final = {"intl": 10, "gm": 1000}  # the key is random: there is no passphrase to stretch
_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS endpoints (id TEXT PRIMARY KEY, url TEXT NOT NULL, label TEXT NOT NULL, events TEXT NOT NULL,
 state TEXT NOT NULL, why TEXT NOT NULL, made INTEGER NOT NULL, secret BLOB NOT NULL, old BLOB, until INTEGER,
 failing INTEGER, fails INTEGER NOT NULL, pause INTEGER NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL REFERENCES
 endpoints ON DELETE CASCADE, event TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, made INTEGER NOT NULL,
 state TEXT NOT NULL, tries INTEGER NOT NULL, due INTEGER NOT NULL, last INTEGER, outcome TEXT NOT NULL,
 UNIQUE (endpoint, event)) STRICT""",
    "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (endpoint, state, due)",
    "CREATE INDEX IF NOT EXISTS deliveries_made ON deliveries (made)",
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. `why` it is off: by-hand, failing (for a week) or gone (it said so); seconds since 1970."""

    id: str
    url: str
    label: str
    events: frozenset[str]
    state: str  # on | off
    why: str
    made: int
    until: int | None  # the old secret signs until then
    failing: int | None  # since when nothing got through
    fails: int  # in a row
    pause: int  # nothing is sent before

    @property
    def listens(self) -> bool:
        """Whether new events are kept for it: not once a person has switched it off."""
        return self.state == "on" or self.why == "failing"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one address. `state`: waiting, done, or lost (given up)."""

    seq: int
    endpoint: str
    event: str
    kind: str
    body: bytes
    made: int
    state: str
    tries: int
    due: int
    last: int | None
    outcome: str


class Endpoints:
    """The file of addresses and deliveries of a desk; `key` opens their secrets (None: they cannot be made or used)."""

    def __init__(self, path: Path, key: bytes | None, *, profile: str = "intl") -> None:
        self.store, self._profile = Store(path), profile
        self._key = None if key is None else Passphrase(key.hex())
        with self.store.change() as db:
            for statement in _TABLES:
                db.execute(statement)

    def add(
        self, url: str, label: str, events: Iterable[str], *, nets: Sequence[Net], at: int, random: Random
    ) -> tuple[Endpoint, str]:  # fmt: skip
        """A new address and its secret, which nobody is shown again.

        MalformedError `bad-hook-url`, `bad-hook-label`, `bad-events`; RefusedError `too-many-hooks`.
        """
        checked_url(url, nets)
        if not label.strip() or len(label) > 80 or not label.isprintable():
            raise MalformedError("an address needs a label of at most 80 characters", code="bad-hook-label")
        id_, secret, chosen = random(8).hex(), random(SIZE), _events(events)
        with self.store.change() as db:
            if len(self.all()) >= MOST:
                raise RefusedError(f"at most {MOST} addresses", code="too-many-hooks")
            db.table("endpoints").insert({
                "id": id_, "url": url, "label": label.strip(), "events": " ".join(chosen), "state": "on", "why": "", "made": at,
                "secret": self._sealed(id_, secret, random), "old": None, "until": None, "failing": None, "fails": 0, "pause": 0,
            })  # fmt: skip
        return self.get(id_), spelled(secret)

    def all(self) -> tuple[Endpoint, ...]:
        """Every address, oldest first."""
        return tuple(map(_endpoint, self.store.rows("SELECT * FROM endpoints ORDER BY made, id")))

    def get(self, id_: str) -> Endpoint:
        """One address; NotFoundError."""
        row = self.store.row("SELECT * FROM endpoints WHERE id = ?", id_)
        if row is None:
            raise NotFoundError("no webhook of that id")
        return _endpoint(row)

    def remove(self, id_: str) -> None:
        """Forget an address with everything that waits for it."""
        self.get(id_)
        with self.store.change() as db:
            db.execute("DELETE FROM endpoints WHERE id = ?", (id_,))
        self.store.checkpoint()

    def choose(self, id_: str, events: Iterable[str]) -> None:
        """From now on it is told these events; MalformedError `bad-events`."""
        self.get(id_)
        with self.store.change() as db:
            db.execute("UPDATE endpoints SET events = ? WHERE id = ?", (" ".join(_events(events)), id_))

    def switch(self, id_: str, *, on: bool, why: str = "by-hand") -> None:
        """On again, at once and with nothing held against it; or off, and what waits stays."""
        self.get(id_)
        with self.store.change() as db:
            db.execute("UPDATE endpoints SET state = ?, why = ?, failing = NULL, fails = 0, pause = 0 WHERE id = ?",
                       ("on" if on else "off", "" if on else why, id_))  # fmt: skip

    def rotate(self, id_: str, *, at: int, random: Random) -> str:
        """A new secret, told once; the one before signs beside it for a day."""
        self.get(id_)
        secret = random(SIZE)
        with self.store.change() as db:
            db.execute("UPDATE endpoints SET old = secret, until = ?, secret = ? WHERE id = ?",
                       (at + _BOTH, self._sealed(id_, secret, random), id_))  # fmt: skip
        return spelled(secret)

    def settle(self, id_: str) -> None:
        """The old secret signs no more, from this moment."""
        self.get(id_)
        with self.store.change() as db:
            db.execute("UPDATE endpoints SET old = NULL, until = NULL WHERE id = ?", (id_,))
        self.store.checkpoint()

    def secrets(self, id_: str, at: int) -> tuple[bytes, ...]:
        """The secrets that sign for an address, the newest first."""
        row = self.store.row("SELECT secret, old, until FROM endpoints WHERE id = ?", id_)
        if row is None:
            raise NotFoundError("no webhook of that id")
        good = [row["secret"], *([row["old"]] if row["old"] is not None and at < row["until"] else [])]
        return tuple(self._opened(id_, bytes(sealed)) for sealed in good)

    def put(self, event: Event, issuer: str, at: int) -> None:
        """Keep an event for everybody who is to be told; again is no change."""
        for held in self.all():
            if event.event in held.events and held.listens:
                self._put(
                    held.id, event.id, event.event, _body(event.event, event.made, issuer, event.data(issuer)), event.made, at
                )

    def test(self, id_: str, issuer: str, *, at: int, random: Random) -> None:
        """An event that only says it is one; RefusedError `hook-off`."""
        if self.get(id_).state != "on":
            raise RefusedError("this webhook is switched off", code="hook-off")
        self._put(id_, f"evt_{random(16).hex()}", TEST, _body(TEST, at, issuer, {"id": id_}), at, at)

    def due(self, id_: str, at: int, limit: int) -> tuple[Delivery, ...]:
        """What is to be sent to an address now, what was tried before after the rest."""
        sql = "SELECT * FROM deliveries WHERE endpoint = ? AND state = 'waiting' AND due <= ? ORDER BY due, seq LIMIT ?"
        return tuple(Delivery(**row) for row in self.store.rows(sql, id_, at, limit))

    def deliveries(self, id_: str, *, limit: int, before: int | None = None) -> tuple[Delivery, ...]:
        """The newest deliveries of an address, or those before the one with this number."""
        sql = "SELECT * FROM deliveries WHERE endpoint = ? AND (? IS NULL OR seq < ?) ORDER BY seq DESC LIMIT ?"
        return tuple(Delivery(**row) for row in self.store.rows(sql, id_, before, before, limit))

    def counts(self, id_: str) -> dict[str, int]:
        """How many deliveries of an address wait, were done, were lost."""
        sql = "SELECT state, count(*) AS n FROM deliveries WHERE endpoint = ? GROUP BY state"
        return {row["state"]: int(row["n"]) for row in self.store.rows(sql, id_)}

    def tidy(self, at: int) -> None:
        """Give up what is too old, and forget what was given up or done long ago."""
        if self.store.row("SELECT 1 FROM deliveries WHERE made < ? LIMIT 1", at - KEPT) is None:
            return
        with self.store.change() as db:
            db.execute("UPDATE deliveries SET state = 'lost', last = ? WHERE state = 'waiting' AND made < ?", (at, at - KEPT))
            db.execute("DELETE FROM deliveries WHERE state <> 'waiting' AND last < ?", (at - KEPT,))

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def _put(self, endpoint: str, event: str, kind: str, body: bytes, made: int, at: int) -> None:
        with self.store.change() as db:
            db.execute("INSERT OR IGNORE INTO deliveries (endpoint, event, kind, body, made, state, tries, due, last, outcome) "
                       "VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, NULL, '')", (endpoint, event, kind, body, made, at))  # fmt: skip

    def _sealed(self, id_: str, secret: bytes, random: Random) -> bytes:
        return seal(secret, self._words(), kind=_KIND, random=random, meta={"endpoint": id_}, profile=self._profile,
                    cost=_COST[self._profile])  # fmt: skip

    def _opened(self, id_: str, sealed: bytes) -> bytes:
        if read_header(sealed).meta != {"endpoint": id_}:
            raise KeyMaterialError("a secret of another webhook", code="wrong-hook")
        return unseal(sealed, self._words(), kind=_KIND)

    def _words(self) -> Passphrase:
        if self._key is None:
            raise KeyMaterialError("the secrets of webhooks need the desk's keys", code="passphrase")
        return self._key


def _events(chosen: Iterable[str]) -> tuple[str, ...]:
    wanted = frozenset(chosen)
    if not wanted or wanted - set(EVENTS):
        raise MalformedError(f"events are some of {', '.join(EVENTS)}", code="bad-events")
    return tuple(event for event in EVENTS if event in wanted)


def _body(kind: str, made: int, issuer: str, data: Any) -> bytes:
    return jcs({"type": kind, "timestamp": rfc3339(made // 60), "issuer": issuer, "data": data})


def _endpoint(row: dict[str, Any]) -> Endpoint:
    return Endpoint(row["id"], row["url"], row["label"], frozenset(str(row["events"]).split()), row["state"], row["why"],
                    row["made"], row["until"], row["failing"], row["fails"], row["pause"])  # fmt: skip
