"""The `schema` check of W3C credentials: its words mean something, and it fits the JSON Schemas it names.

Schemas are never fetched: the caller hands them in (`Policy.schemas_by_url`), as JSON Schemas or inside credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from credentials import checks_file, checks_sd_jwt_vc
from credentials.case import Case, Result, failed, passed, unknown
from credentials.companion import digest_fits, read_companion, uncounted
from credentials.data_model import Digest, digests_of, subjects, texts
from credentials.json_schema import misfit, read_json_schema
from credentials.report import Outcome
from credentials.vcdm_file import FileCredential
from weid.canon import JSON, jcs
from weid.errors import MalformedError, SchemaError, WeidError

__all__ = ["declared"]

PLAIN, CREDENTIAL = "JsonSchema", "JsonSchemaCredential"
MAX_SCHEMAS: Final = 8
_OF_SCHEMAS: Final = (  # what a schema credential names as its own schema (VC JSON Schema 2.2), now and in its drafts
    "https://www.w3.org/ns/credentials/json-schema/v2.json",
    "https://www.w3.org/2022/credentials/v2/json-schema-credential-schema.json",
)


def declared(case: Case, file: FileCredential) -> Result:
    """The terms, then every schema in `credentialSchema`; the worst counts (VC JSON Schema 4.2)."""
    if file.claims_alone:
        return checks_sd_jwt_vc.declared(case, file)
    words = checks_file.terms(case, file)
    value = file.document.get("credentialSchema")
    named = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    if words[0] is not Outcome.SKIPPED or not named:
        return words
    if len(named) > MAX_SCHEMAS:
        return unknown("schema-type-unknown", {"reason": f"more than {MAX_SCHEMAS} schemas"})
    results = [_one(case, file, item) for item in named]
    order = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED)
    worst = min(results, key=lambda result: order.index(result[0]))
    if worst[0] is not Outcome.PASSED:
        return worst
    return passed("ok", {"schemas": [str(item.get("id")) for item in named]})


def _one(case: Case, file: FileCredential, item: Mapping[str, JSON]) -> Result:
    url, types = str(item.get("id")), texts(item.get("type"))
    evidence: dict[str, JSON] = {"schema": url}
    if types not in ((PLAIN,), (CREDENTIAL,)):
        return unknown("schema-type-unknown", {**evidence, "types": list(types)})
    try:
        digests = digests_of(item)
    except MalformedError as error:
        return failed("vcdm-schema", {**evidence, "reason": str(error)})
    signers = {""} if types == (PLAIN,) else {file.issuer, *case.policy.schema_issuers}
    data = case.policy.schema(url, signers, partial(_fits, digests) if digests else None)
    if data is None:
        return unknown("schema-not-in-trust-data", evidence)
    if not digest_fits(data, digests):
        return unknown("schema-digest", evidence)
    try:
        refused = None
        if types == (CREDENTIAL,):
            data, refused = _unpacked(case, file, data, url, pinned=bool(digests))
        outcome = refused or _judged(file, data, None if digests or types == (CREDENTIAL,) else url)
    except SchemaError as error:
        said: dict[str, JSON] = {**evidence, "reason": str(error)}
        dialect = error.code == "schema-dialect-unknown"
        return unknown("schema-dialect-unknown", said) if dialect else unknown("schema-unusable", said)
    return outcome[0], outcome[1], {**evidence, **outcome[2]}


def _fits(digests: list[Digest], data: bytes) -> bool:
    return digest_fits(data, digests)


def _judged(file: FileCredential, data: bytes, url: str | None) -> Result:
    schema, name, cost = read_json_schema(data)
    if url is not None and name != url:
        # nothing but its own name says that these bytes are the schema that was meant
        raise SchemaError("the schema has another $id, and no digest pins it", code="schema-unusable")
    document = {member: value for member, value in file.document.items() if member != "proof"}
    reason = misfit(schema, cost, document)
    return passed() if reason is None else failed("schema-mismatch", {"reason": reason})


def _unpacked(case: Case, file: FileCredential, data: bytes, url: str, *, pinned: bool) -> tuple[bytes, Result | None]:
    """(the schema in a schema credential, why that credential does not count); SchemaError where it holds none."""
    try:
        held = read_companion(data, case)
        reason = uncounted(held, case, "assert")
    except WeidError as error:
        raise SchemaError(f"not a schema credential: {error}", code="schema-unusable") from None
    if reason is not None:
        return b"", unknown("schema-unproven", {"reason": reason})
    if not pinned and held.issuer != file.issuer and held.issuer not in case.policy.schema_issuers:
        return b"", unknown("schema-unproven", {"issuer": held.issuer})
    if not pinned and held.id not in (None, url):
        raise SchemaError("the schema credential has another id, and no digest pins it", code="schema-unusable")
    early, late = held.valid_from, held.valid_until
    if (early is not None and case.at < early) or (late is not None and case.at >= late):
        return b"", unknown("schema-not-current")
    return _inside(case, held.document)


def _inside(case: Case, document: Mapping[str, JSON]) -> tuple[bytes, Result | None]:
    given, own = subjects(document), document.get("credentialSchema")
    subject: Mapping[str, JSON] = given[0] if len(given) == 1 else {}
    schema = subject.get("jsonSchema")
    if CREDENTIAL not in texts(document.get("type")) or subject.get("type") not in (PLAIN, [PLAIN]):
        raise SchemaError(f"not a {CREDENTIAL} about one {PLAIN}", code="schema-unusable")
    if not isinstance(own, dict) or own.get("id") not in _OF_SCHEMAS or own.get("type") != PLAIN:
        raise SchemaError("a schema credential names the schema of schema credentials", code="schema-unusable")
    if not isinstance(schema, dict):
        raise SchemaError("a schema credential holds a jsonSchema", code="schema-unusable")
    if set(schema) != {"$ref"}:
        return jcs(schema), None
    return _referred(case, document, str(schema["$ref"]))


def _referred(case: Case, document: Mapping[str, JSON], url: str) -> tuple[bytes, Result | None]:
    """A schema that the credential names by `$ref` alone: one that was handed in, with the digest that is said of it."""
    related = document.get("relatedResource")
    listed = related if isinstance(related, list) else [related]
    digests = [digest for item in listed if isinstance(item, dict) and item.get("id") == url for digest in digests_of(item)]
    data = case.policy.schema(url, {""}, partial(_fits, digests))
    if data is None:
        return b"", unknown("schema-not-in-trust-data", {"schema": url})
    if not digests or not digest_fits(data, digests):
        return b"", unknown("schema-digest", {"schema": url})
    return data, None
