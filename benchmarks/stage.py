"""A registry with one accredited issuer and the twelve-claim certificate: what the figures are measured on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.bench_integrity import claims
from credentials.binding import NO_BINDING, Binding
from credentials.issue import Issued, Slot, issue
from credentials.issue import Registry as Home
from credentials.schema import Schema, read_schema, schema_digest
from credentials.status import Register
from registry import operations
from registry.log import Registry
from wallet_cli.registry_folder import SUITE, create_registry, open_signer
from weid import codec
from weid.canon import jcs
from weid.did import DID, key_id, weid_did
from weid.keys import LocalSigner, PublicKey
from weid.records import StatusEntries, status_digest, status_list_id
from weid.suites import suite

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
FOUR = ("en", "pt", "zh-Hans", "zh-Hant")
EASY = {"intl": 10, "gm": 1000}


def twelve_schema(bind: str = "none") -> bytes:
    """The schema of the twelve claims: dates, digits and month ranges in their compact types."""
    special = {
        "birthDate": {"type": "string", "format": "date"},
        "awardDate": {"type": "string", "format": "date"},
        "certificateNumber": {"type": "string", "minLength": 18, "maxLength": 18, "x-type": "digits"},
        "studyPeriod": {"type": "string", "x-type": "month-range"},
    }
    names = list(claims())
    label = dict.fromkeys(FOUR, "label")
    properties = {
        name: {**special.get(name, {"type": "string", "maxLength": 80}), "x-class": "disclosable", "x-label": label}
        for name in names
    }
    own = {"name": "twelve", "version": 1, "order": names, "title": label, "lifetime": 5256000, "bind": bind,
           "status": True, "width": 20}  # fmt: skip
    return jcs({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:weid:schema:twelve:1",
        "title": "TwelveClaims", "type": "object", "additionalProperties": False, "properties": properties,
        "required": names, "x-weid": own,
    })  # fmt: skip


@dataclass
class Stage:
    """One registry, its issuer's signer and schema, and the home file's folder."""

    registry: Registry
    signer: LocalSigner
    schema: Schema
    did: DID

    def issue(self, bind: Binding = NO_BINDING, index: int = 77_777) -> Issued:
        """One certificate over the twelve claims."""
        now = codec.minutes(NOW)
        genesis = self.registry.genesis
        return issue(
            self.schema, claims(), issuer=self.signer, registry=Home(genesis.origin, genesis.digest), issued=now,
            valid_until=now + 525600, random=secrets.token_bytes, bind=bind, slot=Slot(1, index),
        )  # fmt: skip


def stage(folder: Path, profile: str, *, bind: str = "none") -> Stage:
    """Everything registered, approved, published and committed, in `folder`."""
    minute = codec.minutes(NOW) - 60
    registry = create_registry(
        folder, origin="registry.bench.example/1", chain=8601, profile=profile, members={"committee": 1},
        passphrase="bench", minute=minute, random=secrets.token_bytes, cost=EASY[profile],
    )  # fmt: skip
    genesis, chosen = registry.genesis, suite(SUITE[profile])
    secret = [chosen.generate(secrets.token_bytes) for _ in range(3)]
    keys = [PublicKey(chosen.name, chosen.public(item)) for item in secret]
    did = weid_did(genesis.chain, keys[0])
    roles = ("log-op", "assert", "status")
    signers = [
        LocalSigner(item, chosen.name, key_id(did, number), role)
        for number, (item, role) in enumerate(zip(secret, roles, strict=True), 1)
    ]
    own = operations.Author.of(genesis, signers[0], secrets.token_bytes)
    committee = operations.Author.of(genesis, open_signer(folder, "committee-committee", "bench"), secrets.token_bytes)
    document = twelve_schema(bind)
    digest = schema_digest(document, genesis.hash)
    names = [(language, "University") for language in FOUR]
    until = minute + 5_256_000
    reviewer = committee
    entries = [
        operations.schema_publish(committee, document),
        operations.did_create(own, signers),
        operations.issuer_apply(own, names, [digest]),
        operations.issuer_approve(reviewer, str(did), digest, level=1, until=until),
    ]
    for receipt in registry.submit([entry.data for entry in entries]):
        receipt.require()
    made = Stage(registry, signers[1], read_schema(document, digest), did)
    publish(made, own, Register(status_list_id(str(did), 1)))
    registry.tick(codec.minutes(NOW)).require()
    registry.commit().require()
    return made


def publish(made: Stage, own: operations.Author, register: Register) -> None:
    """The first publication of the issuer's status list."""
    hash, minute = made.registry.genesis.hash, codec.minutes(NOW) - 60
    digest = status_digest(hash, register.list_id, 1, StatusEntries())
    entry = operations.status_publish(
        own, None, number=1, seq=1, schemas=[made.schema.digest], changed=StatusEntries(), digest=digest,
        register_root=register.root(hash), register_size=0, this_update=minute, next_update=minute + 525600,
    )  # fmt: skip
    made.registry.submit([entry.data])[0].require()


def moment(minutes_later: int = 1) -> datetime:
    """A time shortly after everything was published."""
    return NOW + timedelta(minutes=minutes_later)
