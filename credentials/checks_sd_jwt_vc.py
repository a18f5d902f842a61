"""Checks of an SD-JWT VC: what the metadata of its type ask, and its token status list. Both are handed in, never fetched."""

from __future__ import annotations

from credentials import checks_document, jws
from credentials.case import Case, Result, failed, passed, skipped, unknown
from credentials.checks_bitstring import CLOCK_SLACK
from credentials.checks_file import key_named
from credentials.sd_jwt_vc import check_type, read_sd_jwt_vc
from credentials.status import slot_key
from credentials.text import misleads
from credentials.token_status import StatusReference, read_reference, value_in
from credentials.type_metadata import resolve_type
from credentials.vcdm_file import FileCredential
from weid.canon import JSON
from weid.codec import from_minutes, rfc3339
from weid.errors import MalformedError, SignatureError, WeidError

__all__ = ["declared", "status"]

_VALUES = {0: "good-standing", 1: "revoked", 2: "suspended"}


def declared(case: Case, file: FileCredential) -> Result:
    """The claims are shown as they are, and fit the metadata of their type where `policy.schemas_by_url` has them."""
    case.claims = file.claims
    if case.policy.require_accreditation and misleads(dict(case.claims)):
        return failed("unsafe-text")
    if file.token is None:
        return skipped("none")
    value = read_sd_jwt_vc(file.token)
    evidence: dict[str, JSON] = {"schema": value.vct}
    if value.vct not in case.policy.schemas_by_url:
        return skipped("none")
    try:
        check_type(value, file.token, resolve_type(value.vct, case.policy.schemas_by_url, integrity=value.integrity))
    except MalformedError as error:
        evidence |= {"reason": str(error), "rule": error.code}
        missing = error.code in ("type-metadata-missing", "type-metadata-integrity")  # our copies say nothing against it
        return unknown("schema-not-in-trust-data", evidence) if missing else failed("schema-mismatch", evidence)
    return passed("ok", evidence)


def status(case: Case, file: FileCredential) -> Result:
    """The value of its place in the list at hand; a list that is missing or does not count is UNKNOWN."""
    reference = read_reference(file.document)
    if reference is None:
        return skipped("none")
    evidence: dict[str, JSON] = {"list": reference.uri, "index": str(reference.index)}
    if slot_key(reference.uri, reference.index) in case.policy.seen_revocations:
        return failed("revoked", {**evidence, "source": "seen before"})
    data = case.policy.status_lists.get(reference.uri)
    if data is None:
        return unknown("status-unknown", evidence)
    try:
        return _said(case, file, data, reference, evidence)
    except SignatureError as error:
        stale = error.code == "status-list-expired"
        return unknown("status-stale" if stale else "status-list-unproven", {**evidence, "reason": str(error)})
    except WeidError as error:
        short = error.code == "status-index"
        return unknown("status-index" if short else "status-list-malformed", {**evidence, "reason": str(error)})


def _said(case: Case, file: FileCredential, data: bytes, reference: StatusReference, evidence: dict[str, JSON]) -> Result:
    text = data.decode("ascii", "replace")
    method = jws.read_jws(text).kid or ""
    issuer = method.partition("#")[0]
    if issuer != file.issuer and issuer not in case.policy.status_issuers:
        return unknown("status-list-issuer", {**evidence, "issuer": issuer})
    key = key_named(method, case.facts, "assert")
    if key is None:
        return unknown("status-list-unproven", {**evidence, "reason": "its issuer's key is not here"})
    old = checks_document.note_age(case, method)
    if old is not None and old > case.policy.trust_reject:
        return unknown("status-list-unproven", {**evidence, "reason": "its issuer's document is too old"})
    value, said = value_in(text, reference, key, at=from_minutes(case.at))
    known = said // 60
    if case.at + CLOCK_SLACK < known:
        return unknown("status-list-early", {**evidence, "from": rfc3339(known)})  # else it would never be too old
    age = case.at - known
    evidence |= {"asOf": rfc3339(known), "value": hex(value)}
    if age > case.policy.status_reject:
        return unknown("status-stale", {**evidence, "ageMinutes": age})
    before = case.ages.get("status")
    case.ages["status"] = (reference.uri, known) if before is None or known < before[1] else before
    code = _VALUES.get(value)
    if code is None:
        return unknown("status-purpose-unknown", evidence)
    return passed(code, evidence) if value == 0 else failed(code, evidence)
