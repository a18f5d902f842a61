"""SD-JWT VCs through the one pipeline: proof, key binding, type metadata and status, each check with its own code."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import pytest

from credentials import jws, sd_jwt
from credentials.policy import Policy
from credentials.report import Report
from credentials.verify import verify
from tests.credentials.test_foreign import key_signer
from tests.credentials.test_verify_presentation import holder
from tests.credentials.world import Seeded, World, at
from weid.canon import jcs
from weid.codec import b64u, minutes

PROOF_ONLY = Policy(require_accreditation=False)
ASKED = replace(PROOF_ONLY, proof_challenge="n-1", proof_domain="https://v.example")
VCT, URI = "https://a.example/degree", "https://a.example/status/1"
NOW = minutes(at()) * 60


def issued(hide: Any = (("name",),), bound: bool = False, typ: str = "dc+sd-jwt", **change: Any) -> str:
    claims = {"iss": key_signer().kid.split("#")[0], "vct": VCT, "name": "李雷", "degree": "BSc", **change}
    return sd_jwt.issue(
        {name: item for name, item in claims.items() if item is not ...}, hide, signer=key_signer(), random=Seeded("r"), typ=typ,
        kid=key_signer().kid, holder=holder().public_key if bound else None,
    )  # fmt: skip


def check(text: str, policy: Policy = PROOF_ONLY) -> Report:
    return verify(text.encode(), facts=World().facts(), policy=policy, at=at())


def said(report: Report, name: str) -> tuple[str, str]:
    found = report.check(name)
    return found.outcome.value, found.code


def test_it_is_read_and_shown() -> None:
    """Its claims without those about the token, its type; a claim left out is not there."""
    report = check(issued(exp=NOW + 600))
    assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
    assert report.presented is not None
    assert (dict(report.presented.claims), report.presented.type) == ({"name": "李雷", "degree": "BSc"}, VCT)
    assert report.presented.valid_until == NOW // 60 + 10
    report = check(sd_jwt.present(issued(), []))
    assert report.presented is not None
    assert dict(report.presented.claims) == {"degree": "BSc"}


def test_a_change_is_tampering() -> None:
    text = issued()
    head, payload, signature = text.split("~")[0].split(".")
    forged = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    assert said(check(f"{head}.{payload}.{forged}~"), "proof.signature") == ("FAILED", "bad-signature")
    assert check(text + "x").exit_code == 1


@pytest.mark.parametrize(
    "change, rule",
    [({"vct": ...}, "vct"), ({"status": {}}, "status-claim"), ({"aka_vcts": []}, "aka-vcts"), ({"typ": "jwt"}, "wrong-typ"),
     ({"cnf": {}}, "cnf"), ({"typ": "vc+sd-jwt"}, "vc-claim")],
)  # fmt: skip
def test_what_breaks_a_rule_says_which(change: dict[str, Any], rule: str) -> None:
    found = check(issued(**change)).check("format")
    assert found.outcome.value == "FAILED"
    assert found.evidence["rule"] in (rule, "wrong-document", "unsupported")


def test_time_and_issuer() -> None:
    """`nbf` and `exp` are its period; an issuer that is not the key's is a failure, one nobody here knows UNKNOWN."""
    assert said(check(issued(exp=NOW - 60)), "validity") == ("FAILED", "expired")
    assert said(check(issued(nbf=NOW + 120)), "validity") == ("FAILED", "not-yet-valid")
    strict = Policy()
    assert said(check(issued(iss="did:example:other"), strict), "issuer.document") == ("FAILED", "issuer-not-key-owner")
    assert check(issued(), strict).exit_code != 0


def test_key_binding() -> None:
    """What was issued to a key is shown with its answer to this checker."""
    text = issued(bound=True)
    assert said(check(text), "holder.binding") == ("FAILED", "holder-proof-missing")
    shown = sd_jwt.answer(text, [("name",)], holder(), audience="https://v.example", nonce="n-1", at=at())
    assert check(shown, ASKED).verdict == "valid"
    assert check(shown, replace(ASKED, proof_challenge="another")).exit_code == 1


def test_metadata_of_its_type() -> None:
    """Handed in by type among the schemas; without them the check is skipped, and a gap in them is never the credential's."""

    def held(**documents: Any) -> Policy:
        return replace(PROOF_ONLY, schemas_by_url={VCT: jcs({"vct": VCT, **documents})})

    assert said(check(issued()), "schema") == ("SKIPPED", "none")
    assert said(check(issued(), held(claims=[{"path": ["name"], "sd": "always", "mandatory": True}])), "schema") == (
        "PASSED",
        "ok",
    )
    for claim, rule in (
        ({"path": ["degree"], "sd": "always"}, "claim-not-hidden"), ({"path": ["name"], "sd": "never"}, "claim-hidden"),
        ({"path": ["name", "x"]}, "claim-path"),
    ):  # fmt: skip
        found = check(issued(), held(claims=[claim])).check("schema")
        assert (found.code, found.evidence["rule"]) == ("schema-mismatch", rule)
    assert said(check(issued(), held(extends="urn:base")), "schema") == ("UNKNOWN", "schema-not-in-trust-data")
    signed = issued(**{"vct#integrity": "sha256-AAAA"})
    assert said(check(signed, held()), "schema") == ("UNKNOWN", "schema-not-in-trust-data")


def listed(value: int, *, signer: Any = None, **change: Any) -> bytes:
    signer = signer or key_signer()
    packed = b64u(zlib.compress(bytes([value << 4])))
    claims = {"sub": URI, "iat": NOW - 60, "status_list": {"bits": 4, "lst": packed}, **change}
    return jws.sign({"typ": "statuslist+jwt", "kid": signer.kid}, jcs(claims), signer).encode()


@pytest.mark.parametrize(
    "value, change, expected",
    [
        (0, {}, ("PASSED", "good-standing")), (1, {}, ("FAILED", "revoked")), (2, {}, ("FAILED", "suspended")),
        (3, {}, ("UNKNOWN", "status-purpose-unknown")), (0, {"sub": "urn:x"}, ("UNKNOWN", "status-list-malformed")),
        (0, {"exp": 1}, ("UNKNOWN", "status-stale")), (0, {"iat": 1}, ("UNKNOWN", "status-stale")),
        (0, {"status_list": {"bits": 1, "lst": b64u(zlib.compress(b""))}}, ("UNKNOWN", "status-index")),
    ],
)  # fmt: skip
def test_its_status(value: int, change: dict[str, Any], expected: tuple[str, str]) -> None:
    """The list at hand decides; one that does not count never says "revoked" or "valid"."""
    text = issued(status={"status_list": {"idx": 1, "uri": URI}})
    policy = replace(PROOF_ONLY, status_lists={URI: listed(value, **change)})
    assert said(check(text, policy), "status") == expected


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(10, ("PASSED", "good-standing")), (11, ("UNKNOWN", "status-list-early")), (1 << 24, ("UNKNOWN", "status-list-early"))],
)
def test_a_status_list_from_the_future(ahead: int, expected: tuple[str, str]) -> None:
    """Ten minutes are a clock's; with more it would stay young for ever, and hide every revocation after it."""
    text = issued(status={"status_list": {"idx": 1, "uri": URI}})
    policy = replace(PROOF_ONLY, status_lists={URI: listed(0, iat=NOW + ahead * 60)})
    assert said(check(text, policy), "status") == expected


def test_a_status_nobody_handed_in_is_unknown() -> None:
    text = issued(status={"status_list": {"idx": 1, "uri": URI}})
    assert said(check(text), "status") == ("UNKNOWN", "status-unknown")
    other = replace(PROOF_ONLY, status_lists={URI: listed(1, signer=holder("assert"))})
    assert said(check(text, other), "status") == ("UNKNOWN", "status-list-issuer")
    trusted = replace(other, status_issuers=frozenset({holder("assert").kid.split("#")[0]}))
    assert said(check(text, trusted), "status") == ("FAILED", "revoked")
    broken = replace(PROOF_ONLY, status_lists={URI: listed(0)[:-6] + b"AAAAAA"})
    assert said(check(text, broken), "status") == ("UNKNOWN", "status-list-unproven")
    junk = replace(PROOF_ONLY, status_lists={URI: b"\xff junk"})
    assert said(check(text, junk), "status") == ("UNKNOWN", "status-list-malformed")
    assert said(check(issued()), "status") == ("SKIPPED", "none")
