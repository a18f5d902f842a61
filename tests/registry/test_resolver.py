"""The HTTP binding of DID Resolution: every outcome the specification names, over one blueprint."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from registry import operations as ops
from registry.node.resolver import DEREFERENCING, RESOLUTION, resolver_blueprint
from registry.node.service import create_node
from tests.credentials.world import ALL_COMPLETE, NOW, make_signer
from tests.registry.world import World as Node
from tests.weid.test_did_methods import P256_DID, WEB, X25519, encoded, spelled, web_document
from weid.codec import multibase, rfc3339, uvarint
from weid.did import did_key, weid_did
from weid.errors import TrustError
from weid.facts import Facts, RecordFacts, Source
from weid.records import DidRecord, KeyRecord, ServiceRecord, VersionRecord
from weid.resolver import OPTIONS, REPRESENTATIONS, STATUS, URI_LIST, Resolver

KEY = make_signer("ed25519", "log-op", "resolver").public_key
LATER = make_signer("p256", "assert", "resolver").public_key
SCHOOL = weid_did(100, KEY)
CLOSED = weid_did(100, LATER)
PERSON = did_key(KEY)
FIRST = NOW - 5000
BROKEN = "did:web:broken.example"
UNKNOWN_KEY = f"did:key:{multibase(uvarint(0xEC) + bytes(32))}"


def records() -> list[DidRecord]:
    keys = (
        KeyRecord(1, "log-op", "ed25519", KEY.data, FIRST, 1, None, None, None, None),
        KeyRecord(2, "assert", "p256", LATER.data, NOW - 100, 2, None, None, None, None),
    )
    services = (
        ServiceRecord("files", "Files", "https://school.example/files/", 1, None),
        ServiceRecord("page", "Page", "https://school.example/", 2, None),
        ServiceRecord("script", "Script", "javascript:alert(1)", 1, None),
    )
    versions = (VersionRecord(1, FIRST), VersionRecord(2, NOW - 100))
    closed = DidRecord(str(CLOSED), b"\0" * 32, versions[:1], (), (), NOW - 10)
    return [DidRecord(str(SCHOOL), b"\0" * 32, versions, keys, services, None), closed]


def facts() -> Facts:
    return RecordFacts(records(), source=Source("o", b"\1" * 32, "o", 1, NOW), complete=ALL_COMPLETE)


def client_of(resolver: Resolver) -> FlaskClient:
    app = Flask("resolver")
    app.register_blueprint(resolver_blueprint(resolver))
    return app.test_client()


WEBS = {
    WEB: encoded(web_document()),
    BROKEN: b"{}",
    "did:web:port.example%3A8443": encoded(web_document(id="did:web:port.example%3A8443")),
}
HTTP = client_of(Resolver(facts, documents=WEBS.get))


def ask(identifier: str, accept: str | None = RESOLUTION, http: FlaskClient = HTTP, **options: str) -> TestResponse:
    headers = {} if accept is None else {"Accept": accept}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    return http.get(f"/1.0/identifiers/{identifier}{'?' if query else ''}{query}", headers=headers)


def error_of(response: TestResponse) -> str:
    body = response.get_json(force=True)
    metadata = body.get("didResolutionMetadata") or body["dereferencingMetadata"]
    assert body.get("didDocument", body.get("contentStream")) is None
    assert body.get("didDocumentMetadata", body.get("contentMetadata")) == {}
    assert metadata["error"]["title"] and metadata["error"]["detail"]
    return str(metadata["error"]["type"])


# -- resolution -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("did", [str(SCHOOL), str(PERSON), P256_DID, WEB, "did:web:port.example%3A8443"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_resolution_result(did: str, whole: bool) -> None:
    """Every method, with the DID as it stands and encoded as a whole."""
    response = ask(quote(did, safe="") if whole else did)
    body = response.get_json(force=True)
    assert (response.status_code, set(body)) == (200, {"didDocument", "didDocumentMetadata", "didResolutionMetadata"})
    assert response.content_type == body["didResolutionMetadata"]["contentType"] == RESOLUTION
    assert body["didDocument"]["id"] == did


@pytest.mark.parametrize("accept", REPRESENTATIONS)
def test_the_document_alone(accept: str) -> None:
    """A DID media type asks for the bare document, in that type."""
    response = ask(str(SCHOOL), accept)
    assert (response.status_code, response.content_type, response.get_json(force=True)["id"]) == (200, accept, SCHOOL)


@pytest.mark.parametrize("accept", [None, "*/*", "text/html, */*;q=0.1", f"{RESOLUTION};q=0.9, text/html"])
def test_callers_without_a_wish_get_the_result(accept: str | None) -> None:
    assert ask(str(SCHOOL), accept).content_type == RESOLUTION


def test_preference_counts() -> None:
    """Quality values decide between what is offered."""
    response = ask(str(SCHOOL), f"{RESOLUTION};q=0.1, application/did+json")
    assert response.content_type == "application/did+json"


def test_metadata_and_versions() -> None:
    """versionId and versionTime give the document as it was, with what followed."""
    newest = ask(str(SCHOOL)).get_json(force=True)
    assert newest["didDocumentMetadata"]["versionId"] == "2" and len(newest["didDocument"]["verificationMethod"]) == 2
    for options in ({"versionId": "1"}, {"versionTime": rfc3339(NOW - 200)}):
        old = ask(quote(str(SCHOOL), safe=""), **options).get_json(force=True)
        assert len(old["didDocument"]["verificationMethod"]) == 1
        assert old["didDocumentMetadata"]["nextVersionId"] == "2"


def test_relative_references_are_expanded_when_asked() -> None:
    plain, expanded = ask(WEB).get_json(force=True), ask(WEB, expandRelativeUrls="true").get_json(force=True)
    assert plain["didDocument"]["assertionMethod"][0] == "#k"
    assert expanded["didDocument"]["assertionMethod"][0] == f"{WEB}#k"
    assert expanded["didDocument"]["verificationMethod"][0]["id"] == f"{WEB}#k"
    assert expanded["didDocument"]["service"][0]["id"] == f"{WEB}#files"


ERRORS: list[tuple[str, dict[str, str], str]] = [
    ("not-a-did", {}, "INVALID_DID"),
    ("did:example", {}, "INVALID_DID"),
    ("", {}, "INVALID_DID"),
    ("did:weid:100:0xABC", {}, "INVALID_DID"),
    (f"did:key:{multibase(uvarint(0xED) + bytes(3))}", {}, "INVALID_DID"),
    ("did:jwk:e30", {}, "FEATURE_NOT_SUPPORTED"),
    (spelled({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}), {}, "INVALID_DID"),
    (f"{SCHOOL}%23key-1", {}, "INVALID_DID"),
    ("did:unsupported:123456789abcdefghi", {}, "METHOD_NOT_SUPPORTED"),
    ("did:unsupported:1", {"versionId": "1", "versionTime": "x"}, "METHOD_NOT_SUPPORTED"),
    (spelled(X25519), {}, "FEATURE_NOT_SUPPORTED"),
    (UNKNOWN_KEY, {}, "FEATURE_NOT_SUPPORTED"),
    (str(PERSON), {"versionId": "1"}, "FEATURE_NOT_SUPPORTED"),
    (P256_DID, {"versionTime": rfc3339(NOW)}, "FEATURE_NOT_SUPPORTED"),
    (str(SCHOOL), {"noCache": "true"}, "FEATURE_NOT_SUPPORTED"),
    (str(SCHOOL), {"versionId": "1", "versionTime": rfc3339(NOW)}, "INVALID_OPTIONS"),
    (str(SCHOOL), {"versionTime": "yesterday"}, "INVALID_OPTIONS"),
    (str(SCHOOL), {"versionId": "é"}, "INVALID_OPTIONS"),
    (str(SCHOOL), {"expandRelativeUrls": "perhaps"}, "INVALID_OPTIONS"),
    (f"did:weid:100:0x{'0' * 40}", {}, "NOT_FOUND"),
    ("did:web:nobody.example", {}, "NOT_FOUND"),
    (str(SCHOOL), {"versionId": "3"}, "NOT_FOUND"),
    (str(SCHOOL), {"versionId": "latest"}, "NOT_FOUND"),
    (str(SCHOOL), {"versionTime": rfc3339(FIRST - 1)}, "NOT_FOUND"),
    (BROKEN, {}, "INVALID_DID_DOCUMENT"),
]


@pytest.mark.parametrize("identifier, options, name", ERRORS)
def test_resolution_errors(identifier: str, options: dict[str, str], name: str) -> None:
    """The error object, its type URI, and the status the binding gives it."""
    response = ask(identifier, **options)
    assert (response.status_code, error_of(response)) == (STATUS[name], f"https://www.w3.org/ns/did#{name}")
    assert response.content_type == RESOLUTION


def test_an_option_given_twice() -> None:
    response = HTTP.get(f"/1.0/identifiers/{SCHOOL}?versionId=1&versionId=2", headers={"Accept": RESOLUTION})
    assert (response.status_code, error_of(response)) == (400, "https://www.w3.org/ns/did#INVALID_OPTIONS")
    many = "&".join(f"a{count}=1" for count in range(40))
    assert HTTP.get(f"/1.0/identifiers/{SCHOOL}?{many}", headers={"Accept": RESOLUTION}).status_code == 400


@pytest.mark.parametrize("accept", ["application/x-unsupported", "application/json", "text/html", URI_LIST])
def test_representations_that_are_not_offered(accept: str) -> None:
    response = ask(str(SCHOOL), accept)
    assert (response.status_code, error_of(response)) == (406, "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED")


def test_a_deactivated_did() -> None:
    """410, no document, and metadata that say why; in every representation."""
    for accept in (RESOLUTION, "application/did+json"):
        response = ask(str(CLOSED), accept)
        assert (response.status_code, response.get_json(force=True)["didDocument"]) == (410, None)
        assert response.get_json(force=True)["didDocumentMetadata"] == {"deactivated": True}
    assert ask(str(CLOSED), DEREFERENCING).get_json(force=True)["contentMetadata"] == {"deactivated": True}
    assert ask(str(CLOSED), versionId="1").status_code == 410


def test_trust_data_that_cannot_be_used() -> None:
    """What breaks on our side is an internal error, not an invalid DID."""

    def broken() -> Facts:
        raise TrustError("the bundle is older than what was seen")

    response = ask(str(SCHOOL), http=client_of(Resolver(broken)))
    assert (response.status_code, error_of(response)) == (500, "https://www.w3.org/ns/did#INTERNAL_ERROR")


def test_without_documents_did_web_is_not_supported() -> None:
    response = ask(WEB, http=client_of(Resolver(facts)))
    assert error_of(response).endswith("#METHOD_NOT_SUPPORTED")


# -- dereferencing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("did, part", [(str(SCHOOL), "key-1"), (str(SCHOOL), "files"), (P256_DID, "0"), (WEB, "k"), (WEB, "e")])
def test_a_fragment(did: str, part: str) -> None:
    """A method or a service by its fragment, encoded as a whole or in part."""
    for identifier in (quote(f"{did}#{part}", safe=""), f"{did}%23{part}"):
        response = ask(identifier, DEREFERENCING)
        body = response.get_json(force=True)
        assert (response.status_code, set(body)) == (200, {"contentStream", "contentMetadata", "dereferencingMetadata"})
        assert response.content_type == body["dereferencingMetadata"]["contentType"] == DEREFERENCING
        assert body["contentStream"]["id"].endswith(f"#{part}") and body["contentMetadata"] == {}
    assert ask(identifier, "application/did+json").get_json(force=True)["id"].endswith(f"#{part}")
    assert ask(identifier, None).content_type == DEREFERENCING


def test_a_did_alone_is_a_did_url() -> None:
    body = ask(str(SCHOOL), DEREFERENCING).get_json(force=True)
    assert body["contentStream"]["id"] == SCHOOL and body["contentMetadata"]["versionId"] == "2"


def test_parameters_of_a_did_url() -> None:
    """versionId inside the DID URL, and one that a document does not know."""
    body = ask(quote(f"{SCHOOL}?versionId=1#key-1", safe=""), DEREFERENCING).get_json(force=True)
    assert body["contentStream"]["id"] == f"{SCHOOL}#key-1"
    assert ask(quote(f"{SCHOOL}?versionId=1#key-2", safe=""), DEREFERENCING).status_code == 404


@pytest.mark.parametrize(
    "query, place",
    [
        ("service=files", "https://school.example/files/"),
        ("service=%23files", "https://school.example/files/"),
        ("serviceType=Page", "https://school.example/"),
        ("service=files&relativeRef=a%2Fb%3Fc%3Dd", "https://school.example/files/a/b?c=d"),
        ("service=files&relativeRef=%2Fresume.pdf", "https://school.example/resume.pdf"),
        ("service=files&relativeRef=x#intro", "https://school.example/files/x#intro"),
    ],
)
def test_a_service_redirects(query: str, place: str) -> None:
    """303, the address in Location, an empty body."""
    for accept in (DEREFERENCING, URI_LIST):
        response = ask(quote(f"{SCHOOL}?{query}", safe=""), accept)
        assert (response.status_code, response.headers["Location"], response.data) == (303, place, b"")
    if "#" not in query:
        assert ask(f"{SCHOOL}?{query}", DEREFERENCING).headers["Location"] == place


def test_a_service_in_a_document() -> None:
    """A DID media type asks for the document with the chosen services only."""
    body = ask(quote(f"{SCHOOL}?serviceType=Page", safe=""), "application/did+json").get_json(force=True)
    assert [item["type"] for item in body["service"]] == ["Page"]


DEREFERENCE_ERRORS: list[tuple[str, dict[str, str], str]] = [
    ("not-a-did", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}#a#b", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?a=1&a=2", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}#{'x' * 3000}", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}#<x>", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}#key-9", {}, "NOT_FOUND"),
    (f"{SCHOOL}/path", {}, "NOT_FOUND"),
    (f"{SCHOOL}?custom=1", {}, "NOT_FOUND"),
    (f"{SCHOOL}?relativeRef=x", {}, "NOT_FOUND"),
    (f"{SCHOOL}?service=none", {}, "NOT_FOUND"),
    (f"did:weid:100:0x{'0' * 40}#key-1", {}, "NOT_FOUND"),
    ("did:unsupported:1#a", {}, "METHOD_NOT_SUPPORTED"),
    (f"{SCHOOL}?hl=zQm", {}, "FEATURE_NOT_SUPPORTED"),
    (f"{SCHOOL}#key-1", {"noCache": "true"}, "FEATURE_NOT_SUPPORTED"),
    (f"{SCHOOL}?versionId=1", {"versionId": "1"}, "INVALID_OPTIONS"),
    (f"{SCHOOL}#key-1", {"verificationRelationship": "x"}, "INVALID_OPTIONS"),
    (f"{BROKEN}#k", {}, "INVALID_DID_DOCUMENT"),
    (f"{SCHOOL}?service=files&relativeRef=https%3A%2F%2Fevil.example", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?service=files&relativeRef=%2F%2Fevil.example", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?service=files&relativeRef=a%0D%0Ab", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?service=files&relativeRef=%2F%2F%5B", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?service=files&relativeRef=%23a#b", {}, "INVALID_DID_URL"),
    (f"{SCHOOL}?service=script", {}, "INVALID_DID_URL"),
]


@pytest.mark.parametrize("url, options, name", DEREFERENCE_ERRORS)
def test_dereferencing_errors(url: str, options: dict[str, str], name: str) -> None:
    """Every way a DID URL leads nowhere; a link may not leave the service it names."""
    response = ask(quote(url, safe=""), DEREFERENCING, **options)
    assert (response.status_code, error_of(response)) == (STATUS[name], f"https://www.w3.org/ns/did#{name}")
    assert response.content_type == DEREFERENCING


def test_a_relationship_is_asked_for() -> None:
    """The method must be one, and one for that relationship."""
    url = quote(f"{SCHOOL}#key-2", safe="")
    assert ask(url, DEREFERENCING, verificationRelationship="assertionMethod").status_code == 200
    for identifier, relation, name in (
        (url, "authentication", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        (quote(f"{SCHOOL}#files", safe=""), "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        (str(SCHOOL), "assertionMethod", "INVALID_VERIFICATION_METHOD"),
    ):
        response = ask(identifier, DEREFERENCING, verificationRelationship=relation)
        assert (response.status_code, error_of(response)) == (500, f"https://w3id.org/security#{name}")


def test_only_a_service_is_a_list_of_addresses() -> None:
    response = ask(quote(f"{SCHOOL}#key-1", safe=""), URI_LIST)
    assert error_of(response).endswith("#REPRESENTATION_NOT_SUPPORTED")


def test_every_error_of_the_specification_was_met() -> None:
    """The tables above, the 406 and 500 ones included, name every error there is."""
    met = {name for *_, name in (*ERRORS, *DEREFERENCE_ERRORS)}
    met |= {"REPRESENTATION_NOT_SUPPORTED", "INTERNAL_ERROR", "INVALID_VERIFICATION_METHOD"}
    assert met | {"INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"} == set(STATUS)


@given(st.text(max_size=40), st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.text(max_size=8), max_size=3))
def test_anything_asked(text: str, options: dict[str, str]) -> None:
    """Any text and any options: a result of the specification, never a crash."""
    resolver = Resolver(facts, documents=WEBS.get)
    for url in (text, f"{SCHOOL}{text}", f"{WEB}{text}"):
        for found in (resolver.resolve(url, options), resolver.dereference(url, options, accept=URI_LIST)):
            assert found.status in {200, 303, 410, *STATUS.values()}
            json.dumps([found.content, dict(found.metadata)])


def test_a_node_serves_it(world: Node) -> None:
    """A real log: created, served, deactivated."""
    http = create_node(world.registry).test_client()
    actor = world.actor()
    world.registry.submit([ops.did_create(world.author(actor), list(actor.signers.values())).data])
    answer: Any = ask(actor.did, http=http)
    assert (answer.status_code, answer.get_json(force=True)["didDocument"]["id"]) == (200, actor.did)
    record: Any = world.registry.facts().fact("did", actor.did)
    world.registry.submit([ops.did_deactivate(world.author(actor), record.record.last_op).data])
    assert ask(actor.did, http=http).status_code == 410


def post(identifier: str, options: Any = None, accept: str = RESOLUTION, data: bytes | None = None) -> TestResponse:
    body = data if data is not None else b"" if options is None else json.dumps(options).encode()
    return HTTP.post(f"/1.0/identifiers/{identifier}", data=body, headers={"Accept": accept, "Content-Type": "application/json"})


def test_post_gives_what_get_gives() -> None:
    """The options stand in the body, and the DID URL's own parameters stay in the address."""
    assert post(str(SCHOOL)).get_json(force=True) == ask(str(SCHOOL)).get_json(force=True)
    for options in ({"versionId": "1"}, {"versionTime": rfc3339(NOW - 200)}):
        assert post(str(SCHOOL), options).get_json(force=True) == ask(quote(str(SCHOOL), safe=""), **options).get_json(force=True)
    expanded = post(WEB, {"expandRelativeUrls": True}).get_json(force=True)
    assert expanded["didDocument"]["assertionMethod"][0] == f"{WEB}#k"
    led = post(f"{SCHOOL}?service=files&relativeRef=a.pdf", {}, DEREFERENCING)
    assert (led.status_code, led.headers["Location"]) == (303, "https://school.example/files/a.pdf")
    old = post(f"{SCHOOL}%23key-1", {"versionId": "1"}, DEREFERENCING)
    assert old.get_json(force=True)["contentStream"]["id"] == f"{SCHOOL}#key-1"


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"versionId": 1}', b'{"versionId": null}', b'"x"', b"{" + b" " * 5000 + b"}",
                                  b'{"versionId": "1", "versionId": "2"}', b"\xff"])  # fmt: skip
def test_post_bodies_that_are_no_options(data: bytes) -> None:
    """Refused as options that are not valid, whatever they are."""
    answer = post(str(SCHOOL), data=data)
    assert answer.status_code in (400, 413)
    if answer.status_code == 400:
        assert answer.get_json(force=True)["didResolutionMetadata"]["error"]["type"].endswith("#INVALID_OPTIONS")


def test_post_errors_are_those_of_get() -> None:
    for identifier, options, error in ERRORS:
        body = post(identifier, options).get_json(force=True)
        assert body["didResolutionMetadata"]["error"]["type"].endswith(f"#{error}"), identifier
