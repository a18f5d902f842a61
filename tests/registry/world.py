"""A small world for tests of every room: a registry with one committee, an accredited issuer and a schema.

    world = World(tmp_path)                       # genesis, operator, committee, first tick
    issuer = world.actor(1); world.register(issuer)
    schema = world.schema({...}); world.accredit(issuer, schema)
    world.commit(); facts = world.facts()

All keys and nonces come from one seed, so a world is the same every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from registry import operations as ops
from registry.bundle import BundleFacts, open_bundle
from registry.genesis import FLOORS, Genesis, Member, print_genesis
from registry.log import Receipt, Registry
from registry.operations import Author, SignedOperation
from registry.registers import register_root
from registry.signer import OperatorKeys
from tests.seeds import SEED
from weid.canon import JSON, jcs
from weid.did import key_id, weid_did
from weid.keys import LocalSigner
from weid.records import RegisterLeaf, StatusEntries, StatusEntry, status_digest, status_list_id
from weid.suites import suite

START = 29_900_000  # minutes: late 2026
YEAR = 525_600
NAMES = (("en", "Example"), ("pt", "Exemplo"), ("zh-Hans", "示例"), ("zh-Hant", "範例"))
SCHEMA: dict[str, JSON] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:weid:schema:example:1", "type": "object",
}  # fmt: skip


class Stream:
    """A fixed stream of pseudo-random bytes: never for anything but tests."""

    def __init__(self, seed: str) -> None:
        self._seed, self._count = f"{SEED}{seed}", 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size)


@dataclass
class Actor:
    """A DID with its signers by key number: 1 is log-op, 2 assert, 3 status."""

    did: str
    signers: dict[int, LocalSigner]
    last_op: bytes = b""
    lists: dict[int, tuple[int, bytes | None, StatusEntries]] = field(default_factory=dict)

    @property
    def log(self) -> LocalSigner:
        """The log-op signer."""
        return self.signers[1]

    @property
    def issuing(self) -> LocalSigner:
        """The assert signer."""
        return self.signers[2]


class World:
    """A registry in a folder, and verbs that must succeed (`expect=` names another result)."""

    def __init__(
        self,
        folder: Path,
        *,
        profile: str = "intl",
        name: str = "home",
        weights: Sequence[int] = (1,),
        floors: dict[str, int] | None = None,
        start: int = START,
        chain: int = 20_200,
        witnesses: str = "",
    ) -> None:
        self.folder, self.name, self.random = folder, name, Stream(name)
        self.suite = "sm2" if profile == "gm" else "ed25519"
        self.origin, self.chain = f"registry.{name}.example/weid/1", chain
        self.log_key = LocalSigner(self.secret(), self.suite, f"{self.origin}#log", "log")
        self.state_key = LocalSigner(self.secret(), self.suite, f"{self.origin}#state", "state")
        self.operator = LocalSigner(self.secret(), self.suite, f"{self.origin}#operator", "log-op")
        twin = suite("sm2").generate(self.random) if profile == "both" else None
        self.twin_key = None if twin is None else LocalSigner(twin, "sm2", f"{self.origin}#twin", "twin")
        self.committee = [self._member() for _ in weights]
        members = tuple(
            Member(actor.did, f"Member {n}", weight, actor.log.public_key)
            for n, (actor, weight) in enumerate(zip(self.committee, weights, strict=True), 1)
        )
        thresholds = MappingProxyType({**dict.fromkeys(FLOORS, 1), **(floors or {})})
        self.genesis = Genesis(
            self.origin, self.chain, profile, self.log_key.public_key, self.state_key.public_key,
            self.operator.public_key, members, thresholds, witnesses, start,
            None if self.twin_key is None else self.twin_key.public_key,
        )  # fmt: skip
        self.pin, self.now = self.genesis.digest, start
        self.path, self.mark = folder / f"{name}.db", folder / f"{name}.mark"
        self.registry = Registry.create(self.path, print_genesis(self.genesis), self.keys(), random=self.random)
        self.admin = self.committee[0]

    def secret(self, suite_name: str | None = None) -> bytes:
        """A fresh secret from the world's stream."""
        return suite(suite_name or self.suite).generate(self.random)

    def keys(self) -> OperatorKeys:
        """The operator's keys, reading the mark file again."""
        return OperatorKeys(
            self.genesis, log=self.log_key, state=self.state_key, operator=self.operator, mark=self.mark, twin=self.twin_key
        )

    def reopen(self) -> Registry:
        """Close and open the registry again."""
        self.registry.close()
        self.registry = Registry.open(self.path, random=self.random, keys=self.keys())
        return self.registry

    def _member(self) -> Actor:
        secret = self.secret()
        did = str(weid_did(self.chain, LocalSigner(secret, self.suite, "k", "log-op").public_key))
        return Actor(did, {1: LocalSigner(secret, self.suite, key_id(did, 1), "log-op")})

    def signer(self, did: str, number: int, role: str, suite_name: str | None = None) -> LocalSigner:
        """A fresh signer for a DID."""
        return LocalSigner(self.secret(suite_name), suite_name or self.suite, key_id(did, number), role)

    def actor(self, suite_name: str | None = None) -> Actor:
        """A DID that is not registered yet, with log-op, assert and status keys."""
        name = suite_name or self.suite
        secret = self.secret(name)
        did = str(weid_did(self.chain, LocalSigner(secret, name, "k", "log-op").public_key))
        first = LocalSigner(secret, name, key_id(did, 1), "log-op")
        return Actor(did, {1: first, 2: self.signer(did, 2, "assert", name), 3: self.signer(did, 3, "status", name)})

    def author(self, signer: LocalSigner | Actor) -> Author:
        """Whoever signs operations with this key."""
        return Author.of(self.genesis, signer.log if isinstance(signer, Actor) else signer, self.random)

    def submit(self, operation: SignedOperation, expect: str = "applied") -> Receipt:
        """Submit one operation; its result must be the expected one."""
        receipt = self.registry.submit([operation.data])[0]
        assert expect == receipt.code, receipt
        return receipt

    def tick(self, minutes: int = 1) -> None:
        """Let log time pass."""
        self.now += minutes
        assert self.registry.tick(self.now).code == "applied"

    def register(self, actor: Actor) -> Actor:
        """Register an actor's DID with its three keys."""
        made = ops.did_create(self.author(actor), list(actor.signers.values()))
        self.submit(made)
        actor.last_op = made.id
        return actor

    def schema(self, document: dict[str, JSON] | None = None) -> bytes:
        """Publish a schema by the committee; its digest."""
        data = jcs(document or SCHEMA)
        self.submit(ops.schema_publish(self.author(self.admin), data))
        return self.genesis.hash(data)

    def accredit(self, actor: Actor, *schemas: bytes, until: int | None = None, names: Any = NAMES) -> None:
        """Apply for schemas and approve each."""
        self.submit(ops.issuer_apply(self.author(actor), names, schemas))
        for schema in schemas:
            end = until or self.now + YEAR
            self.submit(ops.issuer_approve(self.author(self.admin), actor.did, schema, level=1, until=end))

    def issuer(self, *schemas: bytes) -> Actor:
        """A registered and accredited issuer."""
        actor = self.register(self.actor())
        self.accredit(actor, *schemas)
        return actor

    def status(
        self,
        actor: Actor,
        schemas: Sequence[bytes],
        *,
        number: int = 1,
        changed: Sequence[StatusEntry] = (),
        lifted: Sequence[int] = (),
        leaves: Sequence[RegisterLeaf] = (),
        expect: str = "applied",
        **wrong: Any,
    ) -> SignedOperation:
        """Publish a status list with its register; `wrong` replaces single fields."""
        seq, prev, entries = actor.lists.get(number, (0, None, StatusEntries()))
        after = {entry.index: entry for entry in entries if entry.index not in lifted}
        after.update({entry.index: entry for entry in changed})
        fresh = StatusEntries(after[index] for index in sorted(after))
        list_id = status_list_id(actor.did, number)
        fields: dict[str, Any] = {
            "number": number, "seq": seq + 1, "schemas": schemas,
            "changed": StatusEntries(sorted(changed, key=lambda entry: entry.index)), "lifted": lifted,
            "digest": status_digest(self.genesis.hash, list_id, seq + 1, fresh),
            "register_root": register_root(list_id, leaves, hash=self.genesis.hash), "register_size": len(leaves),
            "this_update": self.now, "next_update": self.now + 1440, **wrong,
        }  # fmt: skip
        made = ops.status_publish(self.author(actor), fields.pop("prev", prev), **fields)
        self.submit(made, expect)
        if expect == "applied":
            actor.lists[number] = (seq + 1, made.id, fresh)
        return made

    def commit(self) -> bytes:
        """Commit the state; the bundle."""
        assert self.registry.commit().code == "applied"
        return self.registry.bundle()

    def facts(self) -> BundleFacts:
        """The facts of a bundle of the state as it is now."""
        return open_bundle(self.commit(), pin=self.pin, at=self.now)
