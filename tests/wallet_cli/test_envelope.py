"""`weid envelope`: what it signs it opens again, under that key alone; and what it refuses to sign or open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.credentials.world import Seeded
from wallet_cli.envelope import FORMS, envelope
from weid.codec import b64u
from weid.errors import WeidError
from weid.keys import LocalSigner
from weid.suites import suite

CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
CREDENTIAL: dict[str, Any] = {
    "@context": CONTEXTS, "type": ["VerifiableCredential"], "issuer": "https://issuer.example", "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:x", "alumniOf": "示例大学", "tags": ["a", "b"]},
}  # fmt: skip
PRESENTATION: dict[str, Any] = {"@context": CONTEXTS[:1], "type": "VerifiablePresentation", "holder": "https://holder.example"}


def key(name: str, seed: str = "key") -> dict[str, Any]:
    """A verification method with both halves of a key."""
    secret = suite(name).generate(Seeded(seed))
    public = dict(LocalSigner(secret, name, "k", "assert").public_key.jwk())
    member = "priv" if name == "ml-dsa-44" else "d"
    private = {**public, member: b64u(secret)}
    return {"id": "https://issuer.example/key#1", "type": "JsonWebKey", "publicKeyJwk": public, "secretKeyJwk": private}


def run(tmp_path: Path, verb: str, text: Any, method: Any, *options: str) -> Result:
    files = (tmp_path / "document", tmp_path / "key.json")
    for path, value in zip(files, (text, method), strict=True):
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return CliRunner().invoke(envelope, [verb, str(files[0]), "--key", str(files[1]), *options])


def refused(result: Result) -> str:
    assert isinstance(result.exception, WeidError), result.output
    return result.exception.code


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["ed25519", "p256", "p384", "p521", "secp256k1", "sm2", "ml-dsa-44"])
def test_what_is_signed_opens(tmp_path: Path, form: str, name: str) -> None:
    """Every form under every suite; under another key, or called another form, it does not open."""
    document = CREDENTIAL if form.startswith("vc") else PRESENTATION
    made = run(tmp_path, "sign", document, key(name), "--form", form)
    assert made.exit_code == 0, made.output
    opened = json.loads(run(tmp_path, "open", made.stdout, key(name), "--form", form).stdout)
    assert opened["document"] == document
    assert (opened["form"], opened["kid"]) == (form, "https://issuer.example/key#1")
    assert refused(run(tmp_path, "open", made.stdout, key(name, "another"))) in ("bad-signature", "signature-range")
    other = next(item for item in FORMS if item != form)
    assert refused(run(tmp_path, "open", made.stdout, key(name), "--form", other)) == "wrong-typ"


def test_what_is_hidden(tmp_path: Path) -> None:
    """JSON pointers say what a holder may leave out, and only an SD-JWT can."""
    hide = ("--hide", "/credentialSubject/alumniOf", "--hide", "/credentialSubject/tags/1")
    made = run(tmp_path, "sign", CREDENTIAL, key("p256"), "--form", "vc+sd-jwt", *hide)
    assert made.stdout.count("~") == 3
    bare = made.stdout.split("~")[0] + "~"
    subject = json.loads(run(tmp_path, "open", bare, key("p256")).stdout)["document"]["credentialSubject"]
    assert subject == {"id": "did:example:x", "tags": ["a"]}
    for form, pointer, code in (
        ("vc+jwt", "/credentialSubject/alumniOf", "no-such-claim"), ("vc+sd-jwt", "/nothing", "no-such-claim"),
        ("vc+sd-jwt", "credentialSubject", "no-such-claim"), ("vc+sd-jwt", "/credentialSubject/tags/2", "no-such-claim"),
        ("vc+sd-jwt", "/issuer", "claim-always-shown"),
    ):  # fmt: skip
        assert refused(run(tmp_path, "sign", CREDENTIAL, key("p256"), "--form", form, "--hide", pointer)) == code


@pytest.mark.parametrize(
    "change, code",
    [
        ({"badExtension": {"huh": "what?"}}, "unknown-member"), ({"@context": [*CONTEXTS, "https://a.example/x"]}, "unknown-context"),
        ({"issuer": "nobody"}, "vcdm-issuer"), ({"validFrom": "soon"}, "vcdm-validity"), ({"vc": {}}, "vc-claim"),
    ],
)  # fmt: skip
def test_what_is_not_signed(tmp_path: Path, change: dict[str, Any], code: str) -> None:
    """A document that breaks the data model, or has a member that nobody defined."""
    found = refused(run(tmp_path, "sign", {**CREDENTIAL, **change}, key("p256"), "--form", "vc+jwt"))
    assert found == code or (code == "vc-claim" and found == "unknown-member")


def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    """A private part that belongs to another key, a public key where a private one is needed, and a key with no name."""
    mixed = {**key("p256"), "secretKeyJwk": {**key("p256")["secretKeyJwk"], "d": key("p256", "x")["secretKeyJwk"]["d"]}}
    public = {"id": "urn:k", "publicKeyJwk": key("p256")["publicKeyJwk"]}
    bare = key("p256")["secretKeyJwk"]
    for method, code in (
        (mixed, "secret-key"),
        (public, "jwk"),
        (bare, "kid-missing"),
        ({"id": "urn:k", "kty": "EC"}, "unknown-suite"),
    ):
        assert refused(run(tmp_path, "sign", CREDENTIAL, method, "--form", "vc+jwt")) == code
    assert run(tmp_path, "sign", CREDENTIAL, bare, "--form", "vc+jwt", "--kid", "urn:k").exit_code == 0


def test_an_enclosed_credential_goes_into_a_presentation(tmp_path: Path) -> None:
    """The object with the data: URL is what a presentation holds; anything else in its place is refused."""
    for form in ("vc+jwt", "vc+sd-jwt", "vc+cose"):
        held = json.loads(run(tmp_path, "sign", CREDENTIAL, key("p256"), "--form", form, "--enclosed").stdout)
        value = {**PRESENTATION, "verifiableCredential": [held]}
        made = run(tmp_path, "sign", value, key("ed25519"), "--form", "vp+jwt")
        assert json.loads(run(tmp_path, "open", made.stdout, key("ed25519")).stdout)["document"] == value
    value = {**PRESENTATION, "verifiableCredential": [CREDENTIAL]}
    assert refused(run(tmp_path, "sign", value, key("p256"), "--form", "vp+jwt")) == "vcdm-credentials"


@pytest.mark.parametrize("text", ["", "x", "e30.e30.e30", "{}", "0oRA", "é", "a~b", json.dumps(CREDENTIAL)])
def test_what_is_no_envelope(tmp_path: Path, text: str) -> None:
    refused(run(tmp_path, "open", text, key("p256")))
