"""A certificate authority as the pack says: a real registry in a folder, a desk, a reviewer's and an auditor's office."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from credentials.policy import Policy
from credentials.report import Report
from credentials.verify import verify
from issuer_app.app import create_app
from issuer_app.config import Config, Limits
from issuer_app.desk import Desk, Terms
from issuer_app.office import Office
from issuer_app.store import private_file
from issuer_app.users import Users
from registry.bundle import open_bundle
from registry.node.client import RegistryClient
from tests.registry.world import YEAR, World
from weid.codec import from_minutes
from weid.pack import Pack, read_pack

PASSWORD = "a long enough password"
PASSPHRASE = "for tests only"
COST = {"intl": 12, "gm": 1000}
PACKS = Path(__file__).parents[2] / "packs"
SKILL = {
    "claim-holderName": "王小明",
    "claim-certificateNumber": "202611230001",
    "claim-skill": "区块链应用操作员",
    "claim-awardDate": "2026-11-20",
    "claim-level": "3",
    "claim-grade": "优秀",
}


def pack(name: str) -> Pack:
    """A pack of the repository."""
    folder = PACKS / name
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return read_pack(files)


@lru_cache(maxsize=1)
def _people() -> bytes:
    """The file of five people: their passwords are hashed once, at the full cost, for all houses of a process."""
    with TemporaryDirectory() as folder:
        users = Users(Path(folder))
        for name, role in (("chen", "clerk"), ("lin", "reviewer"), ("ho", "auditor"), ("mei", "governor"), ("boss", "admin")):
            users.add(name, PASSWORD, frozenset({role}))
        users.close()
        return (Path(folder) / "users.db").read_bytes()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


class House:
    """`desk` has applied for the skill certificate and nothing is decided; `accredit()` decides."""

    def __init__(self, folder: Path, *, profile: str = "intl") -> None:
        self.folder, self.world = folder, World(_made(folder / "registry"), profile=profile)
        self.client = RegistryClient.local(self.world.registry)
        self.pack, suite = pack("certificate-authority"), self.world.suite
        self.parties: dict[str, Any] = self.pack.section("trust")["parties"]  # type: ignore[assignment]
        self.committee = Office.of_signer(
            folder / "committee", self.world.committee[0].log, client=self.client, names=self._names("platform"),
            random=self.world.random,
        )  # fmt: skip
        self.skill, self.training, self.bound = self._schemas()
        made = {
            role: Office.create(
                folder / role,
                client=self.client,
                suite=suite,
                names=self._names(role),
                passphrase=PASSPHRASE,
                at=self.now,
                random=self.world.random,
                cost=COST[profile],
            )
            for role in ("reviewer", "auditor")
        }
        self.office, self.audit = made["reviewer"], made["auditor"]
        for role, office in made.items():
            self.committee.grant_role(office.did, role, until=self.now + YEAR)
        self.desk = Desk.create(
            folder / "desk", client=self.client, suite=suite, names=self._names("association"), passphrase=PASSPHRASE,
            at=self.now, random=self.world.random, wants=[self.skill], terms=Terms.of_pack(self.pack), cost=COST[profile],
        )  # fmt: skip
        private_file(folder / "app" / "users.db")
        (folder / "app" / "users.db").write_bytes(_people())

    def _schemas(self) -> tuple[bytes, bytes, bytes]:
        own = [self.pack.files[f"schemas/{name}-certificate.json"] for name in ("skill", "training")]
        health = pack("health-code").files["schemas/mo-health-code.json"]
        skill, training, bound = (self.committee.publish_schema(data) for data in (*own, health))
        return skill, training, bound

    def _names(self, party: str) -> dict[str, str]:
        return dict(self.parties[party]["names"])

    @property
    def now(self) -> int:
        """The log's minute, which is also the clock."""
        return self.world.now

    @property
    def moment(self) -> datetime:
        """The same as a moment."""
        return from_minutes(self.now)

    def accredit(self, *schemas: bytes) -> None:
        """The reviewer gives the desk these rights for a year."""
        for schema in schemas or (self.skill,):
            self.office.approve(self.desk.did, schema, until=self.now + YEAR)

    def verify(self, data: bytes) -> Report:
        """What a stranger's machine says, from the exported bundle alone."""
        bundle = self.world.commit()
        facts = open_bundle(bundle, pin=self.world.pin, at=self.now, label="home")
        return verify(data, facts=facts, policy=Policy(), at=self.moment)

    def config(self, **limits: Any) -> Config:
        """The configuration of an app over all three parties."""
        return Config(
            folder=self.folder / "app", desk=self.desk, office=self.office, audit=self.audit,
            clock=lambda: self.moment, random=self.world.random, zone=UTC, limits=Limits(**limits),
        )  # fmt: skip

    def app(self, **limits: Any) -> Any:
        """The app over all three parties."""
        made = create_app(self.config(**limits))
        made.testing = False
        return made

    def close(self) -> None:
        """Close every file."""
        self.desk.close()
        self.world.registry.close()


class Person:
    """Somebody at a browser: reads pages, fills forms with the token the page gave."""

    def __init__(self, app: Any, name: str | None = None, language: str = "en") -> None:
        self.http: FlaskClient = app.test_client()
        self.language = language
        if name is not None:
            answer = self.post("/sign-in", {"name": name, "password": PASSWORD})
            assert answer.status_code == 302, answer.text

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.http.get(path, headers={"Accept-Language": self.language})

    def token(self, path: str) -> str:
        """The CSRF token of a form."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found is not None, path
        return found.group(1)

    def post(self, path: str, form: dict[str, Any], *, page: str | None = None) -> TestResponse:
        """Send a form that was opened on `page`."""
        data = {"csrf_token": self.token(page or path), **form}
        return self.http.post(path, data=data, headers={"Accept-Language": self.language})

    def follow(self, answer: TestResponse) -> TestResponse:
        """Go where a form leads."""
        assert answer.status_code == 302, answer.text
        return self.get(answer.headers["Location"])
