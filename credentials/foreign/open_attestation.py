"""OpenAttestation 2.0 (OpenCerts, TradeTrust): salted values, a Keccak hash over all of them, a Merkle proof to one root.

Either a did:ethr signed the root, or a document store on Ethereum holds it, which nobody can ask offline. Names with dots and
names that are numbers are refused: they would hash as another shape of the same document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
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

__all__ = ["SCHEMA_2", "looks_like", "read_open_attestation", "unsalted"]

SCHEMA_2: Final = "https://schema.openattestation.com/2.0/schema.json"
_START: Final = b"openattestation.com/"
MAX_HASHES: Final = 10_000
MAX_PROOF: Final = 64
_SALTED: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}:(string|number|boolean|null|undefined):(.*)\Z", re.DOTALL
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
class _Issuer:
    """Who issued: a DID (with the address that is its key) or a contract, and where it says what it revoked."""

    name: str
    id: str
    address: str
    revocation: str | None  # None: it says that there is none


def looks_like(data: bytes) -> bool:
    """Whether JSON names a schema of OpenAttestation; read strictly afterwards."""
    return _START in data


def read_open_attestation(data: bytes) -> OtherCredential:
    """The document in the bytes of a file; MalformedError `openattestation`, or `unsupported` for another version."""
    value = parse_json(data)
    if not isinstance(value, dict) or value.get("version") != SCHEMA_2:
        raise MalformedError("of OpenAttestation the version 2.0 is read", code="unsupported")
    if not {"data", "signature"} <= set(value) <= _MEMBERS or not isinstance(value["data"], dict):
        raise _bad("a document has data and a signature, and nothing that is not known")
    content = unsalted(value["data"])
    issuer = _issuer(content if isinstance(content, dict) else {})
    seal, hidden = _seal(value["signature"]), _hidden(value.get("privacy"))
    signature = _signature(value.get("proof"), issuer) if issuer.address else ""
    hashes = {seal.target, seal.root, *seal.on_the_way()}
    return OtherCredential(
        format=OPEN_ATTESTATION, type=f"{OPEN_ATTESTATION}.2", issuer=issuer.id, kid="", hint=f"iss|{issuer.id}",
        suite="secp256k1" if issuer.address else "", claims=_claims(content), verify=_verifier(seal.root, issuer.address, signature),
        listed=() if issuer.revocation is None else tuple(Listed(issuer.revocation, "hash", item) for item in sorted(hashes)),
        has_status=lambda anchor: issuer.revocation is not None, address=issuer.address, root="" if issuer.address else seal.root,
        broken=_broken(value["data"], hidden, seal), hidden=len(hidden), unsigned=_unsigned(value),
    )  # fmt: skip


def unsalted(value: JSON) -> JSON:
    """The values without their salts; MalformedError for one that has none, or for a name that hashes ambiguously."""
    if isinstance(value, dict):
        if any("." in name or name.isdecimal() for name in value):
            raise _bad("a name with a dot, or one that is a number")
        return {name: unsalted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unsalted(item) for item in value]
    found = _SALTED.match(value) if isinstance(value, str) else None
    if found is None:
        raise _bad("a value without its salt")
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
        raise _bad(f"{text[:20]!r} is no {kind}")
    return number


@dataclass(frozen=True, slots=True)
class _Seal:
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


def _seal(value: JSON) -> _Seal:
    if not isinstance(value, dict) or set(value) != {"type", "targetHash", "proof", "merkleRoot"}:
        raise _bad("a signature has a type, two hashes and a proof")
    proof = value["proof"]
    if value["type"] != "SHA3MerkleProof" or not isinstance(proof, list) or len(proof) > MAX_PROOF:
        raise _bad("the signature is of another type")
    return _Seal(_hash(value["targetHash"]), tuple(map(_hash, proof)), _hash(value["merkleRoot"]))


def _broken(data: dict[str, JSON], hidden: tuple[str, ...], seal: _Seal) -> str:
    """Why the values do not lead to the root; empty when they do."""
    hashes = sorted([*hidden, *(keccak256(_json({name: value})).hex() for name, value in _flat(data, ""))])
    if keccak256(_json(hashes)).hex() != seal.target:
        return "the values do not lead to the document's hash"
    return "" if (*[seal.target], *seal.on_the_way())[-1] == seal.root else "the proof does not lead to the root"


def _flat(value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    """Every leaf with its dotted path; an empty list or object is a leaf."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items or not value:
        yield path, value
    for name, item in items:
        yield from _flat(item, f"{path}.{name}" if path else str(name))


def _json(value: JSON | list[str]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")  # as JSON.stringify prints it


def _issuer(content: Mapping[str, JSON]) -> _Issuer:
    listed = content.get("issuers")
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise MalformedError("documents of one issuer are read", code="unsupported")
    said = listed[0]
    name, store = said.get("name"), next((said[kind] for kind in _STORES if said.get(kind)), None)
    if store is not None:
        if not isinstance(store, str) or not _ADDRESS.match(store):
            raise _bad("a store is an Ethereum address")
        return _Issuer(str(name or ""), store.lower(), "", store.lower())
    did = said.get("id")
    found = _DID.match(did) if isinstance(did, str) else None
    if found is None:
        raise _bad("an issuer is a document store or a did:ethr")
    return _Issuer(str(name or ""), str(did).lower(), found[1].lower(), _where_revoked(said.get("revocation")))


def _where_revoked(value: JSON) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else "NONE"
    if kind == "NONE":
        return None
    where = value.get("location") if isinstance(value, dict) else None
    return str(where or kind).lower()


def _signature(value: JSON, issuer: _Issuer) -> str:
    """The hex of the one signature in `proof`; MalformedError for a document that nobody signed."""
    proof = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(proof, dict) or not {"type", "signature"} <= set(proof) <= _PROOF:
        raise _bad("the issuer's signature is missing")
    method, text = proof.get("verificationMethod"), proof["signature"]
    if proof["type"] != "OpenAttestationSignature2018" or not isinstance(text, str) or not _SIGNATURE.match(text):
        raise _bad("the issuer's signature is of another type")
    if not isinstance(method, str) or method.partition("#")[0].lower() != issuer.id:
        raise _bad("another signed than the issuer")
    return text[2:]


def _verifier(root: str, address: str, signature: str) -> Callable[[ForeignKey | None], None]:
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
    if not isinstance(held, list) or len(held) > MAX_HASHES:
        raise _bad("privacy holds the hashes of what is hidden")
    return tuple(map(_hash, held))


def _claims(content: JSON) -> dict[str, JSON]:
    return {name: item for name, item in content.items() if name not in _BESIDE} if isinstance(content, dict) else {}


def _unsigned(value: Mapping[str, JSON]) -> tuple[str, ...]:
    return tuple(name for name in ("proof.created", "schema") if name.partition(".")[0] in value)


def _hash(value: JSON) -> str:
    if not isinstance(value, str) or not _HASH.match(value):
        raise _bad("a hash has 64 hex digits")
    return value


def _bad(why: str) -> MalformedError:
    return MalformedError(f"OpenAttestation: {why}", code="openattestation")
