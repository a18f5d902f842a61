"""Issue a credential: one signature for the compact code, one for the file, one value (R17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from credentials import compact, data_integrity, vcdm
from credentials.binding import NO_BINDING, Binding
from credentials.compact import BIND_BYTES, BIND_CHAIN, Compact
from credentials.presentation import MAX_SLOTS
from credentials.schema import BINDS, SHORT_LIFETIME, Schema
from weid.canon import JSON
from weid.codec import rfc3339
from weid.did import parse_key_id
from weid.errors import IssueError, MalformedError
from weid.keys import Signer
from weid.records import RegisterLeaf, status_list_id
from weid.suites import Random, own_suite

__all__ = ["Issued", "Registry", "Slot", "issue"]


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry the issuer belongs to: part of what is signed (R5, R10)."""

    origin: str
    genesis: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in one of the issuer's status lists."""

    number: int
    index: int


@dataclass(frozen=True, slots=True)
class Issued:
    """One credential: the full compact form and the file for the holder, the leaf for the register."""

    compact: bytes
    file: bytes
    id: str
    cid: bytes
    list_id: str | None
    leaf: RegisterLeaf | None


def issue(
    schema: Schema,
    claims: Mapping[str, JSON],
    *,
    issuer: Signer,
    registry: Registry,
    issued: int,
    valid_until: int,
    random: Random,
    valid_from: int | None = None,
    bind: Binding = NO_BINDING,
    slot: Slot | None = None,
    specimen: bool = False,
    status_base: str | None = None,
    templates: Sequence[str] = (),
) -> Issued:
    """A credential of `schema` over `claims`; times in UTC minutes. The seed is drawn fresh from `random` (R15).

    `status_base` is the public address below which the file says its status lists are served; the code has no room for it.
    `templates` are digests of what the file may be drawn with (`render_method.py`).

    IssueError or SchemaError names the field: a missing or unfit claim, text that could mislead (R28), a period over
    the schema's lifetime, a binding of another kind, no status slot where one is due (R9). UnknownSuiteError
    `wrong-suite` for an issuer's key that the compact form cannot carry (R2).
    """
    did, number = parse_key_id(issuer.kid)
    start = issued if valid_from is None else valid_from
    signature_suite = own_suite(issuer.public_key.suite)
    _check_terms(schema, issued, start, valid_until, bind, slot, registry)
    _check_chain(bind, start, valid_until, signature_suite.hash.name)
    items = schema.items(claims)
    value = Compact(
        signature_suite.code, did.address[:8], number, schema.digest[:4], issued, start, valid_until,
        None if slot is None else slot.number, None if slot is None else slot.index, bind.kind, bind.data, specimen,
        schema.width, len(items), (1 << len(items)) - 1, items, random(16), b"", b"", b"",
    )  # fmt: skip
    list_id = None if slot is None else status_list_id(did, slot.number)
    signed = compact.preimage(
        value, compact.tree_root(value), origin=registry.origin, genesis=registry.genesis, issuer=did,
        key_hash=issuer.public_key.hash32(), schema=schema.digest, mandatory=schema.mandatory, status_list=list_id,
    )  # fmt: skip
    cid = compact.cid_of(signed, signature_suite.hash)
    value = replace(value, signature=issuer.sign(compact.CONTEXT, signed))
    data = compact.encode_compact(value)
    compact.read_compact(data)  # a decoder that refuses what we print would lock the holder out
    document = vcdm.document_of(
        value, schema, claims, origin=registry.origin, genesis=registry.genesis, issuer=did, cid=cid, status_base=status_base,
        templates=templates,
    )  # fmt: skip
    file = vcdm.file_bytes(data_integrity.sign(document, issuer, created=rfc3339(issued)))
    leaf = None if slot is None else RegisterLeaf(slot.index, cid)
    return Issued(data, file, str(document["id"]), cid, list_id, leaf)


def _check_terms(
    schema: Schema, issued: int, start: int, until: int, bind: Binding, slot: Slot | None, registry: Registry
) -> None:
    if not issued <= start < until:
        raise IssueError("period: must not begin before issue, nor end before it begins", code="bad-period")
    if until - start > schema.lifetime:
        raise IssueError(f"period: schema {schema.name} allows {schema.lifetime} minutes", code="lifetime-exceeded")
    if bind.kind != BINDS[schema.bind] or len(bind.data) != BIND_BYTES[bind.kind]:
        raise IssueError(f"bind: schema {schema.name} asks for {schema.bind}", code="bind-mismatch")
    if slot is None and (schema.status or until - start > SHORT_LIFETIME):
        raise IssueError("status: this credential needs a status slot", code="status-missing")
    if len(registry.genesis) != 32:
        raise MalformedError("genesis: a digest of 32 bytes")


def _check_chain(bind: Binding, start: int, until: int, hash_name: str) -> None:
    """A hash chain covers the period exactly and is made with the suite's hash (R15), or its codes would not verify."""
    if bind.kind == BIND_CHAIN and until - start > MAX_SLOTS:
        raise IssueError(f"period: a hash chain covers {MAX_SLOTS} minutes", code="lifetime-exceeded")
    if bind.minutes is not None and until - start != bind.minutes:
        raise IssueError(f"period: the holder's hash chain covers {bind.minutes} minutes", code="bad-period")
    if bind.hash is not None and bind.hash != hash_name:
        raise IssueError(f"bind: the holder's hash chain must be made with {hash_name}", code="bind-mismatch")
