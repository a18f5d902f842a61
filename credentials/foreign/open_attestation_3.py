"""OpenAttestation 3.0: a W3C-shaped document with its salts beside it; the same hash tree, roots and signatures as 2.0.

A value is hashed as its text: whether 5 was a number or a text is not signed, and the report lists where that matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from credentials.foreign.open_attestation import (
    Issuer,
    Seal,
    hash_of,
    hashes_in,
    json_text,
    refuse,
    revoked_where,
    signature_in,
    verifier,
)
from credentials.foreign.value import OPEN_ATTESTATION, Listed, OtherCredential
from credentials.vcdm_file import seconds_of
from weid.canon import JSON, jcs, parse_json
from weid.codec import unb64
from weid.did import keccak256

__all__ = ["SCHEMA_3", "read_version_3"]

SCHEMA_3: Final = "https://schema.openattestation.com/3.0/schema.json"
_PROOF: Final = frozenset({"key", "merkleRoot", "privacy", "proofPurpose", "proofs", "salts", "signature", "targetHash", "type"})
_SALT: Final = re.compile(r"[0-9a-f]{64}\Z")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_DID: Final = re.compile(r"did:ethr:(?:0x[0-9a-fA-F]{1,8}:)?(0x[0-9a-fA-F]{40})\Z")
_TYPED: Final = re.compile(r"(?:true|false|null|-?[0-9][0-9.e+-]*)\Z")
_BESIDE: Final = frozenset({"@context", "type", "version", "issuer", "openAttestationMetadata"})
_ATTACHED: Final = re.compile(r"attachments\[[0-9]+\]\.data\Z")
MAX_LEAVES: Final = 10_000


def read_version_3(value: Mapping[str, JSON]) -> OtherCredential:
    """The document in parsed JSON; MalformedError `openattestation`."""
    document = {name: item for name, item in value.items() if name != "proof"}
    proof, issuer = value.get("proof"), _issuer(document)
    if not isinstance(proof, dict) or not {"merkleRoot", "proofs", "salts", "targetHash", "type"} <= set(proof) <= _PROOF:
        raise refuse("a document has one proof, and nothing in it that is not known")
    if proof["type"] != "OpenAttestationMerkleProofSignature2018":
        raise refuse("the proof is of another type")
    seal = Seal(hash_of(proof["targetHash"]), tuple(hashes_in(proof["proofs"], 64)), hash_of(proof["merkleRoot"]))
    privacy = proof.get("privacy", {})
    hidden = tuple(hashes_in(privacy.get("obfuscated", []) if isinstance(privacy, dict) else None, MAX_LEAVES))
    leaves = dict(_leaves(document, ""))
    signed = {"verificationMethod": proof.get("key"), "type": "OpenAttestationSignature2018", "signature": proof.get("signature")}
    signature = signature_in([signed], issuer.id) if issuer.address else ""
    start = [seconds_of(document.get(name)) for name in ("issuanceDate", "validFrom")]
    end = [seconds_of(document.get(name)) for name in ("validUntil", "expirationDate")]
    names = seal.names()
    return OtherCredential(
        format=OPEN_ATTESTATION, type=f"{OPEN_ATTESTATION}.3", issuer=issuer.id, kid="", hint=f"iss|{issuer.id}",
        suite="secp256k1" if issuer.address else "", claims=_claims(leaves),
        verify=verifier(seal.root, issuer.address, signature),
        issued=start[0], valid_from=max((item for item in start if item is not None), default=None),
        valid_until=min((item for item in end if item is not None), default=None),
        listed=() if issuer.revocation is None else tuple(Listed(issuer.revocation, "hash", item) for item in names),
        has_status=lambda anchor: issuer.revocation is not None, address=issuer.address, root="" if issuer.address else seal.root,
        broken=seal.broken([*hidden, *_hashed(leaves, _salts(proof["salts"]))]), hidden=len(hidden),
        ambiguous=tuple(path for path, item in leaves.items() if not isinstance(item, str) or _TYPED.match(item)),
    )  # fmt: skip


def _issuer(document: Mapping[str, JSON]) -> Issuer:
    about = document.get("openAttestationMetadata")
    said = about.get("proof") if isinstance(about, dict) else None
    if not isinstance(said, dict) or not isinstance(said.get("value"), str):
        raise refuse("it does not say how it was issued")
    name, method = str(said["value"]), said.get("method")
    found = _DID.match(name)
    if method == "DID" and found is not None:
        return Issuer(name.lower(), found[1].lower(), revoked_where(said.get("revocation")))
    if method in ("DOCUMENT_STORE", "TOKEN_REGISTRY") and _ADDRESS.match(name):
        return Issuer(name.lower(), "", name.lower())
    raise refuse("an issuer is a document store or a did:ethr")


def _leaves(value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    """Every value that is neither a list nor an object, by its path as in `a.b[0]`."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not name or set(name) & set(".[]"):
                raise refuse("a name with a dot or bracket")
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _salts(value: JSON) -> dict[str, str]:
    held = parse_json(unb64(value)) if isinstance(value, str) else None
    salts: dict[str, str] = {}
    for item in held if isinstance(held, list) else [None]:
        path, salt = (item.get("path"), item.get("value")) if isinstance(item, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(salt, str) or not _SALT.match(salt) or path in salts:
            raise refuse("salts are 32 bytes in hex, one for each value")
        salts[path] = salt
    return salts


def _hashed(leaves: Mapping[str, JSON], salts: Mapping[str, str]) -> Iterator[str]:
    if set(leaves) != set(salts) or len(leaves) > MAX_LEAVES:
        raise refuse("there is a value without a salt, or a salt without a value")
    for path, value in leaves.items():
        text = value if isinstance(value, str) else jcs(value).decode("ascii")  # as JavaScript prints numbers and words
        yield keccak256(json_text({path: f"{salts[path]}:{text}"})).hex()


def _claims(leaves: Mapping[str, JSON]) -> dict[str, JSON]:
    """What people see; of attachments their size."""
    shown = {path: item for path, item in leaves.items() if re.split(r"[.\[]", path)[0] not in _BESIDE}
    return {path: {"bytes": len(str(item))} if _ATTACHED.match(path) else item for path, item in shown.items()}
