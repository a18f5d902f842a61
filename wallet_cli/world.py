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
from functools import partial
from pathlib import Path
from typing import Any

from credentials.requests import schema_digests
from issuer_app.desk import Desk, Terms
from issuer_app.office import Office
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.client import RegistryClient
from registry.pack_committee import Founding, read_founding
from registry.trust import TrustStore
from wallet_cli.registry_folder import SUITE, create_registry, open_signer
from wallet_cli.wallet import Wallet
from wallet_cli.world_votes import decide, recognition_terms, set_rules
from weid.canon import jcs, parse_json
from weid.codec import minutes
from weid.errors import MalformedError
from weid.facts import Facts
from weid.pack import Pack

PASSPHRASE = "a world of its own"  # noqa: S105  (of a folder that lives for one case)
CHEAP = {"intl": 10, "gm": 1000, "both": 10}
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
    foundings = {name: read_founding(pack, name) for name in _table(trust, "registries")}
    for name, founding in foundings.items():
        _registry(made, name, founding, parties, passphrase, cost)
    for name, party in parties.items():
        if "committee" not in party:
            _party(made, name, party, passphrase, cost)
    if "assets.json" in pack.files:
        from wallet_cli import world_assets

        world_assets.set_up(made, lambda name, act: decide(made, name, "schema", act))
    for entry in _rows(trust, "recognition"):
        _recognise(made, entry)
    for name, founding in foundings.items():
        set_rules(made, name, founding)
    for name, terms in _table(trust, "verifiers").items():
        genesis = print_genesis(made.registries[str(terms["home"])].genesis)
        made.verifiers[name] = Verifier(name, str(terms["names"]["en"]), TrustStore.pin(genesis))
    return made


def _registry(
    made: World, name: str, founding: Founding, parties: Mapping[str, Any], passphrase: str, cost: Mapping[str, int] | None
) -> None:  # fmt: skip
    members = {seat.party: seat.weight for seat in founding.seats}
    registry = create_registry(
        made.folder / name, origin=founding.origin, chain=founding.chain, profile=founding.profile, members=members,
        passphrase=passphrase, minute=made.minute, random=secrets.token_bytes,
        cost=None if cost is None else cost[founding.profile], floors=founding.floors,
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
            decide(made, name, "schema", partial(Office.publish_schema, document=document))
            assert digest.hex() in registry.state.tables["schema"]


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
            decide(made, home, "role", partial(Office.grant_role, did=office.did, role=role, until=made.minute + 5 * YEAR))
        return
    wants = [made.schemas[schema] for schema in party.get("issues", [])]
    desk = made.desks[name] = Desk.create(made.folder / name / "desk", wants=wants, terms=Terms.of_pack(made.pack), **common)
    for digest in wants:
        give = partial(Office.approve, did=desk.did, schema=digest, until=made.minute + YEAR)
        held = reviewer(made, home)
        if held is None:
            decide(made, home, "issuer", give)
        else:
            give(held)


def reviewer(made: World, registry: str) -> Office | None:
    """The registry's reviewer; None where the pack names none: then the committee decides."""
    parties = _table(made.pack.section("trust"), "parties")
    for name, party in parties.items():
        if party["registry"] == registry and "reviewer" in party.get("roles", []) and name in made.offices:
            return made.offices[name]
    return None


def _recognise(made: World, entry: Mapping[str, Any]) -> None:
    pin, terms = made.registries[str(entry["foreign"])].pin, recognition_terms(made, entry)
    decide(made, str(entry["home"]), "recognition", lambda office: office.recognise(pin, terms))


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
