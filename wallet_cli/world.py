"""A pack brought to life in this process: registries, institutions, verifiers and holders, under one clock.

Everything is the real thing: the node's own service behind an in-process client, the desks and offices of the
issuer's app, trust stores, wallets. Only the clock is the case's.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from credentials.requests import schema_digests
from issuer_app.desk import Desk, Terms
from issuer_app.office import Office
from registry.bodies import TrustRecognise
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.client import RegistryClient
from registry.trust import TrustStore
from wallet_cli.registry_folder import SUITE, create_registry, open_signer
from wallet_cli.wallet import Wallet
from weid.canon import jcs, parse_json
from weid.codec import minutes
from weid.errors import MalformedError
from weid.facts import Facts
from weid.pack import Pack

PASSPHRASE = "a world of its own"  # noqa: S105  (of a folder that lives for one case)
CHEAP = {"intl": 10, "gm": 1000}
YEAR = 525_600


@dataclass
class Memory:
    """A verifier's memory of live codes (R14) and of revocations (R9)."""

    claimed: dict[str, int] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    def claim(self, key: str, until: int) -> bool:
        """True the first time."""
        if key in self.claimed:
            return False
        self.claimed[key] = until
        return True


@dataclass
class Verifier:
    """Somebody who checks: a pinned root, the bundles carried so far, a memory."""

    name: str
    title: str
    store: TrustStore
    memory: Memory = field(default_factory=Memory)


@dataclass
class World:
    """Everything of one case, by the names of the pack."""

    pack: Pack
    clock: datetime
    folder: Path
    registries: dict[str, Registry] = field(default_factory=dict)
    clients: dict[str, RegistryClient] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    offices: dict[str, Office] = field(default_factory=dict)
    home_of: dict[str, str] = field(default_factory=dict)
    verifiers: dict[str, Verifier] = field(default_factory=dict)
    holders: dict[str, Wallet] = field(default_factory=dict)
    schemas: Mapping[str, bytes] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)

    @property
    def minute(self) -> int:
        """The clock in minutes."""
        return minutes(self.clock)

    def wait(self, count: int) -> None:
        """Move the clock, and bring every registry's log time up to it."""
        self.clock += timedelta(minutes=count)
        for registry in self.registries.values():
            registry.tick(self.minute).require()

    def bundle(self, registry: str) -> bytes:
        """A fresh trust bundle of one registry."""
        self.registries[registry].commit().require()
        return self.registries[registry].bundle()

    def facts(self, verifier: str) -> Facts:
        """What a verifier may rely on now."""
        return self.verifiers[verifier].store.facts(at=self.minute)

    def party(self, name: str) -> Desk | Office:
        """An institution's desk or an authority's office."""
        found = self.desks.get(name) or self.offices.get(name)
        if found is None:
            raise MalformedError(f"trust.json has no party {name!r}")
        return found

    def office(self, name: str) -> Office:
        """A party as an office: its log-op key used for authority's verbs, whether it has the right or not."""
        if name not in self.offices:
            self.offices[name] = Office(self.desks[name].party)
        return self.offices[name]


@contextmanager
def world(pack: Pack, clock: datetime) -> Iterator[World]:
    """A fresh world of a pack, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="weid-") as folder:
        made = build(pack, clock, Path(folder))
        try:
            yield made
        finally:
            close(made)


def close(made: World) -> None:
    """Close every file of a world."""
    for desk in made.desks.values():
        desk.close()
    for registry in made.registries.values():
        registry.close()


def build(
    pack: Pack, clock: datetime, folder: Path, *, passphrase: str = PASSPHRASE, cost: Mapping[str, int] | None = CHEAP
) -> World:
    """Registries, committee, schemas, authorities, institutions, recognition, verifiers: as trust.json says."""
    made = World(pack, clock, folder, schemas=schema_digests(pack))
    trust = pack.section("trust")
    parties = _table(trust, "parties")
    made.home_of = {name: str(party["registry"]) for name, party in parties.items()}
    for name, terms in _table(trust, "registries").items():
        _registry(made, name, terms, parties, passphrase, cost)
    for name, party in parties.items():
        if "committee" not in party:
            _party(made, name, party, passphrase, cost)
    if "assets.json" in pack.files:
        from wallet_cli import world_assets

        world_assets.set_up(made, {name: committee(made, name) for name in made.registries})
    for entry in _rows(trust, "recognition"):
        _recognise(made, entry)
    for name, terms in _table(trust, "verifiers").items():
        genesis = print_genesis(made.registries[str(terms["home"])].genesis)
        made.verifiers[name] = Verifier(name, str(terms["names"]["en"]), TrustStore.pin(genesis))
    return made


def _registry(
    made: World, name: str, terms: Mapping[str, Any], parties: Mapping[str, Any], passphrase: str,
    cost: Mapping[str, int] | None,
) -> None:  # fmt: skip
    profile = str(terms["profile"])
    members = {
        party: int(item["committee"]) for party, item in parties.items() if item["registry"] == name and "committee" in item
    }
    registry = create_registry(
        made.folder / name, origin=str(terms["origin"]), chain=int(terms["chain"]), profile=profile, members=members,
        passphrase=passphrase, minute=made.minute, random=secrets.token_bytes,
        cost=None if cost is None else cost[profile],
    )  # fmt: skip
    made.registries[name] = registry
    made.clients[name] = RegistryClient.local(registry)
    for party in members:
        signer = open_signer(made.folder / name, f"committee-{party}", passphrase)
        place = made.folder / party
        place.mkdir(mode=0o700)
        made.offices[party] = Office.of_signer(place, signer, client=made.clients[name], names=parties[party]["names"])
    for schema, digest in made.schemas.items():
        if any(item["registry"] == name and schema in _wanted(item) for item in parties.values()):
            document = jcs(parse_json(made.pack.files[f"schemas/{schema}.json"]))
            published = committee(made, name).publish_schema(document)
            assert published == digest


def committee(made: World, registry: str) -> Office:
    """The office of the registry's committee member."""
    did = made.registries[registry].genesis.committee[0].did
    return next(office for office in made.offices.values() if str(office.did) == did)


def _party(
    made: World, name: str, party: Mapping[str, Any], passphrase: str, cost: Mapping[str, int] | None
) -> None:  # fmt: skip
    home = str(party["registry"])
    profile, client = made.registries[home].genesis.profile, made.clients[home]
    suite = str(party.get("suite", SUITE[profile]))
    common: dict[str, Any] = {
        "client": client, "suite": suite, "names": party["names"], "passphrase": passphrase, "at": made.minute,
        "random": secrets.token_bytes, "cost": None if cost is None else cost[profile],
    }  # fmt: skip
    roles = party.get("roles", [])
    if roles:
        office = made.offices[name] = Office.create(made.folder / name / roles[0], **common)
        for role in roles:
            committee(made, home).grant_role(office.did, role, until=made.minute + 5 * YEAR)
        return
    wants = [made.schemas[schema] for schema in party.get("issues", [])]
    desk = made.desks[name] = Desk.create(made.folder / name / "desk", wants=wants, terms=Terms.of_pack(made.pack), **common)
    for digest in wants:
        reviewer(made, home).approve(desk.did, digest, until=made.minute + YEAR)


def reviewer(made: World, registry: str) -> Office:
    """The registry's reviewer, or its committee where the pack names none."""
    parties = _table(made.pack.section("trust"), "parties")
    for name, party in parties.items():
        if party["registry"] == registry and "reviewer" in party.get("roles", []) and name in made.offices:
            return made.offices[name]
    return committee(made, registry)


def _recognise(made: World, entry: Mapping[str, Any]) -> None:
    foreign = made.registries[str(entry["foreign"])]
    checkpoint = made.clients[str(entry["foreign"])].checkpoint()
    names = _table(made.pack.section("trust"), "registries")[str(entry["foreign"])]["names"]
    committee(made, str(entry["home"])).recognise(
        foreign.pin,
        TrustRecognise(
            origin=foreign.genesis.origin, names=tuple(sorted(names.items())), purposes=tuple(entry["purposes"]),
            schemas=tuple(made.schemas[schema] for schema in entry["schemas"]), since=None,
            until=made.minute + int(entry["days"]) * 1440, size=checkpoint.size, root=checkpoint.root,
            assurance=int(entry["assurance"]), mapping=None,
        ),
    )  # fmt: skip


def _wanted(party: Mapping[str, Any]) -> list[str]:
    return [*party.get("issues", []), *party.get("wants", [])]


def _table(section: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    value = section.get(name)
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise MalformedError(f"trust.json: {name} must be an object of objects")
    return value


def _rows(section: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = section.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedError(f"trust.json: {name} must be a list of objects")
    return value
