"""Credentials of others: W3C files with did:key issuers, read strictly and judged honestly."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.data_integrity import sign
from credentials.policy import Policy
from credentials.report import Outcome, Report
from credentials.verify import verify
from tests.credentials.world import World, at, make_signer
from weid.did import did_key
from weid.did_jwk import did_jwk
from weid.facts import Facts, NoFacts
from weid.keys import LocalSigner

V1_CONTEXTS = [
    "https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2", {"@vocab": "urn:example:"},
]  # fmt: skip
PROOF_ONLY = Policy(require_accreditation=False)


def key_signer(suite_name: str = "ed25519") -> LocalSigner:
    key = make_signer(suite_name, "assert", "foreign").public_key
    return make_signer(suite_name, "assert", "foreign", f"{did_key(key)}#{key.multikey()}")


def document(**change: Any) -> dict[str, Any]:
    signer = key_signer(change.pop("suite", "ed25519"))
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": signer.kid.split("#")[0],
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:x", "alumniOf": "A School"},
        **change,
    }
    return sign({name: item for name, item in value.items() if item is not ...}, signer, created="2026-01-01T00:00:00Z")


def check(value: Any, policy: Policy = PROOF_ONLY, facts: Facts | None = None) -> Report:
    return verify(json.dumps(value).encode(), facts=facts or World().facts(), policy=policy, at=at())


@pytest.mark.parametrize("suite_name", ["ed25519", "p256", "sm2"])
def test_proof_alone_needs_no_registry(suite_name: str) -> None:
    """Asked for the proof alone, a did:key credential passes with nothing pinned, and the report says what was asked."""
    report = check(document(suite=suite_name), facts=NoFacts())
    assert (report.outcome, report.check("issuer.document").code) == (Outcome.PASSED, "self-issued")
    assert report.authentic == {"id": "did:example:x", "alumniOf": "A School"}
    assert report.notes


@pytest.mark.parametrize("suite_name", ["ed25519", "p256"])
def test_a_did_jwk_vouches_for_itself(suite_name: str) -> None:
    """A did:jwk issuer is judged like a did:key: its proof alone passes, and another's name over it does not."""
    key = make_signer(suite_name, "assert", "foreign").public_key
    did = did_jwk(key)
    signer = make_signer(suite_name, "assert", "foreign", f"{did}#0")
    base = {name: item for name, item in document().items() if name != "proof"}
    signed = sign({**base, "issuer": did}, signer, created="2026-01-01T00:00:00Z")
    report = check(signed, facts=NoFacts())
    assert (report.outcome, report.check("issuer.document").code) == (Outcome.PASSED, "self-issued")
    lent = sign({**base, "issuer": "did:web:school.example"}, signer, created="2026-01-01T00:00:00Z")
    assert check(lent, Policy()).verdict == "issuer-not-authorised"
    other = sign({**base, "issuer": did}, make_signer(suite_name, "assert", "x", f"{did}#0"), created="2026-01-01T00:00:00Z")
    assert check(other).verdict == "tampered"


@pytest.mark.parametrize(
    "start, from_second",
    [("08:00:30", 30), ("08:00:29.5", 30), ("08:00:00.001", 1), ("08:00:00", 0), ("08:00:59.9", 60), ("08:00:59", 59)],
)
def test_a_start_counts_to_the_second(start: str, from_second: int) -> None:
    """Shown in the minute it was issued, a credential is valid; a second before its start it is not."""
    value = json.dumps(document(validFrom=f"2026-11-23T{start}Z")).encode()

    def verdict(second: int) -> str:
        when = at().replace(hour=8, minute=0, second=0) + timedelta(seconds=second)
        return verify(value, facts=NoFacts(), policy=PROOF_ONLY, at=when).verdict

    assert verdict(from_second) == "valid-bearer"
    assert verdict(from_second - 1) == "not-yet-valid"


def test_without_a_right_it_is_not_accepted() -> None:
    """By default a did:key issuer has no right to issue anything."""
    report = check(document(), Policy())
    assert (report.verdict, report.exit_code) == ("issuer-not-authorised", 1)
    assert report.check("proof.signature").outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "change, verdict",
    [
        ({"validUntil": "2026-02-01T00:00:00Z"}, "expired"),
        ({"validFrom": "2027-01-01T00:00:00+08:00"}, "not-yet-valid"),
        ({"validFrom": "2026-11-23T08:00:30Z"}, "not-yet-valid"),
        ({"validFrom": "yesterday"}, "not-a-credential"),
        ({"validUntil": "2026-02-30T00:00:00Z"}, "not-a-credential"),
        ({"credentialSubject": []}, "not-a-credential"),
        ({"credentialSubject": [{"a": 1}, {"b": 1}]}, "valid-bearer"),
        ({"issuer": ...}, "not-a-credential"),
        ({"type": ["Other"]}, "not-a-credential"),
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "not-a-credential"),
        ({"@context": V1_CONTEXTS, "validFrom": ..., "issuanceDate": "2026-01-01T00:00:00Z"}, "valid-bearer"),
        ({"@context": V1_CONTEXTS, "validFrom": ..., "issuanceDate": "2027-01-01T00:00:00Z"}, "not-yet-valid"),
        ({"credentialStatus": {"type": "BitstringStatusListEntry"}}, "unsupported"),
        ({"credentialStatus": {"type": "StatusList2021Entry"}}, "undecided"),
        ({"weid": {}}, "not-a-credential"),
        ({"id": 7}, "not-a-credential"),
    ],
)
def test_verdicts(change: dict[str, Any], verdict: str) -> None:
    """Each defect has its verdict; none is called tampering."""
    assert check(document(**change)).verdict == verdict


@pytest.mark.parametrize(
    "change, verdict",
    [
        ({"cryptosuite": "ecdsa-sd-2023"}, "not-a-credential"),
        ({"cryptosuite": "rsa-2010"}, "unsupported"),
        ({"cryptosuite": "ecdsa-jcs-2019"}, "tampered"),
        ({"type": "Ed25519Signature2020"}, "unsupported"),
        ({"previousProof": "urn:x"}, "not-a-credential"),
        ({"proofValue": "z1"}, "tampered"),
        ({"proofPurpose": "authentication"}, "tampered"),
        ({"verificationMethod": "did:key:z6Mk#other"}, "tampered"),
        ({"verificationMethod": "https://x.example/key"}, "issuer-unknown"),
    ],
)
def test_proofs(change: dict[str, Any], verdict: str) -> None:
    """What we do not read is unsupported, what does not match is tampered; nothing escapes as an exception."""
    value = document()
    for policy in (PROOF_ONLY, Policy()):
        report = check({**value, "proof": {**value["proof"], **change}}, policy)
        assert report.verdict == verdict
        assert report.exit_code != 0


@pytest.mark.parametrize("suite_name", ["ed25519", "p256", "p384", "sm2", "ml-dsa-44"])
@pytest.mark.parametrize(
    "method", ["did:key:z6Mk#z6Mk", "did:key:zDnx#", "did:jwk:e30#0", "did:jwk:", "#", "", "did:weid:1:0x#key-1"]
)
def test_a_method_that_is_no_key_is_a_report(suite_name: str, method: str) -> None:
    """Also where the key alone would say which suite it is: a report, never an exception."""
    value = document(suite=suite_name)
    report = check({**value, "proof": {**value["proof"], "verificationMethod": method}})
    assert report.exit_code != 0
    assert json.dumps(report.to_json())


def test_misleading_text_is_flagged() -> None:
    """Bidi controls inside a foreign subject are flagged where people will read it (R28)."""
    report = check(document(credentialSubject={"name": {"en": ["a\u202eb"]}}), Policy())
    assert report.check("schema").code == "unsafe-text"


@given(st.sampled_from(["type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue", "created"]),
       st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=3)))  # fmt: skip
def test_any_proof_member(name: str, value: Any) -> None:
    """Any value of any proof member: a report, never a yes, never a crash."""
    base = document()
    report = check({**base, "proof": {**base["proof"], name: value}})
    assert report.exit_code != 0
    assert all(check.code != "internal-error" for check in report)


def second_proof(cryptosuite: str, suite_name: str, **more: Any) -> dict[str, Any]:
    """The usual credential with one more proof, by a key of another suite."""
    key = make_signer(suite_name, "assert", "second").public_key
    other = make_signer(suite_name, "assert", "second", f"{did_key(key)}#{key.multikey()}")
    return sign(document(), other, created="2026-01-02T00:00:00Z", cryptosuite=cryptosuite, more=more or None)


@pytest.mark.parametrize(("cryptosuite", "suite_name"), [("mldsa44-jcs-2024", "ml-dsa-44"), ("mldsa44-rdfc-2024", "ml-dsa-44"),
                                                         ("sm2-sm3-rdfc-2026", "sm2"), ("ecdsa-rdfc-2019", "p384")])  # fmt: skip
def test_a_second_proof_counts_like_the_first(cryptosuite: str, suite_name: str) -> None:
    """A certificate that must outlive elliptic curves has a proof of each kind, and both must be right."""
    value = second_proof(cryptosuite, suite_name)
    assert check(value).exit_code == 0
    for number in (0, 1):
        proofs = [dict(proof) for proof in value["proof"]]
        proofs[number]["created"] = "2026-01-03T00:00:00Z"
        assert check({**value, "proof": proofs}).verdict == "tampered"


def test_a_chain_covers_the_proof_before_it() -> None:
    """`previousProof`: the later signer signs the earlier proof too; without it the chain is broken."""
    key = key_signer("p256")
    unsecured = {name: item for name, item in document(suite="p256").items() if name != "proof"}
    first = sign(unsecured, key, created="2026-01-01T00:00:00Z", more={"id": "urn:uuid:1"})
    signer = key_signer("ed25519")
    chained = sign(first, signer, created="2026-01-02T00:00:00Z", more={"previousProof": "urn:uuid:1"})
    assert check(chained).exit_code == 0
    other = sign(unsecured, key, created="2026-01-05T00:00:00Z", more={"id": "urn:uuid:1"})
    assert check({**chained, "proof": [other["proof"], chained["proof"][1]]}).verdict == "tampered"
    assert check({**chained, "proof": chained["proof"][1]}).check("format").code == "bad-proof-chain"


def test_a_proof_by_a_key_that_is_not_here() -> None:
    """Somebody else signed too and nobody here knows the key: that is not known, and not tampering."""
    value = second_proof("eddsa-jcs-2022", "ed25519")
    value["proof"][1]["verificationMethod"] = "did:web:school.example#key-1"
    report = check(value)
    assert (report.check("proof.signature").code, report.exit_code) == ("proof-unresolved", 3)


def inline(**context: str) -> dict[str, Any]:
    """The usual credential over RDF, its words explained by a context that it brings itself."""
    names = {"degree": "urn:example:degree", "grade": "urn:example:grade", **context}
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2", names], "type": ["VerifiableCredential"],
        "issuer": key_signer().kid.split("#")[0], "credentialSubject": {"degree": "A", "grade": "B"},
    }  # fmt: skip
    return sign(value, key_signer(), created="2026-01-01T00:00:00Z", cryptosuite="eddsa-rdfc-2022")


def test_over_rdf_an_inline_context_is_not_signed() -> None:
    """Whoever holds such a file can swap the names of two signed values. The statements stay the same, so the proof does;
    the pipeline says so, and shows nobody the values as genuine."""
    value = inline()
    swapped = {
        **value, "@context": [value["@context"][0], {"grade": "urn:example:degree", "degree": "urn:example:grade"}],
        "credentialSubject": {"grade": "A", "degree": "B"},
    }  # fmt: skip
    for shown in (value, swapped):
        assert check(shown).check("proof.signature").outcome is Outcome.PASSED
        assert check(shown).check("disclosure.digests").code == "unsigned-context"
        for_people = check(shown, Policy())
        assert for_people.check("disclosure.digests").outcome is Outcome.UNKNOWN
        assert for_people.authentic is None


def test_over_json_an_inline_context_is_signed() -> None:
    """JCS signs the document as it is written, contexts too."""
    value = document(**{"@context": ["https://www.w3.org/ns/credentials/v2", {"@vocab": "urn:example:"}]})
    assert check(value).check("disclosure.digests").code == "none"
    other = {**value, "@context": ["https://www.w3.org/ns/credentials/v2", {"@vocab": "urn:other:"}]}
    assert check(other).verdict == "tampered"
