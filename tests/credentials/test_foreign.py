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
        ({"credentialStatus": {"type": "BitstringStatusListEntry"}}, "undecided"),
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
