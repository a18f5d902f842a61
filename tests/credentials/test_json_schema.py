"""JSON Schemas that W3C credentials name: handed in, bounded, never fetched (VC JSON Schema 1.0)."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from hashlib import new, sha256, sha384
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import jose
from credentials.data_integrity import sign
from credentials.json_schema import DIALECTS, MAX_COST, misfit, read_json_schema
from credentials.policy import Policy
from credentials.report import Check, Outcome
from credentials.verify import verify
from tests.credentials.test_foreign import document, key_signer
from tests.credentials.world import NOW, at, make_signer
from weid.codec import b64u, rfc3339
from weid.did import did_key
from weid.errors import SchemaError
from weid.facts import NoFacts
from weid.keys import LocalSigner

URL = "https://schemas.example/email.json"
HOLDING = "https://schemas.example/credentials/1"
META = "https://www.w3.org/ns/credentials/json-schema/v2.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
SUBJECT = {"id": "did:example:x", "emailAddress": "subject@example.com"}


def schema(**change: Any) -> dict[str, Any]:
    email = {"type": "object", "properties": {"emailAddress": {"type": "string", "format": "email"}}}
    value = {
        "$id": URL, "$schema": DRAFT, "title": "EmailCredential", "type": "object",
        "properties": {"credentialSubject": {**email, "required": ["emailAddress"]}}, **change,
    }  # fmt: skip
    return {name: item for name, item in value.items() if item is not ...}


def data_of(value: Any) -> bytes:
    return json.dumps(value).encode()


def sri(data: bytes) -> str:
    return "sha384-" + b64encode(sha384(data).digest()).decode()


def holding(inner: Any, *, signer: LocalSigner | None = None, **change: Any) -> bytes:
    """A schema credential; `subject` changes what is in its subject."""
    maker = signer or key_signer()
    subject = {"id": URL, "type": "JsonSchema", "jsonSchema": inner, **change.pop("subject", {})}
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "id": HOLDING, "issuer": maker.kid.split("#")[0],
        "type": ["VerifiableCredential", "JsonSchemaCredential"], "validFrom": "2026-01-01T00:00:00Z",
        "credentialSchema": {"id": META, "type": "JsonSchema"},
        "credentialSubject": {name: item for name, item in subject.items() if item is not ...}, **change,
    }  # fmt: skip
    return data_of(sign({name: item for name, item in value.items() if item is not ...}, maker, created="2026-01-01T00:00:00Z"))


def check(named: Any, held: dict[str, bytes], *, subject: Any = None, **policy: Any) -> Check:
    value = document(credentialSubject=subject or SUBJECT, credentialSchema=named)
    asked = Policy(require_accreditation=False, schemas_by_url=held, **policy)
    return verify(data_of(value), facts=NoFacts(), policy=asked, at=at()).check("schema")


def plain(data: bytes, *, subject: Any = None, **named: Any) -> Check:
    return check({"id": URL, "type": "JsonSchema", **named}, {URL: data}, subject=subject)


def packed(data: bytes, **policy: Any) -> Check:
    more = policy.pop("held", {})
    return check({"id": HOLDING, "type": "JsonSchemaCredential", **policy.pop("named", {})}, {HOLDING: data, **more}, **policy)


# -- a schema by itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [*DIALECTS, *(f"{name}#" for name in DIALECTS)])
def test_a_credential_fits_or_does_not(dialect: str) -> None:
    """In each draft the recommendation's own example passes, and `not an email` fails, by place and keyword alone."""
    data = data_of(schema(**{"$schema": dialect}))
    assert plain(data).outcome is Outcome.PASSED
    bad = plain(data, subject={"id": "did:example:x", "emailAddress": "not an email"})
    assert (bad.outcome, bad.code) == (Outcome.FAILED, "schema-mismatch")
    assert bad.evidence["reason"] == "credentialSubject.emailAddress: does not fit format"
    assert plain(data, subject={"id": "did:example:x"}).code == "schema-mismatch"


def test_drafts_differ() -> None:
    """`$schema` picks the dialect: siblings of a reference count in 2020-12 and not in draft 7."""
    inner = {"$ref": "#/definitions/any", "required": ["nowhere"]}
    value = schema(definitions={"any": {}}, properties={"credentialSubject": inner})
    assert plain(data_of({**value, "$schema": "http://json-schema.org/draft-07/schema#"})).outcome is Outcome.PASSED
    assert plain(data_of(value)).code == "schema-mismatch"


def test_the_proof_is_no_part_of_what_is_described() -> None:
    """A closed schema describes the credential that its issuer wrote."""
    members = ("@context", "type", "issuer", "validFrom", "credentialSubject", "credentialSchema")
    closed = schema(properties=dict.fromkeys(members, True), additionalProperties=False)
    assert plain(data_of(closed)).outcome is Outcome.PASSED


def test_without_the_schema_it_is_unknown() -> None:
    """Nothing is fetched; a kind that is not read is named."""
    assert check({"id": URL, "type": "JsonSchema"}, {}).code == "schema-not-in-trust-data"
    other = check({"id": URL, "type": "ZkpExampleSchema2018"}, {URL: data_of(schema())})
    assert (other.outcome, other.code) == (Outcome.UNKNOWN, "schema-type-unknown")
    both = check({"id": URL, "type": ["JsonSchema", "JsonSchemaCredential"]}, {URL: data_of(schema())})
    assert both.code == "schema-type-unknown"
    many = check([{"id": URL, "type": "JsonSchema"}] * 9, {URL: data_of(schema())})
    assert many.outcome is Outcome.UNKNOWN


def test_the_worst_of_several_schemas_counts() -> None:
    """A misfit before a missing one, a missing one before a fit."""
    fits, breaks = data_of(schema()), data_of(schema(**{"$id": URL + "2", "required": ["nowhere"]}))
    named = [{"id": URL + end, "type": "JsonSchema"} for end in ("", "3", "2")]
    held = {URL: fits, URL + "2": breaks}
    assert check(named, held).code == "schema-mismatch"
    assert check(named[:2], held).code == "schema-not-in-trust-data"
    assert check(named[:1], held).outcome is Outcome.PASSED


def test_digests_pin_the_bytes() -> None:
    """Either spelling; another digest is UNKNOWN, none of a known kind a fault of the credential."""
    data = data_of(schema())
    assert plain(data, digestSRI=sri(data)).outcome is Outcome.PASSED
    assert plain(data, digestMultibase="u" + b64u(sha256(data).digest())).outcome is Outcome.PASSED
    assert plain(data, digestSRI=sri(data + b" ")).code == "schema-digest"
    assert plain(data + b" ", digestSRI=sri(data)).code == "schema-digest"
    assert plain(data, digestSRI="sha1-AAAA").code == "vcdm-schema"
    # a multihash says which function it is of, and several may be given, all of which must fit
    for code, name in ((b"\x12\x20", "sha256"), (b"\x20\x30", "sha384"), (b"\x13\x40", "sha512"), (b"\x16\x20", "sha3_256"),
                       (b"\x15\x30", "sha3_384")):  # fmt: skip
        assert plain(data, digestMultibase="u" + b64u(code + new(name, data).digest())).outcome is Outcome.PASSED
        assert plain(data, digestMultibase="u" + b64u(code + new(name, data + b" ").digest())).code == "schema-digest"
    right, wrong = ("u" + b64u(sha256(value).digest()) for value in (data, data + b" "))
    assert plain(data, digestMultibase=[right, right]).outcome is Outcome.PASSED
    assert plain(data, digestMultibase=[right, wrong]).code == "schema-digest"
    for broken in ([], ["AAAA"], "u" + b64u(b"\x12\x21" + bytes(32)), "u" + b64u(b"\x14\x20" + bytes(32)), [[right]]):
        assert plain(data, digestMultibase=broken).code == "vcdm-schema"
    # a schema under another name counts once a digest says that it is meant
    other = data_of(schema(**{"$id": "https://schemas.example/other.json"}))
    assert plain(other).code == "schema-unusable"
    assert plain(other, digestSRI=sri(other)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"$schema": ...}, "schema-unusable"), ({"$schema": 7}, "schema-unusable"), ({"$id": ...}, "schema-unusable"),
        ({"$id": "not-a-uri"}, "schema-unusable"), ({"type": "thing"}, "schema-unusable"),
        ({"$schema": "https://json-schema.org/draft/unknown/schema"}, "schema-dialect-unknown"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "schema-dialect-unknown"),
        ({"$schema": "http://json-schema.org/draft-06/schema#"}, "schema-dialect-unknown"),
        ({"$ref": "https://elsewhere.example/schema"}, "schema-unusable"),
        ({"$ref": "file:///etc/passwd"}, "schema-unusable"), ({"$ref": "other.json"}, "schema-unusable"),
        ({"$ref": "#/nowhere"}, "schema-unusable"), ({"$ref": "#anchor"}, "schema-unusable"),
        ({"$ref": "#"}, "schema-unusable"), ({"$dynamicRef": "#x"}, "schema-unusable"),
        ({"$defs": {"a": {"$id": "https://elsewhere.example/a"}}}, "schema-unusable"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "schema-unusable"),
        ({"pattern": "^(?=a)b$"}, "schema-unusable"), ({"pattern": "(a{1000}){1000}"}, "schema-unusable"),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_usable_is_unknown(change: dict[str, Any], code: str) -> None:
    """Our copy of a schema may be broken or hostile: that is no sign against the credential."""
    found = plain(data_of(schema(**change)))
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 5000, b"true"])
def test_bytes_that_are_no_schema(data: bytes) -> None:
    """Read as strictly as any JSON here."""
    assert plain(data).code == "schema-unusable"


def test_references_inside_are_followed() -> None:
    """By pointer, with escapes, through the schema's own name too."""
    inner = {"a/b ~": {"type": "object", "required": ["emailAddress"]}}
    for reference in ("#/$defs/a~1b%20~0", f"{URL}#/$defs/a~1b%20~0"):
        value = schema(**{"$defs": inner, "properties": {"credentialSubject": {"$ref": reference}}})
        assert plain(data_of(value)).outcome is Outcome.PASSED
        assert plain(data_of(value), subject={"id": "did:example:x"}).code == "schema-mismatch"


def test_work_is_bounded() -> None:
    """References that fan out, references that go deep, patterns that backtrack: each refused or answered at once."""
    fan = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)} | {"d60": {}}
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(3000)} | {"d3000": {}}
    wide = {"enum": list(range(MAX_COST + 1))}
    started = time.process_time()
    for more in ({"$defs": fan, "$ref": "#/$defs/d0"}, {"$defs": chain, "$ref": "#/$defs/d0"}, wide):
        with pytest.raises(SchemaError):
            read_json_schema(data_of(schema(**more)))
    checker, _, cost = read_json_schema(data_of(schema(properties={"a": {"pattern": "^(a+)+$"}})))
    assert misfit(checker, cost, {"a": "a" * 100_000 + "b"}) == "a: does not fit pattern"
    with pytest.raises(SchemaError):
        misfit(checker, 10_000, {"a": list(range(2000))})
    assert time.process_time() - started < 5


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["$ref", "type", "properties", "items", "$defs", "pattern", "format", "enum", "if", "not"]),
       st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["$ref", "a", "type"]), inner),
                    max_leaves=6)))  # fmt: skip
def test_any_schema(value: dict[str, Any]) -> None:
    """Any schema gives an answer and no exception; what is not usable is never the credential's fault."""
    found = plain(data_of(schema(**value)))
    assert found.code in {"ok", "schema-mismatch", "schema-unusable"}


# -- a schema inside a credential -------------------------------------------------------------------------------------


def test_a_schema_credential_is_opened() -> None:
    """Signed by the credential's own issuer, as JSON-LD or in an envelope."""
    assert packed(holding(schema())).outcome is Outcome.PASSED
    assert packed(holding(schema()), subject={"id": "did:example:x"}).code == "schema-mismatch"
    bare = {name: item for name, item in json.loads(holding(schema())).items() if name != "proof"}
    assert packed(jose.sign_jwt(bare, key_signer()).encode()).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject": {"type": ...}}, "schema-unusable"), ({"subject": {"type": "JsonSchemaCredential"}}, "schema-unusable"),
        ({"subject": {"jsonSchema": ...}}, "schema-unusable"), ({"subject": {"jsonSchema": URL}}, "schema-unusable"),
        ({"credentialSchema": ...}, "schema-unusable"), ({"credentialSchema": {"id": URL, "type": "JsonSchema"}}, "schema-unusable"),
        ({"credentialSchema": {"id": META, "type": "JsonSchemaCredential"}}, "schema-unusable"),
        ({"type": ["VerifiableCredential"]}, "schema-unusable"), ({"id": HOLDING + "2"}, "schema-unusable"),
        ({"validUntil": rfc3339(NOW)}, "schema-not-current"), ({"validFrom": rfc3339(NOW + 1)}, "schema-not-current"),
        ({"issuer": "did:web:schemas.example"}, "schema-unproven"),
        ({"credentialStatus": {"id": "urn:x", "type": "X"}}, "schema-unproven"),
    ],
)  # fmt: skip
def test_a_schema_credential_must_be_good_itself(change: dict[str, Any], code: str) -> None:
    """One reason each; all UNKNOWN."""
    found = packed(holding(schema(), **change))
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)


def test_anothers_schema_credential() -> None:
    """It counts where a digest pins it or the policy names its issuer; else a stranger could say what fits."""
    key = make_signer("p256", "assert", "author").public_key
    did = did_key(key)
    data = holding(schema(), signer=make_signer("p256", "assert", "author", f"{did}#{key.multikey()}"))
    assert packed(data).code == "schema-unproven"
    assert packed(data, schema_issuers=frozenset({did})).outcome is Outcome.PASSED
    assert packed(data, named={"digestSRI": sri(data)}).outcome is Outcome.PASSED


def test_a_schema_by_reference_inside_a_credential() -> None:
    """`$ref` alone leads to a schema that was handed in, with a digest in the signed relatedResource; never elsewhere."""
    inner = data_of(schema())
    related = [{"id": URL, "digestSRI": sri(inner)}]
    data = holding({"$ref": URL}, relatedResource=related)
    assert packed(data, held={URL: inner}).outcome is Outcome.PASSED
    assert packed(data).code == "schema-not-in-trust-data"
    assert packed(data, held={URL: inner + b"\n"}).code == "schema-digest"
    assert packed(holding({"$ref": URL}), held={URL: inner}).code == "schema-digest"


def test_any_changed_byte_of_a_schema_credential_is_no_answer() -> None:
    """Sampled over the file: never a fit."""
    data = holding(schema())
    for place in range(0, len(data), 11):
        changed = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        found = packed(changed)
        assert found.outcome is Outcome.UNKNOWN, place
        assert found.code != "internal-error"


def test_terms_come_first() -> None:
    """A word without a meaning fails whatever the schemas say."""
    value = document(credentialSchema={"id": URL, "type": "JsonSchema"}, credentialSubject={"id": "did:example:x"})
    broken = {**value, "@context": ["https://www.w3.org/ns/credentials/v2"], "nowhereDefined": 1}
    asked = Policy(require_accreditation=False, schemas_by_url={URL: data_of(schema())})
    found = verify(data_of(broken), facts=NoFacts(), policy=asked, at=at()).check("schema")
    assert (found.outcome, found.code) == (Outcome.FAILED, "data-loss")
