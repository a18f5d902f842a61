"""Checks of the credential itself: form, period, who signed it, and whether the content is what was signed."""

from __future__ import annotations

from credentials import checks_document, checks_file, checks_schema, checks_weidentity, compact, vcdm
from credentials.case import MAX_CANDIDATES, Case, Established, Result, failed, passed, skipped, unknown
from credentials.compact import Compact
from credentials.data_model import CODES
from credentials.schema import BINDS, SHORT_LIFETIME, Schema
from credentials.text import unsafe_text
from weid import signing
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import KeyMaterialError, MalformedError, SchemaError, SignatureError, UnknownSuiteError, WeidError
from weid.facts import Found
from weid.records import KeyRecord, status_list_id

__all__ = ["digests", "format", "issuer_document", "mandatory", "schema", "signature", "validity"]


def format(case: Case) -> Result:
    """The data are exactly one of the forms we read (R11)."""
    try:
        case.parse()
    except WeidError as error:
        known = (*CODES, "not-a-credential", "unsupported", "too-large", "bad-proof-chain", "bad-proof-purpose")
        code = "unsupported" if isinstance(error, UnknownSuiteError) else error.code
        return failed(code if code in known else "malformed", {"reason": str(error), "rule": error.code})
    return passed()


def validity(case: Case) -> Result:
    """from ≤ at < until (R7); a foreign file that names seconds begins with them, not a minute later."""
    start, end = case.period
    if start is not None and case.at * 60 + case.second < start * 60 - case.lead:
        return failed("not-yet-valid", {"from": rfc3339(start)})
    if end is None:
        return passed("no-end")
    return passed() if case.at < end else failed("expired", {"until": rfc3339(end)})


def issuer_document(case: Case) -> Result:
    """The issuer and the key it names are in the trust data; a did:key or did:jwk vouches for itself alone (R5)."""
    if case.legacy is not None:
        return checks_weidentity.issuer_document(case, case.legacy)
    if case.file is not None and case.file.self_certified:
        return checks_file.self_certified(case, case.file)
    if case.file is not None and checks_document.by_document(case.file.method):
        return checks_document.issuer_document(case, case.file)
    found = case.find_issuers()
    if not found:
        if case.file is not None and not case.file.issuer.startswith("did:weid:"):
            return unknown("not-resolvable", {"issuer": case.file.issuer})
        return case.missing_issuer()
    if len(found) > MAX_CANDIDATES:
        return unknown("ambiguous", {"candidates": len(found)})
    keys = [key for key in (_key_of(case, item) for item in found) if key is not None]
    if not keys:
        return unknown("key-not-in-trust-data", {"key": case.key_number, "issuer": found[0].record.did})
    if all(key.role != "assert" for key in keys):
        return failed("key-wrong-role", {"role": keys[0].role})
    return passed("ok", {"issuer": found[0].record.did} if len(found) == 1 else {})


def signature(case: Case) -> Result:
    """Exactly one candidate verifies (R10); a missing schema or key is never called tampering."""
    if case.legacy is not None:
        return checks_weidentity.signature(case, case.legacy)
    if case.file is not None:
        return checks_file.signature(case, case.file)
    value = case.compact
    if value is None or not case.find_schemas():
        return skipped("needs-schema")
    root = compact.tree_root(value)
    tried, verified = 0, []
    lacking = False
    for found in case.find_issuers()[:MAX_CANDIDATES]:
        record = _key_of(case, found)
        lacking = lacking or record is None
        for _, candidate in case.find_schemas():
            if record is None or record.role != "assert" or record.suite != case.suite:
                continue
            tried += 1
            if tried > MAX_CANDIDATES:
                return unknown("ambiguous")
            established = _verified(value, root, found, record, candidate)
            if established is not None:
                verified.append(established)
    if len(verified) == 1:
        case.establish(verified[0])
        return passed()
    if verified:
        return unknown("ambiguous")
    return unknown("key-not-in-trust-data") if lacking else failed("bad-signature")


def digests(case: Case) -> Result:
    """Shown values lead to the signed root; a file's id is the one its content gives (R15, R17)."""
    if case.legacy is not None:
        return checks_weidentity.digests(case, case.legacy)
    established, file = case.established, case.file
    if file is None or established is None:
        return passed()  # the compact signature is over the root these values rebuilt
    if file.own is None:
        return checks_file.names_signed(case, file)
    if not case.find_schemas() or established.found is None or established.key is None:
        return skipped("needs-schema")
    candidate = case.find_schemas()[0][1]
    try:
        value = vcdm.compact_of(file, file.own, candidate)
    except SchemaError as error:
        return failed("schema-mismatch", {"reason": str(error)})
    list_id = None if value.list_number is None else status_list_id(file.issuer, value.list_number)
    source = established.found.source
    if (file.own.origin, file.own.genesis) != (source.origin, source.genesis):
        return failed("id-mismatch")
    signed = compact.preimage(
        value, compact.tree_root(value), origin=source.origin, genesis=source.genesis, issuer=file.issuer,
        key_hash=established.key.hash32(), schema=candidate.digest, mandatory=candidate.mandatory, status_list=list_id,
    )  # fmt: skip
    cid = compact.cid_of(signed, value.hash)
    if file.id != f"{file.issuer}/credentials/{cid.hex()}":
        return failed("id-mismatch")
    case.compact = value
    case.established = Established(
        file.issuer, established.found, established.key_record, established.key, candidate, cid, list_id
    )
    return passed()


def mandatory(case: Case) -> Result:
    """Claims of class `public` are shown (R12)."""
    value, candidate = case.compact, _schema_of(case)
    if case.foreign or case.legacy is not None:
        return skipped("none")
    if value is None or candidate is None:
        return skipped("needs-schema")
    missing = candidate.mandatory & ~value.mask
    if not missing:
        return passed()
    names: list[JSON] = [name for index, name in enumerate(candidate.names) if missing >> index & 1]
    return failed("mandatory-hidden", {"hidden": names})


def schema(case: Case) -> Result:
    """The values fit the published schema, and the credential keeps its terms (lifetime, binding, status)."""
    if case.legacy is not None:
        return checks_weidentity.schema(case, case.legacy)
    if case.foreign and case.file is not None:
        return checks_schema.declared(case, case.file)
    if not case.find_schemas():
        return case.missing_schema()
    value, candidate = case.compact, _schema_of(case)
    if value is None or candidate is None:
        return skipped("needs-proof.signature")
    try:
        claims = candidate.values(value.mask, value.items) if value.count == len(candidate.claims) else None
    except (MalformedError, IndexError) as error:
        return failed("schema-mismatch", {"reason": str(error)})
    if claims is None:
        return failed("schema-mismatch", {"reason": "another number of claims"})
    case.claims = claims
    return _fits(case, value, candidate, claims)


def _fits(case: Case, value: Compact, candidate: Schema, claims: dict[str, JSON]) -> Result:
    for name, item in claims.items():
        if isinstance(item, str) and unsafe_text(item) is not None:
            return failed("unsafe-text", {"claim": name})
    try:
        candidate.check(claims)
    except SchemaError as error:
        return failed("schema-mismatch", {"reason": str(error)})
    lifetime = value.valid_until - value.valid_from
    if case.file is not None and case.file.types[1] != candidate.type:
        return failed("schema-mismatch", {"reason": "another type"})
    if lifetime > candidate.lifetime or value.width != candidate.width:
        return failed("lifetime-exceeded" if lifetime > candidate.lifetime else "schema-mismatch")
    if value.bind_kind != BINDS[candidate.bind]:
        return failed("bind-mismatch")
    if value.list_number is None and (candidate.status or lifetime > SHORT_LIFETIME):
        return failed("status-missing")
    return passed("ok", {"schema": candidate.digest.hex()})


def _schema_of(case: Case) -> Schema | None:
    return None if case.established is None else case.established.schema


def _verified(value: Compact, root: bytes, found: Found, record: KeyRecord, candidate: Schema) -> Established | None:
    issuer, key = found.record.did, record.key
    list_id = None if value.list_number is None else status_list_id(issuer, value.list_number)
    signed = compact.preimage(
        value, root, origin=found.source.origin, genesis=found.source.genesis, issuer=issuer, key_hash=key.hash32(),
        schema=candidate.digest, mandatory=candidate.mandatory, status_list=list_id,
    )  # fmt: skip
    try:
        signing.verify(key, record.role, compact.CONTEXT, signed, value.signature)
    except (SignatureError, KeyMaterialError):
        return None
    return Established(issuer, found, record, key, candidate, compact.cid_of(signed, value.hash), list_id)


def _key_of(case: Case, found: Found) -> KeyRecord | None:
    record: KeyRecord | None = found.record.key_number(case.key_number)
    return record
