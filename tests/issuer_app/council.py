"""A committee as offices with pages: one registry, one app for each member, and an institution that waits for a decision."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from issuer_app.app import create_app
from issuer_app.config import Config
from issuer_app.office import Office
from issuer_app.store import private_file
from registry import operations as ops
from registry.node.client import RegistryClient
from tests.issuer_app import house
from tests.registry.world import NAMES, World
from weid.codec import from_minutes


@lru_cache(maxsize=1)
def _entered() -> tuple[bytes, bytes, str]:
    """Users, cookie key and the cookie of a committee member who signed in: once, because that costs a third of a second."""
    with TemporaryDirectory() as folder:
        council = Council(Path(folder) / "council", weights=(1,))
        person = house.Person(council.app(0), "mei")
        cookie = person.http.get_cookie("issuer")
        assert cookie is not None
        place = council.folder / "app-0"
        council.close()
        with closing(sqlite3.connect(place / "users.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it in the one file that is copied
        return (place / "users.db").read_bytes(), (place / "session.key").read_bytes(), cookie.value


class Council:
    """`offices[n]` and `app(n)` are of member n; `applicant` has applied for `skill` and waits."""

    def __init__(self, folder: Path, weights: Sequence[int] = (1, 1, 1)) -> None:
        self.folder, self._users = folder, b""
        (folder / "registry").mkdir(parents=True)
        self.world = World(folder / "registry", weights=weights)
        self.client = RegistryClient.local(self.world.registry)
        self.offices = [self._office(n) for n in range(len(weights))]
        self.document = house.pack("certificate-authority").files["schemas/skill-certificate.json"]
        self.applicant = self.world.register(self.world.actor())

    def _office(self, n: int) -> Office:
        signer = self.world.committee[n].log
        return Office.of_signer(
            self.folder / f"member-{n}", signer, client=self.client, names={"en": f"Authority {n + 1}"}, random=self.world.random
        )

    @property
    def now(self) -> int:
        """The log's minute, which is also the clock."""
        return self.world.now

    @property
    def moment(self) -> datetime:
        """The same as a moment."""
        return from_minutes(self.now)

    def app(self, n: int, **parts: Any) -> Any:
        """The pages of one member's office."""
        place = self.folder / f"app-{n}"
        private_file(place / "users.db")
        (place / "users.db").write_bytes(self._users or house._people())
        made = create_app(
            Config(folder=place, council=self.offices[n], clock=lambda: self.moment, random=self.world.random, zone=UTC, **parts)
        )
        made.testing = False
        return made

    def member(self, n: int, language: str = "en") -> house.Person:
        """Somebody at the pages of one member's office, signed in."""
        self._users, key, cookie = _entered()
        place = self.folder / f"app-{n}"
        private_file(place / "session.key")
        (place / "session.key").write_bytes(key)
        person = house.Person(self.app(n), language=language)
        person.http.set_cookie("issuer", cookie)
        return person

    def decide(self, proposal: bytes, *others: int) -> None:
        """These members vote for it and the last of them executes it."""
        for n in others:
            self.offices[n].vote(proposal, True)
        self.offices[others[-1]].execute(proposal)

    def publish(self) -> bytes:
        """The kind of certificate is published, and the institution has applied for it; its digest."""
        office = self.offices[0].deciding("schema", self.now)
        skill = office.publish_schema(self.document)
        if office.proposal is not None:
            self.decide(office.proposal, 1)
        self.world.submit(ops.issuer_apply(self.world.author(self.applicant), NAMES, (skill,)))
        return skill

    def close(self) -> None:
        """Close the registry."""
        self.world.registry.close()
