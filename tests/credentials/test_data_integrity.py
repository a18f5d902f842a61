"""Data Integrity over JCS: the official vectors, every intermediate hash, and our SM2 suite."""

from __future__ import annotations

from typing import Any

import pytest

from credentials import data_integrity
from credentials.data_integrity import hash_data, read_proof, sign, verify
from credentials.policy import Policy
from credentials.report import Outcome
from credentials.verify import verify as verify_credential
from tests.credentials.world import World, at, make_signer
from tests.vectors import vector, vector_json
from weid.canon import jcs
from weid.codec import multibase, unmultibase
from weid.did import key_of_did_key
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.hashes import SHA256, SM3
from weid.keys import LocalSigner

EDDSA = ("vc-di-eddsa/TestVectors/eddsa-jcs-2022", "JCS", "vc-di-eddsa/TestVectors/keyPair.json", "ed25519")
ECDSA = (
    "vc-di-ecdsa/TestVectors/ecdsa-jcs-2019-p256", "JCSECDSAP256", "vc-di-ecdsa/TestVectors/p256KeyPair.json", "p256",
)  # fmt: skip


def text(folder: str, name: str) -> str:
    return vector(f"{folder}/{name}.txt").read_text("utf-8").strip()


def secret_of(path: str) -> bytes:
    pair = vector_json(path)
    return unmultibase(pair.get("privateKeyMultibase") or pair["secretKeyMultibase"])[2:]


@pytest.mark.parametrize("folder, ending, pair, suite_name", [EDDSA, ECDSA])
def test_official_vector(folder: str, ending: str, pair: str, suite_name: str) -> None:
    """Canonical forms, both hashes and the signature are those of the recommendation."""
    signed = vector_json(f"{folder}/signed{ending}.json")
    proof = read_proof(signed)
    unsecured = {name: item for name, item in signed.items() if name != "proof"}
    assert jcs(unsecured).decode() == text(folder, f"canonDoc{ending}")
    assert jcs(dict(proof.options)).decode() == text(folder, f"proofCanon{ending}")
    assert SHA256(jcs(unsecured)).hex() == text(folder, f"docHash{ending}")
    assert SHA256(jcs(dict(proof.options))).hex() == text(folder, f"proofHash{ending}")
    assert hash_data(signed, proof).hex() == text(folder, f"combinedHash{ending}")
    assert proof.signature.hex() == text(folder, f"sigHex{ending}")
    assert multibase(proof.signature) == text(folder, f"sigBTC58{ending}")
    verify(signed, proof, key_of_did_key(proof.method.split("#")[0]), "assert")


def test_resign_is_byte_equal() -> None:
    """Ed25519 is deterministic: signing the vector's document again gives the vector."""
    folder, ending, pair, suite_name = EDDSA
    signed = vector_json(f"{folder}/signed{ending}.json")
    signer = LocalSigner(secret_of(pair), suite_name, signed["proof"]["verificationMethod"], "assert")
    unsecured = {name: item for name, item in signed.items() if name != "proof"}
    assert sign(unsecured, signer, created=signed["proof"]["created"]) == signed


def test_resign_p256_verifies() -> None:
    """ECDSA signatures may differ in bytes; ours over the same document verifies under the vector's key."""
    folder, ending, pair, suite_name = ECDSA
    signed = vector_json(f"{folder}/signed{ending}.json")
    signer = LocalSigner(secret_of(pair), suite_name, signed["proof"]["verificationMethod"], "assert")
    unsecured = {name: item for name, item in signed.items() if name != "proof"}
    again = sign(unsecured, signer, created=signed["proof"]["created"])
    assert {**again["proof"], "proofValue": ""} == {**signed["proof"], "proofValue": ""}  # type: ignore[dict-item]
    verify(again, read_proof(again), signer.public_key, "assert")


@pytest.mark.parametrize("folder, ending, pair, suite_name", [EDDSA, ECDSA])
def test_vector_mutations(folder: str, ending: str, pair: str, suite_name: str) -> None:
    """Any change of the parsed value fails: each member of document and proof, and each signature byte."""
    signed = vector_json(f"{folder}/signed{ending}.json")
    key = key_of_did_key(signed["issuer"]) if signed["issuer"].startswith("did:key") else None
    key = key or key_of_did_key(signed["proof"]["verificationMethod"].split("#")[0])
    proof = read_proof(signed)
    changes: list[dict[str, Any]] = [{**signed, name: "other"} for name in signed if name not in ("proof", "@context")]
    changes += [{name: item for name, item in signed.items() if name != gone} for gone in ("id", "name")]
    changes += [{**signed, "new": 1}, {**signed, "@context": signed["@context"][:1]}]
    for name in ("created", "proofPurpose"):
        value = "authentication" if name == "proofPurpose" else "2023-02-24T23:36:39Z"
        changes.append({**signed, "proof": {**signed["proof"], name: value}})
    for place in range(64):
        other = proof.signature[:place] + bytes([proof.signature[place] ^ 1]) + proof.signature[place + 1 :]
        changes.append({**signed, "proof": {**signed["proof"], "proofValue": multibase(other)}})
    for changed in changes:
        with pytest.raises((SignatureError, KeyMaterialError)):
            verify(changed, read_proof(changed), key, "assert")


def test_pipeline_answers_the_proof_question() -> None:
    """Proof and issuer policy are two questions: the vector's proof is right, its issuer is not the key's owner."""
    data = vector(f"{EDDSA[0]}/signedJCS.json").read_bytes()
    facts = World().facts()
    proof_only = verify_credential(data, facts=facts, policy=Policy(require_accreditation=False), at=at())
    assert (proof_only.verdict, proof_only.exit_code) == ("valid-bearer", 0)
    assert proof_only.check("issuer.document").code == "method-only"
    assert proof_only.notes
    assert proof_only.authentic is not None
    whole = verify_credential(data, facts=facts, at=at())
    assert whole.check("issuer.document").code == "issuer-not-key-owner"
    assert whole.verdict == "issuer-not-authorised"
    assert whole.check("proof.signature").outcome is Outcome.SKIPPED


def test_sm2_suite() -> None:
    """SM2 with SM3: hash data = SM3(configuration) ‖ SM3(document), verified by its own key alone (R3)."""
    signer = make_signer("sm2", "assert", "x", "did:weid:1:0x" + "0" * 40 + "#key-2")
    document: dict[str, Any] = {"@context": ["https://www.w3.org/ns/credentials/v2"], "id": "urn:x:1"}
    signed = sign(document, signer, created="2026-11-23T08:00:00Z")
    proof = read_proof(signed)
    assert proof.cryptosuite == "sm2-sm3-jcs-2026"
    assert hash_data(signed, proof) == SM3(jcs(dict(proof.options))) + SM3(jcs(document))
    verify(signed, proof, signer.public_key, "assert")
    for key in (make_signer("sm2", "assert", "y").public_key, make_signer("p256", "assert", "y").public_key):
        with pytest.raises(SignatureError):
            verify(signed, proof, key, "assert")


@pytest.mark.parametrize(
    "change",
    [{"type": "Other"}, {"proofValue": "uAAAA"}, {"previousProof": "x"}, {"proofPurpose": "keyAgreement"},
     {"cryptosuite": 1}, {"created": 1}, {"created": "soon"}, {"created": "2026-11-23T08:00:00"}, {"proofValue": "z0OIl"}],
)  # fmt: skip
def test_strict_proof(change: dict[str, Any]) -> None:
    """A proof that means something this reader does not check is refused."""
    signed = vector_json(f"{EDDSA[0]}/signedJCS.json")
    with pytest.raises(MalformedError):
        read_proof({**signed, "proof": {**signed["proof"], **change}})
    with pytest.raises(MalformedError):
        read_proof({**signed, "proof": [signed["proof"]] * 2})
    with pytest.raises(UnknownSuiteError):
        _ = read_proof({**signed, "proof": {**signed["proof"], "cryptosuite": "rsa"}}).kind


def test_context_prefix() -> None:
    """Contexts added after those of the proof do not count; other ones in front are refused."""
    signed = vector_json(f"{EDDSA[0]}/signedJCS.json")
    key = key_of_did_key(signed["proof"]["verificationMethod"].split("#")[0])
    changed = {**signed, "@context": ["https://evil.example", *signed["@context"]]}
    with pytest.raises(SignatureError):
        verify(changed, read_proof(changed), key, "assert")
    assert data_integrity.CRYPTOSUITE_OF["sm2"] == "sm2-sm3-jcs-2026"
