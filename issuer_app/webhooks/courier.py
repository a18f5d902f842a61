"""Telling: events are fetched from the books, and each is sent to its addresses until one attempt succeeds (at least once).

An attempt that fails is made again after half a minute, then twice as long each time, six hours at most. An address through
which nothing got for a week is switched off. One round holds some dozens of events at a time and ends by itself.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from issuer_app.store import Store, private_file
from issuer_app.webhooks import outbox
from issuer_app.webhooks.endpoints import Delivery, Endpoint, Endpoints
from issuer_app.webhooks.signing import headers
from weid.errors import WeidError
from weid.suites import Random

__all__ = ["Courier", "delivering"]

Post = Callable[[str, Mapping[str, str], bytes], str]
_FETCHED: Final = 500  # events in one transaction
_AT_ONCE: Final = 50  # deliveries to one address in one round: some tens a second at most
_HANDS: Final = 4  # addresses that are told at the same time
_FIRST: Final = 30  # seconds
_MOST: Final = 6 * 3_600
_PAUSED: Final = 3_600
_PATIENCE: Final = 7 * 86_400  # seconds without one success before an address is switched off,
_LEAST: Final = 10  # and attempts
_EVERY: Final = 2.0  # seconds between two rounds
_GONE: Final = "http-410"


@dataclass(frozen=True, slots=True)
class Courier:
    """`sources` are the files that events stand in; `post` sends; `noted` hears (id, why) of an address switched off."""

    folder: Path
    issuer: str
    sources: tuple[Store, ...]
    endpoints: Endpoints
    post: Post
    clock: Callable[[], int]  # seconds
    random: Random
    noted: Callable[[str, str], None] = lambda id_, why: None
    stop: threading.Event = field(default_factory=threading.Event)

    def round(self) -> int:
        """Fetch what happened, and send what is due; how many attempts were made. Another process's round is left alone."""
        with self._alone() as alone:
            if not alone or not self.endpoints.all():
                return 0
            now = self.clock()
            for source in self.sources:
                self._fetch(source, now)
            self.endpoints.tidy(now)
            ready = [held for held in self.endpoints.all() if held.state == "on" and held.pause <= now]
            with ThreadPoolExecutor(_HANDS) as hands:
                return sum(hands.map(self._tell, ready))

    def _fetch(self, source: Store, now: int) -> None:
        """Into our file first, then out of the other: cut short in between, the same event is known by its id."""
        while events := outbox.waiting(source, _FETCHED):
            with self.endpoints.store.change():
                for event in events:
                    self.endpoints.put(event, self.issuer, now)
            outbox.taken(source, events)

    def _tell(self, held: Endpoint) -> int:
        """Send what is due to one address, until one attempt fails."""
        made = 0
        for delivery in self.endpoints.due(held.id, self.clock(), _AT_ONCE):
            if self.stop.is_set():
                break
            now = self.clock()
            head = headers(delivery.event, now, delivery.body, self.endpoints.secrets(held.id, now))
            outcome = self.post(held.url, {**head, "Content-Type": "application/json", "User-Agent": "weid-webhook/1"},
                                delivery.body)  # fmt: skip
            made += 1
            if not self._keep(held, delivery, outcome):
                break
        return made

    def _keep(self, held: Endpoint, delivery: Delivery, outcome: str) -> bool:
        """Write down what came of an attempt; whether it succeeded."""
        now, done = self.clock(), outcome.startswith("http-2")
        with self.endpoints.store.change() as db:
            db.execute("UPDATE deliveries SET state = ?, tries = tries + 1, due = ?, last = ?, outcome = ? WHERE seq = ?",
                       ("done" if done else "waiting", now + self._later(delivery.tries, _MOST), now, outcome,
                        delivery.seq))  # fmt: skip
            if done:
                db.execute("UPDATE endpoints SET failing = NULL, fails = 0, pause = 0 WHERE id = ?", (held.id,))
                return True
            db.execute("UPDATE endpoints SET failing = coalesce(failing, ?), fails = fails + 1, pause = ? WHERE id = ?",
                       (now, now + self._later(held.fails, _PAUSED), held.id))  # fmt: skip
            db.execute("UPDATE endpoints SET state = 'off', why = CASE WHEN ?1 = ?2 THEN 'gone' ELSE 'failing' END WHERE id = ?3 "
                       "AND state = 'on' AND (?1 = ?2 OR (failing <= ?4 AND fails >= ?5))",
                       (outcome, _GONE, held.id, now - _PATIENCE, _LEAST))  # fmt: skip
            off = self.endpoints.store.row("SELECT why FROM endpoints WHERE id = ? AND state = 'off'", held.id)
        if off is not None and off["why"] != "by-hand":
            self.noted(held.id, off["why"])
        return False

    def _later(self, before: int, most: int) -> int:
        """Seconds until the next attempt after so many: doubled each time, and not all at one moment."""
        usual = min(_FIRST << min(before, 20), most)
        return usual * (4 * 255 + self.random(1)[0]) // (4 * 255)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """The folder's lock for rounds, which a killed process gives back; False where another holds it."""
        path = self.folder / "webhooks.lock"
        private_file(path)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


@contextmanager
def delivering(courier: Courier, *, every: float = _EVERY) -> Iterator[None]:
    """Make a round every few seconds, in a thread of this process, until the block ends."""

    def run() -> None:
        while not courier.stop.wait(every):
            try:
                courier.round()
            except (OSError, sqlite3.Error, WeidError):
                continue  # a full disk, a file that somebody else holds, an address just removed: all is still there

    thread = threading.Thread(target=run, name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        courier.stop.set()
        thread.join(20)
