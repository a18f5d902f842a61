"""The webhooks of one desk: its addresses, what the books write down for them, and the courier between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from issuer_app.desk import Desk
from issuer_app.store import Store
from issuer_app.two_people import Waiting
from issuer_app.webhooks import outbox
from issuer_app.webhooks.courier import Courier, Post
from issuer_app.webhooks.endpoints import Endpoint, Endpoints
from issuer_app.webhooks.reaching import Net, post
from weid.suites import Random

__all__ = ["FILE", "Hooks"]

FILE = "webhooks.db"
_KEY = "webhook"  # under which name the folder keeps the key of the secrets


@dataclass(frozen=True, slots=True)
class Hooks:
    """Close it when done. `nets` is what the operator lets webhooks reach besides the public internet."""

    desk: Desk
    endpoints: Endpoints
    nets: Sequence[Net]
    _requests: Store

    @classmethod
    def open(cls, desk: Desk, app: Path, *, nets: Sequence[Net] = ()) -> Hooks:
        """Over the folder of a desk and that of its app; the desk stays the caller's to close."""
        Waiting(app / "waiting.db").close()  # the table that is watched
        profile = "gm" if desk.client.genesis.hash.name == "sm3" else "intl"
        endpoints = Endpoints(desk.party.folder / FILE, desk.party.secret(_KEY), profile=profile)
        return cls(desk, endpoints, nets, Store(app / "waiting.db"))

    def add(self, url: str, label: str, events: Iterable[str], *, at: int, random: Random) -> tuple[Endpoint, str]:
        """A new address and its secret, as `Endpoints.add`; from now on the books write down what happens."""
        made = self.endpoints.add(url, label, events, nets=self.nets, at=at, random=random)
        outbox.listen(self.desk.books, self._requests)
        return made

    def remove(self, id_: str) -> None:
        """Forget an address; with the last one nothing is written down any more."""
        self.endpoints.remove(id_)
        if not self.endpoints.all():
            outbox.deafen(self.desk.books, self._requests)

    def courier(
        self, *, clock: Callable[[], int], random: Random, noted: Callable[[str, str], None] = lambda id_, why: None,
        send: Post | None = None,
    ) -> Courier:  # fmt: skip
        """What tells the addresses; `clock` gives seconds, `send` is for tests."""
        return Courier(
            self.desk.party.folder, self.desk.did, (self.desk.books, self._requests), self.endpoints,
            send or partial(post, nets=self.nets), clock, random, noted,
        )  # fmt: skip

    def close(self) -> None:
        """Close its own files."""
        self.endpoints.close()
        self._requests.close()
