"""W3C DID documents: the JSON view of a DID record at a version or a log time.

DID Core 1.0 section 5, verification methods as Multikey (Controlled Identifiers 1.0, 2.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from weid.canon import JSON
from weid.codec import rfc3339
from weid.did import DID, key_id, key_of_did_key
from weid.did_jwk import did_jwk_document, key_of_did_jwk
from weid.did_web import Documents, read_document
from weid.errors import DeactivatedError, MalformedError, NotRegisteredError, ResolutionError
from weid.facts import Facts, Found, Unknown
from weid.keys import PublicKey
from weid.records import DidRecord, KeyRecord, ServiceRecord

CONTEXTS: tuple[str, str] = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")

RELATIONSHIPS = {
    "assert": "assertionMethod",
    "status": "assertionMethod",
    "present": "authentication",
    "login": "authentication",
    "log-op": "capabilityInvocation",
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """A DID document with its metadata (DID Resolution 1.0, 4)."""

    document: dict[str, JSON]
    metadata: dict[str, JSON]


def resolve(
    did: str, facts: Facts, *, version: int | None = None, at: int | None = None, documents: Documents | None = None
) -> Resolution:
    """The document of a DID: the newest, one version, or as it stood at a log minute.

    A did:weid comes from `facts`, a did:web from `documents`, did:key and did:jwk from themselves. Raises
    NotRegisteredError, DeactivatedError (only for the newest view) or ResolutionError (`no-such-version`,
    `method-not-supported`, `not-versioned`, `invalid-did-document`, or a code naming the trust data that is missing);
    for a key that cannot be used MalformedError, KeyMaterialError or UnknownSuiteError.
    """
    parsed = DID(did)
    if parsed.method != "weid":
        return Resolution(_unlogged(parsed, documents, version is not None or at is not None), {})
    answer = facts.fact("did", str(parsed))
    if isinstance(answer, Unknown):
        raise ResolutionError(f"cannot say anything about {did}", code=answer.reason)
    if not isinstance(answer, Found):
        raise NotRegisteredError(f"{did} is not registered")
    record: DidRecord = answer.record
    if version is None and at is None and record.deactivated is not None:
        raise DeactivatedError(f"{did} was deactivated at {rfc3339(record.deactivated)}")
    return resolution(record, version=version, at=at)


def _unlogged(did: DID, documents: Documents | None, versioned: bool) -> dict[str, JSON]:
    """The document of a DID that no log keeps the history of."""
    if did.method not in ("key", "jwk", "web") or (did.method == "web" and documents is None):
        raise ResolutionError(f"did:{did.method} is not resolved here", code="method-not-supported")
    if versioned:
        raise ResolutionError(f"did:{did.method} has no versions", code="not-versioned")
    if did.method != "web" or documents is None:
        return did_key_document(did) if did.method == "key" else did_jwk_document(did)
    data = documents(did)
    if data is None:
        raise NotRegisteredError(f"no document of {did} is at hand")
    return read_document(data, did)


def key_of_method(method: str) -> PublicKey:
    """The key of a verification method that spells its own key: did:key or did:jwk.

    MalformedError for other ids; errors of the key as `key_of_did_key` and `key_of_did_jwk`.
    """
    did, _, fragment = method.partition("#")
    if did.startswith("did:jwk:") and fragment == "0":
        return key_of_did_jwk(did)
    if f"did:key:{fragment}" != did:
        raise MalformedError("not the verification method of a did:key or did:jwk")
    return key_of_did_key(did)


def resolution(record: DidRecord, *, version: int | None = None, at: int | None = None) -> Resolution:
    """The document and metadata of a record at a version, a log minute, or now."""
    index = _version_index(record, version, at)
    chosen = record.versions[index]
    following = record.versions[index + 1] if index + 1 < len(record.versions) else None
    metadata: dict[str, JSON] = {
        "created": rfc3339(record.versions[0].since),
        "updated": rfc3339(chosen.since),
        "versionId": str(chosen.number),
    }
    if following is not None:
        metadata["nextVersionId"] = str(following.number)
        metadata["nextUpdate"] = rfc3339(following.since)
    deactivated = record.deactivated is not None and following is None
    if deactivated:
        metadata["deactivated"] = True
    return Resolution(_document(record, chosen.number, deactivated=deactivated), metadata)


def _version_index(record: DidRecord, version: int | None, at: int | None) -> int:
    for index in range(len(record.versions) - 1, -1, -1):
        candidate = record.versions[index]
        if (version is None or candidate.number == version) and (at is None or candidate.since <= at):
            return index
    raise ResolutionError(f"{record.did} has no such version", code="no-such-version")


def _document(record: DidRecord, version: int, *, deactivated: bool) -> dict[str, JSON]:
    keys = [] if deactivated else [key for key in record.keys if key.shown_in(version)]
    services = [] if deactivated else [item for item in record.services if item.shown_in(version)]
    return build_document(record.did, keys, services)


def build_document(
    did: str,
    keys: list[KeyRecord] | tuple[KeyRecord, ...],
    services: list[ServiceRecord] | tuple[ServiceRecord, ...] = (),
) -> dict[str, JSON]:
    """The DID document of these keys and services, in their order."""
    document: dict[str, JSON] = {"@context": list(CONTEXTS), "id": did}
    methods: list[JSON] = []
    relations: dict[str, list[JSON]] = {}
    for key in keys:
        name = key_id(did, key.number)
        methods.append({"id": name, "type": "Multikey", "controller": did, "publicKeyMultibase": key.key.multikey()})
        relations.setdefault(RELATIONSHIPS[key.role], []).append(name)
    if methods:
        document["verificationMethod"] = methods
    for relation in sorted(relations):
        document[relation] = relations[relation]
    if services:
        document["service"] = [
            {"id": f"{did}#{item.id}", "type": item.type, "serviceEndpoint": item.endpoint} for item in services
        ]
    return document


def did_key_document(did: DID) -> dict[str, JSON]:
    """The document a did:key stands for: one key, good for everything a holder does."""
    key = key_of_did_key(did)
    name = f"{did}#{key.multikey()}"
    method: dict[str, JSON] = {
        "id": name, "type": "Multikey", "controller": str(did), "publicKeyMultibase": key.multikey()
    }  # fmt: skip
    return {
        "@context": list(CONTEXTS),
        "id": str(did),
        "verificationMethod": [method],
        "assertionMethod": [name],
        "authentication": [name],
        "capabilityInvocation": [name],
    }
