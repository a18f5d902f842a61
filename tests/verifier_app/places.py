"""A real registry, a real issuer and a verifier's app beside them, for the tests of the verifier's pages.

place = Place(tmp_path, "certificate-authority", "skill-certificate")
code = place.text(place.issue(CERTIFICATE))     # what a QR code says
client = place.client(); judge(client, code)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from credentials import carrier, picture
from credentials.binding import NO_BINDING, Binding
from credentials.issue import Issued, Registry, Slot, issue
from credentials.schema import Schema, read_schema
from credentials.typed import new_code, read_code, typed_fingerprint, typed_kind
from registry import operations as ops
from registry.genesis import print_genesis
from tests.registry.world import World
from verifier_app.app import create_app
from verifier_app.languages import text
from weid.canon import parse_json
from weid.codec import from_minutes
from weid.did import did_key
from weid.keys import LocalSigner, PublicKey
from weid.records import RegisterLeaf, StatusEntry, status_list_id
from weid.suites import suite

PACKS = Path(__file__).resolve().parents[2] / "packs"
HOST = "weid.app"
CERTIFICATE: dict[str, Any] = {
    "holderName": "张伟", "certificateNumber": "202600000123", "skill": "区块链应用操作员 Blockchain operator",
    "awardDate": "2026-02-28", "level": "3", "documentTail": "1234", "grade": "92",
}  # fmt: skip
NAMES = (
    ("en", "FinTech Association"),
    ("pt", "Associação de FinTech"),
    ("zh-Hans", "金融科技协会"),
    ("zh-Hant", "金融科技協會"),
)


class Place:
    """One registry with one accredited issuer of one schema of a pack; a trust folder that has pinned it."""

    def __init__(
        self,
        folder: Path,
        pack: str,
        schema: str,
        *,
        profile: str = "intl",
        name: str = "home",
        chain: int = 20_200,
        pinned: bool = True,
    ) -> None:
        self.folder, self.pack = folder, pack
        self.world = World(folder, profile=profile, name=name, chain=chain)
        document = parse_json((PACKS / pack / "schemas" / f"{schema}.json").read_bytes())
        assert isinstance(document, dict)
        digest = self.world.schema(document)
        self.schema: Schema = read_schema((PACKS / pack / "schemas" / f"{schema}.json").read_bytes(), digest)
        self.issuer = self.world.register(self.world.actor())
        self.accredit(digest)
        self.leaves: list[RegisterLeaf] = []
        self.index, self.clock, self.trust = 100, self.world.now, folder / f"{name}-verifier"
        self.trust.mkdir()
        self.publish()
        self._apps: list[Flask] = []
        if pinned:
            self.pin()

    @property
    def now(self) -> int:
        """The log's minute."""
        return self.world.now

    def accredit(self, digest: bytes) -> None:
        """The issuer's right for its schema: given by the committee, unless a place of another kind says otherwise."""
        self.world.accredit(self.issuer, digest, names=NAMES)

    def pin(self) -> None:
        """Pin the home registry and bring its bundle, as `weid trust` does."""
        from registry.node.folder import TrustFolder

        store = TrustFolder(self.trust)
        store.pin(print_genesis(self.world.genesis))
        store.accept(self.bundle(), at=self.world.now)
        self.clock = self.world.now

    def bundle(self) -> bytes:
        """The registry's bundle as it is now."""
        return self.world.commit()

    def publish(self, changed: tuple[StatusEntry, ...] = (), lifted: tuple[int, ...] = ()) -> None:
        """Publish the status list with its register."""
        leaves = sorted(self.leaves, key=lambda leaf: leaf.index)
        self.world.status(self.issuer, [self.schema.digest], changed=changed, lifted=lifted, leaves=leaves)

    def revoke(self, index: int, state: str = "revoked") -> bytes:
        """Revoke or suspend one slot; the bundle that says so."""
        self.world.tick()
        self.publish((StatusEntry(index, state, "error-in-data", self.world.now),))
        return self.bundle()

    def issue(
        self, claims: Mapping[str, Any], *, bind: Binding = NO_BINDING, minutes: int = 1400, start: int | None = None,
        specimen: bool = False, issuer: LocalSigner | None = None,
    ) -> Issued:  # fmt: skip
        """A credential of the place's schema in the next free slot."""
        self.index += 1
        issued = self.world.now
        begin = issued if start is None else start
        made = issue(
            self.schema, claims, issuer=issuer or self.issuer.issuing, specimen=specimen, bind=bind,
            registry=Registry(self.world.origin, self.world.pin), issued=min(issued, begin), valid_from=begin,
            valid_until=begin + minutes, random=self.world.random, slot=Slot(1, self.index),
        )  # fmt: skip
        assert made.leaf is not None
        self.leaves.append(made.leaf)
        return made

    def anchor(self, made: Issued, claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
        """Put the fingerprint for the check by typing on the log; the printed code."""
        code = new_code(self.world.random)
        mark = typed_fingerprint(
            self.schema, claims, names, read_code(code), origin=self.world.origin, issuer=self.issuer.did,
            hash=self.world.genesis.hash,
        )  # fmt: skip
        assert made.leaf is not None
        kind = typed_kind(status_list_id(self.issuer.did, 1), made.leaf.index)
        self.world.submit(ops.evidence_anchor(self.world.author(self.issuer), mark, kind))
        return code

    def text(self, data: bytes | Issued) -> str:
        """What the QR code says."""
        return carrier.to_text(data if isinstance(data, bytes) else data.compact, HOST)

    def png(self, data: bytes | Issued, scale: int = 6) -> bytes:
        """The QR code as a picture."""
        drawn = picture.draw(data if isinstance(data, bytes) else data.compact, host=HOST)
        return picture.png(drawn, scale=scale)

    def app(self, **config: Any) -> Flask:
        """A verifier over the place's trust folder, with its clock."""
        values: dict[str, Any] = {
            "TRUST_FOLDER": self.trust, "PACKS": [PACKS / self.pack], "CLOCK": self.time, "TIMEZONE": "Asia/Macau",
            "RANDOM": self.world.random, "NAME": "Gate 3", "VERIFIER": "gate-3", "RATELIMIT_ENABLED": False,
            "MEMORY": ":memory:", "TESTING": True,
        }  # fmt: skip
        return create_app(values | config)

    def client(self, **config: Any) -> FlaskClient:
        """A browser without a browser."""
        return self.app(**config).test_client()

    def time(self) -> datetime:
        """The verifier's clock: set `clock` to move it."""
        return from_minutes(self.clock)

    def close(self) -> None:
        """Closes the registry's database."""
        self.world.registry.close()


def holder(place: Place) -> LocalSigner:
    """A holder's key, as a wallet makes it."""
    secret = place.world.secret()
    key = PublicKey(place.world.suite, suite(place.world.suite).public(secret))
    did = did_key(key)
    return LocalSigner(secret, place.world.suite, f"{did}#{key.multikey()}", "present")


def token(client: FlaskClient, path: str = "/") -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found is not None
    return found.group(1)


def judge(client: FlaskClient, text: str, *, language: str = "en", **form: str) -> str:
    """Paste a text; the page."""
    data = {"text": text, "csrf_token": token(client), "request": "none", **form}
    answer = client.post(f"/verify?lang={language}", data=data)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def said(language: str, key: str, **values: object) -> str:
    """A text as it stands in a page."""
    return str(escape(text(language, key, **values)))


def verdict(page: str) -> list[str]:
    """The verdicts on a page."""
    return re.findall(r'data-verdict="([a-z-]+)"', page)
