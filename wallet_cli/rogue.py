"""What a case needs of people who break the rules: signing without the right, altering without the key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from credentials import issue as issuing
from credentials.binding import NO_BINDING, read_binding
from credentials.compact import Compact, encode_compact, read_carried, read_compact
from credentials.issue import Registry, Slot
from credentials.schema import Schema, read_schema
from credentials.status import Register
from issuer_app.desk import Desk
from registry import operations
from wallet_cli.world import World
from weid import cbor
from weid.records import StatusEntries, status_digest, status_list_id


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate signed outside the desk."""

    id: str
    compact: bytes
    file: bytes


def issue(here: World, desk: Desk, step: Mapping[str, Any], asked: str | None) -> Made:
    """Sign with the desk's key, whatever the registry says; `issued` moves the date back by so many minutes."""
    document = here.pack.files[f"schemas/{step['schema']}.json"]
    schema = read_schema(document, here.schemas[step["schema"]])
    binding = NO_BINDING if asked is None else read_binding(asked.encode(), schema.bind)
    genesis, at = desk.client.genesis, here.minute + int(step.get("issued", 0))
    length = min(schema.lifetime, desk.terms.valid.get(schema.name, schema.lifetime))
    made = issuing.issue(
        schema, step["claims"], issuer=desk.party.signer("assert"), registry=Registry(genesis.origin, genesis.digest),
        issued=at, valid_until=at + length, random=secrets.token_bytes, bind=binding,
        slot=Slot(1, secrets.randbelow(131_072)),
    )  # fmt: skip
    return Made(made.cid.hex(), made.compact, made.file)


def publish(here: World, desk: Desk, digest: bytes) -> None:
    """Post a first publication for a schema straight to the node; RejectedError with the registry's code."""
    publish_at(desk, digest, here.minute)


def publish_at(desk: Desk, digest: bytes, minute: int) -> None:
    """The same at a given minute."""
    hash, list_id = desk.client.genesis.hash, status_list_id(desk.did, 9)
    entry = operations.status_publish(
        desk.party.author(), None, number=9, seq=1, schemas=[digest], changed=StatusEntries(),
        digest=status_digest(hash, list_id, 1, StatusEntries()), register_root=Register(list_id).root(hash),
        register_size=0, this_update=minute, next_update=minute + 1440,
    )  # fmt: skip
    desk.client.submit(entry.data).require()


def alter(here: World, thing: Any, claim: str, value: Any) -> bytes:
    """The same code with another value in one shown claim."""
    data: bytes = thing if isinstance(thing, bytes) else thing.compact
    array = cbor.decode(data)
    assert isinstance(array, tuple)
    if array[0] != 2:
        return encode_compact(_altered(here, read_compact(data), claim, value))
    inner = array[2]
    assert isinstance(inner, bytes)
    changed = encode_compact(replace(_altered(here, read_carried(inner, bytes(16)), claim, value), bind=b""))
    return cbor.encode((*array[:2], changed, *array[3:]))


def _altered(here: World, credential: Compact, claim: str, value: Any) -> Compact:
    schema = _schema(here, credential)
    index = schema.names.index(claim)
    place = (credential.mask & ((1 << index) - 1)).bit_count()
    items = list(credential.items)
    items[place] = schema.claims[index].to_cbor(value)
    return replace(credential, items=tuple(items))


def _schema(here: World, credential: Compact) -> Schema:
    name, digest = next((name, digest) for name, digest in here.schemas.items() if digest.startswith(credential.schema_hint))
    return read_schema(here.pack.files[f"schemas/{name}.json"], digest)
