"""OpenAttestation 2.0 (OpenCerts, TradeTrust): salted values, a Keccak hash over all of them, a Merkle proof to one root.

Either a did:ethr signed the root, or a document store on Ethereum holds it, which nobody can ask offline. Names with dots and
names that are numbers are refused: they would hash as another shape of the same document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from credentials.foreign.value import OPEN_ATTESTATION, Listed, OtherCredential
from weid.canon import JSON, parse_json
from weid.codec import unhex
from weid.did import address_of, keccak256
from weid.errors import MalformedError, SignatureError
from weid.recovery import recover

if TYPE_CHECKING:
    from credentials.foreign.keys import ForeignKey

__all__ = ["SCHEMA_2", "Issuer", "Seal", "hash_of", "hashes_in", "json_text", "looks_like", "read_open_attestation", "refuse",
           "revoked_where", "signature_in", "unsalted", "verifier"]  # fmt: skip

SCHEMA_2: Final = "https://schema.openattestation.com/2.0/schema.json"
_START: Final = b"openattestation.com/"
MAX_HASHES: Final = 10_000
MAX_PROOF: Final = 64
MAX_PROOFS: Final = 8
_SALTED: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}:(string|number|boolean|null|undefined):(.*)\Z",
    re.DOTALL,
)
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_DID: Final = re.compile(r"did:ethr:(?:0x[0-9a-fA-F]{1,8}:)?(0x[0-9a-fA-F]{40})\Z")
_SIGNATURE: Final = re.compile(r"0x[0-9a-f]{128}(?:1b|1c)\Z")
_STORES: Final = ("documentStore", "certificateStore", "tokenRegistry")
_MEMBERS: Final = frozenset({"version", "schema", "data", "signature", "proof", "privacy"})
_PROOF: Final = frozenset({"created", "proofPurpose", "signature", "type", "verificationMethod"})
_BESIDE: Final = frozenset({"issuers", "$template"})  # who issued is said elsewhere; a template is a machine's


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issued: a DID (with the address that is its key) or a contract, and where it says what it revoked."""

    id: str
    address: str
    revocation: str | None  # None: it says that there is none


def looks_like(data: bytes) -> bool:
    """Whether JSON names a schema of OpenAttestation; read strictly afterwards."""
    return _START in data


def read_open_attestation(data: bytes) -> OtherCredential:
    """The document in the bytes of a file; MalformedError `openattestation`, or `unsupported` for another version."""
    value = parse_json(data)
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(value, dict) and version != SCHEMA_2:
        from credentials.foreign.open_attestation_3 import SCHEMA_3, read_version_3

        if version == SCHEMA_3:
            return read_version_3(value)
    if not isinstance(value, dict) or version != SCHEMA_2:
        raise MalformedError("of OpenAttestation the versions 2.0 and 3.0 are read", code="unsupported")
    if not {"data", "signature"} <= set(value) <= _MEMBERS or not isinstance(value["data"], dict):
        raise refuse("a document has data and a signature, and nothing that is not known")
    content = unsalted(value["data"])
    issuer = _issuer(content if isinstance(content, dict) else {})
    seal, hidden = _seal(value["signature"]), _hidden(value.get("privacy"))
    signature = signature_in(value.get("proof"), issuer.id) if issuer.address else ""
    return OtherCredential(
        format=OPEN_ATTESTATION, type=f"{OPEN_ATTESTATION}.2", issuer=issuer.id, kid="", hint=f"iss|{issuer.id}",
        suite="secp256k1" if issuer.address else "", claims=_claims(content),
        verify=verifier(seal.root, issuer.address, signature),
        listed=() if issuer.revocation is None else tuple(Listed(issuer.revocation, "hash", item) for item in seal.names()),
        has_status=lambda anchor: issuer.revocation is not None, address=issuer.address, root="" if issuer.address else seal.root,
        broken=seal.broken([*hidden, *_hashed(value["data"])]), hidden=len(hidden), unsigned=_unsigned(value),
    )  # fmt: skip


def unsalted(value: JSON) -> JSON:
    """The values without their salts; MalformedError for one that has none, or for a name that hashes ambiguously."""
    if isinstance(value, dict):
        if any("." in name or name.isdecimal() for name in value):
            raise refuse("a name with a dot, or one that is a number")
        return {name: unsalted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unsalted(item) for item in value]
    found = _SALTED.match(value) if isinstance(value, str) else None
    if found is None:
        raise refuse("a value without its salt")
    return _typed(found[1], found[2])


def _typed(kind: str, text: str) -> JSON:
    if kind == "string":
        return text
    known: Mapping[tuple[str, str], JSON] = {
        ("boolean", "true"): True, ("boolean", "false"): False, ("null", "null"): None, ("undefined", "undefined"): None,
    }  # fmt: skip
    if (kind, text) in known:
        return known[kind, text]
    number = parse_json(text.encode("utf-8"), max_bytes=64) if kind == "number" else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise refuse(f"{text[:20]!r} is no {kind}")
    return number


@dataclass(frozen=True, slots=True)
class Seal:
    """The hash of the document and its way to the root, all hex."""

    target: str
    proof: tuple[str, ...]
    root: str

    def on_the_way(self) -> Iterator[str]:
        """Every node from the document's hash to the root, the root last."""
        held = unhex(self.target)
        for other in map(unhex, self.proof):
            held = keccak256(b"".join(sorted((held, other))))
            yield held.hex()

    def names(self) -> list[str]:
        """Every hash under which a store may revoke it: its own, the root's, and all between."""
        return sorted({self.target, self.root, *self.on_the_way()})

    def broken(self, hashes: Iterable[str]) -> str:
        """Why hashes of values do not lead to the root; empty when they do."""
        if keccak256(json_text(sorted(hashes))).hex() != self.target:
            return "the values do not lead to the document's hash"
        return "" if [self.target, *self.on_the_way()][-1] == self.root else "the proof does not lead to the root"


def _seal(value: JSON) -> Seal:
    if not isinstance(value, dict) or set(value) != {"type", "targetHash", "proof", "merkleRoot"}:
        raise refuse("a signature has a type, two hashes and a proof")
    proof = value["proof"]
    if value["type"] != "SHA3MerkleProof" or not isinstance(proof, list) or len(proof) > MAX_PROOF:
        raise refuse("the signature is of another type")
    return Seal(hash_of(value["targetHash"]), tuple(map(hash_of, proof)), hash_of(value["merkleRoot"]))


def _hashed(data: JSON) -> Iterator[str]:
    return (keccak256(json_text({name: value})).hex() for name, value in _flat(data, ""))


def _flat(value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    """Every leaf with its dotted path. An empty list or object has none: nobody signed it, so it is not shown either."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path, value
    for name, item in items:
        yield from _flat(item, f"{path}.{name}" if path else str(name))


def json_text(value: Mapping[str, JSON] | list[str]) -> bytes:
    """JSON as JavaScript's JSON.stringify prints it: no spaces, members in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _issuer(content: Mapping[str, JSON]) -> Issuer:
    listed = content.get("issuers")
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise MalformedError("documents of one issuer are read", code="unsupported")
    said = listed[0]
    store = next((said[kind] for kind in _STORES if said.get(kind)), None)
    if store is not None:
        if not isinstance(store, str) or not _ADDRESS.match(store):
            raise refuse("a store is an Ethereum address")
        return Issuer(store.lower(), "", store.lower())
    did = said.get("id")
    found = _DID.match(did) if isinstance(did, str) else None
    if found is None:
        raise refuse("an issuer is a document store or a did:ethr")
    return Issuer(str(did).lower(), found[1].lower(), revoked_where(said.get("revocation")))


def revoked_where(value: JSON) -> str | None:
    """Where the issuer says what it revoked; None where it says that it revokes nothing."""
    kind = value.get("type") if isinstance(value, dict) else "NONE"
    if kind == "NONE":
        return None
    where = value.get("location") if isinstance(value, dict) else None
    return str(where or kind).lower()


def signature_in(value: JSON, issuer: str) -> str:
    """The hex of the one signature in `proof`; MalformedError for a document that nobody signed."""
    proofs = value[:MAX_PROOFS] if isinstance(value, list) else [value]
    own = [proof for proof in proofs if isinstance(proof, dict) and _controller(proof) == issuer]
    if len(own) != 1 or not {"type", "signature"} <= set(own[0]) <= _PROOF:
        raise refuse("the issuer's one signature is missing")
    text = own[0]["signature"]
    if own[0]["type"] != "OpenAttestationSignature2018" or not isinstance(text, str) or not _SIGNATURE.match(text):
        raise refuse("the issuer's signature is of another type")
    return text[2:]


def _controller(proof: Mapping[str, JSON]) -> str:
    return str(proof.get("verificationMethod", "")).partition("#")[0].lower()


def verifier(root: str, address: str, signature: str) -> Callable[[ForeignKey | None], None]:
    """The check of the signature over a root, for the key of an address."""

    def verify(key: ForeignKey | None) -> None:
        """The signature over the root names its own key; that key's address must be the issuer's (EIP-191)."""
        digest = keccak256(b"\x19Ethereum Signed Message:\n32" + unhex(root))
        made = recover(digest, unhex(signature[:128]), int(signature[128:], 16) - 27)
        if "0x" + address_of(made).hex() != address:
            raise SignatureError("another key signed than the issuer's")

    return verify


def _hidden(value: JSON) -> tuple[str, ...]:
    if value is None:
        return ()
    held = value.get("obfuscatedData", []) if isinstance(value, dict) and set(value) <= {"obfuscatedData"} else None
    return tuple(hashes_in(held, MAX_HASHES))


def hashes_in(value: JSON, most: int) -> Iterator[str]:
    """The hashes in a list of at most so many; MalformedError `openattestation`."""
    if not isinstance(value, list) or len(value) > most:
        raise refuse(f"a list of at most {most} hashes")
    return map(hash_of, value)


def _claims(content: JSON) -> dict[str, JSON]:
    """What people see."""
    shown = content if isinstance(content, dict) else {}
    return dict(_flat({name: item for name, item in shown.items() if name not in _BESIDE}, ""))


def _unsigned(value: Mapping[str, JSON]) -> tuple[str, ...]:
    named = {"proof": "proof.created", "schema": "schema"}
    return tuple(named[name] for name in sorted(value) if name in named)


def hash_of(value: JSON) -> str:
    """64 lower-case hex digits; MalformedError `openattestation`."""
    if not isinstance(value, str) or not _HASH.match(value):
        raise refuse("a hash has 64 hex digits")
    return value


def refuse(why: str) -> MalformedError:
    """The error for a document that is not as its specification says."""
    return MalformedError(f"OpenAttestation: {why}", code="openattestation")
