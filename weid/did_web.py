"""did:web: where its document would be, and the document once somebody has fetched it. The core fetches nothing.

Who hands the bytes in vouches for where they came from; this reads them strictly (DID Core 1.0, 5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from weid.canon import JSON, parse_json
from weid.did import DID
from weid.errors import MalformedError, ResolutionError

__all__ = ["Documents", "document_url", "read_document", "source_of"]

Documents: TypeAlias = Callable[[str], bytes | None]
"""The bytes of did.json for a did:web, or None when the source has none."""

MAX_DOCUMENT: Final = 64 << 10
MAX_ENTRIES: Final = 64
RELATIONS: Final = ("assertionMethod", "authentication", "capabilityDelegation", "capabilityInvocation", "keyAgreement")
_PRIVATE: Final = re.compile(r"private|secret|\Ad\Z", re.IGNORECASE)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+\Z")
_PORTS: Final = 65_535
_FRAGMENT: Final = re.compile(r"#[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+\Z")


def document_url(did: str) -> str:
    """The address of the document: `https://<host>[:port]/.well-known/did.json`, or `/<path>/did.json`."""
    parsed = DID(did)
    if parsed.method != "web":
        raise MalformedError("not a did:web", code="did-method")
    host, *path = parsed.removeprefix("did:web:").split(":")
    if int(host.partition("%3A")[2] or 443) > _PORTS:
        raise MalformedError(f"{did} names a port over {_PORTS}", code="bad-url")
    return f"https://{host.replace('%3A', ':')}/{'/'.join(path or ['.well-known'])}/did.json"


def source_of(documents: Mapping[str, bytes]) -> Documents:
    """A source of what a mapping DID → bytes holds."""
    return documents.get


def read_document(data: bytes, did: str) -> dict[str, JSON]:
    """The DID document in JSON bytes; ResolutionError `invalid-did-document` unless it conforms and is about `did`."""
    try:
        value = parse_json(data, max_bytes=MAX_DOCUMENT, max_depth=16)
    except MalformedError as error:
        raise _invalid(str(error)) from None
    if not isinstance(value, dict) or value.get("id") != did:
        raise _invalid("the document is not about this DID")
    _contexts(value.get("@context"))
    for name in ("controller", "alsoKnownAs"):
        _texts(value.get(name), name)
    if not all(_is_did(text) for text in _listed(value.get("controller"))):
        raise _invalid("a controller is a DID")
    for method in _objects(value.get("verificationMethod"), "verificationMethod"):
        _method(method)
    for relation in RELATIONS:
        for item in _entries(value.get(relation), relation):
            if isinstance(item, dict):
                _method(item)
            elif not isinstance(item, str) or not _reference(item):
                raise _invalid(f"{relation} holds references and methods")
    for service in _objects(value.get("service"), "service"):
        _service(service)
    return value


def _contexts(value: JSON) -> None:
    found = value if isinstance(value, list) else [value]
    known = ("https://www.w3.org/ns/did/v1", "https://www.w3.org/ns/did/v1.1")
    if value is not None and (not found or found[0] not in known):
        raise _invalid("the first context is that of DID Core")


def _method(method: Mapping[str, JSON]) -> None:
    kind, controller, name = method.get("type"), method.get("controller"), method.get("id")
    if not isinstance(name, str) or not _reference(name) or not isinstance(kind, str) or not kind:
        raise _invalid("a verification method has id, type and controller")
    if not isinstance(controller, str) or not _is_did(controller):
        raise _invalid("a verification method has id, type and controller")
    jwk = method.get("publicKeyJwk", {})
    if not isinstance(jwk, dict) or any(map(_PRIVATE.search, (*method, *jwk))):
        raise _invalid("a document shows public keys alone")


def _service(service: Mapping[str, JSON]) -> None:
    name, kind, endpoint = service.get("id"), service.get("type"), service.get("serviceEndpoint")
    if not isinstance(name, str) or not (_reference(name) or _URI.match(name)):
        raise _invalid("a service has an id")
    if not kind or not all(isinstance(item, str) for item in _listed(kind)):
        raise _invalid("a service has a type")
    for item in _listed(endpoint) or [None]:
        if not (isinstance(item, dict) or (isinstance(item, str) and _URI.match(item))):
            raise _invalid("a service endpoint is a URL, a map, or a list of them")


def _reference(text: str) -> bool:
    """A DID URL with a fragment, or a fragment relative to the document."""
    did, mark, fragment = text.partition("#")
    return bool(mark) and bool(_FRAGMENT.match(f"#{fragment}")) and (not did or _is_did(did))


def _is_did(text: JSON) -> bool:
    try:
        return isinstance(text, str) and bool(DID(text))
    except MalformedError:
        return False


def _listed(value: JSON) -> list[JSON]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _texts(value: JSON, name: str) -> None:
    if not all(isinstance(item, str) for item in _listed(value)):
        raise _invalid(f"{name} holds texts")


def _entries(value: JSON, name: str) -> list[JSON]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise _invalid(f"{name} is a list of at most {MAX_ENTRIES}")
    return value


def _objects(value: JSON, name: str) -> list[dict[str, JSON]]:
    found = [item for item in _entries(value, name) if isinstance(item, dict)]
    if len(found) != len(_entries(value, name)):
        raise _invalid(f"{name} holds objects")
    return found


def _invalid(reason: str) -> ResolutionError:
    return ResolutionError(reason, code="invalid-did-document")
