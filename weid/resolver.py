"""DID resolution and DID URL dereferencing (W3C DID Resolution 1.0) over one set of methods, without any I/O.

`Resolver.resolve` and `Resolver.dereference` never raise for what they are asked: an error is a result with a type URI, as
the specification has it, and `STATUS` says what HTTP makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from weid.canon import JSON
from weid.codec import minutes, parse_rfc3339
from weid.did import DID
from weid.did_web import RELATIONS, Documents
from weid.document import Resolution, resolve
from weid.errors import DeactivatedError, MalformedError, NotRegisteredError, ResolutionError, UnknownSuiteError, WeidError
from weid.facts import Facts

__all__ = ["OPTIONS", "REPRESENTATIONS", "STATUS", "URI_LIST", "Resolver", "Result", "split_did_url"]

REPRESENTATIONS: Final = ("application/did+json", "application/did+ld+json", "application/did")
URI_LIST: Final = "text/uri-list"
LONGEST: Final = 2048
_DID_ERRORS: Final = "https://www.w3.org/ns/did#"
_KEY_ERRORS: Final = "https://w3id.org/security#"
STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "INVALID_DID": 400, "INVALID_DID_URL": 400, "INVALID_OPTIONS": 400, "NOT_FOUND": 404,
        "REPRESENTATION_NOT_SUPPORTED": 406, "INVALID_DID_DOCUMENT": 500, "INTERNAL_ERROR": 500,
        "METHOD_NOT_SUPPORTED": 501, "FEATURE_NOT_SUPPORTED": 501, "INVALID_VERIFICATION_METHOD": 500,
        "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD": 500,
    }
)  # fmt: skip
"""Error name → HTTP status (DID Resolution 1.0, HTTP(S) binding; errors of other documents are 500)."""

_PARAMETERS: Final = frozenset({"service", "serviceType", "relativeRef", "versionId", "versionTime"})
OPTIONS: Final = _PARAMETERS | {"expandRelativeUrls", "verificationRelationship"}
_CODES: Final = {
    "not-versioned": "FEATURE_NOT_SUPPORTED",
    "invalid-did-document": "INVALID_DID_DOCUMENT", "no-such-version": "NOT_FOUND",
}  # fmt: skip
_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URL: Final = re.compile(rf"(did:[^/?#]*)((?:/{_PCHAR}*)*)(?:\?((?:{_PCHAR}|[/?])*))?(?:#((?:{_PCHAR}|[/?])*))?\Z")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Result:
    """What resolving or dereferencing gave. `content` is a DID document, a part of one, or for `URI_LIST` a URL.

    `error` is one of the names in `STATUS`, or empty.
    """

    content: JSON = None
    content_type: str = ""
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    error: str = ""
    detail: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        if self.error:
            return STATUS[self.error]
        if self.metadata.get("deactivated") is True:
            return 410
        return 303 if self.content_type == URI_LIST else 200

    def problem(self) -> dict[str, JSON]:
        """The error as RFC 9457 has it."""
        prefix = _KEY_ERRORS if "VERIFICATION_METHOD" in self.error else _DID_ERRORS
        return {"type": prefix + self.error, "title": self.error.replace("_", " ").capitalize(), "detail": self.detail}


class _Refused(Exception):  # a signal inside this module: the result with which a step ended
    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.result = Result(error=error, detail=detail)


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID URL in its parts; `query` decoded, names once each."""

    did: str
    path: str
    query: Mapping[str, str]
    fragment: str | None


def split_did_url(text: str) -> DidUrl:
    """The parts of a DID URL (DID Core 1.0, 3.2); MalformedError otherwise."""
    match = _URL.match(text) if isinstance(text, str) and len(text) <= LONGEST else None
    if match is None:
        raise MalformedError("not a DID URL", code="did-url")
    did, path, query, fragment = match.groups()
    pairs = [part.partition("=") for part in query.split("&")] if query else []
    names = {unquote(name): unquote(value) for name, _, value in pairs}
    if len(names) != len(pairs):
        raise MalformedError("a parameter stands twice in a DID URL", code="did-url")
    return DidUrl(DID(did), path, names, fragment)


class Resolver:
    """Every method behind one door: did:weid from `facts`, did:web from `documents`, did:key and did:jwk by themselves."""

    __slots__ = ("_documents", "_facts")

    def __init__(self, facts: Callable[[], Facts], *, documents: Documents | None = None) -> None:
        self._facts, self._documents = facts, documents

    def resolve(self, did: str, options: Mapping[str, str], *, accept: str = REPRESENTATIONS[0]) -> Result:
        """The DID document, or the error of the first step that failed (DID Resolution 1.0, 4.4)."""
        try:
            _offered(accept, REPRESENTATIONS)
            found = self._resolved(did, options)
        except _Refused as refused:
            return refused.result
        return Result(found.document or None, accept, found.metadata)

    def dereference(self, url: str, options: Mapping[str, str], *, accept: str = REPRESENTATIONS[0]) -> Result:
        """The document, a part of it, or a service's URL (DID Resolution 1.0, 5.4). With `accept` `URI_LIST`, the last."""
        try:
            _offered(accept, (*REPRESENTATIONS, URI_LIST))
            return self._dereferenced(_parsed(url, options), options, accept)
        except _Refused as refused:
            return refused.result

    def _resolved(self, did: str, options: Mapping[str, str]) -> Resolution:
        try:
            parsed = DID(did)
        except MalformedError as error:
            raise _Refused("INVALID_DID", str(error)) from None
        if parsed.method not in ("weid", "key", "jwk") and (parsed.method != "web" or self._documents is None):
            raise _Refused("METHOD_NOT_SUPPORTED", f"did:{parsed.method} is not resolved here")
        version, at = _version(options)
        facts = self._known()
        try:
            found = resolve(parsed, facts, version=version, at=at, documents=self._documents)
        except DeactivatedError:
            return Resolution({}, {"deactivated": True})
        except NotRegisteredError as error:
            raise _Refused("NOT_FOUND", str(error)) from None
        except ResolutionError as error:
            raise _Refused(_CODES.get(error.code, "NOT_FOUND"), str(error)) from None
        except UnknownSuiteError as error:
            raise _Refused("FEATURE_NOT_SUPPORTED", str(error)) from None
        except WeidError as error:  # a did:key or did:jwk whose key cannot be one
            raise _Refused("INVALID_DID", str(error)) from None
        if _flag(options, "expandRelativeUrls"):
            return Resolution(_expanded(found.document), found.metadata)
        return found

    def _known(self) -> Facts:
        try:
            return self._facts()
        except WeidError as error:
            raise _Refused("INTERNAL_ERROR", str(error)) from None

    def _dereferenced(self, url: DidUrl, options: Mapping[str, str], accept: str) -> Result:
        asked = {**url.query, **options}
        found = self._resolved(url.did, {name: item for name, item in asked.items() if name in OPTIONS})
        if not found.document:
            return Result(metadata=found.metadata)
        document: JSON = found.document
        if "service" in asked or "serviceType" in asked:
            services = _services(found.document, asked)
            if accept == URI_LIST:
                return Result(_endpoint(services, asked.get("relativeRef"), url.fragment), URI_LIST)
            document = {**found.document, "service": [*services]}
        elif url.path or set(url.query) - OPTIONS or "relativeRef" in asked:
            raise _Refused("NOT_FOUND", "no rule here leads from this path or query to a resource")
        if accept == URI_LIST:
            raise _Refused("REPRESENTATION_NOT_SUPPORTED", "only a service has an address to go to")
        relation = asked.get("verificationRelationship")
        if url.fragment is None:
            if relation is not None:
                raise _Refused("INVALID_VERIFICATION_METHOD", "the DID URL names no verification method")
            return Result(document, accept, found.metadata)
        part = _named(document, url.did, url.fragment)
        if relation is not None:
            _check_relation(found.document, url, part, relation)
        return Result(part, accept, {})


def _offered(accept: str, offered: tuple[str, ...]) -> None:
    if accept not in offered:
        raise _Refused("REPRESENTATION_NOT_SUPPORTED", f"offered are {', '.join(offered)}")


def _parsed(text: str, options: Mapping[str, str]) -> DidUrl:
    try:
        url = split_did_url(text)
    except MalformedError as error:
        raise _Refused("INVALID_DID_URL", str(error)) from None
    if set(options) - OPTIONS:
        raise _Refused("FEATURE_NOT_SUPPORTED", "an option that is not supported here")
    if set(url.query) & set(options):
        raise _Refused("INVALID_OPTIONS", "one parameter is given twice")
    if "hl" in url.query:
        raise _Refused("FEATURE_NOT_SUPPORTED", "the parameter hl is not supported")
    return url


def _version(options: Mapping[str, str]) -> tuple[int | None, int | None]:
    """(version number, log minute); unknown options first, as the algorithm orders it."""
    if set(options) - OPTIONS:
        raise _Refused("FEATURE_NOT_SUPPORTED", "an option that is not supported here")
    number, moment = options.get("versionId"), options.get("versionTime")
    if number is not None and moment is not None:
        raise _Refused("INVALID_OPTIONS", "versionId and versionTime exclude each other")
    _flag(options, "expandRelativeUrls")
    if options.get("verificationRelationship", RELATIONS[0]) not in RELATIONS:
        raise _Refused("INVALID_OPTIONS", "no such verification relationship")
    if number is not None and not number.isascii():
        raise _Refused("INVALID_OPTIONS", "versionId is ASCII")
    try:
        at = None if moment is None else minutes(parse_rfc3339(moment))
    except MalformedError as error:
        raise _Refused("INVALID_OPTIONS", f"versionTime: {error}") from None
    if number is None:
        return None, at
    return (int(number) if _VERSION.match(number) else 0), None  # 0 is a version that no DID has


def _flag(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "false")
    if text not in ("true", "false"):
        raise _Refused("INVALID_OPTIONS", f"{name} is true or false")
    return text == "true"


def _expanded(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """The document with ids that begin with # made absolute."""
    did = str(document["id"])
    return {
        name: [_absolute(item, did) for item in value] if isinstance(value, list) and name != "@context" else value
        for name, value in document.items()
    }


def _absolute(item: JSON, did: str) -> JSON:
    if isinstance(item, str):
        return did + item if item.startswith("#") else item
    name = item.get("id") if isinstance(item, dict) else None
    if isinstance(item, dict) and isinstance(name, str):
        return {**item, "id": did + name if name.startswith("#") else name}
    return item


def _entries(document: Mapping[str, JSON], name: str) -> list[dict[str, JSON]]:
    value = document.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _services(document: Mapping[str, JSON], asked: Mapping[str, str]) -> list[dict[str, JSON]]:
    """The services that fit id and type; an id may be given whole, with its #, or bare."""
    did, wanted, kind = str(document["id"]), asked.get("service"), asked.get("serviceType")
    found = _entries(document, "service")
    if wanted is not None:
        whole = wanted if wanted.startswith("did:") else f"{did}#{wanted.removeprefix('#')}"
        found = [item for item in found if _absolute(item["id"], did) == whole]
    if kind is not None:
        found = [item for item in found if kind in (item["type"] if isinstance(item["type"], list) else [item["type"]])]
    if not found:
        raise _Refused("NOT_FOUND", "the document has no such service")
    return found


def _endpoint(services: list[dict[str, JSON]], relative: str | None, fragment: str | None) -> str:
    """The one address to go to: the first of the first service that has any (RFC 3986, 5)."""
    listed = [
        place
        for item in services
        for place in (item["serviceEndpoint"] if isinstance(item["serviceEndpoint"], list) else [item["serviceEndpoint"]])
        if isinstance(place, str)
    ]
    if not listed:
        raise _Refused("NOT_FOUND", "the service has no address")
    base = listed[0]
    try:
        place = base if relative is None else urljoin(base, relative)
        kept = urlsplit(place)[:2] == urlsplit(base)[:2]
    except ValueError:
        raise _Refused("INVALID_DID_URL", "relativeRef is no relative reference") from None
    # whoever wrote the link may choose a page of the service, never another host or a script
    if not kept or re.search(r"[^!-~]", place + (relative or "")) or not place.startswith(("https://", "http://")):
        raise _Refused("INVALID_DID_URL", "relativeRef leads away from the service, or the service is no web address")
    if fragment is not None and "#" in place:
        raise _Refused("INVALID_DID_URL", "two fragments")
    return place if fragment is None else f"{place}#{fragment}"


def _named(document: JSON, did: str, fragment: str) -> dict[str, JSON]:
    """The method or service with this fragment."""
    body = document if isinstance(document, dict) else {}
    for name in ("verificationMethod", *RELATIONS, "service"):
        for item in _entries(body, name):
            if _absolute(item["id"], did) == f"{did}#{fragment}":
                return item
    raise _Refused("NOT_FOUND", "the document has no part of this name")


def _check_relation(document: Mapping[str, JSON], url: DidUrl, part: Mapping[str, JSON], relation: str) -> None:
    if "controller" not in part:
        raise _Refused("INVALID_VERIFICATION_METHOD", "the DID URL names no verification method")
    value = document.get(relation)
    for item in value if isinstance(value, list) else []:
        name = item.get("id") if isinstance(item, dict) else item
        if _absolute(name, url.did) == f"{url.did}#{url.fragment}":
            return
    raise _Refused("INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD", f"the method is not one for {relation}")
