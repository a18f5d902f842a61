"""did:jwk and did:web: read strictly, resolved from themselves or from bytes handed in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.credentials.world import NOW, World, make_signer
from weid.codec import b64u, unb64u
from weid.did import DID, did_key
from weid.did_jwk import did_jwk, jwk_of_did, key_of_did_jwk
from weid.did_web import document_url, read_document, source_of
from weid.document import key_of_method, resolve
from weid.errors import KeyMaterialError, MalformedError, NotRegisteredError, ResolutionError, UnknownSuiteError, WeidError
from weid.facts import NoFacts
from weid.keys import PublicKey

# the first example of the did:jwk method specification
P256 = {
    "crv": "P-256", "kty": "EC", "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
    "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
}  # fmt: skip
P256_DID = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5Ijoi"
    "X0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)
X25519 = {"kty": "OKP", "crv": "X25519", "use": "enc", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}
WEB = "did:web:school.example"


def spelled(jwk: Any) -> str:
    return f"did:jwk:{b64u(json.dumps(jwk).encode())}"


# -- did:jwk ----------------------------------------------------------------------------------------------------------


def test_the_example_of_the_method() -> None:
    """The specification's P-256 example has the document it prints, but for our choice of absolute references."""
    assert jwk_of_did(P256_DID) == P256
    document = resolve(P256_DID, NoFacts()).document
    assert document["id"] == P256_DID
    (method,) = document["verificationMethod"]  # type: ignore[misc,str-unpack]
    assert method == {"id": f"{P256_DID}#0", "type": "JsonWebKey2020", "controller": P256_DID, "publicKeyJwk": P256}
    for relation in ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation"):
        assert document[relation] == [f"{P256_DID}#0"]


@pytest.mark.parametrize("suite_name", ["ed25519", "p256", "p384", "secp256k1"])
def test_every_kind_of_key_goes_round(suite_name: str) -> None:
    """Key → DID → key, and the same from the verification method."""
    key = make_signer(suite_name, "assert", "jwk").public_key
    did = did_jwk(key)
    assert key_of_did_jwk(did) == key == key_of_method(f"{did}#0")
    assert resolve(did, NoFacts()).metadata == {}


@pytest.mark.parametrize(
    "change, error",
    [
        ({"d": "AA"}, MalformedError), ({"k": "AA"}, MalformedError), ({"crv": "P-521"}, KeyMaterialError),
        ({"crv": ["P-256"]}, UnknownSuiteError), ({"kty": "RSA"}, UnknownSuiteError), ({"x": "AA"}, KeyMaterialError),
        ({"x": 1}, MalformedError), ({"y": None}, MalformedError), ({"y": P256["x"]}, KeyMaterialError),
        ({"x": P256["x"] + "="}, MalformedError), ({"x": P256["x"][:-1] + "1"}, MalformedError),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AA"}, KeyMaterialError), ({"crv": "P-192"}, UnknownSuiteError),
    ],
)  # fmt: skip
def test_bad_jwks(change: dict[str, Any], error: type[WeidError]) -> None:
    """Private, foreign, short, padded and off-curve keys: each its own error, none a key."""
    with pytest.raises(error):
        PublicKey.from_jwk({**P256, **change})
    with pytest.raises(error):
        resolve(spelled({**P256, **change}), NoFacts())


@pytest.mark.parametrize(
    "text", ["did:jwk:", "did:jwk:W10", "did:jwk:e30", "did:jwk:e30=", "did:jwk:a", "did:jwk:e30#0", "did:key:z6"]
)
def test_no_did_jwk(text: str) -> None:
    """What spells no JWK is refused."""
    with pytest.raises(WeidError):
        key_of_did_jwk(text)


def test_a_key_for_another_use_does_not_sign() -> None:
    """`use: enc` on a signing key contradicts itself; X25519 has no suite here."""
    with pytest.raises(KeyMaterialError):
        resolve(spelled({**P256, "use": "enc"}), NoFacts())
    with pytest.raises(UnknownSuiteError):
        resolve(spelled(X25519), NoFacts())


@pytest.mark.parametrize("method", ["did:key:z6Mk#x", "did:jwk:e30#1", "did:web:a.example#0", "", "#0", f"{P256_DID}#key-1"])
def test_methods_that_spell_no_key(method: str) -> None:
    with pytest.raises(WeidError):
        key_of_method(method)


# -- did:web ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "did, url",
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
    ],
)
def test_addresses(did: str, url: str) -> None:
    """The examples of the method specification."""
    assert document_url(did) == url


@pytest.mark.parametrize(
    "text",
    [
        "did:web:", "did:web:127.0.0.1", "did:web:a..b", "did:web:-a.example", "did:web:a.example:", "did:web:a.example:..",
        "did:web:a.example:.:x", "did:web:a.example%2Fx", "did:web:a.example:%2F..", "did:web:a.example:%5Cx",
        "did:web:a.example%3A0", "did:web:user@a.example", "did:web:a.example%3Ax", "did:web:a.example:x%00",
        "did:web:a.example/x", "did:web:a.example?x", "did:web:a.example#x", "did:web:1%3A443",
    ],
)  # fmt: skip
def test_no_did_web(text: str) -> None:
    """Addresses by number, walks up a path, user names and encoded slashes lead nowhere."""
    with pytest.raises(MalformedError):
        DID(text)


def web_document(**change: Any) -> dict[str, Any]:
    key = make_signer("ed25519", "assert", "web").public_key
    value = {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": WEB,
        "controller": [WEB],
        "alsoKnownAs": ["https://school.example"],
        "verificationMethod": [{"id": "#k", "type": "Multikey", "controller": WEB, "publicKeyMultibase": key.multikey()}],
        "assertionMethod": ["#k", {"id": f"{WEB}#e", "type": "JsonWebKey", "controller": WEB, "publicKeyJwk": P256}],
        "service": [{"id": "#files", "type": ["Files"], "serviceEndpoint": ["https://school.example/files/"]}],
        **change,
    }
    return {name: item for name, item in value.items() if item is not ...}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_document_handed_in() -> None:
    """The bytes come from a mapping or a callable; without a source the method is not supported."""
    source = source_of({WEB: encoded(web_document())})
    assert resolve(WEB, NoFacts(), documents=source).document == web_document()
    with pytest.raises(NotRegisteredError):
        resolve("did:web:other.example", NoFacts(), documents=source)
    with pytest.raises(ResolutionError) as caught:
        resolve(WEB, NoFacts())
    assert caught.value.code == "method-not-supported"
    for question in ({"version": 1}, {"at": NOW}):
        with pytest.raises(ResolutionError) as caught:
            resolve(WEB, NoFacts(), documents=source, **question)
        assert caught.value.code == "not-versioned"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "did:web:evil.example"}, {"id": ...}, {"@context": ["https://evil.example"]}, {"@context": []},
        {"controller": "me"}, {"controller": [1]}, {"alsoKnownAs": [1]}, {"verificationMethod": {}},
        {"verificationMethod": ["#k"]}, {"verificationMethod": [{"id": "#k", "type": "Multikey"}]},
        {"verificationMethod": [{"id": "k", "type": "Multikey", "controller": WEB}]},
        {"verificationMethod": [{"id": "#k", "type": "", "controller": WEB}]},
        {"verificationMethod": [{"id": "#k", "type": "JsonWebKey", "controller": WEB, "publicKeyJwk": {**P256, "d": "AA"}}]},
        {"verificationMethod": [{"id": "#k", "type": "X", "controller": WEB, "privateKeyMultibase": "z1"}]},
        {"verificationMethod": [{"id": "#k", "type": "X", "controller": WEB, "publicKeyJwk": []}]},
        {"assertionMethod": "#k"}, {"assertionMethod": ["k"]}, {"authentication": [1]}, {"keyAgreement": ["#"]},
        {"service": [{"id": "#s", "type": "X"}]}, {"service": [{"id": "#s", "serviceEndpoint": "https://a.example"}]},
        {"service": [{"id": "#s", "type": "X", "serviceEndpoint": "files"}]}, {"service": [{"type": "X"}]},
        {"service": [{"id": "#s", "type": "X", "serviceEndpoint": []}]},
        {"service": [{"id": "#s", "type": "X", "serviceEndpoint": "https://a.example/\r\nX: y"}]},
        {"authentication": ["#k"] * 65},
    ],
)  # fmt: skip
def test_documents_that_do_not_conform(change: dict[str, Any]) -> None:
    """Another DID's document, private keys and every broken member: `invalid-did-document`."""
    with pytest.raises(ResolutionError) as caught:
        read_document(encoded(web_document(**change)), WEB)
    assert caught.value.code == "invalid-did-document"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"id":"a","id":"b"}', b"[" * 100, b'"' + b"x" * 70_000 + b'"'])
def test_bytes_that_are_no_document(data: bytes) -> None:
    with pytest.raises(ResolutionError):
        read_document(data, WEB)


def test_other_methods_are_not_supported() -> None:
    """A method we do not have is not `not registered`: nothing was looked up."""
    with pytest.raises(ResolutionError) as caught:
        resolve("did:example:123", World().facts())
    assert caught.value.code == "method-not-supported"


def test_the_first_example_decodes() -> None:
    assert json.loads(unb64u(P256_DID.removeprefix("did:jwk:"))) == P256
    assert DID(P256_DID).method == "jwk" and did_key(key_of_did_jwk(P256_DID)).startswith("did:key:zDn")
