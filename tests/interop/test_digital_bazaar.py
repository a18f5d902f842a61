"""Credentials of another implementation verify here, and ours there; both see the same RDF in our own files."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from benchmarks.bench_integrity import PEERS, claims, run_peer
from credentials import data_integrity
from credentials.jsonld.contexts import context
from credentials.jsonld.quads import quads_of
from credentials.jsonld.rdfc import canonicalize
from weid.did import did_key, key_of_did_key
from weid.errors import SignatureError
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

DATA = Path(__file__).parents[1] / "data"
CARD = Path(__file__).parents[2] / "docs" / "spec" / "examples" / "card.json"
V2 = "https://www.w3.org/ns/credentials/v2"
KINDS = [
    ("eddsa-jcs-2022", "ed25519"),
    ("eddsa-rdfc-2022", "ed25519"),
    ("ecdsa-rdfc-2019", "p256"),
    ("ecdsa-rdfc-2019", "p384"),
]
CURVES = {"ed25519": "Ed25519", "p256": "P-256", "p384": "P-384"}
FROZEN = sorted(path.name for path in DATA.glob("digital-bazaar-e*.json"))
live = pytest.mark.skipif(
    not (PEERS / "node_modules").exists(), reason="the peer is not installed (npm install in benchmarks/peers)"
)
each_kind = pytest.mark.parametrize(("cryptosuite", "key_suite"), KINDS, ids=[f"{name}-{key}" for name, key in KINDS])


def test_there_is_a_frozen_credential_of_each_kind() -> None:
    found = {data_integrity.read_proof(frozen(name)).cryptosuite: name for name in FROZEN}
    assert set(found) == {cryptosuite for cryptosuite, _ in KINDS}
    assert len(FROZEN) == len(KINDS)


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_credential_of_theirs_verifies_here(name: str) -> None:
    """Issued once by @digitalbazaar/vc 7.3.0; proves interoperability where node is missing."""
    check_theirs(frozen(name))


@live
@each_kind
def test_a_fresh_credential_of_theirs_verifies_here(cryptosuite: str, key_suite: str) -> None:
    document = run_peer("issue", cryptosuite, CURVES[key_suite])
    assert document is not None
    assert data_integrity.read_proof(document).cryptosuite == cryptosuite
    assert key_of_did_key(document["issuer"]).suite == key_suite
    check_theirs(document)


@live
@each_kind
def test_ours_verifies_there(cryptosuite: str, key_suite: str) -> None:
    signed = ours(cryptosuite, key_suite)
    answer = run_peer("verify", cryptosuite, stdin=json.dumps(signed))
    assert answer is not None
    assert answer["verified"] is True, answer


@live
@each_kind
def test_ours_with_another_word_is_refused_there(cryptosuite: str, key_suite: str) -> None:
    signed = ours(cryptosuite, key_suite)
    signed["credentialSubject"] = {**claims(), "grade": "4.00/4.00"}
    answer = run_peer("verify", cryptosuite, stdin=json.dumps(signed))
    assert answer is not None
    assert answer["verified"] is False


def test_their_frozen_reading_of_a_file_of_ours_is_ours() -> None:
    """Canonical N-Quads of jsonld 9.0.0 and rdf-canonize 5.0.0 in safe mode, taken once."""
    held = frozen("digital-bazaar-nquads.json")
    assert nquads(held["document"]) == held["nquads"]


@live
@pytest.mark.parametrize("contexts", ["theirs", "ours"])
def test_a_file_of_ours_survives_their_safe_mode(contexts: str) -> None:
    """The card of the specification, read with the context files they ship and with those of our own table."""
    card = json.loads(CARD.read_text(encoding="utf-8"))
    del card["proof"]
    handed = {V2: dict(context(V2) or {})} if contexts == "ours" else {}
    answer = run_peer("nquads", stdin=json.dumps({"document": card, "contexts": handed}))
    assert answer is not None
    assert answer["nquads"] == nquads(card)


def ours(cryptosuite: str, key_suite: str) -> dict:
    """Signed by a fresh key, with a context of the kind that our own files carry."""
    secret = suite(key_suite).generate(secrets.token_bytes)
    key = PublicKey(key_suite, suite(key_suite).public(secret))
    did = did_key(key)
    signer = LocalSigner(secret, key_suite, f"{did}#{key.multikey()}", "assert")
    document = {
        "@context": [V2, {"@vocab": "urn:weid:terms#"}],
        "type": ["VerifiableCredential"],
        "issuer": str(did),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": claims(),
    }
    return data_integrity.sign(document, signer, created="2026-01-01T00:00:00Z", cryptosuite=cryptosuite)


def nquads(document: dict) -> str:
    return "".join(canonicalize(quads_of(document))[0])


def frozen(name: str) -> dict:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def check_theirs(document: dict) -> None:
    proof = data_integrity.read_proof(document)
    key = key_of_did_key(document["issuer"])
    data_integrity.verify(document, proof, key, "assert")
    document["credentialSubject"]["grade"] = "4.00/4.00"
    with pytest.raises(SignatureError):
        data_integrity.verify(document, proof, key, "assert")
