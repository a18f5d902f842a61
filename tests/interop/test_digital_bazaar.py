"""Credentials of another implementation verify here, and ours there (eddsa-jcs-2022)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.bench_integrity import PEERS, claims, run_peer
from credentials import data_integrity
from weid.did import did_key, key_of_did_key
from weid.errors import SignatureError
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

FROZEN = Path(__file__).parents[1] / "data" / "digital-bazaar-eddsa-jcs-2022.json"
live = pytest.mark.skipif(
    not (PEERS / "node_modules").exists(), reason="the peer is not installed (npm install in benchmarks/peers)"
)


def test_a_frozen_credential_of_theirs_verifies_here() -> None:
    """Issued once by @digitalbazaar/vc 7.3.0; proves interoperability where node is missing."""
    check_theirs(json.loads(FROZEN.read_text(encoding="utf-8")))


@live
def test_a_fresh_credential_of_theirs_verifies_here() -> None:
    document = run_peer("issue")
    assert document is not None
    check_theirs(document)


def check_theirs(document: dict) -> None:
    proof = data_integrity.read_proof(document)
    key = key_of_did_key(document["issuer"])
    data_integrity.verify(document, proof, key, "assert")
    document["credentialSubject"]["grade"] = "4.00/4.00"
    with pytest.raises(SignatureError):
        data_integrity.verify(document, proof, key, "assert")


@live
def test_ours_verifies_there() -> None:
    secret = bytes([9]) * 32
    key = PublicKey("ed25519", suite("ed25519").public(secret))
    signer = LocalSigner(secret, "ed25519", f"{did_key(key)}#{key.multikey()}", "assert")
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "urn:weid:context:1"],
        "type": ["VerifiableCredential"],
        "issuer": str(did_key(key)),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": claims(),
    }
    signed = data_integrity.sign(document, signer, created="2026-01-01T00:00:00Z")
    answer = run_peer("verify", json.dumps(signed))
    assert answer is not None
    assert answer["verified"] is True, answer
