"""Operations (R18): what is signed and appended, as closed-CBOR arrays, and one builder per type.

operation = cbor[1, [origin, genesis], type, sub, prev, body, nonce, nbf, kid, alg]
entry     = cbor[operation bytes, signature]          op_id = H(framed("weid/op/v1", operation bytes))

The id leaves the signature out, so nothing is keyed by a signature. Bodies are the dataclasses of
`registry.bodies`, encoded like records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry import bodies
from registry.genesis import Genesis
from weid import cbor, codec
from weid.did import parse_key_id, weid_did
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.keys import PublicKey, Signer
from weid.records import Names, StatusEntries, decode_record, encode_record, status_list_id
from weid.signing import framed
from weid.suites import Random, own_suite

__all__ = [
    "Author",
    "Operation",
    "SignedOperation",
    "did_create",
    "did_deactivate",
    "did_update",
    "evidence_anchor",
    "evidence_withdraw",
    "issuer_apply",
    "issuer_approve",
    "issuer_delegate",
    "issuer_reinstate",
    "issuer_remove",
    "issuer_suspend",
    "issuer_undelegate",
    "key_change",
    "json_view",
    "key_entry",
    "key_proof_payload",
    "read_entry",
    "role_end",
    "role_grant",
    "schema_publish",
    "state_commit",
    "status_override",
    "status_publish",
    "time_tick",
    "trust_recognise",
    "trust_withdraw",
    "witness_change",
]

CONTEXT = "weid/op/v1"
KEY_PROOF = "weid/key-proof/v1"
_VERSION = 1
_NONCE = 16
_ENTRY_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Operation:
    """The signed content of an entry; `prev` is the op_id this one follows, `nbf` a log minute."""

    origin: str
    genesis: bytes
    type: str
    sub: str
    prev: bytes | None
    body: Any
    nonce: bytes
    nbf: int | None
    kid: str
    alg: str

    def to_bytes(self) -> bytes:
        """The bytes that are signed."""
        body = encode_record(self.body)
        reg = (self.origin, self.genesis)
        return cbor.encode([_VERSION, reg, self.type, self.sub, self.prev, body, self.nonce, self.nbf, self.kid, self.alg])

    def view(self) -> dict[str, Any]:
        """The JSON view for people and APIs: bytes in hex, times in minutes."""
        return {
            "v": _VERSION, "registry": {"origin": self.origin, "genesis": self.genesis.hex()},
            "type": self.type, "subject": self.sub, "prev": json_view(self.prev), "body": json_view(self.body),
            "nonce": self.nonce.hex(), "nbf": self.nbf, "kid": self.kid, "alg": self.alg,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedOperation:
    """An entry taken apart: `data` is what the log stores, `signed` what the signature covers."""

    data: bytes
    signed: bytes
    signature: bytes
    id: bytes
    operation: Operation


@dataclass(frozen=True, slots=True)
class Author:
    """Who signs operations for one registry: a log-op signer and a source of nonces."""

    origin: str
    genesis: bytes
    hash: Hash
    chain: int
    signer: Signer
    random: Random

    @classmethod
    def of(cls, genesis: Genesis, signer: Signer, random: Random) -> Author:
        """An author for the registry of this genesis."""
        return cls(genesis.origin, genesis.digest, genesis.hash, genesis.chain, signer, random)

    @property
    def did(self) -> str:
        """The DID that signs (not for the operator, who has none)."""
        return str(parse_key_id(self.signer.kid)[0])

    def sign(self, type: str, sub: str, body: Any, *, prev: bytes | None = None, nbf: int | None = None) -> SignedOperation:
        """A signed operation of any type; UnknownSuiteError `wrong-suite` for a key that operations cannot carry (R2)."""
        suite, nonce = own_suite(self.signer.public_key.suite).name, self.random(_NONCE)
        operation = Operation(self.origin, self.genesis, type, str(sub), prev, body, nonce, nbf, self.signer.kid, suite)
        signed = operation.to_bytes()
        signature = self.signer.sign(CONTEXT, signed)
        data = cbor.encode([signed, signature])
        return SignedOperation(data, signed, signature, self.hash(framed(CONTEXT, signed)), operation)


def read_entry(data: bytes, *, hash: Hash) -> SignedOperation:
    """The parts of exactly these entry bytes; MalformedError, code `unknown-type` for a type we do not know."""
    outer = cbor.decode(data, max_bytes=_ENTRY_MAX, max_depth=1)
    if not isinstance(outer, tuple) or len(outer) != 2:
        raise MalformedError("an entry is an operation and its signature")
    signed, signature = outer
    if not isinstance(signed, bytes) or not isinstance(signature, bytes) or len(signature) != 64:
        raise MalformedError("an entry is an operation and its 64-byte signature")
    return SignedOperation(data, signed, signature, hash(framed(CONTEXT, signed)), _operation(signed))


def _operation(signed: bytes) -> Operation:
    value = cbor.decode(signed, max_bytes=_ENTRY_MAX, max_depth=8)
    if not isinstance(value, tuple) or len(value) != 10:
        raise MalformedError("not an operation of this version")
    version, registry, type_, sub, prev, body, nonce, nbf, kid, alg = value
    if type(version) is not int or version != _VERSION or not isinstance(registry, tuple) or len(registry) != 2:
        raise MalformedError("not an operation of this version")
    origin, genesis = registry
    if not (isinstance(origin, str) and isinstance(type_, str) and isinstance(sub, str) and isinstance(kid, str)):
        raise MalformedError("not an operation of this version")
    if not (isinstance(genesis, bytes) and isinstance(body, tuple) and isinstance(nonce, bytes) and isinstance(alg, str)):
        raise MalformedError("not an operation of this version")
    if not (prev is None or (isinstance(prev, bytes) and len(prev) == 32)) or len(nonce) != _NONCE:
        raise MalformedError("an operation has a 16-byte nonce and a 32-byte prev or null")
    if not (nbf is None or (type(nbf) is int and nbf >= 0)):
        raise MalformedError("nbf is a minute or null")
    kind = bodies.BODIES.get(type_)
    if kind is None:
        raise MalformedError(f"unknown operation type {type_!r}", code="unknown-type")
    return Operation(origin, genesis, type_, sub, prev, decode_record(kind, body), nonce, nbf, kid, alg)


def json_view(value: Any) -> Any:
    """A body or record as JSON for people and APIs: bytes in hex, times in minutes."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [json_view(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    return {name: json_view(getattr(value, name)) for name in value.__dataclass_fields__}


def key_proof_payload(origin: str, genesis: bytes, did: str, number: int, role: str) -> bytes:
    """What a key signs to prove possession (R5), bound to registry, DID, number and role."""
    return cbor.encode([origin, genesis, did, number, role])


def key_entry(author: Author, did: str, signer: Signer) -> bodies.KeyEntry:
    """A new key of a DID with its proof of possession; MalformedError if the signer's key id is of another DID."""
    owner, number = parse_key_id(signer.kid)
    if str(owner) != did:
        raise MalformedError(f"{signer.kid} is not a key of {did}")
    payload = key_proof_payload(author.origin, author.genesis, did, number, signer.role)
    key = signer.public_key
    own_suite(key.suite)
    return bodies.KeyEntry(number, signer.role, key.suite, key.data, signer.sign(KEY_PROOF, payload))


def did_create(author: Author, signers: Sequence[Signer], *, services: Sequence[bodies.ServiceEntry] = ()) -> SignedOperation:
    """Register the DID that derives from the first signer's key; one of the signers is the author's."""
    did = str(weid_did(author.chain, signers[0].public_key))
    keys = tuple(key_entry(author, did, signer) for signer in signers)
    return author.sign("did.create", did, bodies.DidCreate(keys, tuple(services)))


def did_update(
    author: Author,
    prev: bytes,
    *,
    add: Sequence[Signer] = (),
    end: Sequence[bodies.KeyEnd] = (),
    services: Sequence[bodies.ServiceEntry] = (),
    drop: Sequence[str] = (),
) -> SignedOperation:
    """Add keys and services, end others; `prev` is the record's `last_op`."""
    keys = tuple(key_entry(author, author.did, signer) for signer in add)
    body = bodies.DidUpdate(keys, tuple(end), tuple(services), tuple(drop))
    return author.sign("did.update", author.did, body, prev=prev)


def did_deactivate(author: Author, prev: bytes) -> SignedOperation:
    """End the author's DID for good."""
    return author.sign("did.deactivate", author.did, bodies.DidDeactivate(), prev=prev)


def issuer_apply(author: Author, names: Names, wanted: Sequence[bytes]) -> SignedOperation:
    """Ask for the right to issue these schemas, under names in the four languages."""
    return author.sign("issuer.apply", author.did, bodies.IssuerApply(tuple(sorted(names)), tuple(wanted)))


def issuer_approve(
    author: Author, issuer: str, schema: bytes, *, level: int, until: int, since: int | None = None
) -> SignedOperation:
    """Give the right to one schema for a period; `since` null means from the log time of the entry."""
    return author.sign("issuer.approve", issuer, bodies.IssuerApprove(schema, level, since, until))


def issuer_suspend(author: Author, issuer: str, reason: str, *, schema: bytes | None = None) -> SignedOperation:
    """Suspend one right, or all of them."""
    return author.sign("issuer.suspend", issuer, bodies.IssuerSuspend(schema, reason))


def issuer_reinstate(author: Author, issuer: str, *, schema: bytes | None = None) -> SignedOperation:
    """Lift a suspension from the log time on; the gap stays in the record."""
    return author.sign("issuer.reinstate", issuer, bodies.IssuerReinstate(schema))


def issuer_remove(author: Author, issuer: str, reason: str, *, schema: bytes | None = None) -> SignedOperation:
    """End one right, or the issuer as a whole."""
    return author.sign("issuer.remove", issuer, bodies.IssuerRemove(schema, reason))


def issuer_delegate(
    author: Author, did: str, schema: bytes, *, level: int, depth: int, until: int, since: int | None = None
) -> SignedOperation:
    """Give a DID the right to accredit others for a schema, and to delegate that `depth` times further."""
    return author.sign("issuer.delegate", did, bodies.IssuerDelegate(schema, level, depth, since, until))


def issuer_undelegate(author: Author, did: str, schema: bytes, reason: str) -> SignedOperation:
    """End that right and all that was given under it."""
    return author.sign("issuer.undelegate", did, bodies.IssuerUndelegate(schema, reason))


def role_grant(
    author: Author, did: str, role: str, *, until: int, since: int | None = None, schemas: Sequence[bytes] = ()
) -> SignedOperation:
    """Make a DID a reviewer, an auditor or an observer, for some schemas or (none named) for all."""
    return author.sign("role.grant", f"{did}|{role}", bodies.RoleGrant(tuple(schemas), since, until))


def role_end(author: Author, did: str, role: str) -> SignedOperation:
    """End a role."""
    return author.sign("role.end", f"{did}|{role}", bodies.RoleEnd())


def schema_publish(author: Author, document: bytes) -> SignedOperation:
    """Publish a schema: canonical JSON bytes, named by their digest, immutable."""
    return author.sign("schema.publish", author.hash(document).hex(), bodies.SchemaPublish(document))


def status_publish(
    author: Author,
    prev: bytes | None,
    *,
    number: int,
    seq: int,
    schemas: Sequence[bytes],
    changed: StatusEntries,
    lifted: Sequence[int] = (),
    digest: bytes,
    register_root: bytes,
    register_size: int,
    this_update: int,
    next_update: int,
) -> SignedOperation:
    """Publish a delta of a status list with the digest of the whole list and the register's root (R8)."""
    body = bodies.StatusPublish(
        number, seq, tuple(schemas), changed, tuple(lifted), digest, register_root, register_size,
        this_update, next_update,
    )  # fmt: skip
    return author.sign("status.publish", status_list_id(author.did, number), body, prev=prev)


def status_override(author: Author, list_id: str, index: int, state: str, reason: str, at: int) -> SignedOperation:
    """An auditor's word beside a list: revoked, suspended, or lifted (of an earlier suspension)."""
    return author.sign("status.override", list_id, bodies.StatusOverride(index, state, reason, at))


def evidence_anchor(author: Author, fingerprint: bytes, kind: str) -> SignedOperation:
    """Put a salted fingerprint on the log."""
    return author.sign("evidence.anchor", fingerprint.hex(), bodies.EvidenceAnchor(kind))


def evidence_withdraw(author: Author, fingerprint: bytes) -> SignedOperation:
    """Mark one's own fingerprint as withdrawn."""
    return author.sign("evidence.withdraw", fingerprint.hex(), bodies.EvidenceWithdraw())


def trust_recognise(author: Author, genesis: bytes, terms: bodies.TrustRecognise) -> SignedOperation:
    """Recognise a foreign registry on these terms (R23)."""
    return author.sign("trust.recognise", genesis.hex(), terms)


def trust_withdraw(author: Author, genesis: bytes, mode: str) -> SignedOperation:
    """Withdraw recognition: `cease` or `distrust`."""
    return author.sign("trust.withdraw", genesis.hex(), bodies.TrustWithdraw(mode))


def key_change(author: Author, what: str, seq: int, key: PublicKey, *, old: bytes, new: bytes) -> SignedOperation:
    """A new log, state or operator key, signed by the old and the new one (`Authority.payload`)."""
    return author.sign("key.change", what, bodies.KeyChange(seq, key.suite, key.data, old, new))


def witness_change(author: Author, seq: int, policy: str, note: bytes) -> SignedOperation:
    """A new witness policy with the note that old and new witnesses cosigned (`Authority.witness_text`)."""
    return author.sign("witness.change", "witnesses", bodies.WitnessChange(seq, policy, note))


def time_tick(author: Author, minute: int) -> SignedOperation:
    """The operator's word that the log has reached this minute (R7)."""
    return author.sign("time.tick", codec.rfc3339(minute), bodies.TimeTick(minute))


def state_commit(author: Author, size: int, digest: bytes) -> SignedOperation:
    """Put the digest of the state statement for this size on the log (R20)."""
    return author.sign("state.commit", str(size), bodies.StateCommit(size, digest))
