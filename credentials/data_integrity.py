"""W3C Data Integrity proofs over canonical JSON (JCS).

`eddsa-jcs-2022` (Ed25519) and `ecdsa-jcs-2019` (P-256) are W3C recommendations. `sm2-sm3-jcs-2026` is this project's
suite for SM2 with SM3, built the same way: proof configuration and document are canonicalised with RFC 8785, hash data
= SM3(configuration) ‖ SM3(document) (R3), and the 64-byte signature r ‖ s of SM2 with the default identifier
1234567812345678 over that hash data is written as multibase base58btc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from weid import signing
from weid.canon import JSON, jcs
from weid.codec import multibase, unmultibase
from weid.errors import MalformedError, SignatureError, UnknownSuiteError
from weid.keys import PublicKey, Signer
from weid.suites import suite

__all__ = ["CRYPTOSUITES", "CRYPTOSUITE_OF", "Proof", "hash_data", "read_proof", "sign", "verify"]

CRYPTOSUITES: Final[Mapping[str, str]] = MappingProxyType(
    {"eddsa-jcs-2022": "ed25519", "ecdsa-jcs-2019": "p256", "sm2-sm3-jcs-2026": "sm2"}
)
CRYPTOSUITE_OF: Final[Mapping[str, str]] = MappingProxyType({suite: name for name, suite in CRYPTOSUITES.items()})
PURPOSES: Final = ("assertionMethod", "authentication")
_MEMBERS: Final = frozenset(
    {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue", "created", "expires", "@context"}
    | {"id", "challenge", "domain", "nonce"}
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof, read; `options` are all its members but proofValue."""

    cryptosuite: str
    method: str
    purpose: str
    created: str | None
    expires: str | None
    options: Mapping[str, JSON]
    signature: bytes

    @property
    def suite(self) -> str:
        """The signature suite its cryptosuite stands for; UnknownSuiteError for one we do not have."""
        found = CRYPTOSUITES.get(self.cryptosuite)
        if found is None:
            raise UnknownSuiteError(f"unknown cryptosuite {self.cryptosuite!r}")
        return found


def read_proof(document: Mapping[str, JSON]) -> Proof:
    """The one proof of a secured document; MalformedError for none, several, or one with unknown members."""
    value = document.get("proof")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or value.get("type") != "DataIntegrityProof":
        raise MalformedError("not one Data Integrity proof", code="unsupported")
    unknown = set(value) - _MEMBERS
    if unknown:
        # a proof chain or a suite with more options means something this reader does not check
        raise MalformedError(f"the proof member {min(unknown)} is not understood", code="unsupported")
    texts: dict[str, str] = {}
    for name in ("cryptosuite", "verificationMethod", "proofPurpose", "proofValue"):
        text = value.get(name)
        if not isinstance(text, str):
            raise MalformedError(f"the proof has no {name}")
        texts[name] = text
    if texts["proofPurpose"] not in PURPOSES or not texts["proofValue"].startswith("z"):
        raise MalformedError("a proof for another purpose, or not in base58btc")
    options = {name: item for name, item in value.items() if name != "proofValue"}
    return Proof(
        texts["cryptosuite"], texts["verificationMethod"], texts["proofPurpose"], _text(value, "created"),
        _text(value, "expires"), MappingProxyType(options), unmultibase(texts["proofValue"]),
    )  # fmt: skip


def hash_data(document: Mapping[str, JSON], proof: Proof) -> bytes:
    """H(JCS(proof configuration)) ‖ H(JCS(document without proof)), 64 bytes (vc-di-eddsa 3.3, vc-di-ecdsa 3.3).

    A proof that carries `@context` stands for a document whose contexts begin with it; SignatureError otherwise.
    """
    unsecured = {name: item for name, item in document.items() if name != "proof"}
    if "@context" in proof.options:
        signed, whole = _contexts(proof.options["@context"]), _contexts(document.get("@context"))
        if whole[: len(signed)] != signed:
            raise SignatureError("the document's contexts do not begin with those of its proof")
        unsecured["@context"] = proof.options["@context"]
    chosen = suite(proof.suite).hash
    return chosen(jcs(dict(proof.options))) + chosen(jcs(unsecured))


def verify(document: Mapping[str, JSON], proof: Proof, key: PublicKey, role: str) -> None:
    """SignatureError unless `key`, acting in `role`, made this proof over this document."""
    if key.suite != proof.suite:
        raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
    signing.verify(key, role, "data-integrity", hash_data(document, proof), proof.signature)


def sign(
    document: Mapping[str, JSON],
    signer: Signer,
    *,
    created: str,
    method: str | None = None,
    purpose: str = "assertionMethod",
) -> dict[str, JSON]:
    """The document with a proof made by `signer`; `method` is its verification method, by default its kid."""
    options: dict[str, JSON] = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE_OF[signer.public_key.suite],
        "created": created,
        "verificationMethod": method or signer.kid,
        "proofPurpose": purpose,
    }  # fmt: skip
    if "@context" in document:
        options["@context"] = document["@context"]
    draft = Proof(str(options["cryptosuite"]), method or signer.kid, purpose, created, None, options, b"")
    signature = signer.sign("data-integrity", hash_data(document, draft))
    unsecured = {name: item for name, item in document.items() if name != "proof"}
    return {**unsecured, "proof": {**options, "proofValue": multibase(signature)}}


def _contexts(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _text(value: Mapping[str, JSON], name: str) -> str | None:
    text = value.get(name)
    if text is not None and not isinstance(text, str):
        raise MalformedError(f"the proof member {name} is not text")
    return text
