"""A small world in memory: one home registry, issuers, schemas, lists; every test changes what it needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credentials.binding import NO_BINDING, Binding
from credentials.issue import Issued, Registry, Slot, issue
from credentials.schema import Schema, read_schema, schema_digest
from weid.codec import from_minutes, minutes
from weid.did import did_key, key_id, weid_did
from weid.facts import RecordFacts, Source
from weid.hashes import SHA256
from weid.keys import LocalSigner, PublicKey
from weid.records import (
    AccreditationRecord,
    ConflictRecord,
    DidRecord,
    IssuerRecord,
    KeyRecord,
    Period,
    RootRecord,
    SchemaRecord,
    StatusEntries,
    StatusEntry,
    StatusRecord,
    VersionRecord,
    status_list_id,
)  # fmt: skip
from weid.suites import suite

DATA = Path(__file__).parent / "data"
NOW = minutes(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
DAY = 1440
ALL_COMPLETE = dict.fromkeys(
    (
        "did", "issuer", "accreditation", "schema", "status", "override", "register", "role", "recognition", "evidence",
    ),
    True,
)  # fmt: skip


def labels(text: str) -> dict[str, str]:
    return dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), text)


def at(count: int = NOW) -> datetime:
    return from_minutes(count)


class Seeded:
    """Reproducible bytes for tests: SHA-256 in counter mode."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed, 0

    def __call__(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            out += hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
            self.count += 1
        return out[:size]


def make_signer(suite_name: str, role: str, seed: str, kid: str = "") -> LocalSigner:
    return LocalSigner(suite(suite_name).generate(Seeded(seed)), suite_name, kid, role)


def pass_schema(
    *,
    bind: str = "none",
    status: bool = True,
    lifetime: int = 365 * DAY,
    width: int = 20,
    name: str = "entry-pass",
    version: int = 1,
) -> bytes:
    """A schema of three claims, the first two of class public."""
    claims: dict[str, Any] = {
        "status": {"type": "string", "enum": ["GREEN", "YELLOW", "RED"], "x-class": "public",
                   "x-values": {word: labels(word.lower()) for word in ("GREEN", "YELLOW", "RED")}},
        "name": {"type": "string", "minLength": 1, "maxLength": 40, "x-class": "public"},
        "born": {"type": "string", "format": "date"},
    }  # fmt: skip
    for claim, value in claims.items():
        value["x-label"] = labels(claim)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:weid:schema:{name}:{version}",
        "title": "EntryPassCredential",
        "type": "object",
        "additionalProperties": False,
        "properties": claims,
        "required": ["status", "name"],
        "x-weid": {
            "name": name, "version": version, "order": list(claims), "title": labels("Entry pass"),
            "lifetime": lifetime, "bind": bind, "status": status, "width": width,
        },
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False).encode()


CLAIMS = {"status": "GREEN", "name": "张伟", "born": "1998-04-17"}


@dataclass
class Institution:
    """An issuer with its keys: 1 log-op, 2 assert."""

    name: str
    suite: str = "ed25519"
    chain: int = 100
    keys: list[KeyRecord] = field(default_factory=list)
    deactivated: int | None = None
    state: str = "approved"
    decided: int | None = NOW - 300 * DAY

    def __post_init__(self) -> None:
        first = make_signer(self.suite, "log-op", f"{self.name}/log")
        self.did = weid_did(self.chain, first.public_key)
        self.signer = make_signer(self.suite, "assert", f"{self.name}/assert", key_id(self.did, 2))
        if not self.keys:
            self.keys = [self.key(1, "log-op", first.public_key), self.key(2, "assert", self.signer.public_key)]

    def key(self, number: int, role: str, key: PublicKey) -> KeyRecord:
        return KeyRecord(number, role, key.suite, key.data, NOW - 400 * DAY, 1, None, None, None, None)

    def end_key(self, number: int, end: str, ended: int) -> None:
        self.keys = [replace(key, end=end, ended=ended, noted=NOW - 1) if key.number == number else key for key in self.keys]

    def record(self) -> DidRecord:
        return DidRecord(self.did, b"\0" * 32, (VersionRecord(1, NOW - 400 * DAY),), tuple(self.keys), (), self.deactivated)


@dataclass
class World:
    """What the trust data say; `facts()` freezes it."""

    suite: str = "ed25519"
    origin: str = "registry.gd.example"
    chain: int = 100
    label: str = "Guangdong registry"
    schema_bytes: bytes = field(default_factory=pass_schema)
    complete: dict[str, bool] = field(default_factory=lambda: dict(ALL_COMPLETE))
    pinned: bool = True
    log_time: int = NOW - 60
    conflict: bool = False
    extra: list[Any] = field(default_factory=list)
    dropped: set[type] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.genesis = hashlib.sha256(self.origin.encode()).digest()
        self.issuer = Institution(f"{self.origin}/university", self.suite, self.chain)
        digest = schema_digest(self.schema_bytes, SHA256)
        self.schema: Schema = read_schema(self.schema_bytes, digest)
        self.periods = [Period(NOW - 300 * DAY, NOW + 3000 * DAY, None, None)]
        self.entries: dict[int, StatusEntry] = {}
        self.status_age = 60
        self.random = Seeded("world")

    @property
    def registry(self) -> Registry:
        return Registry(self.origin, self.genesis)

    @property
    def source(self) -> Source:
        return Source(self.origin, self.genesis, self.label, 40, self.log_time)

    @property
    def list_id(self) -> str:
        return status_list_id(self.issuer.did, 1)

    def issue(
        self,
        claims: Mapping[str, Any] = CLAIMS,
        *,
        issued: int = NOW - 10 * DAY,
        until: int | None = None,
        bind: Binding = NO_BINDING,
        index: int | None = 7,
        specimen: bool = False,
        valid_from: int | None = None,
    ) -> Issued:
        end = until if until is not None else issued + min(self.schema.lifetime, 300 * DAY)
        return issue(
            self.schema, claims, issuer=self.issuer.signer, registry=self.registry, issued=issued, valid_until=end,
            valid_from=valid_from, random=self.random, bind=bind, slot=None if index is None else Slot(1, index),
            specimen=specimen,
        )  # fmt: skip

    def records(self) -> list[Any]:
        status = StatusRecord(
            self.list_id, self.issuer.did, 1, 3, (self.schema.digest,),
            StatusEntries(self.entries[index] for index in sorted(self.entries)), b"\1" * 32, 5,
            NOW - self.status_age, NOW - self.status_age + 7 * DAY, NOW - self.status_age,
        )  # fmt: skip
        records = [
            self.issuer.record(),
            IssuerRecord(
                self.issuer.did, (("en", "University"), ("zh-Hans", "大学")), self.issuer.state, NOW - 301 * DAY,
                self.issuer.decided, "did:weid:100:0x" + "0" * 40, None, (self.schema.digest,),
            ),
            AccreditationRecord(
                self.issuer.did, self.schema.digest, 1, "did:weid:100:0x" + "0" * 40, None, tuple(self.periods)
            ),
            SchemaRecord(self.schema.digest, self.issuer.did, NOW - 301 * DAY, self.schema_bytes),
            status,
            *self.extra,
        ]  # fmt: skip
        return [record for record in records if type(record) not in self.dropped]

    def facts(self) -> RecordFacts:
        root = RootRecord(self.origin, self.genesis, self.chain, "intl", 40, b"\2" * 32, self.log_time)
        conflict = ConflictRecord("rollback", "The log became shorter.") if self.conflict else None
        return RecordFacts(
            self.records(), source=self.source, complete=self.complete, root=root if self.pinned else None,
            conflict=conflict,
        )  # fmt: skip


def holder(suite_name: str = "ed25519", seed: str = "holder") -> LocalSigner:
    secret = suite(suite_name).generate(Seeded(seed))
    key = PublicKey(suite_name, suite(suite_name).public(secret))
    did = did_key(key)
    return LocalSigner(secret, suite_name, f"{did}#{key.multikey()}", "present")


class SeenSet:
    """A memory of codes, as a checkpoint keeps it."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def claim(self, key: str, until: int) -> bool:
        if key in self.known:
            return False
        self.known[key] = until
        return True
