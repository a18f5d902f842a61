"""Enveloped credentials through the one pipeline: JWT, SD-JWT with key binding, COSE, and the JSON that wraps them."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

import pytest

from credentials import cose, jose, sd_jwt
from credentials.envelope import enclose
from credentials.policy import Policy
from credentials.report import Outcome, Report
from credentials.verify import verify
from tests.credentials.test_foreign import key_signer
from tests.credentials.test_verify_presentation import holder
from tests.credentials.world import World, at
from weid.codec import minutes
from weid.keys import PublicKey

PROOF_ONLY = Policy(require_accreditation=False)
ASKED = Policy(require_accreditation=False, proof_challenge="n-1", proof_domain="https://v.example")


def document(**change: Any) -> dict[str, Any]:
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"], "issuer": key_signer().kid.split("#")[0], "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:x", "alumniOf": "A School", "degree": "BSc"}, **change,
    }  # fmt: skip
    return {name: item for name, item in value.items() if item is not ...}


def enveloped(form: str, value: dict[str, Any] | None = None, **claims: Any) -> bytes:
    value = document() if value is None else value
    if form == "vc+jwt":
        return jose.sign_jwt(value, key_signer(), claims=claims or None).encode()
    if form == "vc+cose":
        return cose.sign_cose(value, key_signer())
    hide = [("credentialSubject", "alumniOf"), ("credentialSubject", "degree")]
    bound = claims.pop("holder", None)
    return jose.issue_sd_jwt(value, hide, key_signer(), random=secrets.token_bytes, holder=bound, claims=claims or None).encode()


def check(data: bytes, policy: Policy = PROOF_ONLY) -> Report:
    return verify(data, facts=World().facts(), policy=policy, at=at())


FORMS = ["vc+jwt", "vc+sd-jwt", "vc+cose"]


@pytest.mark.parametrize("form", FORMS)
def test_each_envelope_is_read(form: str) -> None:
    """From its own bytes, and wrapped in JSON as the data model says."""
    data = enveloped(form)
    for given in (data, json.dumps(enclose(form, data)).encode()):
        report = check(given)
        assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
        assert report.authentic == document()["credentialSubject"]


@pytest.mark.parametrize("form", FORMS)
def test_the_issuers_right_is_another_question(form: str) -> None:
    """The signature is right and nobody here says that this issuer may issue."""
    report = check(enveloped(form), Policy())
    assert (report.verdict, report.check("proof.signature").outcome) == ("issuer-not-authorised", Outcome.PASSED)


@pytest.mark.parametrize("form", FORMS)
def test_another_issuer_than_the_key(form: str) -> None:
    """A key that is not the named issuer's proves nothing about that issuer."""
    made = key_signer("p256")
    value = document(issuer="did:example:somebody")
    if form == "vc+cose":
        data = cose.sign_cose(value, made)
    elif form == "vc+jwt":
        data = jose.sign_jwt(value, made).encode()
    else:
        data = jose.issue_sd_jwt(value, [], made, random=secrets.token_bytes).encode()
    assert check(data, Policy()).verdict == "issuer-not-authorised"
    assert check(data).check("issuer.document").code == "method-only"


@pytest.mark.parametrize("form", FORMS)
def test_any_changed_byte_is_not_valid(form: str) -> None:
    """Sampled over the whole envelope."""
    data = enveloped(form)
    for place in range(0, len(data), 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert check(changed).exit_code != 0, place


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [({"exp": 1769904000}, "expired"), ({"nbf": 1893456000}, "not-yet-valid"), ({"exp": "soon"}, "not-a-credential"),
     ({"exp": 1893456000, "nbf": 1767225600}, "valid-bearer")],
)  # fmt: skip
def test_times_of_the_envelope_count_too(claims: dict[str, Any], verdict: str) -> None:
    """`exp` and `nbf` narrow the period of the document; a time that is none is refused."""
    assert check(enveloped("vc+jwt", **claims)).verdict == verdict


def test_rules_of_the_data_model_hold_inside() -> None:
    """An envelope does not excuse what is in it."""
    assert check(enveloped("vc+jwt", document(validFrom="yesterday"))).check("format").code == "vcdm-validity"
    assert (
        check(enveloped("vc+cose", document(**{"@context": ["https://www.w3.org/ns/credentials/v2"]}))).check("schema").code
        == "data-loss"
    )


def test_a_wrapper_that_lies_about_its_content() -> None:
    data = enveloped("vc+jwt")
    wrapped = {**enclose("vc+jwt", data), "id": "data:application/vc+sd-jwt," + data.decode()}
    assert check(json.dumps(wrapped).encode()).verdict == "not-a-credential"


class TestKeyBinding:
    """SD-JWT bound to a holder's key."""

    def shown(self, *, nonce: str = "n-1", audience: str = "https://v.example", name: str = "holder", later: int = 0) -> bytes:
        """What `name` shows of its own credential; another name's answer is stitched to the holder's credential."""
        chosen = self.chosen(holder().public_key)
        other = chosen if name == "holder" else self.chosen(holder(name).public_key)
        answered = sd_jwt.bind(other, holder(name), audience=audience, nonce=nonce, at=at() + timedelta(minutes=later))
        return (chosen + answered.rpartition("~")[2]).encode()

    def chosen(self, key: PublicKey) -> str:
        return sd_jwt.present(enveloped("vc+sd-jwt", holder=key).decode(), [("credentialSubject", "alumniOf")])

    def test_an_answer_is_valid(self) -> None:
        """Bound, so nobody else could have shown it: valid, not valid-bearer; the hidden claim is not there."""
        report = check(self.shown(), ASKED)
        assert (report.verdict, report.exit_code) == ("valid", 0)
        assert report.authentic == {"id": "did:example:x", "alumniOf": "A School"}

    def test_without_an_answer_it_is_not_bound(self) -> None:
        data = enveloped("vc+sd-jwt", holder=holder().public_key)
        assert check(data).check("holder.binding").code == "holder-proof-missing"

    def test_an_answer_to_nobodys_question(self) -> None:
        assert check(self.shown()).check("holder.binding").code == "challenge-unknown"

    @pytest.mark.parametrize(
        ("change", "code"),
        [({"nonce": "n-2"}, "challenge-mismatch"), ({"audience": "https://x.example"}, "challenge-mismatch"),
         ({"name": "another"}, "bad-holder-signature"), ({"later": 60}, "clock-differs")],
    )  # fmt: skip
    def test_a_wrong_answer(self, change: dict[str, Any], code: str) -> None:
        report = check(self.shown(**change), ASKED)
        assert (report.check("holder.binding").code, report.exit_code) == (code, 1)


def test_now_is_the_tests_clock() -> None:
    """The numbers above are on both sides of the clock that the tests go by."""
    assert 1769904000 // 60 < minutes(at()) < 1893456000 // 60
