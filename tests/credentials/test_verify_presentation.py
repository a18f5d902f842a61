"""W3C presentations: holder's proof, question, and the credentials inside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials import cose, jose
from credentials.data_integrity import sign
from credentials.envelope import enclose
from credentials.policy import Policy
from credentials.report import Outcome
from credentials.verify import verify
from credentials.verify_presentation import MAX_CREDENTIALS, PresentationReport, verify_presentation
from tests.credentials.test_foreign import document
from tests.credentials.world import NOW, World, at, make_signer
from weid.did import did_key
from weid.errors import TrustError
from weid.facts import NoFacts
from weid.keys import LocalSigner

PROOF_ONLY = Policy(require_accreditation=False)
ASKED = Policy(require_accreditation=False, proof_challenge="n-1", proof_domain="https://v.example")
SUITES = ["eddsa-jcs-2022", "eddsa-rdfc-2022"]


def holder(name: str = "holder", role: str = "present") -> LocalSigner:
    key = make_signer("ed25519", role, name).public_key
    return make_signer("ed25519", role, name, f"{did_key(key)}#{key.multikey()}")


def presented(*, cryptosuite: str = "eddsa-rdfc-2022", more: dict[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    signer = holder()
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiablePresentation"], "holder": signer.kid.split("#")[0], "verifiableCredential": [document()], **change,
    }  # fmt: skip
    unsigned = {name: item for name, item in value.items() if item is not ...}
    purpose = (more or {}).pop("proofPurpose", "authentication")
    options = {"challenge": "n-1", "domain": "https://v.example", **(more or {})}
    return sign(unsigned, signer, created="2026-11-23T08:00:00Z", purpose=purpose, cryptosuite=cryptosuite, more=options)


def check(value: Any, policy: Policy = ASKED) -> PresentationReport:
    return verify_presentation(json.dumps(value).encode(), facts=World().facts(), policy=policy, at=at())


def code_of(report: PresentationReport, name: str) -> str:
    return next(item.code for item in report if item.id == name)


@pytest.mark.parametrize("cryptosuite", SUITES)
def test_an_answered_question_passes(cryptosuite: str) -> None:
    """The holder's proof, the challenge, the domain and each credential."""
    report = check(presented(cryptosuite=cryptosuite))
    assert (report.outcome, report.exit_code, len(report.credentials)) == (Outcome.PASSED, 0, 1)
    assert json.dumps(report.to_json())


def test_a_did_that_was_deactivated_presents_nothing() -> None:
    """R5: deactivation is final, for the key of a presentation and for that of a further proof alike."""
    world = World()
    signer = make_signer("ed25519", "present", "shown", f"{world.issuer.did}#key-3")
    world.issuer.keys.append(world.issuer.key(3, "present", signer.public_key))
    unsigned = {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"],
        "holder": world.issuer.did, "verifiableCredential": [document()],
    }  # fmt: skip
    shown = json.dumps(sign(unsigned, signer, created="2026-11-23T08:00:00Z", purpose="authentication")).encode()
    first = {name: item for name, item in document().items() if name != "proof"}
    both = document()
    both["proof"] = [both["proof"], sign(first, world.issuer.signer, created="2026-01-01T00:00:00Z")["proof"]]
    asked = Policy(require_accreditation=False)

    def codes() -> tuple[str, str]:
        report = verify_presentation(shown, facts=world.facts(), policy=asked, at=at())
        two = verify(json.dumps(both).encode(), facts=world.facts(), policy=asked, at=at())
        return code_of(report, "proof.signature"), two.check("proof.signature").code

    assert codes() == ("ok", "ok")
    world.issuer.deactivated = NOW - 10
    assert codes() == ("proof-unresolved", "proof-unresolved")


def test_a_presentation_may_hold_none_or_several() -> None:
    assert check(presented(verifiableCredential=...)).outcome is Outcome.PASSED
    assert len(check(presented(verifiableCredential=[document(), document(suite="p256")])).credentials) == 2


@pytest.mark.parametrize(
    ("change", "name", "code"),
    [
        ({"more": {"challenge": "n-2"}}, "challenge", "challenge-mismatch"),
        ({"more": {"domain": "https://other.example"}}, "challenge", "challenge-mismatch"),
        ({"more": {"expires": "2026-01-01T00:00:00Z"}}, "validity", "expired"),
        ({"more": {"expires": "soon"}, "cryptosuite": "eddsa-jcs-2022"}, "validity", "malformed"),
        ({"more": {"proofPurpose": "assertionMethod"}}, "proof.signature", "bad-proof-purpose"),
        ({"holder": "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}, "holder.binding", "holder-key-mismatch"),
        (
            {"@context": ["https://www.w3.org/ns/credentials/v2"], "unheard": 1, "cryptosuite": "eddsa-jcs-2022"},
            "schema",
            "data-loss",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], name: str, code: str) -> None:
    report = check(presented(**change))
    assert (report.outcome, code_of(report, name)) == (Outcome.FAILED, code)


def test_a_bad_credential_is_enough() -> None:
    """A valid proof of the holder does not make up for a credential that is expired or was changed."""
    expired = check(presented(verifiableCredential=[document(), document(validUntil="2026-02-01T00:00:00Z")]))
    assert (expired.outcome, [report.verdict for report in expired.credentials]) == (Outcome.FAILED, ["valid-bearer", "expired"])
    changed = {**document(), "name": "Somebody else"}
    assert check(presented(verifiableCredential=[changed])).credentials[0].verdict == "tampered"


@pytest.mark.parametrize("cryptosuite", SUITES)
def test_any_change_of_the_presentation_fails(cryptosuite: str) -> None:
    """Every member, every member of the proof, and the credentials themselves."""
    good = presented(cryptosuite=cryptosuite)
    changes: list[dict[str, Any]] = [
        {**good, "holder": "did:example:x"},
        {**good, "id": "urn:new"},
        {**good, "verifiableCredential": []},
    ]
    changes += [{**good, "proof": {**good["proof"], name: value}} for name, value in (
        ("challenge", "n-2"), ("domain", "x"), ("created", "2026-11-23T08:00:01Z"), ("nonce", "x"),
        ("verificationMethod", holder("other").kid))]  # fmt: skip
    for changed in changes:
        assert check(changed, PROOF_ONLY).outcome is not Outcome.PASSED


def test_a_key_for_issuing_does_not_present() -> None:
    """R1: the proof of a presentation is made by a key for presenting; an unsigned presentation proves nobody."""
    bare = {name: item for name, item in presented().items() if name != "proof"}
    assert check(bare).checks[0].code == "unsupported"


@pytest.mark.parametrize(
    "junk", [None, 7, "x", [], {}, {"type": "VerifiablePresentation"}, {"type": ["VerifiablePresentation"], "@context": 1}]
)
def test_junk_is_a_report(junk: Any) -> None:
    assert check(junk).exit_code == 1


def test_there_is_a_limit() -> None:
    many = {**presented(), "verifiableCredential": [document()] * (MAX_CREDENTIALS + 1)}
    assert check(many).checks[0].code == "too-large"


@pytest.mark.parametrize("form", ["vp+jwt", "vp+cose"])
class TestEnveloped:
    """A presentation in an envelope: the same questions, answered by `nonce` and `aud`."""

    def made(self, form: str, signer: LocalSigner | None = None, **claims: Any) -> bytes:
        who = signer or holder()
        from tests.credentials.test_enveloped import enveloped  # which itself needs a holder from here

        value = {
            "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"],
            "holder": holder().kid.split("#")[0], "verifiableCredential": [enclose("vc+jwt", enveloped("vc+jwt"))],
        }  # fmt: skip
        if form == "vp+cose":
            return cose.sign_cose(value, who, kind="vp")
        return jose.sign_jwt(value, who, kind="vp", claims={"nonce": "n-1", "aud": "https://v.example", **claims}).encode()

    def test_it_is_read(self, form: str) -> None:
        """From its own bytes, and wrapped in JSON."""
        data = self.made(form)
        for given in (data, json.dumps(enclose(form, data)).encode()):
            report = verify_presentation(given, facts=World().facts(), policy=PROOF_ONLY, at=at())
            assert (report.outcome, len(report.credentials)) == (Outcome.PASSED, 1)

    def test_the_question_is_answered_or_not(self, form: str) -> None:
        report = verify_presentation(self.made(form), facts=World().facts(), policy=ASKED, at=at())
        assert code_of(report, "challenge") == ("ok" if form == "vp+jwt" else "challenge-missing")

    def test_somebody_elses_signature(self, form: str) -> None:
        report = verify_presentation(self.made(form, holder("other")), facts=World().facts(), policy=PROOF_ONLY, at=at())
        assert code_of(report, "holder.binding") == "holder-key-mismatch"

    def test_any_changed_byte_is_not_valid(self, form: str) -> None:
        data = self.made(form)
        for place in range(0, len(data), 11):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            report = verify_presentation(changed, facts=World().facts(), policy=PROOF_ONLY, at=at())
            assert report.exit_code != 0, place


class Broken:
    """Trust data that break down when asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def fact(self, kind: str, key: str, at: int | None = None) -> Any:
        raise self.error

    def find(self, kind: str, prefix: str) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("disk"), OSError("gone"), TrustError("clock"), KeyError("x")])
def test_trust_data_that_break_down(error: Exception) -> None:
    """Never an exception, never a yes; of the holder's proof it is not known, and never called wrong."""
    value = presented()
    value["proof"]["verificationMethod"] = "did:weid:1:0x" + "00" * 20 + "#key-1"
    report = verify_presentation(json.dumps(value).encode(), facts=Broken(error), policy=Policy(), at=at())
    found = next(check for check in report if check.id == "proof.signature")
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "facts-unusable")
    assert "facts-unusable" in {check.code for check in report.credentials[0]}  # nor could the credential inside be judged
    assert "internal-error" not in {check.code for each in (report, *report.credentials) for check in each}
    assert json.dumps(report.to_json())


def test_trust_data_that_break_down_are_no_sign_against_it() -> None:
    """Nobody else found fault with it, so the answer is that we cannot say."""
    value = presented(holder=...)
    value["proof"]["verificationMethod"] = "did:weid:1:0x" + "00" * 20 + "#key-1"
    data = json.dumps(value).encode()
    report = verify_presentation(data, facts=Broken(OSError("gone")), policy=PROOF_ONLY, at=at())
    assert (report.outcome, report.exit_code) == (Outcome.UNKNOWN, 3)


def test_an_end_that_cannot_be_read() -> None:
    """It is no end that has passed: the proof is malformed, and that is what is said."""
    value = presented()
    value["proof"]["expires"] = "next year"
    report = verify_presentation(json.dumps(value).encode(), facts=NoFacts(), policy=Policy(), at=at())
    found = next(check for check in report if check.id == "validity")
    assert (found.outcome, found.code) == (Outcome.FAILED, "malformed")
