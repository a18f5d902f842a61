"""Checks of issuers whose DID document was handed in (did:web): whose key it is, and how old the document is.

The document says which keys are its owner's. Whether that owner may issue is another question, which a registry answers, or
a checker that names the issuers it trusts by itself (`Policy.trusted_issuers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from credentials.case import Case, Result, failed, passed, unknown
from credentials.vcdm_file import FileCredential
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import MalformedError, WeidError
from weid.facts import Facts, Found
from weid.handed_in import KIND, HandedIn, key_in
from weid.keys import PublicKey

if TYPE_CHECKING:
    from credentials.bbs import BbsPublicKey

_Key: TypeAlias = "PublicKey | BbsPublicKey"

__all__ = ["by_document", "document_of", "issuer_document", "key_by_document", "note_age", "relies_on_documents_alone", "trusted"]


def by_document(method: str) -> bool:
    """Whether a verification method is one whose document has to be handed in."""
    return method.startswith("did:web:")


def document_of(method: str, facts: Facts) -> Found | None:
    """The document of the DID that a method is of; None where nobody handed it in."""
    answer = facts.fact(KIND, method.partition("#")[0])
    return answer if isinstance(answer, Found) else None


def note_age(case: Case, *methods: str) -> int | None:
    """Put the oldest document that these methods rest on among the report's ages (R22): its age, None without any."""
    found = [item for item in (document_of(method, case.facts) for method in methods if by_document(method)) if item is not None]
    if not found:
        return None
    oldest = min(found, key=lambda item: item.as_of)
    before = case.ages.get("document")
    if before is None or oldest.as_of < before[1]:
        case.ages["document"] = (oldest.source.label, oldest.as_of)
    return case.at - oldest.as_of


def issuer_document(case: Case, file: FileCredential) -> Result:
    """The document is here, names the key, and lists it among those that issue."""
    did = file.method.partition("#")[0]
    found = document_of(file.method, case.facts)
    if found is None:
        return unknown("document-missing", {"issuer": did})
    held: HandedIn = found.record
    evidence: dict[str, JSON] = {"issuer": did, "asOf": rfc3339(held.fetched)}
    method = held.method(file.method)
    if method is None:
        return unknown("key-not-in-document", {**evidence, "key": file.method})
    if not held.allows(file.method, "assert"):
        return failed("key-wrong-role", {"role": "another relationship"})
    try:
        _key(method, bbs=file.bbs)
    except WeidError as error:
        return unknown("key-not-usable", {**evidence, "reason": str(error)})
    if did == file.issuer:
        return passed("document-handed-in", evidence)
    if not case.policy.require_accreditation:
        return passed("method-only", {"issuer": file.issuer})
    return failed("issuer-not-key-owner", {"issuer": file.issuer})


def key_by_document(method: str, facts: Facts, role: str, *, bbs: bool = False) -> _Key | None:
    """The key of a method in a document that was handed in, for keys of this role; None for any reason."""
    found = document_of(method, facts)
    item = None if found is None else found.record.method(method)
    if found is None or item is None or not found.record.allows(method, role):
        return None
    try:
        return _key(item, bbs=bbs)
    except WeidError:
        return None


def trusted(case: Case, issuer: str) -> bool:
    """Whether the checker itself trusts this issuer, and its key is proven to be the issuer's own."""
    return issuer in case.policy.trusted_issuers


def relies_on_documents_alone(case: Case) -> bool:
    """Whether nothing is asked that a registry would have to answer: whose key it is, and nobody doubts the issuer."""
    file = case.file
    if file is None or not (by_document(file.method) or file.self_certified):
        return False
    own = file.method.partition("#")[0] == file.issuer
    return not case.policy.require_accreditation or (own and trusted(case, file.issuer))


def _key(method: Mapping[str, JSON], *, bbs: bool) -> _Key:
    """BBS keys are no suite's: the cryptosuite says how to read them."""
    if not bbs:
        return key_in(method)
    from credentials.bbs import BbsPublicKey

    if "revoked" in method or "expires" in method:
        raise MalformedError("the verification method has an end", code="method-ended")
    return BbsPublicKey.from_multikey(str(method.get("publicKeyMultibase", "")))
