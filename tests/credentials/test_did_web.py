"""Issuers with a did:web whose document was handed in: whose key it is, how old that is known, and what is not known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from credentials.bitstring_list import BitstringStatusList
from credentials.data_integrity import sign
from credentials.policy import Policy
from credentials.report import Outcome, Report
from credentials.verify import verify
from credentials.verify_presentation import verify_presentation
from tests.credentials import test_foreign
from tests.credentials.world import NOW, Seeded, World, at, make_signer
from weid.canon import jcs
from weid.errors import MalformedError, ResolutionError
from weid.facts import Absent, Facts, Found, NoFacts, Unknown
from weid.handed_in import KIND, WithDocuments, hand_in, read_handed_in
from weid.keys import LocalSigner

DID = "did:web:school.example"
KEY = f"{DID}#key-1"
PROOF_ONLY = Policy(require_accreditation=False)
TRUSTED = Policy(trusted_issuers=frozenset({DID}))


def signer(suite: str = "ed25519", kid: str = KEY, role: str = "assert") -> LocalSigner:
    return make_signer(suite, role, "web", kid)


def did_document(suite: str = "ed25519", **change: Any) -> dict[str, Any]:
    method = {"id": KEY, "type": "Multikey", "controller": DID, "publicKeyMultibase": signer(suite).public_key.multikey()}
    value = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"], "id": DID,
        "verificationMethod": [method], "assertionMethod": [KEY], **change,
    }  # fmt: skip
    return {name: item for name, item in value.items() if item is not ...}


def facts(document: dict[str, Any] | None = None, *, fetched: int = NOW - 60, under: Facts | None = None) -> Facts:
    return WithDocuments(under or NoFacts(), [hand_in(DID, jcs(document or did_document()), fetched=fetched)])


def credential(by: LocalSigner | None = None, **change: Any) -> dict[str, Any]:
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"], "issuer": DID, "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:x", "alumniOf": "A School"}, **change,
    }  # fmt: skip
    return sign(value, by or signer(), created="2026-01-01T00:00:00Z")


def check(value: Any, policy: Policy = PROOF_ONLY, known: Facts | None = None) -> Report:
    return verify(json.dumps(value).encode(), facts=known or facts(), policy=policy, at=at())


@pytest.mark.parametrize("suite", ["ed25519", "p256", "p384"])
def test_a_trusted_issuer(suite: str) -> None:
    """Document here, issuer named by the checker: valid without any registry, and the age of the document is shown."""
    report = check(credential(signer(suite)), TRUSTED, facts(did_document(suite)))
    assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
    assert report.check("issuer.document").code == "document-handed-in"
    assert report.check("issuer.accreditation").code == "trusted-issuer"
    assert [(age.what, age.label, age.age) for age in report.ages] == [("document", "school.example", 60)]


def test_a_jwk() -> None:
    """A document may write its keys as JWKs, and its ids relative to itself."""
    method = {"id": "#key-1", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": dict(signer("p256").public_key.jwk())}
    known = facts(did_document(verificationMethod=[method], assertionMethod=["#key-1"]))
    assert check(credential(signer("p256")), TRUSTED, known).exit_code == 0
    embedded = facts(did_document(verificationMethod=..., assertionMethod=[{**method, "id": KEY}]))
    assert check(credential(signer("p256")), TRUSTED, embedded).exit_code == 0


def test_nobody_said_that_it_may_issue() -> None:
    """The document says whose key it is, and nothing about a right: that is not known, with or without a registry."""
    assert check(credential(), Policy()).exit_code == 3
    report = check(credential(), Policy(), facts(under=World().facts()))
    assert (report.check("issuer.accreditation").code, report.verdict) == ("accreditation-unknown", "issuer-not-authorised")


def test_no_document() -> None:
    """Nobody brought the document: not known, never tampered."""
    other = credential(signer(kid="did:web:other.example#key-1"), issuer="did:web:other.example")
    for value, known in ((credential(), NoFacts()), (credential(), World().facts()), (other, facts())):
        report = check(value, known=known)
        assert (report.check("issuer.document").code, report.exit_code) == ("document-missing", 3)
        assert report.verdict == "issuer-unknown"


@pytest.mark.parametrize(
    ("change", "code", "outcome"),
    [
        ({"verificationMethod": ..., "assertionMethod": ...}, "key-not-in-document", Outcome.UNKNOWN),
        ({"assertionMethod": ..., "authentication": [KEY]}, "key-wrong-role", Outcome.FAILED),
        ({"assertionMethod": [f"{DID}#key-2"]}, "key-wrong-role", Outcome.FAILED),
    ],
)
def test_keys_by_role(change: dict[str, Any], code: str, outcome: Outcome) -> None:
    """Only keys that the document lists under assertionMethod issue."""
    found = check(credential(), TRUSTED, facts(did_document(**change))).check("issuer.document")
    assert (found.code, found.outcome) == (code, outcome)


@pytest.mark.parametrize(
    "change", [{"expires": "2020-01-01T00:00:00Z"}, {"revoked": "2020-01-01T00:00:00Z"}, {"publicKeyMultibase": "z6Mk"},
               {"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": ""}}]
)  # fmt: skip
def test_methods_that_are_not_used(change: dict[str, Any]) -> None:
    """One that ended, with two keys, or none that can be read: not known."""
    document = did_document()
    document["verificationMethod"][0] |= change
    assert check(credential(), TRUSTED, facts(document)).check("issuer.document").code == "key-not-usable"


def test_a_method_of_somebody_else() -> None:
    """A document that lists another controller's method does not make it its owner's; nor does a key sign for another issuer."""
    document = did_document()
    document["verificationMethod"][0]["controller"] = "did:web:other.example"
    assert check(credential(), TRUSTED, facts(document)).check("issuer.document").code == "key-not-in-document"
    other = credential(issuer="did:web:other.example")
    assert check(other, TRUSTED).check("issuer.document").code == "issuer-not-key-owner"
    both = Policy(trusted_issuers=frozenset({DID, "did:web:other.example"}))
    assert check(other, both, facts(under=World().facts())).exit_code == 1
    assert check(other).check("issuer.document").code == "method-only"


def test_another_key_is_tampering() -> None:
    """The document's key did not sign: the content or the proof was changed."""
    forged = credential(make_signer("ed25519", "assert", "rogue", KEY))
    assert check(forged, TRUSTED).verdict == "tampered"
    assert check({**credential(), "name": "x"}, TRUSTED).verdict == "tampered"


def test_an_old_document() -> None:
    """Older than the policy allows: amber. From after this clock: the clock is wrong."""
    assert check(credential(), TRUSTED, facts(fetched=NOW - 20_000)).verdict == "stale"
    assert check(credential(), TRUSTED, facts(fetched=NOW - 2000)).check("facts.freshness").code == "trust-ageing"
    assert check(credential(), TRUSTED, facts(fetched=NOW + 60)).check("facts.freshness").code == "clock-behind-trust"


def test_a_presentation_by_a_did_web() -> None:
    """The holder's key is one for authentication; one for issuing does not present."""
    holder = signer(role="present")
    unsigned = {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"], "holder": DID,
        "verifiableCredential": [credential()],
    }  # fmt: skip
    shown = sign(unsigned, holder, created="2026-01-01T00:00:00Z", purpose="authentication")
    both = facts(did_document(authentication=[KEY]))
    good = verify_presentation(json.dumps(shown).encode(), facts=both, policy=PROOF_ONLY, at=at())
    assert good.exit_code == 0
    bad = verify_presentation(json.dumps(shown).encode(), facts=facts(), policy=PROOF_ONLY, at=at())
    assert next(item for item in bad if item.id == "proof.signature").code == "proof-unresolved"


def test_a_bbs_key() -> None:
    """A BBS key stands in a document as any other Multikey does; as a second proof's key too."""
    pytest.importorskip("py_arkworks_bls12381")
    from credentials import bbs_2023
    from credentials.bbs import LocalBbsSigner, key_gen
    from credentials.data_integrity import read_proof
    from tests.credentials.test_bbs_2023 import fresh

    issuer = LocalBbsSigner(key_gen(bytes(range(32))), KEY, "assert")
    unsigned = {name: item for name, item in credential().items() if name != "proof"}
    base = bbs_2023.sign(unsigned, issuer, created=None, mandatory=["/issuer"], random=fresh())
    shown = bbs_2023.derive(base, read_proof(base), ["/credentialSubject"], random=fresh(500))
    method = {"id": KEY, "type": "Multikey", "controller": DID, "publicKeyMultibase": issuer.public_key.multikey()}
    known = facts(did_document(verificationMethod=[method]))
    assert check(shown, TRUSTED, known).exit_code == 0
    assert check(shown, TRUSTED).check("issuer.document").code == "key-not-usable"
    subject = {**shown["credentialSubject"], "alumniOf": "Another"}
    assert check({**shown, "credentialSubject": subject}, TRUSTED, known).verdict == "tampered"
    assert check(credential(), TRUSTED, known).check("issuer.document").code == "key-not-usable"


def test_a_pseudonym_is_one_for_the_verifiers_domain() -> None:
    """Without any domain it cannot be checked; a verifier that has one takes no pseudonym for another's."""
    pytest.importorskip("py_arkworks_bls12381")
    from tests.credentials import test_bbs_features as features

    made = features.LocalBlindSigner(features.key_gen(bytes(range(32))), KEY, "assert")
    pseudonym = features.FEATURES["pseudonym"]
    commitment, secrets = features.bbs_blind.commit(nym=features.NYM, random=features.fresh())
    unsigned = {name: item for name, item in credential().items() if name != "proof"}
    base = features.bbs_2023.sign_committed(
        unsigned, made, pseudonym, commitment, created=None, mandatory=["/issuer"], random=features.fresh(100)
    )
    method = {"id": KEY, "type": "Multikey", "controller": DID, "publicKeyMultibase": made.public_key.multikey()}
    known = facts(did_document(verificationMethod=[method]))
    ours, theirs = replace(TRUSTED, proof_domain=features.DOMAIN), replace(TRUSTED, proof_domain="https://other.example")
    for carried, policy, code, exit_code in (
        (True, TRUSTED, "ok", 0), (False, TRUSTED, "pseudonym-domain-missing", 3), (True, ours, "ok", 0), (False, ours, "ok", 0),
        (True, theirs, "bad-signature", 1), (False, theirs, "bad-signature", 1),
    ):  # fmt: skip
        shown = features.bbs_2023.derive(
            base, features.read_proof(base), ["/credentialSubject"], random=features.fresh(500), secrets=secrets,
            domain=features.DOMAIN, carry_domain=carried,
        )  # fmt: skip
        report = check(shown, policy, known)
        assert (report.check("proof.signature").code, report.exit_code) == (code, exit_code), (carried, policy.proof_domain)


def test_only_did_web_is_handed_in() -> None:
    """A did:weid has its keys from a registry alone (R5); what does not conform is no document."""
    for did in ("did:weid:1:0x" + "00" * 20, "did:key:z6Mk", "did:example:x"):
        with pytest.raises(MalformedError):
            hand_in(did, jcs({**did_document(), "id": did}), fetched=NOW)
    for document in ({}, {**did_document(), "id": "did:web:other.example"}, did_document(verificationMethod=[{}])):
        with pytest.raises(ResolutionError):
            hand_in(DID, jcs(document), fetched=NOW)


def test_kept_and_read_again() -> None:
    """The file of a document reads back; anything else is refused. A shelf is never complete, and hides nothing else."""
    item = hand_in(DID, jcs(did_document()), fetched=NOW)
    assert read_handed_in(item.to_bytes()) == item
    for data in (b"", b"{}", b"[]", item.to_bytes()[:-1], jcs({"did": DID, "fetched": 1, "document": {}})):
        with pytest.raises((MalformedError, ResolutionError)):
            read_handed_in(data)
    known = facts(under=World().facts())
    assert isinstance(known.fact(KIND, DID), Found)
    assert isinstance(known.fact(KIND, "did:web:other.example"), Unknown)
    assert [found.record.did for found in known.find(KIND, "did:web:")] == [DID]
    assert not isinstance(known.fact("trust", "conflict"), Found)
    assert isinstance(known.fact("trust", "root"), Found | Absent)


LIST = "https://school.example/status/1"


def listed_by_the_school(fetched: int) -> tuple[dict[str, Any], Policy, Facts]:
    """(a did:key's credential with a place in a list of the school, a policy that has the list, facts with the document)."""
    made, (index,) = BitstringStatusList(LIST, "revocation").allocate(random=Seeded("list"))
    data = jcs(made.credential(signer(), issuer=DID, issued=NOW - 60, until=NOW + 600))
    policy = Policy(require_accreditation=False, status_issuers=frozenset({DID}), status_lists={LIST: data})
    return test_foreign.document(credentialStatus=made.entry(index)), policy, facts(fetched=fetched)


def test_the_document_behind_a_list_has_an_age() -> None:
    """R22: the oldest of all that an answer rests on is told, and a document that is too old proves no list."""
    report = check(*listed_by_the_school(NOW - 300))
    assert report.check("status").code == "good-standing"
    assert ("document", 300) in [(age.what, age.age) for age in report.ages]
    found = check(*listed_by_the_school(NOW - 20_000)).check("status")
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "status-list-unproven")


@pytest.mark.parametrize(("age", "code"), [(60, "ok"), (2000, "trust-ageing"), (20_000, "trust-stale")])
def test_the_document_behind_a_further_proof_has_an_age(age: int, code: str) -> None:
    """A second signer's document is used as the first one's is."""
    value = test_foreign.document()
    unsigned = {name: item for name, item in value.items() if name != "proof"}
    value["proof"] = [value["proof"], sign(unsigned, signer(), created="2026-01-01T00:00:00Z")["proof"]]
    report = check(value, PROOF_ONLY, facts(fetched=NOW - age))
    assert report.check("facts.freshness").code == code
    assert [(item.what, item.age) for item in report.ages] == [("document", age)]
    assert report.check("proof.signature").outcome is Outcome.PASSED
