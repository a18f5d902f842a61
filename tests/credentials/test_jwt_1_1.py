"""JWTs of the data model 1.1: read with their claims in the members' places, and refused where the two disagree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials import jose, jws
from credentials.envelope import Enveloped, enclose
from credentials.jwt_1_1 import read_jwt_1_1
from credentials.opening import read_envelope
from credentials.policy import Policy
from credentials.report import Outcome, Report
from credentials.verify import verify
from credentials.verify_presentation import PresentationReport, verify_presentation
from tests.credentials import test_did_web, test_foreign
from tests.credentials.test_foreign import key_signer
from tests.credentials.test_verify_presentation import holder
from tests.credentials.world import World, at
from weid.canon import jcs
from weid.errors import MalformedError, WeidError

V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"
TERMS = {"alumniOf": "https://schema.org/alumniOf", "Card": "urn:x:Card"}
PROOF_ONLY = Policy(require_accreditation=False)
ASKED = Policy(require_accreditation=False, proof_challenge="n-1", proof_domain="https://v.example")
START, END = 1767225600, 1798761600  # 2026 begins and ends
ISSUER, HOLDER = key_signer().kid.split("#")[0], holder().kid.split("#")[0]


def credential(**change: Any) -> dict[str, Any]:
    """What stands in `vc`: only what no claim says."""
    value = {"@context": [V1, TERMS], "type": ["VerifiableCredential", "Card"], "credentialSubject": {"alumniOf": "A School"}}
    return {name: item for name, item in {**value, **change}.items() if item is not ...}


def jwt(inside: Any = None, *, header: dict[str, Any] | None = None, signer: Any = None, **change: Any) -> str:
    """A credential that really is signed, whatever is in it; `...` leaves a claim or header member out."""
    made = signer or key_signer()
    claims = {"iss": made.kid.split("#")[0], "sub": "did:example:x", "jti": "urn:uuid:1", "nbf": START, "exp": END,
              "vc": credential() if inside is None else inside, **change}  # fmt: skip
    members = {"typ": "JWT", "kid": made.kid, **(header or {})}
    return jws.sign(_given(members), jcs(_given(claims)), made)


def presentation(inside: Any = None, *, signer: Any = None, **change: Any) -> str:
    made = signer or holder()
    shown = {"@context": [V1], "type": ["VerifiablePresentation"], "verifiableCredential": [jwt()]}
    claims = {"iss": made.kid.split("#")[0], "aud": "https://v.example", "nonce": "n-1",
              "vp": shown if inside is None else {**shown, **inside}, **change}  # fmt: skip
    return jws.sign({"typ": "JWT", "kid": made.kid}, jcs(_given(claims)), made)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in members.items() if item is not ...}


def read(text: str) -> Enveloped:
    return read_jwt_1_1(jws.read_jws(text))


def check(data: str, policy: Policy = PROOF_ONLY) -> Report:
    return verify(data.encode(), facts=World().facts(), policy=policy, at=at())


def shown(data: str, policy: Policy = ASKED) -> PresentationReport:
    return verify_presentation(data.encode(), facts=World().facts(), policy=policy, at=at())


def code_of(report: PresentationReport, name: str) -> str:
    return next(item.code for item in report if item.id == name)


class TestCredentials:
    def test_claims_stand_for_members(self) -> None:
        """`iss`, `sub`, `jti`, `nbf` and `exp` are the issuer, the subject's id, the id and the period (6.3.1)."""
        value = read(jwt())
        assert value.document == credential(
            issuer=ISSUER, id="urn:uuid:1", issuanceDate="2026-01-01T00:00:00Z", expirationDate="2027-01-01T00:00:00Z",
            credentialSubject={"alumniOf": "A School", "id": "did:example:x"},
        )  # fmt: skip
        assert (value.kind, value.media, value.controller, value.method) == ("vc", "jwt", ISSUER, key_signer().kid)

    def test_members_may_repeat_the_claims(self) -> None:
        """Both, saying the same: an issuer may be an object, a time may have a fraction that its claim rounds."""
        full = credential(
            issuer={"id": ISSUER, "name": "A"}, id="urn:uuid:1", issuanceDate="2025-12-31T23:59:59.6Z",
            expirationDate="2027-01-01T08:00:00+08:00", credentialSubject=[{"id": "did:example:x", "alumniOf": "A School"}],
        )  # fmt: skip
        assert read(jwt(full)).document == full

    def test_members_alone(self) -> None:
        """No claim but `vc`, as the issuers do that keep to the members."""
        full = credential(issuer=ISSUER, issuanceDate="2026-01-01T00:00:00Z")
        bare = jwt(full, iss=..., sub=..., jti=..., nbf=..., exp=...)
        assert read(bare).document == full
        assert check(bare).exit_code == 0

    def test_it_verifies_from_every_wrapping(self) -> None:
        """By itself, and in the envelope of 2.0 as `data:application/jwt`."""
        wrapped = {"@context": V2, "id": f"data:application/jwt,{jwt()}", "type": "EnvelopedVerifiableCredential"}
        for given in (jwt(), json.dumps(wrapped)):
            report = check(given)
            assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
            assert report.authentic == {"alumniOf": "A School", "id": "did:example:x"}
        wrapped["id"] = f"data:application/vc+jwt,{jwt()}"
        assert check(json.dumps(wrapped)).check("format").evidence["rule"] == "wrong-typ"

    def test_the_issuers_right_is_another_question(self) -> None:
        report = check(jwt(), Policy())
        assert (report.verdict, report.check("proof.signature").outcome) == ("issuer-not-authorised", Outcome.PASSED)

    def test_an_issuer_by_did_web(self) -> None:
        """The key is in the document that was handed in; a wrong one is tampering, none is UNKNOWN."""
        made = test_did_web.signer()
        for known, verdict in ((test_did_web.facts(), "valid-bearer"), (World().facts(), "issuer-unknown")):
            report = verify(jwt(signer=made).encode(), facts=known, policy=test_did_web.TRUSTED, at=at())
            assert report.verdict == verdict

    @pytest.mark.parametrize(
        ("change", "verdict"), [({"exp": START + 60}, "expired"), ({"nbf": END - 60}, "not-yet-valid"), ({"nbf": ..., "iat": START}, "valid-bearer")]
    )  # fmt: skip
    def test_the_period(self, change: dict[str, Any], verdict: str) -> None:
        """The claims are the period; `iat` is its start where nothing else is."""
        assert check(jwt(**change)).verdict == verdict

    def test_iat_does_not_move_a_start(self) -> None:
        """When the token was made is not when the credential begins."""
        assert read(jwt(iat=START + 99)).document["issuanceDate"] == "2026-01-01T00:00:00Z"

    def test_without_a_start_it_breaks_a_rule(self) -> None:
        assert check(jwt(nbf=...)).check("format").code == "vcdm-validity"

    @pytest.mark.parametrize(
        ("inside", "claims", "code"),
        [
            ({"issuer": "did:example:other"}, {}, "issuer-mismatch"),
            ({"issuer": {"name": "x"}}, {}, "issuer-mismatch"),
            ({}, {"iss": 1}, "issuer-mismatch"),
            ({"id": "urn:uuid:2"}, {}, "id-mismatch"),
            ({}, {"jti": ""}, "id-mismatch"),
            ({"credentialSubject": {"id": "did:example:y"}}, {}, "subject-mismatch"),
            ({"credentialSubject": [{"id": "did:example:x"}, {"id": "did:example:x"}]}, {}, "subject-mismatch"),
            ({"credentialSubject": []}, {}, "subject-mismatch"),
            ({"credentialSubject": "x"}, {"sub": ...}, "subject-mismatch"),
            ({}, {"sub": ["did:example:x"]}, "subject-mismatch"),
            ({"issuanceDate": "2026-01-01T00:00:01Z"}, {}, "time-mismatch"),
            ({"issuanceDate": "2026-01-01T00:00:00.1Z"}, {"nbf": START + 2}, "time-mismatch"),
            ({"expirationDate": "2028-01-01T00:00:00Z"}, {}, "time-mismatch"),
            ({"expirationDate": "never"}, {}, "time-mismatch"),
            ({}, {"nbf": "2026"}, "bad-time"),
            ({}, {"exp": True}, "bad-time"),
            ({}, {"exp": 1 << 38}, "bad-time"),
            ({}, {"iat": -1}, "bad-time"),
            ({}, {"nbf": None}, "bad-time"),
            ({"@context": [V2]}, {}, "mixed-forms"),
            ({"@context": V2}, {}, "mixed-forms"),
            ({}, {"credentialSubject": {}}, "mixed-forms"),
            ({}, {"@context": [V1]}, "mixed-forms"),
            ({}, {"credentialStatus": {"id": "x"}}, "mixed-forms"),
            ({}, {"expirationDate": "2020-01-01T00:00:00Z"}, "mixed-forms"),
            ({}, {"validUntil": "2020-01-01T00:00:00Z"}, "mixed-forms"),
            ({}, {"credentialSchema": {"id": "x"}}, "mixed-forms"),
            ({"@context": ["https://other.example", V1]}, {}, "unsupported"),
            ({"@context": []}, {}, "unsupported"),
            ({"type": ["VerifiablePresentation"]}, {}, "wrong-document"),
            ({"proof": {"type": "DataIntegrityProof"}}, {}, "wrong-document"),
            ({}, {"vp": {}}, "vc-claim"),
            ({}, {"vc": ...}, "vc-claim"),
            ({}, {"vc": "x"}, "wrong-document"),
        ],
    )
    def test_what_is_refused(self, inside: dict[str, Any], claims: dict[str, Any], code: str) -> None:
        """Each rule by a code of its own, though the signature is right."""
        text = jwt(credential(**inside), **claims)
        with pytest.raises(MalformedError) as caught:
            read(text)
        assert caught.value.code == code
        assert check(text).exit_code == 1

    @pytest.mark.parametrize(
        ("header", "code"),
        [({"typ": ...}, "wrong-typ"), ({"typ": "vc+jwt"}, "vc-claim"), ({"cty": "vc"}, "wrong-cty"), ({"kid": ...}, "kid-missing"),
         ({"iss": "did:example:other"}, "claim-repeated"), ({"crit": ["b64"]}, "crit")],
    )  # fmt: skip
    def test_headers_that_are_refused(self, header: dict[str, Any], code: str) -> None:
        """The type keeps the two generations of JWTs apart: neither passes for the other."""
        members = _given({"alg": "EdDSA", "typ": "JWT", "kid": key_signer().kid, **header})
        text = jwt().split(".")
        text[0] = jws.b64u(jcs(members))
        with pytest.raises(WeidError) as caught:
            read_envelope(".".join(text).encode())
        assert caught.value.code == code

    @pytest.mark.parametrize(("name", "code"), [("none", "alg-none"), ("HS256", "unknown-alg"), ("ES256", "wrong-suite")])
    def test_the_algorithm_is_the_keys(self, name: str, code: str) -> None:
        """No `none`, no MAC with a public key, and no algorithm of another key."""
        text = jwt().split(".")
        text[0] = jws.b64u(jcs({"alg": name, "typ": "JWT", "kid": key_signer().kid}))
        with pytest.raises(WeidError) as caught:
            read_envelope(".".join(text).encode()).verify(key_signer().public_key)
        assert caught.value.code == code

    def test_a_document_of_2_0_is_not_written_so(self) -> None:
        """Nor does the newer form take the older one's document (VC-JOSE-COSE 3.1.3)."""
        assert check(jwt(credential(**{"@context": [V2]}))).check("format").evidence["rule"] == "mixed-forms"

    def test_any_changed_byte_is_not_valid(self) -> None:
        """Sampled over the whole token."""
        data = jwt().encode()
        for place in range(0, len(data), 5):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            assert verify(changed, facts=World().facts(), policy=PROOF_ONLY, at=at()).exit_code != 0, place


class TestPresentations:
    def test_an_answered_question(self) -> None:
        """`nonce` and `aud` are the challenge and the domain, `iss` the holder; a credential is a JWT or an object."""
        for inside in (None, {"verifiableCredential": jwt()}, {"verifiableCredential": [jwt(), test_foreign.document()]}):
            report = shown(presentation(inside))
            assert (report.outcome, report.holder) == (Outcome.PASSED, HOLDER), report.to_json()
            assert len(report.credentials) == (2 if inside and isinstance(inside["verifiableCredential"], list) else 1)

    def test_in_the_envelope_of_2_0(self) -> None:
        """Accepted for what it says it is, and under no other name."""
        wrapped = {"@context": [V2], "id": f"data:application/jwt,{presentation()}", "type": "EnvelopedVerifiablePresentation"}
        assert shown(json.dumps(wrapped)).outcome is Outcome.PASSED
        wrapped["id"] = f"data:application/vp+jwt,{presentation()}"
        assert code_of(shown(json.dumps(wrapped)), "format") == "malformed"

    @pytest.mark.parametrize(
        ("change", "name", "code"),
        [
            ({"nonce": "n-2"}, "challenge", "challenge-mismatch"),
            ({"nonce": ...}, "challenge", "challenge-missing"),
            ({"aud": ["https://x.example"]}, "challenge", "challenge-mismatch"),
            ({"exp": START}, "validity", "expired"),
            ({"nbf": END}, "validity", "not-yet-valid"),
            ({"inside": {"holder": "did:example:other"}}, "format", "malformed"),
            ({"iss": ..., "inside": {"holder": "did:example:other"}}, "holder.binding", "holder-key-mismatch"),
            ({"inside": {"@context": [V2]}}, "format", "malformed"),
            ({"inside": {"verifiableCredential": [enclose("vc+jwt", b"a.b.c")]}}, "format", "malformed"),
            ({"inside": {"verifiableCredential": [credential()]}}, "format", "vcdm-credentials"),
            ({"inside": {"verifiableCredential": [7]}}, "format", "vcdm-credentials"),
            ({"inside": {"verifiableCredential": ["a.b.c"] * 65}}, "format", "too-large"),
            ({"inside": {"unheard": 1}}, "schema", "data-loss"),
        ],
    )
    def test_what_is_refused(self, change: dict[str, Any], name: str, code: str) -> None:
        """Every rule is broken by a holder that really signed it."""
        report = shown(presentation(change.pop("inside", None), **change))
        assert (code_of(report, name), report.exit_code) == (code, 1)

    def test_another_holders_signature(self) -> None:
        text, other = presentation(), presentation(signer=holder("another"), iss=HOLDER)
        stitched = text.rpartition(".")[0] + "." + other.rpartition(".")[2]
        assert code_of(shown(stitched), "proof.signature") == "bad-signature"

    def test_a_presentation_is_as_good_as_its_credentials(self) -> None:
        """A text in it must be a JWT of the same kind, and verify."""
        newer = jose.sign_jwt({"@context": [V2], "type": ["VerifiableCredential"], "issuer": ISSUER,
                               "credentialSubject": {"id": "did:example:x"}}, key_signer())  # fmt: skip
        for held in (newer, jwt(exp=START + 60), jwt(credential(issuer="did:example:other")), "not a token"):
            report = shown(presentation({"verifiableCredential": [held]}))
            assert (code_of(report, "proof.signature"), report.exit_code) == ("ok", 1)
